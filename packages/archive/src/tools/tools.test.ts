import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, localHost, members, type Pipeline, renderCommand, type StreamOutcome } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { archive, record } from '../../test/tar-builder.ts';
import { isInstalled, output, scratch } from '../../test/tools.ts';
import { readTar, refusal } from '../../test/watching.ts';
import { type ArchiveTool, backup, backupByInode, cpio, dd, tar, watchArchive } from '../index.ts';

const ended = (stderr = '', ...memberCodes: number[]): StreamOutcome => ({
  kind: 'ended',
  memberCodes: memberCodes.length > 0 ? memberCodes : [0],
  stderr,
  durationMs: 1,
});
const seen = readTar(archive(record({ body: 'abc' }))).summary;
const codes = (verdict: ReturnType<typeof tar.judge>) =>
  verdict.kind === 'good' ? 'good' : verdict.reasons.map(({ code }) => code);

const directory = { directory: '/data' };
const contract = [
  { tool: tar, sources: [directory], bad: [{ directory: 'data' }, { directory: '/data/../etc' }], target: directory },
  {
    tool: cpio,
    sources: [directory, { ...directory, newerThan: '/s' }],
    bad: [{ directory: 'data' }, { ...directory, newerThan: 's' }],
    target: directory,
  },
  {
    tool: backup,
    sources: [directory, { ...directory, newerThan: '/s' }],
    bad: [{ directory: '' }, { ...directory, newerThan: '-s' }],
    target: directory,
  },
  {
    tool: backupByInode,
    sources: [{ fileSystem: '/data', level: 0, dumpdates: 'leave' }],
    bad: [
      { fileSystem: 'data', level: 0, dumpdates: 'leave' },
      { fileSystem: '/data', level: 1.5, dumpdates: 'leave' },
    ],
    target: directory,
  },
  {
    tool: dd,
    sources: [{ device: '/dev/rx', lvcb: 'keep' }],
    bad: [{ device: 'rx', lvcb: 'keep' }, { device: '/dev/rx' }],
    target: { device: '/dev/rx', lvcb: 'keep' },
  },
];

describe.each(contract)('every archive tool: $tool.name', ({ tool, sources, bad, target }) => {
  const { create, preflight, restore } = tool as unknown as ArchiveTool<unknown>;

  it('reads the node to create and to list, and changes it only to restore', () => {
    const reading = [
      ...sources.map(create),
      ...sources.flatMap((source) => preflight(source, '7200-05').map(({ run }) => run)),
    ];
    const list = tool.list();
    for (const command of list === null ? reading : [...reading, list]) {
      expect(members(command).map(({ effect }) => effect)).not.toContain('changes');
    }
    expect(members(restore(target)).every(({ effect }) => effect === 'changes')).toBe(true);
  });

  it('refuses a source or target that could be read as anything else', () => {
    for (const source of bad) expect(() => create(source)).toThrow(RangeError);
    const [name] = Object.keys(target);
    expect(() => restore({ ...target, [name ?? '']: '-rf' })).toThrow(RangeError);
  });

  it('tells a line that it does not know from a harmless one, and does not pass it', () => {
    expect(tool.classify('\u0001 something nobody wrote before')).toBe('unknown');
    expect(codes(tool.judge({ outcome: ended('something nobody wrote before'), seen }))).toEqual(['STDERR_UNKNOWN']);
    expect(codes(tool.judge({ outcome: ended('', 0, 1), seen }))).toEqual(['STATUS']);
    expect(tool.judge({ outcome: ended('', 0, 0), seen }).kind).toBe('good');
  });

  it('has a name, an extension, and says what it does not carry', () => {
    expect(tool.name).toMatch(/^[a-z-]+$/);
    expect(tool.extension).toMatch(/^\.[a-z]+$/);
    expect(tool.limits.omits.length).toBeGreaterThan(0);
  });
});

