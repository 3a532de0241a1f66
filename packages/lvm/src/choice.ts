import { type CopyView, type LvmPicture, systemTypes, type VolumeView, volumesOf } from './picture.ts';
import type { SplitRequest } from './port.ts';
import { describeGroups, type Refuse } from './preflight.ts';
import { type Strategy, weighStrategies } from './strategies.ts';

/** Names that can stand in a step's id; others are refused before anything is made of them. */
const plainName = /^[\w./-]{1,64}$/;

/** The volumes of the file systems that are asked for, as far as there are any. */
export function chooseFileSystems(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
  return [...new Set(request.fileSystems)].sort().flatMap((mountPoint) => {
    const found = volumesOf(picture.groups).filter(({ fileSystem }) => fileSystem?.mountPoint === mountPoint);
    const [volume] = found;
    if (volume === undefined || found.length > 1) {
      const seen = found.length > 1 ? found.map(({ name }) => name).join(', ') : describeGroups(picture);
      const message = found.length > 1 ? `${mountPoint} belongs to several volumes` : `no volume holds ${mountPoint}`;
      refuse('UNKNOWN_FILE_SYSTEM', message, seen, 'Name a mount point of a volume group that is active on this node.');
      return [];
    }
    refuseFileSystem(volume, mountPoint, picture, refuse);
    return [volume];
  });
}

function refuseFileSystem(
  { name, fileSystem }: VolumeView,
  mountPoint: string,
  picture: LvmPicture,
  refuse: Refuse,
): void {
  if (fileSystem === null) return;
  if (fileSystem.vfs !== 'jfs2') {
    refuse(
      'NOT_JFS2',
      `${mountPoint} is no JFS2 file system: it cannot be frozen, and its log cannot be split with it`,
      fileSystem.vfs,
      `Back it up without a split, with the application at rest.${otherWays(picture, name)}`,
    );
    return;
  }
  if (!fileSystem.mounted) {
    refuse(
      'NOT_MOUNTED',
      `${mountPoint} is not mounted here`,
      name,
      'Bring the resource group online, or leave it out.',
    );
  }
  if (fileSystem.mounted && fileSystem.readOnly) {
    refuse(
      'MOUNTED_READ_ONLY',
      `${mountPoint} is mounted read-only: it cannot be frozen`,
      name,
      'Back it up without a split.',
    );
  }
  if (fileSystem.log === 'external') {
    refuse(
      'EXTERNAL_LOG',
      `${mountPoint} has its log on another volume: a copy of it alone must not be checked with the live log`,
      name,
      `Give it an inline log. A protocol of fsck on such a copy, and of what it does with the live log, would settle it.${otherWays(picture, name)}`,
    );
  }
  if (fileSystem.log === 'unknown') {
    refuse(
      'LOG_UNKNOWN',
      `where the log of ${mountPoint} is cannot be told`,
      name,
      `Compare "mount" with "lsfs -q ${mountPoint}".`,
    );
  }
}

/** The volumes that are asked for by name, as far as there are any. */
export function chooseRawVolumes(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
  return [...new Set(request.rawVolumes)].sort().flatMap((name) => {
    const volume = volumesOf(picture.groups).find((candidate) => candidate.name === name);
    if (volume === undefined) {
      refuse(
        'UNKNOWN_VOLUME',
        `no volume ${name}`,
        describeGroups(picture),
        'Name a volume of a volume group that is active here.',
      );
      return [];
    }
    if (volume.fileSystem !== null || /^jfs2?$/.test(volume.type)) {
      const seen = volume.fileSystem?.mountPoint ?? volume.type;
      refuse(
        'HAS_FILE_SYSTEM',
        `${name} holds a file system`,
        seen,
        'Name its mount point instead: it must be frozen.',
      );
    } else if (volume.open && request.suspend.length === 0) {
      refuse(
        'RAW_VOLUME_IN_USE',
        `${name} is open, and nothing brings its application to rest: a volume without a file system cannot be frozen`,
        'open',
        'Give steps that suspend the application, or close the volume.',
      );
    }
    return [volume];
  });
}

