import { type Command, linesOf, nowhere, ParseError, reads } from '@splitmirror/host';
import { readCells } from './cells.ts';
import { distributionOf, readTable, sumOf } from './tables.ts';

/** A volume group as `lsvg VG` describes it on this node. */
export interface VolumeGroup {
  readonly name: string;
  readonly identifier: string;
  /** `active`, also on a standby node of PowerHA: only with `read/write` permission is the group usable here. */
  readonly state: string;
  /** `read/write`, `read-only` or `passive-only`. */
  readonly permission: string;
  readonly partitionMegabytes: number;
  readonly totalPartitions: number;
  readonly freePartitions: number;
  readonly usedPartitions: number;
  readonly maxVolumes: number;
  readonly volumes: number;
  readonly openVolumes: number;
  readonly quorum: number | null;
  /** `null` on levels that print the number alone. */
  readonly quorumEnabled: boolean | null;
  readonly totalDisks: number;
  readonly activeDisks: number;
  readonly staleDisks: number;
  readonly stalePartitions: number;
  readonly descriptors: number;
  readonly autoOn: boolean | null;
  readonly autoSync: string | null;
  /** `Enhanced-Capable` for a group made for PowerHA; `null` otherwise. */
  readonly concurrent: string | null;
  readonly autoConcurrent: string | null;
  /** `Concurrent` when PowerHA varied it on; `null` for a group that is not concurrent capable. */
  readonly mode: string | null;
  readonly nodeId: number | null;
  /** Ids of the other nodes that have it varied on. */
  readonly activeNodes: readonly number[];
  readonly maxPartitions: number | null;
  /** `null` for scalable groups, which have no such bound. */
  readonly maxPartitionsPerDisk: number | null;
  readonly maxDisks: number;
  readonly type: 'normal' | 'big' | 'scalable';
  readonly mirrorPoolStrict: string | null;
  readonly hotSpare: string | null;
  readonly badBlockPolicy: string | null;
  readonly diskRestriction: string | null;
  readonly infiniteRetry: string | null;
  readonly diskBlockBytes: number | null;
  readonly critical: string | null;
  readonly criticalDisks: string | null;
  readonly fsSyncOption: string | null;
  readonly encryption: string | null;
  /** The group split off by `splitvg`, or the one this was split off from; `null` without such a relation. */
  readonly snapshotRelation: string | null;
  /** Rows whose labels are not known here, as newer levels print them: value by label. */
  readonly otherRows: Readonly<Record<string, string>>;
}

const labels = [
  ...['VOLUME GROUP', 'VG IDENTIFIER', 'VG STATE', 'PP SIZE', 'VG PERMISSION', 'TOTAL PPs', 'MAX LVs', 'FREE PPs'],
  ...['LVs', 'USED PPs', 'OPEN LVs', 'QUORUM', 'TOTAL PVs', 'VG DESCRIPTORS', 'STALE PVs', 'STALE PPs', 'ACTIVE PVs'],
  ...['AUTO ON', 'Concurrent', 'Auto-Concurrent', 'VG Mode', 'Node ID', 'Active Nodes', 'MAX PPs per VG'],
  ...['MAX PPs per PV', 'MAX PVs', 'LTG size (Dynamic)', 'LTG size (Static)', 'LTG size', 'AUTO SYNC', 'HOT SPARE'],
  ...['BB POLICY', 'MIRROR POOL STRICT', 'PV RESTRICTION', 'INFINITE RETRY', 'DISK BLOCK SIZE', 'CRITICAL VG'],
  ...['FS SYNC OPTION', 'CRITICAL PVs', 'ENCRYPTION', 'SNAPSHOT VG', 'PRIMARY VG'],
];

/** `lsvg VG`. */
export function describeGroup(group: string): Command {
  return reads('lsvg', group);
}

/**
 * Reads what `lsvg VG` prints.
 *
 * @throws ParseError when a line has no label, a row that every level prints is missing, or no group has as many `MAX PVs`.
 * @see https://www.ibm.com/docs/en/aix/7.3?topic=l-lsvg-command
 */
