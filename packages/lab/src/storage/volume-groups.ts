import type { Disk } from './disks.ts';

/** One physical partition that holds one copy of a logical partition. */
export interface Partition {
  readonly disk: Disk;
  /** Number on the disk, from 1. */
  readonly number: number;
  /** Missed a write, or never was in step. */
  stale: boolean;
  /** Split off while it stays a copy of its volume: it gets no writes, and the first one that it misses makes it stale. */
  split: boolean;
}

/** The marks of a copy that `chlvcopy` has split off. */
interface SplitMark {
  /** Copy, from 1. */
  readonly copy: number;
  /** Survives a crash. */
  readonly persistent: boolean;
}

/** A point in time of a JFS2 file system, kept by copying blocks before they are overwritten. */
export interface Snapshot {
  /** Volume that holds the saved blocks. */
  readonly volume: LogicalVolume;
  readonly taken: Date;
  /** Where the saved block lies in the volume, by number of the block. */
  readonly saved: Map<number, number>;
  /** Full: what it held is lost. */
  invalid: boolean;
}

/** A logical volume as the VGDA has it. */
export interface LogicalVolume {
  name: string;
  readonly minor: number;
  type: string;
  label: string;
  /** Text of the control block that carries the stanza: `vfs=jfs2:log=...`. */
  fileSystem: string;
  /** Copies of each logical partition in order: copy 1 first. Ragged volumes have rows of unequal length. */
  readonly map: Partition[][];
  maxPartitions: number;
  upperBound: number;
  strict: 'y' | 'n' | 's';
  readonly encrypted: boolean;
  /** Mirror pools of its copies, by copy from 1. */
  readonly pools: Map<number, string>;
  readonly created: Date;
  modified: Date;
  /** Set while one of its copies is split off. */
  splitMark?: SplitMark | undefined;
  /** Reads a split copy of this volume: the partitions are the parent's own. */
  readonly parent?: LogicalVolume;
  /** A volume that reads a split copy may not be written, unless it was made for that. */
  readonly readOnly?: boolean;
  /** Oldest first. */
  readonly snapshots: Snapshot[];
}

/** A volume group as its disks describe it (VGDA): what travels from node to node. */
export interface VolumeGroup {
  name: string;
  /** Volume group identifier, 32 hexadecimal digits. */
  readonly id: string;
  readonly partitionBytes: number;
  readonly kind: 'normal' | 'big' | 'scalable';
  enhancedConcurrent: boolean;
  autoOn: boolean;
  quorum: boolean;
  readonly disks: Disk[];
  /** Mirror pools of its disks. */
  readonly pools: Map<Disk, string>;
  poolsStrict: boolean;
  readonly volumes: LogicalVolume[];
  nextMinor: number;
  /** Grows with each change of the VGDA, as its time stamp does. */
  stamp: number;
  /** Someone holds the lock of the group: queries wait for ever. */
  locked: boolean;
  /** Set while all input and output is suspended: who waits. */
  suspended?: (() => void)[] | undefined;
  /** The group that `splitvg` made of disks of this one. */
  snapshotGroup?: VolumeGroup | undefined;
  /** The group from which `splitvg` took the disks. */
  primaryGroup?: VolumeGroup | undefined;
  /** Node on which `splitvg` was killed before its ODM had the new group. */
  unfinishedOn?: string | undefined;
}

/** What a node's ODM recorded of a group. */
export interface OdmGroup {
  readonly id: string;
  name: string;
  stamp: number;
  /** Volumes by name, type, label and number of copies, as this node last learned them. */
  volumes: readonly OdmVolume[];
}

/** A logical volume in the ODM. */
interface OdmVolume {
  readonly name: string;
  readonly minor: number;
  readonly type: string;
  readonly label: string;
}

/** How a node has a group varied on; without an entry it is off. */
export type Varied = 'active' | 'concurrent' | 'passive';

