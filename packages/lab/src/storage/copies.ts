import { type Answer, fails, prints } from '../command.ts';
import { atLeast, type Command, confirmed, type Refusal, refuse, textOf, writableVolume } from './commands.ts';
import { hasControlBlock } from './control-blocks.ts';
import { reclaim } from './logical-volumes.ts';
import { changed, isOpen, type Machine } from './machine.ts';
import { notInOdm, unable } from './messages.ts';
import { disksInPool, readPools } from './mirror-pools.ts';
import { isTaken, isVolumeName, nextName } from './names.ts';
import { namedDisks, placeCopy, strictness } from './placement.ts';
import { resyncVolumes } from './syncvg.ts';
import { truthNow } from './truth.ts';
import { copyCount, type LogicalVolume, type Partition, type VolumeGroup } from './volume-groups.ts';

/** `mklvcopy`: more copies, stale until they are synchronised; the number is the new total. */
export const mklvcopy: Command = {
  newer: { p: '6.1' },
  options: 'a:e:km:s:u:p:',
  async run(call): Promise<Answer> {
    const { machine, node, options, operands, program } = call;
    const [name = '', total = '', ...diskNames] = operands;
    const found = writableVolume(call, name, notInOdm(program, name));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    const text = 'Unable to make logical partition copies for\n        logical volume.';
    const cannot = (reason: string) => fails(`${reason}${unable('0516-842', program, text)}`);
    const wanted = Number(total);
    if (group.primaryGroup !== undefined) return cannot(`${program}: ${group.name} is a snapshot volume group.\n`);
    if (!(wanted >= 2 && wanted <= 3)) return cannot('');
    if (volume.map.every((copies) => copies.length >= wanted)) {
      return cannot(unable('0516-1509', program, `${name} already has ${wanted} copies.`));
    }
    const named = namedDisks(group, diskNames);
    if ('refusal' in named) return named.refusal;
    const strict = options.has('s') ? strictness(options.value('s')) : volume.strict;
    const pools = readPools(options);
    const planned = volume.map.map((copies) => [...copies]);
    for (let copy = 1; copy < wanted; copy++) {
      const short = planned.filter((copies) => copies.length <= copy);
      if (short.length === 0) continue;
      const inside = disksInPool(group, named.disks, pools.get(copy + 1) ?? volume.pools.get(copy + 1));
      if ('refusal' in inside) return cannot(textOf(inside));
      const placed = placeCopy(call, group, short, { disks: inside.disks, strict, copy: 0 });
      if ('refusal' in placed) return cannot(textOf(placed));
      placed.partitions.forEach((partition, row) => {
        short[row]?.push({ ...partition, stale: true });
      });
    }
    const reached = interruption(machine, program);
    volume.map.slice(0, reached).forEach((copies, row) => {
      copies.push(...(planned[row] ?? []).slice(copies.length));
    });
    for (const [copy, pool] of pools) volume.pools.set(copy, pool);
    changed(machine, group, volume);
    if (reached !== undefined) return interrupted;
    if (!options.has('k')) return prints('');
    const done = await resyncVolumes(machine, node, group, [volume], { parallel: 1 });
    return done ? prints('') : fails(unable('0516-934', program, `Unable to synchronize logical volume ${name}.`));
  },
};

/** `rmlvcopy`: fewer copies; the number is what stays. Without a disk it takes the last copies. */
export const rmlvcopy: Command = {
  newer: { p: '6.1' },
  options: 'p:',
  run(call): Answer {
    const { machine, options, operands, program } = call;
    const [name = '', stays = '', ...diskNames] = operands;
    const found = writableVolume(call, name, notInOdm(program, name));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    // AIX lets the disks of a snapshot group be named here; the lab does not model that.
    const relation = inRelation(group, volume);
    if (relation !== undefined) return fails(`${program}: ${relation}\n`);
    machine.truth(`rmlvcopy.${name}`, truthNow(machine, group, volume));
    const removed = takeCopies(group, volume, Number(stays), diskNames, options.value('p'));
    if ('refusal' in removed) {
      const text = `Unable to remove logical partition copies from logical\n        volume ${name}.`;
      return fails(`${textOf(removed)}${unable('0516-852', program, text)}`);
    }
    if (!keepsFresh(volume, removed.partitions)) {
      return fails(`${program}: That would leave no good copy of ${name}.\n`);
    }
    const reached = interruption(machine, program);
    const gone = removed.partitions.slice(0, reached);
    removeFrom(volume, gone);
    if (atLeast(machine.level, '7.2')) reclaim(group, gone.flat());
    changed(machine, group, volume);
    return reached === undefined ? prints('') : interrupted;
  },
};

