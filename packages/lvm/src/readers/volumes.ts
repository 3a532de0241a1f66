import { type Command, linesOf, nowhere, ParseError, reads } from '@splitmirror/host';
import { readCells } from './cells.ts';
import { distributionOf, mountPointOf, readTable } from './tables.ts';

/** A logical volume as `lslv` describes it. A count is `null` where LVM prints `?`: its volume group is not varied on. */
export interface LogicalVolume {
  readonly name: string;
  readonly group: string;
  /** `<volume group id>.<minor>`: tells two volumes apart whatever they are called. */
  readonly identifier: string | null;
  readonly permission: string | null;
  /** `active/complete`, `active/partial`, `inactive`. */
  readonly groupState: string | null;
  readonly open: boolean | null;
  readonly stale: boolean | null;
  /** `jfs2`, `jfs`, `jfs2log`, `boot`, `paging`, `sysdump`, `raw` or whatever its maker wrote. */
  readonly type: string | null;
  /** Copies that the volume is meant to have. With a ragged map some partitions have fewer. */
  readonly copies: number | null;
  readonly maxLogicalPartitions: number | null;
  /** Size of one copy, in partitions. */
  readonly logicalPartitions: number | null;
  readonly physicalPartitions: number | null;
  readonly stalePartitions: number | null;
  readonly partitionMegabytes: number | null;
  readonly writeVerify: string | null;
  readonly schedulePolicy: string | null;
  readonly badBlockPolicy: string | null;
  readonly interPolicy: string | null;
  readonly intraPolicy: string | null;
  readonly relocatable: boolean | null;
  /** Most disks that one copy may lie on. */
  readonly upperBound: number | null;
  /** Where it is mounted; `null` when it is not (`N/A`). */
  readonly mountPoint: string | null;
  /** For a file system the mount point it is meant for. */
  readonly label: string | null;
  readonly mirrorWriteConsistency: string | null;
  /** `yes`, `no` or `yes (superstrict)`. */
  readonly separateDisks: string | null;
  readonly serializeIo: boolean | null;
  readonly infiniteRetry: string | null;
  readonly preferredRead: number | null;
  /** `DS_LVZ`: no control block in the first block of the volume. */
  readonly deviceSubtype: string | null;
  readonly deviceUid: number | null;
  readonly deviceGid: number | null;
  /** Decimal, as printed: 432 is 0660. */
  readonly devicePermissions: number | null;
  /** Mirror pool of each of the three copies; empty where the level has none. */
  readonly mirrorPools: readonly (string | null)[];
  /** Disks over which one copy is striped; `null` for a volume that is not. */
  readonly stripeWidth: number | null;
  /** As printed, for instance `64K`; `null` for a volume that is not striped. */
  readonly stripeSize: string | null;
  /** `null` on levels without encryption. */
  readonly encryption: string | null;
  /** Rows whose labels are not known here, as newer levels print them: value by label. */
  readonly otherRows: Readonly<Record<string, string>>;
}

const labels = [
  ...['LOGICAL VOLUME', 'VOLUME GROUP', 'LV IDENTIFIER', 'PERMISSION', 'VG STATE', 'LV STATE', 'TYPE', 'WRITE VERIFY'],
  ...['MAX LPs', 'PP SIZE', 'COPIES', 'SCHED POLICY', 'LPs', 'PPs', 'STALE PPs', 'BB POLICY', 'INTER-POLICY'],
  ...['RELOCATABLE', 'INTRA-POLICY', 'UPPER BOUND', 'MOUNT POINT', 'LABEL', 'DEVICE UID', 'DEVICE GID'],
  ...['DEVICE PERMISSIONS', 'MIRROR WRITE CONSISTENCY', 'EACH LP COPY ON A SEPARATE PV ?', 'Serialize IO ?'],
  ...['INFINITE RETRY', 'PREFERRED READ', 'DEVICESUBTYPE', 'COPY 1 MIRROR POOL', 'COPY 2 MIRROR POOL'],
  ...['COPY 3 MIRROR POOL', 'ENCRYPTION', 'STRIPE WIDTH', 'STRIPE SIZE'],
];

/** `lslv LV`. */
export function describeVolume(volume: string): Command {
  return reads('lslv', volume);
}

/**
 * Reads what `lslv LV` prints.
 *
 * @throws ParseError when a line has no label, or a row that every level prints is missing.
 * @see https://www.ibm.com/docs/en/aix/7.3?topic=l-lslv-command
 */
