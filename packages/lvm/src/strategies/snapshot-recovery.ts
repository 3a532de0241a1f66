import { isUsedElsewhere } from '../picture/leftovers.ts';
import { readCopyName } from '../picture/marks.ts';
import type { VolumeView } from '../picture/picture.ts';
import { removeVolume } from '../plan/copies.ts';
import { vfsOf } from '../plan/needs.ts';
import { type Explained, seconds } from '../plan/steps.ts';
import type { Repair, Scene } from '../plan/strategy.ts';
import { dropSnapshot, nameOf, type SnapshotAddress, type SnapshotList } from '../readers/snapshots.ts';

/** `snapshot -d`. */
export function removal(copy: string, mountPoint: string, address: SnapshotAddress): Explained {
  const what = 'device' in address ? ' and its volume' : '';
  return [
    { id: `remove:${copy}`, run: dropSnapshot(mountPoint, address), timeoutSeconds: seconds.remove },
    `Remove the snapshot ${copy}${what}.`,
  ];
}

/** Snapshots of ours go, oldest first; volumes made for one that was never taken too. */
export function recover(scene: Scene): Repair[] {
  const { picture } = scene;
  const listed = picture.snapshots.flatMap((list) => list.snapshots.flatMap(({ name }) => taken(list, name, scene)));
  const known = new Set(picture.snapshots.flatMap(({ snapshots }) => snapshots.map(({ name }) => nameOf(name))));
  const bare = scene.volumes.filter(({ name }) => isOurs(name) && !known.has(name));
  return [...listed, ...bare.map((volume) => neverTaken(volume, scene))];
}

function isOurs(name: string): boolean {
  return readCopyName(name)?.letter === 'f';
}

function taken(list: SnapshotList, listed: string, { picture, refuse }: Scene): Repair[] {
  const name = nameOf(listed);
  if (!isOurs(name)) return [];
  const runs = [readCopyName(name)?.run ?? ''];
  const before = list.snapshots.slice(
    0,
    list.snapshots.findIndex((snapshot) => snapshot.name === listed),
  );
  const others = before.filter((snapshot) => !isOurs(nameOf(snapshot.name)));
  if (others.length > 0) {
    const seen = others.map((snapshot) => snapshot.name).join(', ');
    const remedy = `Decide whether they may go; then "snapshot -d" of ${listed}, and recover.`;
    refuse('EARLIER_SNAPSHOTS', `with ${name} AIX would remove snapshots that are not ours`, seen, remedy);
    return [{ kind: 'refused', runs }];
  }
  if (isUsedElsewhere(name, picture, refuse)) return [{ kind: 'refused', runs }];
  return [possible(runs, name, removal(name, list.mountPoint, listed === name ? { name } : { device: listed }))];
}

/** A volume without a snapshot may be removed only where it is sure that it has none. */
function neverTaken({ name, group }: VolumeView, scene: Scene): Repair {
  const { volumes, picture, refuse } = scene;
  const run = readCopyName(name)?.run ?? '';
  const runs = [run];
  const named = volumesOf(run, scene);
  const unknown = volumes.filter(
    (volume) =>
      volume.group === group &&
      (named.size === 0 || named.has(volume.name)) &&
      readCopyName(volume.name) === null &&
      vfsOf(volume) === 'jfs2' &&
      !picture.snapshots.some(({ mountPoint }) => mountPoint === volume.fileSystem?.mountPoint),
  );
  if (unknown.length > 0) {
    const seen = `no list of snapshots of ${unknown.map((volume) => volume.name).join(', ')}`;
    const remedy = 'Mount the file systems of the volume group, then recover.';
    refuse('SNAPSHOTS_UNKNOWN', `whether ${name} holds a snapshot cannot be told`, seen, remedy);
    return { kind: 'refused', runs };
  }
  if (isUsedElsewhere(name, picture, refuse)) return { kind: 'refused', runs };
  return possible(runs, name, [
    { id: `remove:${name}`, run: removeVolume(name), timeoutSeconds: seconds.remove },
    `Remove the volume ${name}, which holds no snapshot.`,
  ]);
}

/** Volumes of a run, as its marks on this node and its note tell them; empty where neither does. */
function volumesOf(run: string, { marks, intended }: Scene): ReadonlySet<string> {
  return new Set([
    ...marks.flatMap((mark) => (mark.run === run ? [mark.volume] : [])),
    ...intended.flatMap(({ volume, strategy }) => (strategy === 'snapshot' ? [volume] : [])),
  ]);
}

function possible(runs: readonly string[], name: string, step: Explained): Repair {
  return { kind: 'possible', runs, volumes: [], removes: [name], thaws: [], rejoins: [step], settles: [] };
}
