import { join } from 'node:path';
import { hasControlBlock, writeControlBlock } from './control-blocks.ts';
import type { Disk } from './disks.ts';
import type { Mount } from './mounts.ts';
import type { StanzaFile } from './stanzas.ts';
import type { Truth } from './truth.ts';
import type { LogicalVolume, OdmGroup, Varied, VolumeGroup } from './volume-groups.ts';
import { learn } from './volume-groups.ts';

/** Time as the lab sees it. */
export interface Timers {
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** What one node keeps for itself. */
export interface NodeState {
  readonly name: string;
  /** Directory of this machine that is the node's `/`. */
  readonly root: string;
  readonly stanzas: StanzaFile;
  /** Groups of its ODM by name. */
  readonly odm: Map<string, OdmGroup>;
  /** Groups that are varied on, by identifier. */
  readonly varied: Map<string, Varied>;
  readonly mounts: Mount[];
  /** Volumes that a program holds open besides mounts. */
  readonly opened: LogicalVolume[];
  /** Grows with each crash, so that what was under way notices. */
  boots: number;
}

/** All storage of the lab: what the command handlers work on. */
export interface Machine {
  readonly directory: string;
  /** AIX level such as `7.2`. */
  readonly level: string;
  readonly disks: Disk[];
  readonly groups: VolumeGroup[];
  readonly nodes: ReadonlyMap<string, NodeState>;
  readonly now: () => Date;
  readonly timers: Timers;
  /** Logical partitions that `syncvg` copies in a second, for each one that runs in parallel. */
  readonly resyncPerSecond: number;
  /** Programs of this machine may work in the nodes' directories. */
  readonly programs: boolean;
  /** Grows with each object made, for identifiers that never repeat. */
  serial: number;
  /** Commands that are to stop after so many logical partitions when they run next, by program. */
  readonly interruptions: Map<string, number>;
  /** Records what a split copy has to hold. */
  readonly truth: (copy: string, held: Truth) => void;
}

/** The node of an invocation. */
export function nodeOf(machine: Machine, name: string): NodeState {
  const node = machine.nodes.get(name);
  if (node === undefined) throw new RangeError(`no node ${name} in this lab`);
  return node;
}

/** A disk by the name that the node has for it. */
export function diskOf(machine: Machine, node: NodeState, name: string): Disk | undefined {
  return machine.disks.find((disk) => disk.name === name && disk.nodes.includes(node.name));
}

/** The group that a disk belongs to. */
export function groupOfDisk(machine: Machine, disk: Disk): VolumeGroup | undefined {
  return machine.groups.find((group) => group.disks.includes(disk));
}

/** A group that the node's ODM knows by this name. */
export function groupOf(machine: Machine, node: NodeState, name: string): VolumeGroup | undefined {
  const odm = node.odm.get(name);
  return odm === undefined ? undefined : machine.groups.find(({ id }) => id === odm.id);
}

/** A volume as a command finds it: in the ODM, and in the VGDA of its group. */
export interface FoundVolume {
  readonly group: VolumeGroup;
  readonly volume: LogicalVolume;
  /** How the group is varied on here; undefined when it is off. */
  readonly varied: Varied | undefined;
}

/** A volume that the node's ODM knows. */
export function volumeOf(machine: Machine, node: NodeState, name: string): FoundVolume | undefined {
  for (const odm of node.odm.values()) {
    if (!odm.volumes.some((volume) => volume.name === name)) continue;
    const group = machine.groups.find(({ id }) => id === odm.id);
    const volume = group?.volumes.find((candidate) => candidate.name === name);
    if (group !== undefined && volume !== undefined) return { group, volume, varied: node.varied.get(group.id) };
  }
  return undefined;
}

/** Whether some node has the volume mounted or open. */
export function isOpen(machine: Machine, volume: LogicalVolume): boolean {
  return [...machine.nodes.values()].some((node) => isOpenOn(node, volume));
}

/** Whether this node has the volume mounted or open. */
export function isOpenOn(node: NodeState, volume: LogicalVolume): boolean {
  if (node.opened.includes(volume)) return true;
  const log = `log=/dev/${volume.name}`;
  return node.mounts.some((mount) => mount.volume === volume || mount.options.split(',').includes(log));
}

/**
 * After a change of the VGDA: its stamp grows, and the nodes that have the group varied on learn of it at once.
 *
 * @param volume The volume that changed; its control block follows, unless a program has overwritten it.
 */
export function changed(machine: Machine, group: VolumeGroup, volume?: LogicalVolume): void {
  group.stamp++;
  if (volume !== undefined) {
    volume.modified = machine.now();
    if (group.name !== 'rootvg' && hasControlBlock(group, volume)) writeControlBlock(group, volume);
  }
  for (const node of machine.nodes.values()) {
    if (node.varied.has(group.id)) node.odm.set(group.name, learn(group));
  }
}

/** Path of this machine for an AIX path of the node. */
export function realPath(node: NodeState, path: string): string {
  return join(node.root, path);
}
