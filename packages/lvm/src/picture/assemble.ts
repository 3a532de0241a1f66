import { createHash } from 'node:crypto';
import type { GroupContents, Leftover } from '../port.ts';
import type { FileSystem, FileSystemDetails } from '../readers/file-systems.ts';
import type { AixLevel } from '../readers/level.ts';
import type { Mount } from '../readers/mounts.ts';
import type { SnapshotList } from '../readers/snapshots.ts';
import type { GroupDisk, MappedPartition, VolumeGroup } from '../readers/volume-groups.ts';
import type { LogicalVolume, VolumeRow } from '../readers/volumes.ts';
import { extentsOf } from './extents.ts';
import {
  markRoot,
  type OurPath,
  readCopyName,
  readOurPath,
  readSnapshotGroupName,
  type StrategyLetter,
} from './marks.ts';
import {
  type ActiveGroup,
  type CopyView,
  type FileSystemView,
  type GroupView,
  isOurMount,
  type LvmPicture,
  type OurStanza,
  type RawDevice,
  systemTypes,
  type VolumeView,
  volumesOf,
} from './picture.ts';

/** What the commands of one look said, read but not yet put together. */
export interface Sightings {
  readonly node: string;
  readonly level: AixLevel | null;
  readonly contents: GroupContents;
  readonly groups: readonly GroupSighting[];
  readonly fileSystems: readonly FileSystem[];
  readonly mounts: readonly Mount[];
  readonly directories: readonly string[];
  /** Names of all volume groups that the node knows. */
  readonly allGroups: readonly string[];
  readonly snapshots: readonly SnapshotList[];
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
  const stanzas = stanzasOf(seen);
  const snapshotGroups = snapshotGroupsOf(seen);
  const theirs = volumes.filter(({ name, child }) => readCopyName(name) === null && !child);
  const saved = seen.snapshots.flatMap(({ snapshots }) => snapshots.map(({ name }) => name));
  const data = theirs
    .filter(({ name, type }) => !systemTypes.has(type) && !saved.includes(`/dev/${name}`))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const picture = {
    node: seen.node,
    level: seen.level,
    leftovers: leftoversOf(volumes, { mounts, directories, stanzas, snapshotGroups, snapshots: seen.snapshots }),
    stalePartitions: volumes.reduce((sum, { stalePartitions }) => sum + stalePartitions, 0),
    groups,
    fileSystems:
      seen.contents.fileSystems === 'ALL'
        ? theirs
            .flatMap(({ fileSystem }) => fileSystem?.mountPoint ?? [])
            .filter((mountPoint) => readOurPath(mountPoint) === null)
            .sort()
        : [...seen.contents.fileSystems].sort(),
    dataVolumes: data.map((volume) => ({
      volume: volume.name,
      holds: isRaw(volume) ? ('raw' as const) : ('file-system' as const),
      mountPoint: volume.fileSystem?.mountPoint ?? null,
    })),
    rawDevices: data.filter(isRaw).map((volume) => deviceOf(volume, groups)),
    mounts,
    directories,
    stanzas,
    markedFileSystems: markedFileSystemsOf(seen),
    snapshotGroups,
    snapshots: seen.snapshots,
  };
  const parts = partsOf(picture);
  const digests = Object.entries(parts).map(([name, part]) => [name, sha256(part).slice(0, 12)]);
  return { ...picture, digest: sha256(parts), parts: Object.fromEntries(digests) };
}

function isRaw({ fileSystem, type }: VolumeView): boolean {
  return fileSystem === null && !/^jfs2?$/.test(type);
}

function deviceOf({ name, group, logicalPartitions, open }: VolumeView, groups: readonly GroupView[]): RawDevice {
  const view = groups.find((each) => each.name === group);
  const partitionMegabytes = view?.kind === 'active' ? view.group.partitionMegabytes : 0;
  return { volume: name, device: `/dev/r${name}`, bytes: logicalPartitions * partitionMegabytes * 2 ** 20, open };
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
    return viewVolume(row, volume, seen.group, maps.get(row.name) ?? [], all);
  });
  return { kind: 'active', name: seen.name, group: seen.group, disks: seen.disks, volumes };
}