describe('tar', () => {
  it('archives a directory relative to itself, to standard output', () => {
    const source = { directory: '/splitmirror/k3f9q2/datalv' };
    expect(renderCommand(tar.create(source))).toBe('tar -cf - -C /splitmirror/k3f9q2/datalv .');
    expect(renderCommand(tar.restore(source))).toBe('tar -xpBf - -C /splitmirror/k3f9q2/datalv');
    expect(members(tar.create(source)).map(({ effect }) => effect)).toEqual(['reads']);
    expect(members(tar.restore(source)).map(({ effect }) => effect)).toEqual(['changes']);
  });

  it('archives named members of a directory', () => {
    const [shell, flag, , , ...words] =
      members(tar.create({ directory: '/data', members: ['./a b', './c'] }))[0]?.argv ?? [];
    expect([shell, flag, ...words]).toEqual(['sh', '-c', '/data', 'tar', '-cf', '-', './a b', './c']);
    expect(() => tar.create({ directory: '/data', members: ['-rf'] })).toThrow(RangeError);
  });

  it.each(['data', '-C', '', '/data/../etc', '/data/.', '/a\0b'])('refuses the directory %j', (directory) => {
    expect(() => tar.create({ directory })).toThrow(RangeError);
    expect(() => tar.create({ directory, members: ['./a'] })).toThrow(RangeError);
  });

  it.each([
    ['a ./redo01.log 137 blocks.', 'harmless'],
    ['a ./current symbolic link to redo01.log.', 'harmless'],
    ['x ./redo01.log, 70000 bytes, 137 media blocks.', 'harmless'],
    ['tar: ./lock: socket ignored', 'warning'],
    ['tar: ./redo01.log: file changed as we read it', 'fatal'],
    ['tar: 0511-169 A directory checksum error on media; 0 not equal to 2561.', 'fatal'],
    ['./gone: 0511-089 cannot open', 'fatal'],
    ['Terminated', 'unknown'],
  ])('reads %j as %s', (line, expected) => {
    expect(tar.classify(line)).toBe(expected);
  });
});

describe('dd', () => {
  it('has to be told what becomes of the control block', () => {
    const device = '/dev/rsmk3f9q2201';
    const argv = (command: Command | Pipeline) => members(command).map((member) => member.argv.join(' '));
    expect(argv(dd.create({ device, lvcb: 'keep' }))).toEqual([`dd if=${device} bs=1024k`]);
    expect(argv(dd.create({ device, lvcb: 'skip' }))).toEqual([`dd if=${device} bs=512 skip=1`]);
    expect(argv(dd.restore({ device, lvcb: 'keep' }))).toEqual([`dd of=${device} ibs=64k obs=1024k`]);
    expect(argv(dd.restore({ device, lvcb: 'skip' }))).toEqual([`dd of=${device} ibs=64k obs=512 seek=1`]);
    expect([dd.archiveBytes(4096, 'keep'), dd.archiveBytes(4096, 'skip')]).toEqual([4096, 3584]);
    expect(() => dd.create({ device } as Parameters<typeof dd.create>[0])).toThrow('lvcb must be stated');
  });

  it.each([Number.NaN, -4096, 511, 4096.5])('counts no bytes of a volume of %d', (bytes) => {
    const message = `must be a whole number from 512: it is ${bytes}`;
    expect(() => dd.archiveBytes(bytes, 'keep')).toThrow(new RangeError(`volumeBytes ${message}`));
  });

  it.each([
    ['128+0 records in.', 'harmless'],
    ['0+1 records out', 'harmless'],
    ['134217728 bytes (134 MB, 128 MiB) copied, 0.1 s, 1.3 GB/s', 'harmless'],
    ['dd: 0511-051 The read failed.', 'fatal'],
    ['dd: failed to open', 'fatal'],
    ['1 truncated record', 'unknown'],
  ])('reads %j as %s', (line, expected) => {
    expect(dd.classify(line)).toBe(expected);
  });

  it('passes a volume whose bytes all came, and no other', () => {
    const watch = watchArchive('raw', { expectedBytes: 4 });
    watch.push(Buffer.from('abcd'));
    const summary = watch.end();
    const outcome = ended('0+1 records in\n0+1 records out\n');
    expect(dd.judge({ outcome, seen: summary, expected: { bytes: 4 } }).kind).toBe('good');
    expect(codes(dd.judge({ outcome, seen: summary, expected: { bytes: 5 } }))).toEqual(['SIZE_DIFFERS']);
    for (const bytes of [Number.NaN, -1, 0.5]) {
      const message = `must be a whole number from 0: it is ${bytes}`;
      expect(() => watchArchive('raw', { expectedBytes: bytes })).toThrow(new RangeError(`expectedBytes ${message}`));
      expect(() => dd.judge({ outcome, seen: summary, expected: { bytes } })).toThrow(
        new RangeError(`expected.bytes ${message}`),
      );
    }
  });
});

