import { changes } from '@splitmirror/host';
import { type Court, commandsOf, findOutWhy, volumeAt } from '../court.ts';
import { copyName, copyPath, readCopyName, readOurPath, type StrategyLetter } from '../picture/marks.ts';
import type { CopyView, OurStanza, VolumeView } from '../picture/picture.ts';
import { addCopies, labelVolume, type Resync, removeVolume } from '../plan/copies.ts';
import { apart, describeCopies, vfsOf } from '../plan/needs.ts';
import {
  copyDirectory,
  copyMount,
  type Explained,
  fileSystemCheck,
  query,
  seconds,
  synchronisation,
  withdrawal,
} from '../plan/steps.ts';
import type { Failure, Need, Split, Strategy } from '../plan/strategy.ts';

/*
 * What map-split and splitlvcopy have in common: the copy leaves its volume and is a volume of its own. `COPIES` goes
 * down, nothing is stale, and nobody keeps track of changes; the way back is to remove that volume, and to give its
 * partitions to the original as a new copy which is brought in step as a whole.
 */

export const letters: ReadonlySet<StrategyLetter> = new Set(['', 'a']);

export const failures: Readonly<Record<string, Failure>> = {
  umount: ['UNMOUNT_FAILED', 'See with "fuser -cu" who still reads the copy, and end it.'],
  mount: ['MOUNT_FAILED', 'The message tells of a dirty superblock or a missing log.'],
  fsck: ['COPY_NOT_CLEAN', 'The copy is no clean file system, whatever the reason: try again.'],
  mklvcopy: ['MERGE_FAILED', 'Look at the free partitions of the disks.'],
  rmlv: ['REMOVE_FAILED', 'See what holds the copy open.'],
  syncvg: ['SYNCHRONISE_FAILED', 'Look at the disks with "lsvg -p".'],
};

/** Copies bound to mirror pools: only the last one may go, since nobody knows how LVM numbers them otherwise. */
export const lastOfPools: Need = ({ volume: { name, copies, logicalPartitions, map } }) => {
  const last = goes(map);
  return copies > 1 && last !== undefined && isBound({ map }) && last.copy !== copies
    ? {
        code: 'MIRROR_POOLS',
        message: `copy ${last.copy} of ${name} would go, and its copies are bound to mirror pools`,
        seen: describeCopies(map, logicalPartitions),
        remedy:
          'Give the last copy disks of its own; how LVM numbers copies and pools when another one goes is not known.',
      }
    : null;
};

/** Whether its copies are bound to mirror pools. */
export function isBound({ map }: Pick<VolumeView, 'map'>): boolean {
  return map.some(({ pool }) => pool !== null);
}

/** The copy that goes: the last which has its disks for itself. */
function goes(map: readonly CopyView[]): CopyView | undefined {
  return apart(map).at(-1);
}

/** What is decided where a copy leaves the volume for one of its own, whose name bears this letter. */
export function decideWith(letter: StrategyLetter): Strategy['decide'] {
  return ({ volume }, { run, index }) => {
    const { name, copies, map, logicalPartitions } = volume;
    const copy = copyName({ run, copies, index, letter });
    return {
      copy,
      taken: goes(map) ?? null,
      path: vfsOf(volume) === null ? `/dev/r${copy}` : copyPath(run, name),
      copiesLeft: copies - 1,
      partitionsToResync: logicalPartitions,
    };
  };
}

/** Label and proof, in that order: a takeover must not mistake the copy for the original. */
export function secure(splits: readonly Split[]): Explained[] {
  return splits.flatMap(({ run, volume, copy }): Explained[] => [
    [
      { id: `label:${volume}`, run: labelVolume(copy, copyPath(run, volume)), timeoutSeconds: seconds.label },
      `Label ${copy} as ours, so that a takeover cannot mistake it for ${volume}.`,
    ],
    query(`check:${volume}`, volume, `See that ${volume} kept its other copies.`),
    query(`check:${copy}`, copy, `See that ${copy} is a whole copy and a volume of its own.`),
  ]);
}

/** Proof, check where the copy has its log within, mount. */
export function expose(splits: readonly Split[]): Explained[] {
  return [
    ...splits.flatMap(({ volume, copy }): Explained[] => [
      query(`check:${volume}`, volume, `Read the identifier of ${volume}.`),
      query(`check:${copy}`, copy, `Read identifier and label of ${copy}, which must be ours.`),
    ]),
    ...splits.flatMap(({ run, volume, copy, path, fileSystem }): Explained[] =>
      fileSystem === null
        ? []
        : [
            ...(fileSystem.checked ? fileSystemCheck(`/dev/${copy}`, copy) : []),
            copyDirectory(run, volume),
            copyMount(`/dev/${copy}`, copy, path, fileSystem.vfs),
          ],
    ),
  ];
}

/** Unmount the copies. They stay, with their names, until the merge. */
export function withdraw(splits: readonly Split[]): Explained[] {
  return splits.flatMap(({ run, volume, fileSystem }) => (fileSystem === null ? [] : withdrawal(run, volume)));
}

/**
 * Remove each copy and give its partitions back to its volume at once. Both travel in one script and the return is a
 * debt, so that no dead controller can come between them.
 */