function viewVolume(
  row: VolumeRow,
  volume: LogicalVolume,
  group: VolumeGroup,
  mapped: readonly Extract<MappedPartition, { kind: 'used' }>[],
  all: Sightings,
): VolumeView {
  const { name, copies, identifier, stalePartitions } = volume;
  if (copies === null || identifier === null || stalePartitions === null) {
    throw new ContradictionError(`lslv ${name} prints unknown values for a volume of an active group`);
  }
  const child = mapped.length === 0 && isChild(row, all);
  // What splitvg has taken away is still counted, and on no disk that the group has.
  const separated =
    group.snapshotRelation !== null ||
    all.allGroups.some((known) => readSnapshotGroupName(known)) ||
    all.directories.some((directory) => isMarkOf(readOurPath(directory), 'e'));
  const counted = separated ? mapped.length <= row.physicalPartitions : mapped.length === row.physicalPartitions;
  if (!child && (!counted || volume.logicalPartitions !== row.logicalPartitions)) {
    throw new ContradictionError(
      `${name}: lsvg -M maps ${mapped.length} partitions, lsvg -l counts ${row.physicalPartitions}; logical partitions ${volume.logicalPartitions} and ${row.logicalPartitions}`,
    );
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
        extents: extentsOf(
          parts
            .toSorted((a, b) => a.logical - b.logical)
            .map((partition) => ({ disk: partition.disk, number: partition.physical })),
        ),
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
    logicalPartitions: child ? (volume.logicalPartitions ?? 0) : row.logicalPartitions,
    // A resync goes on between the two queries; the worse answer is taken.
    stalePartitions: Math.max(stalePartitions, mapped.filter(({ stale }) => stale).length),
    separateDisks: volume.separateDisks,
    encrypted: volume.encryption === 'yes',
    // Not every level need call its rows alike: the policy says it too.
    striped: (volume.stripeWidth ?? 1) > 1 || volume.schedulePolicy === 'striped',
    child,
    map,
    freshPartitions: child
      ? (volume.logicalPartitions ?? 0)
      : new Set(mapped.filter(({ stale }) => !stale).map(({ logical }) => logical)).size,
    fileSystem: viewFileSystem(`/dev/${name}`, all),
  };
}

function isMarkOf(path: OurPath | null, letter: StrategyLetter): boolean {
  return path?.kind === 'mark' && path.letter === letter;
}

/**
 * A volume without partitions of its own. How LVM counts a child's is not known: the map shows each partition once, so
 * a name or a stanza of ours settles it where the count does not.
 */
function isChild({ name, physicalPartitions }: VolumeRow, all: Sightings): boolean {
  const ours = readCopyName(name);
  return (
    physicalPartitions === 0 || ours?.letter === 'd' || stanzasOf(all).some(({ device }) => device === `/dev/${name}`)
  );
}

function stanzasOf({ fileSystems }: Sightings): OurStanza[] {
  return fileSystems
    .filter(({ nodename, mountPoint }) => nodename === null && readOurPath(mountPoint)?.kind === 'copy')
    .map(({ mountPoint, device }) => ({ mountPoint, device }))
    .sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));
}

function markedFileSystemsOf({ fileSystems, directories }: Sightings): OurStanza[] {
  const devices = new Set(
    directories.flatMap((directory) => {
      const path = readOurPath(directory);
      return path?.kind === 'mark' ? [`/dev/${path.volume}`] : [];
    }),
  );
  return fileSystems
    .filter(({ nodename, device }) => nodename === null && devices.has(device))
    .map(({ mountPoint, device }) => ({ mountPoint, device }));
}

/** Names of ours among the groups that a node knows, and in the rows that tell of a snapshot relation. */
function snapshotGroupsOf({ allGroups }: Sightings): string[] {
  return allGroups.filter((name) => readSnapshotGroupName(name) !== null).sort();
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
    log: logOf(mount, stanza?.details ?? null),
    internalSnapshots: stanza?.details?.ISNAPSHOT === 'yes',
    logDevice: mount?.log ?? null,
  };
}

