import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, concurrentGroup, handTimers, makeBench, mirroredGroup } from './harness.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'splitmirror-strategies-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const text = (bench: Bench, path: string) => readFileSync(bench.real('alpha', path), 'utf8');
const device = (bench: Bench, name: string, length: number) =>
  readFileSync(bench.storage.deviceFile('alpha', `/dev/${name}`)).toString('latin1', 0, length);

describe('chlvcopy', () => {
  it('splits a copy that stays a copy, goes stale with the first write, and comes back', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('before'));
    await bench.ok('alpha', 'chlvcopy -b -c 2 -P -l rawcp rawlv');
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 0 });
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('after!'));
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 1 });
    expect(device(bench, 'rawcp', 6)).toBe('before');
    expect(device(bench, 'rawlv', 6)).toBe('after!');
    expect(await bench.ok('alpha', 'lsvg -l datavg')).toContain(
      'rawlv               raw        4       8       2    closed/stale  N/A',
    );
    for (const line of [
      'splitlvcopy -f -y cp rawlv 1',
      'rmlv -f rawlv',
      'rmlv -f rawcp',
      'chlvcopy -b rawlv',
      'rmlvcopy rawlv 1',
    ]) {
      expect((await bench.run('alpha', line)).code, line).toBe(1);
    }
    expect(await bench.ok('alpha', 'rmlv -B -f rawcp')).toBe('rmlv: Logical volume rawcp is removed.\n');
    await expect.poll(() => bench.volumeNamed('rawlv')?.stale).toBe(0);
    expect(bench.volumeNamed('rawcp')).toBeUndefined();
  });

  it('loses the copy to syncvg while it is split', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('before'));
    await bench.ok('alpha', 'chlvcopy -b -l rawcp rawlv');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('after!'));
    await bench.ok('alpha', 'syncvg -v datavg');
    expect(device(bench, 'rawcp', 6)).toBe('after!');
  });

  it('loses the copy to varyonvg without -n, though its mark survived the crash', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('before'));
    await bench.ok('alpha', 'chlvcopy -b -P -l rawcp rawlv');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('after!'));
    bench.storage.crash('alpha');
    await bench.ok('alpha', 'varyonvg -n datavg');
    expect(device(bench, 'rawcp', 6)).toBe('before');
    await bench.ok('alpha', 'varyonvg datavg');
    await expect.poll(() => device(bench, 'rawcp', 6)).toBe('after!');
  });

  it('forgets a mark without -P when the node crashes', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('alpha', 'chlvcopy -b rawlv');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'));
    bench.storage.crash('alpha');
    await bench.ok('alpha', 'varyonvg -n datavg');
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 1 });
    expect((await bench.run('alpha', 'chlvcopy -B rawlv')).code).toBe(1);
    await bench.ok('alpha', 'varyonvg datavg');
    await expect.poll(() => bench.volumeNamed('rawlv')?.stale).toBe(0);
  });

  it('refuses stale copies without -f, single copies, and file systems', async () => {
    const bench = await mirroredGroup(directory);
    expect((await bench.run('alpha', 'chlvcopy -b datalv')).stderr).toContain('chfs');
    await bench.ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    expect((await bench.run('alpha', 'chlvcopy -b rawlv')).code).toBe(1);
    await bench.ok('alpha', 'mklvcopy rawlv 2 hdisk2');
    expect((await bench.run('alpha', 'chlvcopy -b rawlv')).code).toBe(1);
    expect((await bench.run('alpha', 'chlvcopy -f -b rawlv')).code).toBe(0);
  });
});

