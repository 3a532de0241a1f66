import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { backupArchive, backupHeader, pack, security } from '../../test/backup-builder.ts';
import { type CpioForm, cpioArchive } from '../../test/cpio-builder.ts';
import { archive, pax, record } from '../../test/tar-builder.ts';
import { isInstalled, output, populate, scratch } from '../../test/tools.ts';
import { readArchive, readTar } from '../../test/watching.ts';
import { nameBytes } from '../names.ts';
import { watchArchive } from '../watch.ts';
import { type ExtractOptions, extract } from './extract.ts';

const stream = (bytes: Buffer | string) => Readable.from([Buffer.from(bytes)]);

async function attempt(bytes: Buffer, options: Partial<ExtractOptions> = {}) {
  using root = scratch();
  const into = join(root.path, 'into');
  mkdirSync(join(root.path, 'outside'));
  try {
    const result = await extract({ archive: stream(bytes), into, ...options });
    return {
      code: 'done',
      result,
      names: readdirSync(root.path),
      inside: readdirSync(into, { recursive: true }).sort(),
    };
  } catch (error) {
    const { code } = error as { code?: string };
    expect(readdirSync(join(root.path, 'outside'))).toEqual([]);
    const inside = existsSync(into) ? readdirSync(into, { recursive: true }).sort() : [];
    return { code, names: readdirSync(root.path), inside };
  }
}