/** The last copy that may go: whole, fresh, and on disks that no other copy uses. */
export function chooseCopy(
  volume: VolumeView,
  picture: LvmPicture,
  request: SplitRequest,
  refuse: Refuse,
): CopyView | undefined {
  const { name, copies, logicalPartitions, map } = volume;
  if (
    !plainName.test(name) ||
    name.startsWith('-') ||
    (volume.fileSystem && !plainName.test(volume.fileSystem.mountPoint))
  ) {
    const seen = volume.fileSystem?.mountPoint ?? name;
    refuse(
      'NAME_NOT_PLAIN',
      `the name of ${name} or of its mount point cannot be handled`,
      seen,
      'Use letters, digits and . _ - / only.',
    );
  }
  if (systemTypes.has(volume.type)) {
    refuse('SYSTEM_VOLUME', `${name} belongs to the system`, volume.type, 'Leave it out.');
  }
  if (volume.encrypted) {
    const remedy = `Back it up without a split; splitlvcopy keeps a key method from AIX 7.3 only.${otherWays(picture, name)}`;
    refuse('ENCRYPTED', `${name} is encrypted`, 'ENCRYPTION: yes', remedy);
  }
  if (volume.striped) {
    const remedy =
      'Back it up without a split; a protocol of splitlvcopy and mklvcopy on a striped volume of this level would settle it.';
    refuse(
      'STRIPED',
      `whether copies can be given back to ${name}, which is striped, is not known`,
      'STRIPE WIDTH',
      remedy,
    );
  }
  if (copies < 2) {
    refuse(
      'ONE_COPY',
      `${name} is not mirrored`,
      `COPIES: ${copies}`,
      `Mirror it first, or back it up without a split.${otherWays(picture, name)}`,
    );
    return undefined;
  }
  if (volume.stalePartitions > 0) {
    refuse(
      'STALE',
      `${name} has stale partitions`,
      `STALE PPs: ${volume.stalePartitions}`,
      `Run "syncvg -l ${name}" first.`,
    );
  }
  const seen = map.map(
    (copy) => `copy ${copy.copy}: ${copy.partitions} of ${logicalPartitions} on ${copy.disks.join(' ')}`,
  );
  if (map.length !== copies || map.some(({ partitions }) => partitions !== logicalPartitions)) {
    refuse(
      'RAGGED',
      `not every partition of ${name} has ${copies} copies`,
      seen.join('; '),
      `Run "mklvcopy ${name} ${copies}" and synchronise.`,
    );
  }
  if (copies === 2 && !request.allowLastCopy) {
    const remedy = 'Allow it in the policy, or give the volume a third copy.';
    refuse('LAST_COPY', `${name} would run on one copy while the backup lasts`, `COPIES: ${copies}`, remedy);
  }
  const apart = map.filter(
    (copy) => !map.some((other) => other !== copy && other.disks.some((disk) => copy.disks.includes(disk))),
  );
  if (apart.length === 0) {
    const remedy = 'Move the copies to disks of their own; otherwise naming disks does not say which copy goes.';
    refuse('COPIES_SHARE_DISKS', `no copy of ${name} has its disks for itself`, seen.join('; '), remedy);
  }
  const last = apart.at(-1);
  if (map.some(({ pool }) => pool !== null) && last !== undefined && last.copy !== copies) {
    const remedy =
      'Give the last copy disks of its own; how LVM numbers copies and pools when another one goes is not known.';
    refuse(
      'MIRROR_POOLS',
      `copy ${last.copy} of ${name} would go, and its copies are bound to mirror pools`,
      seen.join('; '),
      remedy,
    );
  }
  return last;
}

/** What AIX offers beside a split by splitlvcopy, for a person to do by hand. */
function otherWays(picture: LvmPicture, volume: string): string {
  const fitting = weighStrategies(picture, volume).filter(
    ({ strategy, against }) => strategy !== 'splitlvcopy' && against.length === 0,
  );
  return fitting.length === 0
    ? ''
    : ` By hand, ${fitting.map(({ strategy }) => handWork[strategy]).join(' or ')} would fit.`;
}

const handWork: Readonly<Record<Strategy, string>> = {
  splitlvcopy: 'splitlvcopy',
  splitcopy: '"chfs -a splitcopy"',
  chlvcopy: 'chlvcopy',
  splitvg: 'splitvg',
  snapshot: 'a JFS2 snapshot',
  'map-split': 'rmlvcopy with "mklv -m"',
};
