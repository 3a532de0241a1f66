import { type Answer, fails, prints } from '../command.ts';
import {
  atLeast,
  type Call,
  type Command,
  confirmed,
  knownGroup,
  type Refusal,
  textOf,
  writableGroup,
  writableVolume,
} from './commands.ts';
import { hasControlBlock, writeControlBlock } from './control-blocks.ts';
import { inRelation } from './copies.ts';
import { reclaim } from './logical-volumes.ts';
import { changed, isOpen } from './machine.ts';
import { mustBeClosed, nameTaken, noGroup, notInOdm, unable, usage } from './messages.ts';
import { disksInPool, readPools } from './mirror-pools.ts';
import { isTaken, isVolumeName, nextName } from './names.ts';
import { readOptions } from './options.ts';
import { namedDisks, placeCopy, strictness } from './placement.ts';
import { resyncInBackground, unsplit } from './split-copies.ts';
import { type LogicalVolume, limits, type Partition, type VolumeGroup } from './volume-groups.ts';

/** `mklv`: a new volume, on named disks or exactly on the partitions of a map file. */
export const mklv: Command = {
  newer: { k: '7.2' },
  options: 'a:b:c:C:d:e:G:i:k:L:m:M:n:o:O:P:p:r:s:S:t:T:u:U:v:w:x:y:Y:',
  run(call): Answer {
    const { machine, options, operands, program } = call;
    const [groupName = '', count = '', ...diskNames] = operands;
    const known = knownGroup(call, groupName, noGroup(program, groupName));
    if ('refusal' in known) return known.refusal;
    const { group } = known;
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    const cannot = (reason: string) =>
      fails(`${reason}${unable('0516-822', program, 'Unable to create logical volume.')}`);
    const name = options.value('y') ?? nextName('lv', (candidate) => isTaken(call, candidate));
    if (!isVolumeName(name) || isTaken(call, name)) return cannot(nameTaken);
    if (group.volumes.length >= limits(group).volumes) return cannot('');
    const rows = Number(count);
    const copies = Number(options.value('c') ?? 1);
    const most = Number(options.value('x') ?? 512);
    if (rows > most) return cannot(`${program}: ${rows} logical partitions are more than the maximum of ${most}.\n`);
    if (!(rows >= 1) || !(copies >= 1 && copies <= 3)) return fails(usage(program));
    const named = namedDisks(group, diskNames);
    if ('refusal' in named) return named.refusal;
    const strict = strictness(options.value('s'));
    const pools = readPools(options);
    const map: Partition[][] = Array.from({ length: rows }, () => []);
    for (let copy = 0; copy < copies; copy++) {
      const inside = disksInPool(group, named.disks, pools.get(copy + 1));
      if ('refusal' in inside) return cannot(textOf(inside));
      const found = placeCopy(call, group, map, { disks: inside.disks, strict, copy });
      if ('refusal' in found) return cannot(textOf(found));
      found.partitions.forEach((partition, row) => {
        map[row]?.push(partition);
      });
    }
    const volume: LogicalVolume = {
      name,
      minor: group.nextMinor++,
      type: options.value('t') ?? 'jfs',
      label: options.value('L') ?? '',
      fileSystem: '',
      map,
      maxPartitions: most,
      upperBound: Number(options.value('u') ?? limits(group).disks),
      strict,
      encrypted: options.value('k') === 'y',
      pools: new Map(pools),
      created: machine.now(),
      modified: machine.now(),
      snapshots: [],
    };
    group.volumes.push(volume);
    writeControlBlock(group, volume);
    changed(machine, group, volume);
    return prints(`${name}\n`);
  },
};

