import { type Answer, fails, prints } from '../command.ts';
import { atLeast, type Call, type Command, lockWait } from './commands.ts';
import { mountPointOf } from './lsvg.ts';
import { type FoundVolume, isOpenOn, type Machine, type NodeState, volumeOf } from './machine.ts';
import { notInOdm, usage, variedOff } from './messages.ts';
import { copyCount, distribution, partitionsOf, physicalPartitions, staleCount } from './volume-groups.ts';

/** `lslv`: one volume, its map, its disks. */
export const lslv: Command = {
  options: 'Llmn:p:',
  run(call): Answer {
    const { machine, node, options, program } = call;
    const [name] = call.operands;
    if (name === undefined) return fails(usage(program));
    const found = volumeOf(machine, node, name);
    if (found === undefined) return fails(notInOdm(program, name));
    const wait = lockWait(call, found.group);
    if (wait !== undefined) return wait;
    if (found.varied === undefined && (options.has('m') || options.has('l') || options.has('p')))
      return fails(variedOff);
    if (found.varied === undefined) return prints(printUnknown(node, found));
    if (options.has('m')) return prints(printMap(node, found));
    if (options.has('l')) return prints(printSpread(node, found));
    if (options.has('p')) return printStates(call, found);
    return prints(printVolume(machine, node, found));
  },
};

const strictWords = { y: 'yes', n: 'no', s: 'yes (superstrict)' } as const;

function cells(label: string, value: string, second = '', secondValue = ''): string {
  return `${label.padEnd(20)}${value.padEnd(22)} ${second.padEnd(16)}${secondValue}\n`;
}

function printVolume(machine: Machine, node: NodeState, { group, volume }: FoundVolume): string {
  const state = `${isOpenOn(node, volume) ? 'opened' : 'closed'}/${staleCount(volume) > 0 ? 'stale' : 'syncd'}`;
  const complete = group.disks.every(({ failed }) => !failed);
  const rows = [
    cells('LOGICAL VOLUME:', volume.name, 'VOLUME GROUP:', group.name),
    `${'LV IDENTIFIER:'.padEnd(20)}${group.id}.${volume.minor} ${'PERMISSION:'.padEnd(16)}read/write\n`,
    cells('VG STATE:', complete ? 'active/complete' : 'active/partial', 'LV STATE:', state),
    cells('TYPE:', volume.type, 'WRITE VERIFY:', 'off'),
    cells('MAX LPs:', String(volume.maxPartitions), 'PP SIZE:', `${group.partitionBytes >> 20} megabyte(s)`),
    cells('COPIES:', String(copyCount(volume)), 'SCHED POLICY:', 'parallel'),
    cells('LPs:', String(volume.map.length), 'PPs:', String(physicalPartitions(volume).length)),
    cells('STALE PPs:', String(staleCount(volume)), 'BB POLICY:', 'relocatable'),
    cells('INTER-POLICY:', 'minimum', 'RELOCATABLE:', 'yes'),
    cells('INTRA-POLICY:', 'middle', 'UPPER BOUND:', String(volume.upperBound)),
    cells('MOUNT POINT:', mountPointOf(node, volume), 'LABEL:', volume.label === '' ? 'None' : volume.label),
  ];
  const modern = atLeast(machine.level, '7.1');
  if (modern) rows.push(cells('DEVICE UID:', '0', 'DEVICE GID:', '0'), cells('DEVICE PERMISSIONS:', '432'));
  rows.push(
    `MIRROR WRITE CONSISTENCY: on/ACTIVE${modern ? ' '.repeat(30) : ''}\n`,
    `EACH LP COPY ON A SEPARATE PV ?: ${strictWords[volume.strict]}${modern ? ' '.repeat(36) : ''}\n`,
    'Serialize IO ?:     NO\n',
  );
  if (modern) rows.push(cells('INFINITE RETRY:', 'no', 'PREFERRED READ:', '0'));
  if (modern && group.kind === 'scalable') {
    rows.push(cells('DEVICESUBTYPE:', 'DS_LVZ'));
    for (const copy of [1, 2, 3]) rows.push(cells(`COPY ${copy} MIRROR POOL:`, volume.pools.get(copy) ?? 'None'));
  }
  if (atLeast(machine.level, '7.2')) rows.push(`ENCRYPTION:         ${volume.encrypted ? 'yes' : 'no'}\n`);
  return rows.join('');
}

