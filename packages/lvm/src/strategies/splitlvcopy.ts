import { splitCopy, splitEncryptedCopy } from '../plan/copies.ts';
import {
  atRest,
  fresh,
  logWithin,
  mirrored,
  notStriped,
  ownData,
  ownDisks,
  plainText,
  spare,
  whole,
} from '../plan/needs.ts';
import { type Explained, lateNews, seconds } from '../plan/steps.ts';
import type { Need, Strategy } from '../plan/strategy.ts';
import {
  decideWith,
  expose,
  failures,
  lastOfPools,
  prove,
  rejoin,
  secure,
  settle,
  withdraw,
} from './reduced-copies.ts';
import { recover } from './reduced-recovery.ts';

/** What AIX 7.3 brought: an encrypted volume can be split, and its copy keeps the method of the key server. */
const plainTextBefore73: Need = (subject) =>
  (subject.level?.release ?? 0) >= 703
    ? null
    : plainText('Back it up without a split; splitlvcopy splits encrypted volumes from AIX 7.3 on.')(subject);

/** `splitlvcopy` moves one copy into a volume of its own: the way for JFS2 and for volumes without a file system. */
export const splitlvcopy: Strategy = {
  name: 'splitlvcopy',
  letter: '',
  takeover: 'its volume goes on with the copies that are left; the new owner gives the missing one back',
  freezes: true,
  slots: 1,
  needs: [
    ownData,
    plainTextBefore73,
    notStriped,
    mirrored,
    fresh,
    whole,
    spare,
    ownDisks,
    lastOfPools,
    atRest,
    logWithin,
  ],
  decide: decideWith(''),
  split: (splits) =>
    splits.map((split): Explained => {
      const { volume, copy, copies, taken, encrypted } = split;
      const disks = taken?.disks ?? [];
      const command = (encrypted ? splitEncryptedCopy : splitCopy)(volume, copy, copies - 1, disks);
      const keys = encrypted ? ' It keeps the method of the key server; with any other it cannot be mounted.' : '';
      return [
        { id: `split:${volume}`, run: command, timeoutSeconds: seconds.split },
        `Move the copy of ${volume} on ${disks.join(', ')} into the volume ${copy}; ${copies - 1} of ${copies} stay.${keys}${lateNews(split)}`,
      ];
    }),
  secure,
  expose,
  withdraw,
  rejoin,
  settle,
  takes: ([program]) => program === 'splitlvcopy',
  failures: {
    ...failures,
    splitlvcopy: ['SPLIT_FAILED', 'The message tells why LVM refused: mend that before the next split.'],
  },
  proofs: [prove],
  recover,
};
