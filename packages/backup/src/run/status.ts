import { unlessAborted } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { GroupContents, Picture, Problem } from '../ports.ts';
import type { Looked } from './effects.ts';
import { groupLocked } from './group-locked.ts';
import { type Holder, type Liveness, type LockReading, notesDirectory } from './lock.ts';
import { type RunProgress, runsWithoutEnd } from './progress.ts';
import { locateHolder, lookAt, readLockOf } from './survey.ts';

/** What of ours is where, for one group. */
export interface GroupStatus {
  readonly node: string;
  /** Who is at work on the group now, and may be; `null` when nobody is. */
  readonly underWay: UnderWay | null;
  /** What no living process owns, each in one line: left by a run that is gone, or copies that lag behind. */
  readonly findings: readonly string[];
  /** What could not be seen, or cannot be told from here. */
  readonly problems: readonly Problem[];
}

/** A run that holds the lock of the group. */
export interface UnderWay {
  readonly run: string;
  /** `null` when this store knows nothing of it: it may be of another machine, or restore into the group. */
  readonly kind: RunProgress['kind'] | null;
  /** What it began last, as far as this store tells. */
  readonly step: string | null;
  /** UTC, ISO 8601. */
  readonly since: string;
  readonly controller: { readonly host: string; readonly pid: number };
  /** `unknown`: its process runs on another machine, or did, or gave up what may still write. */
  readonly liveness: 'alive' | 'unknown';
  /** What of it is on the nodes now, each in one line. */
  readonly holds: readonly string[];
}

/** What was seen of a group at one moment. */
interface Sighting {
  readonly node: string;
  readonly looked: Looked;
  /** `null` when nobody knows where it lies: the storage could not be read, or no file system is mounted. */
  readonly lock: LockReading | null;
  readonly liveness: Liveness;
  readonly others: readonly { readonly node: string; readonly looked: Looked }[];
  readonly progress: readonly RunProgress[];
}

/**
 * Says what of ours is on which node, and who is at work. Changes nothing. A store that cannot be read hides nothing of that: it
 * only knows of no run.
 *
 * @throws BackupError when nobody provably holds the group; the signal's reason when it has aborted.
 */
export function groupStatus(context: BackupContext, group: string, signal?: AbortSignal): Promise<GroupStatus> {
  return unlessAborted(signal, () => look(context, group, signal));
}

async function look(context: BackupContext, group: string, signal: AbortSignal | undefined): Promise<GroupStatus> {
  const { node, contents } = await locateHolder(context, group, signal);
  const looked = await lookAt(context, node, contents, signal);
  const notes = notesOf(looked, contents) ?? (await writtenNotes(context, group, looked));
  const { lock, liveness } =
    notes === null ? { lock: null, liveness: 'gone' as const } : await readLockOf(context, node, notes, signal);
  // What a run has just taken back was there when the storage was looked at, and its lock was not when that was read.
  const isOver = lock?.kind === 'free' && (looked.kind === 'failed' || hasMore(looked.picture));
  const others = context.cluster.nodes.filter((other) => other !== node);
  return judgeStatus({
    ...{ node, lock, liveness },
    looked: isOver ? await lookAt(context, node, contents, signal) : looked,
    others: await Promise.all(
      others.map(async (other) => ({ node: other, looked: await lookAt(context, other, contents, signal) })),
    ),
    progress: await knownRuns(context, group),
  });
}

/** What follows from what was seen. Pure. */
function judgeStatus({ node, looked, lock, liveness, others, progress }: Sighting): GroupStatus {
  const holder = lock?.kind === 'held' && liveness !== 'gone' ? lock.holder : null;
  // A recovery keeps the files of those whose runs it takes back, until it is done.
  const owners = new Set(lock?.kind === 'held' && holder !== null ? lock.holders.map(({ run }) => run) : []);
  const left = [{ node, looked }, ...others].flatMap(({ node: on, looked: seen }) =>
    seen.kind === 'failed'
      ? []
      : seen.picture.leftovers.map(({ run, what, name }) => ({ run, text: `${on}: ${what} ${name} of run ${run}` })),
  );
  const stale = looked.kind === 'seen' ? looked.picture.stalePartitions : 0;
  const atWork = [
    ...(stale > 0 ? [`${node}: ${stale} partitions are stale`] : []),
    ...(lock !== null && lock.kind !== 'unreadable' && lock.debt
      ? [holder === null ? 'the application was suspended and not yet let go' : 'the application is suspended']
      : []),
  ];
  const ofOthers = left.filter(({ run }) => !owners.has(run)).map(({ text }) => text);
  const problems = [
    ...(looked.kind === 'failed' && holder === null ? [unreadable(looked.problem)] : []),
    ...(looked.kind === 'seen' && lock === null ? [unmounted(node)] : []),
    ...(lock?.kind === 'unreadable' ? [lock.problem] : []),
    ...(holder !== null && liveness === 'unknown' ? [groupLocked(holder, node, elsewhere)] : []),
    ...others.flatMap(({ looked: seen }) => (seen.kind === 'failed' ? [seen.problem] : [])),
  ];
  if (holder === null) {
    const locks = lock?.kind === 'held' ? [`lock of run ${lock.holder.run} since ${lock.holder.since}`] : [];
    return { node, underWay: null, findings: [...ofOthers, ...atWork, ...locks], problems };
  }
  const holds = [
    ...left.filter(({ run }) => owners.has(run)).map(({ text }) => text),
    ...atWork,
    // Commands that change the mirror keep others from looking at it meanwhile.
    ...(looked.kind === 'failed' ? [`${node}: the storage cannot be looked at now: ${looked.problem.message}`] : []),
  ];
  return { node, underWay: underWayOf(holder, liveness, progress, holds), findings: ofOthers, problems };
}

const elsewhere = 'its process runs on another machine, or did';

function underWayOf(
  { run, since, controller: { host, pid } }: Holder,
  liveness: Liveness,
  progress: readonly RunProgress[],
  holds: readonly string[],
): UnderWay {
  const known = progress.find((each) => each.run === run);
  const { kind = null, step = null } = known ?? {};
  const lives = liveness === 'unknown' ? 'unknown' : 'alive';
  return { run, kind, step, since, controller: { host, pid }, liveness: lives, holds };
}

function unreadable({ node, message, code, remedy }: Problem): Problem {
  return { code: 'STORAGE_UNREADABLE', node, message, seen: code, remedy };
}

function unmounted(node: string): Problem {
  return {
    code: 'PLAN_REFUSED',
    node,
    message: 'no file system of the group is mounted, so its lock cannot be read',
    seen: 'no mount point',
    remedy: 'The lock of a group lives in one of its file systems: mount it, or add one to the group.',
  };
}

/** Where the lock lies: as the storage says, else as the cluster does, where it names the file systems. */
function notesOf(looked: Looked, { fileSystems }: GroupContents): string | undefined {
  if (looked.kind === 'seen') return notesDirectory(looked.picture.fileSystems);
  return fileSystems === 'ALL' ? undefined : notesDirectory([...fileSystems].sort());
}

function knownRuns({ store }: BackupContext, group: string): Promise<RunProgress[]> {
  return runsWithoutEnd(store, group).catch(() => []);
}

/** What a run has written down of it, where neither could be told. */
async function writtenNotes(context: BackupContext, group: string, looked: Looked): Promise<string | null> {
  if (looked.kind === 'seen') return null;
  return (await knownRuns(context, group)).at(-1)?.notes ?? null;
}

function hasMore({ leftovers, stalePartitions }: Picture): boolean {
  return leftovers.length > 0 || stalePartitions > 0;
}
