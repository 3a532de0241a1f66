import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeBackup, makeSource } from '../../test/real-backup.ts';
import { storeError } from '../store/durable.ts';
import { healthOf } from '../store/health.ts';
import { planRetention, retainedBackups } from '../store/retention.ts';
import { openStore, type Store } from '../store/store.ts';
import { verifyAndRecord } from './verify.ts';

let store: Store;
let source: string;
beforeEach(async () => {
  const base = await mkdtemp(join(tmpdir(), 'splitmirror-verify-'));
  source = join(base, 'source');
  await makeSource(source);
  store = openStore(join(base, 'store'));
});

const now = () => new Date('2026-11-25T10:00:00.000Z');

describe('verifyAndRecord', () => {
  it('records that a backup is whole, as a drill of its bytes', async () => {
    const found = await verifyAndRecord(store, await makeBackup(store, source), {}, now);
    expect(found).toMatchObject({ kind: 'whole', unrecorded: null, report: { volumes: [{}, {}] } });
    expect(healthOf(await store.find('g'))).toMatchObject({ health: 'good', proven: { level: 'bytes' } });
  });

  it('records damage, which takes back what was proved: retention keeps an older proof', async () => {
    const older = await makeBackup(store, source, { createdAt: '2026-11-22T10:00:00.000Z' });
    const newer = await makeBackup(store, source, { run: 'bbbbbb', createdAt: '2026-11-23T10:00:00.000Z' });
    await makeBackup(store, source, { run: 'cccccc', createdAt: '2026-11-24T10:00:00.000Z' });
    for (const backup of [older, newer]) await verifyAndRecord(store, backup, {}, now);
    await appendFile(join(newer.directory, 'datalv.tar'), 'x');
    const found = await verifyAndRecord(store, newer, {}, now);
    expect(found).toMatchObject({ kind: 'damaged', error: { code: 'BACKUP_DAMAGED' }, unrecorded: null });
    expect(healthOf(await store.find('g', 'bbbbbb'))).toMatchObject({
      health: 'damaged',
      reasons: [expect.stringContaining('datalv.tar')],
      proven: null,
    });
    const { decisions } = planRetention(retainedBackups(await store.survey('g')), { last: 1 }, now());
    expect(decisions.map(({ run, reasons }) => [run, ...reasons])).toEqual([
      ['aaaaaa', 'the newest proven backup'],
      ['bbbbbb', 'damaged, and not judged by a person'],
      ['cccccc', 'one of the last 1', 'the newest good backup'],
    ]);
  });

  it.each(['truncate -s -100', 'rm'])('reads the catalogue also where no key is given: after %s', async (spoil) => {
    const identity = await generateIdentity();
    const form = { recipients: [await identityToRecipient(identity)] };
    const backup = await makeBackup(store, source, { form });
    const catalogue = backup.manifest.archives[0]?.catalogue ?? '';
    execFileSync('sh', ['-c', `${spoil} "$1"`, 'sh', join(backup.directory, catalogue)]);
    for (const identities of [[identity], []]) {
      const found = await verifyAndRecord(store, backup, { identities }, now);
      expect(found).toMatchObject({
        kind: 'damaged',
        error: { message: expect.stringContaining(catalogue) },
      });
    }
    expect(healthOf(await store.find('g'))).toMatchObject({ health: 'damaged', proven: null });
  });

  it('tells all the same what it found where the store takes no record', async () => {
    const backup = await makeBackup(store, source);
    await appendFile(join(backup.directory, 'datalv.tar'), 'x');
    const readOnly: Store = {
      ...store,
      record: async () => {
        throw storeError(backup.directory, new Error('EROFS: read-only file system'));
      },
    };
    const found = await verifyAndRecord(readOnly, backup, {}, now);
    expect(found).toMatchObject({ kind: 'damaged', unrecorded: { code: 'STORE_UNUSABLE' } });
  });

  it('records nothing of what says nothing of the backup', async () => {
    const backup = await makeBackup(store, source);
    const read = () => {
      throw new Error('the repository does not answer');
    };
    await expect(verifyAndRecord(store, { ...backup, read }, {}, now)).rejects.toThrow('does not answer');
    expect((await store.find('g')).records).toEqual([]);
  });
});