export function rejoin(splits: readonly Split[]): Explained[] {
  return splits.flatMap(({ volume, copy, copies, taken }): Explained[] => [
    removal(copy),
    addition({ volume, copies, disks: taken?.disks ?? [], pool: taken?.pool ?? null }, [copy]),
  ]);
}

export function settle(splits: readonly Split[], resync: Resync): Explained[] {
  return [
    ...splits.map(({ volume }) => synchronisation(volume, resync)),
    ...splits.map(({ volume }) => query(`check:${volume}`, volume, `See that ${volume} has all its copies again.`)),
  ];
}

/** `rmlv` of a split copy. */
export function removal(copy: string): Explained {
  return [
    { id: `remove:${copy}`, run: removeVolume(copy), timeoutSeconds: seconds.remove },
    `Remove the volume ${copy}.`,
  ];
}

/** `rmfs` removes the volume and the stanza that names it. */
export function removalWithStanza(copy: string, stanza: OurStanza | undefined): Explained {
  if (stanza === undefined) return removal(copy);
  return [
    { id: `remove:${copy}`, run: changes('rmfs', stanza.mountPoint), timeoutSeconds: seconds.remove },
    `Remove the volume ${copy} and the stanza ${stanza.mountPoint}, which a takeover has made of its label.`,
  ];
}

interface Addition {
  readonly volume: string;
  readonly copies: number;
  readonly disks: readonly string[];
  readonly pool: string | null;
}

/** `mklvcopy` back to the intended total. After the removal of split copies it is owed. */
export function addition({ volume, copies, disks, pool }: Addition, removed: readonly string[]): Explained {
  const where = disks.length > 0 ? ` on ${disks.join(', ')}` : '';
  const step = { id: `add:${volume}`, run: addCopies(volume, copies, disks, pool), timeoutSeconds: seconds.add };
  const removals = removed.map((copy) => `remove:${copy}`);
  return [
    // A removal that failed leaves the copy where it is: then there is no room for another one.
    removals.length === 0 ? step : { ...step, pays: removals, needs: removals },
    `Give ${volume} its ${copies} copies again${where}; the new one is stale at first.`,
  ];
}

/** Every copy of the phase is a volume of its own, whole, and bears our label; every volume has the copies it should. */
export function prove(court: Court): void {
  for (const { id } of court.phase.script.steps) proveCopy(court, id);
  for (const words of commandsOf(court, 'splitlvcopy')) {
    const [volume, keep] = words.slice(words.indexOf('-y') + 2);
    proveReduced(court, volume, keep);
  }
  for (const [, volume, keep] of commandsOf(court, 'rmlvcopy')) proveReduced(court, volume, keep);
  for (const [, ...words] of commandsOf(court, 'mklvcopy')) {
    const [volume, total] = words[0]?.startsWith('-') ? words.slice(2) : words;
    proveMerged(court, volume, total);
  }
}

function proveCopy(court: Court, id: string): void {
  const { facts, refuse } = court;
  const copy = volumeAt(court, id);
  const path = copy?.label ? readOurPath(copy.label) : null;
  const named = readCopyName(id.replace(/^check:/, ''));
  if (copy === null || path?.kind !== 'copy') {
    if (named !== null && letters.has(named.letter)) {
      refuse('COPY_NOT_PROVED', `${id} shows no label of ours`, copy?.label ?? 'None', findOutWhy);
    }
    return;
  }
  const original = volumeAt(court, `check:${path.volume}`);
  if (original === null || original.identifier === null || original.identifier === copy.identifier) {
    const message = `${copy.name} is not another volume than ${path.volume}`;
    refuse('COPY_NOT_PROVED', message, copy.identifier ?? '?', findOutWhy);
  } else if (
    copy.logicalPartitions !== original.logicalPartitions ||
    copy.physicalPartitions !== copy.logicalPartitions
  ) {
    const seen = `LPs ${copy.logicalPartitions}, PPs ${copy.physicalPartitions} of ${original.logicalPartitions}`;
    refuse('COPY_INCOMPLETE', `${copy.name} is no whole copy of ${path.volume}`, seen, findOutWhy);
  } else if (copy.stalePartitions !== 0) {
    refuse('COPY_STALE', `${copy.name} has stale partitions`, `STALE PPs ${copy.stalePartitions}`, findOutWhy);
  } else {
    facts[`identifier of ${original.name}`] = original.identifier;
    facts[`identifier of ${copy.name}`] = copy.identifier ?? '';
  }
}

function proveReduced(court: Court, volume = '', keep = ''): void {
  const seen = volumeAt(court, `check:${volume}`)?.copies ?? null;
  if (seen === Number(keep)) return;
  const message = `${volume} has not the ${keep} copies that were to stay`;
  court.refuse('SPLIT_NOT_PROVED', message, `COPIES ${seen}`, findOutWhy);
}

function proveMerged(court: Court, volume = '', total = ''): void {
  const merged = volumeAt(court, `check:${volume}`);
  if (merged?.copies === Number(total)) {
    court.facts[`stale partitions of ${volume}`] = String(merged.stalePartitions);
  } else {
    const seen = `COPIES ${merged?.copies ?? 'unknown'}`;
    court.refuse('MERGE_NOT_PROVED', `${volume} has not its ${total} copies again`, seen, findOutWhy);
  }
}
