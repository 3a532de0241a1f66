import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, renderSteps, type Script } from '@splitmirror/host';
import { z } from 'zod';
import { type Journal, openJournal } from '../run/journal.ts';
import { storeError, syncDirectory } from './durable.ts';
import { directoryOf } from './names.ts';
import type { Store } from './store.ts';

/** The record of a recovery while it is written. */
export interface StoredRecovery {
  readonly directory: string;
  readonly journal: Journal;
  /** Removes the record of a recovery that has found nothing to take back. */
  forget(): Promise<void>;
}

/** What a recovery of a group has found and taken back, for those who ask later. */
export interface RecoveryRecord {
  /** Id of the recovery itself. */
  readonly run: string;
  readonly group: string;
  readonly directory: string;
  /** UTC, ISO 8601. */
  readonly startedAt: string;
  /** `null` when the record breaks off: the recovery was killed, or is still at work. */
  readonly endedAt: string | null;
  /** `whole`, `stuck` or `busy`; `null` when the record breaks off. */
  readonly verdict: string | null;
  /** Who asked for it; `null` where nobody said. */
  readonly by: string | null;
  /** The process that did it. */
  readonly controller: { readonly host: string; readonly pid: number };
  /** A lock was to be taken whose holder could not be proved gone. */
  readonly breakLock: boolean;
  /** Node that held the group when it was asked for last; `null` when nobody provably did. */
  readonly node: string | null;
  /** Why that node was taken for the holder. */
  readonly evidence: readonly { readonly node: string; readonly source: string; readonly says: string }[];
  /** What of earlier runs was seen, one line each. */
  readonly found: readonly string[];
  /** What was done to take it back, in order. */
  readonly performed: readonly {
    readonly at: string;
    readonly node: string;
    readonly title: string;
    /** `done`, `failed`, `unknown`; `open` where the record breaks off. */
    readonly outcome: string;
    /** As typed. */
    readonly commands: readonly string[];
  }[];
  readonly problems: readonly { readonly code: string; readonly message: string; readonly remedy: string }[];
}

/** Ending of the directories' names: no backup is in them, and whatever lists or removes backups passes them over. */
const suffix = '.recovery';

/** Makes the directory of a recovery's record. */
export async function beginRecovery(parent: string, name: string): Promise<StoredRecovery> {
  const directory = join(parent, `${name}${suffix}`);
  await makeDirectory(directory);
  const journal = await openJournal(join(directory, 'journal.ndjson'));
  await syncDirectory(parent);
  await syncDirectory(dirname(parent));
  return { directory, journal, forget: () => rm(directory, { recursive: true, force: true }) };
}

/** The recoveries of a group, oldest first, and what stands there as one and cannot be read. */
export async function listRecoveries(
  { root }: Pick<Store, 'root'>,
  group: string,
): Promise<{ readonly recoveries: readonly RecoveryRecord[]; readonly unreadable: readonly string[] }> {
  const parent = directoryOf(root, group);
  const names = await readdir(parent).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw storeError(parent, error);
  });
  const directories = names.filter((name) => name.endsWith(suffix)).toSorted();
  const read = await Promise.all(
    directories.map(async (name) => {
      const directory = join(parent, name);
      try {
        return recoveryOf(await readFile(join(directory, 'journal.ndjson'), 'utf8'), directory);
      } catch {
        return directory;
      }
    }),
  );
  return {
    recoveries: read.filter((each) => typeof each !== 'string'),
    unreadable: read.filter((each) => typeof each === 'string'),
  };
}

/**
 * The recovery that found everything whole after a run had begun: nothing is left of that one. Pure.
 *
 * @param recoveries Oldest first, as {@link listRecoveries} gives them.
 * @param begunAt UTC, ISO 8601; to the second, as the name of a run's directory tells it.
 */
export function recoveryAfter<R extends Pick<RecoveryRecord, 'startedAt' | 'verdict'>>(
  recoveries: readonly R[],
  begunAt: string,
): R | undefined {
  const second = (at: string) => at.slice(0, '2026-01-01T00:00:00'.length);
  return recoveries.find(({ verdict, startedAt }) => verdict === 'whole' && second(startedAt) > second(begunAt));
}

/** Days for which the record of a recovery is kept at least: an auditor asks for a year. */
const recordDays = 366;

/**
 * Records of recoveries that nobody needs any more: older than a year, and than every backup that stays. Pure. The newest one
 * stays, so does one that broke off, and one that needed a person as long as no later recovery has found the mirror whole.
 *
 * @param recoveries Oldest first, as {@link listRecoveries} gives them.
 * @param keptSince When the oldest backup that stays was made; `undefined` where none stays.
 */
export function expiredRecoveries<R extends Pick<RecoveryRecord, 'startedAt' | 'verdict'>>(
  recoveries: readonly R[],
  keptSince: string | undefined,
  now: Date,
): R[] {
  const aYearAgo = new Date(now.getTime() - recordDays * 86_400_000).toISOString();
  const before = keptSince === undefined || keptSince > aYearAgo ? aYearAgo : keptSince;
  const lastWhole = recoveries.findLastIndex(({ verdict }) => verdict === 'whole');
  return recoveries
    .slice(0, -1)
    .filter(({ startedAt, verdict }, index) => verdict !== null && index <= lastWhole && startedAt < before);
}

