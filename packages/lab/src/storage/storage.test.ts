import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, concurrentGroup, handTimers, mirroredGroup } from './harness.ts';
import { type Storage, StorageError, type StorageOptions } from './index.ts';

let directory: string;
let storage: Storage;
let bench: Bench;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'splitmirror-storage-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function mirrored(options: Partial<StorageOptions> = {}): Promise<Storage> {
  bench = await mirroredGroup(directory, options);
  storage = bench.storage;
  return storage;
}

async function concurrent(options: Partial<StorageOptions> = {}): Promise<Storage> {
  bench = await concurrentGroup(directory, options);
  storage = bench.storage;
  return storage;
}

const ask: Bench['ask'] = (...words) => bench.ask(...words);
const run: Bench['run'] = (...words) => bench.run(...words);
const ok: Bench['ok'] = (...words) => bench.ok(...words);
const real: Bench['real'] = (...words) => bench.real(...words);
const volumeNamed: Bench['volumeNamed'] = (name) => bench.volumeNamed(name);

describe('held', () => {
  it('is what one copy holds by itself, though it only claims to be in step', async () => {
    await mirrored();
    storage.writeRaw('alpha', 'rawlv', 4096, Buffer.from('all copies'));
    expect(storage.held('rawlv', 2)).toEqual(storage.held('rawlv', 1));
    await ok('alpha', 'chlvcopy -b -l rawcp rawlv');
    storage.writeRaw('alpha', 'rawlv', 4096, Buffer.from('copy 1 only'));
    expect(storage.held('rawlv', 2)).not.toEqual(storage.held('rawlv', 1));
    await storage.write('alpha', '/data/file', 'both');
    storage.flush('alpha');
    expect(storage.held('datalv', 2)).toMatchObject({ kind: 'files', volume: 'datalv' });
    expect(storage.held('datalv', 2)).toEqual(storage.held('datalv', 1));
    expect(storage.held('datalv', 3)).toBeUndefined();
    expect(storage.held('nolv', 1)).toBeUndefined();
  });
});

