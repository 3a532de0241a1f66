import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The by-name format of AIX's `backup -i` (facts archive.md 3), as far as it is known: volume, directories, regular files,
 * symbolic links, end. Links as facts 3.9 has them from one public reader: nobody has seen a real one.
 */

const magic = 0xea6b;
const types = { volume: 0, end: 7, name: 11 } as const;
const nameHeaderBytes = 64;
const clusterBytes = 51_200;

/** What could not be saved, in the words of `backup`. */
export interface Unsaved {
  readonly name: string;
  readonly reason: string;
}

/**
 * Saves names into a file, one after another as they are given.
 *
 * @param locate Where a name lies on this machine.
 * @returns bytes of content saved, and what could not be: the archive goes on without it.
 */
export function saveByName(
  file: string,
  names: readonly string[],
  locate: (name: string) => string,
): { readonly total: number; readonly unsaved: readonly Unsaved[] } {
  const out = openSync(file, 'w');
  const unsaved: Unsaved[] = [];
  let [total, written, directories] = [0, 0, 0];
  const write = (bytes: Buffer) => {
    writeSync(out, bytes);
    written += bytes.length;
  };
  try {
    write(volumeHeader(Math.floor(Date.now() / 1000)));
    for (const name of names) {
      try {
        const path = locate(name);
        const stat = lstatSync(path);
        const content = contentOf(path, stat);
        write(nameHeader(name, stat, content.length, stat.isDirectory() ? -++directories : 0));
        if (!stat.isSymbolicLink()) write(securityBlock(stat.mode));
        write(padded(content));
        total += content.length;
      } catch {
        unsaved.push({ name, reason: 'A file or directory in the path name does not exist.' });
      }
    }
    write(endHeader());
    write(Buffer.alloc((clusterBytes - (written % clusterBytes)) % clusterBytes));
  } finally {
    closeSync(out);
  }
  return { total, unsaved };
}

/** One entry of an archive. */
interface SavedEntry {
  readonly name: string;
  readonly mode: number;
  readonly mtime: number;
  readonly content: Buffer;
}

/**
 * Reads an archive that {@link saveByName} has written.
 *
 * @throws RangeError where the archive is not one, or stops short.
 */
export function readByName(archive: Buffer): SavedEntry[] {
  const entries: SavedEntry[] = [];
  for (let at = 0; ; ) {
    const length = archive.readUInt8(at) * 8;
    const header = archive.subarray(at, at + length);
    const type = archive.readUInt8(at + 1);
    if (archive.readUInt16LE(at + 2) !== magic) throw new RangeError('not a header');
    if (type === types.end) return entries;
    if (archive.readUInt16LE(at + 4) !== checksum(header)) throw new RangeError('checksum error');
    at += length;
    if (type === types.volume) continue;
    if (type !== types.name) throw new RangeError(`header of type ${type}`);
    const mode = header.readUInt32LE(12);
    const name = header.subarray(nameHeaderBytes, header.indexOf(0, nameHeaderBytes)).toString('latin1');
    if ((mode & 0o170000) !== 0o120000) at += 8 + (archive.readUInt32LE(at) + archive.readUInt32LE(at + 4)) * 8;
    const size = (mode & 0o170000) === 0o040000 ? 0 : header.readInt32LE(24);
    const content = archive.subarray(at, at + size);
    if (content.length < size) throw new RangeError('the archive stops within a file');
    entries.push({ name, mode, mtime: header.readInt32LE(32), content });
    at += Math.ceil(size / 8) * 8;
  }
}

/** Puts an entry in its place. */
export function restoreEntry({ mode, mtime, content }: SavedEntry, path: string): void {
  const kind = mode & 0o170000;
  mkdirSync(dirname(path), { recursive: true });
  if (kind === 0o040000) mkdirSync(path, { recursive: true });
  else if (kind === 0o120000) symlinkSync(content.toString('latin1'), path);
  else writeFileSync(path, content);
  if (kind === 0o120000) return;
  chmodSync(path, mode & 0o7777);
  utimesSync(path, mtime, mtime);
}

/** Whether an operand of `restore` means this entry: the name itself, or a directory that it lies in. */
export function isMeant(name: string, operands: readonly string[]): boolean {
  const plain = (text: string) => join('/', text);
  return operands.length === 0 || operands.some((word) => `${plain(name)}/`.startsWith(`${plain(word)}/`));
}

function contentOf(path: string, stat: Stats): Buffer {
  if (stat.isSymbolicLink()) return Buffer.from(readlinkSync(path), 'latin1');
  return stat.isFile() ? readFileSync(path) : Buffer.alloc(0);
}

function volumeHeader(seconds: number): Buffer {
  const header = Buffer.alloc(72);
  header.writeUInt16LE(1, 6);
  header.writeInt32LE(seconds, 8);
  header.writeInt32LE(seconds, 12);
  header.writeInt32LE(0x7fffffff, 16);
  header.write('by name', 20, 'latin1');
  header.write('by name', 36, 'latin1');
  header.write('root', 52, 'latin1');
  header.writeInt16LE(100, 68);
  return sealed(header, types.volume);
}

function nameHeader(name: string, stat: Stats, size: number, id: number): Buffer {
  const header = Buffer.alloc(Math.ceil((nameHeaderBytes + Buffer.byteLength(name, 'latin1') + 1) / 8) * 8);
  // A directory carries a bit that nobody has explained, and a size without content.
  header.writeInt16LE(stat.nlink, 6);
  header.writeInt32LE(id, 8);
  header.writeUInt32LE((stat.mode | (stat.isDirectory() ? 0x10000 : 0)) >>> 0, 12);
  header.writeUInt32LE(stat.uid, 16);
  header.writeUInt32LE(stat.gid, 20);
  header.writeInt32LE(stat.isDirectory() ? 4096 : size, 24);
  for (const [at, milliseconds] of [
    [28, stat.atimeMs],
    [32, stat.mtimeMs],
    [36, stat.ctimeMs],
  ] as const) {
    header.writeInt32LE(Math.floor(milliseconds / 1000), at);
  }
  header.writeInt32LE(stat.isDirectory() ? 4096 : size, 56);
  header.write(name, nameHeaderBytes, 'latin1');
  return sealed(header, types.name);
}

/** An access control list without entries, and an empty list of privileges, of 16 bytes each. */
function securityBlock(mode: number): Buffer {
  const block = Buffer.alloc(40);
  block.writeUInt32LE(2, 0);
  block.writeUInt32LE(2, 4);
  block.writeUInt32LE(16, 8);
  for (const [index, shift] of [6, 3, 0].entries()) block.writeUInt16LE((mode >> shift) & 7, 18 + index * 2);
  block.writeUInt32LE(16, 24);
  return block;
}

function endHeader(): Buffer {
  return sealed(Buffer.alloc(8), types.end);
}

function sealed(header: Buffer, type: number): Buffer {
  header.writeUInt8(header.length / 8, 0);
  header.writeUInt8(type, 1);
  header.writeUInt16LE(magic, 2);
  header.writeUInt16LE(checksum(header), 4);
  return header;
}

/** Each byte shifted left by its own low three bits, added in 16 bits; the checksum itself counts as zero. */
function checksum(header: Buffer): number {
  let sum = 0;
  header.forEach((byte, at) => {
    if (at !== 4 && at !== 5) sum = (sum + ((byte << (byte & 7)) & 0xffff)) & 0xffff;
  });
  return sum;
}

function padded(content: Buffer): Buffer {
  const rest = content.length % 8;
  return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(8 - rest)]);
}
