import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { archiveOf, manifestOf } from '../../test/stored.ts';
import { openStore, type Store } from './store.ts';
import { directoryVault, type Vault } from './vault.ts';

let root: string;
let store: Store;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'splitmirror-store-')), 'backups');
  store = await openStore(root);
});

const manifest = manifestOf;

describe('openStore', () => {
  it('lists only what was committed, oldest first', async () => {
    const second = await store.begin('g', 'bbbbbb', '2026-11-22T11:00:00.000Z');
    const first = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await store.begin('g', 'cccccc', '2026-11-22T12:00:00.000Z');
    expect(await store.list('g')).toEqual([]);
    await second.commit(manifest('bbbbbb'));
    const directory = await first.commit(manifest('aaaaaa'));
    expect(directory).toBe(join(root, 'g', '20261122T100000Z-aaaaaa'));
    expect((await store.list('g')).map((backup) => backup.manifest.run)).toEqual(['aaaaaa', 'bbbbbb']);
    expect((await store.find('g')).manifest.run).toBe('bbbbbb');
    expect((await store.find('g', 'aaaaaa')).directory).toBe(directory);
    expect(await readdir(join(root, 'g'))).toContain('20261122T120000Z-cccccc.incomplete');
  });

  it('keeps the journal line by line, in order', async () => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.journal.write({ at: 'x', kind: 'intent', effect: 1 });
    await run.journal.write({ at: 'y', kind: 'outcome', of: 'look' });
    expect(await readFile(join(run.directory, 'journal.ndjson'), 'utf8')).toBe(
      '{"at":"x","kind":"intent","effect":1}\n{"at":"y","kind":"outcome","of":"look"}\n',
    );
  });

  it('forgets a run that changed nothing', async () => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.forget();
    expect(await readdir(join(root, 'g'))).toEqual([]);
  });

  it('says which backup it does not have', async () => {
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_UNKNOWN' });
    await expect(store.find('g', 'zzzzzz')).rejects.toMatchObject({
      code: 'BACKUP_UNKNOWN',
      message: expect.stringContaining('zzzzzz'),
    });
  });

  it.each([
    { run: 'bbbbbb' },
    { run: '../../x' },
    { archives: [archiveOf('../datalv')] },
    { archives: [archiveOf('datalv', { file: '../../../etc/passwd' })] },
    { archives: [archiveOf('datalv', { catalogue: '/etc/passwd' })] },
  ])('does not follow a manifest out of its directory: %o', async (changed) => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest('aaaaaa', changed)));
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('does not take a damaged manifest for a backup', async () => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    await writeFile(join(directory, 'manifest.json'), '{"splitmirror":1}');
    await expect(store.list('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(store.find('g', 'aaaaaa')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    const other = await store.begin('g', 'bbbbbb', '2026-11-22T11:00:00.000Z');
    await other.commit(manifest('bbbbbb'));
    await other.journal.close();
    expect((await store.find('g')).manifest.run).toBe('bbbbbb');
  });

  it.each(['..', '.', '', '../elsewhere', 'a/b'])('has no directory for a group called %j', async (group) => {
    const refusal = { code: 'STORE_UNUSABLE' };
    await expect(store.begin(group, 'aaaaaa', '2026-11-22T10:00:00.000Z')).rejects.toMatchObject(refusal);
    await expect(store.survey(group)).rejects.toMatchObject(refusal);
    await expect(store.remove(group, [])).rejects.toMatchObject(refusal);
  });

  it('says that it is full, whatever it writes', async () => {
    const full = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    const other = await openStore(root, { ...directoryVault(root), openSink: full, seal: full });
    const run = await other.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await expect(run.openArchive('datalv.tar')).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(run.commit(manifest('aaaaaa'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await other.list('g')).toEqual([]);
  });

  it('refuses a store that is no directory', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(openStore(join(root, 'file'))).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
  });

  it('writes what a person needs beside the archives', async () => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.journal.close();
    const directory = await run.commit(manifest('aaaaaa'));
    expect((await readdir(directory)).sort()).toEqual(['README.txt', 'SHA256SUMS', 'journal.ndjson', 'manifest.json']);
    expect(await readFile(join(directory, 'README.txt'), 'utf8')).toContain('sha256sum -c SHA256SUMS');
  });

  it('counts nothing that a vault could not seal', async () => {
    const broken: Vault = { ...directoryVault(root), seal: () => Promise.reject(new Error('no answer')) };
    const other = await openStore(root, broken);
    const run = await other.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.journal.close();
    await expect(run.commit(manifest('aaaaaa'))).rejects.toThrow('no answer');
    expect(await other.list('g')).toEqual([]);
    expect((await other.survey('g')).incomplete).toMatchObject([{ run: 'aaaaaa', createdAt: '2026-11-22T10:00:00Z' }]);
  });

  it('removes in an order in which nothing half removed ever looks like a backup', async () => {
    const forgotten: string[][] = [];
    let fails = true;
    const vault: Vault = {
      ...directoryVault(root),
      async forget(runs) {
        forgotten.push(runs.map(({ group, run, createdAt }) => `${group} ${run} ${createdAt}`));
        if (fails) throw new Error('killed here');
      },
    };
    const other = await openStore(root, vault);
    for (const name of ['aaaaaa', 'bbbbbb']) {
      const run = await other.begin('g', name, `2026-11-2${name === 'aaaaaa' ? 1 : 2}T10:00:00.000Z`);
      await run.journal.close();
      await run.commit(manifest(name));
    }
    const { directory } = await other.find('g', 'aaaaaa');
    await expect(other.remove('g', [directory])).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
    expect((await other.list('g')).map((backup) => backup.manifest.run)).toEqual(['bbbbbb']);
    expect(await readdir(join(root, 'g'))).toContain('20261121T100000Z-aaaaaa.expired');
    // The next removal, of whatever, goes on; also with a directory that has lost some of its files.
    await rm(join(root, 'g', '20261121T100000Z-aaaaaa.expired', 'manifest.json'));
    fails = false;
    await other.remove('g', []);
    expect((await readdir(join(root, 'g'))).sort()).toEqual(['20261122T100000Z-bbbbbb', 'exposures.ndjson']);
    expect(forgotten).toEqual([['g aaaaaa 2026-11-21T10:00:00Z'], ['g aaaaaa 2026-11-21T10:00:00Z']]);
    await other.remove('g', [directory, root, '/etc']);
    expect(forgotten).toHaveLength(2);
  });
});
