import { changes, reads } from '@splitmirror/host';
import { copyName, copyPath } from '../picture/marks.ts';
import { ownData, since } from '../plan/needs.ts';
import { copyDirectory, type Explained, lateNews, seconds, withdrawal } from '../plan/steps.ts';
import type { Split, Strategy } from '../plan/strategy.ts';
import { listSnapshots, type SnapshotAddress, takeSnapshot } from '../readers/snapshots.ts';
import { mountedJfs2, noOthers, oneInstant, partitionsFor, placeOf, room } from './snapshot-needs.ts';
import { prove } from './snapshot-proof.ts';
import { recover, removal } from './snapshot-recovery.ts';

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
    snapshot: ['SNAPSHOT_FAILED', 'The message tells why AIX refused: mend that before the next split.'],
  },
  proofs: [prove],
  recover,
};

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

function addressOf({ copy, snapshot }: Pick<Split, 'copy' | 'snapshot'>): SnapshotAddress {
  return snapshot?.kind === 'internal' ? { name: copy } : { device: `/dev/${copy}` };
}

function listing(split: Split): Explained {
  const mountPoint = mountPointOf(split);
  return [
    { id: `snapshot:${split.copy}`, run: listSnapshots(mountPoint), timeoutSeconds: seconds.query },
    `See which snapshots ${mountPoint} has, and that none has run out of room.`,
  ];
}
