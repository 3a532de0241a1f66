import { changes, reads } from '@splitmirror/host';
import { removeVolume } from '../copies.ts';
import { argvOf, type Court, textOf } from '../court.ts';
import { isUsedElsewhere } from '../leftovers.ts';
import { copyName, copyPath, readCopyName } from '../marks.ts';
import { ownData, since, vfsOf } from '../needs.ts';
import type { VolumeView } from '../picture.ts';
import { dropSnapshot, listSnapshots, parseSnapshots, type SnapshotList, takeSnapshot } from '../snapshots.ts';
import { copyDirectory, type Explained, lateNews, seconds, withdrawal } from '../steps.ts';
import type { Need, Repair, Scene, SnapshotPlace, Split, Strategy, Subject } from '../strategy.ts';

/** Size of the volume of an external snapshot, in percent of the volume that it is taken of. */
const usualPercent = 20;

const mountedJfs2: Need = ({ volume }) => {
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
const noOthers: Need = ({ volume: { name, fileSystem }, snapshots }) => {
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
const room: Need = (subject) => {
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
const oneInstant: Need = ({ asked, suspended }) =>
  asked.length > 1 && !suspended
    ? {
        code: 'NOT_ONE_INSTANT',
        message:
          'snapshots of several file systems are taken one after the other, and nothing brings the application to rest',
        seen: asked.join(', '),
        remedy: 'Give steps that suspend the application, or ask for one file system at a time.',
      }
    : null;

/**
 * A JFS2 snapshot: what is overwritten is saved before, on a volume made for it or within the file system. No mirror is
 * needed, and none is relieved of reads; a disk that dies meanwhile takes the snapshot along.
 */
export const snapshot: Strategy = {
  name: 'snapshot',
  letter: 'f',
  takeover: 'the snapshot travels with its file system and is as good as before; the new owner removes it',
  freezes: false,
  slots: 1,
  needs: [ownData, mountedJfs2, noOthers, room, oneInstant, since(502, 'AIX 5.2')],
  decide(subject, { run, index }) {
    const { name, copies, fileSystem } = subject.volume;
    const copy = copyName({ run, copies, index, letter: 'f' });
    const place = placeOf(subject) ?? { kind: 'external', logicalPartitions: partitionsFor(subject) };
    return {
      copy,
      taken: null,
      path: place.kind === 'internal' ? internalPath(fileSystem?.mountPoint ?? '', copy) : copyPath(run, name),
      copiesLeft: copies,
      partitionsToResync: 0,
      snapshot: place,
    };
  },
  prepare: (splits) =>
    external(splits).map((split): Explained => {
      const { copy, group, volume, logicalPartitions } = split;
      return [
        {
          id: `make:${copy}`,
          run: changes('mklv', '-y', copy, '-t', 'jfs2', group, String(logicalPartitions)),
          timeoutSeconds: seconds.split,
        },
        `Make the volume ${copy}, for what is overwritten of ${volume} meanwhile.${lateNews(split)}`,
      ];
    }),
  split: (splits) =>
    splits.map((split): Explained => {
      const { volume, copy } = split;
      const mountPoint = mountPointOf(split);
      return [
        { id: `split:${volume}`, run: takeSnapshot(mountPoint, addressOf(split)), timeoutSeconds: seconds.split },
        `Take a snapshot of ${mountPoint} ${split.snapshot?.kind === 'internal' ? `within it, as ${copy}` : `on ${copy}`}.`,
      ];
    }),
  secure: (splits) => splits.map(listing),
  expose: (splits) => [
    ...splits.map(listing),
    ...external(splits).flatMap(({ run, volume, copy, path }): Explained[] => [
      copyDirectory(run, volume),
      [
        {
          id: `mount:${copy}`,
          run: changes('mount', '-v', 'jfs2', '-o', 'snapshot', `/dev/${copy}`, path),
          timeoutSeconds: seconds.mount,
        },
        `Mount the snapshot ${copy}. No stanza is made: nothing is left that a takeover would mount.`,
      ],
    ]),
    ...internal(splits).map(
      ({ volume, path }): Explained => [
        { id: `directory:${volume}`, run: reads('test', '-d', path), timeoutSeconds: seconds.directory },
        `See that the snapshot is there, in ${path}.`,
      ],
    ),
  ],
  // First of all: was there room for everything that was overwritten while it was read?
  withdraw: (splits) => [
    ...splits.map(listing),
    ...external(splits).flatMap(({ run, volume }) => withdrawal(run, volume)),
  ],
  rejoin: (splits) => splits.map((split) => removal(split.copy, mountPointOf(split), addressOf(split))),
  settle: (splits) => splits.map(listing),
  takes: ([program, option]) => program === 'snapshot' && option === '-o',
  failures: {
    snapshot: ['SNAPSHOT_FAILED', 'Recover; the message tells why AIX refused.'],
  },
  proofs: [prove],
  recover,
};

/** An external one where there is room, since then only the snapshot suffers when it runs full, and not the application. */
function placeOf(subject: Subject): SnapshotPlace | null {
  const { volume, group, asked } = subject;
  const logicalPartitions = partitionsFor(subject);
  // All volumes of the request may be on this group, and as large.
  if (group.group.freePartitions >= logicalPartitions * asked.length) return { kind: 'external', logicalPartitions };
  return volume.fileSystem?.internalSnapshots ? { kind: 'internal' } : null;
}

function partitionsFor({ volume, settings }: Subject): number {
  return Math.max(1, Math.ceil((volume.logicalPartitions * (settings.snapshotPercent ?? usualPercent)) / 100));
}

function external(splits: readonly Split[]): Split[] {
  return splits.flatMap((split) =>
    split.snapshot?.kind === 'external' ? [{ ...split, logicalPartitions: split.snapshot.logicalPartitions }] : [],
  );
}

function internal(splits: readonly Split[]): Split[] {
  return splits.filter((split) => split.snapshot?.kind === 'internal');
}

function internalPath(mountPoint: string, name: string): string {
  return `${mountPoint === '/' ? '' : mountPoint}/.snapshot/${name}`;
}

function mountPointOf({ fileSystem }: Split): string {
  return fileSystem?.mountPoint ?? '';
}

type Address = { readonly device: string } | { readonly name: string };

function addressOf({ copy, snapshot }: Pick<Split, 'copy' | 'snapshot'>): Address {
  return snapshot?.kind === 'internal' ? { name: copy } : { device: `/dev/${copy}` };
}

function listing(split: Split): Explained {
  const mountPoint = mountPointOf(split);
  return [
    { id: `snapshot:${split.copy}`, run: listSnapshots(mountPoint), timeoutSeconds: seconds.query },
    `See which snapshots ${mountPoint} has, and that none has run out of room.`,
  ];
}

function removal(copy: string, mountPoint: string, address: Address): Explained {
  const what = 'device' in address ? ' and its volume' : '';
  return [
    { id: `remove:${copy}`, run: dropSnapshot(mountPoint, address), timeoutSeconds: seconds.remove },
    `Remove the snapshot ${copy}${what}.`,
  ];
}

/** Until it is removed the snapshot is listed, with room; then it is not. */
function prove(court: Court): void {
  const { phase, results, facts, refuse } = court;
  const removed = phase.script.steps.flatMap((step) => {
    const [program, option] = argvOf(step);
    return program === 'snapshot' && option === '-d' ? [step.id.replace(/^remove:/, '')] : [];
  });
  for (const step of phase.script.steps) {
    const name = step.id.replace(/^snapshot:/, '');
    if (name === step.id || argvOf(step)[0] !== 'snapshot') continue;
    const mountPoint = argvOf(step).at(-1) ?? '';
    const list = parseSnapshots(textOf(results.get(step.id))).find((each) => each.mountPoint === mountPoint);
    const found = list?.snapshots.find((each) => nameOf(each.name) === name);
    const seen = list?.snapshots.map((each) => each.name).join(', ') || 'no snapshots';
    if (removed.includes(name)) {
      if (list === undefined || found !== undefined) {
        refuse('MERGE_NOT_PROVED', `the snapshot ${name} is still there`, seen, 'Recover.');
      }
    } else if (found === undefined) {
      refuse('SPLIT_NOT_PROVED', `${mountPoint} has no snapshot ${name}`, seen, 'Recover.');
    } else if (list?.kind === 'external' && found.freeBlocks === null) {
      const remedy = 'What was read of it is worth nothing. Recover, and give the next one more room.';
      refuse('SNAPSHOT_LOST', `the snapshot ${name} has run out of room`, 'no free blocks', remedy);
    } else {
      facts[`snapshot ${name} of ${mountPoint}`] = list?.kind === 'external' ? `${found.freeBlocks} free` : 'internal';
    }
  }
}

/** Name of a snapshot as we gave it: of an external one the name of its volume. */
function nameOf(listed: string): string {
  return listed.replace(/^\/dev\//, '');
}

/** Snapshots of ours go, oldest first; volumes made for one that was never taken too. */
function recover(scene: Scene): Repair[] {
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
function neverTaken({ name, group }: VolumeView, { volumes, picture, refuse }: Scene): Repair {
  const runs = [readCopyName(name)?.run ?? ''];
  const unknown = volumes.filter(
    (volume) =>
      volume.group === group &&
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

function possible(runs: readonly string[], name: string, step: Explained): Repair {
  return { kind: 'possible', runs, volumes: [], removes: [name], thaws: [], rejoins: [step], settles: [] };
}