describe('chfs splitcopy of a JFS', () => {
  async function jfs(logCopies: number): Promise<Bench> {
    const bench = makeBench(directory, { level: '5.3' });
    await bench.ok('alpha', 'mkvg -y oldvg -s 1 hdisk1 hdisk2');
    await bench.ok('alpha', `mklv -y loglv00 -t jfslog -c ${logCopies} oldvg 1`);
    await bench.ok('alpha', 'logform /dev/loglv00', 'y\n');
    await bench.ok('alpha', 'mklv -y oldlv -t jfs -c 2 oldvg 4 hdisk1 hdisk2');
    await bench.ok('alpha', 'crfs -v jfs -d oldlv -m /old -A no');
    await bench.ok('alpha', 'mount /old');
    await bench.storage.write('alpha', '/old/file', 'before');
    return bench;
  }

  it('mounts the copy for reading, and gives it back with rmfs', async () => {
    const bench = await jfs(2);
    expect((await bench.ok('alpha', 'lsfs -cq /old')).split('\n')[2]).toBe(
      '(lv size 8192:fs size 8192:frag size 4096:nbpi 4096:compress no:bf false:ag 8)',
    );
    await bench.ok('alpha', 'chfs -a splitcopy=/copy -a copy=2 /old');
    await bench.storage.write('alpha', '/old/file', 'after');
    await bench.ok('alpha', 'sync');
    expect(text(bench, '/copy/file')).toBe('before');
    await expect(bench.storage.write('alpha', '/copy/file', '')).rejects.toThrow('read-only');
    expect(await bench.ok('alpha', 'mount')).toMatch(/ \/dev\/oldlvcopy00 +\/copy +jfs +\w+ \d+ \S+ ro /);
    expect(await bench.ok('alpha', 'lsvg -l oldvg')).toMatch(/^oldlv +jfs +4 +8 +2 +open\/stale +\/old$/m);
    await bench.ok('alpha', 'umount /copy');
    await bench.ok('alpha', 'mount -o ro /copy');
    expect(text(bench, '/copy/file')).toBe('before');
    await bench.ok('alpha', 'umount /copy');
    await bench.ok('alpha', 'rmfs /copy');
    await expect.poll(() => bench.volumeNamed('oldlv')).toMatchObject({ copies: 2, stale: 0 });
    expect(text(bench, '/old/file')).toBe('after');
    expect((await bench.run('alpha', 'lsfs /copy')).code).toBe(1);
  });

  it('refuses when the log is not mirrored', async () => {
    const bench = await jfs(1);
    expect(await bench.run('alpha', 'chfs -a splitcopy=/copy /old')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'jfs_syscall: A system call received a parameter that is not valid.\n',
    });
  });

  it('stores a freeze in the stanza where the level does not know it', async () => {
    const bench = makeBench(directory, { level: '5.1' });
    await bench.ok('alpha', 'mkvg -y oldvg -s 1 hdisk1 hdisk2');
    await bench.ok('alpha', 'crfs -v jfs2 -g oldvg -m /old -A no -a size=4M');
    await bench.ok('alpha', 'mount /old');
    await bench.ok('alpha', 'chfs -a freeze=60 /old');
    expect(readFileSync(bench.real('alpha', '/etc/filesystems'), 'utf8')).toContain('\tfreeze          = 60\n');
    expect(bench.storage.mountAt('alpha', '/old')?.frozen).toBe(false);
  });

  it('freezes no JFS', async () => {
    const bench = await jfs(1);
    expect((await bench.run('alpha', 'chfs -a freeze=10 /old')).code).toBe(1);
  });
});

