import { mkdirSync } from 'node:fs';
import { type Answer, fails, prints } from '../command.ts';
import { type Call, type Command, knownGroup, type Refusal, refuse, writableGroup } from './commands.ts';
import { controlText, stanzaOf } from './control-blocks.ts';
import type { Disk } from './disks.ts';
import { changed, isOpen, type NodeState, realPath } from './machine.ts';
import { nameTaken, noGroup, openVolumesInGroup } from './messages.ts';
import { isTaken, nextName } from './names.ts';
import { resyncInBackground } from './split-copies.ts';
import { truthNow } from './truth.ts';
import { copyCount, type LogicalVolume, learn, type VolumeGroup } from './volume-groups.ts';

/** `splitvg`: the disks of one copy leave the group and become a snapshot group. */
export const splitvg: Command = {
  since: '5.2',
  newer: { k: '7.3', p: '7.3' },
  options: 'y:c:fikp:',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [name = ''] = operands;
    const known = knownGroup(call, name, noGroup(program, name));
    if ('refusal' in known) return known.refusal;
    const { group } = known;
    const refused = writableGroup(call, group) ?? whyNot(call, group);
    if (refused !== undefined) return refused.refusal;
    const pool = options.value('p');
    const copy = pool === undefined ? Number(options.value('c') ?? 2) : copyInPool(group, pool);
    const chosen = disksOfCopy(call, group, copy);
    if ('refusal' in chosen) return chosen.refusal;
    const snapshotName = options.value('y') ?? nextName('vg', (candidate) => node.odm.has(candidate));
    if (node.odm.has(snapshotName)) return fails(nameTaken);
    const taken = group.volumes.map(({ name: of }) => splitName(of)).find((made) => isTaken(call, made));
    if (taken !== undefined) return fails(`${program}: The name ${taken} is already used.\n`);

    for (const volume of group.volumes) machine.truth(splitName(volume.name), truthNow(machine, group, volume));
    const independent = options.has('i');
    const snapshot: VolumeGroup = {
      ...group,
      name: snapshotName,
      id: `${group.id.slice(0, 16)}${(0x20000 + machine.serial++).toString(16).padStart(16, '0')}`,
      autoOn: false,
      disks: chosen.disks,
      pools: new Map(),
      suspended: undefined,
      volumes: group.volumes.map((volume) => splitVolume(call, volume, copy, independent)),
      stamp: 1,
      primaryGroup: independent ? undefined : group,
      snapshotGroup: undefined,
    };
    for (const disk of chosen.disks) group.disks.splice(group.disks.indexOf(disk), 1);
    if (independent) for (const volume of group.volumes) for (const row of volume.map) row.splice(copy - 1, 1);
    else group.snapshotGroup = snapshot;
    machine.groups.push(snapshot);
    changed(machine, group);
    // Killed on the way: the disks have moved, and the ODM may or may not have the new group.
    const reached = machine.interruptions.get(program);
    machine.interruptions.delete(program);
    if (reached === 0) snapshot.unfinishedOn = node.name;
    else node.odm.set(snapshotName, learn(snapshot));
    if (reached !== undefined) return { kind: 'exit', code: 137 };
    // Concurrent capable groups are left for the operator to vary on.
    if (!group.enhancedConcurrent) node.varied.set(snapshot.id, 'active');
    for (const volume of snapshot.volumes) addStanza(node, volume);
    return prints(`${snapshotName}\n`);
  },
};

/** The copy that lies wholly in a pool; 0 when there is none. */
function copyInPool(group: VolumeGroup, pool: string): number {
  const inPool = (copy: number) =>
    group.volumes.every(({ map }) =>
      map.every((row) => row.some((part, i) => i === copy - 1 && group.pools.get(part.disk) === pool)),
    );
  return [1, 2, 3].find(inPool) ?? 0;
}

function whyNot({ machine, node, options, program }: Call, group: VolumeGroup): Refusal | undefined {
  const says = (text: string) => refuse(`${program}: ${text}\n`);
  if (group.snapshotGroup !== undefined || group.primaryGroup !== undefined) {
    return says(`The volume group ${group.name} is in a snapshot relation already.`);
  }
  if (group.name === 'rootvg') return says('rootvg cannot be split.');
  // Documented only for concurrent capable groups that are varied on in non-concurrent mode, and not at all in 5.2.
  const concurrent = node.varied.get(group.id) !== 'active' || machine.level.startsWith('5.2');
  if (group.enhancedConcurrent && concurrent) {
    return says(`The volume group ${group.name} is varied on in concurrent mode.`);
  }
  if (group.volumes.some(({ type }) => type === 'paging')) return says(`${group.name} has paging space.`);
  if (group.volumes.some(({ splitMark }) => splitMark !== undefined)) return says(`${group.name} has a split copy.`);
  const stale = group.volumes.some(({ map }) => map.flat().some((partition) => partition.stale));
  if (stale && !options.has('f')) return says(`${group.name} has stale partitions.`);
  return undefined;
}