describe('query outputs', () => {
  it('prints groups, volumes and disks in the widths of AIX', async () => {
    await mirrored();
    expect(await ok('alpha', 'lsvg')).toBe('rootvg\ndatavg\n');
    expect(await ok('beta', 'lsvg -o')).toBe('rootvg\n');
    expect(await ok('alpha', 'lsvg -l datavg')).toBe(
      [
        'datavg:',
        'LV NAME             TYPE       LPs     PPs     PVs  LV STATE      MOUNT POINT',
        'datalv              jfs2       8       16      2    open/syncd    /data',
        'rawlv               raw        4       8       2    closed/syncd  N/A',
        '',
      ].join('\n'),
    );
    expect((await ok('alpha', 'lslv datalv')).split('\n').slice(0, 12)).toEqual([
      'LOGICAL VOLUME:     datalv                 VOLUME GROUP:   datavg',
      'LV IDENTIFIER:      00f6000000004c000000000000010001.1 PERMISSION:     read/write',
      'VG STATE:           active/complete        LV STATE:       opened/syncd',
      'TYPE:               jfs2                   WRITE VERIFY:   off',
      'MAX LPs:            512                    PP SIZE:        1 megabyte(s)',
      'COPIES:             2                      SCHED POLICY:   parallel',
      'LPs:                8                      PPs:            16',
      'STALE PPs:          0                      BB POLICY:      relocatable',
      'INTER-POLICY:       minimum                RELOCATABLE:    yes',
      'INTRA-POLICY:       middle                 UPPER BOUND:    1024',
      'MOUNT POINT:        /data                  LABEL:          /data',
      'DEVICE UID:         0                      DEVICE GID:     0',
    ]);
    expect((await ok('alpha', 'lslv -m rawlv')).split('\n').slice(0, 3)).toEqual([
      'rawlv:N/A',
      'LP    PP1  PV1               PP2  PV2               PP3  PV3',
      '0001  0009 hdisk1            0009 hdisk2',
    ]);
    expect(await ok('alpha', 'lslv -l rawlv')).toBe(
      [
        'rawlv:N/A',
        'PV                COPIES        IN BAND       DISTRIBUTION ',
        'hdisk1            004:000:000   0%            004:000:000:000:000',
        'hdisk2            004:000:000   0%            004:000:000:000:000',
        '',
      ].join('\n'),
    );
    const map = await ok('alpha', 'lsvg -M datavg');
    expect(map.split('\n')[0]).toBe('hdisk1:1        datalv:1:1');
    expect(map).toContain('\nhdisk1:13-64\n');
  });

  it('prints one group with its rows', async () => {
    await concurrent();
    const rows = (await ok('beta', 'lsvg datavg')).split('\n');
    expect(rows.slice(0, 12)).toEqual([
      'VOLUME GROUP:       datavg                   VG IDENTIFIER:  00f6000000004c000000000000010001',
      'VG STATE:           active                   PP SIZE:        1 megabyte(s)',
      'VG PERMISSION:      passive-only             TOTAL PPs:      128 (128 megabytes)',
      'MAX LVs:            256                      FREE PPs:       112 (112 megabytes)',
      'LVs:                1                        USED PPs:       16 (16 megabytes)',
      'OPEN LVs:           0                        QUORUM:         2 (Enabled)',
      'TOTAL PVs:          2                        VG DESCRIPTORS: 3',
      'STALE PVs:          0                        STALE PPs:      0',
      'ACTIVE PVs:         2                        AUTO ON:        no',
      'Concurrent:         Enhanced-Capable         Auto-Concurrent: Disabled',
      'VG Mode:            Concurrent                               ',
      'Node ID:            2                        Active Nodes:       1 ',
    ]);
    expect(await ok('beta', 'lspv')).toBe(
      [
        'hdisk0          00f6f44e64e75f39                    rootvg          active      ',
        'hdisk1          00f617c168c1fbc5                    datavg          concurrent  ',
        'hdisk2          00f6e8c87f6b0c37                    datavg          concurrent  ',
        '',
      ].join('\n'),
    );
  });

  it('prints file systems and mounts', async () => {
    await mirrored();
    expect(await ok('alpha', 'lsfs -cq /data')).toBe(
      '#MountPoint:Device:Vfs:Nodename:Type:Size:Options:AutoMount:Acct\n' +
        '/data:/dev/datalv:jfs2:::16384:rw:no:no\n' +
        '(lv size 16384:fs size 16384:block size 4096:sparse files yes:inline log yes:inline log size 1:EAformat v1:Quota no:DMAPI no:VIX yes:EFS no:ISNAPSHOT no:MAXEXT 0:MountGuard no:LFF no)\n',
    );
    expect((await ok('alpha', 'lsfs /data')).split('\n')[1]).toBe(
      '/dev/datalv     --         /data                  jfs2  16384   rw         no   no',
    );
    const mounts = (await ok('alpha', 'mount')).split('\n');
    expect(mounts.slice(0, 3)).toEqual([
      '  node       mounted        mounted over    vfs       date        options      ',
      '-------- ---------------  ---------------  ------ ------------ --------------- ',
      '         /dev/hd4         /                jfs2   Nov 07 19:11 rw,log=/dev/hd8 ',
    ]);
    expect(mounts.at(-2)).toBe('         /dev/datalv      /data            jfs2   Nov 07 19:11 rw,log=/dev/datalv ');
    expect((await ok('alpha', 'df /data')).split('\n')[1]).toMatch(/^\/dev\/datalv +16384 +\d+ +\d+% +\d+ +1% \/data$/);
  });

  it('refuses what a varied-off or locked group cannot tell', async () => {
    await mirrored();
    await ok('beta', 'importvg -n -y datavg hdisk1');
    expect(await run('beta', 'lsvg -l datavg')).toEqual({
      code: 1,
      stdout: '',
      stderr: '0516-010 : Volume group must be varied on; use varyonvg command.\n',
    });
    const off = (await ok('beta', 'lslv datalv')).split('\n');
    expect(off[2]).toBe('VG STATE:           inactive               LV STATE:       ?');
    expect(off[5]).toBe('COPIES:             2                      SCHED POLICY:   ?');
    expect((await run('beta', 'lspv hdisk1')).stdout).toContain('PV STATE:           ???????\n');
    expect((await run('alpha', 'lspv hdisk9')).stderr).toBe(
      '0516-1396 : The physical volume hdisk9, was not found in the\nsystem database.\n',
    );
    storage.lockGroup('alpha', 'datavg');
    expect(await ask('alpha', 'lsvg -l datavg')).toEqual({
      kind: 'hang',
      stderr:
        "0516-1201 lsvg: Warning: Volume group datavg is locked. This command\n        will continue retries until lock is free.  If lock is inadvertent\n        and needs to be removed, execute 'chvg -u datavg'.\n",
    });
    expect((await run('alpha', 'lsvg -L -l datavg')).code).toBe(0);
    await ok('alpha', 'chvg -u datavg');
    expect((await run('alpha', 'lsvg -l datavg')).code).toBe(0);
  });
});

