import { createHash } from 'node:crypto';
import {
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { nameBytes, nameOf } from '../src/index.ts';
import { isInstalled, output, populate, scratch } from './tools.ts';
import { readArchive, readTar } from './watching.ts';

/** Writers of tar, each with the formats that it knows. */
const writers = [
  {
    name: 'GNU tar',
    found: isInstalled('tar', /GNU tar/),
    formats: ['v7', 'ustar', 'gnu', 'oldgnu', 'pax', 'posix'],
    write: (format: string, root: string, small: boolean) =>
      output('tar', [
        `--format=${format}`,
        '-cf',
        '-',
        '-C',
        root,
        ...(small ? ['--no-recursion', ...shortNames] : ['.']),
      ]),
  },
  {
    name: 'bsdtar',
    found: isInstalled('bsdtar', /bsdtar/),
    formats: ['v7tar', 'ustar', 'gnutar', 'pax'],
    write: (format: string, root: string, small: boolean) =>
      output('bsdtar', [
        `--format=${format}`,
        '-cf',
        '-',
        '-C',
        root,
        ...(small ? ['--no-recursion', ...shortNames] : ['.']),
      ]),
  },
  {
    name: 'GNU cpio',
    found: isInstalled('cpio', /GNU cpio/),
    formats: ['tar', 'ustar'],
    write: (format: string, root: string) =>
      output('cpio', ['-o', '--quiet', '-H', format], { cwd: root, input: `${shortNames.join('\n')}\n` }),
  },
];

/** What fits into any header. */
const shortNames = ['redo01.log', 'again', 'empty', 'bin', 'bin/start.sh', 'block', 'current', 'empty-directory'];
const carriesAll = new Set(['gnu', 'oldgnu', 'pax', 'posix', 'gnutar']);

describe('archives of other writers', () => {
  for (const writer of writers) {
    for (const format of writer.formats) {
      it.skipIf(!writer.found)(`${writer.name} as ${format}: every entry as it is on disk`, () => {
        using root = scratch();
        populate(root.path);
        linkSync(join(root.path, 'redo01.log'), join(root.path, 'again'));
        const bytes = writer.write(format, root.path, !carriesAll.has(format));
        const { entries, summary } = readTar(bytes, 65_536);

        expect(summary).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes), entries: entries.length });
        const names = entries.map((entry) => entry.path.replace(/^\.\//, '').replace(/\/$/, ''));
        const listed = list(bytes);
        expect(entries.map((entry) => entry.path)).toEqual(listed);
        expect(names).toEqual(expect.arrayContaining(['redo01.log', 'again', 'bin/start.sh', 'current']));
        for (const entry of entries) {
          const path = Buffer.concat([Buffer.from(`${root.path}/`), nameBytes(entry.path.replace(/\/$/, ''))]);
          const onDisk = lstatSync(path);
          expect([entry.mode, entry.uid, entry.gid, Math.floor(entry.mtime)]).toEqual([
            onDisk.mode & 0o7777,
            onDisk.uid,
            onDisk.gid,
            Math.floor(onDisk.mtimeMs / 1000),
          ]);
          if (entry.type === 'file') {
            const content = readFileSync(path);
            expect([entry.size, entry.sha256]).toEqual([content.length, sha256(content)]);
            expect(bytes.subarray(entry.dataOffset, entry.dataOffset + entry.size)).toEqual(content);
          }
          if (entry.type === 'symlink') expect(entry.link).toBe(readlinkSync(path, 'utf8'));
          if (entry.type === 'hardlink') expect(onDisk.nlink).toBe(2);
          expect(entry.type === 'directory').toBe(onDisk.isDirectory());
        }
        if (format !== 'v7' && format !== 'v7tar')
          expect(entries.some((entry) => entry.type === 'hardlink')).toBe(true);
      });
    }
  }
});

it.skipIf(!isInstalled('tar', /GNU tar/)).each([
  ['gnu', -86_400],
  ['oldgnu', -86_400],
  ['pax', -86_400],
  ['pax', -1.5],
])('GNU tar as %s: owners and times beyond octal digits, such as %d', (format, mtime) => {
  using root = scratch();
  populate(root.path);
  const numbers = ['--owner=oracle:4000000000', '--group=dba:3000000', `--mtime=@${mtime}`];
  const bytes = output('tar', [`--format=${format}`, ...numbers, '-cf', '-', '-C', root.path, '.']);
  const { entries } = readTar(bytes, 1000);
  expect(entries.length).toBeGreaterThan(5);
  for (const entry of entries) {
    expect(entry).toMatchObject({ uid: 4_000_000_000, gid: 3_000_000, user: 'oracle', group: 'dba', mtime });
  }
});