/** The mount table tells what is; the superblock, asked by `lsfs -q`, what would be. Where they differ, neither is taken. */
function logOf(mount: Mount | undefined, details: FileSystemDetails | null): FileSystemView['log'] {
  const words = new Set<FileSystemView['log']>();
  if (typeof mount?.inlineLog === 'boolean') words.add(mount.inlineLog ? 'inline' : 'external');
  const inline = details?.['inline log'];
  if (inline !== undefined) words.add(inline === 'yes' ? 'inline' : 'external');
  const [word, other] = words;
  return word !== undefined && other === undefined ? word : 'unknown';
}

function leftoversOf(
  volumes: readonly VolumeView[],
  {
    mounts,
    directories,
    stanzas,
    snapshotGroups,
    snapshots,
  }: Pick<LvmPicture, 'mounts' | 'directories' | 'stanzas' | 'snapshotGroups' | 'snapshots'>,
): Leftover[] {
  const found: Leftover[] = [];
  for (const { name } of volumes) {
    const copy = readCopyName(name);
    if (copy !== null) found.push({ run: copy.run, what: 'copy', name });
  }
  for (const mount of mounts) {
    const path = readOurPath(mount.mountPoint);
    if (path !== null && isOurMount(mount, { directories, stanzas }))
      found.push({ run: path.run, what: 'mount', name: mount.mountPoint });
  }
  for (const { mountPoint } of stanzas) {
    const path = readOurPath(mountPoint);
    if (path !== null) found.push({ run: path.run, what: 'stanza', name: mountPoint });
  }
  for (const name of snapshotGroups) {
    found.push({ run: readSnapshotGroupName(name) ?? '', what: 'group', name });
  }
  // An external one shows as its volume.
  for (const { name } of snapshots.flatMap((list) => (list.kind === 'internal' ? list.snapshots : []))) {
    const run = readCopyName(name)?.run;
    if (run !== undefined) found.push({ run, what: 'snapshot', name });
  }
  for (const directory of directories) {
    const path = readOurPath(directory);
    if (path !== null)
      found.push({ run: path.run, what: path.kind === 'mark' ? 'mark' : 'directory', name: directory });
  }
  return found;
}

/** Everything that a plan rests on, in parts, by what a person calls each. What changes by itself is in none. */
function partsOf(picture: Omit<LvmPicture, 'digest' | 'parts'>): Readonly<Record<string, unknown>> {
  const { node, level, groups, mounts, snapshots, fileSystems, stalePartitions } = picture;
  const { leftovers, directories, stanzas, markedFileSystems, snapshotGroups } = picture;
  return {
    // Volumes that hold data, and raw devices, follow from the groups.
    ...Object.fromEntries(groups.flatMap(partsOfGroup)),
    node,
    level,
    'file systems of the resource group': fileSystems,
    'stale partitions': stalePartitions,
    // How full snapshots are changes by itself.
    snapshots: snapshots.map((list) => [list.mountPoint, list.snapshots.map(({ name }) => name)]),
    mounts: mounts.map(({ device, mountPoint, vfs, readOnly, log }) => [device, mountPoint, vfs, readOnly, log]),
    'what runs have left': [leftovers, directories, stanzas, markedFileSystems, snapshotGroups],
  };
}

function partsOfGroup(view: GroupView): [name: string, part: unknown][] {
  if (view.kind !== 'active') return [[`volume group ${view.name}`, view.kind]];
  const { group, disks, volumes } = view;
  const { identifier, state, permission, mode, partitionMegabytes, maxVolumes, snapshotRelation } = group;
  return [
    [
      `volume group ${view.name}`,
      [identifier, state, permission, mode, partitionMegabytes, maxVolumes, snapshotRelation],
    ],
    [`disks of ${view.name}`, disks.map((disk) => [disk.name, disk.state])],
    ...volumes.flatMap(({ open: _, map, ...volume }): [string, unknown][] => [
      [`volume ${volume.name}`, volume],
      [`partitions of ${volume.name}`, map],
    ]),
  ];
}

function sha256(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex');
}
