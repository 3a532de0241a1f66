import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, link, lstat, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost, localTransport } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  archiveOfTree,
  makeBackup,
  makeBackupOf,
  makeSource,
  requireSameBytes,
  requireSameTree,
} from '../../test/real-backup.ts';
import { openStore, type Store, type StoredBackup } from '../store/store.ts';
import type { NodePlace } from './place.ts';
import { type NodeTarget, restoreToNode } from './restore-node.ts';

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
  store = openStore(join(base, 'store'));
  backup = await makeBackup(store, join(base, 'source'));
  const path = '/usr/bin:/bin';
  target = { host: localHost('a', { path }), transport: localTransport('a'), path };
  mountPoint = execFileSync('df', ['-k', base], { encoding: 'utf8' }).trim().split(/\s/).at(-1) ?? '';
  directory = join(base, 'target');
  await mkdir(directory);
});

const tree = (changed: Partial<NodePlace> = {}): NodePlace =>
  ({ volume: 'datalv', directory, mountPoint, ...changed }) as NodePlace;
const replacing = () => tree({ existing: 'replace' } as Partial<NodePlace>);
const raw = (): NodePlace => ({ volume: 'rawlv', file: join(base, 'device'), mountPoint });
const options = { timeoutSeconds: 60 };

/** A node one of whose programs is this script. */
async function nodeWhose(program: string, script: string): Promise<NodeTarget> {
  const directory = await mkdtemp(join(base, 'bin-'));
  await writeFile(join(directory, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = `${directory}:/usr/bin:/bin`;
  return { host: localHost('a', { path }), transport: localTransport('a'), path };
}

/** A backup of one file with two names. */
async function twoNames(): Promise<StoredBackup> {
  const fs = join(base, 'linked/fs');
  await mkdir(fs, { recursive: true });
  await writeFile(join(base, 'linked/raw'), Buffer.alloc(500_000));
  await writeFile(join(fs, 'one'), 'the content');
  await link(join(fs, 'one'), join(fs, 'two'));
  return makeBackup(store, join(base, 'linked'), { run: 'linked' });
}

describe('restoreToNode', () => {
  it('streams trees into tar and volumes into dd, and reads both back', async () => {
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
    await restoreToNode(backup, target, [replacing()], { ...options, select });
    expect((await readFile(join(directory, 'accounts/index'))).length).toBe(200_000);
    expect(await readFile(join(directory, 'accounts/newer'), 'utf8')).toBe('stays');
    expect(await readFile(join(directory, 'readme'), 'utf8')).toBe('stays as well');
  });

  it('writes through no link that stands where the backup has a directory', async () => {
    const elsewhere = join(base, 'elsewhere');
    await mkdir(join(elsewhere, '2026'), { recursive: true });
    await symlink(elsewhere, join(directory, 'accounts'));
    const there = replacing();
    await expect(restoreToNode(backup, target, [there], options)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining(join(directory, 'accounts')),
    });
    expect(await readdir(join(elsewhere, '2026'))).toEqual([]);
    expect((await lstat(join(directory, 'accounts'))).isSymbolicLink()).toBe(true);
    await restoreToNode(backup, target, [there], { ...options, select: ['/data/readme'] });
    expect(await readFile(join(directory, 'readme'), 'utf8')).toBe('read me\n');
  });

  it('writes through no link that stands where the backup has a file, whatever its name is made of', async () => {
    const fs = join(base, 'other/fs');
    await mkdir(fs, { recursive: true });
    await writeFile(join(base, 'other/raw'), Buffer.alloc(500_000));
    const latin = Buffer.concat([Buffer.from('/d-'), Buffer.from([0xe9])]);
    await mkdir(Buffer.concat([Buffer.from(fs), latin]));
    await writeFile(join(fs, 'two\nlines'), 'in the backup');
    const other = await makeBackup(store, join(base, 'other'), { run: 'others' });
    await writeFile(join(base, 'elsewhere'), 'stays');
    const attempt = () => restoreToNode(other, target, [replacing()], options);
    await symlink(join(base, 'elsewhere'), join(directory, 'two\nlines'));
    await expect(attempt()).rejects.toMatchObject({ code: 'RESTORE_TARGET' });
    execFileSync('rm', [join(directory, 'two\nlines')]);
    await symlink(base, Buffer.concat([Buffer.from(directory), latin]));
    await expect(attempt()).rejects.toMatchObject({ code: 'RESTORE_TARGET' });
    expect(await readFile(join(base, 'elsewhere'), 'utf8')).toBe('stays');
  });

  it.each([
    ['in a file system that is not mounted', { mountPoint: '/data' }, /lies in .*, not in \/data/],
    ['below one that is not mounted', { directory: '/nowhere/at/all', mountPoint: '/nowhere' }, /lies in .*, not in/],
    ['that leads elsewhere', { directory: '/tmp/../nowhere' }, /no plain absolute path/],
    ['that is to be replaced and is not there', { directory: '/nowhere', existing: 'replace' }, /is not there/],
  ])('refuses a directory %s', async (_, changed, message) => {
    const restoring = restoreToNode(backup, target, [tree(changed as Partial<NodePlace>)], options);
    await expect(restoring).rejects.toMatchObject({ code: 'RESTORE_TARGET', message: expect.stringMatching(message) });
    expect(await readdir(directory)).toEqual([]);
  });

  it('tells what became of the others when a volume may still be written to', async () => {
    const places = ['brokenlv', 'datalv', 'lostlv'].map((volume) =>
      tree({ volume, directory: join(directory, volume) }),
    );
    const trees = places.map(({ volume }) => archiveOfTree(volume, join(base, 'source/fs')));
    const three = await makeBackupOf(store, trees, { run: 'cccccc' });
    await writeFile(join(three.directory, 'brokenlv.tar'), 'cut off');
    let opened = 0;
    const { transport } = target;
    const open: typeof transport.open = async (line) => {
      const child = await transport.open(line);
      if (++opened === 3) child.stdout.once('data', () => child.destroy());
      return child;
    };
    const restoring = restoreToNode(three, { ...target, transport: { ...transport, open } }, places, options);
    await expect(restoring).rejects.toMatchObject({
      code: 'RESTORE_UNSETTLED',
      message: expect.stringContaining('lostlv may still be written to'),
      problems: [{ code: 'BACKUP_DAMAGED', message: expect.stringMatching(/^brokenlv: /) }],
      restored: ['datalv'],
    });
  });

  it('makes the directories that lack, for nobody else to read', async () => {
    const [one, other] = [join(directory, 'new/datalv'), join(directory, 'new/rawlv')];
    const places = [tree({ directory: one }), { volume: 'rawlv', file: other, mountPoint }];
    await restoreToNode(backup, target, places, options);
    requireSameTree(join(base, 'source/fs'), one);
    requireSameBytes(join(base, 'source/raw'), other);
    expect((await lstat(join(directory, 'new'))).mode & 0o777).toBe(0o700);
    expect((await lstat(one)).mode).toBe((await lstat(join(base, 'source/fs'))).mode);
  });

  it('writes nothing when a raw volume has no place, and says how to have the others', async () => {
    await mkdir(join(base, 'device'));
    const places = [tree({ directory: join(directory, 'new') }), raw()];
    await expect(restoreToNode(backup, target, places, options)).rejects.toMatchObject({
      code: 'RESTORE_TARGET',
      message: expect.stringContaining('device is there already'),
      remedy: expect.stringMatching(/--path datalv\.$/),
    });
    const select = ['/data/readme', 'rawlv'];
    await expect(restoreToNode(backup, target, places, { ...options, select })).rejects.toMatchObject({
      remedy: expect.stringMatching(/leave rawlv out, and have the others now\.$/),
    });
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

  it('makes no file where a device should be', async () => {
    const device = '/dev/rsplitmirror_no_such_volume';
    const restoring = restoreToNode(backup, target, [{ volume: 'rawlv', device, lvcb: 'keep' }], options);
    await expect(restoring).rejects.toMatchObject({ code: 'RESTORE_TARGET', message: expect.stringContaining(device) });
    expect(existsSync(device)).toBe(false);
  });

  it('looks for room also where a raw volume becomes a file', async () => {
    const full = await nodeWhose(
      'df',
      'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "/dev/hd 9 8 1 99% /"',
    );
    await expect(restoreToNode(backup, full, [raw()], options)).rejects.toMatchObject({ code: 'RESTORE_NO_SPACE' });
    expect(existsSync(join(base, 'device'))).toBe(false);
  });

  it('adds up what goes to one file system', async () => {
    const says = `echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "/dev/hd 900 300 600 34% ${mountPoint}"`;
    const scarce = await nodeWhose('df', says);
    const places = [tree({ directory: join(directory, 'new') }), raw()];
    await expect(restoreToNode(backup, scarce, places, options)).rejects.toMatchObject({
      code: 'RESTORE_NO_SPACE',
      message: expect.stringMatching(`^a: ${mountPoint} has 614400 bytes free, and up to 7\\d{5} would come$`),
    });
    expect(await readdir(directory)).toEqual([]);
    await restoreToNode(backup, scarce, places, { ...options, select: ['rawlv'] });
  });

  it('counts what it replaces as room', async () => {
    const says = `echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "/dev/hd 900 880 20 99% ${mountPoint}"`;
    const full = await nodeWhose('df', says);
    const restoring = () =>
      restoreToNode(backup, full, [replacing()], { ...options, select: ['/data/accounts/index'] });
    await expect(restoring()).rejects.toMatchObject({ code: 'RESTORE_NO_SPACE' });
    await mkdir(join(directory, 'accounts'));
    await writeFile(join(directory, 'accounts/other'), Buffer.alloc(300_000, 'o'));
    await expect(restoring()).rejects.toMatchObject({ code: 'RESTORE_NO_SPACE' });
    await writeFile(join(directory, 'accounts/index'), Buffer.alloc(200_000, 'o'));
    await restoring();
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
    const liar = await nodeWhose('tar', 'case $1 in -x*) cat >/dev/null;; *) exec /usr/bin/tar "$@";; esac');
    await expect(restoreToNode(backup, liar, [tree()], options)).rejects.toMatchObject({ code: 'RESTORE_NODE_FAILED' });
  });

  it('tells what the node said when its tool failed', async () => {
    const node = await nodeWhose('tar', 'echo "tar: 0511-xxx no room" >&2; exit 1');
    await expect(restoreToNode(backup, node, [tree()], options)).rejects.toMatchObject({
      code: 'RESTORE_NODE_FAILED',
      message: expect.stringContaining('no room'),
    });
  });
});

describe('what restoreToNode reads back', () => {
  it('is what it has restored, and nothing else of a place where others write', async () => {
    await mkdir(join(directory, 'accounts'));
    await writeFile(join(directory, 'accounts/newer'), 'somebody writes here');
    const log = join(base, 'log');
    const node = await nodeWhose('tar', `case $1 in -c*) echo "$@" >>${log};; esac; exec /usr/bin/tar "$@"`);
    await restoreToNode(backup, node, [replacing()], { ...options, select: ['/data/accounts/index'] });
    expect(await readFile(log, 'utf8')).toBe('-cf - ./accounts/index\n');
  });

  it('counts a complaint of the tool', async () => {
    const script =
      'case $1 in -c*) /usr/bin/tar "$@"; echo "tar: 0511-xxx it changed" >&2; exit 1;; esac; exec /usr/bin/tar "$@"';
    const node = await nodeWhose('tar', script);
    for (const place of [tree(), replacing()]) {
      await expect(restoreToNode(backup, node, [place], options)).rejects.toMatchObject({
        code: 'RESTORE_NODE_FAILED',
        message: expect.stringContaining('it changed'),
      });
    }
  });

  it('is told as lost when it does not come whole, and not as a fault of the backup', async () => {
    const node = await nodeWhose(
      'tar',
      'case $1 in -c*) /usr/bin/tar "$@" | head -c 700;; *) exec /usr/bin/tar "$@";; esac',
    );
    await expect(restoreToNode(backup, node, [tree()], options)).rejects.toMatchObject({
      code: 'RESTORE_NODE_FAILED',
      message: expect.stringContaining('could not be read back'),
    });
  });

  it('are many thousand names of any kind', { timeout: 120_000 }, async () => {
    const fs = join(base, 'other/fs');
    await mkdir(join(fs, 'many'), { recursive: true });
    await writeFile(join(base, 'other/raw'), Buffer.alloc(500_000));
    const numbers = Array.from({ length: 4000 }, (_, index) => index);
    await Promise.all(numbers.map((index) => writeFile(join(fs, `many/a name of some length, ${index}`), `${index}`)));
    const odd = ['-rf', 'two  blanks ', "it's", '$HOME', 'line\nfeed', 'back\\slash\\n', '*', 'ü'];
    for (const name of odd) await writeFile(join(fs, name), name);
    await mkdir(join(fs, 'empty\ndirectory'));
    await mkdir(join(fs, 'a\\nother'));
    await writeFile(join(fs, 'a\\nother', 'file'), 'in that');
    const latin = Buffer.concat([Buffer.from(`${fs}/latin-`), Buffer.from([0xe9])]);
    await mkdir(latin);
    await writeFile(Buffer.concat([latin, Buffer.from('/file')]), 'in there');
    const other = await makeBackup(store, join(base, 'other'), { run: 'others' });
    await restoreToNode(other, target, [replacing()], options);
    requireSameTree(fs, directory);
    await writeFile(join(directory, 'line\nfeed'), 'changed later');
    const liar = await nodeWhose('tar', 'case $1 in -x*) cat >/dev/null;; *) exec /usr/bin/tar "$@";; esac');
    await expect(restoreToNode(other, liar, [replacing()], options)).rejects.toMatchObject({
      message: expect.stringContaining('1 differ: line\\x0afeed'),
    });
  });

  it('tells of directories and links that are not there', async () => {
    await restoreToNode(backup, target, [tree()], options);
    execFileSync('sh', [
      '-c',
      'rm "$1/latest" && ln -s readme "$1/latest" && rm -r "$1/accounts/2026"',
      'sh',
      directory,
    ]);
    const liar = await nodeWhose('tar', 'case $1 in -x*) cat >/dev/null;; *) exec /usr/bin/tar "$@";; esac');
    await expect(restoreToNode(backup, liar, [replacing()], { ...options, select: ['/data/latest'] })).rejects.toThrow(
      /1 differ: latest/,
    );
    await expect(
      restoreToNode(backup, liar, [replacing()], { ...options, select: ['/data/accounts/2026'] }),
    ).rejects.toThrow(/accounts\/2026/);
  });

  it('compares content also where it comes under another name of the file', async () => {
    const linked = await twoNames();
    await restoreToNode(linked, target, [tree()], options);
    await writeFile(join(directory, 'one'), 'another one');
    const liar = await nodeWhose('tar', 'case $1 in -x*) cat >/dev/null;; *) exec /usr/bin/tar "$@";; esac');
    await expect(restoreToNode(linked, liar, [replacing()], options)).rejects.toThrow(/2 differ/);
  });

  it('is never asked of a further name alone, which would be linked to what has the other name now', async () => {
    const linked = await twoNames();
    const codes: unknown[] = [];
    for (const name of ['one', 'two']) {
      const restoring = restoreToNode(linked, target, [replacing()], { ...options, select: [`/data/${name}`] });
      codes.push(
        await restoring.then(
          () => 'restored',
          (error) => error.code,
        ),
      );
    }
    expect(codes.sort()).toEqual(['RESTORE_TARGET', 'restored']);
  });
});