/** Disks that hold this copy of every volume, and nothing else. */
function disksOfCopy({ program }: Call, group: VolumeGroup, copy: number): Refusal | { readonly disks: Disk[] } {
  const says = (text: string) => refuse(`${program}: ${text}\n`);
  const lacking = group.volumes.find(({ map }) => map.some((row) => row[copy - 1] === undefined));
  if (group.volumes.length === 0) return says(`${group.name} has no logical volumes.`);
  if (lacking !== undefined) return says(`${lacking.name} has no copy ${copy}.`);
  const bare = group.volumes.find(({ map }) => map.some((row) => row.every((part, i) => i === copy - 1 || part.stale)));
  if (bare !== undefined) return says(`${bare.name} would have no good copy left.`);
  const inside = group.volumes.flatMap(({ map }) => map.flatMap((row) => row[copy - 1]?.disk ?? []));
  const others = group.volumes.flatMap(({ map }) => map.flatMap((row) => row.toSpliced(copy - 1, 1)));
  const disks = [...new Set(inside)];
  const mixed = disks.find((disk) => others.some((partition) => partition.disk === disk));
  if (mixed !== undefined) return says(`${mixed.name} holds other copies too.`);
  if (disks.some(({ failed }) => failed)) return says('Not all physical volumes of the copy are active.');
  return { disks };
}

function splitName(name: string): string {
  return `fs${name}`.slice(0, 15);
}

function splitVolume({ machine }: Call, volume: LogicalVolume, copy: number, independent: boolean): LogicalVolume {
  const label = volume.label.startsWith('/') ? `/fs${volume.label}` : volume.label;
  for (const row of volume.map) {
    const partition = row[copy - 1];
    if (partition !== undefined && !independent) partition.split = true;
  }
  const made: LogicalVolume = {
    ...volume,
    name: splitName(volume.name),
    label,
    map: volume.map.map((row) => row.slice(copy - 1, copy)),
    created: machine.now(),
    modified: machine.now(),
    snapshots: [],
  };
  return independent ? made : { ...made, parent: volume, readOnly: false };
}

function addStanza(node: NodeState, volume: LogicalVolume): void {
  const stanza = stanzaOf(volume);
  if (stanza === undefined) return;
  const attributes = new Map(stanza.attributes).set('mount', 'false');
  const log = attributes.get('log');
  if (log?.startsWith('/dev/')) attributes.set('log', `/dev/${splitName(log.slice(5))}`);
  volume.fileSystem = controlText({ name: stanza.name, attributes });
  node.stanzas.put({ name: stanza.name, attributes });
  mkdirSync(realPath(node, stanza.name), { recursive: true });
}

/** `joinvg`: the snapshot group goes, its disks come back, and the resync goes on after the command has ended. */
export const joinvg: Command = {
  since: '5.2',
  options: 'f',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [name = ''] = operands;
    const known = knownGroup(call, name, noGroup(program, name));
    if ('refusal' in known) return known.refusal;
    const { group } = known;
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    const snapshot = group.snapshotGroup;
    if (snapshot === undefined) return fails(`${program}: The volume group ${name} has no snapshot volume group.\n`);
    if (snapshot.volumes.some((volume) => isOpen(machine, volume))) return fails(openVolumesInGroup);
    // A node that took the group over has never heard of the other one, until someone imports it. What splitvg itself left
    // undone on this node is taken back here (facts 3.5).
    if (snapshot.unfinishedOn !== node.name && ![...node.odm.values()].some(({ id }) => id === snapshot.id)) {
      return fails(noGroup(program, snapshot.name));
    }
    const elsewhere = [...machine.nodes.values()].some((other) => other !== node && other.varied.has(snapshot.id));
    if (elsewhere) return fails(`${program}: ${snapshot.name} is in use on another node.\n`);
    const missing = snapshot.disks.filter(({ failed }) => failed);
    if (missing.length > 0 && !options.has('f'))
      return fails(`${program}: Not all disks of ${snapshot.name} are there.\n`);
    for (const volume of group.volumes) {
      for (const row of volume.map) {
        const kept = row.filter(({ split, disk }) => !split || !missing.includes(disk));
        row.splice(0, row.length, ...kept);
        for (const partition of row) partition.split = false;
      }
    }
    group.disks.push(...snapshot.disks.filter((disk) => !missing.includes(disk)));
    group.snapshotGroup = undefined;
    machine.groups.splice(machine.groups.indexOf(snapshot), 1);
    for (const other of machine.nodes.values()) other.varied.delete(snapshot.id);
    // A node that is not here keeps the snapshot group in its ODM until someone exports it.
    for (const [entry, odm] of node.odm) if (odm.id === snapshot.id) node.odm.delete(entry);
    for (const volume of snapshot.volumes) {
      const stanza = node.stanzas.ofDevice(`/dev/${volume.name}`);
      if (stanza !== undefined) node.stanzas.remove(stanza.name);
    }
    changed(machine, group);
    resyncInBackground(
      machine,
      node,
      group,
      group.volumes.filter((volume) => copyCount(volume) > 1),
    );
    return prints('');
  },
};