export function parseLogicalVolume(text: string): LogicalVolume {
  const cells = readCells('lslv', text, labels);
  const state = cells.need('LV STATE')?.toLowerCase() ?? null;
  const [, opened, synced] = /^(opened|open|closed)(?:\/(syncd|stale)|\/?\?+)?$/.exec(state ?? '') ?? [];
  if (state !== null && opened === undefined) {
    throw new ParseError('lslv', 'LV STATE: neither opened nor closed', { line: 3, text: state });
  }
  const pools = [1, 2, 3].map((copy) => `COPY ${copy} MIRROR POOL`);
  // The last row that every level prints: a cut output is told by it.
  const separateDisks = cells.need('EACH LP COPY ON A SEPARATE PV ?');
  if (!/^(yes|no|yes \(superstrict\))$/.test(separateDisks ?? 'no')) {
    throw new ParseError('lslv', 'EACH LP COPY ON A SEPARATE PV ?: neither yes nor no', {
      line: 14,
      text: separateDisks ?? '',
    });
  }
  cells.need('MIRROR WRITE CONSISTENCY');
  // A level prints all three or none.
  if (pools.some((label) => cells.has(label))) pools.forEach(cells.need);
  return {
    name: cells.word('LOGICAL VOLUME'),
    group: cells.word('VOLUME GROUP'),
    identifier: cells.need('LV IDENTIFIER'),
    permission: cells.need('PERMISSION'),
    groupState: cells.need('VG STATE'),
    open: opened === undefined ? null : opened !== 'closed',
    stale: synced === undefined ? null : synced === 'stale',
    type: cells.need('TYPE'),
    copies: needed('COPIES'),
    maxLogicalPartitions: needed('MAX LPs'),
    logicalPartitions: needed('LPs'),
    physicalPartitions: needed('PPs'),
    stalePartitions: needed('STALE PPs'),
    partitionMegabytes: cells.megabytes('PP SIZE'),
    writeVerify: cells.read('WRITE VERIFY'),
    schedulePolicy: cells.read('SCHED POLICY'),
    badBlockPolicy: cells.read('BB POLICY'),
    interPolicy: cells.read('INTER-POLICY'),
    intraPolicy: cells.read('INTRA-POLICY'),
    relocatable: yes(cells.read('RELOCATABLE')),
    upperBound: cells.count('UPPER BOUND'),
    mountPoint: cells.need('MOUNT POINT'),
    label: cells.read('LABEL'),
    mirrorWriteConsistency: cells.read('MIRROR WRITE CONSISTENCY'),
    separateDisks,
    serializeIo: yes(cells.read('Serialize IO ?')),
    infiniteRetry: cells.read('INFINITE RETRY'),
    preferredRead: cells.count('PREFERRED READ'),
    deviceSubtype: cells.read('DEVICESUBTYPE'),
    deviceUid: cells.count('DEVICE UID'),
    deviceGid: cells.count('DEVICE GID'),
    devicePermissions: cells.count('DEVICE PERMISSIONS'),
    mirrorPools: pools.some((label) => cells.has(label)) ? pools.map((label) => cells.read(label)) : [],
    stripeWidth: cells.count('STRIPE WIDTH'),
    stripeSize: cells.read('STRIPE SIZE'),
    encryption: cells.read('ENCRYPTION'),
    otherRows: cells.others,
  };

  function needed(label: string): number | null {
    cells.need(label);
    return cells.count(label);
  }
}

function yes(word: string | null): boolean | null {
  return word === null ? null : word.toLowerCase() === 'yes';
}

/**
 * Reads the output of `lslv` for several volumes, one after another.
 *
 * @throws ParseError as {@link parseLogicalVolume} does, and when text stands before the first volume.
 */
export function parseLogicalVolumes(text: string): LogicalVolume[] {
  if (text.trim() === '') return [];
  const [before, ...blocks] = text.split(/^(?=LOGICAL VOLUME:)/m);
  if (before?.startsWith('LOGICAL VOLUME:')) blocks.unshift(before);
  else if (before?.trim()) throw new ParseError('lslv', 'text before the first volume', { line: 1, text: before });
  return blocks.map(parseLogicalVolume);
}

/** One row of `lsvg -l`. */
export interface VolumeRow {
  readonly name: string;
  readonly type: string;
  /** Size of one copy, in partitions. */
  readonly logicalPartitions: number;
  readonly physicalPartitions: number;
  /** Disks that hold any of it: not the number of copies. */
  readonly disks: number;
  readonly open: boolean;
  /** `null` where LVM prints question marks: the volume reads a split copy, and has no partitions of its own. */
  readonly stale: boolean | null;
  /** Configured mount point, for closed volumes too; `null` without one (`N/A`). */
  readonly mountPoint: string | null;
}

/** `lsvg -l VG`. */
export function listVolumes(group: string): Command {
  return reads('lsvg', '-l', group);
}

