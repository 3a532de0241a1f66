import { unlessAborted } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import { BackupError, type BackupErrorCode } from '../errors.ts';
import type { GroupContents, Picture, Standing } from '../ports.ts';
import { problemOf } from '../problems.ts';
import type { Looked } from './effects.ts';
import { type Holder, type Liveness, type LockReading, livenessOf, notesDirectory, readLock } from './lock.ts';

/** What stands where, before anything is planned. */
export interface GroupSurvey {
  readonly standing: Extract<Standing, { kind: 'held' }>;
  readonly picture: Picture;
  /** Directory of the lock and the quiesce note. */
  readonly notes: string;
  readonly lock: LockReading;
  /** Whether the holder of the lock is still at work, or of what can be read of it; `gone` when nobody holds it. */
  readonly liveness: Liveness;
}

/** Code of the refusal for each standing but `held`. */
export const standingCodes: Readonly<Record<Exclude<Standing['kind'], 'held'>, BackupErrorCode>> = {
  offline: 'GROUP_OFFLINE',
  moving: 'GROUP_MOVING',
  contested: 'GROUP_CONTESTED',
  undecidable: 'GROUP_UNDECIDABLE',
  'no-cluster': 'NO_CLUSTER',
  'unknown-group': 'GROUP_UNKNOWN',
};

/**
 * Asks who holds a group and what its storage and its lock look like there. Changes nothing.
 *
 * @throws BackupError when nobody provably holds it, or when its storage or its lock cannot be read; the signal's reason when
 * it has aborted.
 */
export function surveyGroup(
  context: Omit<BackupContext, 'store'>,
  group: string,
  signal: AbortSignal | undefined,
): Promise<GroupSurvey> {
  return unlessAborted(signal, () => survey(context, group, signal));
}

async function survey(
  context: Omit<BackupContext, 'store'>,
  group: string,
  signal: AbortSignal | undefined,
): Promise<GroupSurvey> {
  const standing = await locateHolder(context, group, signal);
  const { node, contents } = standing;
  const picture = await context.mirror.look(node, contents, { signal }).catch((cause) => {
    const problem = problemOf(cause, node);
    throw new BackupError('STORAGE_UNREADABLE', problem.message, {
      remedy: problem.remedy,
      problems: [problem],
      cause,
    });
  });
  const notes = notesDirectory(picture.fileSystems);
  if (notes === undefined || !context.hosts.has(node)) {
    throw new BackupError('PLAN_REFUSED', `${node} has no file system of ${group} mounted`, {
      remedy: 'The lock of a group lives in one of its file systems: mount it, or add one to the group.',
    });
  }
  return { standing, picture, notes, ...(await readLockOf(context, node, notes, signal)) };
}

/** @throws BackupError when nobody provably holds the group. */
async function locateHolder(
  { cluster }: Pick<BackupContext, 'cluster'>,
  group: string,
  signal: AbortSignal | undefined,
): Promise<GroupSurvey['standing']> {
  const standing = await cluster.locate(group, { signal });
  if (standing.kind === 'held') return standing;
  const [first] = standing.reasons;
  throw new BackupError(standingCodes[standing.kind], `${group}: ${first?.message ?? standing.kind}`, {
    remedy: first?.remedy ?? 'Look at the evidence of each node.',
    problems: standing.reasons,
  });
}

/** Looks at the storage of a group on a node; that it could not is an answer too. */
export async function lookAt(
  { mirror }: Pick<BackupContext, 'mirror'>,
  node: string,
  contents: GroupContents,
  signal: AbortSignal | undefined,
): Promise<Looked> {
  try {
    return { kind: 'seen', picture: await mirror.look(node, contents, { signal }) };
  } catch (error) {
    signal?.throwIfAborted();
    return { kind: 'failed', problem: problemOf(error, node) };
  }
}

/** Reads the lock where it lies, and whether its holder still runs. */
export async function readLockOf(
  { hosts, surroundings }: Pick<BackupContext, 'hosts' | 'surroundings'>,
  node: string,
  notes: string,
  signal: AbortSignal | undefined,
): Promise<Pick<GroupSurvey, 'lock' | 'liveness'>> {
  const host = hosts.get(node);
  if (host === undefined) throw new RangeError(`no host is configured for node ${node}`);
  const lives = (holder: Holder) => livenessOf(holder, surroundings);
  const lock = await readLock((script) => host.run(script, { signal }), { node, notes }, lives);
  const readable = lock.kind === 'unreadable' ? lock.rest : lock;
  return { lock, liveness: readable?.kind === 'held' ? lives(readable.holder) : 'gone' };
}
