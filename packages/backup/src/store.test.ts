import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from './manifest.ts';
import { openStore, type Store } from './store.ts';

let root: string;
let store: Store;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'splitmirror-store-')), 'backups');
  store = await openStore(root);
});

const manifest = (run: string): Manifest => ({
  splitmirror: 1,
  run,
  group: 'g',
  node: 'a',
  createdAt: '2026-11-22T10:00:00.000Z',
  committedAt: '2026-11-22T10:05:00.000Z',
  planDigest: '0'.repeat(64),
  consistency: { level: 'file-system', evidence: {} },
  redundancy: {
    splitAt: '2026-11-22T10:01:00.000Z',
    wholeAt: '2026-11-22T10:04:00.000Z',
    exposedSeconds: 180,
    copiesLeft: 1,
  },
  levels: { kind: 'pass' },
  proofs: [],
  facts: {},
  archives: [],
});

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

  it('does not take a damaged manifest for a backup', async () => {
    const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    await writeFile(join(directory, 'manifest.json'), '{"splitmirror":1}');
    await expect(store.list('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('refuses a store that is no directory', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(openStore(join(root, 'file'))).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
  });
});
