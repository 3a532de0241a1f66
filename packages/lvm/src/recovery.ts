import { markRoot, readOurPath, type SplitMark } from './picture/marks.ts';
import { isOurMount, type LvmPicture, type OurStanza, volumesOf } from './picture/picture.ts';
import type { Resync } from './plan/copies.ts';
import { clearing, phase } from './plan/phases.ts';
import { directoryRemoval, type Explained, rootRemoval, stanzaRemoval, unmounting } from './plan/steps.ts';
import { strategies } from './plan/strategies.ts';
import type { Repair, Scene } from './plan/strategy.ts';
import type { IntendedCopies, Phase, Problem, RecoveryPlan } from './port.ts';
import { knowsRate } from './readers/level.ts';

/**
 * Plans the way back from whatever a node shows: thaw, unmount, give every volume its copies again in the way of its
 * strategy, synchronise, clear away. Pure and repeatable: from the picture after half of it, it plans the other half.
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
  const scene: Scene = {
    picture,
    volumes: volumesOf(picture.groups),
    marks: marksOf(picture),
    intended,
    resync: knowsRate(picture.level) ? resync : { ...resync, rate: undefined },
    refuse(code, message, seen, remedy) {
      problems.push({ code, node: picture.node, message, seen, remedy });
    },
  };
  const repairs = [...new Set(strategies.map(({ recover }) => recover))].flatMap((recover) => recover(scene));
  const possible = repairs.filter((repair) => repair.kind === 'possible');
  const volumes = [...new Set(possible.flatMap((repair) => repair.volumes))];
  const merges = [...possible.flatMap(({ rejoins }) => rejoins), ...possible.flatMap(({ settles }) => settles)];
  const orphans = orphanedStanzas(scene);
  const { node } = picture;

  const phases = [
    makePhase(
      node,
      'thaw',
      'Let all writers go on',
      possible.flatMap(({ thaws }) => thaws),
    ),
    makePhase(node, 'withdraw', 'Unmount the copies', withdrawals(picture)),
    makePhase(node, 'merge', `Give back the copies of ${volumes.join(', ')}`, merges),
    makePhase(node, 'clear', 'Remove what marked the split', [
      ...possible.flatMap(({ clears = [] }) => clears),
      ...orphans.flatMap(({ mountPoint }) => stanzaRemoval(mountPoint)),
      ...clearances(scene, repairs, orphans),
    ]),
  ];
  const restored = possible.flatMap((repair) => repair.intended ?? []);
  return {
    phases: phases.filter(({ script }) => script.steps.length > 0),
    volumes: volumes.toSorted(),
    problems,
    ...(restored.length > 0 ? { intended: restored } : {}),
  };
}

function marksOf(picture: LvmPicture): SplitMark[] {
  return picture.directories.flatMap((directory) => {
    const path = readOurPath(directory);
    return path?.kind === 'mark' ? [path] : [];
  });
}

function withdrawals(picture: LvmPicture): Explained[] {
  const ours = (mount: LvmPicture['mounts'][number]) => isOurMount(mount, picture);
  const mounted = picture.mounts.filter(ours).map(({ mountPoint }) => mountPoint);
  const foreign = picture.mounts.filter((mount) => !ours(mount)).map(({ mountPoint }) => mountPoint);
  const directories = [...new Set([...mounted, ...picture.directories])].filter(
    (path) => readOurPath(path)?.kind === 'copy' && !foreign.includes(path),
  );
  return [
    ...mounted.toReversed().map((path, index) => unmounting(`${index + 1}${shortOf(path)}`, path)),
    ...directories.sort().map((path) => directoryRemoval(shortOf(path), path)),
  ];
}

/** Stanzas of ours whose volume is another node's now, or gone: a takeover leaves them behind. */
function orphanedStanzas({ picture, volumes }: Scene): OurStanza[] {
  return picture.stanzas.filter(({ device }) => !volumes.some(({ name }) => `/dev/${name}` === device));
}

/** Marks go last, and stay where something is left to a person. */
function clearances({ picture, marks }: Scene, repairs: readonly Repair[], orphans: readonly OurStanza[]): Explained[] {
  const gone = orphans.map(({ mountPoint }) => mountPoint);
  const removed = new Set([
    ...gone,
    ...repairs.flatMap((repair) => (repair.kind === 'possible' ? repair.removes : [])),
  ]);
  const stays = new Set(['copy', 'stanza', 'group', 'snapshot']);
  const kept = new Set([
    ...repairs.flatMap((repair) => (repair.kind === 'refused' ? repair.runs : [])),
    ...picture.leftovers.flatMap(({ run, what, name }) => (stays.has(what) && !removed.has(name) ? [run] : [])),
  ]);
  const paths = [...gone, ...picture.directories];
  const runs = new Set(paths.flatMap((path) => readOurPath(path)?.run ?? []).filter((run) => !kept.has(run)));
  if (runs.size === 0) return kept.size === 0 && picture.directories.includes(markRoot) ? [rootRemoval()] : [];
  return clearing(
    marks.filter(({ run }) => runs.has(run)),
    [...runs],
  );
}

function shortOf(path: string): string {
  return path.slice(markRoot.length);
}

function makePhase(node: string, name: string, title: string, steps: readonly Explained[]): Phase {
  return phase({ name, node, title, undo: [] }, steps);
}
