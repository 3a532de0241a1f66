import { changes } from '@splitmirror/host';
import { argvOf, type Court, textOf } from '../court.ts';
import { extentsOf, printMapFile } from '../picture/extents.ts';
import { copyPath, type SplitMark, splitMark } from '../picture/marks.ts';
import { addMappedCopy, makeVolume, removeCopies } from '../plan/copies.ts';
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
  vfsOf,
  whole,
} from '../plan/needs.ts';
import { type Explained, lateNews, seconds } from '../plan/steps.ts';
import type { Need, Split, Strategy } from '../plan/strategy.ts';
import { mapVolume, parseVolumeMap } from '../readers/volumes.ts';
import { decideWith, expose, failures, prove, removal, secure, settle, withdraw } from './reduced-copies.ts';
import { recover } from './reduced-recovery.ts';

/** From AIX 7.2 TL1 on, storage may be told to reclaim partitions that LVM frees. */
const firstReclaiming = 70_201;

const notReclaimed: Need = ({ level, group, settings }) =>
  settings.spaceReclamation === 'ruled-out' ||
  (level !== null && level.release * 100 + level.technologyLevel < firstReclaiming)
    ? null
    : {
        code: 'SPACE_RECLAMATION',
        message:
          'from AIX 7.2 TL1 on, or where the level is not known, freed partitions may be reclaimed before they are used again',
        seen: level === null ? 'oslevel -r gave no level' : `AIX ${level.release}-${level.technologyLevel}`,
        remedy: `See with "lvmstat -v ${group.name} -r" whether the storage reclaims space; rule it out in the settings only when no disk does.`,
      };

/** Whoever binds a new copy to a pool names no partitions, and the other way round. */
const unbound: Need = ({ volume: { name, map } }) =>
  map.some(({ pool }) => pool !== null)
    ? {
        code: 'MIRROR_POOLS',
        message: `the copies of ${name} are bound to mirror pools`,
        seen: map.map(({ copy, pool }) => `copy ${copy}: ${pool ?? 'None'}`).join('; '),
        remedy:
          'Take splitlvcopy. A protocol of mklvcopy with -m and -p together on this level would settle whether both may be given.',
      }
    : null;

/** `mklv` writes a control block: into the volume's first block, unless the group is scalable. */
const spareFirstBlock: Need = ({ volume, group }) =>
  vfsOf(volume) !== null || group.group.type === 'scalable'
    ? null
    : {
        code: 'FIRST_BLOCK',
        message: `mklv writes a control block into the first block of the copy of ${volume.name}, which its application may use`,
        seen: `volume group ${group.name} is ${group.group.type}`,
        remedy: `Take splitlvcopy. "getlvcb -AT ${volume.name}" showing a control block now would settle that the block is LVM's.`,
      };

/**
 * The redbook's way: take the copy away, and make a volume on exactly the partitions that it had. Between the two
 * commands the partitions are free, and no lock holds the window.
 */
