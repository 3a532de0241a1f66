import type { Leftover } from '../port.ts';
import type { AixLevel } from '../readers/level.ts';
import type { Mount } from '../readers/mounts.ts';
import type { SnapshotList } from '../readers/snapshots.ts';
import type { GroupDisk, VolumeGroup } from '../readers/volume-groups.ts';
import type { Extent } from './extents.ts';
import { readCopyName, readOurPath } from './marks.ts';

/** Storage of a resource group as one node sees it. Plain JSON. */
export interface LvmPicture {
  readonly node: string;
  /** `null` when the node does not say it. */
  readonly level: AixLevel | null;
  /** Lower-case hex SHA-256 over everything that a plan rests on; counters that change by themselves are left out. */
  readonly digest: string;
  /** The same in parts, shortened, by what a person calls each: `volume datalv`, `partitions of datalv`, `disks of datavg`. */
  readonly parts: Readonly<Record<string, string>>;
  readonly leftovers: readonly Leftover[];
  /** Partitions that lag behind, over all volumes of the volume groups. */
  readonly stalePartitions: number;
  /** In the order asked for. */
  readonly groups: readonly GroupView[];
  /** Mount points of the resource group, sorted; `ALL` is expanded. */
  readonly fileSystems: readonly string[];
  /** Volumes of the groups that may hold data, sorted by name: neither the system's own, nor what was split off another. */
  readonly dataVolumes: readonly DataVolume[];
  /** Those that are raw, as devices, in the same order. */
  readonly rawDevices: readonly RawDevice[];
  /** Mounts of the groups' volumes, and everything mounted below `/splitmirror`. */
  readonly mounts: readonly Mount[];
  /** Directories of ours, sorted; `/splitmirror` itself, though empty, is no leftover that bars a plan. */
  readonly directories: readonly string[];
  /** Stanzas of ours in /etc/filesystems: mount points below `/splitmirror`, with their devices. */
  readonly stanzas: readonly OurStanza[];
  /** Stanzas of the volumes that a mark on this node names, whoever has their group now. */
  readonly markedFileSystems: readonly OurStanza[];
  /** Volume groups that this node knows and that bear our name, sorted: `splitvg` has made them. */
  readonly snapshotGroups: readonly string[];
  /** JFS2 snapshots, ours and others', of file systems that are mounted here; a file system without an entry is not known. */
  readonly snapshots: readonly SnapshotList[];
}

/** A volume that may hold data, whether the resource group knows of it or not. */
export interface DataVolume {
  readonly volume: string;
  /** `raw`: what it holds is written to it as a device. */
  readonly holds: 'file-system' | 'raw';
  /** Where its file system belongs; `null` for a raw volume, and for a file system that this node has no stanza of. */
  readonly mountPoint: string | null;
}

/** A raw volume as a device that can be read and written. */
export interface RawDevice {
  readonly volume: string;
  /** Path of its character device. */
  readonly device: string;
  readonly bytes: number;
  /** Whether some program on this node has it open now. */
  readonly open: boolean;
}

/** A stanza whose mount point is a copy's. */
export interface OurStanza {
  readonly mountPoint: string;
  readonly device: string;
}

/** A volume group on this node. */
export type GroupView =
  /** Varied on for reading and writing: it may be changed here. */
  | {
      readonly kind: 'active';
      readonly name: string;
      readonly group: VolumeGroup;
      readonly disks: readonly GroupDisk[];
      readonly volumes: readonly VolumeView[];
    }
  /** Another node's, or read-only. */
  | { readonly kind: 'passive'; readonly name: string; readonly group: VolumeGroup }
  /** It could not be looked at. */
  | {
      readonly kind: 'varied-off' | 'locked' | 'not-found' | 'unreadable';
      readonly name: string;
      readonly seen: string;
    };

/** A volume group that may be changed here. */
export type ActiveGroup = Extract<GroupView, { kind: 'active' }>;

/** A logical volume with all that a split must know of it. */
export interface VolumeView {
  readonly name: string;
  readonly group: string;
  readonly identifier: string;
  readonly type: string;
  readonly label: string | null;
  readonly open: boolean;
  /** Copies that it is meant to have. */
  readonly copies: number;
  /** Size of one copy, in partitions. */
  readonly logicalPartitions: number;
  readonly stalePartitions: number;
  readonly separateDisks: string | null;
  readonly encrypted: boolean;
  readonly striped: boolean;
  /** It has no partitions of its own: it reads a copy of another volume, which `chlvcopy` or `chfs` has split off. */
  readonly child: boolean;
  /** What there is of each copy, in order of its number. */
  readonly map: readonly CopyView[];
  /** Logical partitions that have at least one copy which is not stale. */
  readonly freshPartitions: number;
  /** File system that /etc/filesystems puts on it, or `null`. */
  readonly fileSystem: FileSystemView | null;
}

/** One copy of a volume. */
export interface CopyView {
  readonly copy: number;
  /** Sorted by name. */
  readonly disks: readonly string[];
  /** Logical partitions that have this copy: fewer than the volume's means a ragged copy. */
  readonly partitions: number;
  readonly stale: number;
  /** Mirror pool that the copy is bound to, or `null`. */
  readonly pool: string | null;
  /** Where its partitions lie, in the order of the logical ones. */
  readonly extents: readonly Extent[];
}

/** A file system with its log. */
export interface FileSystemView {
  readonly mountPoint: string;
  readonly vfs: string;
  /** Whether /etc/filesystems has it, and not only the mount table. */
  readonly configured: boolean;
  readonly mounted: boolean;
  readonly readOnly: boolean;
  readonly log: 'inline' | 'external' | 'unknown';
  /** Made for internal snapshots. */
  readonly internalSnapshots: boolean;
  /** Device of the log as the mount table shows it; `null` while it is not mounted, or has none. */
  readonly logDevice: string | null;
}

/** Types of volumes that are no one's data. */
export const systemTypes: ReadonlySet<string> = new Set([
  'boot',
  'paging',
  'sysdump',
  'jfslog',
  'jfs2log',
  'aio_cache',
]);

/** What tells whose a mount is. */
type MountEvidence = Pick<LvmPicture, 'directories' | 'stanzas'>;

/**
 * A copy of ours on a directory of ours; nothing else is ever unmounted. Where AIX names the copy's volume itself, our
 * stanza or our mark vouches for it.
 */
export function isOurMount({ node, device, mountPoint }: Mount, { directories, stanzas }: MountEvidence): boolean {
  const path = readOurPath(mountPoint);
  if (node !== null || path?.kind !== 'copy') return false;
  return (
    readCopyName(device.replace(/^\/dev\//, '')) !== null ||
    stanzas.some((stanza) => stanza.mountPoint === mountPoint && stanza.device === device) ||
    directories.some((directory) => {
      const mark = readOurPath(directory);
      return mark?.kind === 'mark' && mark.run === path.run && mark.volume === path.volume && /[ce]/.test(mark.letter);
    })
  );
}

/** Snapshots of the file system on a volume; `null` where they are not known. */
export function snapshotsOf({ fileSystem }: VolumeView, { snapshots }: LvmPicture): SnapshotList | null {
  return snapshots.find(({ mountPoint }) => mountPoint === fileSystem?.mountPoint) ?? null;
}

/** All volumes of the groups that are active here. */
export function volumesOf(groups: readonly GroupView[]): VolumeView[] {
  return groups.flatMap((group) => (group.kind === 'active' ? group.volumes : []));
}
