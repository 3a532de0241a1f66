import { changes } from '@splitmirror/host';
import { readSnapshotGroupName } from '../picture/marks.ts';
import type { ActiveGroup } from '../picture/picture.ts';
import { type Explained, possibleThaw, query, seconds } from '../plan/steps.ts';
import type { Repair, Scene } from '../plan/strategy.ts';
import { directoryRemovals, groupSynchronisation, joining, traces, variation } from './separation-steps.ts';

/**
 * The group is joined, whatever became of its split. A node that took it over and has never heard of the other group
 * cannot do that.
 */
export function recover(scene: Scene): Repair[] {
  const { picture, marks } = scene;
  const mine = marks.filter(({ letter }) => letter === 'e');
  const active = picture.groups.filter((view): view is ActiveGroup => view.kind === 'active');
  const present = new Set(scene.volumes.map(({ name }) => name));
  // Runs that have split volumes of groups which are no business of this recovery.
  const others = new Set(mine.flatMap(({ volume, run }) => (present.has(volume) ? [] : [run])));
  const handled = new Set<string>();
  return [...active.flatMap((view) => joins(view)), ...strays(), ...elsewhere()];

  /** Neither a relation nor a mark nor a note tells which group it was split off. */
  function strays(): Repair[] {
    const found = picture.snapshotGroups.filter((name) => !handled.has(name) && !others.has(runOf(name)));
    if (active.length === 0) return [];
    return found.map((name) => {
      const remedy = `See with "lspv" and "lsvg -p" where its disks are: "joinvg" the group that lacks them, or "exportvg ${name}" where none does.`;
      scene.refuse('SNAPSHOT_GROUP_STRAY', `it cannot be told off which volume group ${name} was split`, name, remedy);
      return { kind: 'refused', runs: [runOf(name)] };
    });
  }

  /** The group is another node's now: what splitvg has made on this one goes, unless the other group is known here. */
  function elsewhere(): Repair[] {
    const gone = mine.filter(({ volume }) => !present.has(volume));
    const runs = [...new Set(gone.map(({ run }) => run))];
    if (gone.length === 0 || picture.snapshotGroups.some((name) => runs.includes(runOf(name)))) {
      return [];
    }
    const paths = gone.map(({ volume }) => picture.markedFileSystems.find((each) => each.device === `/dev/${volume}`));
    const settles = directoryRemovals(paths.map((path) => path?.mountPoint ?? null));
    return [{ kind: 'possible', runs, volumes: [], removes: [], thaws: [], rejoins: [], settles }];
  }

  function joins(view: ActiveGroup): Repair[] {
    const names = new Set(view.volumes.map(({ name }) => name));
    const marked = mine.filter(({ volume }) => names.has(volume));
    const noted = scene.intended.some(({ volume, strategy }) => strategy === 'splitvg' && names.has(volume));
    const relation = readSnapshotGroupName(view.group.snapshotRelation ?? '') ? view.group.snapshotRelation : null;
    const runs = new Set(marked.map(({ run }) => run));
    const known = picture.snapshotGroups.filter(
      (name) => name === relation || runs.has(runOf(name)) || (noted && !others.has(runOf(name))),
    );
    for (const name of known) handled.add(name);
    // A mark on this node: splitvg was begun here, and joinvg takes back what it left undone.
    const begunHere = known.length === 0 && (relation === null ? runs.size > 0 : runs.has(runOf(relation)));
    for (const name of known) runs.add(runOf(name));
    if (relation !== null && !known.includes(relation) && !begunHere) {
      const remedy = `Bring the resource group back to the node that split it and recover there; or "importvg -n -y ${relation} DISK" with a disk of that group here, then recover.`;
      scene.refuse(
        'SNAPSHOT_GROUP_UNKNOWN',
        `this node does not know ${relation}, which was split off ${view.name}`,
        relation,
        remedy,
      );
      return [{ kind: 'refused', runs: [...runs, runOf(relation)] }];
    }
    // Where someone else has split the group, what is stale is theirs.
    const theirs = view.group.snapshotRelation !== relation;
    const stale = !theirs && view.volumes.some(({ stalePartitions }) => stalePartitions > 0);
    const made = known[0] ?? relation ?? undefined;
    if (made === undefined && runs.size === 0 && !(noted && stale)) return [];
    const joined = relation === null && isWhole(view);
    return [repair(view, { made, joined, begunHere: begunHere && !theirs, runs: [...runs], stale }, scene)];
  }
}

function runOf(made: string): string {
  return readSnapshotGroupName(made) ?? '';
}

/** All copies of everything lie on disks of the group. */
function isWhole({ volumes, disks }: ActiveGroup): boolean {
  const own = new Set(disks.map(({ name }) => name));
  return volumes.every(
    ({ map, copies, logicalPartitions }) =>
      map.length === copies &&
      map.every((copy) => copy.partitions === logicalPartitions && copy.disks.every((disk) => own.has(disk))),
  );
}

interface Separated {
  /** The group that was split off, as far as anything tells its name. */
  readonly made: string | undefined;
  /** This node began the split, and does not know the group that was to come of it. */
  readonly begunHere: boolean;
  /** It was joined already, by this node or another one. */
  readonly joined: boolean;
  readonly runs: readonly string[];
  readonly stale: boolean;
}

function repair(view: ActiveGroup, separated: Separated, { resync }: Scene): Repair {
  const { made, joined, runs, stale } = separated;
  const { name, volumes } = view;
  const mounted = volumes.filter(({ fileSystem }) => fileSystem?.mounted && fileSystem.vfs === 'jfs2');
  const checked = volumes.filter(({ copies }) => copies > 1);
  const rejoins = rejoinsOf(name, separated);
  return {
    kind: 'possible',
    runs,
    volumes: checked.map((volume) => volume.name),
    removes: made === undefined ? [] : [made],
    thaws:
      joined && made !== undefined ? [] : mounted.map(({ fileSystem }) => possibleThaw(fileSystem?.mountPoint ?? '')),
    rejoins,
    settles: [
      ...(rejoins.length > 0 || stale ? [groupSynchronisation(name, resync)] : []),
      ...checked.map((volume) => query(`check:${volume.name}`, volume.name, `See that ${volume.name} is in step.`)),
      ...(rejoins.length > 0 ? traces(made === undefined ? [] : [made]) : []),
      ...directoryRemovals(volumes.map(({ fileSystem }) => fileSystem?.mountPoint ?? null)),
    ],
  };
}

function rejoinsOf(group: string, { made, joined, begunHere }: Separated): Explained[] {
  if (joined) return made === undefined ? [] : [forgetting(made)];
  if (begunHere) return [joining(group, made ?? 'the copy')];
  return made === undefined ? [] : [variation(made, 'continue'), joining(group, made)];
}

/** Another node has joined the group meanwhile: what this one remembers of it is out of date. */
function forgetting(made: string): Explained {
  return [
    { id: `forget:${made}`, run: changes('exportvg', made), timeoutSeconds: seconds.split },
    `Forget ${made}: its disks are back.`,
  ];
}
