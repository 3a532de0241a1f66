import { bytesOf } from './logical-volumes.ts';
import type { Stanza } from './stanzas.ts';
import { copyCount, type LogicalVolume, type VolumeGroup } from './volume-groups.ts';

/** Attributes of a stanza that travel in the control block of the volume. */
const carried = ['vfs', 'log', 'mount', 'check', 'options', 'account', 'type', 'quota', 'free'];
const tag = 'AIX LVCB';

/** The text of a control block's `fs` row for a stanza. */
export function controlText({ attributes }: Stanza): string {
  return carried.flatMap((key) => (attributes.has(key) ? [`${key}=${attributes.get(key)}`] : [])).join(':');
}

/** The stanza that label and control block describe; undefined for a volume without file system. */
export function stanzaOf(volume: LogicalVolume): Stanza | undefined {
  if (!volume.label.startsWith('/') || volume.fileSystem === '') return undefined;
  const attributes = new Map([['dev', `/dev/${volume.name}`]]);
  for (const pair of volume.fileSystem.split(':')) {
    const at = pair.indexOf('=');
    if (at > 0) attributes.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return { name: volume.label, attributes };
}

/** Bytes at the start of each volume that belong to LVM: scalable groups keep the control blocks in the VGDA. */
export function controlBlockBytes(group: VolumeGroup): number {
  return group.kind === 'scalable' ? 0 : 512;
}

/** Whether the volume still has its control block; a program that uses the first block has overwritten it. */
export function hasControlBlock(group: VolumeGroup, volume: LogicalVolume): boolean {
  if (controlBlockBytes(group) === 0 || group.name === 'rootvg') return true;
  return bytesOf(group, volume).read(0, tag.length).toString('latin1') === tag;
}

/** Writes the control block into the first block of the volume, whatever is there. */
export function writeControlBlock(group: VolumeGroup, volume: LogicalVolume): void {
  const block = Buffer.alloc(controlBlockBytes(group));
  if (block.length === 0 || volume.parent !== undefined) return;
  block.write([tag, volume.name, volume.type, copyCount(volume), volume.label, volume.fileSystem].join('\0'), 'latin1');
  bytesOf(group, volume).write(0, block);
}
