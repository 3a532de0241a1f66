import { type Answer, fails, prints } from '../command.ts';
import { type Call, type Command, type Refusal, refuse, writableVolume } from './commands.ts';
import { changed, isOpen, type Machine, type NodeState } from './machine.ts';
import { mustBeClosed, notInOdm } from './messages.ts';
import { isTaken } from './names.ts';
import { resyncVolumes } from './syncvg.ts';
import { truthNow } from './truth.ts';
import { copyCount, type LogicalVolume, staleCount, type VolumeGroup } from './volume-groups.ts';

/** How a copy is to be split off while it stays a copy. */
interface SplitWish {
  /** Copy, from 1; without it the last one. */
  readonly copy: number | undefined;
  readonly persistent: boolean;
  /** Name of the volume that shall read the copy. */
  readonly child: string | undefined;
  readonly writable: boolean;
  /** Goes on although partitions are stale. */
  readonly force: boolean;
}

/** Marks a copy as split: it keeps what it holds, and becomes stale where its volume is written. */
export function splitOff(
  call: Call,
  group: VolumeGroup,
  volume: LogicalVolume,
  wish: SplitWish,
): Refusal | { readonly child: LogicalVolume | undefined } {
  const { machine, program } = call;
  const says = (text: string) => refuse(`${program}: ${text}\n`);
  const copies = copyCount(volume);
  const copy = wish.copy ?? copies;
  if (group.snapshotGroup !== undefined || group.primaryGroup !== undefined) {
    return says(`The volume group ${group.name} is in a snapshot relation.`);
  }
  if (volume.parent !== undefined) return says(`${volume.name} is a split copy itself.`);
  if (volume.splitMark !== undefined) return says(`${volume.name} has a split copy already.`);
  if (volume.encrypted) return says(`${volume.name} is encrypted.`);
  if (copies < 2) return says(`${volume.name} is not mirrored.`);
  if (!(copy >= 1 && copy <= copies)) return says(`${volume.name} has no copy ${copy}.`);
  if (staleCount(volume) > 0 && !wish.force) return says(`${volume.name} has stale partitions.`);
  const own = volume.map.map((row) => row[copy - 1]);
  if (own.includes(undefined)) return says(`Copy ${copy} of ${volume.name} is not complete.`);
  const bare = volume.map.some((row) => row.every((partition, i) => i === copy - 1 || partition.stale));
  if (bare) return says(`${volume.name} would have no good copy left.`);
  if (wish.child !== undefined && isTaken(call, wish.child)) return says(`The name ${wish.child} is already used.`);
  machine.truth(wish.child ?? `${volume.name}.${copy}`, truthNow(machine, group, volume));
  volume.splitMark = { copy, persistent: wish.persistent || wish.child !== undefined };
  for (const partition of own) if (partition !== undefined) partition.split = true;
  let child: LogicalVolume | undefined;
  if (wish.child !== undefined) {
    child = {
      ...volume,
      name: wish.child,
      minor: group.nextMinor++,
      label: '',
      map: own.map((partition) => (partition === undefined ? [] : [partition])),
      created: machine.now(),
      modified: machine.now(),
      splitMark: undefined,
      snapshots: [],
      parent: volume,
      readOnly: !wish.writable,
    };
    group.volumes.push(child);
  }
  changed(machine, group, volume);
  return { child };
}

/** The volume that reads the split copy of another one. */
function childOf(group: VolumeGroup, volume: LogicalVolume): LogicalVolume | undefined {
  return group.volumes.find(({ parent }) => parent === volume);
}

/** Takes the mark away; what became stale stays so until it is synchronised. */
export function unsplit(machine: Machine, group: VolumeGroup, volume: LogicalVolume): void {
  const child = childOf(group, volume);
  if (child !== undefined) group.volumes.splice(group.volumes.indexOf(child), 1);
  for (const partition of volume.map.flat()) partition.split = false;
  volume.splitMark = undefined;
  changed(machine, group, volume);
}

/** Ends the marks that do not survive a crash of their node. */
export function dropVolatileMarks(group: VolumeGroup): void {
  for (const volume of group.volumes) {
    if (volume.splitMark === undefined || volume.splitMark.persistent) continue;
    for (const partition of volume.map.flat()) partition.split = false;
    volume.splitMark = undefined;
  }
}

/** Starts a resync that nobody waits for. */
export function resyncInBackground(
  machine: Machine,
  node: NodeState,
  group: VolumeGroup,
  volumes: readonly LogicalVolume[],
): void {
  // What cannot be synchronised stays stale, which is all that anyone ever learns.
  void resyncVolumes(machine, node, group, volumes, { parallel: 1 }).catch(() => undefined);
}

/** `chlvcopy`: marks a copy as split (`-b`) or takes the mark back (`-B`). */
export const chlvcopy: Command = {
  since: '4.3.2',
  options: 'bBc:fl:Psw',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [name = ''] = operands;
    const found = writableVolume(call, name, notInOdm(program, name));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    if (options.has('B')) {
      if (volume.splitMark === undefined) return fails(`${program}: ${name} has no split copy.\n`);
      const child = childOf(group, volume);
      if (child !== undefined && isOpen(machine, child)) return fails(mustBeClosed(program, child.name));
      unsplit(machine, group, volume);
      if (options.has('s')) resyncInBackground(machine, node, group, [volume]);
      return prints('');
    }
    if (!options.has('b'))
      return fails(`Usage: ${program} [-f] { -b [-c copy] [-P] [-l newlv] [-w] | -B [-s] } lv\n`, 2);
    if (volume.type.startsWith('jfs')) {
      return fails(`${program}: ${name} holds a file system; use chfs -a splitcopy.\n`);
    }
    const copy = options.value('c');
    const done = splitOff(call, group, volume, {
      copy: copy === undefined ? undefined : Number(copy),
      persistent: options.has('P'),
      child: options.value('l'),
      writable: options.has('w'),
      force: options.has('f'),
    });
    return 'refusal' in done ? done.refusal : prints('');
  },
};
