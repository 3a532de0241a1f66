import { ArchiveError, hexOf } from '../errors.ts';
import { nameOf } from '../names.ts';

const blank = 0x20;

/** Whether the block at `at` holds nothing but zeros. */
export function isZeroBlock(bytes: Buffer, at: number): boolean {
  for (let end = at + 512; at < end; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * Whether the header at `at` has the checksum that it states. The bytes are summed unsigned, the checksum's own eight
 * as blanks; old writers summed signed bytes.
 *
 * @param words The same memory in words of 32 bits, where it is aligned: sums four bytes in two steps.
 */
export function checksumHolds(bytes: Buffer, at: number, words?: Uint32Array): boolean {
  const stated = statedChecksum(bytes, at);
  if (stated < 0) return false;
  let sum = 8 * blank;
  for (let i = at + 148; i < at + 156; i += 1) sum -= bytes[i] as number;
  if (words !== undefined && at % 4 === 0) {
    let lanes = 0;
    for (let i = at >> 2, stop = i + 128; i < stop; i += 1) {
      const word = words[i] as number;
      lanes = (lanes + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0;
    }
    sum += (lanes & 0xffff) + (lanes >>> 16);
  } else for (let i = at; i < at + 512; i += 1) sum += bytes[i] as number;
  return sum === stated || sum - 256 * highBytes(bytes, at) === stated;
}

/** Bytes of a header that are negative when they are taken as signed, those of the checksum left out. */
function highBytes(bytes: Buffer, at: number): number {
  let high = 0;
  for (let i = at; i < at + 148; i += 1) high += (bytes[i] as number) >> 7;
  for (let i = at + 156; i < at + 512; i += 1) high += (bytes[i] as number) >> 7;
  return high;
}

/** The memory of a chunk in words, when it starts at a multiple of four. */
export function wordsOf(bytes: Buffer): Uint32Array | undefined {
  return bytes.byteOffset % 4 === 0 ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : undefined;
}

/** In a form: the number has all the digits that there is room for, so that no padding is seen. */
const unpadded = 2;

/**
 * The checksum's form: with what it is padded and ended. The sum does not cover its own field, so a writer's habit,
 * which does not change within one archive, is what guards those bytes.
 */
export function checksumForm(bytes: Buffer, at: number): number {
  const first = bytes[at + 148] as number;
  const fill = first === blank ? 1 : first === 48 ? 0 : unpadded;
  const seventh = bytes[at + 154] as number;
  return fill | ((isOctal(seventh) ? 48 : seventh) << 8) | ((bytes[at + 155] as number) << 16);
}

/** Whether two forms may be of one writer: they end alike, and one of them has no padding to compare. */
export function formsAgree(a: number, b: number): boolean {
  return (a ^ b) >>> 8 === 0 && ((a | b) & unpadded) !== 0;
}

/** Whether a form says with what the writer pads. */
export function tellsPadding(form: number): boolean {
  return (form & unpadded) === 0;
}

/**
 * Whether a form is that of most writers: six digits with NUL and blank in either order, or seven with one of them, and
 * padded as the mode is. Any other may as well be a damaged byte, unless a second header has it too.
 */
export function isUsualForm(bytes: Buffer, at: number): boolean {
  const [seventh, last] = [bytes[at + 154] as number, bytes[at + 155] as number];
  const endsUsual = isOctal(seventh) || seventh !== last;
  return endsUsual && (bytes[at + 148] !== blank || bytes[at + 100] === blank);
}

/** The checksum as it is written, or -1 where it is no number. */
function statedChecksum(bytes: Buffer, at: number): number {
  const digits = isOctal(bytes[at + 154] as number) ? 7 : 6;
  let value = 0;
  let filling = true;
  for (let i = at + 148; i < at + 156; i += 1) {
    const byte = bytes[i] as number;
    if (i >= at + 148 + digits) {
      if (byte !== 0 && byte !== blank) return -1;
      continue;
    }
    if (filling && byte === blank) continue;
    if (!isOctal(byte)) return -1;
    filling = false;
    value = value * 8 + byte - 48;
  }
  return filling ? -1 : value;
}

function isOctal(byte: number): boolean {
  return byte >= 48 && byte <= 55;
}

/**
 * A number of a header: octal, filled with zeros or blanks, ended by NUL, blank or the end of the field; or base-256
 * when the highest bit is set. An empty field is 0.
 *
 * @throws ArchiveError ARCHIVE_FIELD_INVALID.
 */
export function numberField(bytes: Buffer, at: number, length: number, field: string, offset: number): number {
  const first = bytes[at] as number;
  if (first >= 0x80) return base256(bytes, at, length, field, offset);
  const end = at + length;
  let i = at;
  while (i < end && bytes[i] === blank) i += 1;
  let value = 0;
  for (; i < end; i += 1) {
    const byte = bytes[i] as number;
    if (byte < 48 || byte > 55) break;
    value = value * 8 + byte - 48;
  }
  for (; i < end; i += 1) {
    const byte = bytes[i];
    if (byte !== 0 && byte !== blank) throw invalidNumber(bytes, at, length, field, offset);
  }
  return value;
}

function base256(bytes: Buffer, at: number, length: number, field: string, offset: number): number {
  const first = bytes[at] as number;
  const negative = (first & 0x40) !== 0;
  let value = negative ? (first & 0x7f) - 0x80 : first & 0x3f;
  for (let i = at + 1; i < at + length; i += 1) {
    value = value * 256 + (bytes[i] as number);
    if (!Number.isSafeInteger(value)) throw invalidNumber(bytes, at, length, field, offset);
  }
  return value;
}

function invalidNumber(bytes: Buffer, at: number, length: number, field: string, offset: number): ArchiveError {
  return new ArchiveError('ARCHIVE_FIELD_INVALID', `the ${field} in a tar header is no number`, {
    offset,
    seen: hexOf(bytes.subarray(at, at + length)),
  });
}

/** Text of a header field up to its NUL. */
export function textField(bytes: Buffer, at: number, length: number): string {
  let end = at;
  let high = 0;
  for (const limit = at + length; end < limit; end += 1) {
    const byte = bytes[end] as number;
    if (byte === 0) break;
    high |= byte;
  }
  return high < 0x80 ? bytes.toString('latin1', at, end) : nameOf(bytes.subarray(at, end));
}

/** Reads a text that is mostly the same from header to header, such as a user's name, without making it anew. */
export function createTextMemory(length: number): (bytes: Buffer, at: number) => string {
  const known = Buffer.alloc(length);
  let text = '';
  return (bytes, at) => {
    for (let i = 0; i < length; i += 1) {
      const byte = bytes[at + i];
      if (byte !== known[i]) break;
      if (byte === 0) return text;
    }
    text = textField(bytes, at, length);
    bytes.copy(known, 0, at, at + length);
    return text;
  };
}