it('tar-stream: every entry as it was packed', async () => {
  const packer = pack();
  const mtime = new Date(1_700_000_000_000);
  const long = `${'deep/'.repeat(50)}name`;
  packer.entry({ name: 'd/', type: 'directory', mode: 0o750, mtime });
  packer.entry({ name: 'd/file', uid: 202, gid: 1, uname: 'oracle', mode: 0o640, mtime }, 'content');
  packer.entry({ name: long, mtime }, Buffer.alloc(1000, 'x'));
  packer.entry({ name: 'größe', mtime, pax: { 'VENDOR.key': 'value' } }, '');
  packer.entry({ name: 'l', type: 'symlink', linkname: 'd/file', mtime });
  packer.entry({ name: 'h', type: 'link', linkname: 'd/file', mtime });
  packer.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of packer as AsyncIterable<Buffer>) pieces.push(piece);
  const { entries } = readTar(Buffer.concat(pieces), 100);
  expect(entries.map(({ path, type, link }) => [path, type, link])).toEqual([
    ['d/', 'directory', null],
    ['d/file', 'file', null],
    [long, 'file', null],
    ['größe', 'file', null],
    ['l', 'symlink', 'd/file'],
    ['h', 'hardlink', 'd/file'],
  ]);
  expect(entries[1]).toMatchObject({ uid: 202, gid: 1, user: 'oracle', mode: 0o640, mtime: 1_700_000_000 });
  expect(entries[1]?.sha256).toBe(sha256(Buffer.from('content')));
  expect(entries[2]?.sha256).toBe(sha256(Buffer.alloc(1000, 'x')));
  expect(entries[3]?.attributes).toEqual(['VENDOR.key']);
});

describe('sparse files of GNU tar', () => {
  const ways = [['gnu'], ['oldgnu'], ['posix', '0.0'], ['posix', '0.1'], ['posix', '1.0']];
  it.skipIf(!isInstalled('tar', /GNU tar/)).each(ways)(
    '%s %s: named with their size, and not called read',
    (format, version) => {
      using root = scratch();
      const file = openSync(join(root.path, 'holes'), 'w');
      // More pieces than a header has room for, and than one block of the map.
      for (let piece = 0; piece < 40; piece += 1) writeSync(file, 'data', piece * 131_072);
      closeSync(file);
      writeFileSync(join(root.path, 'plain'), 'plain');
      const how = [`--format=${format}`, ...(version === undefined ? [] : [`--sparse-version=${version}`])];
      const bytes = output('tar', [...how, '-Scf', '-', '-C', root.path, 'holes', 'plain']);
      for (const size of [511, bytes.length]) {
        const { entries, summary } = readTar(bytes, size);
        expect(entries).toMatchObject([
          { path: 'holes', size: 39 * 131_072 + 4, sha256: null, partial: true, attributes: ['GNU.sparse'] },
          { path: 'plain', size: 5, partial: false, sha256: sha256(Buffer.from('plain')) },
        ]);
        expect(summary).toMatchObject({ entries: 2, partial: 1 });
      }
    },
  );
});

describe('cpio archives of other writers', () => {
  const cases = [
    ...['bin', 'odc', 'newc', 'crc'].map((form) => ({
      name: `GNU cpio as ${form}`,
      found: isInstalled('cpio', /GNU cpio/),
      write: (root: string) =>
        output('cpio', ['-o', '--quiet', '-H', form], { cwd: root, input: `${shortNames.join('\n')}\n` }),
    })),
    ...['cpio', 'odc', 'newc', 'bin'].map((form) => ({
      name: `bsdtar as ${form}`,
      found: isInstalled('bsdtar', /bsdtar/),
      write: (root: string) => output('bsdtar', [`--format=${form}`, '-cnf', '-', '-C', root, ...shortNames]),
    })),
  ];
  for (const { name, found, write } of cases) {
    it.skipIf(!found)(`${name}: every entry as it is on disk`, () => {
      using root = scratch();
      populate(root.path);
      linkSync(join(root.path, 'redo01.log'), join(root.path, 'again'));
      const bytes = write(root.path);
      const { entries, summary } = readArchive('cpio', bytes, 65_536);
      expect(summary).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
      expect(entries.map(({ path }) => path).sort()).toEqual([...shortNames].sort());
      for (const entry of entries) {
        const path = join(root.path, entry.path);
        const onDisk = lstatSync(path);
        expect([entry.mode, entry.uid, entry.mtime]).toEqual([
          onDisk.mode & 0o7777,
          onDisk.uid,
          Math.floor(onDisk.mtimeMs / 1000),
        ]);
        if (entry.type === 'symlink') expect(entry.link).toBe(readlinkSync(path));
        // newc and crc keep the content of several names with one of them.
        if (entry.type === 'file' && !(entry.size === 0 && entry.links !== null)) {
          expect(entry.sha256).toBe(sha256(readFileSync(path)));
        }
        if (entry.type === 'file' && onDisk.nlink > 1) expect(entry.links?.count).toBe(2);
      }
      expect(new Set(entries.flatMap(({ links }) => links?.id ?? [])).size).toBe(1);
    });
  }
});

/** Names as GNU tar lists them, undoing its quoting of bytes that are no text. */
function list(bytes: Buffer): string[] {
  const text = output('tar', ['-tf', '-', '--quoting-style=literal', '--show-transformed-names'], { input: bytes });
  const lines: string[] = [];
  for (let at = 0, end = text.indexOf(10); end >= 0; at = end + 1, end = text.indexOf(10, at)) {
    lines.push(nameOf(text.subarray(at, end)));
  }
  return lines;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
