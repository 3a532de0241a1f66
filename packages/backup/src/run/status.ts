import { unlessAborted } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { GroupContents, Picture, Problem, Standing } from '../ports.ts';
import type { Looked } from './effects.ts';
import { groupLocked } from './group-locked.ts';
import { knownContents } from './known-contents.ts';
import { type Holder, type Liveness, type LockReading, notesDirectory } from './lock.ts';
import { type RunProgress, runsWithoutEnd } from './progress.ts';
import { lookAt, readLockOf, standingCodes } from './survey.ts';

/** What of ours is where, for one group. */
export interface GroupStatus {
  /** Holder; `null` when nobody provably holds the group, and `problems` say why. */
  readonly node: string | null;
  /** Who is at work on the group now, and may be; `null` when nobody is. */
  readonly underWay: UnderWay | null;
  /**
   * What no living process owns, each in one line: left by a run that is gone, or copies that lag behind. `null` when nobody
   * provably holds the group and nothing could be looked at: no node answers, or no run in the store tells where to look.
   */
  readonly findings: readonly string[] | null;
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
  /** Holder; `null` when nobody provably holds the group. */
  readonly holder: string | null;
  readonly places: readonly Place[];
  /** Where the lock was looked for: at the holder, else where the file systems are mounted; `null` when they are nowhere. */
  readonly seat: Place | null;
  /** `null` when nobody knows where it lies: the storage could not be read, or no file system is mounted. */
  readonly lock: LockReading | null;
  readonly liveness: Liveness;
  readonly progress: readonly RunProgress[];
}

/** A node, and what it shows. */
interface Place {
  readonly node: string;
  readonly looked: Looked;
}

/**
 * Says what of ours is on which node, and who is at work. Changes nothing. A store that cannot be read hides nothing of that: it
 * only knows of no run. Where nobody provably holds the group, all nodes are looked at for what the newest run in the store says
 * that the group consists of.
 *
 * @throws the signal's reason when it has aborted.
 */
export function groupStatus(context: BackupContext, group: string, signal?: AbortSignal): Promise<GroupStatus> {
  return unlessAborted(signal, async () => {
    const standing = await context.cluster.locate(group, { signal });
    return standing.kind === 'held'
      ? statusAt(context, group, standing.node, standing.contents, signal)
      : statusOfUnheld(context, group, standing, signal);
  });
}

async function statusAt(
  context: BackupContext,
  group: string,
  node: string,
  contents: GroupContents,
  signal: AbortSignal | undefined,
): Promise<GroupStatus> {
  const looked = await lookAt(context, node, contents, signal);
  const notes = notesOf(looked, contents) ?? (await writtenNotes(context, group, looked));
  const seen = await readSeat(context, { node, looked }, notes, contents, signal);
  const others = context.cluster.nodes.filter((other) => other !== node);
  const places = [seen.seat, ...(await lookAround(context, others, contents, signal))];
  return judgeStatus({ holder: node, places, ...seen, progress: await knownRuns(context, group) });
}

/** What lies on the nodes while the cluster names no holder: a mirror may be split there, and nobody else tells. */
async function statusOfUnheld(
  context: BackupContext,
  group: string,
  standing: Exclude<Standing, { kind: 'held' }>,
  signal: AbortSignal | undefined,
): Promise<GroupStatus> {
  const reasons = standing.reasons.length > 0 ? standing.reasons : [unheld(group, standing.kind)];
  const known = await knownContents(context.store, group);
  if (known.kind === 'unknown') {
    return { node: null, underWay: null, findings: null, problems: [...reasons, unseen(group, known.why)] };
  }
  const places = await lookAround(context, context.cluster.nodes, known.contents, signal);
  const seat = places.find(({ looked }) => looked.kind === 'seen' && looked.picture.fileSystems.length > 0) ?? null;
  const seen =
    seat === null
      ? { seat, lock: null, liveness: 'gone' as const }
      : await readSeat(context, seat, notesOf(seat.looked, known.contents) ?? null, known.contents, signal);
  const { findings, problems, ...status } = judgeStatus({
    holder: null,
    places: places.map((place) => (place.node === seen.seat?.node ? seen.seat : place)),
    ...seen,
    progress: await knownRuns(context, group),
  });
  // A node that does not answer is among the reasons already.
  const told = new Set(reasons.map(({ code, node }) => `${code} ${node}`));
  return {
    ...status,
    findings: places.some(({ looked }) => looked.kind === 'seen') ? findings : null,
    problems: [...reasons, ...problems.filter(({ code, node }) => !told.has(`${code} ${node}`))],
  };
}

