import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from './disks.ts';
import { bytesOf } from './logical-volumes.ts';
import type { NodeState } from './machine.ts';
import { type LogicalVolume, learn, type VolumeGroup } from './volume-groups.ts';

const volumes: readonly (readonly [name: string, type: string, partitions: number, mountPoint: string])[] = [
  ['hd5', 'boot', 1, ''],
  ['hd6', 'paging', 8, ''],
  ['hd8', 'jfs2log', 1, ''],
  ['hd4', 'jfs2', 4, '/'],
  ['hd2', 'jfs2', 16, '/usr'],
  ['hd9var', 'jfs2', 8, '/var'],
  ['hd3', 'jfs2', 8, '/tmp'],
  ['hd1', 'jfs2', 1, '/home'],
  ['hd10opt', 'jfs2', 4, '/opt'],
];

/** Bytes of a partition of rootvg. Nothing is ever written there: its files are files of this machine. */
const partitionBytes = 32 << 20;

/** Size of the disk of rootvg. */
export const rootDiskBytes = 80 * partitionBytes;

/** A node's own group, varied on, with its file systems mounted and its stanzas in place. */
export function makeRootGroup(node: NodeState, disk: Disk, id: string, now: Date): VolumeGroup {
  let next = 1;
  const made = volumes.map(
    ([name, type, partitions, mountPoint], i): LogicalVolume => ({
      name,
      minor: i + 1,
      type,
      label: type === 'boot' ? 'primary_bootlv' : mountPoint,
      fileSystem: '',
      map: Array.from({ length: partitions }, () => [{ disk, number: next++, stale: false, split: false }]),
      maxPartitions: 512,
      upperBound: 32,
      strict: 'y',
      encrypted: false,
      pools: new Map(),
      created: now,
      modified: now,
      snapshots: [],
    }),
  );
  const group: VolumeGroup = {
    name: 'rootvg',
    id,
    partitionBytes,
    kind: 'normal',
    enhancedConcurrent: false,
    autoOn: true,
    quorum: true,
    disks: [disk],
    pools: new Map(),
    poolsStrict: false,
    volumes: made,
    nextMinor: made.length + 1,
    stamp: 1,
    locked: false,
  };
  node.odm.set(group.name, learn(group));
  node.varied.set(group.id, 'active');
  for (const volume of made) {
    if (volume.type === 'paging') node.opened.push(volume);
    if (volume.type !== 'jfs2') continue;
    mkdirSync(join(node.root, volume.label), { recursive: true });
    node.mounts.push({
      group,
      volume,
      bytes: bytesOf(group, volume),
      mountPoint: volume.label,
      vfs: 'jfs2',
      readOnly: false,
      options: 'rw,log=/dev/hd8',
      since: now,
      native: true,
      covered: undefined,
      flushed: new Map(),
      freeze: undefined,
    });
  }
  for (const name of ['dev', 'etc', 'mnt']) mkdirSync(join(node.root, name), { recursive: true });
  writeFileSync(join(node.root, 'etc/filesystems'), printFilesystems(made));
  return group;
}

function printFilesystems(made: readonly LogicalVolume[]): string {
  const stanzas = made.flatMap((volume) => {
    if (volume.type !== 'jfs2') return [];
    const rows = [
      ['dev', `/dev/${volume.name}`],
      ['vfs', 'jfs2'],
      ['log', '/dev/hd8'],
      ['mount', 'automatic'],
      ['check', 'false'],
      ['free', volume.label === '/' ? 'true' : 'false'],
    ];
    return [`${volume.label}:\n${rows.map(([key, value]) => `\t${key?.padEnd(15)} = ${value}\n`).join('')}`];
  });
  return `* File systems of this node. Lines that start with an asterisk are comments.\n\n${stanzas.join('\n')}`;
}
