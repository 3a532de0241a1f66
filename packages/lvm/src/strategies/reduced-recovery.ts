import { isUsedElsewhere } from '../picture/leftovers.ts';
import { readCopyName, readOurPath } from '../picture/marks.ts';
import type { LvmPicture, VolumeView } from '../picture/picture.ts';
import { type Explained, possibleThaw, query, synchronisation } from '../plan/steps.ts';
import type { Repair, Scene } from '../plan/strategy.ts';
import { addition, isBound, letters, removalWithStanza } from './reduced-copies.ts';

/* The way back from splitlvcopy and map-split, which leave the same. */

const names: ReadonlySet<string> = new Set(['splitlvcopy', 'map-split']);

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

/** Thaw, remove the split copies, give every volume its copies again, synchronise. */
export function recover(scene: Scene): Repair[] {
  const open = openSplits(scene);
  const safe = open.filter((split) => isSafe(split, scene));
  const refused = open.filter((split) => !safe.includes(split));
  return [
    ...(refused.length > 0 ? [{ kind: 'refused' as const, runs: refused.flatMap(({ run }) => run ?? []) }] : []),
    ...[...new Set(safe.map(({ volume }) => volume))].map((volume) =>
      repair(
        volume,
        safe.filter((split) => split.volume === volume),
        scene,
      ),
    ),
  ];
}

function openSplits(scene: Scene): OpenSplit[] {
  const intended = scene.intended.filter(({ strategy = 'splitlvcopy' }) => names.has(strategy));
  const runs = new Set([
    ...scene.marks.flatMap(({ run, letter }) => (letters.has(letter) ? [run] : [])),
    ...scene.volumes.flatMap(({ name }) => readReduced(name)?.run ?? []),
  ]);
  const open = [...runs].sort().flatMap((run) => splitsOf(run, scene));
  for (const { volume, copies } of intended) {
    if (open.some((split) => split.volume.name === volume)) continue;
    const found = scene.volumes.find(({ name }) => name === volume);
    if (found === undefined) {
      const message = `${volume} is not in an active volume group of this node`;
      scene.refuse('VOLUME_MISSING', message, '', 'Recover on the node that holds the resource group.');
    } else if (needsCopies(found, copies) || found.stalePartitions > 0) {
      open.push({ run: null, volume: found, copies, copy: null });
    }
  }
  return open;
}

