import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archive, pax, record } from '../../test/tar-builder.ts';
import { readTar, refusal } from '../../test/watching.ts';
import { nameBytes } from '../names.ts';
import { detectFormat } from './detect.ts';

const only = (bytes: Buffer) => readTar(bytes).entries[0];
const long = `./${'deep/'.repeat(40)}file`;

describe('watchArchive(tar)', () => {
  it('reads a ustar file with all that its header says', () => {
    const bytes = archive(record({ name: './redo.log', body: 'hello', user: 'oracle', mode: '0004750\0' }));
    expect(readTar(bytes).entries).toEqual([
      {
        path: './redo.log',
        type: 'file',
        size: 5,
        mode: 0o4750,
        uid: 202,
        gid: 1,
        user: 'oracle',
        group: null,
        mtime: 0o14000000000,
        link: null,
        device: null,
        links: null,
        offset: 0,
        dataOffset: 512,
        storedSize: 5,
        attributes: [],
        partial: false,
        sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      },
    ]);
  });

  it('reads a header from before ustar, with blanks before its numbers', () => {
    const bytes = archive(record({ magic: '', mode: '   644 \0', uid: '  3473 \0', flag: '\0' }));
    expect(only(bytes)).toMatchObject({ type: 'file', mode: 0o644, uid: 1851, user: null });
  });

  it('takes a name that ends in a slash for a directory, as before ustar', () => {
    expect(only(archive(record({ name: 'data/', flag: '\0', magic: '' })))).toMatchObject({
      type: 'directory',
      sha256: null,
    });
  });

  it('joins prefix and name', () => {
    expect(only(archive(record({ prefix: 'a/b', name: 'c' })))?.path).toBe('a/b/c');
  });

  it('keeps what GNU tar has in the place of the prefix out of the name', () => {
    const bytes = archive(record({ magic: 'ustar  \0', prefix: '14000000000', name: 'c' }));
    expect(only(bytes)?.path).toBe('c');
  });

  it('reads long names and link targets of GNU tar, and counts them to their entry', () => {
    const bytes = archive(
      record({ name: '././@LongLink', flag: 'K', body: `${long}\0` }),
      record({ name: '././@LongLink', flag: 'L', body: `${long}2\0` }),
      record({ name: 'cut', flag: '2', link: 'cut' }),
    );
    expect(only(bytes)).toMatchObject({ path: `${long}2`, link: long, type: 'symlink', offset: 0, dataOffset: 2560 });
  });

  it('lets pax records say what the header cannot', () => {
    const records = [pax('path', 'ä'), pax('size', '3'), pax('mtime', '1700000000.5'), pax('uid', '4294967294')];
    const bytes = archive(
      record({
        flag: 'x',
        body: Buffer.concat([...records, pax('SCHILY.acl.access', 'user::rw-'), pax('ctime', '1')]),
      }),
      record({ body: 'abc', size: 0 }),
    );
    expect(only(bytes)).toMatchObject({
      path: 'ä',
      size: 3,
      mtime: 1700000000.5,
      uid: 4294967294,
      attributes: ['SCHILY.acl.access'],
    });
  });

  it('applies global pax records to the entries after them', () => {
    const bytes = archive(record({ flag: 'g', body: pax('uname', 'db2inst1') }), record({}), record({ name: 'b' }));
    expect(readTar(bytes).entries.map((entry) => entry.user)).toEqual(['db2inst1', 'db2inst1']);
  });

  it('reads numbers in base 256 and twelve octal digits without an end', () => {
    const size = Buffer.from('800000000000000000000003', 'hex');
    expect(only(archive(record({ body: 'abc', size })))?.size).toBe(3);
    expect(only(archive(record({ body: 'abc', size: Buffer.from('000000000003') })))?.size).toBe(3);
    expect(only(archive(record({ uid: Buffer.from('8000000000abcdef', 'hex') })))?.uid).toBe(0xabcdef);
  });

  it('attaches the ACL that AIX writes after a body to the entry before it', () => {
    const bytes = archive(
      record({ name: './a', body: 'abc' }),
      record({ name: 'AIXC', flag: 'A', body: Buffer.alloc(40, 1) }),
      record({ name: './b', body: 'abc' }),
      record({ name: 'NFS4', flag: 'A', body: Buffer.alloc(700, 1) }),
    );
    const read = readTar(bytes);
    expect(read.entries.map(({ path, attributes }) => [path, attributes])).toEqual([
      ['./a', ['AIXC']],
      ['./b', ['NFS4']],
    ]);
    expect(read.catalogue).toContain('"attributes":["AIXC"]');
  });

  it('attaches the ACL that Solaris writes before a file to the entry after it', () => {
    const bytes = archive(record({ name: 'a', flag: 'A', body: 'acl' }), record({ name: 'a' }));
    expect(only(bytes)).toMatchObject({ offset: 0, dataOffset: 1536, attributes: ['solaris-acl'] });
  });

  it('reads no body behind a hard link that states a size', () => {
    const bytes = archive(
      record({ body: 'abc' }),
      record({ name: 'again', flag: '1', link: 'file', size: 3 }),
      record(),
    );
    expect(readTar(bytes).entries.map(({ type, size }) => [type, size])).toEqual([
      ['file', 3],
      ['hardlink', 0],
      ['file', 0],
    ]);
  });

  it.each([
    ['follows', record({ name: 'd/', flag: '5', body: Buffer.alloc(600, 'x') })],
    ['does not follow', record({ name: 'd/', flag: '5', size: 600 })],
  ])('reads a directory with a size whose body %s', (_, directory) => {
    expect(readTar(archive(directory, record({ name: 'next' }))).entries.map(({ path }) => path)).toEqual([
      'd/',
      'next',
    ]);
    expect(readTar(archive(directory)).entries.map(({ path }) => path)).toEqual(['d/']);
  });

  it('reads the body of a file record whose name makes it a directory', () => {
    const bytes = archive(
      record({ name: 'd/', flag: '0', body: record({ name: 'inside' }) }),
      record({ name: 'next' }),
    );
    expect(readTar(bytes).entries.map(({ path }) => path)).toEqual(['d/', 'next']);
  });

  it('keeps the time of the header when the one in pax is none, and says so', () => {
    const bytes = archive(record({ flag: 'x', body: pax('mtime', '17.5a') }), record({}));
    expect(only(bytes)).toMatchObject({ mtime: 0o14000000000, attributes: ['mtime'] });
  });

  it('reads devices', () => {
    const bytes = archive(
      record({ flag: '4', major: '0000012\0', minor: '0000003\0' }),
      record({ flag: '6', name: 'f' }),
    );
    expect(readTar(bytes).entries).toMatchObject([
      { type: 'block-device', device: [10, 3] },
      { type: 'fifo', device: null },
    ]);
  });

  it('keeps names that are not UTF-8, byte by byte', () => {
    const name = Buffer.from([0x61, 0xff, 0x7f, 0xc3, 0xa4, 0xc3]);
    const path = only(archive(record({ name })))?.path ?? '';
    expect(path).toBe('a\udcff\x7fä\udcc3');
    expect(nameBytes(path)).toEqual(name);
  });

  it('does not mind how the stream is cut into chunks', () => {
    const bytes = archive(
      record({ name: 'x', flag: 'L', body: `${long}\0` }),
      record({ body: Buffer.alloc(3000, 'y') }),
      record({ flag: 'x', body: pax('path', 'second') }),
      record({ body: Buffer.alloc(512, 'z') }),
      record({ name: 'd/', flag: '5', size: 100 }),
    );
    const whole = readTar(bytes);
    for (const size of [1, 7, 100, 511, 512, 513, 1024, 4096]) expect(readTar(bytes, size)).toEqual(whole);
  });

  it.each<[string, string, Buffer]>([
    ['nothing at all', 'ARCHIVE_EMPTY', Buffer.alloc(0)],
    ['no end', 'ARCHIVE_END_MISSING', record()],
    ['half an end', 'ARCHIVE_END_MISSING', Buffer.concat([record(), Buffer.alloc(512)])],
    ['a broken block behind the end', 'ARCHIVE_TRUNCATED', Buffer.concat([archive(record()), Buffer.alloc(100)])],
    ['junk behind the end', 'ARCHIVE_JUNK_AFTER_END', Buffer.concat([archive(record()), Buffer.alloc(512, 'x')])],
    ['two archives joined', 'ARCHIVE_JUNK_AFTER_END', Buffer.concat([archive(record()), archive(record())])],
    ['a single zero block inside', 'ARCHIVE_HEADER_DAMAGED', archive(record(), Buffer.alloc(512), record())],
    ['a long name without its entry', 'ARCHIVE_TRUNCATED', archive(record({ flag: 'L', body: 'name' }))],
    [
      'two long names',
      'ARCHIVE_FIELD_INVALID',
      archive(record({ flag: 'L', body: 'a' }), record({ flag: 'L', body: 'b' })),
    ],
    ['an empty name', 'ARCHIVE_FIELD_INVALID', archive(record({ name: '' }))],
    ['an empty long name', 'ARCHIVE_FIELD_INVALID', archive(record({ flag: 'L', body: '\0' }), record())],
    ['a link without target', 'ARCHIVE_FIELD_INVALID', archive(record({ flag: '2' }))],
    ['a negative size', 'ARCHIVE_FIELD_INVALID', archive(record({ size: Buffer.alloc(12, 0xff) }))],
    [
      'a size beyond all',
      'ARCHIVE_FIELD_INVALID',
      archive(record({ size: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]) })),
    ],
    ['a size that is no number', 'ARCHIVE_FIELD_INVALID', archive(record({ size: Buffer.from('0000000x000') }))],
    ['a pax record of a gigabyte', 'ARCHIVE_FIELD_INVALID', archive(record({ flag: 'x', size: 2 ** 30 }))],
    [
      'a pax record with a wrong length',
      'ARCHIVE_FIELD_INVALID',
      archive(record({ flag: 'x', body: '12 path=a\n' }), record()),
    ],
    ['a pax record without keyword', 'ARCHIVE_FIELD_INVALID', archive(record({ flag: 'x', body: '5 =a\n' }), record())],
    ['a negative pax size', 'ARCHIVE_FIELD_INVALID', archive(record({ flag: 'x', body: pax('size', '-1') }), record())],
    [
      'a NUL in a pax path',
      'ARCHIVE_FIELD_INVALID',
      archive(record({ flag: 'x', body: pax('path', 'a\0b') }), record()),
    ],
    ['a path for all entries', 'ARCHIVE_UNSUPPORTED', archive(record({ flag: 'g', body: pax('path', 'a') }), record())],
    [
      'a hard link with a size in pax',
      'ARCHIVE_UNSUPPORTED',
      archive(record({ flag: 'x', body: pax('path', 'a') }), record({ flag: '1', link: 'b', size: 3 })),
    ],
    ['a volume of several', 'ARCHIVE_UNSUPPORTED', archive(record({ flag: 'M' }))],
    [
      'holes of Solaris',
      'ARCHIVE_UNSUPPORTED',
      archive(record({ flag: 'x', body: pax('SUN.holesdata', '0 1') }), record()),
    ],
  ])('refuses %s', (_, code, bytes) => {
    expect(refusal(bytes)).toBe(code);
    expect(refusal(bytes, 100)).toBe(code);
  });

  it('passes over the label that GNU tar gives a volume', () => {
    const bytes = archive(record({ name: 'a label', flag: 'V' }), record({}));
    expect(readTar(bytes).entries.map(({ path }) => path)).toEqual(['file']);
    const inPax = archive(record({ flag: 'g', body: pax('GNU.volume.label', 'a label') }), record({}));
    expect(only(inPax)?.attributes).toEqual([]);
  });

  it('takes a checksum in a form of its own only when a second header has it too', () => {
    const inForm = (checksumEnd: string, name: string) => {
      const bytes = record({ name });
      bytes.write(checksumEnd, 154, 'latin1');
      return bytes;
    };
    for (const end of ['\0\0', '  ']) {
      expect(refusal(archive(inForm(end, 'a'), inForm(end, 'b')))).toBe('whole');
      expect(refusal(archive(inForm(end, 'a')))).toBe('ARCHIVE_HEADER_DAMAGED');
      expect(refusal(archive(inForm(end, 'a'), record()))).toBe('ARCHIVE_HEADER_DAMAGED');
    }
    expect(refusal(archive(inForm(' \0', 'a')))).toBe('whole');
    const blankFilled = record({ mode: '   644 \0' });
    blankFilled.write(' ', 148);
    expect(refusal(archive(blankFilled))).toBe('whole');
  });

  it('takes checksums of writers that summed signed bytes, and of no others', () => {
    const summed = (perHighByte: number) => {
      const bytes = record({ name: Buffer.from('größe', 'latin1') });
      const sum = Number.parseInt(bytes.toString('latin1', 148, 154), 8) - 2 * perHighByte;
      bytes.write(sum.toString(8).padStart(6, '0'), 148);
      return archive(bytes);
    };
    expect(only(summed(256))?.path).toBe('gr\udcf6\udcdfe');
    expect(detectFormat(summed(256))).toBe('tar');
    expect(refusal(summed(128))).toBe('ARCHIVE_HEADER_DAMAGED');
  });

  it('takes checksums padded with blanks, however many digits they have', () => {
    const padded = (from: Parameters<typeof record>[0]) => {
      const bytes = record({ mode: '   644 \0', ...from });
      if (bytes[148] === 0x30) bytes.write(' ', 148);
      return bytes;
    };
    const short = padded({ name: 'short' });
    const full = padded({ name: 'n'.repeat(100), prefix: 'p'.repeat(150), flag: '2', link: 'l'.repeat(100) });
    expect([short[148], full[148]]).toEqual([0x20, 0x31]);
    expect(refusal(archive(short, full))).toBe('whole');
    expect(refusal(archive(full, short, full, short))).toBe('whole');
    expect(refusal(archive(full, short, record()))).toBe('ARCHIVE_HEADER_DAMAGED');
  });

  it('knows no owner where pax takes the name away', () => {
    const bytes = archive(record({ flag: 'x', body: pax('uname', '') }), record({ user: 'oracle' }));
    expect(only(bytes)).toMatchObject({ user: null, uid: 0o312 });
  });

  it('takes an empty pax record, which says nothing', () => {
    expect(only(archive(record({ flag: 'x' }), record()))).toMatchObject({ path: 'file', offset: 0, dataOffset: 1024 });
    expect(only(archive(record({ flag: 'g' }), record()))).toMatchObject({ path: 'file' });
  });

  it('says where and what it refuses, and what to do', () => {
    const bytes = Buffer.concat([record({ body: 'abc' }), Buffer.alloc(512, 'x')]);
    expect(() => readTar(bytes)).toThrow(
      expect.objectContaining({
        code: 'ARCHIVE_HEADER_DAMAGED',
        offset: 1024,
        seen: '78'.repeat(16),
        remedy: expect.stringContaining('archive again'),
      }),
    );
  });

  it('never throws anything but its own error, whatever comes', () => {
    const good = archive(
      record({ name: '././@LongLink', flag: 'L', body: `${long}\0` }),
      record({ body: 'x'.repeat(700) }),
      record({ flag: 'x', body: pax('path', 'p') }),
      record({ flag: '1', link: 'p' }),
    );
    const mutations = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(mutations, fc.nat(good.length), (changes, keep) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        expect(refusal(bytes.subarray(0, keep))).toMatch(/^(whole|ARCHIVE_\w+)$/);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(refusal(Buffer.from(bytes))).toMatch(/^ARCHIVE_\w+$/);
      }),
    );
  });
});
