import type { Resync } from './copies.ts';
import { markRoot, readCopyName, readOurPath, splitMark } from './marks.ts';
import {
  addition,
  directoryRemoval,
  type Explained,
  phase,
  possibleThaw,
  query,
  removal,
  rootRemoval,
  synchronisation,
  unmounting,
} from './phases.ts';
import { isOurMount, type LvmPicture, type VolumeView, volumesOf } from './picture.ts';
import type { Phase, Problem, RecoveryPlan } from './port.ts';

/**
 * What a run wrote down before its split, in a place that travels with the resource group: how many copies its volumes
 * had. It closes the one gap that a node's own evidence leaves, between the removal of a copy and the return of its
 * partitions, should the node itself die there.
 */
export interface IntendedCopies {
  readonly volume: string;
  readonly copies: number;
}

/**
 * Plans the way back from whatever a node shows: thaw, unmount, remove the split copies, give every volume its copies
 * again, synchronise, clear away. Pure and repeatable: from the picture after half of it, it plans the other half.
 * Nothing without our mark is touched. On several nodes begin with the one that has the volume groups active.
 *
 * @param intended What the run wrote down, when it can still be read.
 */
export function planRecovery(
  picture: LvmPicture,
  intended: readonly IntendedCopies[] = [],
  resync: Resync = {},
): RecoveryPlan {
  const problems: Problem[] = [];
  const refuse: Refuse = (code, message, seen, remedy) => {
    problems.push({ code, node: picture.node, message, seen, remedy });
  };
  const known = volumesOf(picture.groups);
  const runs = [...new Set(picture.leftovers.map(({ run }) => run))].sort();
  const open = runs.flatMap((run) => openSplits(picture, run, intended, refuse));
  for (const { volume, copies } of intended) {
    if (open.some((split) => split.volume.name === volume)) continue;
    const found = known.find(({ name }) => name === volume);
    if (found === undefined) {
      refuse(
        'VOLUME_MISSING',
        `${volume} is not in an active volume group of this node`,
        '',
        'Recover on the node that holds the resource group.',
      );
    } else if (needsCopies(found, copies) || found.stalePartitions > 0) {
      open.push({ run: null, volume: found, copies, copy: null });
    }
  }
  const repairs = open.filter((split) => isSafe(split, picture, refuse));
  const { node } = picture;

  const phases = [
    makePhase(node, 'thaw', 'Let all writers go on', thaws(repairs)),
    makePhase(node, 'withdraw', 'Unmount the copies', withdrawals(picture)),
    makePhase(
      node,
      'merge',
      `Give back the copies of ${repairs.map(({ volume }) => volume.name).join(', ')}`,
      merges(repairs, resync),
    ),
    makePhase(node, 'clear', 'Remove what marked the split', clearances(picture, open, repairs)),
  ];
  return {
    phases: phases.filter(({ script }) => script.steps.length > 0),
    volumes: repairs.map(({ volume }) => volume.name).sort(),
    problems,
  };
}

type Refuse = (code: string, message: string, seen: string, remedy: string) => void;

/** A volume of which a run has, or may have, taken a copy. */
interface OpenSplit {
  /** `null` when only the note that travels with the group tells of it. */
  readonly run: string | null;
  readonly volume: VolumeView;
  /** Copies that it shall have. */
  readonly copies: number;
  /** The split copy, while there is one. */
  readonly copy: VolumeView | null;
}

/** Copies first, since they are the better evidence; then the marks of splits that have none. */
function openSplits(
  picture: LvmPicture,
  run: string,
  intended: readonly IntendedCopies[],
  refuse: Refuse,
): OpenSplit[] {
  const known = volumesOf(picture.groups);
  const found: OpenSplit[] = [];
  for (const copy of known) {
    const name = readCopyName(copy.name);
    if (name?.run !== run) continue;
    const volume = originalOf(copy, run, name.copies, picture, intended);
    if (volume === undefined) {
      refuse(
        'ORIGINAL_UNKNOWN',
        `it cannot be told of which volume ${copy.name} is a copy`,
        `label ${copy.label ?? 'None'}`,
        `Find the volume that lacks a copy, then "rmlv -f ${copy.name}", "mklvcopy VOLUME ${name.copies}" and "syncvg -l VOLUME".`,
      );
    } else {
      found.push({ run, volume, copies: name.copies, copy });
    }
  }
  for (const { run: other, volume: name, copies } of marksOf(picture)) {
    const volume = known.find((candidate) => candidate.name === name);
    if (other !== run || volume === undefined || found.some((split) => split.volume === volume)) continue;
    found.push({ run, volume, copies, copy: null });
  }
  return found;
}

