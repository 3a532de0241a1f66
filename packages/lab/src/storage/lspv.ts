import { type Answer, fails, prints } from '../command.ts';
import { type Command, lockWait } from './commands.ts';
import type { Disk } from './disks.ts';
import { dots, mountPointOf, printDiskMap } from './lsvg.ts';
import { diskOf, groupOf, groupOfDisk, type Machine, type NodeState } from './machine.ts';
import { diskInNoGroup, noDisk, variedOff } from './messages.ts';
import {
  descriptorsOn,
  distribution,
  partitionsOf,
  regionEnds,
  regions,
  usesOf,
  type VolumeGroup,
} from './volume-groups.ts';

/** `lspv`: disks, one disk, its volumes and maps. */
export const lspv: Command = {
  newer: { P: '6.1', u: '7.1' },
  options: 'LlMpn:Pu',
  run(call): Answer {
    const { machine, node, options, program } = call;
    const [name] = call.operands;
    if (name === undefined) return prints(printList(machine, node));
    const disk = diskOf(machine, node, name);
    if (disk === undefined) return fails(noDisk(name));
    const group = knownGroupOf(machine, node, disk);
    if (group === undefined) return fails(diskInNoGroup(program, name));
    const wait = lockWait(call, group);
    if (wait !== undefined) return wait;
    const off = !node.varied.has(group.id);
    if (off && (options.has('l') || options.has('M') || options.has('p'))) return fails(variedOff);
    if (options.has('l')) return prints(printVolumes(node, group, disk));
    if (options.has('M')) return prints(printDiskMap(group, disk.name));
    if (options.has('p')) return prints(printRegions(node, group, disk));
    if (off) return { kind: 'exit', code: 0, stdout: printUnknown(group, disk), stderr: variedOff };
    return prints(printDisk(group, disk));
  },
};

/** The group of a disk, as far as this node's ODM knows it. */
function knownGroupOf(machine: Machine, node: NodeState, disk: Disk): VolumeGroup | undefined {
  const group = groupOfDisk(machine, disk);
  return group !== undefined && groupOf(machine, node, group.name) === group ? group : undefined;
}

function printList(machine: Machine, node: NodeState): string {
  const rows = machine.disks
    .filter((disk) => disk.nodes.includes(node.name))
    .map((disk) => {
      const group = knownGroupOf(machine, node, disk);
      const varied = group === undefined ? undefined : node.varied.get(group.id);
      const state = varied === undefined ? '' : varied === 'active' ? 'active' : 'concurrent';
      return `${disk.name.padEnd(15)} ${disk.pvid.padEnd(35)} ${(group?.name ?? 'None').padEnd(15)} ${state.padEnd(12)}`;
    });
  return rows.map((row) => `${row}\n`).join('');
}

function cells(label: string, value: string, second = '', secondValue = ''): string {
  return `${`${label.padEnd(20)}${value.padEnd(25)}${second.padEnd(18)}${secondValue}`.trimEnd()}\n`;
}

function identifiers(group: VolumeGroup, disk: Disk): string {
  return `${cells('PHYSICAL VOLUME:', disk.name, 'VOLUME GROUP:', group.name)}PV IDENTIFIER:      ${disk.pvid} VG IDENTIFIER     ${group.id}\n`;
}

