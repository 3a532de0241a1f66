import { changes } from '@splitmirror/host';
import { copyPath, snapshotGroupName } from '../picture/marks.ts';
import { atRest, logWithin, mirror, ownData, plainText, since, vfsOf } from '../plan/needs.ts';
import {
  copyDirectory,
  copyMount,
  type Explained,
  fileSystemCheck,
  lateNews,
  query,
  seconds,
  withdrawal,
} from '../plan/steps.ts';
import type { Split, Strategy } from '../plan/strategy.ts';
import { listDisks } from '../readers/volume-groups.ts';
import { listVolumes } from '../readers/volumes.ts';
import { separable, separatedName, separationOf, spareEverywhere, wholeCopy } from './separation.ts';
import { prove } from './separation-proof.ts';
import { recover } from './separation-recovery.ts';
import { directoryRemovals, groupSynchronisation, joining, traces, variation } from './separation-steps.ts';

/**
 * `splitvg`: the disks of one copy leave as a volume group of their own, all volumes at one instant. LVM notes what changes
 * meanwhile, and `joinvg` copies only that. Until then the volumes count as stale, and the group has fewer disks.
 */
export const splitvg: Strategy = {
  name: 'splitvg',
  letter: 'e',
  takeover:
    'other nodes do not know the snapshot volume group, and its disks are missing there: the new owner has to join it, where it can',
  freezes: true,
  slots: 0,
  needs: [
    ownData,
    plainText('Back it up without a split; what splitvg does with keys is not known.'),
    ...mirror,
    separable,
    wholeCopy,
    spareEverywhere,
    atRest,
    logWithin,
    since(502, 'AIX 5.2'),
  ],
  decide({ volume, group }, { run }) {
    const { name, copies, map, logicalPartitions } = volume;
    const separation = separationOf(group);
    return {
      copy: separatedName(name),
      taken: map.find(({ copy }) => copy === separation?.copy) ?? null,
      path: vfsOf(volume) === null ? `/dev/r${separatedName(name)}` : copyPath(run, name),
      copiesLeft: copies - 1,
      partitionsToResync: logicalPartitions,
      ...(separation === null ? {} : { separation }),
    };
  },
  split: (splits) =>
    groupsOf(splits).map((split): Explained => {
      const { group, separation } = split;
      const made = snapshotGroupOf(split);
      const names = separation?.volumes.map(({ name }) => name).join(', ');
      const disks = separation?.disks.join(', ');
      return [
        {
          id: `split:${group}`,
          run: changes('splitvg', '-y', made, '-c', String(separation?.copy), group),
          timeoutSeconds: seconds.split,
        },
        `Let ${disks} leave ${group} as ${made}, with copy ${separation?.copy} of ${names}; from now on these count as stale, and ${group} has fewer disks for its quorum.${lateNews(split)}`,
      ];
    }),
  secure: (splits) => [
    ...groupsOf(splits).flatMap((split): Explained[] => {
      const { group, separation } = split;
      const made = snapshotGroupOf(split);
      return [
        ...(separation?.variesOn ? [variation(made)] : []),
        [
          { id: `separated:${made}`, run: listVolumes(made), timeoutSeconds: seconds.query },
          `See that ${made} has a copy of every volume of ${group}.`,
        ],
        [
          { id: `disks:${group}`, run: listDisks(group), timeoutSeconds: seconds.query },
          `See that ${separation?.disks.join(', ')} have left ${group}.`,
        ],
      ];
    }),
    ...splits.flatMap(checks),
  ],
  expose: (splits) => [
    ...splits.flatMap(checks),
    ...splits.flatMap(({ run, volume, copy, path, fileSystem }): Explained[] =>
      fileSystem === null
        ? []
        : [
            ...(fileSystem.checked ? fileSystemCheck(`/dev/${copy}`, copy) : []),
            copyDirectory(run, volume),
            copyMount(`/dev/${copy}`, copy, path, fileSystem.vfs),
          ],
    ),
  ],
  withdraw: (splits) =>
    splits.flatMap(({ run, volume, fileSystem }) => (fileSystem === null ? [] : withdrawal(run, volume))),
  rejoin: (splits) => groupsOf(splits).map((split) => joining(split.group, snapshotGroupOf(split))),
  settle: (splits, resync) => [
    ...groupsOf(splits).map(({ group }) => groupSynchronisation(group, resync)),
    ...splits.map(({ volume }) => query(`check:${volume}`, volume, `See that ${volume} is in step again.`)),
    ...traces(groupsOf(splits).map(snapshotGroupOf)),
    ...directoryRemovals(
      groupsOf(splits).flatMap(({ separation }) => separation?.volumes.map(({ mountPoint }) => mountPoint) ?? []),
    ),
  ],
  takes: ([program]) => program === 'splitvg',
  failures: {
    splitvg: ['SPLIT_FAILED', 'The message tells why LVM refused; joinvg takes back what was split in part.'],
    joinvg: ['MERGE_FAILED', 'See with "lsvg -l" and "fuser -cu" who still holds the copies open.'],
    varyonvg: ['SPLIT_FAILED', 'The message tells why LVM refused: mend that before the next split.'],
  },
  proofs: [prove],
  recover,
};

/** The first split of each group stands for all of them. */
function groupsOf(splits: readonly Split[]): Split[] {
  return splits.filter(({ group }, position) => splits.findIndex((other) => other.group === group) === position);
}

function snapshotGroupOf({ run, index }: Pick<Split, 'run' | 'index'>): string {
  return snapshotGroupName(run, index);
}

function checks({ volume, copy }: Split): Explained[] {
  return [
    query(`check:${volume}`, volume, `Read the identifier of ${volume}.`),
    query(`split-off:${copy}`, copy, `See that ${copy} is as large, and a volume of its own.`),
  ];
}
