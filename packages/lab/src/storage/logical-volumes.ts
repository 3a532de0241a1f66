import { readDisk, writeDisk } from './disks.ts';
import type { LogicalVolume, Partition, Snapshot, VolumeGroup } from './volume-groups.ts';

/** The bytes of a logical volume, read and written through its map. */
export interface Bytes {
  readonly size: number;
  read(offset: number, length: number): Buffer;
  write(offset: number, bytes: Uint8Array): void;
}

/** What is asked for lies on no disk that answers. */
export class DiskError extends Error {}

/**
 * Bytes of a volume. A write goes to every fresh copy and makes stale what misses it: a copy on a failed disk, a copy
 * that is split off. Reads take turns among the fresh copies, so that a copy which only claims to be in step is found out.
 */
export function bytesOf(group: VolumeGroup, volume: LogicalVolume): Bytes {
  const unit = group.partitionBytes;
  const pieces = (offset: number, length: number) => {
    const found: { row: number; copies: Partition[]; from: number; at: number; length: number }[] = [];
    let at = 0;
    while (at < length) {
      const row = Math.floor((offset + at) / unit);
      const from = (offset + at) % unit;
      const copies = volume.map[row];
      if (copies === undefined) throw new RangeError(`${volume.name}: ${offset}+${length} is beyond its end`);
      const part = Math.min(length - at, unit - from);
      found.push({ row, copies, from, at, length: part });
      at += part;
    }
    return found;
  };
  const own = volume.parent !== undefined;
  const read = (offset: number, length: number) => {
    const parts = pieces(offset, length).map((piece) => {
      const fresh = piece.copies.filter((copy) => (own || (!copy.stale && !copy.split)) && !copy.disk.failed);
      const copy = fresh[piece.row % fresh.length];
      if (copy === undefined) throw new DiskError(`${volume.name}: no fresh copy of partition ${piece.row + 1}`);
      return readDisk(copy.disk, (copy.number - 1) * unit + piece.from, piece.length);
    });
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  };
  return {
    size: volume.map.length * unit,
    read,
    write(offset, bytes) {
      for (const snapshot of volume.snapshots) saveBefore(group, snapshot, offset, bytes.length, read);
      for (const piece of pieces(offset, bytes.length)) {
        for (const copy of piece.copies) {
          // What is written to a split copy by itself differs from its volume from then on.
          if (own || copy.disk.failed || copy.split) copy.stale = true;
          if (copy.disk.failed || (!own && copy.stale)) continue;
          const part = bytes.subarray(piece.at, piece.at + piece.length);
          writeDisk(copy.disk, (copy.number - 1) * unit + piece.from, part);
        }
      }
    },
  };
}

/** Bytes of blocks that a snapshot saves. */
const savedBytes = 4096;

/** Saves the blocks that a write is about to change, once each. A snapshot without room for them is lost. */
function saveBefore(
  group: VolumeGroup,
  snapshot: Snapshot,
  offset: number,
  length: number,
  read: (offset: number, length: number) => Buffer,
): void {
  if (snapshot.invalid) return;
  const room = bytesOf(group, snapshot.volume);
  for (let block = Math.floor(offset / savedBytes); block * savedBytes < offset + length; block++) {
    if (snapshot.saved.has(block)) continue;
    // The first block of the place belongs to its control block.
    const at = (snapshot.saved.size + 1) * savedBytes;
    if (at + savedBytes > room.size) {
      snapshot.invalid = true;
      return;
    }
    room.write(at, read(block * savedBytes, savedBytes));
    snapshot.saved.set(block, at);
  }
}

/** Bytes of a volume as they were when the snapshot was taken. */
export function bytesOfSnapshot(group: VolumeGroup, volume: LogicalVolume, snapshot: Snapshot): Bytes {
  const live = bytesOf(group, volume);
  const room = bytesOf(group, snapshot.volume);
  // A later snapshot saves nothing for an earlier one: each has its own blocks.
  return {
    size: live.size,
    read(offset, length) {
      const found: Buffer[] = [];
      for (let at = offset; at < offset + length; ) {
        const block = Math.floor(at / savedBytes);
        const from = at % savedBytes;
        const part = Math.min(savedBytes - from, offset + length - at);
        const saved = snapshot.saved.get(block);
        found.push(saved === undefined ? live.read(at, part) : room.read(saved + from, part));
        at += part;
      }
      return Buffer.concat(found);
    },
    write() {
      throw new RangeError(`a snapshot of ${volume.name} cannot be written`);
    },
  };
}

/** Copies one logical partition from a fresh copy over its stale ones; false when there is no fresh copy. */
export function resyncPartition(group: VolumeGroup, copies: readonly Partition[]): boolean {
  const unit = group.partitionBytes;
  const source = copies.find((copy) => !copy.stale && !copy.split && !copy.disk.failed);
  if (source === undefined) return false;
  // What splitvg took away is out of reach.
  const near = copies.filter((copy) => group.disks.includes(copy.disk));
  const stale = near.filter((copy) => copy.stale && !copy.disk.failed);
  if (stale.length === 0) return near.every((copy) => !copy.stale);
  const bytes = readDisk(source.disk, (source.number - 1) * unit, unit);
  for (const copy of stale) {
    writeDisk(copy.disk, (copy.number - 1) * unit, bytes);
    copy.stale = false;
  }
  return near.every((copy) => !copy.stale);
}

/** Hands freed partitions to the storage: a thin disk forgets what they held. */
export function reclaim(group: VolumeGroup, partitions: readonly Partition[]): void {
  const nothing = Buffer.alloc(group.partitionBytes);
  for (const { disk, number } of partitions) {
    if (disk.thin) writeDisk(disk, (number - 1) * group.partitionBytes, nothing);
  }
}