describe('split inside a freeze, and merge', () => {
  it('carries names and links that are no text, byte for byte', async () => {
    await mirrored();
    const bytes = (path: string) => Buffer.from(real('alpha', path), 'latin1');
    mkdirSync(bytes('/data/caf\xe9\xff'));
    writeFileSync(bytes('/data/caf\xe9\xff/\xfc'), 'latin');
    writeFileSync(real('alpha', '/data/ü'), 'text');
    symlinkSync(Buffer.from('caf\xe9\xff/\xfc', 'latin1'), real('alpha', '/data/link'));
    await ok('alpha', 'chfs -a freeze=60 /data');
    await ok('alpha', 'splitlvcopy -f -y smcopy datalv 1 hdisk2');
    await ok('alpha', 'chfs -a freeze=off /data');
    await ok('alpha', 'fsck -p /dev/smcopy');
    mkdirSync(real('alpha', '/copy'));
    await ok('alpha', 'mount -v jfs2 -o ro /dev/smcopy /copy');
    expect(readdirSync(real('alpha', '/copy'), 'latin1').sort()).toEqual([
      'caf\xe9\xff',
      'link',
      'lost+found',
      Buffer.from('ü').toString('latin1'),
    ]);
    expect(readFileSync(real('alpha', '/copy/link'), 'utf8')).toBe('latin');
    const truth = storage.truth('smcopy');
    expect(truth?.kind === 'files' && truth.files.map(({ path }) => path)).toEqual([
      ...['', 'caf\xe9\xff', 'caf\xe9\xff/\xfc', 'link', 'lost+found', 'ü'],
    ]);
    await ok('alpha', 'umount /copy');
    expect(readdirSync(real('alpha', '/copy'))).toEqual([]);
  });

  it('gives a copy that holds what the file system held', async () => {
    await mirrored();
    await storage.write('alpha', '/data/one', 'first');
    await storage.admit('alpha', '/data/one');
    await ok('alpha', 'chfs -a freeze=60 /data');
    let second = false;
    const writing = storage.write('alpha', '/data/two', 'late').then(() => {
      second = true;
    });
    expect(await ok('alpha', 'splitlvcopy -f -y smk3f9q2201 datalv 1 hdisk2')).toBe('smk3f9q2201\n');
    expect(second).toBe(false);
    await ok('alpha', 'chfs -a freeze=off /data');
    await writing;
    expect(volumeNamed('datalv')).toMatchObject({ copies: 1, stale: 0 });
    expect(volumeNamed('smk3f9q2201')).toMatchObject({ copies: 1, label: '/data', openOn: [] });
    await ok('alpha', 'chlv -L /splitmirror/k3f9q2/datalv smk3f9q2201');

    const target = '/splitmirror/k3f9q2/datalv';
    mkdirSync(real('alpha', target), { recursive: true });
    const refused = await run('alpha', `mount -v jfs2 -o ro /dev/smk3f9q2201 ${target}`);
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: `Replaying log for /dev/smk3f9q2201.\nmount: /dev/smk3f9q2201 on ${target}: Unformatted or incompatible media\nThe superblock on /dev/smk3f9q2201 is dirty.  Run a full fsck to fix.\n`,
    });
    expect(await ok('alpha', 'fsck -p /dev/smk3f9q2201')).toContain(
      'J2_LOGREDO:log redo processing for /dev/smk3f9q2201',
    );
    expect(await ok('alpha', 'fsck -n /dev/smk3f9q2201')).toMatch(/File system is clean\.\n$/);
    await ok('alpha', `mount -v jfs2 -o ro /dev/smk3f9q2201 ${target}`);
    expect(readFileSync(real('alpha', `${target}/one`), 'utf8')).toBe('first');
    expect(existsSync(real('alpha', `${target}/two`))).toBe(false);
    await expect(storage.write('alpha', `${target}/three`, '')).rejects.toThrow(StorageError);
    await expect(storage.admit('alpha', `${target}/three`)).rejects.toThrow('read-only');
    await storage.admit('alpha', '/tmp/anything');
    await expect(storage.write('alpha', '/tmp/anything', '')).rejects.toThrow('no shared file system');
    const truth = storage.truth('smk3f9q2201');
    expect(truth?.kind === 'files' && truth.files.map(({ path }) => path)).toEqual(['', 'lost+found', 'one']);
    expect(JSON.parse(readFileSync(join(directory, 'truth/smk3f9q2201.json'), 'utf8'))).toEqual(truth);

    expect((await run('alpha', 'rmlv -f smk3f9q2201')).stderr).toMatch(/^0516-1008 rmlv/);
    await ok('alpha', `umount ${target}`);
    expect(await ok('alpha', 'rmlv -f smk3f9q2201')).toBe('rmlv: Logical volume smk3f9q2201 is removed.\n');
    await ok('alpha', 'mklvcopy datalv 2 hdisk2');
    expect(volumeNamed('datalv')).toMatchObject({ copies: 2, stale: 8 });
    await ok('alpha', 'syncvg -P 4 -l datalv');
    expect(volumeNamed('datalv')).toMatchObject({ copies: 2, stale: 0 });
    expect(readFileSync(real('alpha', '/data/two'), 'utf8')).toBe('late');
  });

  it('misses without freeze or sync what was not flushed', async () => {
    await mirrored();
    await storage.write('alpha', '/data/one', 'first');
    await ok('alpha', 'sync');
    await storage.write('alpha', '/data/two', 'second');
    await ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    await ok('alpha', 'fsck -p /dev/cp');
    await ok('alpha', 'mount -o ro /dev/cp /mnt');
    expect(existsSync(real('alpha', '/mnt/one'))).toBe(true);
    expect(existsSync(real('alpha', '/mnt/two'))).toBe(false);
    const truth = storage.truth('cp');
    expect(truth?.kind === 'files' && truth.files.map(({ path }) => path)).toEqual(['', 'lost+found', 'one', 'two']);
  });

  it('flushes one file system after the other, as the sync daemon does', async () => {
    const { timers, pass } = handTimers();
    await mirrored({ timers });
    await ok('alpha', 'mklv -y otherlv -t jfs2 -c 2 datavg 4');
    await ok('alpha', 'crfs -v jfs2 -d otherlv -m /other -a logname=INLINE');
    await ok('alpha', 'mount /other');
    await storage.write('alpha', '/data/file', 'x');
    await storage.write('alpha', '/other/file', 'x');
    storage.flush('alpha');
    await ok('alpha', 'splitlvcopy -f -y early otherlv 1');
    await pass(1000);
    await ok('alpha', 'mklvcopy otherlv 2');
    const syncing = ok('alpha', 'syncvg -P 32 -l otherlv');
    await pass(1000);
    await syncing;
    await ok('alpha', 'splitlvcopy -f -y late otherlv 1');
    for (const [copy, there] of [
      ['early', false],
      ['late', true],
    ] as const) {
      await ok('alpha', `fsck -p /dev/${copy}`);
      await ok('alpha', `mount -v jfs2 -o ro /dev/${copy} /mnt`);
      expect(existsSync(real('alpha', '/mnt/file'))).toBe(there);
      await ok('alpha', 'umount /mnt');
    }
  });

  it('ends a freeze by itself', async () => {
    const { timers, pass } = handTimers();
    await mirrored({ timers });
    await ok('alpha', 'chfs -a freeze=30 /data');
    expect((await run('alpha', 'chfs -a freeze=30 /data')).code).toBe(1);
    const writing = storage.write('alpha', '/data/one', 'x');
    await pass(29_000);
    expect(storage.mountAt('alpha', '/data/one')?.frozen).toBe(true);
    await pass(1_000);
    await writing;
    expect((await run('alpha', 'chfs -a freeze=off /data')).code).toBe(1);
  });

  it('asks before it splits an open volume, and takes silence for no', async () => {
    await mirrored();
    const asked = await run('alpha', 'splitlvcopy -y cp datalv 1 hdisk2');
    expect(asked).toMatchObject({ code: 1, stderr: '' });
    expect(asked.stdout).toMatch(/y\(es\) n\(o\)\? $/);
    expect(volumeNamed('cp')).toBeUndefined();
    await ok('alpha', 'splitlvcopy -y cp datalv 1 hdisk2', 'y\n');
    expect(volumeNamed('cp')).toBeDefined();
  });

  it('says what it refuses without message numbers', async () => {
    await mirrored();
    for (const line of [
      'splitlvcopy -f -y rawlv datalv 1',
      'splitlvcopy -f -y cp datalv 2',
      'splitlvcopy -f -y cp nolv 1',
    ]) {
      const { code, stderr } = await run('alpha', line);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^splitlvcopy: [^0]/);
    }
  });

  it('stores splitcopy of a JFS2 in the stanza and splits nothing', async () => {
    await mirrored();
    await ok('alpha', 'chfs -a splitcopy=/copy /data');
    expect(readFileSync(real('alpha', '/etc/filesystems'), 'utf8')).toContain('\tsplitcopy       = /copy\n');
    expect(volumeNamed('datalv')).toMatchObject({ copies: 2, stale: 0 });
  });

  it('shows a resync in progress, and drops it with the node', async () => {
    const { timers, pass } = handTimers();
    await mirrored({ timers, resyncPerSecond: 1 });
    await ok('alpha', 'rmlvcopy datalv 1 hdisk2');
    await ok('alpha', 'mklvcopy datalv 2 hdisk2');
    const syncing = run('alpha', 'syncvg -P 2 -l datalv');
    await pass(1_000);
    expect(volumeNamed('datalv')?.stale).toBe(6);
    await pass(1_000);
    expect(volumeNamed('datalv')?.stale).toBe(4);
    expect(await ok('alpha', 'lsvg -l datavg')).toContain('open/stale    /data');
    storage.crash('alpha');
    await pass(1_000);
    expect((await syncing).code).toBe(1);
    expect(volumeNamed('datalv')?.stale).toBe(4);
  });
});

