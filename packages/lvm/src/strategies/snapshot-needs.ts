import { vfsOf } from '../plan/needs.ts';
import type { Need, SnapshotPlace, Subject } from '../plan/strategy.ts';

/** Size of the volume of an external snapshot, in percent of the volume that it is taken of. */
const usualPercent = 20;

export const mountedJfs2: Need = ({ volume }) => {
  const { name, type, fileSystem } = volume;
  if (vfsOf(volume) !== 'jfs2') {
    const remedy = 'Take splitlvcopy or chlvcopy; JFS2 alone has snapshots.';
    return { code: 'NOT_JFS2', message: `${name} holds no JFS2 file system`, seen: vfsOf(volume) ?? type, remedy };
  }
  if (fileSystem?.mounted && !fileSystem.readOnly) return null;
  return {
    code: 'NOT_MOUNTED',
    message: `${fileSystem?.mountPoint ?? name} is not mounted for writing here: only then a snapshot can be taken`,
    seen: fileSystem?.readOnly ? 'mounted read-only' : 'not mounted',
    remedy: 'Back it up as it is: nobody writes to it.',
  };
};

/** `snapshot -d` removes all earlier ones too: with any of another's there is no way back. */
export const noOthers: Need = ({ volume: { name, fileSystem }, snapshots }) => {
  if (fileSystem?.vfs !== 'jfs2' || !fileSystem.mounted) return null;
  if (snapshots === null) {
    return {
      code: 'SNAPSHOTS_UNKNOWN',
      message: `which snapshots ${fileSystem.mountPoint} has cannot be told`,
      seen: name,
      remedy: `Keep the output of "snapshot -q ${fileSystem.mountPoint}" and report it.`,
    };
  }
  const earlier = snapshots.snapshots.map((snapshot) => snapshot.name);
  return earlier.length === 0
    ? null
    : {
        code: 'EARLIER_SNAPSHOTS',
        message: `${fileSystem.mountPoint} has snapshots, which would go with ours: AIX removes all earlier ones too`,
        seen: earlier.join(', '),
        remedy: 'Remove them first, or take splitlvcopy.',
      };
};

/** Room on the disks for what is overwritten meanwhile, or within the file system. */
export const room: Need = (subject) => {
  const { volume, group } = subject;
  if (vfsOf(volume) !== 'jfs2' || placeOf(subject) !== null) return null;
  return {
    code: 'NO_ROOM',
    message: `volume group ${group.name} has no room for a snapshot of ${volume.name}, which was not made for internal ones`,
    seen: `FREE PPs: ${group.group.freePartitions}, needed ${partitionsFor(subject)}`,
    remedy: 'Add a disk, or allow a smaller snapshot in the settings; one that runs full is lost.',
  };
};

/** Each snapshot is a point in time of its own. */
export const oneInstant: Need = ({ asked, suspended }) =>
  asked.length > 1 && !suspended
    ? {
        code: 'NOT_ONE_INSTANT',
        message:
          'snapshots of several file systems are taken one after the other, and nothing brings the application to rest',
        seen: asked.join(', '),
        remedy: 'Give steps that suspend the application, or ask for one file system at a time.',
      }
    : null;

/** An external one where there is room, since then only the snapshot suffers when it runs full, and not the application. */
export function placeOf(subject: Subject): SnapshotPlace | null {
  const { volume, group, asked } = subject;
  const logicalPartitions = partitionsFor(subject);
  // All volumes of the request may be on this group, and as large.
  if (group.group.freePartitions >= logicalPartitions * asked.length) return { kind: 'external', logicalPartitions };
  return volume.fileSystem?.internalSnapshots ? { kind: 'internal' } : null;
}

export function partitionsFor({ volume, settings }: Subject): number {
  return Math.max(1, Math.ceil((volume.logicalPartitions * (settings.snapshotPercent ?? usualPercent)) / 100));
}
