import type { CopyView, VolumeView } from '../picture/picture.ts';
import { systemTypes } from '../picture/picture.ts';
import type { Need } from './strategy.ts';

/** First release whose chfs surely knows `freeze`: 5.3. */
const firstFreeze = 503;

/** Where commands of LVM write while they split (the ODM, their temporary files), and where our own marks lie. */
const neverFrozen = new Set(['/', '/var', '/tmp']);

/** `jfs`, `jfs2`, or `null` for a volume without a file system. */
export function vfsOf({ fileSystem, type }: VolumeView): string | null {
  return fileSystem?.vfs ?? (/^jfs2?$/.test(type) ? type : null);
}

/** It is no volume of the system's own. */
export const ownData: Need = ({ volume: { name, type } }) =>
  systemTypes.has(type)
    ? { code: 'SYSTEM_VOLUME', message: `${name} belongs to the system`, seen: type, remedy: 'Leave it out.' }
    : null;

/** It is not encrypted. */
export function plainText(remedy: string): Need {
  return ({ volume: { name, encrypted } }) =>
    encrypted ? { code: 'ENCRYPTED', message: `${name} is encrypted`, seen: 'ENCRYPTION: yes', remedy } : null;
}

export const mirrored: Need = ({ volume: { name, copies } }) =>
  copies < 2
    ? {
        code: 'ONE_COPY',
        message: `${name} is not mirrored`,
        seen: `COPIES: ${copies}`,
        remedy: 'Mirror it first, or back it up without a split.',
      }
    : null;

/** No partition lags behind. */
export const fresh: Need = ({ volume: { name, copies, stalePartitions } }) =>
  copies > 1 && stalePartitions > 0
    ? {
        code: 'STALE',
        message: `${name} has stale partitions`,
        seen: `STALE PPs: ${stalePartitions}`,
        remedy: `Run "syncvg -l ${name}" first, unless a copy of it is split: that would be overwritten.`,
      }
    : null;

/** Every partition has all its copies. */
export const whole: Need = ({ volume: { name, copies, logicalPartitions, map } }) =>
  copies > 1 && (map.length !== copies || map.some(({ partitions }) => partitions !== logicalPartitions))
    ? {
        code: 'RAGGED',
        message: `not every partition of ${name} has ${copies} copies`,
        seen: describeCopies(map, logicalPartitions),
        remedy: `Run "mklvcopy ${name} ${copies}" and synchronise.`,
      }
    : null;

/** A second fresh copy stays, or the policy does without. */
export const spare: Need = ({ volume: { name, copies }, allowLastCopy }) =>
  copies === 2 && !allowLastCopy
    ? {
        code: 'LAST_COPY',
        message: `${name} would run on one copy while the backup lasts`,
        seen: `COPIES: ${copies}`,
        remedy: 'Allow it in the policy (allowLastCopy), or give the volume a third copy.',
      }
    : null;

/** What every way needs that takes a copy out of a mirror. */
export const mirror: readonly Need[] = [mirrored, fresh, whole, spare];

/** Copies can be taken away and given back. */
export const notStriped: Need = ({ volume: { name, striped } }) =>
  striped
    ? {
        code: 'STRIPED',
        message: `whether copies can be given back to ${name}, which is striped, is not known`,
        seen: 'STRIPE WIDTH',
        remedy:
          'Back it up without a split; a protocol of splitlvcopy and mklvcopy on a striped volume of this level would settle it.',
      }
    : null;

/** Some copy shares no disk with another one: then naming its disks says which copy goes. */
export const ownDisks: Need = ({ volume: { name, copies, logicalPartitions, map } }) =>
  copies > 1 && apart(map).length === 0
    ? {
        code: 'COPIES_SHARE_DISKS',
        message: `no copy of ${name} has its disks for itself`,
        seen: describeCopies(map, logicalPartitions),
        remedy: 'Move the copies to disks of their own; otherwise naming disks does not say which copy goes.',
      }
    : null;

/** Copies that share no disk with another one. */
export function apart(map: readonly CopyView[]): CopyView[] {
  return map.filter(
    (copy) => !map.some((other) => other !== copy && other.disks.some((disk) => copy.disks.includes(disk))),
  );
}

export function describeCopies(map: readonly CopyView[], logicalPartitions: number): string {
  return map
    .map(({ copy, partitions, disks }) => `copy ${copy}: ${partitions} of ${logicalPartitions} on ${disks.join(' ')}`)
    .join('; ');
}