describe('fsck', () => {
  it('asks without a flag that answers, and leaves a mounted file system alone', async () => {
    await mirrored();
    expect((await run('alpha', 'fsck -p /dev/datalv')).code).toBe(8);
    await ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    const asked = await run('alpha', 'fsck /dev/cp');
    expect(asked.code).toBe(8);
    expect(asked.stdout).toMatch(/FIX\? $/);
    expect((await run('alpha', 'fsck -n /dev/cp')).code).toBe(8);
    expect((await run('alpha', 'fsck -y /dev/cp')).code).toBe(0);
    expect((await run('alpha', 'fsck -n /dev/cp')).code).toBe(0);
  });

  it('cannot continue on what is no file system', async () => {
    await mirrored();
    const { code, stderr } = await run('alpha', 'fsck -p /dev/rawlv');
    expect(code).toBe(8);
    expect(stderr).toContain('fsck: 0507-278 Cannot continue.');
  });
});

describe('two nodes', () => {
  it('shows passive nodes every change at once, but not the stanza', async () => {
    await concurrent();
    expect(await ok('beta', 'lsvg -l datavg')).toContain(
      'datalv              jfs2       8       16      2    closed/syncd  /data',
    );
    expect(readFileSync(real('beta', '/etc/filesystems'), 'utf8')).not.toContain('/data');
    expect((await run('beta', 'mount -v jfs2 /dev/datalv /mnt')).code).toBe(1);
    expect((await run('beta', 'rmlv -f datalv')).code).toBe(1);
  });

  it('takes over what was flushed', async () => {
    await concurrent();
    await storage.write('alpha', '/data/one', 'kept');
    await ok('alpha', 'sync');
    await storage.write('alpha', '/data/two', 'lost');
    storage.crash('alpha');
    expect(existsSync(real('alpha', '/data/one'))).toBe(false);
    await ok('beta', 'varyonvg -n -c -A datavg');
    expect((await run('beta', 'mount -v jfs2 -o rw /dev/datalv /mnt')).code).toBe(1);
    await ok('beta', 'fsck -p /dev/datalv');
    await ok('beta', 'mount -v jfs2 -o rw /dev/datalv /mnt');
    expect(readFileSync(real('beta', '/mnt/one'), 'utf8')).toBe('kept');
    expect(existsSync(real('beta', '/mnt/two'))).toBe(false);
  });

  it('refuses a standard group in use elsewhere, and one that changed behind its back', async () => {
    await mirrored();
    await ok('alpha', 'umount /data');
    await ok('beta', 'importvg -n -y datavg hdisk1');
    expect((await run('beta', 'varyonvg datavg')).stderr).toMatch(/^0516-052/);
    await ok('alpha', 'mklv -y newlv datavg 1');
    await ok('alpha', 'varyoffvg datavg');
    expect((await run('beta', 'varyonvg datavg')).code).toBe(1);
    await ok('beta', 'importvg -L datavg hdisk1');
    await ok('beta', 'varyonvg datavg');
    expect(await ok('beta', 'lsvg -l datavg')).toContain('newlv');
  });

  it('varies off only what is closed', async () => {
    await mirrored();
    expect((await run('alpha', 'varyoffvg datavg')).stderr).toMatch(/^0516-012 lvaryoffvg/);
    expect((await run('alpha', 'varyonvg -c -P datavg')).stderr).toBe(
      '0516-949 varyonvg: This volume group not created concurrent capable.\n',
    );
  });
});

