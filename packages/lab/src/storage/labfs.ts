import { createHash } from 'node:crypto';
import type { Bytes } from './logical-volumes.ts';

/** Bytes of a block, as JFS2's default. */
export const blockBytes = 4096;
/** The blocks before it are left to the control block of the volume. */
const superblockAt = 8;
const logAt = 9;
const firstDataBlock = 16;

/** One run of blocks: first block and how many. */
type Extent = readonly [start: number, count: number];

/** A file, directory, symbolic link, or further name of a file, with its path below the mount point. */
export interface Entry {
  /** Path below the mount point without leading slash; empty for the root directory. Names are bytes: each is a character (latin1). */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  readonly size: number;
  readonly sha256: string;
  readonly extents: readonly Extent[];
  /** Where a symbolic link points to, or the path of the file that a further name belongs to; bytes as in `path`. */
  readonly target: string;
}

/** An entry whose content is new; one without content keeps the extents that it names. */
export interface NewEntry {
  readonly entry: Entry;
  readonly content?: Buffer;
}

/** A point in time that a file system keeps within itself: the table of then, whose blocks are not given to anyone else. */
export interface InternalSnapshot {
  readonly name: string;
  readonly takenMs: number;
  readonly table: { readonly start: number; readonly bytes: number };
}

interface Superblock {
  /** `in-use` while mounted for writing; `dirty` when only a full fsck helps. */
  readonly state: 'clean' | 'in-use' | 'dirty';
  /** Size of the file system in blocks. */
  readonly blocks: number;
  readonly inlineLog: boolean;
  /** Internal snapshots, oldest first; left out where the file system was not made for them. */
  readonly snapshots?: readonly InternalSnapshot[];
  readonly generation: number;
  readonly table: { readonly start: number; readonly bytes: number };
}

type LogRecord = Pick<Superblock, 'generation' | 'table'>;

/** There is no room left for what is to be written. */
export class NoSpaceError extends Error {}

/** Writes a file system with nothing but `lost+found` over whatever the volume holds. */
export function formatVolume(
  bytes: Bytes,
  options: { readonly inlineLog: boolean; readonly mtimeMs: number; readonly internalSnapshots?: boolean },
): void {
  const directory = (path: string): Entry => ({
    path,
    kind: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtimeMs: options.mtimeMs,
    size: 0,
    sha256: '',
    extents: [],
    target: '',
  });
  const start: Superblock = {
    state: 'clean',
    blocks: Math.floor(bytes.size / blockBytes),
    inlineLog: options.inlineLog,
    ...(options.internalSnapshots ? { snapshots: [] } : {}),
    generation: 0,
    table: { start: firstDataBlock, bytes: 0 },
  };
  putSuperblock(bytes, start);
  commitEntries(bytes, [{ entry: directory('') }, { entry: directory('lost+found') }], { checkpoint: true });
}

/** The superblock, or undefined when the volume holds no file system. */
export function readSuperblock(bytes: Bytes): Superblock | undefined {
  return decode<Superblock>('LABFSSUP', bytes.read(superblockAt * blockBytes, blockBytes));
}

/** Marks the file system clean, in use or dirty. */
export function markState(bytes: Bytes, state: Superblock['state']): void {
  putSuperblock(bytes, { ...mustRead(bytes), state });
}

/** Lets the file system use the whole volume after that grew. */
export function growToVolume(bytes: Bytes): void {
  putSuperblock(bytes, { ...mustRead(bytes), blocks: Math.floor(bytes.size / blockBytes) });
}

/** Keeps the state that the superblock points to under a name. */
export function keepSnapshot(bytes: Bytes, name: string, takenMs: number): void {
  const superblock = mustRead(bytes);
  const { snapshots = [], table } = superblock;
  putSuperblock(bytes, { ...superblock, snapshots: [...snapshots, { name, takenMs, table }] });
}

/** Gives up a snapshot and all earlier ones; their names. */
export function dropSnapshots(bytes: Bytes, name: string): readonly string[] {
  const superblock = mustRead(bytes);
  const { snapshots = [] } = superblock;
  const last = snapshots.findIndex((snapshot) => snapshot.name === name);
  putSuperblock(bytes, { ...superblock, snapshots: snapshots.slice(last + 1) });
  return snapshots.slice(0, last + 1).map((snapshot) => snapshot.name);
}

/** What a snapshot holds. */
export function readSnapshot(bytes: Bytes, { table }: InternalSnapshot): Entry[] {
  return readTable(bytes, table) ?? [];
}

/** What the superblock points to, or undefined when that is no directory table. */
export function readEntries(bytes: Bytes): Entry[] | undefined {
  const superblock = readSuperblock(bytes);
  return superblock === undefined ? undefined : readTable(bytes, superblock.table);
}

/** The newest state: what the log says when it is ahead of the superblock. */
export function readNewestEntries(bytes: Bytes): Entry[] | undefined {
  const superblock = readSuperblock(bytes);
  if (superblock === undefined) return undefined;
  return readTable(bytes, newest(bytes, superblock).table);
}

/** Log redo: lets the superblock point to what the log recorded last. True when there was something to redo. */
export function replayLog(bytes: Bytes): boolean {
  const superblock = mustRead(bytes);
  const record = newest(bytes, superblock);
  putSuperblock(bytes, { ...superblock, ...record });
  return record.generation > superblock.generation;
}

