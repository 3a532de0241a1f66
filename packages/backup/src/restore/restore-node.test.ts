import { execFileSync } from 'node:child_process';
import { appendFile, lstat, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost, localTransport } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeBackup, makeSource, requireSameBytes, requireSameTree } from '../../test/real-backup.ts';
import { openStore, type Store, type StoredBackup } from '../store/store.ts';
import { type NodePlace, type NodeTarget, restoreToNode } from './restore-node.ts';

let base: string;
let store: Store;
let backup: StoredBackup;
let target: NodeTarget;
/** Of the file system in which the tests run. */
let mountPoint: string;
let directory: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-node-'));
  await makeSource(join(base, 'source'));
  store = await openStore(join(base, 'store'));
  backup = await makeBackup(store, join(base, 'source'));
  const path = '/usr/bin:/bin';
  target = { host: localHost('a', { path }), transport: localTransport('a'), path };
  mountPoint = execFileSync('df', ['-k', base], { encoding: 'utf8' }).trim().split(/\s/).at(-1) ?? '';
  directory = join(base, 'target');
  await mkdir(directory);
});

const tree = (changed: Partial<NodePlace> = {}): NodePlace =>
  ({ volume: 'datalv', directory, mountPoint, ...changed }) as NodePlace;
const raw = (): NodePlace => ({ volume: 'rawlv', device: join(base, 'device'), lvcb: 'keep' });
const options = { timeoutSeconds: 60 };

describe('restoreToNode', () => {
  it('streams trees into tar and volumes into dd, and reads both back', async () => {
    await writeFile(join(base, 'device'), Buffer.alloc(700_000, 'old'));
    const { volumes } = await restoreToNode(backup, target, [tree(), raw()], options);
    expect(volumes.map(({ volume, files, bytes }) => [volume, files, bytes])).toEqual([
      ['datalv', 3, 200_017],
      ['rawlv', 1, 500_000],
    ]);
    requireSameTree(join(base, 'source/fs'), directory);
    expect(await readdir(directory)).not.toContain('.splitmirror');
    requireSameBytes(join(base, 'source/raw'), join(base, 'device'));
  });

  it('puts single files back where others stay as they are', async () => {
    await mkdir(join(directory, 'accounts'));
    await writeFile(join(directory, 'accounts/index'), 'damaged');
    await writeFile(join(directory, 'accounts/newer'), 'stays');
    await writeFile(join(directory, 'readme'), 'stays as well');
    const select = ['/data/accounts/index'];
    await expect(restoreToNode(backup, target, [tree()], { ...options, select })).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining('is not empty'),
    });
    await restoreToNode(backup, target, [tree({ existing: 'replace' } as Partial<NodePlace>)], { ...options, select });
    expect((await readFile(join(directory, 'accounts/index'))).length).toBe(200_000);
    expect(await readFile(join(directory, 'accounts/newer'), 'utf8')).toBe('stays');
    expect(await readFile(join(directory, 'readme'), 'utf8')).toBe('stays as well');
  });

  it('writes through no link that stands where the backup has a directory', async () => {
    const elsewhere = join(base, 'elsewhere');
    await mkdir(join(elsewhere, '2026'), { recursive: true });
    await symlink(elsewhere, join(directory, 'accounts'));
    const there = tree({ existing: 'replace' } as Partial<NodePlace>);
    await expect(restoreToNode(backup, target, [there], options)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining(join(directory, 'accounts')),
    });
    expect(await readdir(join(elsewhere, '2026'))).toEqual([]);
    expect((await lstat(join(directory, 'accounts'))).isSymbolicLink()).toBe(true);
    await restoreToNode(backup, target, [there], { ...options, select: ['/data/readme'] });
    expect(await readFile(join(directory, 'readme'), 'utf8')).toBe('read me\n');
  });

  it.each([
    ['in a file system that is not mounted', { mountPoint: '/data' }, /lies in .*, not in \/data/],
    ['that is not there', { directory: '/nowhere/at/all' }, /No such file/],
  ])('refuses a directory %s', async (_, changed, message) => {
    const restoring = restoreToNode(backup, target, [tree(changed as Partial<NodePlace>)], options);
    await expect(restoring).rejects.toMatchObject({ code: 'RESTORE_TARGET', message: expect.stringMatching(message) });
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses a device that is mounted, and a place of the wrong kind', async () => {
    const device = execFileSync('sh', ['-c', "mount | awk '$1 ~ /^\\// {print $1; exit}'"], {
      encoding: 'utf8',
    }).trim();
    if (device !== '') {
      const restoring = restoreToNode(backup, target, [{ volume: 'rawlv', device, lvcb: 'keep' }], options);
      await expect(restoring).rejects.toMatchObject({ code: 'RESTORE_TARGET' });
    }
    const shifted = { volume: 'rawlv', device: '/dev/rrawlv', lvcb: 'skip' } as const;
    await expect(restoreToNode(backup, target, [shifted], options)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: "the archive of rawlv was made with lvcb: 'keep'",
    });
    await expect(restoreToNode(backup, target, [tree({ volume: 'rawlv' })], options)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: 'rawlv is a raw volume',
    });
  });

  it('says what a damaged archive has cost, and that nothing of it is to be used', async () => {
    await appendFile(join(backup.directory, 'datalv.tar'), Buffer.alloc(512));
    await expect(restoreToNode(backup, target, [tree(), raw()], options)).rejects.toMatchObject({
      code: 'RESTORE_PARTIAL',
      restored: ['rawlv'],
      problems: [{ code: 'BACKUP_DAMAGED' }],
    });
  });

  it('believes no status: what the node holds is compared', async () => {
    const lying = join(base, 'bin');
    await mkdir(lying);
    await writeFile(
      join(lying, 'tar'),
      '#!/bin/sh\ncase $1 in -x*) cat >/dev/null;; *) exec /usr/bin/tar "$@";; esac\n',
      {
        mode: 0o755,
      },
    );
    const path = `${lying}:/usr/bin:/bin`;
    const liar = { host: localHost('a', { path }), transport: localTransport('a'), path };
    await expect(restoreToNode(backup, liar, [tree()], options)).rejects.toMatchObject({ code: 'RESTORE_NODE_FAILED' });
  });

  it('tells what the node said when its tool failed', async () => {
    const failing = join(base, 'bin');
    await mkdir(failing);
    await writeFile(join(failing, 'tar'), '#!/bin/sh\necho "tar: 0511-xxx no room" >&2; exit 1\n', { mode: 0o755 });
    const path = `${failing}:/usr/bin:/bin`;
    const node = { host: localHost('a', { path }), transport: localTransport('a'), path };
    await expect(restoreToNode(backup, node, [tree()], options)).rejects.toMatchObject({
      code: 'RESTORE_NODE_FAILED',
      message: expect.stringContaining('no room'),
    });
  });
});