/** Makes a volume as `mklv` does, as large as it has to be. */
export async function makeVolume(
  call: Call,
  group: VolumeGroup,
  name: string,
  type: string,
  rows: number,
): Promise<Refusal | { readonly group: VolumeGroup; readonly volume: LogicalVolume }> {
  const options = readOptions(
    ['-y', name, '-t', type, '-x', String(Math.max(512, rows)), group.name, String(rows)],
    mklv.options,
  );
  if ('fault' in options) return { refusal: fails(usage('mklv')) };
  const answer = await mklv.run({ ...call, options, operands: options.operands });
  const volume = group.volumes.find((candidate) => candidate.name === name);
  return volume === undefined ? { refusal: answer } : { group, volume };
}

/** `chlv`: label, type, name, largest size. */
export const chlv: Command = {
  options: 'a:b:d:e:L:m:M:n:o:p:r:s:S:t:T:u:U:v:w:x:',
  run(call): Answer {
    const { machine, options, operands, program } = call;
    const [name = ''] = operands;
    const found = writableVolume(call, name, notInOdm(program, name));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    const cannot = (reason: string) =>
      fails(`${reason}${unable('0516-704', program, `Unable to change logical volume ${name}.`)}`);
    const rename = options.value('n');
    if (rename !== undefined) {
      if (isOpen(machine, volume)) return cannot(mustBeClosed(program, name));
      if (!isVolumeName(rename) || isTaken(call, rename)) return cannot(nameTaken);
      volume.name = rename;
    }
    const label = options.value('L');
    if (label !== undefined) {
      const twin = group.volumes.find((other) => other !== volume && other.label === label);
      if (twin !== undefined) return cannot(unable('0516-1339', program, `label ${label} is in use by ${twin.name}.`));
      volume.label = label;
    }
    volume.type = options.value('t') ?? volume.type;
    volume.maxPartitions = Number(options.value('x') ?? volume.maxPartitions);
    changed(machine, group, volume);
    const lost = '0516-622 chlv: Warning, cannot write lv control block data.\n';
    return { kind: 'exit', code: 0, stdout: '', stderr: hasControlBlock(group, volume) ? '' : lost };
  },
};

/** `rmlv`: removes closed volumes; asks without `-f`. */
export const rmlv: Command = {
  newer: { w: '7.3' },
  options: 'Bfp:w',
  async run(call): Promise<Answer> {
    const { machine, node, options, operands, program } = call;
    let stdout = '';
    for (const name of operands) {
      const found = writableVolume(call, name, notInOdm(program, name));
      if ('refusal' in found) return found.refusal;
      const { group, volume } = found;
      if (isOpen(machine, volume)) return { kind: 'exit', code: 1, stdout, stderr: mustBeClosed(program, name) };
      const parent = options.has('B') ? volume.parent : undefined;
      const relation = parent === undefined ? inRelation(group, volume) : undefined;
      if (relation !== undefined) return { kind: 'exit', code: 1, stdout, stderr: `${program}: ${relation}\n` };
      if (!options.has('f')) {
        stdout += `Warning, all data contained on logical volume ${name} will be destroyed.\nrmlv: Do you wish to continue? y(es) n(o)? `;
        if (!(await confirmed(call))) return { kind: 'exit', code: 1, stdout };
      }
      if (parent === undefined) removeVolume(call, group, volume);
      else {
        unsplit(machine, group, parent);
        resyncInBackground(machine, node, group, [parent]);
      }
      stdout += `rmlv: Logical volume ${name} is removed.\n`;
    }
    return operands.length === 0 ? fails(usage(program)) : prints(stdout);
  },
};

/** Takes a volume out of its group. The bytes stay where they are until someone else writes there. */
export function removeVolume(call: Call, group: VolumeGroup, volume: LogicalVolume): void {
  for (const { snapshots } of group.volumes) {
    const lost = snapshots.findIndex((snapshot) => snapshot.volume === volume);
    if (lost >= 0) snapshots.splice(lost, 1);
  }
  group.volumes.splice(group.volumes.indexOf(volume), 1);
  if (atLeast(call.machine.level, '7.2')) reclaim(group, volume.map.flat());
  changed(call.machine, group);
}
