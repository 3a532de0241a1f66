import { checkScript } from '@splitmirror/host';
import { copyName, copyPath, isRun } from './marks.ts';
import { exposePhase, mergePhase, type Split, splitPhase, withdrawPhase } from './phases.ts';
import {
  type ActiveGroup,
  type CopyView,
  type GroupView,
  type LvmPicture,
  systemTypes,
  type VolumeView,
  volumesOf,
} from './picture.ts';
import type { MirrorPlan, PlannedVolume, Problem, SplitRequest } from './port.ts';

/** A copy's index has two digits. */
const mostVolumes = 99;
/** Names that can stand in a step's id; others are refused before anything is made of them. */
const plainName = /^[\w./-]{1,64}$/;

/**
 * Plans the split of one copy off each volume of a request, and the merge. Pure: the same picture and request always
 * give the same plan.
 *
 * @returns The plan, or every reason why there is none.
 */
export function planSplit(
  picture: LvmPicture,
  request: SplitRequest,
): { readonly plan: MirrorPlan } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse: Refuse = (code, message, seen, remedy) => {
    problems.push({ code, node: picture.node, message, seen, remedy });
  };
  for (const view of picture.groups) refuseView(view, refuse);
  refuseRequest(request, refuse);
  refuseLeftovers(picture, refuse);
  const chosen = [...chooseFileSystems(picture, request, refuse), ...chooseRawVolumes(picture, request, refuse)];
  const groups = groupsOf(picture, chosen);
  for (const group of groups) refuseGroup(group, chosen, refuse);
  if (chosen.length > mostVolumes) {
    refuse(
      'TOO_MANY_VOLUMES',
      `more than ${mostVolumes} volumes in one run`,
      String(chosen.length),
      'Split the request.',
    );
  }
  const splits = chosen.flatMap((volume, position): Split[] => {
    const copy = chooseCopy(volume, request, refuse);
    if (copy === undefined) return [];
    return [
      {
        volume: volume.name,
        copy: copyName({ run: request.run, copies: volume.copies, index: position + 1 }),
        copies: volume.copies,
        disks: copy.disks,
        pool: copy.pool,
        mountPoint: request.rawVolumes.includes(volume.name) ? null : (volume.fileSystem?.mountPoint ?? null),
      },
    ];
  });
  const taken = new Set(volumesOf(picture.groups).map(({ name }) => name));
  for (const { copy } of splits) {
    if (taken.has(copy)) refuse('NAME_TAKEN', `a volume ${copy} exists already`, copy, 'Use another run id.');
  }
  if (problems.length > 0) return { problems };

  const { node } = picture;
  const plan: MirrorPlan = {
    run: request.run,
    node,
    volumes: splits.map((split) => plannedVolume(split, chosen, groups, request.run)),
    split: splitPhase(node, splits, request),
    expose: exposePhase(node, request.run, splits),
    withdraw: withdrawPhase(node, request.run, splits),
    merge: mergePhase(node, request.run, splits),
    frozenSecondsAtMost: splits.some(({ mountPoint }) => mountPoint !== null) ? request.freezeSeconds : 0,
  };
  try {
    checkScript(plan.split.script);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(
      'BAD_STEPS',
      'the steps that suspend and resume the application cannot be run',
      error.message,
      'Correct the steps.',
    );
    return { problems };
  }
  return { plan };
}

/** Notes one reason why there is no plan. */
type Refuse = (code: string, message: string, seen: string, remedy: string) => void;

function refuseView(view: GroupView, refuse: Refuse): void {
  if (view.kind === 'active') return;
  const remedy =
    view.kind === 'locked'
      ? `Wait for the lock; if nothing holds it, "chvg -u ${view.name}".`
      : 'Ask the node that holds the resource group.';
  refuse('GROUP_NOT_ACTIVE', `volume group ${view.name} cannot be changed here`, describeView(view), remedy);
}

function refuseRequest(request: SplitRequest, refuse: Refuse): void {
  if (!isRun(request.run)) {
    refuse(
      'BAD_RUN_ID',
      'a run id is six characters a-z0-9, the first a letter',
      request.run,
      'Make a run id of that form.',
    );
  }
  if (!Number.isInteger(request.freezeSeconds) || request.freezeSeconds < 2) {
    const seen = String(request.freezeSeconds);
    refuse('BAD_FREEZE_TIME', 'the freeze lasts a whole number of seconds from 2', seen, 'Give a longer freeze.');
  }
  const names = [...request.fileSystems, ...request.rawVolumes];
  if (names.length === 0) {
    refuse('NOTHING_TO_SPLIT', 'no file system and no volume is named', '', 'Name what shall be backed up.');
  }
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    refuse('NAMED_TWICE', `${name} is named twice`, name, 'Name it once.');
  }
}

function refuseLeftovers(picture: LvmPicture, refuse: Refuse): void {
  const runs = [...new Set(picture.leftovers.map(({ run }) => run))].sort();
  for (const run of runs) {
    const seen = picture.leftovers.filter((left) => left.run === run).map(({ what, name }) => `${what} ${name}`);
    refuse('LEFTOVERS', `run ${run} has left something behind`, seen.join(', '), 'Recover first.');
  }
}