/** Copies first, since they are the better evidence; then the marks of splits that have none. */
function splitsOf(run: string, { volumes, marks, intended, picture, refuse }: Scene): OpenSplit[] {
  const found: OpenSplit[] = [];
  for (const copy of volumes) {
    const name = readReduced(copy.name);
    if (name?.run !== run) continue;
    const named = new Set([
      ...marks.flatMap((mark) => (mark.run === run ? [mark.volume] : [])),
      ...intended.map(({ volume }) => volume),
    ]);
    const volume = originalOf(copy, name, volumes, named);
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
  for (const mark of marks) {
    if (mark.run !== run || !letters.has(mark.letter) || !isActive(picture)) continue;
    const volume = volumes.find(({ name }) => name === mark.volume);
    if (volume === undefined || found.some((split) => split.volume === volume)) continue;
    found.push({ run, volume, copies: mark.copies, copy: null });
  }
  return found;
}

function isActive({ groups }: LvmPicture): boolean {
  return groups.some(({ kind }) => kind === 'active');
}

function readReduced(volume: string) {
  const name = readCopyName(volume);
  return name !== null && letters.has(name.letter) ? name : null;
}

/**
 * Of which volume a copy was taken. Its label tells, once it is set; before that, only the volumes that lack a copy and
 * otherwise look the same can be meant, and there must be one only.
 */
function originalOf(
  copy: VolumeView,
  { run, copies, index }: { readonly run: string; readonly copies: number; readonly index: number },
  volumes: readonly VolumeView[],
  named: ReadonlySet<string>,
): VolumeView | undefined {
  const known = volumes.filter(({ group, name }) => group === copy.group && readCopyName(name) === null);
  const path = readOurPath(copy.label ?? '');
  if (path !== null) {
    return path.run === run && path.kind === 'copy' ? known.find(({ name }) => name === path.volume) : undefined;
  }
  const candidates = known.filter(
    (volume) =>
      needsCopies(volume, copies) &&
      volume.type === copy.type &&
      volume.logicalPartitions >= copy.logicalPartitions &&
      (copy.label === null || volume.label === copy.label) &&
      (named.size === 0 || named.has(volume.name)),
  );
  if (candidates.length === 1) return candidates[0];
  // Several look alike: the copy's name tells its place in the plan, which the names of all its volumes give again.
  const planned = inPlanOrder(known.filter(({ name }) => named.has(name)))[index - 1];
  return planned !== undefined && candidates.includes(planned) ? planned : undefined;
}

/** File systems by mount point, then the others by name: the order in which a plan counts its volumes. */
function inPlanOrder(volumes: readonly VolumeView[]): VolumeView[] {
  const key = ({ name, fileSystem }: VolumeView) => (fileSystem === null ? `1${name}` : `0${fileSystem.mountPoint}`);
  return volumes.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function needsCopies(volume: VolumeView, copies: number): boolean {
  const partitions = volume.map.reduce((sum, copy) => sum + copy.partitions, 0);
  return volume.copies < copies || partitions < volume.logicalPartitions * copies;
}

/** Nothing is removed that may be the only good data, or that someone else uses. */
function isSafe({ volume, copy, copies }: OpenSplit, { picture, refuse }: Scene): boolean {
  const { name, logicalPartitions, freshPartitions } = volume;
  if (copy !== null && freshPartitions < logicalPartitions) {
    const seen = `${freshPartitions} of ${logicalPartitions} partitions are fresh`;
    const remedy = `Save the content of ${copy.name} before anything else: it may be the only good one.`;
    refuse('ORIGINAL_DAMAGED', `${name} is not whole without ${copy.name}`, seen, remedy);
    return false;
  }
  if (copy !== null && isUsedElsewhere(copy.name, picture, refuse)) return false;
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
  if (copy === null && !volume.separateDisks?.startsWith('yes')) {
    const remedy = `Choose disks, then "mklvcopy ${name} ${copies} DISK" and "syncvg -l ${name}".`;
    refuse(
      'DISKS_UNKNOWN',
      `on which disks the copy of ${name} was is not known, and LVM may choose any`,
      `separate PV: ${volume.separateDisks ?? '?'}`,
      remedy,
    );
    return false;
  }
  return true;
}

function repair(volume: VolumeView, splits: readonly OpenSplit[], { picture, resync }: Scene): Repair {
  const { name } = volume;
  const copies = Math.max(...splits.map((split) => split.copies));
  const removed = splits.flatMap(({ copy }) => copy ?? []);
  const parts = removed.flatMap(({ map }) => map);
  const disks = [...new Set(parts.flatMap((part) => part.disks))];
  const pool = parts.find((part) => part.pool !== null)?.pool ?? null;
  const lacks = needsCopies(volume, copies);
  const removes = removed.map((copy) => copy.name);
  // A takeover that imported the group has made stanzas of the copies' labels.
  const stanzas = picture.stanzas.filter(({ device }) => removes.includes(device.replace('/dev/', '')));
  return {
    kind: 'possible',
    runs: splits.flatMap(({ run }) => run ?? []),
    volumes: [name],
    removes: [...removes, ...stanzas.map(({ mountPoint }) => mountPoint)],
    thaws: splits.flatMap(({ copy }) => thawOf(volume, copy)),
    intended: { volume: name, copies },
    rejoins: [
      ...removes.map((copy) =>
        removalWithStanza(
          copy,
          stanzas.find(({ device }) => device === `/dev/${copy}`),
        ),
      ),
      ...(lacks ? [addition({ volume: name, copies, disks, pool }, removes)] : []),
    ],
    settles:
      lacks || volume.stalePartitions > 0
        ? [synchronisation(name, resync), query(`check:${name}`, name, `See that ${name} has its copies again.`)]
        : [],
  };
}

/**
 * Whether a freeze still holds cannot be asked. It ends by itself; a thaw shortens the wait of writers. It is tried only
 * where a split may be unfinished: its copy is missing, or not labelled yet, which splitlvcopy's is after the thaw only.
 */
function thawOf({ fileSystem }: VolumeView, copy: VolumeView | null): Explained[] {
  const labelledLast = readCopyName(copy?.name ?? '')?.letter === '';
  const finished = labelledLast && readOurPath(copy?.label ?? '') !== null;
  return fileSystem?.mounted && fileSystem.vfs === 'jfs2' && !finished ? [possibleThaw(fileSystem.mountPoint)] : [];
}