describe('raw volumes', () => {
  it('splits the bytes, and shows what a wrong map makes of them', async () => {
    await mirrored();
    storage.writeRaw('alpha', 'rawlv', (1 << 20) - 3, Buffer.from('across'));
    await ok('alpha', 'splitlvcopy -y rawcp rawlv 1 hdisk2');
    storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('later'));
    const bytes = readFileSync(storage.deviceFile('alpha', '/dev/rrawcp'));
    expect(bytes.length).toBe(4 << 20);
    expect(bytes.toString('latin1', (1 << 20) - 3, (1 << 20) + 3)).toBe('across');
    expect(bytes.toString('latin1', 0, 5)).not.toBe('later');
    const close = storage.open('alpha', 'rawlv');
    expect(await ok('alpha', 'lsvg -l datavg')).toContain(
      'rawlv               raw        4       4       1    open/syncd    N/A',
    );
    close();
  });

  it('reads through the map that was given', async () => {
    await mirrored();
    storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('A'));
    storage.writeRaw('alpha', 'rawlv', 1 << 20, Buffer.from('B'));
    await ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    writeFileSync(real('alpha', '/tmp/right.map'), 'hdisk2:9-12\n');
    writeFileSync(real('alpha', '/tmp/wrong.map'), 'hdisk2:10\nhdisk2:9\nhdisk2:11-12\n');
    await ok('alpha', 'mklv -y cp -t raw -m /tmp/wrong.map datavg 4');
    expect(readFileSync(storage.deviceFile('alpha', '/dev/cp')).toString('latin1', 0, 1)).toBe('B');
    await ok('alpha', 'rmlv -f cp');
    await ok('alpha', 'mklv -y cp -t raw -m /tmp/right.map datavg 4');
    expect(readFileSync(storage.deviceFile('alpha', '/dev/cp')).toString('latin1', 0, 1)).toBe('A');
  });

  it('keeps copies on separate disks, whatever a map says, and volumes within their largest size', async () => {
    await mirrored();
    await ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    writeFileSync(real('alpha', '/tmp/same.map'), 'hdisk1:40-43\n');
    expect((await run('alpha', 'mklvcopy -m /tmp/same.map rawlv 2')).stderr).toContain('0516-404');
    await ok('alpha', 'mklvcopy -s n -m /tmp/same.map rawlv 2');
    await ok('alpha', 'mklv -y tinylv -t raw -x 2 datavg 2');
    expect((await run('alpha', 'mklv -y overlv -t raw -x 2 datavg 3')).code).toBe(1);
    expect((await run('alpha', 'mklv -y over:lv -t raw datavg 1')).code).toBe(1);
  });
});

