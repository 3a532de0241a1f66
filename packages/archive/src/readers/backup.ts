import { type ArchiveReader, type ArchiveSink, type Entry, type EntryType, typeOfMode } from '../entry.ts';
import { ArchiveError, type ArchiveFault, hexOf } from '../errors.ts';
import { nameOf } from '../names.ts';
import { createFrames } from './frames.ts';
import { latched } from './latch.ts';
import { createUnpacker } from './unpack.ts';

/** Magic words of a header: `backup` as it is, and with `-p`. */
const plain = 60_011;
const packed = 60_012;
/** Those of trusted AIX, of which no archive was ever seen. */
const trusted = [60_013, 60_014, 60_015, 60_016];

const volume = 0;
const end = 7;
/** Types of headers that stand for an entry: of files up to 2 GB, and of larger ones. */
const name = 11;
const nameLarge = 12;
/** Records of `backup -U`, of which only the names are known. */
const unreadable = new Map([
  [13, 'NAME_EA'],
  [14, 'NAME_ACL'],
  [15, 'NAME_E'],
]);
const known = new Set([volume, 6, end, name, nameLarge, ...unreadable.keys()]);

/** Longest link target, and largest block of access rights, that is taken for one. */
const mostBytes = 1 << 20;
/** How far the next header may be behind a record that cannot be read. */
const mostResyncBytes = 1 << 20;
/** What `backup` fills up to unless `-b` says otherwise: 100 blocks. */
const mostClusterBytes = 51_200;
const extendedAcl = 0x0200_0000;

const none: readonly string[] = [];

/** How much more has to be seen to tell whether a header stands here. */
type Finding = 'header' | 'no header' | { readonly wants: number };

/**
 * Reads AIX `backup -i` (by name) as it flows: each header with its checksum, access rights checked in form, packed members
 * decoded. What `backup -U` adds is named and passed over, and makes the entry before it `partial`. Symbolic links, links
 * of several names, devices and FIFOs were never seen in a real archive: they are accepted in a reading behind which a
 * valid header follows, and refused otherwise.
 */
