import { type Answer, fails, prints } from '../command.ts';
import { atLeast, type Call, type Command, lockWait } from './commands.ts';
import { groupOf, isOpenOn, type Machine, type NodeState } from './machine.ts';
import { noGroup, variedOff } from './messages.ts';
import {
  descriptors,
  distribution,
  type LogicalVolume,
  limits,
  partitionsOf,
  physicalPartitions,
  staleCount,
  usesOf,
  type VolumeGroup,
} from './volume-groups.ts';

/** `lsvg`: groups, one group, its volumes, disks and maps. */
export const lsvg: Command = {
  newer: { m: '6.1', P: '6.1' },
  options: 'LolpMmin:P',
  run(call) {
    const { machine, node, options } = call;
    const [name] = call.operands;
    if (name === undefined) {
      const names = [...node.odm.keys()].filter((group) => !options.has('o') || isActive(machine, node, group));
      return prints(names.map((group) => `${group}\n`).join(''));
    }
    const answers = call.operands.map((group) => listGroup(call, group));
    return (
      answers.find(({ kind, ...rest }) => kind === 'hang' || ('code' in rest && rest.code !== 0)) ?? joined(answers)
    );
  },
};

function joined(answers: readonly Answer[]): Answer {
  return prints(answers.map((answer) => (answer.kind === 'exit' ? (answer.stdout ?? '') : '')).join(''));
}

function isActive(machine: Machine, node: NodeState, name: string): boolean {
  const group = groupOf(machine, node, name);
  const varied = group === undefined ? undefined : node.varied.get(group.id);
  return varied === 'active' || varied === 'concurrent';
}

function listGroup(call: Call, name: string): Answer {
  const { machine, node, options, program } = call;
  const group = groupOf(machine, node, name);
  if (group === undefined) return fails(noGroup(program, name));
  const wait = lockWait(call, group);
  if (wait !== undefined) return wait;
  if (!node.varied.has(group.id)) return fails(variedOff);
  if (options.has('l')) return prints(printVolumes(node, group));
  if (options.has('p')) return prints(printDisks(group));
  if (options.has('M')) return prints(group.disks.map((disk) => printDiskMap(group, disk.name)).join(''));
  if (options.has('m')) return prints(printMirrorPools(group));
  return prints(printGroup(machine, node, group));
}

/** One row of two cells, as `lsvg VG` prints it. */
function cells(label: string, value: string, second = '', secondValue = ''): string {
  return `${label.padEnd(20)}${value.padEnd(25)}${second.padEnd(16)}${secondValue}\n`;
}

function printGroup(machine: Machine, node: NodeState, group: VolumeGroup): string {
  const varied = node.varied.get(group.id);
  const megabytes = group.partitionBytes >> 20;
  const total = group.disks.reduce((sum, disk) => sum + partitionsOf(group, disk), 0);
  const used = group.disks.reduce((sum, disk) => sum + usesOf(group, disk).size, 0);
  const amount = (count: number) => `${count} (${count * megabytes} megabytes)`;
  const own = group.volumes.filter(({ parent }) => parent === undefined);
  const stale = own.flatMap(physicalPartitions).filter((partition) => partition.stale);
  const { volumes: maxVolumes, disks: maxDisks } = limits(group);
  const count = group.disks.length;
  const open = group.volumes.filter((volume) => isOpenOn(node, volume)).length;
  const activeNodes = [...machine.nodes.keys()].flatMap((name, i) =>
    name !== node.name && machine.nodes.get(name)?.varied.has(group.id) ? [i + 1] : [],
  );
  const rows = [
    cells('VOLUME GROUP:', group.name, 'VG IDENTIFIER:', group.id),
    cells('VG STATE:', 'active', 'PP SIZE:', `${megabytes} megabyte(s)`),
    cells('VG PERMISSION:', varied === 'passive' ? 'passive-only' : 'read/write', 'TOTAL PPs:', amount(total)),
    cells('MAX LVs:', String(maxVolumes), 'FREE PPs:', amount(total - used)),
    cells('LVs:', String(group.volumes.length), 'USED PPs:', amount(used)),
    cells(
      'OPEN LVs:',
      String(open),
      'QUORUM:',
      `${group.quorum ? Math.floor(descriptors(group) / 2) + 1 : 1} (${group.quorum ? 'Enabled' : 'Disabled'})`,
    ),
    cells('TOTAL PVs:', String(count), 'VG DESCRIPTORS:', String(descriptors(group))),
    cells('STALE PVs:', String(new Set(stale.map(({ disk }) => disk)).size), 'STALE PPs:', String(stale.length)),
    cells(
      'ACTIVE PVs:',
      String(group.disks.filter(({ failed }) => !failed).length),
      'AUTO ON:',
      group.autoOn ? 'yes' : 'no',
    ),
  ];
  if (group.enhancedConcurrent) {
    rows.push(
      cells('Concurrent:', 'Enhanced-Capable', 'Auto-Concurrent:', ' Disabled'),
      `${'VG Mode:'.padEnd(20)}${(varied === 'active' ? 'Non-Concurrent' : 'Concurrent').padEnd(41)}\n`,
    );
    if (varied !== 'active') {
      const id = [...machine.nodes.keys()].indexOf(node.name) + 1;
      rows.push(
        `${'Node ID:'.padEnd(20)}${String(id).padEnd(25)}${'Active Nodes:'.padEnd(20)}${activeNodes.join(' ')} \n`,
      );
    }
  }
  if (group.kind === 'scalable') rows.push(cells('MAX PPs per VG:', '32768', 'MAX PVs:', String(maxDisks)));
  else {
    const perDisk = 1016;
    rows.push(
      `${'MAX PPs per VG:'.padEnd(20)}${maxDisks * perDisk}\n`,
      cells('MAX PPs per PV:', String(perDisk), 'MAX PVs:', String(maxDisks)),
    );
  }
  rows.push(
    cells('LTG size (Dynamic):', '256 kilobyte(s)', 'AUTO SYNC:', 'no'),
    cells('HOT SPARE:', 'no', 'BB POLICY:', 'relocatable '),
  );
  if (atLeast(machine.level, '6.1') && group.kind === 'scalable')
    rows.push(cells('MIRROR POOL STRICT:', group.poolsStrict ? 'super' : 'off', '', ' '));
  if (atLeast(machine.level, '6.1')) rows.push(cells('PV RESTRICTION:', 'none', 'INFINITE RETRY:', 'no'));
  if (atLeast(machine.level, '7.1')) {
    rows.push(
      cells('DISK BLOCK SIZE:', '512', 'CRITICAL VG:', 'no'),
      cells('FS SYNC OPTION:', 'no', 'CRITICAL PVs:', 'no'),
    );
  }
  if (atLeast(machine.level, '7.2')) rows.push('ENCRYPTION:         no\n');
  if (group.snapshotGroup !== undefined) rows.push(`SNAPSHOT VG:        ${group.snapshotGroup.name}\n`);
  if (group.primaryGroup !== undefined) rows.push(`PRIMARY VG:         ${group.primaryGroup.name}\n`);
  return rows.join('');
}