function chooseFileSystems(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
  return [...new Set(request.fileSystems)].sort().flatMap((mountPoint) => {
    const found = volumesOf(picture.groups).filter(({ fileSystem }) => fileSystem?.mountPoint === mountPoint);
    const [volume] = found;
    if (volume === undefined || found.length > 1) {
      const seen = found.length > 1 ? found.map(({ name }) => name).join(', ') : describeGroups(picture);
      const message = found.length > 1 ? `${mountPoint} belongs to several volumes` : `no volume holds ${mountPoint}`;
      refuse('UNKNOWN_FILE_SYSTEM', message, seen, 'Name a mount point of a volume group that is active on this node.');
      return [];
    }
    refuseFileSystem(volume, mountPoint, refuse);
    return [volume];
  });
}

function describeGroups(picture: LvmPicture): string {
  return picture.groups.map((view) => `${view.name}: ${describeView(view)}`).join('; ');
}

function describeView(view: GroupView): string {
  switch (view.kind) {
    case 'active':
      return 'active';
    case 'passive':
      return `${view.group.state}, ${view.group.permission}`;
    case 'varied-off':
    case 'locked':
    case 'not-found':
    case 'unreadable':
      return `${view.kind}: ${view.seen}`;
  }
}

function refuseFileSystem({ name, fileSystem }: VolumeView, mountPoint: string, refuse: Refuse): void {
  if (fileSystem === null) return;
  if (fileSystem.vfs !== 'jfs2') {
    refuse(
      'NOT_JFS2',
      `${mountPoint} is no JFS2 file system: it cannot be frozen, and its log cannot be split with it`,
      fileSystem.vfs,
      'Back it up by name without a split, with the application at rest.',
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
      'Give it an inline log; splitting the log volume with it is not done yet.',
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

function chooseRawVolumes(picture: LvmPicture, request: SplitRequest, refuse: Refuse): VolumeView[] {
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

function groupsOf(picture: LvmPicture, chosen: readonly VolumeView[]): ActiveGroup[] {
  const names = new Set(chosen.map(({ group }) => group));
  return picture.groups.filter((view): view is ActiveGroup => view.kind === 'active' && names.has(view.name));
}

function refuseGroup({ name, group, disks }: ActiveGroup, chosen: readonly VolumeView[], refuse: Refuse): void {
  const bad = disks.filter(({ state }) => state !== 'active').map((disk) => `${disk.name} ${disk.state}`);
  if (bad.length > 0 || group.activeDisks !== group.totalDisks) {
    const seen = bad.join(', ') || `${group.activeDisks} of ${group.totalDisks} active`;
    refuse('DISK_NOT_ACTIVE', `volume group ${name} misses a disk`, seen, 'Bring the disk back and synchronise first.');
  }
  if (group.stalePartitions > 0 || group.staleDisks > 0) {
    const seen = `STALE PPs ${group.stalePartitions}, STALE PVs ${group.staleDisks}`;
    refuse('GROUP_STALE', `volume group ${name} has stale partitions`, seen, `Run "syncvg -v ${name}" first.`);
  }
  if (group.snapshotRelation !== null) {
    refuse(
      'SNAPSHOT_RELATION',
      `volume group ${name} is in a snapshot relation: splitlvcopy refuses it`,
      group.snapshotRelation,
      'Join the snapshot volume group first.',
    );
  }
  const needed = chosen.filter((volume) => volume.group === name).length;
  if (group.volumes + needed > group.maxVolumes) {
    const seen = `LVs ${group.volumes}, MAX LVs ${group.maxVolumes}`;
    refuse(
      'NO_VOLUME_SLOT',
      `volume group ${name} has no room for ${needed} more volumes`,
      seen,
      'Raise MAX LVs with chvg -v.',
    );
  }
}

/** The last copy that may go: whole, fresh, and on disks that no other copy uses. */
function chooseCopy(volume: VolumeView, request: SplitRequest, refuse: Refuse): CopyView | undefined {
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
    const remedy = 'Back it up without a split; splitlvcopy keeps the key method from AIX 7.3 only.';
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
      'Mirror it first, or back it up without a split.',
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

function plannedVolume(
  split: Split,
  chosen: readonly VolumeView[],
  groups: readonly ActiveGroup[],
  run: string,
): PlannedVolume {
  const volume = chosen.find(({ name }) => name === split.volume);
  const group = groups.find(({ name }) => name === volume?.group);
  const partitions = volume?.logicalPartitions ?? 0;
  return {
    volume: split.volume,
    strategy: 'splitlvcopy',
    copy: split.copy,
    source:
      split.mountPoint === null
        ? { kind: 'device', path: `/dev/r${split.copy}` }
        : { kind: 'directory', mountPoint: split.mountPoint, path: copyPath(run, split.volume) },
    bytes: partitions * (group?.group.partitionMegabytes ?? 0) * 2 ** 20,
    copies: split.copies,
    copiesLeft: split.copies - 1,
    partitionsToResync: partitions,
  };
}
