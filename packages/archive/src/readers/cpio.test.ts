import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpioForm, cpioArchive, member } from '../../test/cpio-builder.ts';
import { readArchive, refusal } from '../../test/watching.ts';

const forms: CpioForm[] = ['odc', 'newc', 'crc', 'be', 'le'];
const entries = [
  { name: '.', mode: 0o240755 },
  { name: 'odd', body: 'abc' },
  { name: Buffer.from([0xff]), body: Buffer.alloc(4000, 'x'), nlink: 2 },
  { name: 'link', mode: 0o120777, body: 'odd' },
  { name: 'device', mode: 0o060600 },
  { name: 'TRAILER!!!', body: 'a file of that name' },
];
const read = (bytes: Buffer, size?: number) => readArchive('cpio', bytes, size);

describe.each(forms)('watchArchive(cpio) in the form %s', (form) => {
  const bytes = cpioArchive(form, ...entries);

  it('reads each entry with all that its header says', () => {
    const { summary, entries: found } = read(bytes);
    expect(summary).toMatchObject({ entries: 6, files: 3, fileBytes: 4022, bytes: bytes.length });
    expect(found[1]).toEqual({
      path: 'odd',
      type: 'file',
      size: 3,
      mode: 0o644,
      uid: 202,
      gid: 1,
      user: null,
      group: null,
      mtime: 1_600_000_000,
      link: null,
      device: null,
      links: null,
      offset: member(form, entries[0]).length,
      dataOffset: bytes.indexOf('abc'),
      storedSize: 3,
      attributes: [],
      partial: false,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
    expect(found.map(({ path, type }) => [path, type])).toEqual([
      ['.', 'directory'],
      ['odd', 'file'],
      ['\udcff', 'file'],
      ['link', 'symlink'],
      ['device', 'block-device'],
      ['TRAILER!!!', 'file'],
    ]);
    expect(found[2]?.links).toEqual({ count: 2, id: form === 'newc' || form === 'crc' ? '0,1:7' : '1:7' });
    expect(found[3]).toMatchObject({ link: 'odd', size: 0, sha256: null });
    expect(found[4]?.device).toEqual({ odc: [0], newc: [8, 2], crc: [8, 2], be: [0x802], le: [0x802] }[form]);
  });

  it('does not mind how the stream is cut into chunks', () => {
    const whole = read(bytes);
    for (const size of [1, 2, 3, 25, 110, 513]) expect(read(bytes, size)).toEqual(whole);
  });

  it('is never whole when cut before the end of its trailer', () => {
    const end = bytes.lastIndexOf('TRAILER!!!') + 'TRAILER!!!'.length + 1;
    for (let cut = 0; cut < end; cut += 1) {
      expect(refusal(bytes.subarray(0, cut), undefined, 'cpio')).toMatch(/^ARCHIVE_(EMPTY|TRUNCATED|END_MISSING)$/);
    }
  });

  it('is never whole with anything but zeros behind it', () => {
    expect(refusal(Buffer.concat([bytes, bytes]), undefined, 'cpio')).toBe('ARCHIVE_JUNK_AFTER_END');
    expect(refusal(Buffer.concat([bytes, Buffer.from('x')]), 7, 'cpio')).toBe('ARCHIVE_JUNK_AFTER_END');
  });

  it.each([
    ['a size beyond the stream', { size: 1_000_000 }, 'ARCHIVE_TRUNCATED'],
    ['a type that is not known', { mode: 0o110644 }, 'ARCHIVE_UNSUPPORTED'],
    ['a link without a target', { mode: 0o120777 }, 'ARCHIVE_FIELD_INVALID'],
    ['a link with a NUL in its target', { mode: 0o120777, body: 'a\0b' }, 'ARCHIVE_FIELD_INVALID'],
    ['an empty name', { name: '' }, 'ARCHIVE_FIELD_INVALID'],
    ['a NUL within a name', { name: 'a\0b' }, 'ARCHIVE_FIELD_INVALID'],
  ])('refuses %s', (_, entry, code) => {
    expect(refusal(cpioArchive(form, entry), undefined, 'cpio')).toBe(code);
  });

  it('never throws anything but its own error, whatever comes', () => {
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(bytes.length), (list, keep) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of list) changed[at] = value;
        expect(refusal(changed.subarray(0, keep), undefined, 'cpio')).toMatch(/^(whole|ARCHIVE_\w+)$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('watchArchive(cpio)', () => {
  it('checks the sums that crc states for the content of files', () => {
    expect(refusal(cpioArchive('crc', { body: 'abc', check: 294 }), 1, 'cpio')).toBe('whole');
    expect(refusal(cpioArchive('crc', { body: 'abc', check: 295 }), 1, 'cpio')).toBe('ARCHIVE_DATA_DAMAGED');
  });

  it('takes linear time for a long name that comes byte by byte', () => {
    const bytes = cpioArchive('newc', { name: 'n'.repeat(1 << 19) });
    const start = process.cpuUsage();
    expect(readArchive('cpio', bytes, 1).entries).toHaveLength(1);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(10);
  });

  it('refuses an archive in two forms, other numbers, and what is no cpio', () => {
    const mixed = Buffer.concat([member('odc'), cpioArchive('newc')]);
    expect(refusal(mixed, undefined, 'cpio')).toBe('ARCHIVE_HEADER_DAMAGED');
    const bytes = cpioArchive('odc', {});
    bytes.write(' ', 20);
    expect(refusal(bytes, undefined, 'cpio')).toBe('ARCHIVE_FIELD_INVALID');
    expect(refusal(Buffer.alloc(1024), undefined, 'cpio')).toBe('ARCHIVE_HEADER_DAMAGED');
  });
});