describe('mounts', () => {
  it('refuses what is mounted, unknown, off, or holds no file system', async () => {
    await mirrored();
    expect((await run('alpha', 'mount /data')).stderr).toBe('mount: /dev/datalv on /data: Device busy\n');
    expect((await run('alpha', 'mount /nowhere')).stderr).toMatch(/^mount: 0506-334/);
    expect((await run('alpha', 'mount -v jfs2 /dev/rawlv /mnt')).stderr).toBe(
      'mount: /dev/rawlv on /mnt: Unformatted or incompatible media\n',
    );
    expect((await run('alpha', 'umount /mnt')).code).toBe(1);
    expect((await run('beta', 'mount -v jfs2 /dev/datalv /mnt')).code).toBe(1);
  });

  it('does not unmount under a process', async () => {
    await mirrored();
    const sleeper = spawn('sleep', ['20'], { cwd: real('alpha', '/data'), stdio: 'ignore' });
    await new Promise((resolve) => sleeper.once('spawn', resolve));
    expect((await run('alpha', 'umount /data')).stderr).toMatch(/busy/);
    const gone = new Promise((resolve) => sleeper.once('exit', resolve));
    expect((await run('alpha', 'fuser -ck /data')).stdout.trim()).toBe(String(sleeper.pid));
    await gone;
    await ok('alpha', 'umount /data');
  });

  it('keeps modes, times, links, and what the mount point held before', async () => {
    await mirrored();
    await ok('alpha', 'umount /data');
    writeFileSync(real('alpha', '/data/under'), 'hidden');
    await ok('alpha', 'mount /data');
    expect(existsSync(real('alpha', '/data/under'))).toBe(false);
    mkdirSync(real('alpha', '/data/dir'));
    await storage.write('alpha', '/data/dir/file', Buffer.from([0, 255, 10]));
    chmodSync(real('alpha', '/data/dir/file'), 0o4751);
    linkSync(real('alpha', '/data/dir/file'), real('alpha', '/data/name'));
    symlinkSync('dir/file', real('alpha', '/data/soft'));
    utimesSync(real('alpha', '/data/dir/file'), 1e9, 1e9);
    utimesSync(real('alpha', '/data/dir'), 1.1e9, 1.1e9);
    await ok('alpha', 'umount /data');
    expect(readFileSync(real('alpha', '/data/under'), 'utf8')).toBe('hidden');
    await ok('alpha', 'mount /data');
    const file = lstatSync(real('alpha', '/data/dir/file'));
    expect(file.mode & 0o7777).toBe(0o4751);
    expect(file.mtimeMs).toBe(1e12);
    expect(file.nlink).toBe(2);
    expect(lstatSync(real('alpha', '/data/name')).ino).toBe(file.ino);
    expect(lstatSync(real('alpha', '/data/dir')).mtimeMs).toBe(1.1e12);
    expect(readlinkSync(real('alpha', '/data/soft'))).toBe('dir/file');
    expect([...readFileSync(real('alpha', '/data/dir/file'))]).toEqual([0, 255, 10]);
  });

  it('keeps what did not change when its neighbour grows', async () => {
    await mirrored();
    for (const name of ['a', 'b', 'c']) await storage.write('alpha', `/data/${name}`, name.repeat(5000));
    await ok('alpha', 'sync');
    await storage.write('alpha', '/data/a', 'A'.repeat(50_000));
    await ok('alpha', 'sync');
    await ok('alpha', 'umount /data');
    await ok('alpha', 'mount /data');
    for (const name of ['b', 'c']) expect(readFileSync(real('alpha', `/data/${name}`), 'utf8')).toBe(name.repeat(5000));
  });

  it('keeps nested file systems apart', async () => {
    await mirrored();
    await ok('alpha', 'mklv -y innerlv -t jfs2 datavg 4');
    await ok('alpha', 'crfs -v jfs2 -d innerlv -m /data/inner -A no -a logname=INLINE');
    await ok('alpha', 'mount /data/inner');
    await storage.write('alpha', '/data/outer', 'o');
    await storage.write('alpha', '/data/inner/file', 'i');
    await ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    const truth = storage.truth('cp');
    expect(truth?.kind === 'files' && truth.files.map(({ path }) => path)).toEqual([
      '',
      'inner',
      'lost+found',
      'outer',
    ]);
    expect((await run('alpha', 'umount /data')).code).toBe(1);
    await ok('alpha', 'umount /data/inner');
    await ok('alpha', 'umount /data');
    await ok('alpha', 'mount /data');
    expect(existsSync(real('alpha', '/data/inner/file'))).toBe(false);
    await ok('alpha', 'mount /data/inner');
    expect(readFileSync(real('alpha', '/data/inner/file'), 'utf8')).toBe('i');
  });
});

