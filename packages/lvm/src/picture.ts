import { createHash } from 'node:crypto';
import type { FileSystem, FileSystemDetails } from './file-systems.ts';
import type { AixLevel } from './level.ts';
import { markRoot, readCopyName, readOurPath } from './marks.ts';
import type { Mount } from './mounts.ts';
import type { GroupContents, Leftover } from './port.ts';
import type { GroupDisk, MappedPartition, VolumeGroup } from './volume-groups.ts';
import type { LogicalVolume, VolumeRow } from './volumes.ts';

/** Storage of a resource group as one node sees it. Plain JSON. */
export interface LvmPicture {
  readonly node: string;
  /** `null` when the node does not say it. */
  readonly level: AixLevel | null;
  /** Lower-case hex SHA-256 over everything that a plan rests on; counters that change by themselves are left out. */
  readonly digest: string;
  readonly leftovers: readonly Leftover[];
  /** Partitions that lag behind, over all volumes of the volume groups. */
  readonly stalePartitions: number;
  /** In the order asked for. */
  readonly groups: readonly GroupView[];
  /** Mount points of the resource group, sorted; `ALL` is expanded. */
  readonly fileSystems: readonly string[];
  /** Volumes of the groups that hold neither a file system nor anything of the system's own, sorted. */
  readonly rawVolumes: readonly string[];
  /** Mounts of the groups' volumes, and everything mounted below `/splitmirror`. */
  readonly mounts: readonly Mount[];
  /** Directories of ours, sorted; `/splitmirror` itself, though empty, is no leftover that bars a plan. */
  readonly directories: readonly string[];
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
}

/** What the commands of one look said, read but not yet put together. */
export interface Sightings {
  readonly node: string;
  readonly level: AixLevel | null;
  readonly contents: GroupContents;
  readonly groups: readonly GroupSighting[];
  readonly fileSystems: readonly FileSystem[];
  readonly mounts: readonly Mount[];
  readonly directories: readonly string[];
}

/** What was seen of one volume group. */
export type GroupSighting =
  | {
      readonly kind: 'active';
      readonly name: string;
      readonly group: VolumeGroup;
      readonly disks: readonly GroupDisk[];
      readonly rows: readonly VolumeRow[];
      readonly map: readonly MappedPartition[];
      readonly volumes: readonly LogicalVolume[];
    }
  | Exclude<GroupView, ActiveGroup>;

/** Two commands of one look contradict each other: something changed between them, or an output was cut. */
export class ContradictionError extends Error {}

/** Types of volumes that are no one's data. */
export const systemTypes: ReadonlySet<string> = new Set([
  'boot',
  'paging',
  'sysdump',
  'jfslog',
  'jfs2log',
  'aio_cache',
]);

/**
 * Puts one look together. Pure.
 *
 * @throws ContradictionError when the commands do not agree with each other.
 */
export function assemblePicture(seen: Sightings): LvmPicture {
  const groups = seen.groups.map((group) => (group.kind === 'active' ? viewGroup(group, seen) : group));
  const volumes = volumesOf(groups);
  const devices = new Set(volumes.map(({ name }) => `/dev/${name}`));
  const mounts = seen.mounts.filter(
    ({ node, device, mountPoint }) => (node === null && devices.has(device)) || readOurPath(mountPoint) !== null,
  );
  const directories = seen.directories.filter((path) => path === markRoot || readOurPath(path) !== null).sort();
  const theirs = volumes.filter(({ name }) => readCopyName(name) === null);
  const picture = {
    node: seen.node,
    level: seen.level,
    leftovers: leftoversOf(volumes, mounts, directories),
    stalePartitions: volumes.reduce((sum, { stalePartitions }) => sum + stalePartitions, 0),
    groups,
    fileSystems:
      seen.contents.fileSystems === 'ALL'
        ? theirs.flatMap(({ fileSystem }) => (fileSystem === null ? [] : [fileSystem.mountPoint])).sort()
        : [...seen.contents.fileSystems].sort(),
    rawVolumes: theirs
      .filter(({ fileSystem, type }) => fileSystem === null && !systemTypes.has(type) && !/^jfs2?$/.test(type))
      .map(({ name }) => name)
      .sort(),
    mounts,
    directories,
  };
  return { ...picture, digest: digestOf(picture) };
}