const volumeHeading = /^LV NAME\s+TYPE\s+LPs\s+PPs\s+PVs\s+LV STATE\s+MOUNT POINT\s*$/;
const volumeRow = /^(\S+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(open|closed)(?:\/(syncd|stale)|\/?\?+)\s+(\S+)\s*$/;

/**
 * Reads what `lsvg -l VG` prints. Two of the columns mislead: the number of disks is not that of copies, and the mount
 * point is the configured one.
 *
 * @throws ParseError at the first line of another shape: a row is never skipped.
 * @see https://www.ibm.com/docs/en/aix/7.3?topic=l-lsvg-command
 */
export function parseVolumes(text: string): { readonly group: string; readonly volumes: readonly VolumeRow[] } {
  const { title, rows } = readTable('lsvg -l', text, volumeHeading, (line): VolumeRow | null => {
    const [, name, type, logical, physical, disks, open, sync, mount] = volumeRow.exec(line) ?? [];
    if (name === undefined || type === undefined) return null;
    return {
      name,
      type,
      logicalPartitions: Number(logical),
      physicalPartitions: Number(physical),
      disks: Number(disks),
      open: open === 'open',
      stale: sync === undefined ? null : sync === 'stale',
      mountPoint: mountPointOf(mount),
    };
  });
  return { group: title, volumes: rows };
}

/** Where a volume's partitions lie: the map of `lslv -m`. */
export interface VolumeMap {
  readonly name: string;
  readonly mountPoint: string | null;
  /** By logical partition, from 1; the copies of each in order. Ragged volumes have rows of unequal length. */
  readonly partitions: readonly (readonly PhysicalPartition[])[];
}

/** One copy of a logical partition. */
export interface PhysicalPartition {
  /** Disk by name, or by identifier when the name is not known. */
  readonly disk: string;
  readonly number: number;
}

/** `lslv -m LV`. */
export function mapVolume(volume: string): Command {
  return reads('lslv', '-m', volume);
}

const mapHeading = /^LP\s+PP1\s+PV1\s+PP2\s+PV2\s+PP3\s+PV3\s*$/;

/**
 * Reads what `lslv -m LV` prints.
 *
 * @throws ParseError at a line of another shape, and when a logical partition is missing.
 */
export function parseVolumeMap(text: string): VolumeMap {
  const [top = nowhere, head = nowhere, ...lines] = linesOf(text);
  const [, name, mount] = /^([^\s:]+):(\S+)$/.exec(top.text) ?? [];
  if (name === undefined) throw new ParseError('lslv -m', 'no volume in front', top);
  if (!mapHeading.test(head.text)) throw new ParseError('lslv -m', 'no column heading', head);
  const partitions = lines.map((at, index): PhysicalPartition[] => {
    const [logical = '', ...words] = at.text.trim().split(/\s+/);
    if (!/^\d+$/.test(logical) || Number(logical) !== index + 1)
      throw new ParseError('lslv -m', 'not the next logical partition', at);
    if (words.length === 0 || words.length > 6 || words.length % 2 !== 0)
      throw new ParseError('lslv -m', 'not one to three copies', at);
    return words.flatMap((word, position) => {
      if (position % 2 === 1) return [];
      if (!/^\d+$/.test(word)) throw new ParseError('lslv -m', 'not a physical partition', at);
      return [{ number: Number(word), disk: words[position + 1] ?? '' }];
    });
  });
  return { name, mountPoint: mountPointOf(mount), partitions };
}

/** How a volume lies on one disk: a row of `lslv -l`. */
export interface VolumeOnDisk {
  readonly disk: string;
  /** Logical partitions with at least one, two and three physical ones on this disk. */
  readonly copies: readonly number[];
  readonly inBandPercent: number;
  /** Partitions from the outer to the inner edge. */
  readonly distribution: readonly number[];
}

const diskHeading = /^PV\s+COPIES\s+IN BAND\s+DISTRIBUTION\s*$/;
const diskRow = /^(\S+)\s+(\d+:\d+:\d+)\s+(\d+)%\s+(\d+(?::\d+){4})\s*$/;

/**
 * Reads what `lslv -l LV` prints.
 *
 * @returns `name` is `null` when the first line, which names the volume, is not there.
 * @throws ParseError at the first line of another shape.
 */
export function parseVolumeDisks(text: string): {
  readonly name: string | null;
  readonly mountPoint: string | null;
  readonly disks: readonly VolumeOnDisk[];
} {
  const lines = linesOf(text);
  const [, name, mount] = /^([^\s:]+):(\S+)$/.exec(lines[0]?.text ?? '') ?? [];
  const [head = nowhere, ...rows] = name === undefined ? lines : lines.slice(1);
  if (!diskHeading.test(head.text)) throw new ParseError('lslv -l', 'no column heading', head);
  const disks = rows.map((at): VolumeOnDisk => {
    const [, disk, copies, percent, distribution] = diskRow.exec(at.text) ?? [];
    if (disk === undefined || copies === undefined || distribution === undefined)
      throw new ParseError('lslv -l', 'not a disk row', at);
    return {
      disk,
      copies: copies.split(':').map(Number),
      inBandPercent: Number(percent),
      distribution: distributionOf(distribution, ':'),
    };
  });
  return { name: name ?? null, mountPoint: mountPointOf(mount), disks };
}