describe('extract', () => {
  it.each([-86_400, -1.5])('gives back times before 1970: %d', async (mtime) => {
    using root = scratch();
    const into = join(root.path, 'into');
    const timed = (name: string, flag: string) => [
      record({ name: 'x', flag: 'x', body: pax('mtime', String(mtime)) }),
      record({ name, flag, link: flag === '2' ? 'f' : '' }),
    ];
    const bytes = archive(...timed('f', '0'), ...timed('d/', '5'), ...timed('l', '2'));
    await extract({ archive: stream(bytes), into });
    for (const name of ['f', 'd', 'l']) expect(lstatSync(join(into, name)).mtimeMs / 1000).toBe(mtime);
  });

  it.each([2 ** 40, 2 ** 32 - 1])('says of the owner %d, which no system has, that it cannot be given', async (uid) => {
    const bytes = archive(record({ name: 'x', flag: 'x', body: pax('uid', String(uid)) }), record());
    expect(await attempt(bytes, { owners: 'numeric' })).toMatchObject({ code: 'EXTRACT_UNSUPPORTED', inside: [] });
    expect(await attempt(bytes)).toMatchObject({ code: 'done' });
  });

  it.each([-(2 ** 53 - 1), 2 ** 53 - 1])(
    'does not stumble over the time %d, which no file system has',
    async (mtime) => {
      const bytes = archive(record({ name: 'x', flag: 'x', body: pax('mtime', String(mtime)) }), record());
      expect(await attempt(bytes)).toMatchObject({ code: 'done', inside: ['file'] });
    },
  );

  it.skipIf(!isInstalled('tar', /GNU tar/))(
    'gives back what GNU tar archived: content, modes, times, links',
    async () => {
      using root = scratch();
      const from = join(root.path, 'from');
      const into = join(root.path, 'into');
      mkdirSync(from);
      populate(from);
      linkSync(join(from, 'redo01.log'), join(from, 'again'));
      symlinkSync('/etc', join(from, 'etc'));
      utimesSync(join(from, 'bin'), 1_600_000_000, 1_600_000_000);
      const bytes = output('tar', ['-cf', '-', '-C', from, '.']);
      writeFileSync(join(root.path, 'a.tar'), bytes);
      writeFileSync(join(root.path, 'a.catalogue'), readTar(bytes).catalogue);

      const result = await extract({
        archive: join(root.path, 'a.tar'),
        catalogue: join(root.path, 'a.catalogue'),
        into,
      });

      expect(result).toMatchObject({ skipped: 0, summary: { bytes: bytes.length } });
      output('diff', ['-r', '--no-dereference', from, into]);
      expect(lstatSync(join(into, 'again')).ino).toBe(lstatSync(join(into, 'redo01.log')).ino);
      for (const { path } of readTar(bytes).entries) {
        const [was, is] = [from, into].map((base) =>
          lstatSync(Buffer.concat([Buffer.from(`${base}/`), nameBytes(path)])),
        );
        expect([is?.mode, Math.floor((is?.mtimeMs ?? 0) / 1000)]).toEqual([
          was?.mode,
          Math.floor((was?.mtimeMs ?? 0) / 1000),
        ]);
      }
    },
  );

  it.each([
    ['an absolute name', [record({ name: '/outside/x' })], 'EXTRACT_ESCAPES'],
    ['a name with ..', [record({ name: 'a/../../outside/x' })], 'EXTRACT_ESCAPES'],
    ['a directory with ..', [record({ name: '../outside/', flag: '5' })], 'EXTRACT_ESCAPES'],
    [
      'a file through a link',
      [record({ name: 'l', flag: '2', link: '../outside' }), record({ name: 'l/x' })],
      'EXTRACT_ESCAPES',
    ],
    [
      'a directory through a link',
      [record({ name: 'l', flag: '2', link: '../outside' }), record({ name: 'l/', flag: '5' })],
      'EXTRACT_ESCAPES',
    ],
    [
      'a file over a link',
      [record({ name: 'l', flag: '2', link: '../outside/x' }), record({ name: 'l' })],
      'EXTRACT_EXISTS',
    ],
    ['a hard link to the outside', [record({ name: 'l', flag: '1', link: '../outside' })], 'EXTRACT_ESCAPES'],
    ['a hard link to an absolute name', [record({ name: 'l', flag: '1', link: '/etc/passwd' })], 'EXTRACT_ESCAPES'],
    [
      'a hard link through a link',
      [record({ name: 'l', flag: '2', link: '/etc' }), record({ name: 'h', flag: '1', link: 'l/passwd' })],
      'EXTRACT_ESCAPES',
    ],
    ['a hard link to nothing', [record({ name: 'l', flag: '1', link: 'x' })], 'EXTRACT_LINK_MISSING'],
    ['a second file of the same name', [record(), record()], 'EXTRACT_EXISTS'],
    ['a file below a file', [record(), record({ name: 'file/x' })], 'EXTRACT_ESCAPES'],
    ['a file named as the directory itself', [record({ name: '.' })], 'EXTRACT_EXISTS'],
    ['a file with holes', [record({ flag: 'x', body: pax('GNU.sparse.size', '9') }), record()], 'EXTRACT_UNSUPPORTED'],
    ['a device', [record({ flag: '3' })], 'EXTRACT_UNSUPPORTED'],
  ])('refuses %s', async (_, records, code) => {
    expect(await attempt(archive(...records))).toMatchObject({ code, names: ['into', 'outside'] });
  });

  it('extracts what is selected and leaves out what is to be skipped', async () => {
    const bytes = archive(
      record({ name: 'a/b', body: 'x' }),
      record({ name: 'a/c' }),
      record({ name: 'd', flag: '6' }),
    );
    expect(await attempt(bytes, { select: ({ path }) => path === 'a/b' })).toMatchObject({
      code: 'done',
      inside: ['a', 'a/b'],
      result: { files: 1, bytes: 1, skipped: 2 },
    });
    expect(await attempt(bytes, { skip: ({ type }) => type === 'fifo' })).toMatchObject({
      inside: ['a', 'a/b', 'a/c'],
    });
  });

  it('takes back a file that is not what the catalogue says', async () => {
    const bytes = archive(record({ name: 'a', body: 'right' }), record({ name: 'b', body: 'right' }));
    const { catalogue } = readTar(bytes);
    const damaged = Buffer.from(bytes);
    damaged.write('w', 1024 + 512);
    expect(await attempt(damaged, { catalogue: stream(catalogue) })).toMatchObject({
      code: 'EXTRACT_DIFFERS',
      inside: ['a'],
    });
    const retargeted = archive(record({ name: 'l', flag: '2', link: 'x' }));
    const ofLink = readTar(archive(record({ name: 'l', flag: '2', link: 'y' }))).catalogue;
    expect(await attempt(retargeted, { catalogue: stream(ofLink) })).toMatchObject({
      code: 'EXTRACT_DIFFERS',
      inside: [],
    });
    const shorter = archive(record({ name: 'a', body: 'right' }));
    expect((await attempt(shorter, { catalogue: stream(catalogue) })).code).toBe('EXTRACT_DIFFERS');
    expect((await attempt(bytes, { catalogue: stream(catalogue.slice(0, -1)) })).code).toBe('CATALOGUE_INVALID');
  });

  it('touches nothing that it did not write', async () => {
    using root = scratch();
    writeFileSync(join(root.path, 'b'), 'mine');
    const bytes = archive(record({ name: 'a', body: 'right' }), record({ name: 'b', body: 'right' }));
    const { catalogue } = readTar(bytes);
    const damaged = Buffer.from(bytes);
    damaged.write('w', 1024 + 512);
    const into = root.path;
    const skip = ({ path }: { path: string }) => path === 'b';
    const attempts = [
      { archive: stream(damaged), skip },
      { archive: stream(bytes), select: skip },
    ];
    for (const one of attempts)
      await expect(extract({ ...one, catalogue: stream(catalogue), into })).rejects.toMatchObject({
        code: expect.stringMatching(/^EXTRACT_(DIFFERS|EXISTS)$/),
      });
    expect(readFileSync(join(root.path, 'b'), 'utf8')).toBe('mine');
  });

  it('compares with a catalogue whose digest is that of the outline', async () => {
    const bytes = archive(record({ name: 'a', body: 'right' }));
    const pieces: Buffer[] = [];
    const watch = watchArchive('tar', { digest: 'outline', onCatalogue: (lines) => pieces.push(lines) });
    watch.push(bytes);
    watch.end();
    const catalogue = Buffer.concat(pieces);
    expect(await attempt(bytes, { catalogue: stream(catalogue) })).toMatchObject({ code: 'done', inside: ['a'] });
    // Not an entry's content, and nothing that its line tells: but a byte of the archive.
    const damaged = Buffer.from(bytes);
    damaged[1000] = 1;
    expect((await attempt(damaged, { catalogue: stream(catalogue) })).code).toBe('EXTRACT_DIFFERS');
    const ofCpio: Buffer[] = [];
    const watchCpio = watchArchive('cpio', { onCatalogue: (lines) => ofCpio.push(lines) });
    watchCpio.push(cpioArchive('odc', {}));
    watchCpio.end();
    const result = await attempt(bytes, { catalogue: stream(Buffer.concat(ofCpio)) });
    expect(result).toMatchObject({ code: 'ARCHIVE_HEADER_DAMAGED', inside: [] });
  });

  it('takes back the file under way when the archive is cut', async () => {
    const bytes = archive(record({ name: 'a', body: 'whole' }), record({ name: 'b', body: Buffer.alloc(5000) }));
    expect(await attempt(bytes.subarray(0, 3000))).toMatchObject({ code: 'ARCHIVE_TRUNCATED', inside: ['a'] });
  });

  it('drops set-id bits when it does not restore owners', async () => {
    using root = scratch();
    const bytes = archive(record({ name: 'su', mode: '0006755\0' }));
    await extract({ archive: stream(bytes), into: root.path });
    expect(lstatSync(join(root.path, 'su')).mode & 0o7777).toBe(0o755);
    expect(readFileSync(join(root.path, 'su'), 'utf8')).toBe('');
  });

  it.skipIf(process.getuid?.() !== 0)('restores owners by number when it may', async () => {
    using root = scratch();
    const bytes = archive(record({ name: 'su', mode: '0006755\0' }), record({ name: 'l', flag: '2', link: 'su' }));
    await extract({ archive: stream(bytes), into: root.path, owners: 'numeric' });
    expect(lstatSync(join(root.path, 'su'))).toMatchObject({ uid: 202, gid: 1, mode: 0o106755 });
    expect(lstatSync(join(root.path, 'l'))).toMatchObject({ uid: 202, gid: 1 });
  });
});