describe('splitvg and joinvg', () => {
  it('moves the disks of a copy into a group of their own, and takes them back', async () => {
    const bench = await mirroredGroup(directory);
    await bench.storage.write('alpha', '/data/file', 'before');
    await bench.ok('alpha', 'chfs -a freeze=60 /data');
    expect(await bench.ok('alpha', 'splitvg -y snapvg -c 2 datavg')).toBe('snapvg\n');
    await bench.ok('alpha', 'chfs -a freeze=off /data');
    await bench.storage.write('alpha', '/data/file', 'after');
    await bench.ok('alpha', 'sync');
    expect(await bench.ok('alpha', 'lspv')).toMatch(/hdisk2 .* snapvg +active/);
    expect(await bench.ok('alpha', 'lsvg datavg')).toContain('SNAPSHOT VG:        snapvg\n');
    expect(await bench.ok('alpha', 'lsvg snapvg')).toContain('PRIMARY VG:         datavg\n');
    expect(await bench.ok('alpha', 'lsvg -l datavg')).toMatch(/^datalv .* open\/stale +\/data$/m);
    expect(await bench.ok('alpha', 'lsvg -l snapvg')).toMatch(/^fsdatalv +jfs2 +8 +8 +1 +closed\/syncd +\/fs\/data$/m);
    expect((await bench.run('alpha', 'mount -o ro /fs/data')).code).toBe(1);
    await bench.ok('alpha', 'fsck -p /dev/fsdatalv');
    await bench.ok('alpha', 'mount -o ro /fs/data');
    expect(text(bench, '/fs/data/file')).toBe('before');
    expect(bench.storage.truth('fsdatalv')).toMatchObject({ kind: 'files', volume: 'datalv' });
    for (const line of [
      'splitvg datavg',
      'rmlv -f rawlv',
      'splitlvcopy -f rawlv 1',
      'chlvcopy -b rawlv',
      'chvg -Qn datavg',
      'mklvcopy fsrawlv 2',
      'joinvg datavg',
    ]) {
      expect((await bench.run('alpha', line)).code, line).toBe(1);
    }
    await bench.ok('alpha', 'umount /fs/data');
    await bench.ok('alpha', 'joinvg datavg');
    await expect.poll(() => bench.volumeNamed('datalv')?.stale).toBe(0);
    expect(await bench.ok('alpha', 'lsvg')).toBe('rootvg\ndatavg\n');
    expect(await bench.ok('alpha', 'lspv')).toMatch(/hdisk2 .* datavg +active/);
    expect((await bench.run('alpha', 'lsfs /fs/data')).code).toBe(1);
    await bench.ok('alpha', 'umount /data');
    await bench.ok('alpha', 'mount /data');
    expect(text(bench, '/data/file')).toBe('after');
  });

  it('says 0 before joinvg has resynchronised', async () => {
    const { timers, pass } = handTimers();
    const bench = await mirroredGroup(directory, { timers, resyncPerSecond: 1 });
    await bench.ok('alpha', 'splitvg -y snapvg datavg');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.alloc(2 << 20, 1));
    await bench.ok('alpha', 'joinvg datavg');
    expect(bench.volumeNamed('rawlv')?.stale).toBe(2);
    await pass(1000);
    await pass(1000);
    expect(bench.volumeNamed('rawlv')?.stale).toBe(0);
  });

  it('refuses concurrent mode, ragged volumes, mixed disks, rootvg, and levels before 5.2', async () => {
    const concurrent = await concurrentGroup(join(directory, 'a'));
    expect((await concurrent.run('alpha', 'splitvg datavg')).stderr).toContain('concurrent');
    const bench = await mirroredGroup(join(directory, 'b'));
    expect((await bench.run('alpha', 'splitvg rootvg')).code).toBe(1);
    expect((await bench.run('alpha', 'splitvg -c 3 datavg')).code).toBe(1);
    await bench.ok('alpha', 'mklv -y onelv datavg 1 hdisk2');
    expect((await bench.run('alpha', 'splitvg datavg')).stderr).toContain('onelv has no copy 2');
    const old = makeBench(join(directory, 'c'), { level: '5.1' });
    expect(await old.run('alpha', 'splitvg datavg')).toMatchObject({ code: 127 });
  });

  it('gives no copy a name that another volume of the node has', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('alpha', 'mklv -y fsrawlv rootvg 1');
    expect((await bench.run('alpha', 'splitvg datavg')).stderr).toContain('fsrawlv');
    await bench.ok('alpha', 'rmlv -f fsrawlv');
    await bench.ok('alpha', 'splitvg datavg');
  });

  it.each([0, 1])('is taken back by joinvg when it was killed half-way (%i)', async (reached) => {
    const bench = await mirroredGroup(directory);
    bench.storage.interrupt('splitvg', reached);
    expect((await bench.run('alpha', 'splitvg -y snapvg datavg')).code).toBe(137);
    expect(await bench.ok('alpha', 'lsvg -o')).toBe('rootvg\ndatavg\n');
    expect(await bench.ok('alpha', 'lsvg -p datavg')).not.toContain('hdisk2');
    expect(await bench.ok('alpha', 'lsvg')).toBe(`rootvg\ndatavg\n${reached === 0 ? '' : 'snapvg\n'}`);
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'));
    await bench.ok('alpha', 'joinvg datavg');
    await expect.poll(() => bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 0 });
    expect(await bench.ok('alpha', 'lsvg')).toBe('rootvg\ndatavg\n');
  });

  it('leaves a concurrent capable group that is on in non-concurrent mode varied off', async () => {
    const bench = makeBench(directory);
    await bench.ok('alpha', 'mkvg -y datavg -s 1 -C -n hdisk1 hdisk2');
    await bench.ok('alpha', 'varyonvg datavg');
    await bench.ok('alpha', 'mklv -y rawlv -t raw -c 2 datavg 2 hdisk1 hdisk2');
    await bench.ok('alpha', 'splitvg -y snapvg datavg');
    expect(await bench.ok('alpha', 'lsvg -o')).toBe('rootvg\ndatavg\n');
    await bench.ok('alpha', 'varyonvg snapvg');
  });
});

