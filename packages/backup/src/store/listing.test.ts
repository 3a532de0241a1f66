import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { manifestOf } from '../../test/stored.ts';
import { listBackups } from './listing.ts';
import type { Suspicion } from './manifest.ts';
import type { DrillRecord } from './records.ts';
import { openStore, type Store } from './store.ts';

let store: Store;
beforeEach(async () => {
  store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-listing-')));
});

const now = new Date('2026-11-23T10:00:00.000Z');
const small: Suspicion = {
  code: 'BYTES',
  volume: 'datalv',
  message: 'datalv: 1 bytes, usually 1000',
  seen: 1,
  usual: 1000,
};
const drill = (level: DrillRecord['level'], outcome: DrillRecord['outcome'], at = now.toISOString()): DrillRecord => ({
  kind: 'drill',
  at,
  level,
  outcome,
  seconds: 1,
  where: 'a',
  program: null,
  problems: outcome === 'failed' ? ['it did not open'] : [],
});

async function commit(run: string, day: string, suspicions: Suspicion[] = []): Promise<string> {
  const createdAt = `2026-11-${day}T10:00:00.000Z`;
  const stored = await store.begin('g', run, createdAt);
  await stored.journal.close();
  return stored.commit(manifestOf(run, { createdAt, suspicions }));
}

describe('listBackups', () => {
  it('tells the health of everything that stands there, oldest first, and never fails for one of them', async () => {
    await commit('goodaa', '20');
    await commit('oddaaa', '21', [small]);
    const damaged = await commit('damage', '22');
    await writeFile(join(damaged, 'manifest.json'), '{');
    const failed = await store.begin('g', 'failed', '2026-11-23T09:00:00.000Z');
    await failed.journal.close();
    const listed = await listBackups(store, 'g', now);
    expect(
      listed.map(({ run, createdAt, health, reasons }) => [run, createdAt.slice(0, 10), health, ...reasons]),
    ).toEqual([
      ['goodaa', '2026-11-20', 'good'],
      ['oddaaa', '2026-11-21', 'suspicious', small.message],
      ['damage', '2026-11-22', 'damaged', expect.stringContaining('cannot be read')],
      ['failed', '2026-11-23', 'incomplete', 'the run failed, or still goes on'],
    ]);
    expect(await listBackups(store, 'other', now)).toEqual([]);
  });

  it('says of a run without an end which recovery has taken back what it left', async () => {
    const recover = async (run: string, at: string, verdict: string | null) => {
      const { journal } = await store.beginRecovery('g', run, at);
      const controller = { host: 'ops', pid: 7 };
      await journal.write({ at, kind: 'recovery', run, group: 'g', by: null, controller, breakLock: false });
      if (verdict !== null) await journal.write({ at, kind: 'end', verdict: { kind: verdict } });
      await journal.close();
    };
    const [day, open] = ['2026-11-23T', 'the run failed, or still goes on'];
    for (const [run, hour] of [
      ['failed', '09'],
      ['latest', '12'],
    ]) {
      await (await store.begin('g', run ?? '', `${day}${hour}:00:00.500Z`)).journal.close();
    }
    const reasons = async () => (await listBackups(store, 'g', now)).map((each) => each.reasons.join());
    await recover('before', `${day}08:00:00.000Z`, 'whole');
    await recover('stucka', `${day}10:00:00.000Z`, 'stuck');
    await recover('killed', `${day}10:30:00.000Z`, null);
    expect(await reasons()).toEqual([open, open]);
    await recover('mended', `${day}11:00:00.000Z`, 'whole');
    const taken = `the run failed; recovery mended of ${day}11:00:00.000Z took back what it left`;
    expect(await reasons()).toEqual([taken, open]);
  });

  it('follows what a person decided about a suspicious one', async () => {
    await commit('oddaaa', '21', [small]);
    const backup = await store.find('g');
    const judgement = { kind: 'judgement', at: now.toISOString(), by: 'anna', reason: 'the archive moved' } as const;
    await store.record(backup, { ...judgement, verdict: 'rejected' });
    expect((await listBackups(store, 'g', now))[0]).toMatchObject({
      health: 'rejected',
      reasons: [small.message, 'rejected by anna: the archive moved'],
    });
    await store.record(backup, { ...judgement, verdict: 'accepted' });
    expect((await listBackups(store, 'g', now))[0]).toMatchObject({ health: 'good', reasons: [] });
  });

  it('does not count a record that a crash has cut, and writes the next one all the same', async () => {
    const directory = await commit('goodaa', '20');
    const file = join(directory, 'records.ndjson');
    await store.record(await store.find('g'), drill('bytes', 'passed'));
    await writeFile(file, `${await readFile(file, 'utf8')}{"kind":"dri`);
    expect((await store.find('g')).records).toHaveLength(1);
    await store.record(await store.find('g'), drill('contents', 'passed'));
    expect((await store.find('g')).records.map((record) => record.kind === 'drill' && record.level)).toEqual([
      'bytes',
      'contents',
    ]);
    await writeFile(file, '{"kind":"something else"}\n');
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });
});
