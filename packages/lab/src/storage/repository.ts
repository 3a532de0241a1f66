import type { Machine } from './machine.ts';
import { learn, type VolumeGroup } from './volume-groups.ts';

/** The group of the cluster's repository disk, varied on everywhere. What lies on it is no business of LVM's users. */
export function makeRepository(machine: Machine, name: string, id: string): void {
  const group: VolumeGroup = {
    name: 'caavg_private',
    id,
    partitionBytes: 1 << 20,
    kind: 'scalable',
    enhancedConcurrent: false,
    autoOn: true,
    quorum: true,
    disks: machine.disks.filter((disk) => disk.name === name),
    pools: new Map(),
    poolsStrict: false,
    volumes: [],
    nextMinor: 1,
    stamp: 1,
    locked: false,
  };
  machine.groups.push(group);
  for (const node of machine.nodes.values()) {
    node.odm.set(group.name, learn(group));
    node.varied.set(group.id, 'active');
  }
}