/** A copy of ours on a directory of ours; nothing else is ever unmounted. */
export function isOurMount({ node, device, mountPoint }: Mount): boolean {
  return (
    node === null && readOurPath(mountPoint)?.kind === 'copy' && readCopyName(device.replace(/^\/dev\//, '')) !== null
  );
}

/** All volumes of the groups that are active here. */
export function volumesOf(groups: readonly GroupView[]): VolumeView[] {
  return groups.flatMap((group) => (group.kind === 'active' ? group.volumes : []));
}

function viewGroup(seen: Extract<GroupSighting, { kind: 'active' }>, all: Sightings): ActiveGroup {
  const maps = new Map<string, Extract<MappedPartition, { kind: 'used' }>[]>();
  for (const partition of seen.map) {
    if (partition.kind !== 'used') continue;
    const mapped = maps.get(partition.volume);
    if (mapped === undefined) maps.set(partition.volume, [partition]);
    else mapped.push(partition);
  }
  if (seen.rows.length !== seen.group.volumes || seen.disks.length !== seen.group.totalDisks) {
    throw new ContradictionError(
      `lsvg ${seen.name} counts ${seen.group.volumes} volumes and ${seen.group.totalDisks} disks, lsvg -l and -p list ${seen.rows.length} and ${seen.disks.length}`,
    );
  }
  const described = new Map(seen.volumes.map((volume) => [volume.name, volume]));
  const volumes = seen.rows.map((row) => {
    const volume = described.get(row.name);
    if (volume === undefined)
      throw new ContradictionError(`lsvg -l ${seen.name} lists ${row.name}, lslv does not tell of it`);
    return viewVolume(row, volume, maps.get(row.name) ?? [], all);
  });
  return { kind: 'active', name: seen.name, group: seen.group, disks: seen.disks, volumes };
}

function viewVolume(
  row: VolumeRow,
  volume: LogicalVolume,
  mapped: readonly Extract<MappedPartition, { kind: 'used' }>[],
  all: Sightings,
): VolumeView {
  const { name, copies, identifier, stalePartitions } = volume;
  if (copies === null || identifier === null || stalePartitions === null) {
    throw new ContradictionError(`lslv ${name} prints unknown values for a volume of an active group`);
  }
  if (mapped.length !== row.physicalPartitions || volume.logicalPartitions !== row.logicalPartitions) {
    throw new ContradictionError(
      `${name}: lsvg -M maps ${mapped.length} partitions, lsvg -l counts ${row.physicalPartitions}; logical partitions ${volume.logicalPartitions} and ${row.logicalPartitions}`,
    );
  }
  if (new Set(mapped.map(({ logical, copy }) => `${logical}:${copy}`)).size !== mapped.length) {
    throw new ContradictionError(`lsvg -M gives a logical partition of ${name} the same copy twice`);
  }
  const map = [1, 2, 3]
    .map((copy): CopyView => {
      const parts = mapped.filter((partition) => partition.copy === copy);
      return {
        copy,
        disks: [...new Set(parts.map(({ disk }) => disk))].sort(),
        partitions: new Set(parts.map(({ logical }) => logical)).size,
        stale: parts.filter(({ stale }) => stale).length,
        pool: volume.mirrorPools[copy - 1] ?? null,
      };
    })
    .filter(({ partitions }) => partitions > 0);
  return {
    name,
    group: volume.group,
    identifier,
    type: volume.type ?? row.type,
    label: volume.label,
    open: row.open,
    copies,
    logicalPartitions: row.logicalPartitions,
    // A resync goes on between the two queries; the worse answer is taken.
    stalePartitions: Math.max(stalePartitions, mapped.filter(({ stale }) => stale).length),
    separateDisks: volume.separateDisks,
    encrypted: volume.encryption === 'yes',
    striped: (volume.stripeWidth ?? 1) > 1,
    map,
    freshPartitions: new Set(mapped.filter(({ stale }) => !stale).map(({ logical }) => logical)).size,
    fileSystem: viewFileSystem(`/dev/${name}`, all),
  };
}

function viewFileSystem(device: string, all: Sightings): FileSystemView | null {
  const stanza = all.fileSystems.find((fileSystem) => fileSystem.device === device && fileSystem.nodename === null);
  const mount = all.mounts.find((mounted) => mounted.device === device && mounted.node === null);
  if (stanza === undefined && mount === undefined) return null;
  return {
    mountPoint: mount?.mountPoint ?? stanza?.mountPoint ?? '',
    vfs: mount?.vfs ?? stanza?.vfs ?? '',
    configured: stanza !== undefined,
    mounted: mount !== undefined,
    readOnly: mount?.readOnly ?? false,
    log: logOf(device, mount, stanza?.details ?? null),
  };
}

/** The mount table tells what is; the superblock, asked by `lsfs -q`, what would be. Where they differ, neither is taken. */
function logOf(device: string, mount: Mount | undefined, details: FileSystemDetails | null): FileSystemView['log'] {
  const words = new Set<FileSystemView['log']>();
  if (mount !== undefined && mount.log !== null)
    words.add(mount.log === device || mount.log === 'INLINE' ? 'inline' : 'external');
  const inline = details?.['inline log'];
  if (inline !== undefined) words.add(inline === 'yes' ? 'inline' : 'external');
  const [word, other] = words;
  return word !== undefined && other === undefined ? word : 'unknown';
}

function leftoversOf(
  volumes: readonly VolumeView[],
  mounts: readonly Mount[],
  directories: readonly string[],
): Leftover[] {
  const found: Leftover[] = [];
  for (const { name } of volumes) {
    const copy = readCopyName(name);
    if (copy !== null) found.push({ run: copy.run, what: 'copy', name });
  }
  for (const mount of mounts) {
    const path = readOurPath(mount.mountPoint);
    if (path !== null && isOurMount(mount)) found.push({ run: path.run, what: 'mount', name: mount.mountPoint });
  }
  for (const directory of directories) {
    const path = readOurPath(directory);
    if (path !== null)
      found.push({ run: path.run, what: path.kind === 'mark' ? 'mark' : 'directory', name: directory });
  }
  return found;
}

function digestOf(picture: Omit<LvmPicture, 'digest'>): string {
  const stable = {
    ...picture,
    groups: picture.groups.map((view) => {
      if (view.kind !== 'active') return [view.kind, view.name];
      const { group, disks, volumes } = view;
      return {
        group: [
          group.identifier,
          group.state,
          group.permission,
          group.mode,
          group.partitionMegabytes,
          group.maxVolumes,
        ],
        relation: group.snapshotRelation,
        disks: disks.map(({ name, state }) => [name, state]),
        volumes: volumes.map(({ open: _, ...volume }) => volume),
      };
    }),
    mounts: picture.mounts.map(({ device, mountPoint, vfs, readOnly, log }) => [
      device,
      mountPoint,
      vfs,
      readOnly,
      log,
    ]),
  };
  return createHash('sha256').update(JSON.stringify(stable)).digest('hex');
}
