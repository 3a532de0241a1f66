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
import { cpioArchive } from '../test/cpio-builder.ts';
import { archive, record } from '../test/tar-builder.ts';
import { isInstalled, output, populate, scratch } from '../test/tools.ts';
import { readTar } from '../test/watching.ts';
import { type ExtractOptions, extract } from './extract.ts';
import { nameBytes } from './names.ts';
import { watchArchive } from './watch.ts';

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
    const shorter = archive(record({ name: 'a', body: 'right' }));
    expect((await attempt(shorter, { catalogue: stream(catalogue) })).code).toBe('EXTRACT_DIFFERS');
    expect((await attempt(bytes, { catalogue: stream(catalogue.slice(0, -1)) })).code).toBe('CATALOGUE_INVALID');
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
    expect(result.code).toBe('EXTRACT_UNSUPPORTED');
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