describe('extract of cpio', () => {
  const forms = ['bin', 'odc', 'newc', 'crc'];
  it.skipIf(!isInstalled('cpio', /GNU cpio/)).each(forms)('gives back what GNU cpio archived as %s', async (form) => {
    using root = scratch();
    const from = join(root.path, 'from');
    const into = join(root.path, 'into');
    mkdirSync(from);
    populate(from);
    linkSync(join(from, 'redo01.log'), join(from, 'again'));
    linkSync(join(from, 'empty'), join(from, 'empty too'));
    utimesSync(join(from, 'bin'), 1_600_000_000, 1_600_000_000);
    const input = output('find', ['.', '-depth', '-print0'], { cwd: from });
    const bytes = output('cpio', ['-o0', '--quiet', '-H', form], { cwd: from, input });
    const { catalogue } = readArchive('cpio', bytes);
    const result = await extract({ archive: stream(bytes), catalogue: stream(catalogue), into });
    expect(result).toMatchObject({ skipped: 0, summary: { bytes: bytes.length } });
    output('diff', ['-r', '--no-dereference', from, into]);
    const inode = (name: string) => lstatSync(join(into, name)).ino;
    const isLinked = form === 'newc' || form === 'crc';
    expect([inode('again') === inode('redo01.log'), inode('empty') === inode('empty too')]).toEqual([
      isLinked,
      isLinked,
    ]);
    expect(lstatSync(join(into, 'bin')).mtimeMs).toBe(1_600_000_000_000);
    expect(lstatSync(join(into, 'bin/start.sh')).mode).toBe(0o100755);
  });

  const cpioForms: CpioForm[] = ['be', 'le', 'odc', 'newc', 'crc'];
  const link = { name: 'l', mode: 0o120777, body: '../outside' };
  it.each(cpioForms)('lets nothing out of the directory: %s', async (form) => {
    const refused = async (...entries: Parameters<typeof cpioArchive>[1][]) =>
      attempt(cpioArchive(form, ...entries.map((entry) => entry ?? {})));
    for (const name of ['/outside/x', '../outside/x', 'a/../../outside/x']) {
      expect(await refused({ name, body: 'x' })).toMatchObject({ code: 'EXTRACT_ESCAPES' });
    }
    expect(await refused(link, { name: 'l/x', body: 'x' })).toMatchObject({ code: 'EXTRACT_ESCAPES' });
    expect(await refused(link, { name: 'l/', mode: 0o040755 })).toMatchObject({ code: 'EXTRACT_ESCAPES' });
    expect(await refused(link, { name: 'l', body: 'x' })).toMatchObject({ code: 'EXTRACT_EXISTS' });
    expect(await refused({ name: 'd', mode: 0o060600 })).toMatchObject({ code: 'EXTRACT_UNSUPPORTED' });
  });

  const [first, second] = [
    { name: 'a', nlink: 2 },
    { name: 'b', nlink: 2, body: 'content' },
  ];
  it('joins names of one file whichever of them has the content, and no others', async () => {
    using root = scratch();
    await extract({ archive: stream(cpioArchive('newc', first, second)), into: root.path });
    expect(readFileSync(join(root.path, 'a'), 'utf8')).toBe('content');
    expect(lstatSync(join(root.path, 'a')).nlink).toBe(2);
    const without = { skip: ({ path }: { path: string }) => path === 'b' };
    expect(await attempt(cpioArchive('newc', first, second), without)).toMatchObject({ code: 'EXTRACT_LINK_MISSING' });
    // In odc an equal number may be that of another file.
    using other = scratch();
    await extract({ archive: stream(cpioArchive('odc', first, second)), into: other.path });
    expect([lstatSync(join(other.path, 'a')).size, lstatSync(join(other.path, 'b')).nlink]).toEqual([0, 1]);
  });

  it('joins no name to content that the catalogue does not know', async () => {
    const bytes = cpioArchive('newc', first, second, { name: 'c' });
    const { catalogue } = readArchive('cpio', bytes);
    const damaged = Buffer.from(bytes);
    damaged.write('C', bytes.indexOf('content'));
    expect(await attempt(damaged, { catalogue: stream(catalogue) })).toMatchObject({
      code: 'EXTRACT_DIFFERS',
      inside: [],
    });
  });

  it('takes back a file that has not the sum stated for it', async () => {
    const bytes = cpioArchive('crc', { name: 'a', body: 'right' }, { name: 'b', body: 'right', check: 1 });
    expect(await attempt(bytes)).toMatchObject({ code: 'ARCHIVE_DATA_DAMAGED', inside: ['a'] });
  });

  it('does not mind how the stream is cut into chunks', async () => {
    const bytes = cpioArchive('newc', first, second);
    async function* single() {
      for (const byte of bytes) yield Buffer.from([byte]);
    }
    expect(await attempt(bytes, { archive: single() })).toMatchObject({ code: 'done', inside: ['a', 'b'] });
    expect(await attempt(bytes.subarray(0, 100))).toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
    expect(await attempt(Buffer.alloc(0))).toMatchObject({ code: 'ARCHIVE_EMPTY' });
    expect(await attempt(Buffer.alloc(2000, 'x'))).toMatchObject({ code: 'ARCHIVE_HEADER_DAMAGED' });
  });
});

