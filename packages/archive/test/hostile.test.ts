import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { detectFormat, extract, watchArchive } from '../src/index.ts';
import { backupArchive, backupEnd, backupHeader, backupMember, volumeHeader } from './backup-builder.ts';
import { cpioArchive, member } from './cpio-builder.ts';
import { archive, pax, record } from './tar-builder.ts';
import { scratch } from './tools.ts';
import { refusal } from './watching.ts';

type Format = 'tar' | 'cpio' | 'backup';

const zeros = Buffer.alloc(1 << 20);
const negative = Buffer.alloc(12, 0xff);
const tooLarge = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]);

/** Pushes pieces as they are made: nothing of the archive is kept by the test. */
function watched(format: Format, pieces: Iterable<Buffer>): { code: string; bytes: number } {
  const watch = watchArchive(format, { onCatalogue: () => {} });
  let bytes = 0;
  try {
    for (const piece of pieces) {
      bytes += piece.length;
      watch.push(piece);
    }
    return { code: `${watch.end().entries} entries`, bytes };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error), bytes };
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function mebibytesHeld(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

function* after(start: Buffer, piece: Buffer, times: number, end: Buffer = zeros.subarray(0, 0)): Generator<Buffer> {
  yield start;
  for (let index = 0; index < times; index += 1) yield piece;
  yield end;
}

describe('a size that is not true', () => {
  it.each<[string, Format, Buffer]>([
    ['a file with a negative size', 'tar', archive(record({ size: negative }))],
    ['a directory with a negative size', 'tar', archive(record({ name: 'd/', flag: '5', size: negative }))],
    ['a link with a negative size', 'tar', archive(record({ flag: '2', link: 'x', size: negative }))],
    ['a long name with a negative size', 'tar', archive(record({ flag: 'L', size: negative }))],
    ['an ACL with a negative size', 'tar', archive(record(), record({ name: 'AIXC', flag: 'A', size: negative }))],
    ['a sparse file with a negative size', 'tar', archive(record({ flag: 'S', size: negative }))],
    ['a size beyond all numbers', 'tar', archive(record({ size: tooLarge }))],
    [
      'a pax size beyond all numbers',
      'tar',
      archive(record({ flag: 'x', body: pax('size', '9'.repeat(16)) }), record()),
    ],
    ['a pax record of a gigabyte', 'tar', archive(record({ flag: 'x', size: 2 ** 30 }))],
    ['global pax records of a gigabyte', 'tar', archive(record({ flag: 'g', size: 2 ** 30 }))],
    ['a long name of a gigabyte', 'tar', archive(record({ flag: 'L', size: 2 ** 30 }))],
    ['a long link of a gigabyte', 'tar', archive(record({ flag: 'K', size: 2 ** 30 }))],
    [
      'a name of half a gigabyte',
      'cpio',
      Buffer.from(
        member('newc')
          .toString('latin1')
          .replace(/00000005/, '20000000'),
        'latin1',
      ),
    ],
    ['a link target of a gigabyte', 'cpio', member('newc', { mode: 0o120777, size: 2 ** 30 })],
    ['a file with a negative size', 'backup', backupArchive({ size: -8 })],
    ['a large file with a negative size', 'backup', backupArchive({ size: -8, large: true })],
    ['a link target of a gigabyte', 'backup', backupArchive({ mode: 0o120777, size: 2 ** 30 })],
  ])('%s (%s) is refused at its header, before any of it is kept', (_, format, bytes) => {
    const { code, bytes: taken } = watched(format, after(bytes, zeros, 1000));
    expect(code).toBe('ARCHIVE_FIELD_INVALID');
    expect(taken).toBeLessThan(2 << 20);
  });

  it.each<[Format, Buffer]>([
    ['tar', record({ size: Buffer.from('777777777777') })],
    ['tar', record({ size: Buffer.from('800000000007ffffffffff00', 'hex') })],
    ['cpio', member('odc', { size: 2 ** 33 - 1 })],
    ['cpio', member('newc', { size: 2 ** 32 - 1 })],
    ['backup', Buffer.concat([volumeHeader(), backupMember({ size: 2 ** 31 - 1, body: '' })])],
  ])('%s: a file larger than what comes is never whole', (format, bytes) => {
    expect(watched(format, [bytes, zeros]).code).toBe('ARCHIVE_TRUNCATED');
  });
});

describe('a flood', () => {
  const thousand = (make: (index: number) => Buffer) => Buffer.concat(Array.from({ length: 1000 }, (_, n) => make(n)));
  const directories = thousand((n) => backupMember({ name: `d${n}`, mode: 0o040755 }));
  const floods: [string, Format, Buffer, Buffer, Buffer, number][] = [
    ['empty files', 'tar', Buffer.alloc(0), thousand((n) => record({ name: `f${n}` })), Buffer.alloc(1024), 1_000_000],
    [
      'empty files',
      'cpio',
      Buffer.alloc(0),
      thousand((n) => member('odc', { name: `f${n}` })),
      member('odc', { name: 'TRAILER!!!', mode: 0 }),
      1_000_000,
    ],
    [
      'links of one file',
      'cpio',
      Buffer.alloc(0),
      thousand((n) => member('newc', { name: `f${n}`, nlink: 1_000_000 })),
      member('newc', { name: 'TRAILER!!!', mode: 0 }),
      1_000_000,
    ],
    [
      'directories',
      'backup',
      volumeHeader(),
      directories,
      Buffer.concat([backupEnd, Buffer.alloc((512 - ((80 + 1000 * directories.length) % 512)) % 512)]),
      1_000_000,
    ],
    [
      'global pax records',
      'tar',
      record(),
      thousand((n) => record({ flag: 'g', body: pax(`k${n}`, 'x'.repeat(400)) })),
      Buffer.alloc(1024),
      1,
    ],
    [
      'ACLs behind one file',
      'tar',
      record(),
      thousand((n) => record({ name: n % 2 ? 'AIXC' : 'NFS4', flag: 'A' })),
      Buffer.alloc(1024),
      1,
    ],
    ['ACLs before one file', 'tar', Buffer.alloc(0), thousand(() => record({ flag: 'A' })), archive(record()), 1],
  ];
  it.each(floods)(
    'of a million %s (%s) takes no memory that grows',
    (_, format, start, piece, end, entries) => {
      const watch = watchArchive(format, { onCatalogue: () => {} });
      watch.push(start);
      for (let thousand = 0; thousand < 200; thousand += 1) watch.push(piece);
      const before = mebibytesHeld();
      for (let thousand = 200; thousand < 1000; thousand += 1) watch.push(piece);
      // A pointer to each of the rest would be six mebibytes; their names, many times that.
      expect(mebibytesHeld() - before).toBeLessThan(3);
      watch.push(end);
      expect(watch.end().entries).toBe(entries);
    },
    120_000,
  );

  it.each<[string, Format, Buffer]>([
    ['pax records before no entry', 'tar', thousand(() => record({ flag: 'x', body: pax('comment', 'x') }))],
    ['long names before no entry', 'tar', thousand((n) => record({ flag: 'L', body: `name${n}` }))],
    ['volumes', 'backup', thousand(() => volumeHeader())],
  ])('of %s (%s) is refused', (_, format, piece) => {
    expect(watched(format, after(Buffer.alloc(0), piece, 10)).code).toMatch(/^ARCHIVE_(FIELD_INVALID|JUNK_AFTER_END)$/);
  });

  it('of attributes behind one entry of backup is named up to a bound', () => {
    const piece = thousand(() => backupHeader(13, Buffer.alloc(10)));
    const { code } = watched('backup', after(Buffer.concat([volumeHeader(), backupMember()]), piece, 20, backupEnd));
    expect(code).toMatch(/^(1 entries|ARCHIVE_\w+)$/);
  });
});

describe('time grows with the archive, and not faster', () => {
  const seconds = (format: Format, bytes: Buffer, size: number) => {
    const runs = Array.from({ length: 3 }, () => {
      const start = process.cpuUsage();
      refusal(bytes, size, format);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    });
    return Math.min(...runs);
  };
  const many = <T>(count: number, make: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index));
  const cases: [string, Format, number, (count: number) => Buffer][] = [
    ['entries', 'tar', 1 << 16, (n) => archive(...many(n, (i) => record({ name: `f${i}`, body: 'x' })))],
    ['entries', 'cpio', 1 << 16, (n) => cpioArchive('newc', ...many(n, (i) => ({ name: `f${i}`, body: 'x' })))],
    ['entries', 'backup', 1 << 16, (n) => backupArchive(...many(n, (i) => ({ name: `f${i}`, body: 'x' })))],
    ['single bytes', 'tar', 1, (n) => archive(...many(n >> 5, (i) => record({ name: `f${i}` })))],
    [
      'single bytes',
      'cpio',
      1,
      (n) => cpioArchive('odc', ...many(n >> 5, (i) => ({ name: `f${i}`, body: 'x'.repeat(300) }))),
    ],
    [
      'single bytes',
      'backup',
      1,
      (n) => backupArchive(...many(n >> 5, (i) => ({ name: `f${i}`, body: 'x'.repeat(300) }))),
    ],
    [
      'keywords in one pax record',
      'tar',
      1 << 16,
      (n) => archive(record({ flag: 'x', body: Buffer.concat(many(n, (i) => pax(`key${i}`, 'value'))) }), record()),
    ],
    [
      'bytes of one pax record, one by one',
      'tar',
      1,
      (n) => archive(record({ flag: 'x', body: pax('comment', 'x'.repeat(20 * n)) }), record()),
    ],
    [
      'bytes of a name that is no text',
      'tar',
      1 << 16,
      (n) => archive(record({ flag: 'L', body: Buffer.alloc(30 * n, 0xe4) }), record()),
    ],
    ['bytes of a name, one by one', 'cpio', 1, (n) => cpioArchive('newc', { name: 'n'.repeat(20 * n) })],
    [
      'bytes behind a record that cannot be read',
      'backup',
      7,
      (n) => backupArchive({}, backupHeader(13, Buffer.alloc(10)), Buffer.alloc(40 * n, 0x07), {}),
    ],
  ];
  it.each(cases)(
    '%s (%s, pieces of %i)',
    (_, format, size, make) => {
      seconds(format, make(1000), size);
      // Eight times as much. Quadratic would take 64 times as long; a busy machine is granted a third of it.
      expect(seconds(format, make(16_000), size)).toBeLessThan(20 * Math.max(seconds(format, make(2000), size), 500));
    },
    120_000,
  );
});

it('extraction of a flood of names that escape stops at the first', async () => {
  using root = scratch();
  const bytes = archive(record({ name: 'good' }), ...Array.from({ length: 1000 }, () => record({ name: '../x' })));
  const attempt = extract({ archive: Readable.from([bytes]), into: root.path });
  await expect(attempt).rejects.toMatchObject({ code: 'EXTRACT_ESCAPES', path: '../x' });
  expect(detectFormat(bytes)).toBe('tar');
});