describe('snapshots', () => {
  it('keeps what the file system held, until it runs out of room', async () => {
    const bench = await mirroredGroup(directory);
    await bench.storage.write('alpha', '/data/file', 'before');
    expect(await bench.ok('alpha', 'snapshot -o snapfrom=/data -o size=1M')).toBe(
      'Snapshot for file system /data created on /dev/fslv00\n',
    );
    await bench.storage.write('alpha', '/data/file', 'after');
    await bench.ok('alpha', 'sync');
    await bench.ok('alpha', 'mount -v jfs2 -o snapshot /dev/fslv00 /mnt');
    expect(text(bench, '/mnt/file')).toBe('before');
    expect((await bench.run('alpha', 'snapshot -d /dev/fslv00')).code).toBe(1);
    await bench.ok('alpha', 'umount /mnt');
    for (let round = 0; round < 4; round++) {
      await bench.storage.write('alpha', '/data/big', Buffer.alloc(2 << 20, round));
      await bench.ok('alpha', 'sync');
    }
    expect((await bench.run('alpha', 'mount -v jfs2 -o snapshot /dev/fslv00 /mnt')).code).toBe(1);
    expect(await bench.ok('alpha', 'snapshot -d /dev/fslv00')).toBe('rmlv: Logical volume fslv00 is removed.\n');
    expect(text(bench, '/data/file')).toBe('after');
  });

  it('leaves nothing to read of one that runs out of room while it is mounted', async () => {
    const bench = await mirroredGroup(directory);
    await bench.storage.write('alpha', '/data/file', 'before');
    await bench.ok('alpha', 'snapshot -o snapfrom=/data -o size=1M');
    await bench.ok('alpha', 'mount -v jfs2 -o snapshot /dev/fslv00 /mnt');
    for (let round = 0; round < 4; round++) {
      await bench.storage.write('alpha', '/data/big', Buffer.alloc(2 << 20, round));
      await bench.ok('alpha', 'sync');
    }
    expect(existsSync(bench.real('alpha', '/mnt/file'))).toBe(false);
    expect(await bench.ok('alpha', 'snapshot -q /data')).toMatch(/\/dev\/fslv00 +2048 +- /);
  });

  it('are kept within a file system that was made for them, and only there', async () => {
    const bench = await mirroredGroup(directory);
    expect((await bench.run('alpha', 'snapshot -o snapfrom=/data -n one')).stderr).toContain('internal');
    await bench.ok('alpha', 'crfs -v jfs2 -g datavg -m /inner -A no -a size=8M -a logname=INLINE -a isnapshot=yes');
    await bench.ok('alpha', 'mount /inner');
    expect(await bench.ok('alpha', 'lsfs -cq /inner')).toContain('ISNAPSHOT yes');
    await bench.storage.write('alpha', '/inner/file', 'before');
    await bench.ok('alpha', 'snapshot -o snapfrom=/inner -n one');
    expect(bench.storage.truth('one')).toMatchObject({ kind: 'files' });
    await bench.storage.write('alpha', '/inner/file', 'after');
    await bench.ok('alpha', 'snapshot -o snapfrom=/inner -n two');
    expect((await bench.run('alpha', 'snapshot -o snapfrom=/inner -o size=1M')).stderr).toContain('internal');
    await bench.storage.write('alpha', '/inner/file', Buffer.alloc(1 << 20));
    await bench.ok('alpha', 'umount /inner');
    await bench.ok('alpha', 'mount /inner');
    expect(text(bench, '/inner/.snapshot/one/file')).toBe('before');
    expect(text(bench, '/inner/.snapshot/two/file')).toBe('after');
    expect(await bench.ok('alpha', 'snapshot -q /inner')).toBe(
      [
        'Snapshots for /inner',
        'Current  Name         Time',
        '         one          Sat Nov  7 19:11:00 2026',
        '*        two          Sat Nov  7 19:11:00 2026',
        '',
      ].join('\n'),
    );
    await bench.ok('alpha', 'snapshot -d -n two /inner');
    expect(existsSync(bench.real('alpha', '/inner/.snapshot/one'))).toBe(false);
    expect(await bench.ok('alpha', 'snapshot -q /inner')).toBe('/inner has no snapshots.\n');
  });

  it('removes all earlier ones with one', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('alpha', 'snapshot -o snapfrom=/data -o size=1M');
    await bench.ok('alpha', 'snapshot -o snapfrom=/data -o size=1M');
    await bench.ok('alpha', 'snapshot -o snapfrom=/data -o size=1M');
    await bench.ok('alpha', 'snapshot -d /dev/fslv01');
    expect(bench.volumeNamed('fslv00')).toBeUndefined();
    expect(bench.volumeNamed('fslv01')).toBeUndefined();
    expect(await bench.ok('alpha', 'snapshot -q /data')).toBe(
      [
        'Snapshots for /data',
        'Current  Location      512-blocks        Free Time',
        '*        /dev/fslv02         2048        2048 Sat Nov  7 19:11:00 2026',
        '',
      ].join('\n'),
    );
  });
});

