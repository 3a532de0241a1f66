import { linesOf, nowhere, ParseError } from '@splitmirror/host';
import { readCells } from './cells.ts';
import { distributionOf, mountPointOf, readTable, sumOf, type TitledTable } from './tables.ts';

/** A disk as `lspv` lists it. */
export interface DiskRow {
  readonly name: string;
  /** `null` when the disk has none. */
  readonly identifier: string | null;
  /** Volume group, or the word that another volume manager or a lock puts there; `null` for none. */
  readonly group: string | null;
  /** `active`, `concurrent` (also on a standby node), `locked`; `null` when the group is off. */
  readonly state: string | null;
}

/** Printed by a Virtual I/O Server only. */
const listHeading = /^NAME\s+PVID\s+VG\s+STATUS$/;
const listRow = /^\s*(\S+)\s+(?:([0-9a-f]{16}|[0-9a-f]{32})|none)\s+(\S+)(?:\s+(\S+))?$/i;

/**
 * Reads what `lspv` prints without operands.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseDisks(text: string): DiskRow[] {
  const lines = linesOf(text);
  const rows = listHeading.test(lines[0]?.text ?? '') ? lines.slice(1) : lines;
  if (rows.length === 0) throw new ParseError('lspv', 'no disk', nowhere);
  return rows.map((row) => {
    const [, name, identifier, group, state] = listRow.exec(row.text) ?? [];
    if (name === undefined || group === undefined) throw new ParseError('lspv', 'not a disk', row);
    return {
      name,
      identifier: identifier ?? null,
      group: group === 'None' ? null : group,
      state: state ?? null,
    };
  });
}

/** A disk as `lspv PV` describes it. Whatever LVM does not know, because the group is off, is `null`. */
export interface Disk {
  readonly name: string;
  readonly group: string | null;
  readonly identifier: string | null;
  readonly groupIdentifier: string | null;
  readonly state: string | null;
  readonly stalePartitions: number | null;
  readonly allocatable: string | null;
  readonly partitionMegabytes: number | null;
  readonly volumes: number | null;
  readonly totalPartitions: number | null;
  readonly freePartitions: number | null;
  readonly usedPartitions: number | null;
  readonly descriptors: number | null;
  readonly hotSpare: string | null;
  readonly maxRequest: string | null;
  readonly freeDistribution: readonly number[] | null;
  readonly usedDistribution: readonly number[] | null;
  readonly mirrorPool: string | null;
  /** Rows whose labels are not known here, as newer levels print them: value by label. */
  readonly otherRows: Readonly<Record<string, string>>;
}

const labels = [
  ...['PHYSICAL VOLUME', 'VOLUME GROUP', 'PV IDENTIFIER', 'VG IDENTIFIER', 'PV STATE', 'STALE PARTITIONS'],
  ...['ALLOCATABLE', 'PP SIZE', 'LOGICAL VOLUMES', 'TOTAL PPs', 'VG DESCRIPTORS', 'FREE PPs', 'HOT SPARE'],
  ...['USED PPs', 'MAX REQUEST', 'FREE DISTRIBUTION', 'USED DISTRIBUTION', 'MIRROR POOL'],
];

/**
 * Reads what `lspv PV` prints, without messages in front.
 *
 * @throws ParseError when a line has no label, a row that every level prints is missing, or a distribution does not add up.
 */
export function parseDisk(text: string): Disk {
  const cells = readCells('lspv', text, labels);
  const distribution = (kind: 'FREE' | 'USED'): number[] | null => {
    const label = `${kind} DISTRIBUTION`;
    const word = cells.need(label);
    if (word === null) return null;
    const parts = /^\d+(\.\.\d+){4}$/.test(word) ? distributionOf(word, '..') : [];
    // On old levels the last cell of all: one that was cut is told by its sum.
    if (parts.length !== 5 || sumOf(parts) !== cells.count(`${kind} PPs`))
      throw new ParseError('lspv', `${label}: not five numbers that make ${kind} PPs`, { line: 1, text: word });
    return parts;
  };
  const number = (label: string): number | null => {
    cells.need(label);
    return cells.count(label);
  };
  return {
    name: cells.word('PHYSICAL VOLUME'),
    group: cells.need('VOLUME GROUP'),
    identifier: cells.need('PV IDENTIFIER'),
    groupIdentifier: cells.need('VG IDENTIFIER'),
    state: cells.need('PV STATE'),
    stalePartitions: number('STALE PARTITIONS'),
    allocatable: cells.need('ALLOCATABLE'),
    partitionMegabytes: cells.megabytes('PP SIZE'),
    volumes: number('LOGICAL VOLUMES'),
    totalPartitions: number('TOTAL PPs'),
    freePartitions: number('FREE PPs'),
    usedPartitions: number('USED PPs'),
    descriptors: number('VG DESCRIPTORS'),
    hotSpare: cells.read('HOT SPARE'),
    maxRequest: cells.read('MAX REQUEST'),
    freeDistribution: distribution('FREE'),
    usedDistribution: distribution('USED'),
    mirrorPool: cells.read('MIRROR POOL'),
    otherRows: cells.others,
  };
}

/** A volume on a disk: a row of `lspv -l`. */
export interface DiskVolume {
  readonly name: string;
  readonly logicalPartitions: number;
  readonly physicalPartitions: number;
  readonly distribution: readonly number[];
  readonly mountPoint: string | null;
}

const volumeRow = /^(\S+)\s+(\d+)\s+(\d+)\s+(\d+(?:\.\.\d+){4})\s+(\S+)\s*$/;

/**
 * Reads what `lspv -l PV` prints; the title is the disk.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseDiskVolumes(text: string): TitledTable<DiskVolume> {
  const heading = /^LV NAME\s+LPs\s+PPs\s+DISTRIBUTION\s+MOUNT POINT\s*$/;
  return readTable('lspv -l', text, heading, (line) => {
    const [, name, logical, physical, distribution, mount] = volumeRow.exec(line) ?? [];
    if (name === undefined || distribution === undefined) return null;
    return {
      name,
      logicalPartitions: Number(logical),
      physicalPartitions: Number(physical),
      distribution: distributionOf(distribution, '..'),
      mountPoint: mountPointOf(mount),
    };
  });
}

/** A run of partitions on a disk: a row of `lspv -p`. */
export interface DiskRange {
  readonly first: number;
  readonly last: number;
  /** `used`, `free`, `stale` or `vgda`. */
  readonly state: string;
  readonly region: string;
  /** What it holds; `null` for free partitions. */
  readonly volume: { readonly name: string; readonly type: string; readonly mountPoint: string | null } | null;
}

const rangeRow =
  /^\s*(\d+)-(\d+)\s+(used|free|stale|vgda)\s+(outer edge|outer middle|center|inner middle|inner edge)(?:\s+(\S+)\s+(\S+)\s+(\S+))?\s*$/;

/**
 * Reads what `lspv -p PV` prints; the title is the disk.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseDiskRanges(text: string): TitledTable<DiskRange> {
  const heading = /^PP RANGE\s+STATE\s+REGION\s+LV NAME\s+TYPE\s+MOUNT POINT\s*$/;
  return readTable('lspv -p', text, heading, (line) => {
    const [, first, last, state, region, name, type, mount] = rangeRow.exec(line) ?? [];
    if (state === undefined || region === undefined) return null;
    if (name === undefined && (state === 'used' || state === 'stale')) return null;
    const volume = name !== undefined && type !== undefined ? { name, type, mountPoint: mountPointOf(mount) } : null;
    return { first: Number(first), last: Number(last), state, region, volume };
  });
}