export function createBackupReader(sink: ArchiveSink): ArchiveReader {
  const frames = createFrames();
  let started = false;
  let entries = 0;
  let endOffset = -1;

  /** The entry whose header was read, and what of it the next bytes decide. */
  let found: { -readonly [Key in keyof Entry]: Entry[Key] };
  let isPacked = false;
  let targetBytes = 0;

  function fail(code: ArchiveFault, message: string, offset: number, seen: string): never {
    throw new ArchiveError(code, message, { offset, seen });
  }

  const next = () => frames.gather(6, header);

  function header(bytes: Buffer, at: number, offset: number, count: number): number {
    const seen = () => hexOf(bytes.subarray(at, at + 16));
    const magic = bytes.readUInt16LE(at + 2);
    if (trusted.includes(magic)) return fail('ARCHIVE_UNSUPPORTED', 'an archive of trusted AIX', offset, seen());
    const finding = findHeader(bytes, at, count);
    if (finding === 'no header') {
      return fail('ARCHIVE_HEADER_DAMAGED', 'not a header of backup: magic, type or checksum is wrong', offset, seen());
    }
    if (finding !== 'header') return finding.wants;

    const type = bytes[at + 1] as number;
    const unread = unreadable.get(type);
    if ((type === volume) === started) {
      const code = started ? 'ARCHIVE_JUNK_AFTER_END' : 'ARCHIVE_HEADER_DAMAGED';
      return fail(
        code,
        started ? 'a volume starts within the archive' : 'the archive does not start with a volume',
        offset,
        seen(),
      );
    }
    if (type === volume) openVolume(bytes, at, offset, count);
    else if (type === end) {
      endOffset = offset + count;
      frames.pass((512 - (endOffset % 512)) % 512, undefined, nextFiller);
    } else if (type === name || type === nameLarge) openEntry(bytes, at, offset, count, magic);
    else if (unread !== undefined && entries > 0) {
      sink.attribute(unread, 'partial');
      resync(offset + count);
    } else return fail('ARCHIVE_UNSUPPORTED', 'a record of a type that cannot stand here', offset, seen());
    return count;
  }

  function openVolume(bytes: Buffer, at: number, offset: number, count: number): void {
    if (count !== 72) fail('ARCHIVE_HEADER_DAMAGED', 'a volume header of another length', offset, String(count));
    const [number, level] = [bytes.readUInt16LE(at + 6), bytes.readInt16LE(at + 68)];
    if (number !== 1) fail('ARCHIVE_UNSUPPORTED', 'not the first volume', offset, String(number));
    if (level !== 100) fail('ARCHIVE_UNSUPPORTED', 'not an archive by name', offset, `level ${level}`);
    started = true;
    next();
  }

  function openEntry(bytes: Buffer, at: number, offset: number, count: number, magic: number): void {
    const large = (bytes[at + 1] as number) === nameLarge;
    const fixed = large ? 72 : 64;
    const times = large ? 4 : 0;
    const nul = bytes.indexOf(0, at + fixed);
    if (count <= fixed || nul <= at + fixed || nul >= at + count) {
      fail('ARCHIVE_FIELD_INVALID', 'an entry without a name', offset, hexOf(bytes.subarray(at + fixed, at + count)));
    }
    const size = large ? Number(bytes.readBigInt64LE(at + 24)) : bytes.readInt32LE(at + 24);
    const stored = large ? Number(bytes.readBigInt64LE(at + 64)) : bytes.readInt32LE(at + 56);
    const mode = bytes.readUInt32LE(at + 12);
    const type = typeOfMode(mode);
    if (type === undefined) {
      throw new ArchiveError('ARCHIVE_UNSUPPORTED', 'an entry of a type that is not known', {
        offset,
        seen: mode.toString(16),
      });
    }
    isPacked = magic === packed && type === 'file';
    const storedSize = type !== 'file' ? 0 : isPacked ? stored : size;
    if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(storedSize) || storedSize < 0) {
      fail('ARCHIVE_FIELD_INVALID', 'an impossible size', offset, `${size}, stored ${stored}`);
    }
    const nlink = bytes.readInt16LE(at + 6);
    found = {
      path: nameOf(bytes.subarray(at + fixed, nul)),
      type,
      size: type === 'file' ? size : 0,
      mode: mode & 0o7777,
      uid: bytes.readUInt32LE(at + 16),
      gid: bytes.readUInt32LE(at + 20),
      user: null,
      group: null,
      mtime: bytes.readInt32LE(at + 32 + times),
      link: null,
      device: isDevice(type) ? [bytes.readUInt32LE(at + 48 + times), bytes.readUInt32LE(at + 52 + times)] : null,
      links: nlink > 1 && type !== 'directory' ? { count: nlink, id: String(bytes.readUInt32LE(at + 8)) } : null,
      offset,
      dataOffset: offset + count,
      storedSize,
      attributes: none,
    };
    entries += 1;
    targetBytes = type === 'symlink' ? size : 0;
    frames.gather(8, type === 'file' || type === 'directory' ? security : unseen);
  }

  /** The access rights, which stand between the header of a file or directory and its content. */
  function security(bytes: Buffer, at: number, offset: number, count: number): number {
    const used = securityBytes(bytes, at);
    if (used > mostBytes)
      return fail('ARCHIVE_FIELD_INVALID', 'access rights of impossible length', offset, String(used));
    if (count < used) return used;
    const words = bytes.readUInt32LE(at);
    const stated = words > 1 ? bytes.readUInt32LE(at + 8) : 0;
    if (stated > 8 * words || (words > 1 && stated < 16)) {
      return fail(
        'ARCHIVE_FIELD_INVALID',
        'access rights that do not fit their length',
        offset,
        `${stated} in ${8 * words}`,
      );
    }
    found.dataOffset = offset + used;
    const isExtended = words > 1 && (bytes.readUInt32LE(at + 12) & extendedAcl) !== 0;
    if (isExtended || isPacked) found.attributes = [...(isExtended ? ['AIXC'] : []), ...(isPacked ? ['packed'] : [])];
    if (found.type === 'file' && found.links !== null && found.storedSize > 0) frames.gather(6, sharedContent);
    else openContent();
    return used;
  }

  /** One of several names: its content follows, unless a header does. */
  function sharedContent(bytes: Buffer, at: number, _: number, count: number): number {
    const finding = findHeader(bytes, at, count);
    if (typeof finding === 'object') return finding.wants;
    if (finding === 'header' && bytes[at + 1] !== volume) {
      sink.entry({ ...found, type: 'hardlink', size: 0, storedSize: 0 });
      next();
    } else openContent();
    return 0;
  }

  function openContent(): void {
    sink.entry(found);
    if (!isPacked) {
      frames.pass(found.storedSize, content, closeContent);
      return;
    }
    const unpacker = createUnpacker(found.size, found.dataOffset, content);
    frames.pass(found.storedSize, unpacker.push, () => {
      unpacker.end();
      closeContent();
    });
  }

  const content = (chunk: Buffer, start: number, stop: number) => sink.data(chunk, start, stop);
  const closeContent = () => frames.pass((8 - (found.storedSize % 8)) % 8, undefined, next);

  /**
   * A symbolic link with its target, or an entry without content: whether access rights follow is told by the next header.
   */
  function unseen(bytes: Buffer, at: number, offset: number, count: number): number {
    const target = Math.ceil(targetBytes / 8) * 8;
    if (target > mostBytes || (found.type === 'symlink' && target === 0)) {
      return fail('ARCHIVE_FIELD_INVALID', 'a link target of impossible length', offset, String(targetBytes));
    }
    if (count < target + 8) return target + 8;
    for (const used of [target, target + securityBytes(bytes, at + target)]) {
      if (used > target + mostBytes) break;
      if (count < used + 6) return used + 6;
      const finding = findHeader(bytes, at + used, count - used);
      if (typeof finding === 'object') return used + finding.wants;
      if (finding === 'no header' || bytes[at + used + 1] === volume) continue;
      const link = found.type === 'symlink' ? nameOf(bytes.subarray(at, at + targetBytes)).replace(/\0+$/, '') : null;
      if (link === '' || link?.includes('\0')) break;
      sink.entry({ ...found, link });
      next();
      return used;
    }
    return fail('ARCHIVE_UNSUPPORTED', `no header behind a ${found.type}`, offset, hexOf(bytes.subarray(at, at + 16)));
  }

  /** Looks for the next header at each multiple of 8 bytes. */
  function resync(from: number): void {
    frames.gather(6, (bytes, at, offset, count) => {
      const finding = findHeader(bytes, at, count);
      if (typeof finding === 'object') return finding.wants;
      if (finding === 'header' && bytes[at + 1] !== volume) {
        next();
        return 0;
      }
      if (offset - from > mostResyncBytes) {
        return fail(
          'ARCHIVE_UNSUPPORTED',
          'no header behind a record of backup -U',
          from,
          hexOf(bytes.subarray(at, at + 16)),
        );
      }
      return 8;
    });
  }

  /** Behind the end: stale memory up to a whole cluster, at whose blocks no other archive may start. */
  const nextFiller = () =>
    frames.gather(512, (bytes, at, offset) => {
      if (bytes[at + 1] === volume && findHeader(bytes, at, 512) === 'header') {
        fail('ARCHIVE_JUNK_AFTER_END', 'another archive follows the end', offset, hexOf(bytes.subarray(at, at + 16)));
      }
      return 512;
    });

  function judgeEnd(): void {
    const bytes = frames.bytes();
    const last = 'the end of the stream';
    if (bytes === 0) fail('ARCHIVE_EMPTY', 'not one byte of an archive', 0, 'nothing');
    if (frames.pending() > 0) fail('ARCHIVE_TRUNCATED', 'the archive stops within an entry or a block', bytes, last);
    if (endOffset < 0) fail('ARCHIVE_END_MISSING', 'no end of archive', bytes, last);
    const filler = bytes - endOffset;
    for (let cluster = 512; cluster <= mostClusterBytes; cluster += 512) {
      if (bytes % cluster === 0 && filler < cluster) return;
    }
    fail('ARCHIVE_JUNK_AFTER_END', 'more than fills up a cluster follows the end', endOffset, `${filler} bytes`);
  }

  next();
  return latched({ push: frames.push, end: judgeEnd });
}

function isDevice(type: EntryType): boolean {
  return type === 'character-device' || type === 'block-device';
}

/** Bytes of the access rights that start here, their two counts included. */
function securityBytes(bytes: Buffer, at: number): number {
  return 8 + 8 * (bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4));
}

/** Whether a valid header stands at `at`, of which `count` bytes can be seen: at least 6. */
function findHeader(bytes: Buffer, at: number, count: number): Finding {
  const length = 8 * (bytes[at] as number);
  const magic = bytes.readUInt16LE(at + 2);
  if (length === 0 || (magic !== plain && magic !== packed) || !known.has(bytes[at + 1] as number)) return 'no header';
  if (count < length) return { wants: length };
  return checksum(bytes, at, length) === bytes.readUInt16LE(at + 4) ? 'header' : 'no header';
}

/** Each byte shifted left by its own low three bits and added, in 16 bits; the checksum itself counts as zero. */
function checksum(bytes: Buffer, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i < at + length; i += 1) {
    if (i === at + 4 || i === at + 5) continue;
    const byte = bytes[i] as number;
    sum += byte << (byte & 7);
  }
  return sum & 0xffff;
}