/** Reads the lock at a place. What a run has just taken back was there when that was looked at, and its lock was not any more. */
async function readSeat(
  context: BackupContext,
  { node, looked }: Place,
  notes: string | null,
  contents: GroupContents,
  signal: AbortSignal | undefined,
): Promise<{ seat: Place; lock: LockReading | null; liveness: Liveness }> {
  if (notes === null) return { seat: { node, looked }, lock: null, liveness: 'gone' };
  const read = await readLockOf(context, node, notes, signal);
  const isOver = read.lock.kind === 'free' && (looked.kind === 'failed' || hasMore(looked.picture));
  return { seat: { node, looked: isOver ? await lookAt(context, node, contents, signal) : looked }, ...read };
}

function lookAround(
  context: BackupContext,
  nodes: readonly string[],
  contents: GroupContents,
  signal: AbortSignal | undefined,
): Promise<Place[]> {
  return Promise.all(nodes.map(async (node) => ({ node, looked: await lookAt(context, node, contents, signal) })));
}

/** What follows from what was seen. Pure. */
function judgeStatus({ holder: node, places, seat, lock, liveness, progress }: Sighting): GroupStatus {
  const holder = lock?.kind === 'held' && liveness !== 'gone' ? lock.holder : null;
  // A recovery keeps the files of those whose runs it takes back, until it is done.
  const owners = new Set(lock?.kind === 'held' && holder !== null ? lock.holders.map(({ run }) => run) : []);
  const left = places.flatMap(({ node: on, looked }) =>
    looked.kind === 'failed'
      ? []
      : looked.picture.leftovers.map(({ run, what, name }) => ({ run, text: `${on}: ${what} ${name} of run ${run}` })),
  );
  const lagging = (seat === null ? places : [seat]).flatMap(({ node: on, looked }) => {
    const stale = looked.kind === 'seen' ? looked.picture.stalePartitions : 0;
    return stale > 0 ? [`${on}: ${stale} partitions are stale`] : [];
  });
  const atWork = [
    ...lagging,
    ...(lock !== null && lock.kind !== 'unreadable' && lock.debt
      ? [holder === null ? 'the application was suspended and not yet let go' : 'the application is suspended']
      : []),
  ];
  const ofOthers = left.filter(({ run }) => !owners.has(run)).map(({ text }) => text);
  const failed = seat?.looked.kind === 'failed' ? seat.looked.problem : null;
  const problems = [
    ...(failed !== null && holder === null ? [unreadable(failed)] : []),
    ...(seat?.looked.kind === 'seen' && lock === null ? [unmounted(seat.node)] : []),
    ...(lock?.kind === 'unreadable' ? [lock.problem] : []),
    ...(seat !== null && holder !== null && liveness === 'unknown' ? [groupLocked(holder, seat.node, elsewhere)] : []),
    ...places.flatMap(({ node: on, looked }) =>
      looked.kind === 'failed' && on !== seat?.node ? [looked.problem] : [],
    ),
  ];
  if (holder === null) {
    const locks = lock?.kind === 'held' ? [`lock of run ${lock.holder.run} since ${lock.holder.since}`] : [];
    return { node, underWay: null, findings: [...ofOthers, ...atWork, ...locks], problems };
  }
  const holds = [
    ...left.filter(({ run }) => owners.has(run)).map(({ text }) => text),
    ...atWork,
    // Commands that change the mirror keep others from looking at it meanwhile.
    ...(failed === null ? [] : [`${seat?.node}: the storage cannot be looked at now: ${failed.message}`]),
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

function unheld(group: string, kind: keyof typeof standingCodes): Problem {
  return {
    code: standingCodes[kind],
    node: null,
    message: `nobody provably holds ${group}`,
    seen: kind,
    remedy: `See the evidence of each node: splitmirror who ${group}`,
  };
}

function unseen(group: string, why: string): Problem {
  return {
    code: 'LEFTOVERS_UNSEEN',
    node: null,
    message: `nothing tells the volume groups of ${group}, so it was not looked whether splitmirror has left anything on the nodes`,
    seen: why,
    remedy: 'Ask again on the machine whose store has its backups, or when a node holds the group: splitmirror status',
  };
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