function printVolumes(node: NodeState, group: VolumeGroup): string {
  const rows = group.volumes.map((volume) => {
    // A device that reads a split copy owns no partitions of its own.
    if (volume.parent !== undefined && group.volumes.includes(volume.parent)) {
      const state = isOpenOn(node, volume) ? 'open???????' : 'closed/syncd';
      const label = mountPointOf(node, volume);
      return `${volume.name.padEnd(19)} ${volume.type.padEnd(10)} 0       0       0    ${state.padEnd(13)} ${label}`;
    }
    return [
      volume.name.padEnd(19),
      volume.type.padEnd(10),
      String(volume.map.length).padEnd(7),
      String(physicalPartitions(volume).length).padEnd(7),
      String(new Set(physicalPartitions(volume).map(({ disk }) => disk)).size).padEnd(4),
      `${isOpenOn(node, volume) ? 'open' : 'closed'}/${staleCount(volume) > 0 ? 'stale' : 'syncd'}`.padEnd(13),
      mountPointOf(node, volume),
    ].join(' ');
  });
  const head = 'LV NAME             TYPE       LPs     PPs     PVs  LV STATE      MOUNT POINT';
  return [`${group.name}:`, head, ...rows, ''].join('\n');
}

/** The mount point that is configured for a volume, or `N/A`. */
export function mountPointOf(node: NodeState, volume: LogicalVolume): string {
  const mount = node.mounts.find((candidate) => candidate.volume === volume);
  if (mount !== undefined) return mount.mountPoint;
  return volume.label.startsWith('/') ? volume.label : 'N/A';
}

function printDisks(group: VolumeGroup): string {
  const rows = group.disks.map((disk) => {
    const total = partitionsOf(group, disk);
    const uses = usesOf(group, disk);
    const free = Array.from({ length: total }, (_, i) => i + 1).filter((number) => !uses.has(number));
    const state = disk.failed ? 'missing' : 'active';
    return `${disk.name.padEnd(18)}${state.padEnd(18)}${String(total).padEnd(12)}${String(free.length).padEnd(12)}${dots(distribution(free, total))}`;
  });
  const head = 'PV_NAME           PV STATE          TOTAL PPs   FREE PPs    FREE DISTRIBUTION';
  return [`${group.name}:`, head, ...rows, ''].join('\n');
}

/** A distribution over the regions as `lspv` and `lsvg -p` print it. */
export function dots(counts: readonly number[]): string {
  return counts.map((count) => String(count).padStart(2, '0')).join('..');
}

/** The map of one disk, as `lsvg -M` and `lspv -M` print it. */
export function printDiskMap(group: VolumeGroup, name: string): string {
  const disk = group.disks.find((candidate) => candidate.name === name);
  if (disk === undefined) return '';
  const uses = usesOf(group, disk);
  const total = partitionsOf(group, disk);
  const lines: string[] = [];
  for (let number = 1; number <= total; ) {
    const use = uses.get(number);
    if (use !== undefined) {
      const mirrored = (use.volume.map[use.logical - 1]?.length ?? 1) > 1;
      const target = `${use.volume.name}:${use.logical}${mirrored ? `:${use.copy}` : ''}`;
      lines.push(`${`${name}:${number}`.padEnd(15)} ${use.partition.stale ? `${target.padEnd(15)} stale` : target}`);
      number++;
      continue;
    }
    const first = number;
    while (number <= total && !uses.has(number)) number++;
    lines.push(first === number - 1 ? `${name}:${first}` : `${name}:${first}-${number - 1}`);
  }
  return `${lines.join('\n')}\n`;
}

function printMirrorPools(group: VolumeGroup): string {
  const rows = group.volumes.map(
    (volume) =>
      `${volume.name.padEnd(19)} ${[1, 2, 3]
        .map((copy) => (volume.pools.get(copy) ?? 'None').padEnd(17))
        .join(' ')
        .trimEnd()}`,
  );
  const head = 'Logical Volume      Copy 1            Copy 2            Copy 3';
  return [head, ...rows, ''].join('\n');
}
