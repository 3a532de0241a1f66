import { type Answer, fails, prints } from '../command.ts';
import { type Command, writableGroup } from './commands.ts';
import { resyncPartition } from './logical-volumes.ts';
import { diskOf, groupOf, groupOfDisk, type Machine, type NodeState, volumeOf } from './machine.ts';
import { noDisk, noGroup, notInOdm, unable, usage } from './messages.ts';
import type { LogicalVolume, Partition, VolumeGroup } from './volume-groups.ts';

/** `syncvg`: copies every stale partition of volumes, disks or groups from a fresh one, and ends when it has. */
export const syncvg: Command = {
  newer: { T: '7.2' },
  options: 'fiHQP:lpvT:',
  async run(call): Promise<Answer> {
    const { machine, node, options, operands, program } = call;
    if (operands.length === 0 || !['l', 'p', 'v'].some((letter) => options.has(letter))) return fails(usage(program));
    const parallel = Math.min(32, Math.max(1, Number(options.value('P') ?? 1)));
    let stderr = '';
    for (const name of operands) {
      const chosen = options.has('l')
        ? volumes(machine, node, name)
        : options.has('v')
          ? groupVolumes(machine, node, name)
          : diskVolumes(machine, node, name);
      if ('missing' in chosen) return fails(chosen.missing);
      const refused = writableGroup(call, chosen.group);
      if (refused !== undefined) return refused.refusal;
      const done = await resyncVolumes(machine, node, chosen.group, chosen.volumes, { parallel });
      if (!done) {
        const what = options.has('l') ? `logical volume ${name}` : `volume group ${chosen.group.name}`;
        stderr += unable(options.has('l') ? '0516-934' : '0516-932', program, `Unable to synchronize ${what}.`);
      }
    }
    return stderr === '' ? prints('') : fails(stderr);
  },
};

type Chosen =
  | { readonly group: VolumeGroup; readonly volumes: readonly LogicalVolume[] }
  | { readonly missing: string };

function volumes(machine: Machine, node: NodeState, name: string): Chosen {
  const found = volumeOf(machine, node, name);
  return found === undefined ? { missing: notInOdm('syncvg', name) } : { group: found.group, volumes: [found.volume] };
}

function groupVolumes(machine: Machine, node: NodeState, name: string): Chosen {
  const group = groupOf(machine, node, name);
  return group === undefined ? { missing: noGroup('syncvg', name) } : { group, volumes: group.volumes };
}

function diskVolumes(machine: Machine, node: NodeState, name: string): Chosen {
  const disk = diskOf(machine, node, name);
  const group = disk === undefined ? undefined : groupOfDisk(machine, disk);
  if (group === undefined) return { missing: noDisk(name) };
  return { group, volumes: group.volumes.filter(({ map }) => map.flat().some((partition) => partition.disk === disk)) };
}

/**
 * Copies stale partitions, so many at a time, at the lab's pace. Stops where it is when the node crashes or the group is
 * varied off; what was copied stays fresh.
 *
 * @returns whether nothing of the volumes is stale any more.
 */
export async function resyncVolumes(
  machine: Machine,
  node: NodeState,
  group: VolumeGroup,
  chosen: readonly LogicalVolume[],
  { parallel }: { readonly parallel: number },
): Promise<boolean> {
  const { boots } = node;
  const owners = chosen.filter(({ parent }) => parent === undefined);
  const stale = owners.flatMap(({ map }) => map).filter((copies) => copies.some((copy) => isBehind(group, copy)));
  for (let at = 0; at < stale.length; at += parallel) {
    await new Promise<void>((resolve) => machine.timers.after(1000 / machine.resyncPerSecond, resolve));
    if (node.boots !== boots || !isWritable(node, group)) return false;
    for (const copies of stale.slice(at, at + parallel)) {
      // A volume that was removed meanwhile no longer owns its partitions.
      if (group.volumes.some(({ map }) => map.includes(copies))) resyncPartition(group, copies);
    }
  }
  return owners.every((volume) => volume.map.every((copies) => !copies.some((copy) => isBehind(group, copy))));
}

/** What splitvg took away is stale, and out of reach. */
function isBehind(group: VolumeGroup, partition: Partition): boolean {
  return partition.stale && group.disks.includes(partition.disk);
}

function isWritable(node: NodeState, group: VolumeGroup): boolean {
  const varied = node.varied.get(group.id);
  return varied !== undefined && varied !== 'passive';
}