export function parseVolumeGroup(text: string): VolumeGroup {
  const cells = readCells('lsvg', text, labels);
  const quorum = cells.need('QUORUM') ?? '';
  const maxDisks = cells.number('MAX PVs');
  const type = typeOf(maxDisks, cells.has('MAX PPs per VG') && !cells.has('MAX PPs per PV'));
  if (type === undefined) {
    throw new ParseError('lsvg', 'MAX PVs: no group has this bound', { line: 1, text: String(maxDisks) });
  }
  return {
    name: cells.word('VOLUME GROUP'),
    identifier: cells.word('VG IDENTIFIER'),
    state: cells.word('VG STATE'),
    permission: cells.word('VG PERMISSION'),
    partitionMegabytes: cells.megabytes('PP SIZE') ?? cells.number('PP SIZE'),
    totalPartitions: cells.number('TOTAL PPs'),
    freePartitions: cells.number('FREE PPs'),
    usedPartitions: cells.number('USED PPs'),
    maxVolumes: cells.number('MAX LVs'),
    volumes: cells.number('LVs'),
    openVolumes: cells.number('OPEN LVs'),
    quorum: cells.count('QUORUM'),
    quorumEnabled: /\((Enabled|Disabled)\)/.test(quorum) ? quorum.includes('(Enabled)') : null,
    totalDisks: cells.number('TOTAL PVs'),
    activeDisks: cells.number('ACTIVE PVs'),
    staleDisks: cells.number('STALE PVs'),
    stalePartitions: cells.number('STALE PPs'),
    descriptors: cells.number('VG DESCRIPTORS'),
    autoOn: cells.read('AUTO ON') === null ? null : cells.read('AUTO ON') === 'yes',
    autoSync: cells.read('AUTO SYNC'),
    concurrent: cells.read('Concurrent'),
    autoConcurrent: cells.read('Auto-Concurrent'),
    mode: cells.read('VG Mode'),
    nodeId: cells.count('Node ID'),
    activeNodes: cells.counts('Active Nodes'),
    maxPartitions: cells.count('MAX PPs per VG'),
    maxPartitionsPerDisk: cells.count('MAX PPs per PV'),
    maxDisks,
    type,
    mirrorPoolStrict: cells.read('MIRROR POOL STRICT'),
    hotSpare: plain('HOT SPARE'),
    badBlockPolicy: cells.read('BB POLICY'),
    diskRestriction: plain('PV RESTRICTION'),
    infiniteRetry: cells.read('INFINITE RETRY'),
    diskBlockBytes: cells.count('DISK BLOCK SIZE'),
    critical: cells.read('CRITICAL VG'),
    criticalDisks: cells.read('CRITICAL PVs'),
    fsSyncOption: cells.read('FS SYNC OPTION'),
    encryption: cells.read('ENCRYPTION'),
    snapshotRelation: cells.read('SNAPSHOT VG') ?? cells.read('PRIMARY VG'),
    otherRows: cells.others,
  };

  /** A row whose `none` is a value. */
  function plain(label: string): string | null {
    return cells.has(label) ? (cells.read(label) ?? 'none') : null;
  }
}

/**
 * Scalable groups have no bound for a disk and always the same one for the group; `chvg -t` divides that of the others.
 */
function typeOf(maxDisks: number, isScalable: boolean): VolumeGroup['type'] | undefined {
  if (maxDisks === 1024) return 'scalable';
  if (isScalable) return undefined;
  if (maxDisks <= 32) return 'normal';
  return [1, 2, 3].some((factor) => Math.floor(128 / factor) === maxDisks) ? 'big' : undefined;
}

/** One row of `lsvg -p`. */
export interface GroupDisk {
  readonly name: string;
  /** `active`, `missing`, `removed` or `varied off`. */
  readonly state: string;
  readonly totalPartitions: number;
  readonly freePartitions: number;
  /** Free partitions from the outer to the inner edge. */
  readonly freeDistribution: readonly number[];
}

/** `lsvg -p VG`. */
export function listDisks(group: string): Command {
  return reads('lsvg', '-p', group);
}

const diskHeading = /^PV_NAME\s+PV STATE\s+TOTAL PPs\s+FREE PPs\s+FREE DISTRIBUTION\s*$/;
const diskRow = /^(\S+)\s+(active|missing|removed|varied off)\s+(\d+)\s+(\d+)\s+(\d+(?:\.\.\d+){4})\s*$/;