/**
 * Of which volume a copy was taken. Its label tells, once it is set; before that, only the volumes that lack a copy and
 * otherwise look the same can be meant, and there must be one only.
 */
function originalOf(
  copy: VolumeView,
  run: string,
  copies: number,
  picture: LvmPicture,
  intended: readonly IntendedCopies[],
): VolumeView | undefined {
  const known = volumesOf(picture.groups).filter(
    ({ group, name }) => group === copy.group && readCopyName(name) === null,
  );
  const path = readOurPath(copy.label ?? '');
  if (path !== null)
    return path.run === run && path.kind === 'copy' ? known.find(({ name }) => name === path.volume) : undefined;
  const named = new Set([
    ...marksOf(picture).flatMap((mark) => (mark.run === run ? [mark.volume] : [])),
    ...intended.map(({ volume }) => volume),
  ]);
  const candidates = known.filter(
    (volume) =>
      needsCopies(volume, copies) &&
      volume.type === copy.type &&
      volume.logicalPartitions >= copy.logicalPartitions &&
      (copy.label === null || volume.label === copy.label) &&
      (named.size === 0 || named.has(volume.name)),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

function marksOf(picture: LvmPicture): { readonly run: string; readonly volume: string; readonly copies: number }[] {
  return picture.directories.flatMap((directory) => {
    const path = readOurPath(directory);
    return path?.kind === 'mark' ? [path] : [];
  });
}

function needsCopies(volume: VolumeView, copies: number): boolean {
  const partitions = volume.map.reduce((sum, copy) => sum + copy.partitions, 0);
  return volume.copies < copies || partitions < volume.logicalPartitions * copies;
}

/** Whether its copies are bound to mirror pools. */
function isBound({ map }: VolumeView): boolean {
  return map.some(({ pool }) => pool !== null);
}

/** Nothing is removed that may be the only good data, or that someone else uses. */
function isSafe({ volume, copy, copies }: OpenSplit, picture: LvmPicture, refuse: Refuse): boolean {
  const { name, logicalPartitions, freshPartitions } = volume;
  if (copy !== null && freshPartitions < logicalPartitions) {
    const seen = `${freshPartitions} of ${logicalPartitions} partitions are fresh`;
    const remedy = `Save the content of ${copy.name} before anything else: it may be the only good one.`;
    refuse('ORIGINAL_DAMAGED', `${name} is not whole without ${copy.name}`, seen, remedy);
    return false;
  }
  const elsewhere =
    copy === null
      ? undefined
      : picture.mounts.find((mount) => mount.device === `/dev/${copy.name}` && !isOurMount(mount));
  if (copy !== null && elsewhere !== undefined) {
    refuse(
      'COPY_IN_USE',
      `${copy.name} is mounted where splitmirror does not mount`,
      elsewhere.mountPoint,
      'Unmount it, then recover.',
    );
    return false;
  }
  if (!needsCopies(volume, copies)) return true;
  if (isBound(volume) && (copy === null || !isBound(copy))) {
    const remedy = `Choose its pool, then "mklvcopy -p copy${copies}=POOL ${name} ${copies}" and "syncvg -l ${name}".`;
    refuse(
      'POOL_UNKNOWN',
      `to which mirror pool the copy of ${name} belongs is not known`,
      copy === null ? 'no copy is left' : `${copy.name} is bound to none`,
      remedy,
    );
    return false;
  }
  if (copy === null && volume.separateDisks === 'no') {
    const remedy = `Choose disks, then "mklvcopy ${name} ${copies} DISK" and "syncvg -l ${name}".`;
    refuse(
      'DISKS_UNKNOWN',
      `on which disks the copy of ${name} was is not known, and LVM may choose any`,
      'separate PV: no',
      remedy,
    );
    return false;
  }
  return true;
}

/**
 * Whether a freeze still holds cannot be asked. It ends by itself; a thaw shortens the wait of writers. It is tried only
 * where a split may be unfinished: its copy is missing, or not labelled yet, which is done after the thaw.
 */
function thaws(repairs: readonly OpenSplit[]): Explained[] {
  return repairs.flatMap(({ volume, copy }) =>
    volume.fileSystem?.mounted && volume.fileSystem.vfs === 'jfs2' && readOurPath(copy?.label ?? '') === null
      ? [possibleThaw(volume.fileSystem.mountPoint)]
      : [],
  );
}

function withdrawals(picture: LvmPicture): Explained[] {
  const mounted = picture.mounts.filter(isOurMount).map(({ mountPoint }) => mountPoint);
  const foreign = picture.mounts.filter((mount) => !isOurMount(mount)).map(({ mountPoint }) => mountPoint);
  const directories = [...new Set([...mounted, ...picture.directories])].filter(
    (path) => readOurPath(path)?.kind === 'copy' && !foreign.includes(path),
  );
  return [
    ...mounted.toReversed().map((path, index) => unmounting(`${index + 1}${shortOf(path)}`, path)),
    ...directories.sort().map((path) => directoryRemoval(shortOf(path), path)),
  ];
}

function merges(repairs: readonly OpenSplit[], resync: Resync): Explained[] {
  const returns: Explained[] = [];
  const stale: VolumeView[] = [];
  for (const volume of new Set(repairs.map((split) => split.volume))) {
    const splits = repairs.filter((split) => split.volume === volume);
    const copies = Math.max(...splits.map((split) => split.copies));
    const split = splits.flatMap(({ copy }) => copy ?? []);
    const parts = split.flatMap(({ map }) => map);
    const disks = [...new Set(parts.flatMap((part) => part.disks))];
    const pool = parts.find((part) => part.pool !== null)?.pool ?? null;
    returns.push(...split.map(({ name }) => removal(name)));
    if (needsCopies(volume, copies)) {
      const removed = split.map(({ name }) => name);
      returns.push(addition({ volume: volume.name, copies, disks, pool }, removed));
      stale.push(volume);
    } else if (volume.stalePartitions > 0) {
      stale.push(volume);
    }
  }
  return [
    ...returns,
    ...stale.map(({ name }) => synchronisation(name, resync)),
    ...stale.map(({ name }) => query(`check:${name}`, name, `See that ${name} has its copies again.`)),
  ];
}

/** Marks go last, and stay where something is left to a person. */
function clearances(picture: LvmPicture, open: readonly OpenSplit[], repairs: readonly OpenSplit[]): Explained[] {
  const merged = new Set(repairs.map(({ copy }) => copy?.name));
  const kept = new Set([
    ...open.flatMap((split) => (repairs.includes(split) ? [] : [split.run])),
    ...picture.leftovers.flatMap(({ run, what, name }) => (what === 'copy' && !merged.has(name) ? [run] : [])),
  ]);
  const paths = picture.directories.flatMap((path) => readOurPath(path) ?? []).filter(({ run }) => !kept.has(run));
  if (paths.length === 0 && (kept.size > 0 || !picture.directories.includes(markRoot))) return [];
  const marks = paths.flatMap((path) => (path.kind === 'mark' ? [splitMark(path.run, path.volume, path.copies)] : []));
  const runs = [...new Set(paths.map(({ run }) => run))].sort();
  return [
    ...marks.map((path) => directoryRemoval(shortOf(path), path)),
    ...runs.map((run) => directoryRemoval(run, `${markRoot}/${run}`)),
    rootRemoval(),
  ];
}

function shortOf(path: string): string {
  return path.slice(markRoot.length);
}

function makePhase(node: string, name: string, title: string, steps: readonly Explained[]): Phase {
  return phase({ name, node, title, undo: [] }, steps);
}