describe('the manual split', () => {
  const split = async (bench: Bench) => {
    bench.storage.writeRaw('alpha', 'rawlv', 4096, Buffer.from('kept'));
    await bench.ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    writeFileSync(bench.real('alpha', '/tmp/map'), 'hdisk2:9-12\n');
    await bench.ok('alpha', 'mklv -y cp -t raw -m /tmp/map datavg 4');
    return readFileSync(bench.storage.deviceFile('alpha', '/dev/cp')).toString('latin1', 4096, 4100);
  };
  const thin = [
    { name: 'hdisk1', megabytes: 64, thin: true },
    { name: 'hdisk2', megabytes: 64, thin: true },
  ];

  it('reads zeroes from 7.2 on where the storage takes space back', async () => {
    expect(await split(await mirroredGroup(join(directory, 'a'), { disks: thin }))).toBe('\0\0\0\0');
    expect(await split(await mirroredGroup(join(directory, 'b'), { disks: thin, level: '7.1' }))).toBe('kept');
    expect(await split(await mirroredGroup(join(directory, 'c')))).toBe('kept');
  });

  it('takes no map of partitions that are in use, not there, or named twice', async () => {
    const bench = await mirroredGroup(directory);
    for (const map of ['hdisk2:8-9', 'hdisk2:64-65', 'hdisk2:20\nhdisk2:20', 'hdisk3:1-2', 'hdisk2:20', 'nonsense']) {
      writeFileSync(bench.real('alpha', '/tmp/map'), `${map}\n`);
      expect((await bench.run('alpha', 'mklv -y cp -t raw -m /tmp/map datavg 2')).code, map).toBe(1);
    }
    expect((await bench.run('alpha', 'mklv -y cp -t raw -m /tmp/missing datavg 2')).code).toBe(1);
  });

  it('overwrites the first block with a control block, unless the group is scalable', async () => {
    const bench = makeBench(directory);
    await bench.ok('alpha', 'mkvg -y classicvg -s 1 hdisk1 hdisk2');
    await bench.ok('alpha', 'mklv -y rawlv -t raw -c 2 classicvg 2 hdisk1 hdisk2');
    expect(device(bench, 'rawlv', 8)).toBe('AIX LVCB');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('database'));
    expect((await bench.run('alpha', 'getlvcb -AT rawlv')).code).toBe(1);
    const split = await bench.run('alpha', 'splitlvcopy -y keep rawlv 1 hdisk2');
    expect(split).toMatchObject({ code: 0, stdout: 'keep\n' });
    expect(split.stderr).toContain('control block');
    expect(await bench.run('alpha', 'chlv -L mine keep')).toMatchObject({ code: 0 });
    expect(device(bench, 'keep', 8)).toBe('database');
    await bench.ok('alpha', 'rmlv -f keep');
    writeFileSync(bench.real('alpha', '/tmp/map'), 'hdisk2:1-2\n');
    await bench.ok('alpha', 'mklv -y again -t raw -m /tmp/map classicvg 2');
    expect(device(bench, 'again', 8)).toBe('AIX LVCB');
  });
});

describe('external logs', () => {
  it('must be formatted before a file system is mounted with them for writing', async () => {
    const bench = makeBench(directory);
    await bench.ok('alpha', 'mkvg -y datavg -s 1 -S hdisk1 hdisk2');
    await bench.ok('alpha', 'mklv -y loglv07 -t jfs2log datavg 1');
    await bench.ok('alpha', 'mklv -y datalv -t jfs2 datavg 4');
    await bench.ok('alpha', 'crfs -v jfs2 -d datalv -m /data -a logname=loglv07');
    expect((await bench.run('alpha', 'mount /data')).code).toBe(1);
    expect((await bench.run('alpha', 'logform -V jfs2 /dev/loglv07', 'n\n')).code).toBe(1);
    await bench.ok('alpha', 'mount -o ro /data');
    await bench.ok('alpha', 'umount /data');
    await bench.ok('alpha', 'logform -V jfs2 /dev/loglv07', 'y\n');
    await bench.ok('alpha', 'mount /data');
    expect((await bench.run('alpha', 'logform -V jfs2 /dev/loglv07', 'y\n')).code).toBe(1);
  });

  it('are spoiled for the live file systems by an fsck of a copy that names them', async () => {
    const bench = makeBench(directory);
    await bench.ok('alpha', 'mkvg -y datavg -s 1 -S hdisk1 hdisk2');
    await bench.ok('alpha', 'mklv -y datalv -t jfs2 -c 2 datavg 4 hdisk1 hdisk2');
    await bench.ok('alpha', 'crfs -v jfs2 -d datalv -m /data');
    await bench.ok('alpha', 'mount /data');
    expect(await bench.ok('alpha', 'lsvg -l datavg')).toMatch(/^loglv00 +jfs2log +1 +1 +1 +open\/syncd +N\/A$/m);
    await bench.ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    const stanzas = bench.real('alpha', '/etc/filesystems');
    writeFileSync(
      stanzas,
      `${readFileSync(stanzas, 'utf8')}\n/copy:\n\tdev = /dev/cp\n\tvfs = jfs2\n\tlog = /dev/loglv00\n`,
    );
    await bench.ok('alpha', 'fsck -p /dev/cp');
    await bench.ok('alpha', 'umount /data');
    expect((await bench.run('alpha', 'mount /data')).stderr).toContain('Run a full fsck');
    expect((await bench.run('alpha', 'fsck -p /dev/datalv')).code).toBe(8);
    await bench.ok('alpha', 'fsck -y /dev/datalv');
    await bench.ok('alpha', 'mount /data');
  });

  it('do not matter to a copy that has no stanza', async () => {
    const bench = makeBench(directory);
    await bench.ok('alpha', 'mkvg -y datavg -s 1 -S hdisk1 hdisk2');
    await bench.ok('alpha', 'crfs -v jfs2 -g datavg -a size=4M -m /data');
    await bench.ok('alpha', 'mklvcopy -k fslv00 2');
    await bench.ok('alpha', 'mount /data');
    await bench.storage.write('alpha', '/data/file', 'x');
    await bench.ok('alpha', 'sync');
    await bench.ok('alpha', 'splitlvcopy -f -y cp fslv00 1 hdisk2');
    await bench.ok('alpha', 'fsck -p /dev/cp');
    await bench.ok('alpha', 'mount -v jfs2 -o ro /dev/cp /mnt');
    expect(text(bench, '/mnt/file')).toBe('x');
    await bench.ok('alpha', 'umount /data');
    await bench.ok('alpha', 'mount /data');
  });
});