/**
 * Reads what `lsvg -p VG` prints.
 *
 * @throws ParseError at the first line of another shape, and where the distribution does not add up.
 */
export function parseGroupDisks(text: string): { readonly group: string; readonly disks: readonly GroupDisk[] } {
  const { title, rows } = readTable('lsvg -p', text, diskHeading, (line): GroupDisk | null => {
    const [, name, state, total, free, distribution] = diskRow.exec(line) ?? [];
    if (name === undefined || state === undefined || distribution === undefined) return null;
    const freeDistribution = distributionOf(distribution, '..');
    // The last cell of a row: one that was cut is told by its sum.
    if (sumOf(freeDistribution) !== Number(free)) return null;
    return { name, state, totalPartitions: Number(total), freePartitions: Number(free), freeDistribution };
  });
  return { group: title, disks: rows };
}

/**
 * Reads what `lsvg` (all known groups) or `lsvg -o` (those that are varied on in active mode) prints.
 *
 * @throws ParseError at a line that is no name.
 */
export function parseGroupNames(text: string): string[] {
  return linesOf(text).map((line) => {
    const name = line.text.trim();
    if (!/^[\w.-]+$/.test(name)) throw new ParseError('lsvg', 'not a name', line);
    return name;
  });
}

/** A run of physical partitions in the map of `lsvg -M` or `lspv -M`. */
export type MappedPartition =
  | { readonly kind: 'free'; readonly disk: string; readonly first: number; readonly last: number }
  | {
      readonly kind: 'used';
      readonly disk: string;
      readonly physical: number;
      readonly volume: string;
      readonly logical: number;
      /** From 1. */
      readonly copy: number;
      /** Whether a copy number was printed: it is not for a partition with one copy. */
      readonly mirrored: boolean;
      readonly stale: boolean;
    };

/** `lsvg -M VG`: every physical partition, what it holds, and whether that is stale. */
export function mapGroup(group: string): Command {
  return reads('lsvg', '-M', group);
}

const mapRow = /^([^\s:]+):(\d+)(?:-(\d+))?(?:\s+([^\s:]+):(\d+)(?::([123]))?(?:\s+(stale))?)?\s*$/;

/**
 * Reads what `lsvg -M VG` or `lspv -M PV` prints. The group's name may stand in front.
 *
 * @throws ParseError at the first line of another shape, at a copy that is there twice, and where the text ends behind the
 *   blanks of a row. A last range that was cut within its number cannot be told, unless it runs backwards.
 */
export function parsePartitionMap(text: string): MappedPartition[] {
  const lines = linesOf(text);
  const [top = nowhere] = lines;
  const rows = lines.slice(/^[^\s:]+:?$/.test(top.text) ? 1 : 0);
  if (rows.length === 0) throw new ParseError('lsvg -M', 'no partition', top);
  // What stood behind the blanks is not known: a used partition would pass for a free one.
  if (/[ \t]$/.test(text)) throw new ParseError('lsvg -M', 'a line that is cut', rows.at(-1) ?? top);
  const seen = new Set<string>();
  return rows.map((row) => {
    const [, disk, first, last, volume, logical, copy, stale] = mapRow.exec(row.text) ?? [];
    const ranged = volume !== undefined && last !== undefined;
    if (disk === undefined || ranged || Number(last ?? first) < Number(first))
      throw new ParseError('lsvg -M', 'not a partition', row);
    if (volume === undefined) return { kind: 'free', disk, first: Number(first), last: Number(last ?? first) };
    // Without a number it is the only copy: a number that was cut off shows in another row of the partition.
    for (const number of copy === undefined ? [1, 2, 3] : [copy]) {
      const key = `${volume}:${logical}:${number}`;
      if (seen.has(key)) throw new ParseError('lsvg -M', 'a copy a second time', row);
      seen.add(key);
    }
    return {
      kind: 'used',
      disk,
      physical: Number(first),
      volume,
      logical: Number(logical),
      copy: Number(copy ?? 1),
      mirrored: copy !== undefined,
      stale: stale === 'stale',
    };
  });
}
