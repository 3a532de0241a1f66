import { type Court, commandsOf, findOutWhy, proveJoined, textOf, volumeAt } from '../court.ts';
import { isUsedElsewhere } from '../picture/leftovers.ts';
import { copyName, readCopyName } from '../picture/marks.ts';
import { joinOnline, removeChild, splitOnline } from '../plan/copies.ts';
import { atRest, mirror, ownData, plainText, raw, since } from '../plan/needs.ts';
import { type Explained, lateNews, query, seconds, synchronisation } from '../plan/steps.ts';
import type { Repair, Scene, Strategy } from '../plan/strategy.ts';
import { listVolumes, parseVolumes } from '../readers/volumes.ts';

/**
 * `chlvcopy` splits a copy off a volume without a file system while it stays one of its copies: LVM notes what changes
 * meanwhile, and only that is copied afterwards. Until then the volume counts as stale, and `syncvg` would overwrite
 * the split copy.
 */
export const chlvcopy: Strategy = {
  name: 'chlvcopy',
  letter: 'd',
  takeover: 'the mark and the child volume travel; the new owner takes both back and brings the volume in step',
  freezes: false,
  slots: 1,
  needs: [
    ownData,
    plainText('Back it up with its application at rest; chlvcopy refuses encrypted volumes.'),
    raw,
    ...mirror,
    atRest,
    since(403, 'AIX 4.3.3'),
  ],
  decide({ volume }, { run, index }) {
    const { copies, map, logicalPartitions } = volume;
    const copy = copyName({ run, copies, index, letter: 'd' });
    return {
      copy,
      taken: map.at(-1) ?? null,
      path: `/dev/r${copy}`,
      copiesLeft: copies - 1,
      partitionsToResync: logicalPartitions,
    };
  },
  split: (splits) =>
    splits.map((split): Explained => {
      const { volume, copy, copies, taken } = split;
      return [
        {
          id: `split:${volume}`,
          run: splitOnline(volume, taken?.copy ?? copies, copy),
          timeoutSeconds: seconds.split,
        },
        `Split copy ${taken?.copy} off ${volume}, readable as ${copy}; from now on ${volume} counts as stale.${lateNews(split)}`,
      ];
    }),
  // No label: it would be written into the copy's first block.
  secure: (splits) => splits.flatMap(({ volume, copy }) => checks(volume, copy)),
  expose: (splits) => splits.flatMap(({ volume, copy }) => checks(volume, copy)),
  withdraw: () => [],
  rejoin: (splits) => splits.map(({ volume, copy }) => joining(volume, copy)),
  settle: (splits, resync) => [
    ...splits.map(({ volume }) => synchronisation(volume, resync)),
    ...splits.map(({ volume }) => query(`check:${volume}`, volume, `See that ${volume} is in step again.`)),
    ...[...new Set(splits.map(({ group }) => group))].map(
      (group): Explained => [
        { id: `volumes:${group}`, run: listVolumes(group), timeoutSeconds: seconds.query },
        `See that no split copy is left in ${group}.`,
      ],
    ),
  ],
  takes: ([program, flag]) => program === 'chlvcopy' && flag === '-b',
  failures: {
    chlvcopy: ['SPLIT_FAILED', 'The message tells why LVM refused: mend that before the next split.'],
  },
  proofs: [prove],
  recover,
};

function checks(volume: string, copy: string): Explained[] {
  return [
    query(`check:${volume}`, volume, `See that ${volume} still counts all its copies.`),
    query(`check:${copy}`, copy, `See that ${copy} is as large, and a volume of its own.`),
  ];
}

function joining(volume: string, copy: string): Explained {
  return [
    { id: `remove:${copy}`, run: joinOnline(volume), timeoutSeconds: seconds.remove },
    `Take back the split of ${volume}; ${copy} goes, what changed meanwhile is stale.`,
  ];
}

function prove(court: Court): void {
  for (const step of court.phase.script.steps) {
    const copy = step.id.replace(/^check:/, '');
    const named = readCopyName(copy);
    if (named?.letter === 'd' && copy !== step.id) proveChild(court, copy, named.copies);
  }
  const joined = commandsOf(court, 'chlvcopy').filter(([, flag]) => flag === '-B');
  for (const words of joined) proveJoined(court, words.at(-1) ?? '');
  for (const { id } of court.phase.script.steps) {
    if (!id.startsWith('volumes:')) continue;
    const { volumes } = parseVolumes(textOf(court.results.get(id)));
    const left = volumes.filter(({ name }) => readCopyName(name)?.letter === 'd').map(({ name }) => name);
    if (left.length > 0) {
      court.refuse('MERGE_NOT_PROVED', 'chlvcopy did not remove the split copies', left.join(', '), findOutWhy);
    }
  }
}