describe('takeover in the middle', () => {
  it('of a splitlvcopy on an enhanced concurrent group', async () => {
    const bench = await concurrentGroup(directory);
    await bench.ok('beta', 'importvg -L datavg hdisk1');
    await bench.storage.write('alpha', '/data/file', 'x');
    await bench.ok('alpha', 'sync');
    await bench.ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    await bench.ok('alpha', 'chlv -L /mine cp');
    bench.storage.crash('alpha');
    await bench.ok('beta', 'varyonvg -n -c -A datavg');
    await bench.ok('beta', 'fsck -p /dev/datalv');
    await bench.ok('beta', 'mount /data');
    expect(await bench.ok('beta', 'lsvg -l datavg')).toMatch(/^cp +jfs2 +8 +8 +1 +closed\/syncd +\/mine$/m);
    await bench.ok('beta', 'rmlv -f cp');
    await bench.ok('beta', 'mklvcopy datalv 2 hdisk2');
    await bench.ok('beta', 'syncvg -l datalv');
    expect(bench.volumeNamed('datalv')).toMatchObject({ copies: 2, stale: 0 });
    // The node that comes back learns of everything when it joins as a passive one.
    await bench.ok('alpha', 'varyonvg -n -c -P datavg');
    expect(await bench.ok('alpha', 'lsvg -l datavg')).not.toMatch(/^cp /m);
  });

  it('of a splitvg: the new owner never learned of the snapshot group, and joins it once it has', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('beta', 'importvg -n -y datavg hdisk1');
    await bench.ok('alpha', 'splitvg -y snapvg datavg');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'));
    bench.storage.crash('alpha');
    expect(await bench.ok('beta', 'lsvg')).toBe('rootvg\ndatavg\n');
    await bench.ok('beta', 'importvg -L datavg hdisk1');
    await bench.ok('beta', 'varyonvg -n datavg');
    expect(bench.volumeNamed('rawlv')?.stale).toBe(1);
    expect((await bench.run('beta', 'joinvg datavg')).stderr).toContain('0516-306');
    await bench.ok('beta', 'importvg -n -y snapvg hdisk2');
    await bench.ok('beta', 'joinvg datavg');
    await expect.poll(() => bench.volumeNamed('rawlv')?.stale).toBe(0);
    expect(await bench.ok('alpha', 'lsvg')).toBe('rootvg\ndatavg\nsnapvg\n');
    await bench.ok('alpha', 'exportvg snapvg');
  });

  it('of a persistent chlvcopy: the mark and its device travel', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('alpha', 'chlvcopy -b -l rawcp rawlv');
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'));
    bench.storage.crash('alpha');
    await bench.ok('beta', 'importvg -n -y datavg hdisk1');
    await bench.ok('beta', 'varyonvg -n datavg');
    bench.storage.writeRaw('beta', 'rawlv', 1 << 20, Buffer.from('x'));
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 2 });
    await bench.ok('beta', 'rmlv -B -f rawcp');
    await expect.poll(() => bench.volumeNamed('rawlv')?.stale).toBe(0);
  });

  it('refuses to hand over while a copy is mounted', async () => {
    const bench = await concurrentGroup(directory);
    await bench.ok('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2');
    await bench.ok('alpha', 'fsck -p /dev/cp');
    await bench.ok('alpha', 'mount -v jfs2 -o ro /dev/cp /mnt');
    await bench.ok('alpha', 'umount /data');
    expect((await bench.run('alpha', 'varyonvg -n -c -P datavg')).code).toBe(1);
    await bench.ok('alpha', 'umount /mnt');
    await bench.ok('alpha', 'varyonvg -n -c -P datavg');
  });
});

describe('levels', () => {
  it('know their commands and options', async () => {
    const old = makeBench(join(directory, 'a'), { level: '4.3.3' });
    expect((await old.run('alpha', 'snapshot -q /home')).code).toBe(127);
    await old.ok('alpha', 'mkvg -y oldvg -s 1 hdisk1 hdisk2');
    await old.ok('alpha', 'mklv -y oldlv -t jfs -c 2 oldvg 2 hdisk1 hdisk2');
    expect((await old.run('alpha', 'crfs -v jfs2 -d oldlv -m /old')).code).toBe(1);
    expect((await old.run('alpha', 'splitlvcopy -k -y cp oldlv 1')).code).toBe(2);
    expect((await old.run('alpha', 'syncvg -T 3 -l oldlv')).code).toBe(2);
    expect((await old.ok('alpha', 'lsvg oldvg')).split('\n')).not.toContain('ENCRYPTION:         no');
    expect((await old.run('alpha', 'mklv -y crypt -k y oldvg 1')).code).toBe(2);
    const modern = await mirroredGroup(join(directory, 'b'), { level: '7.3' });
    await modern.ok('alpha', 'splitlvcopy -f -k -y cp datalv 1 hdisk2');
  });
});