/** It holds no file system. */
export const raw: Need = ({ volume }) =>
  vfsOf(volume) === null
    ? null
    : {
        code: 'HAS_FILE_SYSTEM',
        message: `${volume.name} holds a file system`,
        seen: volume.fileSystem?.mountPoint ?? volume.type,
        remedy: 'chlvcopy is for volumes without one: take splitlvcopy for JFS2, splitcopy for JFS.',
      };

/** A file system whose writers can be held, or that has none; what has no file system is closed or suspended. */
export const atRest: Need = ({ volume, suspended, level }) => {
  const { name, open, fileSystem } = volume;
  if (vfsOf(volume) === null) {
    return open && !suspended
      ? {
          code: 'RAW_VOLUME_IN_USE',
          message: `${name} is open, and nothing brings its application to rest: a volume without a file system cannot be frozen`,
          seen: 'open',
          remedy: 'Give steps that suspend the application, or close the volume.',
        }
      : null;
  }
  if (fileSystem === null) return null; // no stanza and no mount: it cannot have been asked for by mount point
  const { mountPoint, vfs, mounted, readOnly } = fileSystem;
  if (!mounted) {
    return open
      ? {
          code: 'NOT_MOUNTED',
          message: `${mountPoint} is not mounted here, and its volume is open all the same`,
          seen: name,
          remedy: 'Mount it, or end what holds its volume open; see "fuser /dev/LV".',
        }
      : null;
  }
  if (vfs !== 'jfs2') {
    return {
      code: 'NOT_JFS2',
      message: `${mountPoint} is no JFS2 file system: it cannot be frozen, and its log cannot be split with it`,
      seen: vfs,
      remedy: 'Unmount it for the split.',
    };
  }
  if (readOnly) {
    return {
      code: 'MOUNTED_READ_ONLY',
      message: `${mountPoint} is mounted read-only: it cannot be frozen`,
      seen: name,
      remedy: 'Back it up without a split.',
    };
  }
  if (neverFrozen.has(mountPoint)) {
    return {
      code: 'SYSTEM_FILE_SYSTEM',
      message: `${mountPoint} must not be frozen: the commands that split write there, and would wait for the end of the freeze`,
      seen: name,
      remedy: 'Back it up without a split, with mksysb for instance.',
    };
  }
  return (level?.release ?? 0) >= firstFreeze
    ? null
    : {
        code: 'LEVEL_TOO_OLD',
        // Older levels take the freeze for an attribute of the stanza, store it, and end with 0.
        message: 'that this level can freeze a JFS2 file system is not known',
        seen: level === null ? 'oslevel -r gave no level' : `AIX ${levelName(level.release)}`,
        remedy: 'Use AIX 5.3 or newer.',
      };
};

/** A mounted JFS2 has its log within, so that it goes with the copy. A clean, unmounted one needs none to be read. */
export const logWithin: Need = ({ volume: { name, fileSystem } }) => {
  if (fileSystem === null || fileSystem.vfs !== 'jfs2') return null;
  const { mountPoint, mounted, log } = fileSystem;
  if (log === 'unknown') {
    return {
      code: 'LOG_UNKNOWN',
      message: `where the log of ${mountPoint} is cannot be told`,
      seen: name,
      remedy: `Compare "mount" with "lsfs -q ${mountPoint}".`,
    };
  }
  return mounted && log === 'external'
    ? {
        code: 'EXTERNAL_LOG',
        message: `${mountPoint} has its log on another volume: a copy of it alone must not be checked with the live log`,
        seen: name,
        remedy:
          'Give it an inline log, or unmount it for the split. A protocol of fsck on a copy whose stanza names a private log, telling which log it reads and writes, would settle it.',
      }
    : null;
};

/** The level is this one or newer. */
export function since(release: number, called: string): Need {
  return ({ level }) =>
    level !== null && level.release >= release
      ? null
      : {
          code: level === null ? 'LEVEL_UNKNOWN' : 'LEVEL_TOO_OLD',
          message: `the level is not known to be ${called} or newer`,
          seen: level === null ? 'oslevel -r gave no level' : `AIX ${levelName(level.release)}`,
          remedy: `Use ${called} or newer.`,
        };
}

/** `702` as `7.2`. */
function levelName(release: number): string {
  return `${Math.floor(release / 100)}.${release % 100}`;
}