/**
 * Removes records of recoveries. Each loses its name first; what a crash leaves goes with the next removal of backups.
 *
 * @throws BackupError `STORE_UNUSABLE`
 */
export async function removeRecoveries(recoveries: readonly Pick<RecoveryRecord, 'directory'>[]): Promise<void> {
  for (const { directory } of recoveries) {
    const expired = `${directory.slice(0, -suffix.length)}.expired`;
    try {
      await rename(directory, expired);
      await rm(expired, { recursive: true, force: true });
    } catch (error) {
      // Another retention may have been faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeError(directory, error);
    }
  }
}

const problem = z.looseObject({ code: z.string(), message: z.string(), remedy: z.string() });
const outcomeKind = z.looseObject({ kind: z.string(), problem: problem.optional() });
/** The parts of the journal's lines that count here; they hold more. */
const line = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('recovery'),
    at: z.iso.datetime(),
    run: z.string(),
    group: z.string(),
    by: z.string().nullable(),
    controller: z.looseObject({ host: z.string(), pid: z.number() }),
    breakLock: z.boolean(),
  }),
  z.looseObject({
    kind: z.literal('intent'),
    at: z.iso.datetime(),
    effect: z.looseObject({
      kind: z.string(),
      node: z.string().optional(),
      phase: z
        .looseObject({ node: z.string(), title: z.string(), script: z.custom<Script>((value) => value !== undefined) })
        .optional(),
    }),
  }),
  z.looseObject({
    kind: z.literal('outcome'),
    at: z.iso.datetime(),
    of: z.string(),
    standing: z
      .looseObject({
        kind: z.string(),
        node: z.string().optional(),
        evidence: z.array(z.looseObject({ node: z.string(), source: z.string(), says: z.string() })),
      })
      .optional(),
    looked: z
      .looseObject({
        picture: z
          .looseObject({
            node: z.string(),
            leftovers: z.array(z.looseObject({ run: z.string(), what: z.string(), name: z.string() })),
            stalePartitions: z.number(),
          })
          .optional(),
      })
      .optional(),
    reading: z
      .looseObject({
        kind: z.string(),
        holders: z.array(z.looseObject({ run: z.string(), since: z.string() })).optional(),
        debt: z.boolean().optional(),
      })
      .optional(),
    result: outcomeKind.optional(),
    outcome: outcomeKind.optional(),
  }),
  z.looseObject({
    kind: z.literal('end'),
    at: z.iso.datetime(),
    verdict: z.looseObject({
      kind: z.string(),
      problem: problem.optional(),
      problems: z.array(problem).optional(),
    }),
  }),
]);
type Line = z.infer<typeof line>;

/**
 * Reads the journal of a recovery. A last line without its end is left out: a killed recovery may leave one.
 *
 * @throws SyntaxError or ZodError when it is none.
 */
function recoveryOf(text: string, directory: string): RecoveryRecord {
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((each) => line.parse(JSON.parse(each)));
  const [head] = lines;
  if (head?.kind !== 'recovery') throw new SyntaxError('it does not begin with the recovery');
  const outcomes = lines.filter((each) => each.kind === 'outcome');
  const standing = outcomes.findLast(({ standing: said }) => said?.kind === 'held')?.standing;
  const end = lines.find((each) => each.kind === 'end');
  const { run, group, by, controller, breakLock, at } = head;
  return {
    ...{ run, group, directory, by, breakLock, startedAt: at },
    controller: { host: controller.host, pid: controller.pid },
    endedAt: end?.at ?? null,
    verdict: end?.verdict.kind ?? null,
    node: standing?.node ?? null,
    evidence: standing?.evidence ?? [],
    found: [...new Set(outcomes.flatMap(seenIn))],
    performed: performedIn(lines),
    problems: [...(end?.verdict.problems ?? []), ...(end?.verdict.problem === undefined ? [] : [end.verdict.problem])],
  };
}

function seenIn({ looked, reading }: Extract<Line, { kind: 'outcome' }>): string[] {
  const picture = looked?.picture;
  return [
    ...(picture?.leftovers ?? []).map(({ run, what, name }) => `${picture?.node}: ${what} ${name} of run ${run}`),
    ...((picture?.stalePartitions ?? 0) > 0 ? [`${picture?.node}: stale partitions`] : []),
    ...(reading?.holders ?? []).map(({ run, since }) => `lock of run ${run} since ${since}`),
    ...(reading?.kind === 'unreadable' ? ['a lock that cannot be read'] : []),
    ...(reading?.debt === true ? ['note of a suspended application'] : []),
  ];
}

/** Everything that changes something but the recovery's own lock. */
function performedIn(lines: readonly Line[]): RecoveryRecord['performed'] {
  return lines.flatMap((intent, index) => {
    if (intent.kind !== 'intent') return [];
    const { kind, phase, node = phase?.node ?? '' } = intent.effect;
    const title = phase?.title ?? titles[kind];
    if (title === undefined) return [];
    const next = lines[index + 1];
    const said = next?.kind === 'outcome' ? (next.outcome ?? next.result) : undefined;
    const commands = phase === undefined ? [] : renderSteps(phase.script);
    return [{ at: intent.at, node, title, outcome: said?.kind ?? 'open', commands }];
  });
}

const titles: Readonly<Record<string, string>> = {
  'break-lock': 'Break a lock that cannot be read',
  'pay-debt': 'Resume the application that was suspended',
};