describe('encrypted volumes', () => {
  it('are split by splitlvcopy from 7.3 on, and never by chlvcopy', async () => {
    for (const [level, code] of [
      ['7.2', 1],
      ['7.3', 0],
    ] as const) {
      const bench = await mirroredGroup(join(directory, level), { level });
      await bench.ok('alpha', 'mklv -y cryptlv -t raw -c 2 -k y datavg 2');
      expect(await bench.ok('alpha', 'lslv cryptlv')).toContain('ENCRYPTION:         yes\n');
      expect((await bench.run('alpha', 'chlvcopy -b cryptlv')).code).toBe(1);
      expect((await bench.run('alpha', 'splitlvcopy -y cp cryptlv 1')).code).toBe(code);
    }
  });
});

describe('three copies', () => {
  it('leave a mirror behind, and tell which copy lies where', async () => {
    const disks = ['hdisk1', 'hdisk2', 'hdisk3'].map((name) => ({ name, megabytes: 32 }));
    const bench = makeBench(directory, { disks });
    await bench.ok('alpha', 'mkvg -y datavg -s 1 -S hdisk1 hdisk2 hdisk3');
    await bench.ok('alpha', 'mklv -y rawlv -t raw -c 3 datavg 2 hdisk1 hdisk2 hdisk3');
    expect(await bench.ok('alpha', 'lslv -m rawlv')).toContain(
      '0001  0001 hdisk1            0001 hdisk2            0001 hdisk3\n',
    );
    await bench.ok('alpha', 'splitlvcopy -y cp rawlv 2 hdisk2');
    expect(await bench.ok('alpha', 'lslv -m rawlv')).toContain('0001  0001 hdisk1            0001 hdisk3\n');
    expect(bench.volumeNamed('cp')?.map).toEqual([['hdisk2:1'], ['hdisk2:2']]);
    expect((await bench.run('alpha', 'mklvcopy rawlv 2 hdisk2')).code).toBe(1);
    expect((await bench.run('alpha', 'splitlvcopy -y two rawlv 1 hdisk2')).code).toBe(1);
    expect(existsSync(join(directory, 'truth/two.json'))).toBe(false);
  });

  it('refuse disks that break strictness or have no room', async () => {
    const bench = await mirroredGroup(directory);
    const { stderr } = await bench.run('alpha', 'mklvcopy rawlv 3 hdisk2');
    expect(stderr).toMatch(/^0516-404 allocp: /);
    expect(stderr).toContain('0516-842 mklvcopy');
    expect((await bench.run('alpha', 'mklv -y huge datavg 500')).stderr).toMatch(/^0516-404/);
    expect((await bench.run('alpha', 'mklv -y datalv datavg 1')).stderr).toMatch(/^0516-360/);
  });
});

describe('a command that is killed half-way', () => {
  it('leaves a ragged volume, which mklvcopy fills up', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.interrupt('splitlvcopy', 3);
    expect((await bench.run('alpha', 'splitlvcopy -f -y cp datalv 1 hdisk2')).code).toBe(137);
    expect(bench.volumeNamed('cp')?.map.length).toBe(3);
    expect(await bench.ok('alpha', 'lsvg -l datavg')).toMatch(/^datalv +jfs2 +8 +13 +2 +open\/syncd/m);
    expect((await bench.ok('alpha', 'lslv -m datalv')).split('\n').slice(4, 6)).toEqual([
      '0003  0003 hdisk1',
      '0004  0004 hdisk1            0004 hdisk2',
    ]);
    expect((await bench.run('alpha', 'splitlvcopy -f -y cq datalv 1 hdisk2')).code).toBe(1);
    await bench.ok('alpha', 'rmlv -f cp');
    await bench.ok('alpha', 'mklvcopy datalv 2 hdisk2');
    await bench.ok('alpha', 'syncvg -l datalv');
    expect(bench.volumeNamed('datalv')).toMatchObject({ copies: 2, stale: 0 });
    expect(bench.volumeNamed('datalv')?.map.every((copies) => copies.length === 2)).toBe(true);
  });

  it('leaves part of a new copy, or of a dropped one', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.interrupt('rmlvcopy', 1);
    expect((await bench.run('alpha', 'rmlvcopy rawlv 1 hdisk2')).code).toBe(137);
    expect(bench.volumeNamed('rawlv')?.map.map((copies) => copies.length)).toEqual([1, 2, 2, 2]);
    await bench.ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    bench.storage.interrupt('mklvcopy', 2);
    expect((await bench.run('alpha', 'mklvcopy rawlv 2 hdisk2')).code).toBe(137);
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 2, stale: 2 });
    await bench.ok('alpha', 'mklvcopy rawlv 2 hdisk2');
    await bench.ok('alpha', 'syncvg -l rawlv');
    expect(bench.volumeNamed('rawlv')?.map.every((copies) => copies.length === 2)).toBe(true);
  });
});

