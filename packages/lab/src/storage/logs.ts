import { bytesOf } from './logical-volumes.ts';
import type { LogicalVolume, VolumeGroup } from './volume-groups.ts';

const tag = 'LABLOG';
/** Behind the control block of the volume. */
const at = 4096;

/** What `logform` makes of a log volume. The lab's file systems keep nothing in it: only whether there is a log counts. */
export function formatLog(group: VolumeGroup, volume: LogicalVolume): void {
  bytesOf(group, volume).write(at, Buffer.from(tag));
}

/** Whether the volume is a log that a file system can be mounted with. */
export function isFormattedLog(group: VolumeGroup, volume: LogicalVolume): boolean {
  if (!/^jfs2?log$/.test(volume.type)) return false;
  return group.name === 'rootvg' || bytesOf(group, volume).read(at, tag.length).toString('latin1') === tag;
}