/** What a node records of a group that it learns now. */
export function learn(group: VolumeGroup): OdmGroup {
  return {
    id: group.id,
    name: group.name,
    stamp: group.stamp,
    volumes: group.volumes.map(({ name, minor, type, label }) => ({ name, minor, type, label })),
  };
}

/** Whether what a node recorded is what the disks say. */
export function knows(odm: OdmGroup, group: VolumeGroup): boolean {
  return JSON.stringify(odm.volumes) === JSON.stringify(learn(group).volumes);
}

/** Largest number of volumes, disks and partitions of a group by its kind. */
export function limits(group: VolumeGroup): { readonly volumes: number; readonly disks: number } {
  if (group.kind === 'normal') return { volumes: 256, disks: 32 };
  if (group.kind === 'big') return { volumes: 512, disks: 128 };
  return { volumes: 256, disks: 1024 };
}

/** Copies of the VGDA on a disk: two on the first of one or two disks, else one. */
export function descriptorsOn(group: VolumeGroup, disk: Disk): number {
  return group.disks.length < 3 && group.disks[0] === disk ? 2 : 1;
}

/** Copies of the VGDA on all disks. */
export function descriptors(group: VolumeGroup): number {
  return group.disks.reduce((sum, disk) => sum + descriptorsOn(group, disk), 0);
}

/** Whether the disks that answer hold more than half of the copies of the VGDA. */
export function hasMajority(group: VolumeGroup): boolean {
  const alive = group.disks.filter(({ failed }) => !failed);
  return alive.reduce((sum, disk) => sum + descriptorsOn(group, disk), 0) * 2 > descriptors(group);
}

/** Whole partitions of a disk in a group. */
export function partitionsOf(group: VolumeGroup, disk: Disk): number {
  return Math.floor(disk.bytes / group.partitionBytes);
}

/** Who uses a physical partition. */
export interface Use {
  readonly volume: LogicalVolume;
  /** Logical partition, from 1. */
  readonly logical: number;
  /** Copy, from 1. */
  readonly copy: number;
  readonly partition: Partition;
}

/** Used partitions of a disk by their number. */
export function usesOf(group: VolumeGroup, disk: Disk): Map<number, Use> {
  const uses = new Map<number, Use>();
  for (const volume of group.volumes) {
    // A child device reads partitions that its parent owns.
    if (volume.parent !== undefined && group.volumes.includes(volume.parent)) continue;
    volume.map.forEach((copies, row) => {
      copies.forEach((partition, column) => {
        if (partition.disk !== disk) return;
        uses.set(partition.number, { volume, logical: row + 1, copy: column + 1, partition });
      });
    });
  }
  return uses;
}

/** Physical partitions of a volume, all copies. */
export function physicalPartitions(volume: LogicalVolume): Partition[] {
  return volume.map.flat();
}

/** Partitions of a volume that lag behind. A split copy is never stale to those who read it by itself. */
export function staleCount(volume: LogicalVolume): number {
  if (volume.parent !== undefined) return 0;
  return physicalPartitions(volume).filter(({ stale }) => stale).length;
}

/** Copies of a volume as `lslv` counts them: those of the partition that has most. */
export function copyCount(volume: LogicalVolume): number {
  return Math.max(0, ...volume.map.map((copies) => copies.length));
}

/** Names of the five regions of a disk, from its outer edge. */
export const regions = ['outer edge', 'outer middle', 'center', 'inner middle', 'inner edge'] as const;

/** Last partition of each region. */
export function regionEnds(total: number): number[] {
  return regions.map((_, i) => Math.ceil((total * (i + 1)) / regions.length));
}

/** How many of these partitions lie in each region. */
export function distribution(numbers: Iterable<number>, total: number): number[] {
  const ends = regionEnds(total);
  const counts = regions.map(() => 0);
  for (const number of numbers) {
    const region = ends.findIndex((end) => number <= end);
    counts[region] = (counts[region] ?? 0) + 1;
  }
  return counts;
}
