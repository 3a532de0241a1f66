import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import type { BackupContext } from '../src/context.ts';
import { planBackup } from '../src/plan/plan.ts';
import { restoreBackup } from '../src/restore/restore.ts';
import { runBackup } from '../src/run/run.ts';
import { listBackups } from '../src/store/listing.ts';
import { retainBackups } from '../src/store/retention.ts';
import { openStore } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';
import { archiveOf, manifestOf } from './stored.ts';

let lab: Lab;
let base: string;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 1_000_000 });
  base = await mkdtemp(join(tmpdir(), 'splitmirror-suspicious-'));
});
afterAll(() => lab.close());

async function contextWith(store: string): Promise<BackupContext> {
  const hosts = new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })]));
  const surroundings = systemSurroundings();
  return {
    ...aixFamily({ hosts, now: surroundings.now, stabilityMs: 50 }),
    store: openStore(join(base, store)),
    surroundings,
  };
}

describe('a run in the lab', { timeout: 120_000 }, () => {
  it('is not green when it is off its history, is kept, and stops retention', async () => {
    const context = await contextWith('history');
    const usual = archiveOf('accountslv', { bytes: 900_000_000, entries: 100_000, catalogue: null });
    for (let day = 1; day <= 6; day += 1) {
      const createdAt = `2025-01-0${day}T10:00:00.000Z`;
      const stored = await context.store.begin('ledger_rg', `old00${day}`, createdAt);
      await stored.journal.close();
      await stored.commit(manifestOf(`old00${day}`, { group: 'ledger_rg', createdAt, archives: [usual] }));
    }
    const { verdict, directory } = await runBackup(context, await planBackup(context, 'ledger_rg', labPolicy));
    expect(verdict).toMatchObject({
      kind: 'suspicious',
      reasons: [
        { code: 'BYTES', volume: 'accountslv', usual: 900_000_000 },
        { code: 'ENTRIES', volume: 'accountslv', usual: 100_000 },
      ],
    });
    const newest = (await listBackups(context.store, 'ledger_rg', new Date())).at(-1);
    expect(newest).toMatchObject({ health: 'suspicious', directory });
    expect(newest?.manifest?.judgedAgainst).toBe(6);
    const report = await retainBackups(context.store, 'ledger_rg', { last: 1 }, new Date());
    expect(report).toMatchObject({ removed: [], suspended: expect.stringContaining('suspicious') });
  });

  it('stores encrypted archives that only an identity opens', async () => {
    const context = await contextWith('encrypted');
    const identity = await generateIdentity();
    const stored = { compression: 'gzip', recipients: [await identityToRecipient(identity)] } as const;
    const { verdict, archives } = await runBackup(
      context,
      await planBackup(context, 'ledger_rg', { ...labPolicy, stored }),
    );
    expect(verdict).toEqual({ kind: 'good' });
    expect(archives.map(({ file }) => file)).toEqual([
      'accountslv.tar.gz.age',
      'journallv.tar.gz.age',
      'auditlv.dd.gz.age',
    ]);
    const backup = await context.store.find('ledger_rg');
    const { volumes } = await restoreBackup(backup, join(base, 'restored'), { identities: [identity] });
    expect(volumes.every(({ files }) => files > 0)).toBe(true);
  });

  it('is refused once the group has spent its time without a second copy', async () => {
    const context = await contextWith('encrypted');
    const limited = { ...labPolicy, exposure: { minutesPerMonth: 0 } };
    await expect(planBackup(context, 'ledger_rg', limited)).rejects.toMatchObject({
      code: 'PLAN_REFUSED',
      problems: [{ code: 'EXPOSURE_LIMIT' }],
    });
    const wrong = { ...labPolicy, stored: { recipients: ['not a recipient'] } };
    await expect(planBackup(context, 'ledger_rg', wrong)).rejects.toMatchObject({
      code: 'PLAN_REFUSED',
      problems: [{ code: 'STORED_FORM' }],
    });
  });
});
