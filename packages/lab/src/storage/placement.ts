import { readFileSync } from 'node:fs';
import { fails } from '../command.ts';
import type { Call, Refusal } from './commands.ts';
import type { Disk } from './disks.ts';
import { realPath } from './machine.ts';
import { cannotAllocate, noDisk, unable } from './messages.ts';
import { type LogicalVolume, type Partition, partitionsOf, usesOf, type VolumeGroup } from './volume-groups.ts';

type Strict = LogicalVolume['strict'];
type Rows = readonly (readonly Partition[])[];

/** The strictness that `-s` asks for. */
export function strictness(flag: string | undefined): Strict {
  return flag === 'n' || flag === 's' ? flag : 'y';
}

/** The disks that a command names, or all disks of the group. */
export function namedDisks(
  group: VolumeGroup,
  names: readonly string[],
): Refusal | { readonly disks: readonly Disk[] } {
  if (names.length === 0) return { disks: group.disks };
  const found = names.map((name) => group.disks.find((disk) => disk.name === name));
  const missing = found.indexOf(undefined);
  if (missing >= 0) return { refusal: fails(noDisk(names[missing] ?? '')) };
  return { disks: found.flatMap((disk) => disk ?? []) };
}

/** Room for one more copy of these rows: from the map file when there is one, else where there is room. */
export function placeCopy(
  call: Call,
  group: VolumeGroup,
  rows: Rows,
  where: { readonly disks: readonly Disk[]; readonly strict: Strict; readonly copy: number },
): Refusal | { readonly partitions: readonly Partition[] } {
  const file = call.options.value('m');
  const found =
    file === undefined
      ? allocateCopy(group, rows, where.disks, where.strict)
      : placeByMap(call, group, rows, { file, ...where });
  if (found === undefined) return { refusal: fails(cannotAllocate) };
  return 'refusal' in found ? found : { partitions: found };
}

/**
 * Finds room for one more copy of each row: on a disk of its own when one is large enough, else partition by partition.
 *
 * @returns undefined when there is not enough room that keeps strictness.
 */
export function allocateCopy(
  group: VolumeGroup,
  rows: Rows,
  candidates: readonly Disk[],
  strict: Strict,
): Partition[] | undefined {
  const taken = new Set(rows.flat().map(({ disk, number }) => `${disk.name}:${number}`));
  const alive = candidates.filter(({ failed }) => !failed);
  const free = new Map(alive.map((disk) => [disk, freePartitions(group, disk, taken)]));
  const elsewhere = new Set(rows.flat().map(({ disk }) => disk));
  const own = alive.find((disk) => !elsewhere.has(disk) && (free.get(disk)?.length ?? 0) >= rows.length);
  const usable = own === undefined ? alive : [own];
  const found: Partition[] = [];
  for (const row of rows) {
    const disk = usable.find((candidate) => {
      if ((free.get(candidate)?.length ?? 0) === 0) return false;
      if (strict === 's' && elsewhere.has(candidate)) return false;
      return strict === 'n' || !row.some((partition) => partition.disk === candidate);
    });
    const number = disk === undefined ? undefined : free.get(disk)?.shift();
    if (disk === undefined || number === undefined) return undefined;
    found.push({ disk, number, stale: false, split: false });
  }
  return found;
}

function freePartitions(group: VolumeGroup, disk: Disk, taken: ReadonlySet<string>): number[] {
  const uses = usesOf(group, disk);
  const numbers: number[] = [];
  for (let number = 1; number <= partitionsOf(group, disk); number++) {
    if (!uses.has(number) && !taken.has(`${disk.name}:${number}`)) numbers.push(number);
  }
  return numbers;
}

function placeByMap(
  call: Call,
  group: VolumeGroup,
  rows: Rows,
  { file, copy, strict }: { readonly file: string; readonly copy: number; readonly strict: Strict },
): Refusal | Partition[] | undefined {
  let text: string;
  try {
    text = readFileSync(realPath(call.node, file), 'utf8');
  } catch {
    return { refusal: fails(unable('0516-1030', call.program, `Cannot open map file ${file}.`)) };
  }
  const lines = readMapFile(text)?.slice(copy * rows.length, (copy + 1) * rows.length);
  if (lines === undefined || lines.length !== rows.length) return undefined;
  const taken = new Set(rows.flat().map(({ disk, number }) => `${disk.name}:${number}`));
  const partitions: Partition[] = [];
  for (const [row, { disk: name, number }] of lines.entries()) {
    const disk = group.disks.find((candidate) => candidate.name === name);
    const key = `${name}:${number}`;
    if (disk === undefined || number < 1 || number > partitionsOf(group, disk)) return undefined;
    if (usesOf(group, disk).has(number) || taken.has(key)) return undefined;
    if (strict !== 'n' && rows[row]?.some((partition) => partition.disk === disk)) return undefined;
    taken.add(key);
    partitions.push({ disk, number, stale: false, split: false });
  }
  return partitions;
}

/** Partitions in map-file order: `PV:PP` or `PV:PP1-PP2` a line; undefined when a line says something else. */
function readMapFile(text: string): { readonly disk: string; readonly number: number }[] | undefined {
  const found: { disk: string; number: number }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const match = /^\s*([^\s:]+):(\d+)(?:-(\d+))?\s*$/.exec(line);
    if (match === null) return undefined;
    const [, disk = '', first = '', last = first] = match;
    for (let number = Number(first); number <= Number(last); number++) found.push({ disk, number });
  }
  return found;
}