/** Content of a file, whatever lies in its blocks now: checksums are for those who look inside. */
export function readContent(bytes: Bytes, entry: Entry): Buffer {
  const parts = entry.extents.map(([start, count]) => bytes.read(start * blockBytes, count * blockBytes));
  return Buffer.concat(parts).subarray(0, entry.size);
}

/**
 * Makes these entries the state of the file system: new content goes to free blocks, then the table, then the log
 * record; with `checkpoint` the superblock follows at once.
 *
 * @returns the entries with their extents.
 * @throws NoSpaceError when they do not fit; the state before stays.
 */
export function commitEntries(
  bytes: Bytes,
  entries: readonly NewEntry[],
  options: { readonly checkpoint: boolean },
): Entry[] {
  const superblock = mustRead(bytes);
  const before = newest(bytes, superblock);
  const blocks = new FreeBlocks(superblock.blocks);
  for (const entry of readTable(bytes, before.table) ?? []) blocks.take(entry.extents);
  blocks.take([extentOf(before.table)]);
  for (const snapshot of superblock.snapshots ?? []) {
    blocks.take([extentOf(snapshot.table), ...readSnapshot(bytes, snapshot).flatMap(({ extents }) => extents)]);
  }
  const written = entries.map(({ entry, content }): Entry => {
    if (content === undefined) {
      blocks.take(entry.extents);
      return entry;
    }
    const extents = blocks.find(Math.ceil(content.length / blockBytes));
    let at = 0;
    for (const [start, count] of extents) {
      bytes.write(start * blockBytes, content.subarray(at, at + count * blockBytes));
      at += count * blockBytes;
    }
    return { ...entry, size: content.length, sha256: sha256(content), extents };
  });
  const table = encode('LABFSTAB', written);
  // The table is read as one run, so it needs one.
  const [run] = blocks.find(Math.ceil(table.length / blockBytes), true);
  if (run === undefined) throw new NoSpaceError('no room for the directory table');
  bytes.write(run[0] * blockBytes, table);
  const record: LogRecord = { generation: before.generation + 1, table: { start: run[0], bytes: table.length } };
  bytes.write(logAt * blockBytes, encode('LABFSLOG', record));
  if (options.checkpoint) putSuperblock(bytes, { ...superblock, ...record });
  return written;
}

/** Blocks that files and their table take, and all blocks. */
export function usage(bytes: Bytes): { readonly used: number; readonly total: number; readonly files: number } {
  const superblock = mustRead(bytes);
  const { table } = newest(bytes, superblock);
  const entries = readTable(bytes, table) ?? [];
  const data = entries.flatMap(({ extents }) => extents).reduce((sum, [, count]) => sum + count, 0);
  return { used: firstDataBlock + extentOf(table)[1] + data, total: superblock.blocks, files: entries.length };
}

/** SHA-256 in lower-case hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function newest(bytes: Bytes, superblock: Superblock): LogRecord {
  const record = decode<LogRecord>('LABFSLOG', bytes.read(logAt * blockBytes, blockBytes));
  return record !== undefined && record.generation > superblock.generation
    ? { generation: record.generation, table: record.table }
    : { generation: superblock.generation, table: superblock.table };
}

function mustRead(bytes: Bytes): Superblock {
  const superblock = readSuperblock(bytes);
  if (superblock === undefined) throw new Error('no file system on this volume');
  return superblock;
}

function putSuperblock(bytes: Bytes, superblock: Superblock): void {
  const block = Buffer.alloc(blockBytes);
  encode('LABFSSUP', superblock).copy(block);
  bytes.write(superblockAt * blockBytes, block);
}

function readTable(bytes: Bytes, table: Superblock['table']): Entry[] | undefined {
  const offset = table.start * blockBytes;
  if (offset + table.bytes > bytes.size) return undefined;
  return decode<Entry[]>('LABFSTAB', bytes.read(offset, table.bytes));
}

function extentOf(table: Superblock['table']): Extent {
  return [table.start, Math.ceil(table.bytes / blockBytes)];
}

/** Magic, length, SHA-256, then JSON. */
function encode(magic: string, value: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  const head = Buffer.alloc(44);
  head.write(magic, 'latin1');
  head.writeUInt32BE(body.length, 8);
  createHash('sha256').update(body).digest().copy(head, 12);
  return Buffer.concat([head, body]);
}

function decode<T>(magic: string, bytes: Buffer): T | undefined {
  if (bytes.length < 44 || bytes.toString('latin1', 0, 8) !== magic) return undefined;
  const body = bytes.subarray(44, 44 + bytes.readUInt32BE(8));
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(12, 44))) return undefined;
  return JSON.parse(body.toString('utf8')) as T;
}

class FreeBlocks {
  readonly #used: Uint8Array;

  constructor(blocks: number) {
    this.#used = new Uint8Array(blocks);
    this.#used.fill(1, 0, Math.min(firstDataBlock, blocks));
  }

  take(extents: readonly Extent[]): void {
    for (const [start, count] of extents) this.#used.fill(1, start, start + count);
  }

  /** Takes free blocks, first fit. */
  find(count: number, whole = false): Extent[] {
    const found: Extent[] = [];
    let missing = count;
    for (let at = 0; missing > 0; ) {
      const start = this.#used.indexOf(0, at);
      if (start < 0) throw new NoSpaceError(`${missing} blocks are missing`);
      const next = this.#used.indexOf(1, start);
      const length = Math.min(missing, (next < 0 ? this.#used.length : next) - start);
      at = start + length;
      if (whole && length < missing) continue;
      found.push([start, length]);
      missing -= length;
    }
    this.take(found);
    return found;
  }
}