describe('cpio, backup', () => {
  const argv = (command: Command | Pipeline) => members(command).map((member) => member.argv.slice(4).join(' '));
  const source = { directory: '/splitmirror/k3f9q2/datalv' };

  it('archive the names that find prints, in the directory', () => {
    expect(argv(cpio.create(source))).toEqual([`${source.directory} find . -print`, `${source.directory} cpio -oc`]);
    expect(argv(backup.create({ ...source, newerThan: '/var/adm/stamp' }))).toEqual([
      `${source.directory} find . -newer /var/adm/stamp -print`,
      `${source.directory} backup -iqf -`,
    ]);
    expect(renderCommand(cpio.create(source)).split(' | ')[0]).toBe(
      `sh -c 'cd "$1" && shift && exec "$@"' sh ${source.directory} find . -print`,
    );
  });

  it('restore everything, or named members and nothing that looks like them', () => {
    expect(argv(cpio.restore(source))).toEqual([`${source.directory} cpio -icdmu`]);
    expect(argv(cpio.restore(source, ['./a*[b]']))).toEqual([`${source.directory} cpio -icdmu ./a\\*\\[b]`]);
    expect(argv(backup.restore(source, ['./a']))).toEqual([`${source.directory} restore -xdqf - ./a`]);
    expect(argv(backupByInode.restore(source))).toEqual([`${source.directory} restore -rBqf -`]);
    expect(argv(backupByInode.restore(source, ['./a']))).toEqual([`${source.directory} restore -xdBqf - ./a`]);
    expect(members(tar.restore(source, ['./a']))[0]?.argv.at(-1)).toBe('./a');
    for (const name of ['-rf', '', 'a\0', '\udcff']) {
      for (const tool of [tar, cpio, backup]) expect(() => tool.restore(source, [name])).toThrow(RangeError);
    }
    expect(() => dd.restore({ device: '/dev/rx', lvcb: 'keep' }, ['a'])).toThrow(RangeError);
  });

  it('take no list that names nothing: without members their commands are for everything', () => {
    const directory = '/live';
    for (const tool of [tar, cpio, backup]) expect(() => tool.restore({ directory }, [])).toThrow(RangeError);
    expect(() => backupByInode.restore({ directory }, [])).toThrow(RangeError);
    expect(() => tar.create({ directory, members: [] })).toThrow(RangeError);
    expect(renderCommand(tar.restore({ directory }, undefined))).toBe('tar -xpBf - -C /live');
  });

  it('list an archive from their input', () => {
    const lists = [tar, cpio, backup, backupByInode, dd].map((tool) => tool.list()?.argv.join(' ') ?? null);
    expect(lists).toEqual(['tar -tBf -', 'cpio -itc', 'restore -Tqf -', 'restore -TBqf -', null]);
  });

  it('archive by inode at a level, and touch the record of levels only when told to', () => {
    const create = (level: number, dumpdates: 'record' | 'leave') =>
      members(backupByInode.create({ fileSystem: '/data', level: level as 0, dumpdates }))[0]?.argv.join(' ');
    expect(create(0, 'leave')).toBe('backup -0 -f - /data');
    expect(create(3, 'record')).toBe('backup -3 -u -f - /data');
    for (const level of [10, -1, 0.5, Number.NaN]) {
      expect(() => create(level, 'leave')).toThrow(
        new RangeError(`level must be a whole number from 0 to 9: it is ${level}`),
      );
    }
  });

  it.each([
    [cpio, '512 blocks', 'harmless'],
    [cpio, 'cpio: 0511-903 x', 'fatal'],
    [cpio, 'find: 0652-081 cannot access', 'fatal'],
    [cpio, 'hm', 'unknown'],
    [backup, 'Backing up to -', 'harmless'],
    [backup, 'Cluster 51200 bytes (100 blocks).', 'harmless'],
    [backup, 'Volume 1 on -', 'harmless'],
    [backup, 'a         159 ./lpp_name', 'harmless'],
    [backup, 'total size: 159', 'harmless'],
    [backup, 'Done at Fri Aug  2 10:21:19 2013; 100 blocks on 1 volume(s)', 'harmless'],
    [backup, 'cannot open ./redo.log: No such file or directory', 'fatal'],
    [backup, 'backup: 0511-089 Cannot open x', 'fatal'],
    [backup, 'Mount volume 2 on -.', 'fatal'],
    [backup, 'hm', 'unknown'],
  ] as const)('%# classify %s', (tool, line, expected) => {
    expect(tool.classify(line)).toBe(expected);
  });

  it.skipIf(!isInstalled('cpio', /GNU cpio/))(
    'cpio: what real commands archive is whole, and restores the same',
    async () => {
      using root = scratch();
      const directory = join(root.path, 'from');
      const into = join(root.path, "into'");
      mkdirSync(directory);
      mkdirSync(into);
      writeFileSync(join(directory, 'redo.log'), 'x'.repeat(1000));
      symlinkSync('redo.log', join(directory, 'current'));
      const host = localHost('here', { path: process.env.PATH });
      const { stdout, outcome } = await host.stream(cpio.create({ directory }), { timeoutSeconds: 20 });
      const watch = watchArchive('cpio');
      const chunks: Buffer[] = [];
      for await (const chunk of stdout) {
        watch.push(chunk);
        chunks.push(chunk);
      }
      const verdict = cpio.judge({ outcome: await outcome, seen: watch.end() });
      await host.close();
      expect(verdict).toEqual({ kind: 'good', accepted: [] });
      const [program, ...args] = members(cpio.restore({ directory: into }, ['redo.log']))[0]?.argv ?? [''];
      output(program, args, { input: Buffer.concat(chunks) });
      expect(readdirSync(into)).toEqual(['redo.log']);
    },
  );
});