/** How `lslv` shows a child's copies and states is not known: size and identifier are what is asked of it. */
function proveChild(court: Court, name: string, copies: number): void {
  const { phase, facts, refuse } = court;
  const child = volumeAt(court, `check:${name}`);
  const steps = phase.script.steps.map(({ id }) => id);
  const volume = steps[steps.indexOf(`check:${name}`) - 1]?.replace(/^check:/, '') ?? '';
  const original = volumeAt(court, `check:${volume}`);
  if (child === null || original === null) {
    refuse('COPY_NOT_PROVED', `${name} was not described`, `check:${name}`, findOutWhy);
  } else if (child.identifier === null || child.identifier === original.identifier) {
    refuse('COPY_NOT_PROVED', `${name} is not another volume than ${volume}`, child.identifier ?? '?', findOutWhy);
  } else if (child.logicalPartitions !== original.logicalPartitions) {
    const seen = `LPs ${child.logicalPartitions} of ${original.logicalPartitions}`;
    refuse('COPY_INCOMPLETE', `${name} is no whole copy of ${volume}`, seen, findOutWhy);
  } else if (original.copies !== copies) {
    refuse('SPLIT_NOT_PROVED', `${volume} does not count ${copies} copies`, `COPIES ${original.copies}`, findOutWhy);
  } else {
    facts[`identifier of ${volume}`] = original.identifier ?? '';
    facts[`identifier of ${name}`] = child.identifier;
  }
}

/** A child goes with `rmlv -B`; a mark of ours without one may hide a split that `chlvcopy` did not finish. */
function recover(scene: Scene): Repair[] {
  const children = scene.volumes.filter(({ name }) => readCopyName(name)?.letter === 'd');
  const repairs = children.map((child): Repair => {
    const run = readCopyName(child.name)?.run ?? '';
    if (isUsedElsewhere(child.name, scene.picture, scene.refuse)) return { kind: 'refused', runs: [run] };
    return {
      kind: 'possible',
      runs: [run],
      volumes: [],
      removes: [child.name],
      thaws: [],
      rejoins: [
        [
          { id: `remove:${child.name}`, run: removeChild(child.name), timeoutSeconds: seconds.remove },
          `Remove ${child.name} and the mark of its split; LVM begins to bring the copies in step.`,
        ],
      ],
      settles: [],
    };
  });
  // Which volume a child belongs to is not told: all that the run has marked are brought in step once the children are gone.
  const refused = new Set(repairs.flatMap((repair) => (repair.kind === 'refused' ? repair.runs : [])));
  const rest =
    refused.size === 0 ? scene : { ...scene, marks: scene.marks.filter(({ run }) => !refused.has(run)), intended: [] };
  return [...repairs, ...unfinished(rest, 'd', 'chlvcopy')];
}

/**
 * Volumes that a mark or a note of ours names, without any sign of a split: the mark of LVM is taken back in case there
 * is one, and they are brought in step. Where nothing is stale and only a note tells, there is nothing to do.
 */
export function unfinished(scene: Scene, letter: 'c' | 'd', strategy: 'splitcopy' | 'chlvcopy'): Repair[] {
  const marked = scene.marks.filter((mark) => mark.letter === letter);
  const names = new Set([
    ...marked.map(({ volume }) => volume),
    ...scene.intended.flatMap((note) => (note.strategy === strategy ? [note.volume] : [])),
  ]);
  return [...names].flatMap((name): Repair[] => {
    const volume = scene.volumes.find((candidate) => candidate.name === name);
    const runs = marked.flatMap(({ volume: other, run }) => (other === name ? [run] : []));
    if (volume === undefined || (runs.length === 0 && volume.stalePartitions === 0)) return [];
    return [
      {
        kind: 'possible',
        runs,
        volumes: [name],
        removes: [],
        thaws: [],
        rejoins: [
          [
            {
              id: `remove:${name}`,
              run: joinOnline(name),
              timeoutSeconds: seconds.remove,
              onFailure: 'continue',
            },
            `Take back the split of ${name}, should there be one; a refusal means that there is none.`,
          ],
        ],
        settles: [
          synchronisation(name, scene.resync),
          query(`check:${name}`, name, `See that ${name} is in step again.`),
        ],
      },
    ];
  });
}