describe('extract of backup -i', () => {
  const text = Buffer.from('record of the journal\n'.repeat(50));
  const tree = [
    { name: './d', mode: 0o040750 },
    { name: './d/plain', body: 'plain', mode: 0o100600 },
    { name: './packed', packed: pack(text), size: text.length },
    { name: './l', mode: 0o120777, size: 8, raw: Buffer.from('d/plain\0') },
  ];

  it('gives back files, packed ones decoded, directories and links', async () => {
    using root = scratch();
    const bytes = backupArchive(...tree.slice(0, 3), { ...tree[3], size: 7 });
    const { catalogue } = readArchive('backup', bytes);
    const result = await extract({ archive: stream(bytes), catalogue: stream(catalogue), into: root.path });
    expect(result).toMatchObject({ files: 2, bytes: 5 + text.length });
    expect(readFileSync(join(root.path, 'l'), 'utf8')).toBe('plain');
    expect(readFileSync(join(root.path, 'packed')).equals(text)).toBe(true);
    expect([lstatSync(join(root.path, 'd')).mode, lstatSync(join(root.path, 'd/plain')).mode]).toEqual([
      0o040750, 0o100600,
    ]);
  });

  it.each<[string, string, Buffer]>([
    ['an absolute name', 'EXTRACT_ESCAPES', backupArchive({ name: '/outside/x', body: 'x' })],
    ['a name with ..', 'EXTRACT_ESCAPES', backupArchive({ name: '../outside/x', body: 'x' })],
    [
      'a file through a link',
      'EXTRACT_ESCAPES',
      backupArchive({ name: 'l', mode: 0o120777, size: 7, raw: Buffer.from('outside\0') }, { name: 'l/x', body: 'x' }),
    ],
    [
      'a further name without content',
      'EXTRACT_UNSUPPORTED',
      backupArchive({ name: 'a', body: 'x', nlink: 2 }, { name: 'b', nlink: 2, size: 1, raw: security() }),
    ],
    [
      'attributes of -U',
      'EXTRACT_UNSUPPORTED',
      backupArchive({ name: 'a', body: 'x' }, backupHeader(14, Buffer.alloc(26)), { name: 'b' }),
    ],
    ['a device', 'EXTRACT_UNSUPPORTED', backupArchive({ mode: 0o060600, raw: security() })],
    [
      'a packed member that is damaged',
      'ARCHIVE_DATA_DAMAGED',
      backupArchive({ packed: pack(text).subarray(0, -4), size: text.length }),
    ],
  ])('refuses %s', async (_, code, bytes) => {
    const result = await attempt(bytes);
    expect(result.code).toBe(code);
    expect(result.inside).not.toContain('b');
    if (code !== 'EXTRACT_ESCAPES') expect(result.inside).toEqual(/further/.test(_) ? ['a'] : []);
  });

  it('stops its sources however it ends', async () => {
    const stopped: string[] = [];
    async function* source(name: string, bytes: Buffer) {
      try {
        for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
      } finally {
        stopped.push(name);
      }
    }
    const bytes = backupArchive({ name: '../x', body: Buffer.alloc(5000) });
    const catalogue = Buffer.from(readArchive('backup', bytes).catalogue);
    const options = { archive: source('archive', bytes), catalogue: source('catalogue', catalogue) };
    expect(await attempt(bytes, options)).toMatchObject({ code: 'EXTRACT_ESCAPES' });
    expect(stopped.sort()).toEqual(['archive', 'catalogue']);
    const missing = { archive: '/nonexistent/archive', catalogue: source('catalogue', catalogue) };
    expect(await attempt(bytes, missing)).toMatchObject({ code: 'EXTRACT_FILE_SYSTEM' });
    expect(stopped).toHaveLength(3);
  });

  it('tells what the file system refuses, of which name', async () => {
    const long = 'n'.repeat(300);
    const named = (name: string, flag = '0') => [
      record({ flag: 'x', body: pax('path', name) }),
      record({ name: 'x', flag, link: flag === '2' ? 'f' : '' }),
    ];
    for (const flag of ['0', '2', '5']) {
      const bytes = archive(record({ name: 'a' }), ...named(`d/${long}`, flag), record({ name: 'b' }));
      const result = await attempt(bytes);
      expect(result).toMatchObject({ code: 'EXTRACT_FILE_SYSTEM', inside: ['a', 'd'] });
    }
    using root = scratch();
    const into = join(root.path, 'into');
    await expect(extract({ archive: stream(archive(...named(`a\u001b/${long}`))), into })).rejects.toMatchObject({
      name: 'ExtractError',
      path: `a\u001b/${long}`,
      message: `a\\x1b/${long}: ENAMETOOLONG: name too long`,
      remedy: expect.stringMatching(/skip/),
      cause: { code: 'ENAMETOOLONG' },
    });
  });

  describe('with a signal', () => {
    const bytes = archive(record({ name: 'a', body: 'whole' }), record({ name: 'b', body: Buffer.alloc(50_000) }));
    const reason = new Error('enough');

    /** What has come so far; then nothing, for ever. */
    async function* stalled(...chunks: Buffer[]) {
      yield* chunks;
      await new Promise(() => {});
    }

    const [first, opening] = [bytes.subarray(0, 9000), readTar(bytes).catalogue.split('\n')[0]];

    it.each<[string, (abort: () => void) => Partial<ExtractOptions>, string[]]>([
      [
        'while entries come',
        (abort) => ({
          archive: Readable.from([first, bytes.subarray(9000)]),
          select() {
            abort();
            return true;
          },
        }),
        ['a'],
      ],
      ['while nothing comes any more', () => ({ archive: stalled(first) }), ['a']],
      ['while nothing of the catalogue comes', () => ({ catalogue: stalled(Buffer.from(`${opening}\n`)) }), []],
    ])('stops with its reason when it is aborted %s', async (_, options, left) => {
      using root = scratch();
      const into = join(root.path, 'into');
      const controller = new AbortController();
      const abort = () => controller.abort(reason);
      const sources = { archive: stream(bytes), ...options(abort) };
      const extracting = extract({ ...sources, into, signal: controller.signal });
      setTimeout(abort, 50);
      await expect(extracting).rejects.toBe(reason);
      expect(readdirSync(into)).toEqual(left);
    });

    it('starts nothing when it is aborted before', async () => {
      using root = scratch();
      const into = join(root.path, 'into');
      await expect(extract({ archive: stream(bytes), into, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(existsSync(into)).toBe(false);
    });

    it('reads files as it does without one', async () => {
      using root = scratch();
      const [file, catalogue, into] = [join(root.path, 'a.tar'), join(root.path, 'catalogue'), join(root.path, 'into')];
      writeFileSync(file, bytes);
      writeFileSync(catalogue, readTar(bytes).catalogue);
      const { signal } = new AbortController();
      expect(await extract({ archive: file, catalogue, into, signal })).toMatchObject({ files: 2, bytes: 50_005 });
    });
  });

  it('tells which file cannot be read or made', async () => {
    using root = scratch();
    const into = join(root.path, 'into');
    const bytes = archive(record({ name: 'a' }));
    const [file, missing] = [join(root.path, 'file'), join(root.path, 'missing')];
    writeFileSync(file, bytes);
    const failure = (options: Partial<ExtractOptions>) =>
      extract({ archive: file, into, ...options }).catch(({ code, path }) => ({ code, path }));
    expect(await failure({ archive: missing })).toEqual({ code: 'EXTRACT_FILE_SYSTEM', path: missing });
    expect(await failure({ catalogue: missing })).toEqual({ code: 'EXTRACT_FILE_SYSTEM', path: missing });
    const below = join(file, 'into');
    expect(await failure({ into: below })).toEqual({ code: 'EXTRACT_FILE_SYSTEM', path: below });
    expect(await failure({ into: file })).toEqual({ code: 'EXTRACT_EXISTS', path: file });
    // What the caller's own stream says is the caller's.
    const broken = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    async function* reading() {
      yield bytes;
      throw broken;
    }
    await expect(extract({ archive: reading(), into })).rejects.toBe(broken);
  });

  it('refuses what has no entries', async () => {
    const first = Buffer.alloc(1024);
    first.writeInt32BE(1, 0);
    first.writeInt32BE(60_012, 24);
    expect(await attempt(first)).toMatchObject({ code: 'EXTRACT_UNSUPPORTED' });
  });
});