describe('judge', () => {
  it('passes an archive against which nothing speaks', () => {
    expect(tar.judge({ outcome: ended('a ./file 1 blocks.\n'), seen })).toEqual({ kind: 'good', accepted: [] });
  });

  it('lists every reason, with what was seen and what to do', () => {
    const outcome = ended('tar: ./a: 0511-089 cannot open\nodd\ntar: ./s: socket ignored\n', 1, 0);
    const verdict = tar.judge({ outcome, seen });
    expect(codes(verdict)).toEqual(['STATUS', 'STDERR_FATAL', 'STDERR_UNKNOWN', 'STDERR_WARNING']);
    expect(verdict).toMatchObject({
      reasons: [
        { message: 'command 1 of 2 ended with status 1' },
        { seen: 'tar: ./a: 0511-089 cannot open', remedy: expect.stringContaining('archive again') },
        { seen: 'odd' },
        {},
      ],
    });
  });

  it.each<[StreamOutcome, string]>([
    [{ kind: 'timed-out', stderr: '' }, 'TIMED_OUT'],
    [{ kind: 'cancelled', stderr: '' }, 'CANCELLED'],
    [{ kind: 'unknown', reason: 'link lost', stderr: '' }, 'OUTCOME_UNKNOWN'],
  ])('does not pass an archive whose command ended as %j', (outcome, code) => {
    expect(codes(tar.judge({ outcome, seen }))).toEqual([code]);
  });

  it('does not pass an archive that was not seen whole, whatever the status says', () => {
    expect(refusal(record())).toBe('ARCHIVE_END_MISSING');
    const error = (() => {
      try {
        return readTar(record()).summary;
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    const verdict = tar.judge({ outcome: ended(), seen: error, accept: ['NO_FILES', 'STDERR_UNKNOWN'] });
    expect(verdict).toMatchObject({
      kind: 'failed',
      reasons: [{ code: 'NOT_WHOLE', seen: expect.stringContaining('ARCHIVE_END_MISSING') }],
    });
    const names = { missing: ['./gone'], changed: [{ path: './a', archived: 1, onDisk: 2 }] };
    expect(codes(tar.judge({ outcome: ended(), seen, expected: { names } }))).toEqual(['NAME_MISSING', 'SIZE_CHANGED']);
    expect(codes(tar.judge({ outcome: ended(), seen: new Error('disk full') }))).toEqual(['NOT_WHOLE']);
  });

  it('does not pass an archive without a single file, unless the policy accepts that', () => {
    const empty = readTar(archive(record({ name: './', flag: '5' }))).summary;
    expect(codes(tar.judge({ outcome: ended(), seen: empty }))).toEqual(['NO_FILES']);
    expect(tar.judge({ outcome: ended(), seen: empty, accept: ['NO_FILES'] })).toMatchObject({
      kind: 'good',
      accepted: [{ code: 'NO_FILES' }],
    });
  });
});