export const mapSplit: Strategy = {
  name: 'map-split',
  letter: 'a',
  takeover: 'its volume goes on with the copies that are left; the new owner gives the missing one back',
  freezes: true,
  slots: 1,
  needs: [
    ownData,
    plainText('Back it up without a split.'),
    notStriped,
    mirrored,
    fresh,
    whole,
    spare,
    ownDisks,
    unbound,
    atRest,
    logWithin,
    spareFirstBlock,
    notReclaimed,
  ],
  decide: decideWith('a'),
  prepare: (splits) => splits.map((split) => mapFile(split, `Keep the map of the copy of ${split.volume} that goes`)),
  split: (splits) =>
    splits.flatMap((split): Explained[] => {
      const { run, volume, group, type, logicalPartitions, copy, copies, taken } = split;
      const disks = taken?.disks ?? [];
      const made = makeVolume({
        name: copy,
        group,
        type,
        logicalPartitions,
        mapFile: mapPath(split),
        // From the first moment it tells of which volume it is a copy.
        label: copyPath(run, volume),
      });
      return [
        [
          { id: `split:${volume}`, run: removeCopies(volume, copies - 1, disks), timeoutSeconds: seconds.split },
          `Drop the copy of ${volume} on ${disks.join(', ')}; ${copies - 1} of ${copies} stay.${lateNews(split)}`,
        ],
        [
          { id: `make:${copy}`, run: made, timeoutSeconds: seconds.split },
          `Make the volume ${copy} on exactly the partitions which that copy had.`,
        ],
      ];
    }),
  secure,
  expose,
  withdraw,
  rejoin: (splits) =>
    splits.flatMap((split): Explained[] => {
      const { volume, copy, copies } = split;
      return [
        mapFile(split, `Write the map of ${copy} again`),
        removal(copy),
        [
          {
            id: `add:${volume}`,
            run: addMappedCopy(volume, copies, mapPath(split)),
            timeoutSeconds: seconds.add,
            pays: [`remove:${copy}`],
            needs: [`remove:${copy}`],
          },
          `Give ${volume} its ${copies} copies again, on the same partitions as before; the new one is stale at first.`,
        ],
      ];
    }),
  settle: (splits, resync) => [
    ...settle(splits, resync),
    ...splits.map(
      ({ volume }): Explained => [
        { id: `partitions:${volume}`, run: mapVolume(volume), timeoutSeconds: seconds.query },
        `See that the copy of ${volume} lies where it lay.`,
      ],
    ),
  ],
  clear: (marks) =>
    marks
      .filter(({ letter }) => letter === 'a')
      .map(
        (mark): Explained => [
          {
            id: `rm:${mark.run}/${mark.volume}`,
            run: changes('rm', '-f', mapPath(mark)),
            timeoutSeconds: seconds.directory,
          },
          `Remove the map of the copy of ${mark.volume}.`,
        ],
      ),
  takes: ([program]) => program === 'rmlvcopy',
  failures: {
    ...failures,
    rmlvcopy: ['SPLIT_FAILED', 'The message tells why LVM refused: mend that before the next split.'],
    mklv: ['SPLIT_FAILED', 'Its partitions may have been taken meanwhile: see with "lsvg -p" what is free.'],
  },
  proofs: [prove, provePartitions],
  recover,
};

/** The map file lies in the mark's directory, and so goes with it. */
function mapPath({ run, volume, copies }: Pick<SplitMark, 'run' | 'volume' | 'copies'>): string {
  return `${splitMark({ run, volume, copies, letter: 'a' })}/map`;
}

function mapFile(split: Split, what: string): Explained {
  const text = printMapFile(split.taken?.extents ?? []);
  const path = mapPath(split);
  return [
    { id: `map:${split.volume}`, run: changes('tee', path), stdin: text, timeoutSeconds: seconds.directory },
    `${what} in ${path}: ${text.trim().split('\n').join(', ')}.`,
  ];
}

/** After the merge some copy lies exactly on the partitions of the map. */
function provePartitions({ phase, results, facts, refuse }: Court): void {
  for (const step of phase.script.steps) {
    const [program, option, volume] = argvOf(step);
    if (program !== 'lslv' || option !== '-m' || volume === undefined) continue;
    const wanted = phase.script.steps.find(({ id }) => id === `map:${volume}`)?.stdin;
    const { partitions } = parseVolumeMap(textOf(results.get(step.id)));
    const found = [0, 1, 2].map((copy) => printMapFile(extentsOf(partitions.flatMap((row) => row[copy] ?? []))));
    if (wanted !== undefined && found.includes(wanted)) {
      facts[`partitions of ${volume}`] = wanted.trim().split('\n').join(' ');
    } else {
      const seen = found.filter(Boolean).map((text) => text.trim().split('\n').join(' '));
      refuse(
        'PARTITIONS_MOVED',
        `no copy of ${volume} lies where the one lay that was split`,
        seen.join('; '),
        'Look at "lslv -m"; the content is whole.',
      );
    }
  }
}