describe('/etc/filesystems', () => {
  it('is kept byte for byte but for the stanza that changes', async () => {
    await mirrored();
    const path = real('alpha', '/etc/filesystems');
    const other = '* ours\n/other:\n        dev = /dev/otherlv\n\tvfs=jfs2\n* after\n';
    writeFileSync(path, other + readFileSync(path, 'utf8'));
    const before = readFileSync(path, 'utf8');
    await ok('alpha', 'chfs -A yes /data');
    expect(readFileSync(path, 'utf8')).toBe(before.replace(/(\/data:[\s\S]*?mount +=) false/, '$1 true'));
    await ok('alpha', 'chfs -A no /data');
    expect(readFileSync(path, 'utf8')).toBe(before);
    await ok('alpha', 'umount /data');
    expect(await ok('alpha', 'rmfs /data')).toBe('rmlv: Logical volume datalv is removed.\n');
    expect(readFileSync(path, 'utf8')).not.toContain('/data:');
    expect(readFileSync(path, 'utf8').startsWith(other)).toBe(true);
  });

  it('travels by import, where a label that is taken gives no stanza', async () => {
    await mirrored();
    await ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    await ok('alpha', 'umount /data');
    await ok('alpha', 'varyoffvg datavg');
    const { stderr } = await run('beta', 'importvg -y datavg hdisk2');
    expect(stderr).toContain('/data');
    expect(await ok('beta', 'lsfs -c /data')).toContain('/data:/dev/datalv:jfs2:');
    await ok('beta', 'varyoffvg datavg');
    await ok('beta', 'exportvg datavg');
    expect((await run('beta', 'lsfs /data')).code).toBe(1);
  });
});

describe('stanzas', () => {
  it('of more than 512 bytes are not recognised, and comments between them do not count', async () => {
    await mirrored();
    const path = real('alpha', '/etc/filesystems');
    const comments = `* ${'remark '.repeat(100)}\n`;
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8')}${comments}\n/big:\n\tdev = /dev/big\n\tx = ${'y'.repeat(500)}\n`,
    );
    expect((await run('alpha', 'lsfs /data')).code).toBe(0);
    expect((await run('alpha', 'lsfs /big')).code).toBe(1);
  });

  it('have no mount point with blanks or commas', async () => {
    await mirrored();
    await ok('alpha', 'mklv -y newlv -t jfs2 datavg 1');
    expect((await run('alpha', 'crfs -v jfs2 -d newlv -m /a,b -a logname=INLINE')).code).toBe(1);
    expect((await run('alpha', 'crfs -v jfs2 -d newlv -m relative -a logname=INLINE')).code).toBe(1);
  });
});

