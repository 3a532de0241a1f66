import { type Answer, fails, prints } from '../command.ts';
import { type Command, writableGroup } from './commands.ts';
import { changed, diskOf, groupOf, groupOfDisk } from './machine.ts';
import { nameTaken, noDisk, noGroup, unable, usage } from './messages.ts';
import { nextName } from './names.ts';
import { learn, limits, partitionsOf, type VolumeGroup } from './volume-groups.ts';

/** `mkvg`: a new group on free disks. A concurrent capable one must be varied on by hand. */
export const mkvg: Command = {
  newer: { p: '6.1', M: '6.1' },
  options: 'y:s:SBCInfV:t:QM:p:P:v:',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const cannot = (reason: string) =>
      fails(`${reason}${unable('0516-862', program, 'Unable to create volume group.')}`);
    const disks = operands.map((name) => ({ name, disk: diskOf(machine, node, name) }));
    const missing = disks.find(({ disk }) => disk === undefined);
    if (disks.length === 0) return fails(usage(program));
    if (missing !== undefined) return cannot(noDisk(missing.name));
    const name = options.value('y') ?? nextName('vg', (candidate) => node.odm.has(candidate));
    if (node.odm.has(name)) return cannot(nameTaken);
    const found = disks.flatMap(({ disk }) => (disk === undefined ? [] : [disk]));
    const used = found.find((disk) => groupOfDisk(machine, disk) !== undefined);
    if (used !== undefined) {
      return cannot(
        unable('0516-1397', program, `The physical volume ${used.name}, will not be added to\nthe volume group.`),
      );
    }
    const group: VolumeGroup = {
      name,
      id: `00f6000000004c00${(0x10000 + machine.serial++).toString(16).padStart(16, '0')}`,
      partitionBytes: Number(options.value('s') ?? 1) << 20,
      kind: options.has('S') || options.has('C') ? 'scalable' : options.has('B') ? 'big' : 'normal',
      enhancedConcurrent: options.has('C'),
      autoOn: !options.has('n') && !options.has('C'),
      quorum: true,
      disks: found,
      pools: new Map(found.flatMap((disk) => (options.has('p') ? [[disk, options.value('p') ?? ''] as const] : []))),
      poolsStrict: options.value('M') === 's',
      volumes: [],
      nextMinor: 1,
      stamp: 1,
      locked: false,
    };
    if (found.length > limits(group).disks) return cannot('');
    if (found.some((disk) => partitionsOf(group, disk) < 1)) return cannot('');
    machine.groups.push(group);
    node.odm.set(name, learn(group));
    if (!options.has('C')) node.varied.set(group.id, 'active');
    const manual = options.has('C') ? 'mkvg: This concurrent capable volume group must be varied on manually.\n' : '';
    return prints(`${name}\n${manual}`);
  },
};

/** `chvg`: `-a` auto varyon, `-Q` quorum, `-u` unlock, `-C` concurrent capable, `-S` and `-R` suspend and resume I/O. */
export const chvg: Command = {
  options: 'a:Q:us:M:CGBRSL:t:P:h:r:n:',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [name = ''] = operands;
    const group = groupOf(machine, node, name);
    if (group === undefined) return fails(noGroup(program, name));
    if (options.has('u')) {
      group.locked = false;
      return prints('');
    }
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    const inRelation = group.snapshotGroup !== undefined || group.primaryGroup !== undefined;
    if (inRelation && ['Q', 's', 'M', 'C', 'G', 'B', 't'].some((letter) => options.has(letter))) {
      return fails(`${program}: The volume group ${name} is in a snapshot relation.\n`);
    }
    if (options.has('S')) group.suspended ??= [];
    if (options.has('R')) resume(group);
    if (options.has('M')) group.poolsStrict = options.value('M') === 's';
    const auto = options.value('a');
    if (auto !== undefined) group.autoOn = auto === 'y';
    if (options.has('C')) group.enhancedConcurrent = true;
    const quorum = options.value('Q');
    changed(machine, group);
    if (quorum === undefined) return prints('');
    group.quorum = quorum === 'y';
    return prints('0516-1804 chvg: The quorum change takes effect immediately.\n');
  },
};

/** Lets everybody go on who waits for a suspended group. */
export function resume(group: VolumeGroup): void {
  const waiting = group.suspended ?? [];
  group.suspended = undefined;
  for (const go of waiting) go();
}
