import { controlBlockBytes, hasControlBlock } from './control-blocks.ts';
import { type Entry, readContent, readEntries, readNewestEntries, sha256 } from './labfs.ts';
import { type Bytes, bytesOf } from './logical-volumes.ts';
import type { Machine } from './machine.ts';
import { type TruthEntry, truthOf, truthOfEntries } from './mounts.ts';
import type { LogicalVolume, VolumeGroup } from './volume-groups.ts';

/** What a volume held at the instant when a copy left it. */
export type Truth =
  /** The tree, flushed or not: what a reader of the live file system saw. */
  | { readonly kind: 'files'; readonly volume: string; readonly files: readonly TruthEntry[] }
  /** A volume without file system: the SHA-256 of its bytes behind LVM's control block, if it begins with one. */
  | {
      readonly kind: 'raw';
      readonly volume: string;
      readonly bytes: number;
      /** Bytes at the start that are left out: 512 where LVM's control block is, else 0. */
      readonly skipped: number;
      readonly sha256: string;
    };

/** Takes down what a volume holds now, read from the mount where it is mounted. */
export function truthNow(machine: Machine, group: VolumeGroup, volume: LogicalVolume): Truth {
  for (const node of machine.nodes.values()) {
    const mount = node.mounts.find((candidate) => candidate.volume === volume);
    if (mount !== undefined) return { kind: 'files', volume: volume.name, files: truthOf(node, mount) };
  }
  const bytes = bytesOf(group, volume);
  const entries = volume.type.startsWith('jfs') ? readEntries(bytes) : undefined;
  if (entries !== undefined) return { kind: 'files', volume: volume.name, files: truthOfEntries(entries) };
  return rawTruth(group, volume);
}

function rawTruth(group: VolumeGroup, volume: LogicalVolume): Truth {
  const bytes = bytesOf(group, volume);
  const skipped = hasControlBlock(group, volume) ? controlBlockBytes(group) : 0;
  const rest = sha256(bytes.read(skipped, bytes.size - skipped));
  return { kind: 'raw', volume: volume.name, bytes: bytes.size, skipped, sha256: rest };
}

/** What one copy of a volume holds by itself; undefined when it is not complete. */
export function heldBy(machine: Machine, name: string, copy: number): Truth | undefined {
  for (const group of machine.groups) {
    const volume = group.volumes.find((candidate) => candidate.name === name);
    if (volume === undefined) continue;
    const map = volume.map.map((row) =>
      row.slice(copy - 1, copy).map((partition) => ({ ...partition, stale: false, split: false })),
    );
    if (map.some(({ length }) => length === 0)) return undefined;
    const alone: LogicalVolume = { ...volume, map, snapshots: [] };
    const bytes = bytesOf(group, alone);
    const entries = volume.type.startsWith('jfs') ? readNewestEntries(bytes) : undefined;
    if (entries === undefined) return rawTruth(group, alone);
    return { kind: 'files', volume: name, files: truthOfEntries(entries.map((entry) => reread(bytes, entry))) };
  }
  return undefined;
}

/** An entry with the checksum of what lies in its blocks now. */
function reread(bytes: Bytes, entry: Entry): Entry {
  return entry.kind === 'file' ? { ...entry, sha256: sha256(readContent(bytes, entry)) } : entry;
}
