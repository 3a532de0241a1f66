import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backupArchive,
  backupEnd,
  backupHeader,
  backupMember,
  pack,
  security,
  volumeHeader,
} from '../../test/backup-builder.ts';
import { readArchive, refusal } from '../../test/watching.ts';
import { tar } from '../index.ts';

const read = (bytes: Buffer, size?: number) => readArchive('backup', bytes, size);
const code = (bytes: Buffer, size?: number) => refusal(bytes, size, 'backup');
const directory = { name: '.', mode: 0o040755, size: 0 };
const text = Buffer.from('a packed member, which is text, which is what is packed\n'.repeat(200));

describe('watchArchive(backup)', () => {
  const bytes = backupArchive(
    directory,
    { name: './plain', body: 'abc', extendedAcl: true, mode: 0o104750 },
    { name: Buffer.from([0x7f, 0xff]), body: Buffer.alloc(5000, 'x') },
    { name: './packed', packed: pack(text), size: text.length },
    { name: './large', body: 'abc', large: true },
    { name: './empty' },
  );

  it('reads each entry with all that its header says', () => {
    const { entries, summary } = read(bytes);
    expect(summary).toMatchObject({ format: 'backup', entries: 6, files: 5, partial: 0, bytes: bytes.length });
    expect(entries[1]).toEqual({
      path: './plain',
      type: 'file',
      size: 3,
      mode: 0o4750,
      uid: 388_113,
      gid: 21_803,
      user: null,
      group: null,
      mtime: 1_700_000_000,
      link: null,
      device: null,
      links: null,
      offset: 72 + backupMember(directory).length,
      dataOffset: bytes.indexOf('abc'),
      storedSize: 3,
      attributes: ['AIXC'],
      partial: false,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
    expect(entries.map(({ path, type, size }) => [path, type, size])).toEqual([
      ['.', 'directory', 0],
      ['./plain', 'file', 3],
      ['\x7f\udcff', 'file', 5000],
      ['./packed', 'file', text.length],
      ['./large', 'file', 3],
      ['./empty', 'file', 0],
    ]);
    expect(entries[3]).toMatchObject({ storedSize: pack(text).length, attributes: ['packed'] });
    expect(entries[4]?.sha256).toBe(entries[1]?.sha256);
  });

  it('does not mind how the stream is cut into chunks', () => {
    const whole = read(bytes);
    for (const size of [1, 5, 8, 100, 511, 4096]) expect(read(bytes, size)).toEqual(whole);
  });

  it('is never whole when cut before its end, or inside a block', () => {
    const end = bytes.lastIndexOf(backupEnd) + 8;
    for (let cut = 0; cut < bytes.length; cut += 1) {
      if (cut >= end && cut % 512 === 0) continue;
      expect(code(bytes.subarray(0, cut))).toMatch(/^ARCHIVE_(EMPTY|TRUNCATED|END_MISSING)$/);
    }
  });

  it('is never whole with a bit of a header turned over', () => {
    const headers = [0, ...read(bytes).entries.map(({ offset }) => offset), bytes.lastIndexOf(backupEnd)];
    const changed = Buffer.from(bytes);
    for (const header of headers) {
      for (let bit = 0; bit < (bytes[header] ?? 0) * 64; bit += 1) {
        const at = header + (bit >> 3);
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
        expect(code(changed), `bit ${bit} at ${header}`).not.toBe('whole');
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
      }
    }
  });

  it('is not whole when another archive, or more than fills a cluster, follows the end', () => {
    expect(code(Buffer.concat([bytes, bytes]))).toBe('ARCHIVE_JUNK_AFTER_END');
    expect(code(Buffer.concat([bytes, Buffer.alloc(51_200)]))).toBe('ARCHIVE_JUNK_AFTER_END');
    const cluster = Buffer.concat([bytes, Buffer.alloc(51_200)]).subarray(0, 51_200);
    expect(code(cluster)).toBe('whole');
    expect(code(Buffer.concat([cluster, Buffer.alloc(512)]))).toBe('ARCHIVE_JUNK_AFTER_END');
  });

  it.each([
    ['without access rights', (target: Buffer) => target],
    ['with access rights behind its target', (target: Buffer) => Buffer.concat([target, security()])],
  ])('reads a symbolic link %s', (_, raw) => {
    const link = { name: 'l', mode: 0o120777, size: 6, raw: raw(Buffer.from('target\0\0')) };
    for (const size of [1, 100, 10_000]) {
      const { entries } = read(backupArchive(link, { name: 'next' }), size);
      expect(entries).toMatchObject([{ type: 'symlink', link: 'target', size: 0 }, { path: 'next' }]);
    }
    expect(read(backupArchive(link)).entries).toHaveLength(1);
  });

  it('reads devices and FIFOs in either reading', () => {
    for (const raw of [Buffer.alloc(0), security()]) {
      const device = { name: 'd', mode: 0o060600, raw };
      expect(read(backupArchive(device, { name: 'p', mode: 0o010600, raw })).entries).toMatchObject([
        { type: 'block-device', device: [8, 3] },
        { type: 'fifo' },
      ]);
    }
  });

  it('reads one of several names with its content, and one without as a link', () => {
    const first = { name: 'a', body: 'content', nlink: 2, id: 9 };
    const { entries } = read(
      backupArchive(first, { name: 'b', nlink: 2, id: 9, size: 7, raw: security() }, { name: 'c' }),
    );
    expect(entries).toMatchObject([
      { path: 'a', type: 'file', size: 7, links: { count: 2, id: '9' } },
      { path: 'b', type: 'hardlink', size: 0, link: null, links: { count: 2, id: '9' } },
      { path: 'c', type: 'file' },
    ]);
    expect(read(backupArchive(first, first), 1).entries.map(({ type }) => type)).toEqual(['file', 'file']);
  });

  it('names records of backup -U, passes over them, and never calls their entry verified', () => {
    const record = Buffer.concat([backupHeader(14, Buffer.alloc(26)), Buffer.alloc(400, 0x33)]);
    const { entries, summary, catalogue } = read(backupArchive({ name: 'a', body: 'abc' }, record, { name: 'b' }), 13);
    expect(entries).toMatchObject([
      { path: 'a', partial: true, attributes: ['NAME_ACL'] },
      { path: 'b', partial: false },
    ]);
    expect(summary).toMatchObject({ entries: 2, partial: 1 });
    expect(catalogue).toContain('"partial":true');
    const outcome = { kind: 'ended', memberCodes: [0], stderr: '', durationMs: 1 } as const;
    expect(tar.judge({ outcome, seen: summary })).toMatchObject({ reasons: [{ code: 'PARTIAL' }] });
  });

  it('does not look for headers inside content', () => {
    const inner = backupArchive({ name: 'inner', body: 'x' });
    const outer = backupArchive({ name: 'outer', body: inner }, { name: 'outer2', body: inner, nlink: 2 });
    expect(read(outer).entries.map(({ path }) => path)).toEqual(['outer', 'outer2']);
  });

  const oldName = backupHeader(9, Buffer.alloc(58));
  it.each<[string, string, Buffer]>([
    ['what is no backup', 'ARCHIVE_HEADER_DAMAGED', Buffer.alloc(1024, 'x')],
    ['an archive without a volume', 'ARCHIVE_HEADER_DAMAGED', Buffer.concat([backupMember(), backupEnd])],
    ['a second volume', 'ARCHIVE_JUNK_AFTER_END', Buffer.concat([volumeHeader(), volumeHeader()])],
    ['a later volume', 'ARCHIVE_UNSUPPORTED', Buffer.concat([volumeHeader(100, 2), backupEnd])],
    ['a volume by inode', 'ARCHIVE_UNSUPPORTED', Buffer.concat([volumeHeader(101), backupEnd])],
    ['a volume that goes on', 'ARCHIVE_UNSUPPORTED', backupArchive({}, backupHeader(6, Buffer.alloc(10)))],
    ['trusted AIX', 'ARCHIVE_UNSUPPORTED', backupArchive(backupHeader(11, Buffer.alloc(66), 60_013))],
    ['a record of old', 'ARCHIVE_HEADER_DAMAGED', backupArchive(oldName)],
    ['an attribute without an entry', 'ARCHIVE_UNSUPPORTED', backupArchive(backupHeader(13, Buffer.alloc(10)))],
    [
      'an attribute that never ends',
      'ARCHIVE_UNSUPPORTED',
      backupArchive({}, backupHeader(13, Buffer.alloc(10)), Buffer.alloc(2 << 20)),
    ],
    ['a negative size', 'ARCHIVE_FIELD_INVALID', backupArchive({ size: -8 })],
    ['an empty name', 'ARCHIVE_FIELD_INVALID', backupArchive({ name: '' })],
    ['a type that is not known', 'ARCHIVE_UNSUPPORTED', backupArchive({ mode: 0o110000 })],
    ['access rights of a gigabyte', 'ARCHIVE_FIELD_INVALID', backupArchive({ raw: Buffer.alloc(64, 0x07) })],
    [
      'access rights without their length',
      'ARCHIVE_FIELD_INVALID',
      backupArchive({ raw: Buffer.concat([Buffer.from([2, 0, 0, 0, 2, 0, 0, 0]), Buffer.alloc(32)]) }),
    ],
    [
      'a link without a header behind it',
      'ARCHIVE_UNSUPPORTED',
      backupArchive({ mode: 0o120777, size: 6, raw: Buffer.alloc(64, 'x') }),
    ],
    ['a link target of a gigabyte', 'ARCHIVE_FIELD_INVALID', backupArchive({ mode: 0o120777, size: 2 ** 30 })],
    ['a packed member that is damaged', 'ARCHIVE_DATA_DAMAGED', backupArchive({ packed: Buffer.from('xyz'), size: 9 })],
  ])('refuses %s', (_, expected, archive) => {
    expect(code(archive)).toBe(expected);
    expect(code(archive, 50)).toBe(expected);
  });

  it('never throws anything but its own error, whatever comes', () => {
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(bytes.length), (list, keep) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of list) changed[at] = value;
        expect(code(changed.subarray(0, keep))).toMatch(/^(whole|ARCHIVE_\w+)$/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('watchArchive(backup-inode)', () => {
  const first = Buffer.alloc(1024);
  first.writeInt32BE(1, 0);
  first.writeInt32BE(60_012, 24);
  first.writeInt32BE(84_446 - 60_012 - 1, 28);
  const inode = (archive: Buffer, size?: number) => refusal(archive, size, 'backup-inode');

  it('checks the first record, lets the rest pass, and never calls it seen', () => {
    const archive = Buffer.concat([first, Buffer.alloc(9216, 'x')]);
    const { summary } = readArchive('backup-inode', archive, 100);
    expect(summary).toMatchObject({ entries: 0, bytes: 10_240 });
    const outcome = { kind: 'ended', memberCodes: [0], stderr: '', durationMs: 1 } as const;
    expect(tar.judge({ outcome, seen: summary })).toMatchObject({ reasons: [{ code: 'OPAQUE' }] });
    expect(tar.judge({ outcome, seen: summary, accept: ['OPAQUE'] }).kind).toBe('good');
  });

  it('refuses another first record, a cut one, and nothing', () => {
    const changed = Buffer.from(first);
    changed[100] = 1;
    expect(inode(changed)).toBe('ARCHIVE_HEADER_DAMAGED');
    expect(inode(first.subarray(0, 1000))).toBe('ARCHIVE_TRUNCATED');
    expect(inode(Buffer.concat([first, Buffer.alloc(10)]))).toBe('ARCHIVE_TRUNCATED');
    expect(inode(Buffer.alloc(0))).toBe('ARCHIVE_EMPTY');
  });
});