describe('laws of content', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const of = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
  const write = { kind: fc.constant('write' as const), name: names, size: fc.nat(30_000), fill: fc.nat(255) };
  const operation = fc.oneof(
    of(5, fc.record(write)),
    of(1, fc.record({ kind: fc.constant('remove' as const), name: names })),
    of(2, fc.record({ kind: fc.constantFrom('sync' as const, 'split' as const, 'frozen split' as const) })),
    of(2, fc.record({ kind: fc.constantFrom('merge' as const, 'crash' as const, 'remount' as const) })),
  );

  it('shows after split, resync, crash and takeover exactly what was flushed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        rmSync(directory, { recursive: true, force: true });
        await concurrent();
        await ok('beta', 'importvg -L datavg hdisk1');
        let node = 'alpha';
        let held = new Map<string, string>();
        let flushed = new Map<string, string>();
        let split: { readonly held: Map<string, string>; readonly truth: Map<string, string> } | undefined;
        const content = (directory: string) =>
          new Map(
            ['a', 'b', 'c', 'd']
              .filter((name) => existsSync(real(node, `${directory}/${name}`)))
              .map((name) => [name, readFileSync(real(node, `${directory}/${name}`), 'latin1')]),
          );
        const checkCopy = async () => {
          if (split === undefined) return;
          await ok(node, 'fsck -p /dev/cp');
          await ok(node, 'mount -v jfs2 -o ro /dev/cp /mnt');
          expect(content('/mnt')).toEqual(split.held);
          await ok(node, 'umount /mnt');
        };
        for (const step of operations) {
          if (step.kind === 'write') {
            const text = String.fromCharCode(step.fill).repeat(step.size);
            await storage.write(node, `/data/${step.name}`, Buffer.from(text, 'latin1'));
            held = new Map(held).set(step.name, text);
          } else if (step.kind === 'remove') {
            rmSync(real(node, `/data/${step.name}`), { force: true });
            held = new Map([...held].filter(([name]) => name !== step.name));
          } else if (step.kind === 'sync') {
            await ok(node, 'sync');
            flushed = held;
          } else if (step.kind === 'crash') {
            storage.crash(node);
            node = node === 'alpha' ? 'beta' : 'alpha';
            await ok(node, 'varyonvg -n -c -A datavg');
            await ok(node, 'fsck -p /dev/datalv');
            await ok(node, 'mount /data');
            held = flushed;
            expect(content('/data')).toEqual(flushed);
          } else if (step.kind === 'remount') {
            await ok(node, 'umount /data');
            await ok(node, 'mount /data');
            flushed = held;
            expect(content('/data')).toEqual(held);
          } else if (step.kind === 'merge') {
            await checkCopy();
            if (split === undefined) continue;
            await ok(node, 'rmlv -f cp');
            await ok(node, 'mklvcopy datalv 2 hdisk2');
            await ok(node, 'syncvg -P 4 -l datalv');
            split = undefined;
          } else if (split === undefined) {
            if (step.kind === 'frozen split') {
              await ok(node, 'chfs -a freeze=60 /data');
              flushed = held;
            }
            await ok(node, 'splitlvcopy -f -y cp datalv 1 hdisk2');
            await ok(node, 'chlv -L /splitmirror/run/datalv cp');
            if (step.kind === 'frozen split') await ok(node, 'chfs -a freeze=off /data');
            split = { held: flushed, truth: held };
            const truth = storage.truth('cp');
            const files = truth?.kind === 'files' ? truth.files.filter(({ kind }) => kind === 'file') : [];
            expect(files.map(({ path, size }) => [path, size])).toEqual(
              [...held].map(([name, text]) => [name, text.length]).sort(),
            );
          }
        }
        await checkCopy();
      }),
      { numRuns: 25 },
    );
  });

  it('spoils a copy that is synchronised too early', async () => {
    await mirrored();
    storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('before'));
    await ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('after!'));
    // Someone gives the freed partitions back before the backup has its own volume on them.
    await ok('alpha', 'mklvcopy rawlv 2 hdisk2');
    await ok('alpha', 'syncvg -v datavg');
    await ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    writeFileSync(real('alpha', '/tmp/map'), 'hdisk2:9-12\n');
    await ok('alpha', 'mklv -y cp -t raw -m /tmp/map datavg 4');
    expect(readFileSync(storage.deviceFile('alpha', '/dev/cp')).toString('latin1', 0, 6)).toBe('after!');
  });

  it('makes the copy on a failed disk stale', async () => {
    await mirrored();
    storage.failDisk('hdisk2');
    storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'));
    expect(volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 1 });
    expect(await ok('alpha', 'lsvg -p datavg')).toContain('hdisk2            missing           ');
    expect((await run('alpha', 'syncvg -l rawlv')).code).toBe(1);
  });
});
