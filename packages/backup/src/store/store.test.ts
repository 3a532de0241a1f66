import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveOf, manifestOf } from '../../test/stored.ts';
import { openStore, type Store, type StoredRun } from './store.ts';
import { directoryVault, type Vault, vaultOnDemand } from './vault.ts';

const canMount = process.getuid?.() === 0 && process.platform === 'linux';

let root: string;
let store: Store;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'splitmirror-store-')), 'backups');
  store = openStore(root);
});

const begun: { readonly journal: { close(): Promise<void> } }[] = [];
afterEach(async () => {
  for (const { journal } of begun.splice(0)) await journal.close();
});

/** Begins a run whose journal is closed when the test has ended. */
async function beginIn(place: Store, ...run: Parameters<Store['begin']>): Promise<StoredRun> {
  const made = await place.begin(...run);
  begun.push(made);
  return made;
}

const manifest = manifestOf;

describe('openStore', () => {
  it('lists only what was committed, oldest first', async () => {
    const second = await beginIn(store, 'g', 'bbbbbb', '2026-11-22T11:00:00.000Z');
    const first = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await beginIn(store, 'g', 'cccccc', '2026-11-22T12:00:00.000Z');
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
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.journal.write({ at: 'x', kind: 'intent', effect: 1 });
    await run.journal.write({ at: 'y', kind: 'outcome', of: 'look' });
    expect(await readFile(join(run.directory, 'journal.ndjson'), 'utf8')).toBe(
      '{"at":"x","kind":"intent","effect":1}\n{"at":"y","kind":"outcome","of":"look"}\n',
    );
  });

  it('forgets a run that changed nothing', async () => {
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.forget();
    expect(await readdir(join(root, 'g'))).toEqual([]);
  });

  it('begins a run once, whatever has become of it', async () => {
    const refusal = { code: 'PLAN_OUTDATED', message: 'plan aaaaaa of g was begun already' };
    const again = (at: string) => expect(store.begin('g', 'aaaaaa', at)).rejects.toMatchObject(refusal);
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await again('2026-11-22T10:00:00.500Z');
    await again('2026-11-22T11:00:00.000Z');
    await run.commit(manifest('aaaaaa'));
    await again('2026-11-22T10:00:00.000Z');
    const names = await readdir(join(root, 'g'));
    expect(names).toEqual(['20261122T100000Z-aaaaaa']);
  });

  it.skipIf(!canMount)('leaves nothing of a run for whose journal there is no room (needs root)', async () => {
    await mkdir(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=3', 'tmpfs', root]);
    try {
      const run = ['g', 'aaaaaa', '2026-11-22T10:00:00.000Z'] as const;
      await expect(store.begin(...run)).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect(await readdir(join(root, 'g'))).toEqual([]);
      execFileSync('mount', ['-o', 'remount,nr_inodes=9', root]);
      await (await store.begin(...run)).journal.close();
    } finally {
      execFileSync('umount', [root]);
    }
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
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest('aaaaaa', changed)));
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  it('does not take a damaged manifest for a backup', async () => {
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    await writeFile(join(directory, 'manifest.json'), '{"splitmirror":1}');
    await expect(store.list('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(store.find('g')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(store.find('g', 'aaaaaa')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    const other = await beginIn(store, 'g', 'bbbbbb', '2026-11-22T11:00:00.000Z');
    await other.commit(manifest('bbbbbb'));
    expect((await store.find('g')).manifest.run).toBe('bbbbbb');
  });

  it.each(['..', '.', '', '../elsewhere', 'a/b'])('has no directory for a group called %j', async (group) => {
    const refusal = { code: 'STORE_UNUSABLE' };
    await expect(beginIn(store, group, 'aaaaaa', '2026-11-22T10:00:00.000Z')).rejects.toMatchObject(refusal);
    await expect(store.survey(group)).rejects.toMatchObject(refusal);
    await expect(store.remove(group, [])).rejects.toMatchObject(refusal);
  });

  it('says that it is full, whatever it writes', async () => {
    const full = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    const other = openStore(root, { ...directoryVault(root), openSink: full, seal: full });
    const run = await beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await expect(run.openArchive('datalv.tar')).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(run.commit(manifest('aaaaaa'))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await other.list('g')).toEqual([]);
  });

  it('names the vault that fails, and not its own directory', async () => {
    const fails = () => Promise.reject(new Error('no such bucket'));
    const other = openStore(root, { ...directoryVault(root), name: 'the bucket', openSink: fails, seal: fails });
    const run = await beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const refusal = {
      code: 'STORE_UNUSABLE',
      message: 'the bucket cannot be used: no such bucket',
      remedy: 'See to the bucket.',
    };
    await expect(run.openArchive('datalv.tar')).rejects.toMatchObject(refusal);
    await expect(run.commit(manifest('aaaaaa'))).rejects.toMatchObject(refusal);
  });

  describe('that cannot be used', () => {
    const unusable = { code: 'STORE_UNUSABLE' };
    const useOf = (other: Store) => [
      other.require('read'),
      other.require('write'),
      other.survey('g'),
      other.find('g'),
      other.freeBytes(),
      beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z'),
      other.beginRecovery('g', 'aaaaaa', '2026-11-22T10:00:00.000Z'),
    ];

    it.each([
      ['is no directory', (place: string) => writeFile(place, '')],
      ['is a link that leads nowhere', (place: string) => symlink(join(root, 'nowhere'), place)],
      ['lies behind a link that leads nowhere', (place: string) => symlink(join(root, 'nowhere'), dirname(place))],
    ])('since it %s says so to everybody who uses it, and to nobody else', async (_, make) => {
      const place = join(root, 'mounts', 'store');
      await mkdir(_.startsWith('is') ? dirname(place) : root, { recursive: true });
      await make(place);
      const ends = await Promise.allSettled(useOf(openStore(place)));
      expect(ends.map((end) => (end.status === 'rejected' ? end.reason : end.value))).toEqual(
        ends.map(() => expect.objectContaining(unusable)),
      );
    });

    it.each([
      ['is there and not mounted', (place: string) => mkdir(place, { recursive: true }).then(() => place)],
      ['is not there', async (place: string) => place],
    ])('since its mount point %s makes nothing on the disk below', async (_, make) => {
      const mountPoint = await make(join(root, 'backup'));
      const other = openStore(join(mountPoint, 'shop'), undefined, { mountPoint });
      const ends = await Promise.allSettled(useOf(other));
      expect(ends.map((end) => (end.status === 'rejected' ? end.reason : end.value))).toEqual(
        ends.map(() => expect.objectContaining(unusable)),
      );
      expect(await readdir(mountPoint).catch(() => [])).toEqual([]);
    });

    it.skipIf(!canMount)('until its file system is mounted (needs root)', async () => {
      const mountPoint = join(root, 'backup');
      await mkdir(mountPoint, { recursive: true });
      const other = openStore(mountPoint, undefined, { mountPoint });
      await expect(other.survey('g')).rejects.toMatchObject({
        ...unusable,
        message: `the store cannot be used: no file system is mounted on ${mountPoint}`,
        remedy: `Mount the file system of the store on ${mountPoint}.`,
      });
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', mountPoint]);
      try {
        expect(await other.survey('g')).toMatchObject({ backups: [] });
        await other.require('write');
      } finally {
        execFileSync('umount', [mountPoint]);
      }
      await expect(other.require('write')).rejects.toMatchObject(unusable);
    });

    it('since its file system does not answer is waited for no longer than it is told', async () => {
      const pipe = join(await mkdtemp(join(tmpdir(), 'splitmirror-pipe-')), 'pipe');
      execFileSync('mkfifo', [pipe]);
      // Whatever asks a file system waits behind these, until somebody writes.
      const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
      const readers = Array.from({ length: threads }, () => open(pipe, 'r'));
      const other = openStore(root, undefined, { patienceMs: 200 });
      const asked = Promise.allSettled([
        other.require('read'),
        other.survey('g'),
        other.beginRecovery('g', 'aaaaaa', '2026-11-22T10:00:00.000Z'),
        beginIn(other, 'g', 'bbbbbb', '2026-11-22T10:00:00.000Z'),
        other.remove('g', []),
        other.freeBytes(),
      ]);
      const ends = await asked;
      await expect(other.require('write')).rejects.toMatchObject(unusable);
      const writer = openSync(pipe, 'w');
      for (const reader of await Promise.all(readers)) await reader.close();
      closeSync(writer);
      for (const end of ends) {
        const reason = { ...unusable, message: expect.stringContaining('no answer within 0.2 s') };
        expect(end).toMatchObject({ status: 'rejected', reason });
      }
      await expect(readdir(root)).rejects.toMatchObject({ code: 'ENOENT' });
      await expect.poll(() => other.require('write').then(() => 'answers', String)).toBe('answers');
    });

    it.skipIf(!canMount)('since it is read-only is read all the same (needs root)', async () => {
      const place = join(root, 'mounted');
      await mkdir(place, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place]);
      try {
        const other = openStore(place);
        const run = await beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
        await run.journal.close();
        await run.commit(manifest('aaaaaa'));
        execFileSync('mount', ['-o', 'remount,ro', place]);
        await other.require('read');
        expect((await other.find('g')).manifest.run).toBe('aaaaaa');
        expect(await other.freeBytes()).toBeGreaterThan(0);
        await expect(other.require('write')).rejects.toMatchObject(unusable);
        await expect(beginIn(other, 'g', 'bbbbbb', '2026-11-22T11:00:00.000Z')).rejects.toMatchObject(unusable);
      } finally {
        execFileSync('umount', [place]);
      }
    });
  });

  it('may lie on the root file system', async () => {
    await openStore(root, undefined, { mountPoint: '/' }).require('write');
  });

  it('is made by the first that writes to it, and is empty before', async () => {
    const other = openStore(join(root, 'not/yet'));
    for (const access of ['read', 'write'] as const) await other.require(access);
    expect(await other.list('g')).toEqual([]);
    expect(await other.freeBytes()).toBeGreaterThan(0);
    await expect(readdir(root)).rejects.toMatchObject({ code: 'ENOENT' });
    const run = await beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await run.commit(manifest('aaaaaa'));
    expect(await other.list('g')).toHaveLength(1);
  });

  it('can be made by one of several who use it at once', async () => {
    for (let round = 0; round < 200; round++) {
      const place = join(root, `${round}`, 'store');
      const asking = Array.from({ length: 4 }, () => openStore(place).require('write'));
      await Promise.all([...asking, mkdir(place, { recursive: true }), openStore(place).require('write')]);
    }
  });

  it('opens a vault when its bytes are asked for, and again only where that failed', async () => {
    let opened = 0;
    const vault = vaultOnDemand('elsewhere', async () => {
      opened += 1;
      if (opened < 3) throw new Error('no answer');
      return directoryVault(root);
    });
    const other = openStore(root, vault);
    expect(await other.list('g')).toEqual([]);
    expect(opened).toBe(0);
    await other.require('read');
    begun.push(await other.beginRecovery('g', 'aaaaaa', '2026-11-22T10:00:00.000Z'));
    expect(opened).toBe(0);
    for (const use of [() => other.freeBytes(), () => other.require('write')])
      await expect(use()).rejects.toThrow('no answer');
    expect(opened).toBe(2);
    for (const use of [() => other.freeBytes(), () => other.require('write')]) await use();
    expect(opened).toBe(3);
  });

  it('writes what a person needs beside the archives', async () => {
    const run = await beginIn(store, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    const directory = await run.commit(manifest('aaaaaa'));
    expect((await readdir(directory)).sort()).toEqual(['README.txt', 'SHA256SUMS', 'journal.ndjson', 'manifest.json']);
    expect(await readFile(join(directory, 'README.txt'), 'utf8')).toContain('sha256sum -c SHA256SUMS');
  });

  it('counts nothing that a vault could not seal', async () => {
    const broken: Vault = { ...directoryVault(root), seal: () => Promise.reject(new Error('no answer')) };
    const other = openStore(root, broken);
    const run = await beginIn(other, 'g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
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
    const other = openStore(root, vault);
    for (const name of ['aaaaaa', 'bbbbbb']) {
      const run = await beginIn(other, 'g', name, `2026-11-2${name === 'aaaaaa' ? 1 : 2}T10:00:00.000Z`);
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
