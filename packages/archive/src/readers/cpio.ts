import { type ArchiveReader, type ArchiveSink, typeOfMode } from '../entry.ts';
import { ArchiveError, type ArchiveFault, hexOf } from '../errors.ts';
import { nameOf } from '../names.ts';
import { createFrames } from './frames.ts';
import { latched } from './latch.ts';

/** What all forms of a cpio header say. */
interface CpioHeader {
  readonly dev: string;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly nameBytes: number;
  readonly size: number;
  readonly device: readonly number[];
  readonly check: number;
}

interface CpioForm {
  readonly name: string;
  readonly headerBytes: number;
  /** Header with name, and content, are filled up to a multiple of this. */
  readonly align: number;
  /** Whether headers carry the sum of their file's bytes. */
  readonly sums: boolean;
  /** `undefined` when a field is no number. */
  read(bytes: Buffer, at: number): CpioHeader | undefined;
}

const binary = (name: string, word: (bytes: Buffer, at: number) => number): CpioForm => ({
  name,
  headerBytes: 26,
  align: 2,
  sums: false,
  read(bytes, at) {
    const field = (index: number) => word(bytes, at + 2 * index);
    // Numbers of 32 bits are two words, the high one first in either byte order.
    const long = (index: number) => field(index) * 65_536 + field(index + 1);
    return {
      dev: String(field(1)),
      ino: field(2),
      mode: field(3),
      uid: field(4),
      gid: field(5),
      nlink: field(6),
      device: [field(7)],
      mtime: long(8),
      nameBytes: field(10),
      size: long(11),
      check: 0,
    };
  },
});

const odc: CpioForm = {
  name: 'odc',
  headerBytes: 76,
  align: 1,
  sums: false,
  read(bytes, at) {
    const fields = digitFields(bytes, at + 6, odcWidths, 8);
    const [dev, ino = 0, mode = 0, uid = 0, gid = 0, nlink = 0, rdev = 0, mtime = 0, nameBytes = 0, size] = fields;
    if (size === undefined) return undefined;
    return { dev: String(dev), ino, mode, uid, gid, nlink, device: [rdev], mtime, nameBytes, size, check: 0 };
  },
};
const odcWidths = [6, 6, 6, 6, 6, 6, 6, 11, 6, 11];

const newc = (name: string, sums: boolean): CpioForm => ({
  name,
  headerBytes: 110,
  align: 4,
  sums,
  read(bytes, at) {
    const fields = digitFields(bytes, at + 6, newcWidths, 16);
    const [ino = 0, mode = 0, uid = 0, gid = 0, nlink = 0, mtime = 0, size = 0, ...rest] = fields;
    const [devMajor, devMinor, major = 0, minor = 0, nameBytes = 0, check] = rest;
    if (check === undefined) return undefined;
    const dev = `${devMajor},${devMinor}`;
    return { dev, ino, mode, uid, gid, nlink, mtime, size, device: [major, minor], nameBytes, check };
  },
});
const newcWidths = new Array<number>(13).fill(8);

/** Numbers in digits, one after another; empty when one of them is none. */
function digitFields(bytes: Buffer, at: number, widths: readonly number[], radix: 8 | 16): number[] {
  const fields: number[] = [];
  let from = at;
  for (const width of widths) {
    let value = 0;
    for (const end = from + width; from < end; from += 1) {
      const byte = bytes[from] as number;
      const digit = byte < 58 ? byte - 48 : (byte | 0x20) - 87;
      if (digit < 0 || digit >= radix || (byte >= 58 && digit < 10)) return [];
      value = value * radix + digit;
    }
    fields.push(value);
  }
  return fields;
}

const forms: Readonly<Record<string, CpioForm>> = {
  '303730373037': odc,
  '303730373031': newc('newc', false),
  '303730373032': newc('crc', true),
};
const bigEndian = binary('binary, big-endian', (bytes, at) => bytes.readUInt16BE(at));
const littleEndian = binary('binary, little-endian', (bytes, at) => bytes.readUInt16LE(at));

/** The form of cpio whose magic stands here. */
export function cpioForm(bytes: Buffer, at: number): CpioForm | undefined {
  if (bytes[at] === 0x71 && bytes[at + 1] === 0xc7) return bigEndian;
  if (bytes[at] === 0xc7 && bytes[at + 1] === 0x71) return littleEndian;
  return forms[bytes.toString('hex', at, at + 6)];
}

/** Longest name or link target that is taken for one. */
const mostNameBytes = 1 << 20;
const trailer = 'TRAILER!!!';

/**
 * Reads cpio as it flows: binary of both byte orders, odc, newc, and crc with its sums of the data. One archive has one
 * form. It ends in the entry `TRAILER!!!`, behind which nothing but zeros may come. Names of one file (`links`) are
 * reported as they stand there: each with its own content, or, in newc and crc, one of them with all of it.
 */