function printDisk(group: VolumeGroup, disk: Disk): string {
  const uses = usesOf(group, disk);
  const total = partitionsOf(group, disk);
  const megabytes = group.partitionBytes >> 20;
  const free = Array.from({ length: total }, (_, i) => i + 1).filter((number) => !uses.has(number));
  const amount = (count: number) => `${count} (${count * megabytes} megabytes)`;
  const stale = [...uses.values()].filter(({ partition }) => partition.stale).length;
  const volumes = new Set([...uses.values()].map(({ volume }) => volume)).size;
  return [
    identifiers(group, disk),
    cells('PV STATE:', disk.failed ? 'missing' : 'active'),
    cells('STALE PARTITIONS:', String(stale), 'ALLOCATABLE:', 'yes'),
    cells('PP SIZE:', `${megabytes} megabyte(s)`, 'LOGICAL VOLUMES:', String(volumes)),
    cells('TOTAL PPs:', amount(total), 'VG DESCRIPTORS:', String(descriptorsOn(group, disk))),
    cells('FREE PPs:', amount(free.length), 'HOT SPARE:', 'no'),
    cells('USED PPs:', amount(uses.size), 'MAX REQUEST:', '256 kilobytes'),
    cells('FREE DISTRIBUTION:', dots(distribution(free, total))),
    cells('USED DISTRIBUTION:', dots(distribution(uses.keys(), total))),
    cells('MIRROR POOL:', group.pools.get(disk) ?? 'None'),
  ].join('');
}

/** A disk of a group that is varied off. */
function printUnknown(group: VolumeGroup, disk: Disk): string {
  const unknown = '???????';
  return [
    identifiers(group, disk),
    cells('PV STATE:', unknown),
    cells('STALE PARTITIONS:', unknown, 'ALLOCATABLE:', unknown),
    cells('PP SIZE:', unknown, 'LOGICAL VOLUMES:', unknown),
    cells('TOTAL PPs:', unknown, 'VG DESCRIPTORS:', unknown),
    cells('FREE PPs:', unknown, 'HOT SPARE:', unknown),
    cells('USED PPs:', unknown, 'MAX REQUEST:', '256 kilobytes'),
    cells('FREE DISTRIBUTION:', unknown),
    cells('USED DISTRIBUTION:', unknown),
    cells('MIRROR POOL:', unknown),
  ].join('');
}

function printVolumes(node: NodeState, group: VolumeGroup, disk: Disk): string {
  const uses = [...usesOf(group, disk)];
  const volumes = [...new Set(uses.map(([, { volume }]) => volume))];
  const rows = volumes.map((volume) => {
    const mine = uses.filter(([, use]) => use.volume === volume);
    const logical = new Set(mine.map(([, use]) => use.logical)).size;
    const numbers = mine.map(([number]) => number);
    const spread = dots(distribution(numbers, partitionsOf(group, disk)));
    return `${volume.name.padEnd(21)} ${String(logical).padEnd(7)} ${String(numbers.length).padEnd(7)} ${spread.padEnd(21)} ${mountPointOf(node, volume)}`;
  });
  const head = 'LV NAME               LPs     PPs     DISTRIBUTION          MOUNT POINT';
  return [`${disk.name}:`, head, ...rows, ''].join('\n');
}

function printRegions(node: NodeState, group: VolumeGroup, disk: Disk): string {
  const uses = usesOf(group, disk);
  const total = partitionsOf(group, disk);
  const ends = regionEnds(total);
  const rows: string[] = [];
  for (let number = 1; number <= total; ) {
    const first = number;
    const use = uses.get(number);
    const region = ends.findIndex((end) => number <= end);
    const end = ends[region] ?? total;
    const like = (other: number) => {
      const there = uses.get(other);
      return there?.volume === use?.volume && there?.partition.stale === use?.partition.stale;
    };
    while (number <= end && like(number)) number++;
    const range = `${String(first).padStart(3)}-${String(number - 1).padEnd(6)}`;
    const state = use === undefined ? 'free' : use.partition.stale ? 'stale' : 'used';
    const row = `${range}${state.padEnd(8)}${regions[region] ?? ''}`;
    if (use === undefined) rows.push(row);
    else {
      const { volume } = use;
      const place = `${range}${state.padEnd(8)}${(regions[region] ?? '').padEnd(13)}`;
      rows.push(`${place} ${volume.name.padEnd(19)} ${volume.type.padEnd(10)} ${mountPointOf(node, volume)}`);
    }
  }
  const head = 'PP RANGE  STATE   REGION        LV NAME             TYPE       MOUNT POINT';
  return [`${disk.name}:`, head, ...rows, ''].join('\n');
}
