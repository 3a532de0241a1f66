import { type Answer, fails, prints } from '../command.ts';
import { type Command, knownGroup, type Refusal, refuse, writableGroup } from './commands.ts';
import type { Disk } from './disks.ts';
import { diskOf, groupOfDisk } from './machine.ts';
import { diskInNoGroup, noDisk, noGroup, usage, variedOff } from './messages.ts';
import type { Options } from './options.ts';
import type { VolumeGroup } from './volume-groups.ts';

/** Pools of `-p copy1=Chicago -p copy2=London`, by copy from 1. */
export function readPools(options: Options): ReadonlyMap<number, string> {
  const pairs = options.values('p').flatMap((words) => words.split(','));
  return new Map(
    pairs.flatMap((pair) => {
      const [, copy, pool] = /^copy([123])=(.+)$/.exec(pair) ?? [];
      return copy === undefined || pool === undefined ? [] : [[Number(copy), pool] as const];
    }),
  );
}

/** Of these disks, those in a pool; all of them when no pool is asked for. */
export function disksInPool(
  group: VolumeGroup,
  disks: readonly Disk[],
  pool: string | undefined,
): Refusal | { readonly disks: readonly Disk[] } {
  if (pool === undefined) return { disks };
  const inside = disks.filter((disk) => group.pools.get(disk) === pool);
  return inside.length === 0 ? refuse(`There is no mirror pool ${pool} in ${group.name}.\n`) : { disks: inside };
}

/** `chpv`: `-p` puts disks into a mirror pool, `-P` takes them out. */
export const chpv: Command = {
  newer: { p: '6.1', P: '6.1' },
  options: 'a:v:h:p:PCm:',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    if (operands.length === 0) return fails(usage(program));
    for (const name of operands) {
      const disk = diskOf(machine, node, name);
      if (disk === undefined) return fails(noDisk(name));
      const group = groupOfDisk(machine, disk);
      if (group === undefined) return fails(diskInNoGroup(program, name));
      const refused = writableGroup(call, group);
      if (refused !== undefined) return refused.refusal;
      const pool = options.value('p');
      if (pool !== undefined) group.pools.set(disk, pool);
      if (options.has('P')) group.pools.delete(disk);
    }
    return prints('');
  },
};

/** `lsmp`: the mirror pools of a group. */
export const lsmp: Command = {
  since: '6.1',
  options: 'ALcm:n:',
  run(call): Answer {
    const [name = ''] = call.operands;
    const known = knownGroup(call, name, noGroup(call.program, name));
    if ('refusal' in known) return known.refusal;
    const { group } = known;
    if (!call.node.varied.has(group.id)) return fails(variedOff);
    const strict = group.poolsStrict ? 'yes' : 'no';
    const head = `VOLUME GROUP:       ${name.padEnd(20)}Mirror Pool Super Strict: ${strict}\n\n`;
    const rows = [...new Set(group.pools.values())]
      .sort()
      .map((pool) => `MIRROR POOL:        ${pool.padEnd(20)}Mirroring Mode:           SYNC\n`);
    return prints(head + rows.join(''));
  },
};