describe('the only fresh copy', () => {
  it('is kept by rmlvcopy and given away by splitlvcopy', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('fresh'));
    await bench.ok('alpha', 'rmlvcopy rawlv 1 hdisk2');
    await bench.ok('alpha', 'mklvcopy rawlv 2 hdisk2');
    expect((await bench.run('alpha', 'rmlvcopy rawlv 1 hdisk1')).code).toBe(1);
    await bench.ok('alpha', 'splitlvcopy -f -y cp rawlv 1 hdisk1');
    expect(device(bench, 'cp', 5)).toBe('fresh');
    expect(() => bench.storage.deviceFile('alpha', '/dev/rawlv')).toThrow('no fresh copy');
    expect(bench.volumeNamed('rawlv')).toMatchObject({ copies: 1, stale: 4 });
  });
});

describe('mirror pools', () => {
  it('say where a copy goes, and which copy is split off', async () => {
    const bench = makeBench(directory, { level: '7.3' });
    await bench.ok('alpha', 'mkvg -y poolvg -s 1 -S -M s hdisk1 hdisk2');
    await bench.ok('alpha', 'chpv -p London hdisk1');
    await bench.ok('alpha', 'chpv -p Chicago hdisk2');
    expect(await bench.ok('alpha', 'lsmp poolvg')).toBe(
      'VOLUME GROUP:       poolvg              Mirror Pool Super Strict: yes\n\n' +
        'MIRROR POOL:        Chicago             Mirroring Mode:           SYNC\n' +
        'MIRROR POOL:        London              Mirroring Mode:           SYNC\n',
    );
    await bench.ok('alpha', 'mklv -y rawlv -t raw -c 2 -p copy1=Chicago -p copy2=London poolvg 2');
    expect(bench.volumeNamed('rawlv')?.map).toEqual([
      ['hdisk2:1', 'hdisk1:1'],
      ['hdisk2:2', 'hdisk1:2'],
    ]);
    expect(await bench.ok('alpha', 'lsvg -m poolvg')).toMatch(/^rawlv +Chicago +London +None$/m);
    expect(await bench.ok('alpha', 'lslv rawlv')).toMatch(/^COPY 2 MIRROR POOL: London +$/m);
    expect((await bench.run('alpha', 'splitlvcopy -p Paris -y cp rawlv 1')).code).toBe(1);
    await bench.ok('alpha', 'splitlvcopy -p Chicago -y cp rawlv 1');
    expect(bench.volumeNamed('cp')?.map).toEqual([['hdisk2:1'], ['hdisk2:2']]);
  });
});

describe('a suspended group', () => {
  it('holds writers until it is resumed', async () => {
    const bench = await mirroredGroup(directory);
    await bench.ok('alpha', 'chvg -S datavg');
    let written = false;
    const writing = bench.storage.write('alpha', '/data/file', 'x').then(() => {
      written = true;
    });
    expect(() => bench.storage.writeRaw('alpha', 'rawlv', 0, Buffer.from('x'))).toThrow('suspended');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written).toBe(false);
    await bench.ok('alpha', 'chvg -R datavg');
    await writing;
  });
});

describe('lost disks', () => {
  it('close a group without quorum, and leave copies stale that missed writes', async () => {
    const bench = await mirroredGroup(directory);
    bench.storage.failDisk('hdisk2');
    await bench.storage.write('alpha', '/data/file', 'x');
    await bench.ok('alpha', 'sync');
    expect(bench.volumeNamed('datalv')?.stale).toBeGreaterThan(0);
    bench.storage.repairDisk('hdisk2');
    await bench.ok('alpha', 'syncvg -v datavg');
    expect(bench.volumeNamed('datalv')?.stale).toBe(0);
    bench.storage.failDisk('hdisk1');
    expect(await bench.ok('alpha', 'lsvg -o')).toBe('rootvg\n');
    expect(existsSync(bench.real('alpha', '/data/file'))).toBe(false);
    expect((await bench.run('alpha', 'varyonvg datavg')).stderr).toMatch(/^0516-052/);
    await bench.ok('alpha', 'varyonvg -f -n datavg');
    await bench.ok('alpha', 'fsck -p /dev/datalv');
    await bench.ok('alpha', 'mount /data');
    expect(text(bench, '/data/file')).toBe('x');
  });
});

describe('disks of the cluster', () => {
  it('shows the repository disk as AIX does', async () => {
    const disks = [
      { name: 'hdisk1', megabytes: 16, repository: true },
      { name: 'hdisk2', megabytes: 16 },
    ];
    const bench = makeBench(directory, { disks });
    expect(await bench.ok('beta', 'lspv')).toMatch(/^hdisk1 +\w{16} +caavg_private +active +$/m);
    expect((await bench.run('alpha', 'mkvg -y othervg hdisk1')).code).toBe(1);
  });
});