/** A volume whose group is varied off: what the ODM and nobody else knows. */
function printUnknown(node: NodeState, { group, volume }: FoundVolume): string {
  const unknown = '?';
  return [
    cells('LOGICAL VOLUME:', volume.name, 'VOLUME GROUP:', group.name),
    `${'LV IDENTIFIER:'.padEnd(20)}${group.id}.${volume.minor} ${'PERMISSION:'.padEnd(16)}${unknown}\n`,
    cells('VG STATE:', 'inactive', 'LV STATE:', unknown),
    cells('TYPE:', volume.type, 'WRITE VERIFY:', unknown),
    cells('MAX LPs:', unknown, 'PP SIZE:', unknown),
    cells('COPIES:', String(copyCount(volume)), 'SCHED POLICY:', unknown),
    cells('LPs:', unknown, 'PPs:', unknown),
    cells('STALE PPs:', unknown, 'BB POLICY:', unknown),
    cells('INTER-POLICY:', 'minimum', 'RELOCATABLE:', 'yes'),
    cells('INTRA-POLICY:', 'middle', 'UPPER BOUND:', String(volume.upperBound)),
    cells('MOUNT POINT:', mountPointOf(node, volume), 'LABEL:', volume.label === '' ? 'None' : volume.label),
    `MIRROR WRITE CONSISTENCY: ${unknown}\n`,
    `EACH LP COPY ON A SEPARATE PV ?: ${strictWords[volume.strict]}\n`,
    `Serialize IO ?:     ${unknown}\n`,
  ].join('');
}

function printMap(node: NodeState, { volume }: FoundVolume): string {
  const four = (number: number) => String(number).padStart(4, '0');
  const rows = volume.map.map((copies, row) => {
    const words = copies.map(({ disk, number }) => `${four(number)} ${disk.name.padEnd(17)}`);
    return `${four(row + 1)}  ${words.join(' ')}`.trimEnd();
  });
  const head = 'LP    PP1  PV1               PP2  PV2               PP3  PV3';
  return [`${volume.name}:${mountPointOf(node, volume)}`, head, ...rows, ''].join('\n');
}

function printSpread(node: NodeState, { group, volume }: FoundVolume): string {
  const disks = [...new Set(physicalPartitions(volume).map(({ disk }) => disk))];
  const rows = disks.map((disk) => {
    const onDisk = volume.map.map((copies) => copies.filter((partition) => partition.disk === disk));
    const atLeastCopies = [1, 2, 3].map((count) => onDisk.filter((copies) => copies.length >= count).length);
    const numbers = onDisk.flat().map(({ number }) => number);
    const spread = distribution(numbers, partitionsOf(group, disk));
    const three = (count: number) => String(count).padStart(3, '0');
    const inBand = Math.floor((100 * (spread[1] ?? 0)) / numbers.length);
    return `${disk.name.padEnd(17)} ${atLeastCopies.map(three).join(':').padEnd(13)} ${`${inBand}%`.padEnd(13)} ${spread.map(three).join(':')}`;
  });
  const head = 'PV                COPIES        IN BAND       DISTRIBUTION ';
  return [`${volume.name}:${mountPointOf(node, volume)}`, head, ...rows, ''].join('\n');
}

/** `lslv -p PV LV`: each partition of the disk; a number is a partition of the volume, `?` after it means stale. */
function printStates(call: Call, { group, volume }: FoundVolume): Answer {
  const name = call.options.value('p');
  const disk = group.disks.find((candidate) => candidate.name === name);
  if (disk === undefined) return fails(notInOdm(call.program, name ?? ''));
  const words: string[] = [];
  for (let number = 1; number <= partitionsOf(group, disk); number++) {
    const row = volume.map.findIndex((copies) => copies.some((copy) => copy.disk === disk && copy.number === number));
    const stale = volume.map[row]?.some((copy) => copy.disk === disk && copy.number === number && copy.stale);
    const used = group.volumes.some(({ map }) =>
      map.flat().some((copy) => copy.disk === disk && copy.number === number),
    );
    if (row >= 0) words.push(`${String(row + 1).padStart(4, '0')}${stale ? '?' : ' '}`);
    else words.push(used ? 'USED ' : 'FREE ');
  }
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += 10) {
    const last = Math.min(at + 10, words.length);
    lines.push(`${words.slice(at, last).join('  ')}  ${String(at + 1).padStart(4)}-${last}`);
  }
  return prints([`${disk.name}:${volume.name}:${mountPointOf(call.node, volume)}`, ...lines, ''].join('\n'));
}
