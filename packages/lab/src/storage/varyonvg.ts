import { type Answer, fails, prints } from '../command.ts';
import { type Command, lockWait } from './commands.ts';
import { groupOf, isOpenOn } from './machine.ts';
import { noGroup, noQuorum, notConcurrentCapable, openVolumesInGroup, unable, usage, variedOff } from './messages.ts';
import { resyncInBackground } from './split-copies.ts';
import { hasMajority, knows, learn } from './volume-groups.ts';

/** `varyonvg`: `-c -A` active and `-c -P` passive in concurrent mode; resyncs stale partitions unless `-n`. */
export const varyonvg: Command = {
  options: 'bcfnpsturdoOM:k:APTL',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [name] = operands;
    if (name === undefined) return fails(usage(program));
    const group = groupOf(machine, node, name);
    if (group === undefined) return fails(noGroup(program, name));
    const wait = lockWait(call, group);
    if (wait !== undefined) return wait;
    const concurrent = options.has('c');
    if (concurrent && !group.enhancedConcurrent) return fails(notConcurrentCapable);
    const now = node.varied.get(group.id);
    const passive = concurrent && options.has('P');
    if (passive && group.volumes.some((volume) => isOpenOn(node, volume))) return fails(openVolumesInGroup);
    // A group in use elsewhere in non-concurrent mode has its disks reserved there.
    const reserved = [...machine.nodes.values()].some((other) => {
      const theirs = other === node ? undefined : other.varied.get(group.id);
      return theirs === 'active' || (theirs !== undefined && !concurrent);
    });
    // A majority is needed even where quorum checking is off; then every disk is, too.
    const whole = group.quorum || group.disks.every(({ failed }) => !failed);
    if (reserved || ((!hasMajority(group) || !whole) && !options.has('f'))) return fails(noQuorum);
    const odm = node.odm.get(name);
    if (!concurrent && now === undefined && odm !== undefined && !knows(odm, group)) {
      const text = `Volume group ${name} in the Device Configuration Database does not\n        match the volume group descriptor area; use importvg -L.`;
      return fails(unable('0516-1362', program, text));
    }
    node.odm.set(name, learn(group));
    node.varied.set(group.id, passive ? 'passive' : concurrent ? 'concurrent' : 'active');
    if (!passive && !options.has('n')) resyncInBackground(machine, node, group, group.volumes);
    return prints('');
  },
};

/** `varyoffvg`. */
export const varyoffvg: Command = {
  options: 's',
  run({ machine, node, operands, program }): Answer {
    const [name = ''] = operands;
    const group = groupOf(machine, node, name);
    if (group === undefined) return fails(noGroup(program, name));
    if (!node.varied.has(group.id)) return fails(variedOff);
    if (group.volumes.some((volume) => isOpenOn(node, volume))) {
      return fails(`${openVolumesInGroup}${unable('0516-942', program, `Unable to vary off volume group ${name}.`)}`);
    }
    node.varied.delete(group.id);
    return prints('');
  },
};