/** `splitlvcopy`: moves copies of a volume into a new one; the number is what stays. Its messages carry no numbers. */
export const splitlvcopy: Command = {
  since: '4.3',
  newer: { k: '7.3', p: '7.3' },
  options: 'fky:Y:p:',
  async run(call): Promise<Answer> {
    const { machine, options, operands, program } = call;
    const [name = '', stays = '', ...diskNames] = operands;
    const says = (text: string) => `${program}: ${text}\n`;
    const found = writableVolume(call, name, says(`Unable to find ${name} in the Device Configuration Database.`));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    const prefix = options.value('Y');
    if (prefix !== undefined && prefix.length > 13) return fails(says(`${prefix} is longer than 13 characters.`));
    const copy = options.value('y') ?? nextName(prefix ?? 'lv', (candidate) => isTaken(call, candidate));
    if (!isVolumeName(copy) || isTaken(call, copy)) return fails(says(`The name ${copy} cannot be used.`));
    if (volume.encrypted && !atLeast(machine.level, '7.3')) return fails(says(`${name} is encrypted.`));
    const relation = inRelation(group, volume);
    if (relation !== undefined) return fails(says(relation));
    const taken = takeCopies(group, volume, Number(stays), diskNames, options.value('p'));
    if ('refusal' in taken) return fails(says(textOf(taken).trim()));
    if (taken.partitions.some((copies) => copies.length === 0)) {
      return fails(says(`Not all logical partitions of ${name} have a copy to give.`));
    }
    let stdout = '';
    if (isOpen(machine, volume) && !options.has('f')) {
      stdout = `${program}: The logical volume ${name} is open.  Splitting it now may leave the data of the copy inconsistent.\nDo you wish to continue? y(es) n(o)? `;
      if (!(await confirmed(call))) return { kind: 'exit', code: 1, stdout };
    }
    machine.truth(copy, truthNow(machine, group, volume));
    const reached = interruption(machine, program);
    const moved = taken.partitions.slice(0, reached);
    removeFrom(volume, moved);
    const split: LogicalVolume = {
      ...volume,
      name: copy,
      minor: group.nextMinor++,
      map: moved,
      pools: new Map(),
      created: machine.now(),
      modified: machine.now(),
      snapshots: [],
    };
    if (moved.length > 0) group.volumes.push(split);
    changed(machine, group, volume);
    if (reached !== undefined) return interrupted;
    changed(machine, group, split);
    const warning = `There is no control block on ${name}; ${copy} is made without one.`;
    const stderr = hasControlBlock(group, volume) ? '' : says(warning);
    return { kind: 'exit', code: 0, stdout: `${stdout}${copy}\n`, stderr };
  },
};

/** Why volumes may not be split or removed now: a copy is split off while it stays a copy. */
export function inRelation(group: VolumeGroup, volume: LogicalVolume): string | undefined {
  if (group.snapshotGroup !== undefined || group.primaryGroup !== undefined) {
    return `The volume group ${group.name} is in a snapshot relation.`;
  }
  if (volume.splitMark !== undefined) return `The logical volume ${volume.name} has a split copy.`;
  if (volume.parent !== undefined) return `The logical volume ${volume.name} is a split copy.`;
  return undefined;
}

/** A command that was killed between two calls of the LVM. */
const interrupted: Answer = { kind: 'exit', code: 137 };

/** Logical partitions after which the command is to stop this time; undefined lets it finish. */
function interruption(machine: Machine, program: string): number | undefined {
  const reached = machine.interruptions.get(program);
  machine.interruptions.delete(program);
  return reached;
}

/** Partitions that go when so many copies stay: those on the named disks or in the pool, else the last copies. */
function takeCopies(
  group: VolumeGroup,
  volume: LogicalVolume,
  stays: number,
  diskNames: readonly string[],
  pool: string | undefined,
): Refusal | { readonly partitions: Partition[][] } {
  const most = copyCount(volume);
  if (!(stays >= 1 && stays < most)) {
    return refuse(`The number of copies ${stays} is not valid for a logical volume with ${most}.\n`);
  }
  const named = namedDisks(group, diskNames);
  if ('refusal' in named) return named;
  const inside = disksInPool(group, named.disks, pool);
  if ('refusal' in inside) return inside;
  const partitions = volume.map.map((copies) => {
    const candidates = copies.filter(({ disk }) => inside.disks.includes(disk));
    return candidates.slice(Math.max(0, candidates.length - (copies.length - stays)));
  });
  const complete = volume.map.every(
    (copies, row) => (partitions[row]?.length ?? 0) === Math.max(0, copies.length - stays),
  );
  return complete ? { partitions } : refuse(`The physical volumes do not hold a whole copy of ${volume.name}.\n`);
}

/** Whether each logical partition has a fresh copy left. `splitlvcopy` does not ask: it gives away the only one. */
function keepsFresh(volume: LogicalVolume, removed: readonly (readonly Partition[])[]): boolean {
  return volume.map.every((copies, row) => copies.some((copy) => !copy.stale && !removed[row]?.includes(copy)));
}

function removeFrom(volume: LogicalVolume, removed: readonly (readonly Partition[])[]): void {
  volume.map.forEach((copies, row) => {
    const gone = removed[row] ?? [];
    copies.splice(0, copies.length, ...copies.filter((partition) => !gone.includes(partition)));
  });
}