export function createCpioReader(sink: ArchiveSink): ArchiveReader {
  const frames = createFrames();
  let form: CpioForm | undefined;
  let ended = false;
  let sum = 0;
  let fillerOffset = 0;

  function fail(code: ArchiveFault, message: string, offset: number, seen: string): never {
    throw new ArchiveError(code, message, { offset, seen });
  }

  const next = () => frames.gather(6, entry);

  function entry(bytes: Buffer, at: number, offset: number, count: number): number {
    const seen = () => hexOf(bytes.subarray(at, at + Math.min(count, 16)));
    const found = cpioForm(bytes, at);
    if (found === undefined) return fail('ARCHIVE_HEADER_DAMAGED', 'not a cpio header', offset, seen());
    if (form !== undefined && form !== found) {
      return fail(
        'ARCHIVE_HEADER_DAMAGED',
        `a header in the form ${found.name} in an archive in ${form.name}`,
        offset,
        seen(),
      );
    }
    if (count < found.headerBytes) return found.headerBytes;
    const header = found.read(bytes, at);
    if (header === undefined) {
      return fail('ARCHIVE_FIELD_INVALID', 'a field in a cpio header is no number', offset, seen());
    }
    if (header.nameBytes < 2 || header.nameBytes > mostNameBytes) {
      return fail('ARCHIVE_FIELD_INVALID', `a name of ${header.nameBytes} bytes`, offset, String(header.nameBytes));
    }
    const named = aligned(found.headerBytes + header.nameBytes, found.align);
    if (count < named) return named;
    form = found;
    const nameAt = at + found.headerBytes;
    const path = textUpToNul(bytes, nameAt, header.nameBytes);
    if (path === undefined) {
      const name = hexOf(bytes.subarray(nameAt, nameAt + header.nameBytes));
      return fail('ARCHIVE_FIELD_INVALID', 'a name that does not end where it says', offset, name);
    }
    if (path === trailer && header.size === 0 && header.nlink <= 1) {
      ended = true;
      fillerOffset = offset + named;
      frames.pass(Number.MAX_SAFE_INTEGER, filler, next);
      return named;
    }

    const type = typeOfMode(header.mode);
    if (type === undefined) {
      return fail('ARCHIVE_UNSUPPORTED', 'an entry of a type that is not known', offset, header.mode.toString(8));
    }
    let used = named;
    let link: string | null = null;
    if (type === 'symlink') {
      if (header.size === 0 || header.size > mostNameBytes) {
        return fail('ARCHIVE_FIELD_INVALID', `a link target of ${header.size} bytes`, offset, String(header.size));
      }
      used = named + aligned(header.size, found.align);
      if (count < used) return used;
      link = nameOf(bytes.subarray(at + named, at + named + header.size));
      if (link.includes('\0')) return fail('ARCHIVE_FIELD_INVALID', 'a NUL byte in a link target', offset, seen());
    }
    const size = type === 'file' ? header.size : 0;
    sink.entry({
      path,
      type,
      size,
      mode: header.mode & 0o7777,
      uid: header.uid,
      gid: header.gid,
      user: null,
      group: null,
      mtime: header.mtime,
      link,
      device: type === 'character-device' || type === 'block-device' ? header.device : null,
      links:
        header.nlink > 1 && type !== 'directory' ? { count: header.nlink, id: `${header.dev}:${header.ino}` } : null,
      offset,
      dataOffset: offset + named,
      storedSize: size,
      attributes: [],
    });
    if (type === 'symlink') {
      next();
      return used;
    }

    const padding = aligned(header.size, found.align) - header.size;
    const close = () => frames.pass(padding, undefined, next);
    if (type !== 'file') frames.pass(header.size, undefined, close);
    else if (found.sums && size > 0) {
      sum = 0;
      frames.pass(size, summed, () => {
        if (sum !== header.check) {
          const seenSum = `${sum} instead of ${header.check}`;
          fail('ARCHIVE_DATA_DAMAGED', 'the content of a file has not the sum stated for it', offset + named, seenSum);
        }
        close();
      });
    } else frames.pass(size, content, close);
    return used;
  }

  const content = (chunk: Buffer, start: number, end: number) => sink.data(chunk, start, end);

  function summed(chunk: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 1) sum = (sum + (chunk[at] as number)) >>> 0;
    sink.data(chunk, start, end);
  }

  function filler(chunk: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      if (chunk[at] !== 0) {
        const seen = hexOf(chunk.subarray(at, end));
        fail('ARCHIVE_JUNK_AFTER_END', 'bytes follow the end of the archive', fillerOffset, seen);
      }
      fillerOffset += 1;
    }
  }

  next();
  return latched({
    push: frames.push,
    end() {
      const at = { offset: frames.bytes(), seen: 'the end of the stream' };
      if (ended) return;
      if (frames.bytes() === 0) throw new ArchiveError('ARCHIVE_EMPTY', 'not one byte of an archive', at);
      if (frames.pending() > 0) throw new ArchiveError('ARCHIVE_TRUNCATED', 'the archive stops within an entry', at);
      throw new ArchiveError('ARCHIVE_END_MISSING', `no entry ${trailer}`, at);
    },
  });
}

function aligned(bytes: number, align: number): number {
  return Math.ceil(bytes / align) * align;
}

/** A name that ends in the NUL byte that is its last. */
function textUpToNul(bytes: Buffer, at: number, length: number): string | undefined {
  const end = bytes.indexOf(0, at);
  return end === at + length - 1 ? nameOf(bytes.subarray(at, end)) : undefined;
}
