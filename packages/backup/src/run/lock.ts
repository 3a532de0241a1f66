import { changes, reads, type Script, type ScriptOutcome, type StepResult } from '@splitmirror/host';
import { z } from 'zod';
import type { Surroundings } from '../context.ts';
import type { Problem } from '../ports.ts';

const token = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * The lock of a group: files in a directory of one of the group's own file systems, so that they travel with a takeover.
 * Everybody who wants the group first writes a file of its own, `holder.TOKEN`, and then looks who else has one: who sees
 * nobody, or only those that are provably gone, holds the group. Of two that come at once the later one to look sees the
 * other. Only files that carry a token in their name are ever removed: a command that comes too late hits nobody else.
 */
export const holderSchema = z.strictObject({
  splitmirror: z.literal(1),
  /** Run that holds the group. */
  run: z.string().regex(/^[a-z][a-z0-9]{5}$/),
  group: z.string(),
  /** Unguessable; tells two holders with the same run id apart. */
  token,
  controller: z.strictObject({
    host: z.string(),
    pid: z.int().positive(),
    /** Tells this process from a later one with the same id; `null` where the system does not say. */
    birth: z.string().nullable(),
    /** Tells this machine, or container, from another one of the same name; absent where the system does not say. */
    machine: z.string().optional(),
  }),
  /** UTC, ISO 8601. */
  since: z.string(),
  /**
   * Its process may live on and does no more for it. `settled`: nothing of it writes any more, and anybody may recover.
   * `unsettled`: a command of it may still write, whether the process lives or not; only a person can know when that has ended.
   */
  givenUp: z.enum(['settled', 'unsettled']).optional(),
  /** A restore: what it has begun may write on although its process is gone. */
  writes: z.literal(true).optional(),
  /** Copies that each volume had before the split: what a recovery restores. */
  intended: z.array(
    z.strictObject({ volume: z.string(), copies: z.int().min(1).max(3), strategy: z.string().optional() }),
  ),
});

/** Who holds a group, and what it means to bring back. */
export type Holder = z.infer<typeof holderSchema>;

/** A holder in the name of this very process. */
export function newHolder(
  surroundings: Pick<Surroundings, 'controller' | 'newToken' | 'now'>,
  { run, group, intended }: Pick<Holder, 'run' | 'group' | 'intended'>,
): Holder {
  const { controller } = surroundings;
  const since = surroundings.now().toISOString();
  return { splitmirror: 1, run, group, token: surroundings.newToken(), controller, since, intended };
}

/** What stands in the notes directory of a group. */
export type LockReading =
  | ReadableLock
  /** The node did not answer, or something stands there that we did not write. */
  | {
      readonly kind: 'unreadable';
      readonly problem: Problem;
      /** Names of the files that cannot be read; empty when the node did not answer. */
      readonly names: readonly string[];
      /** What stands beside these; `null` when the node did not answer. */
      readonly rest: ReadableLock | null;
    };

/** A lock that can be read. */
export type ReadableLock =
  | { readonly kind: 'free'; readonly debt: boolean; readonly strays: readonly string[] }
  | {
      readonly kind: 'held';
      /** The one that counts: who lives, or may live, before those that are gone. */
      readonly holder: Holder;
      /** All that have a file there. */
      readonly holders: readonly Holder[];
      readonly debt: boolean;
      /** Names that writers which were cut off have left. */
      readonly strays: readonly string[];
    };

/** Whether the holder of a lock is still at work. `unknown`: that cannot be told from here. */
export type Liveness = 'mine' | 'alive' | 'gone' | 'unknown';

/** Whether somebody still works under a lock. Pure but for the question after the process. */
export function livenessOf(
  { givenUp, writes, controller, token }: Holder,
  { isAlive }: Pick<Surroundings, 'isAlive'>,
): Exclude<Liveness, 'mine'> {
  if (givenUp !== undefined) return givenUp === 'settled' ? 'gone' : 'unknown';
  const lives = isAlive(controller, token);
  return lives === 'gone' && writes === true ? 'unknown' : lives;
}

/** Runs a script on the node that has the group. */
type Run = (script: Script) => Promise<ScriptOutcome>;

/** Whether a lock was got. */
export type LockResult =
  | { readonly kind: 'mine' }
  | { readonly kind: 'held'; readonly holder: Holder }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** Directory for the notes of a group: below the first of its file systems. */
export function notesDirectory(mountPoints: readonly string[]): string | undefined {
  const first = mountPoints[0];
  return first === undefined ? undefined : `${first.replace(/\/$/, '')}/.splitmirror`;
}

const holderName = /^holder\.[0-9a-f]{32}$/;
const newName = /^new\.[0-9a-f]{32}$/;

/** Reads lock and quiesce note: one round trip for the names, and another where there are holders. */
export async function readLock(
  run: Run,
  { node, notes }: { readonly node: string; readonly notes: string },
  lives: (holder: Holder) => Liveness,
): Promise<LockReading> {
  const named = await run(listingScript(notes));
  const names = namesIn(named);
  if ('problem' in names) return unreadable(node, notes, names.problem);
  const known = { debt: names.found.includes('quiesce'), strays: names.found.filter((name) => newName.test(name)) };
  const files = names.found.filter((name) => holderName.test(name));
  if (files.length === 0) return { kind: 'free', ...known };
  const read = await run(readingScript(notes, files));
  const holders: Holder[] = [];
  const damaged: string[] = [];
  for (const name of files) {
    const step = read.steps.find(({ id }) => id === name);
    if (step?.kind !== 'ended') return unreadable(node, notes, 'no answer within the deadline');
    const holder = step.exitCode === 0 ? parseHolder(step.stdout) : undefined;
    if (holder !== undefined) holders.push(holder);
    // One that has given the lock back meanwhile is none any more.
    else if (step.exitCode === 0 || !isAbsent(step.stderr)) damaged.push(name);
  }
  const order: readonly Liveness[] = ['alive', 'unknown', 'mine', 'gone'];
  const rank = (holder: Holder) => order.indexOf(lives(holder));
  const [holder] = holders.toSorted((a, b) => rank(a) - rank(b));
  const rest: ReadableLock =
    holder === undefined ? { kind: 'free', ...known } : { kind: 'held', holder, holders, ...known };
  if (damaged.length === 0) return rest;
  return { ...unreadable(node, notes, `what ${damaged.join(', ')} holds is not ours`), names: damaged, rest };
}

function unreadable(node: string, notes: string, seen: string): Extract<LockReading, { kind: 'unreadable' }> {
  const problem = {
    code: 'LOCK_UNREADABLE',
    node,
    message: `the lock in ${notes} cannot be read`,
    seen,
    remedy: `Look into ${notes} on ${node}; when no run of splitmirror is under way anywhere, run recover with --break-lock.`,
  };
  return { kind: 'unreadable', problem, names: [], rest: null };
}

function listingScript(notes: string): Script {
  return { steps: [{ id: 'names', run: reads('ls', '-a', notes), timeoutSeconds: 30, onFailure: 'continue' }] };
}

function readingScript(notes: string, files: readonly string[]): Script {
  return {
    steps: files.map((name) => ({
      id: name,
      run: reads('cat', `${notes}/${name}`),
      timeoutSeconds: 30,
      onFailure: 'continue',
    })),
  };
}

/** The names that a script's last step has listed. Only an absent directory holds none; an I/O error could hide one. */
function namesIn(outcome: ScriptOutcome): { readonly found: readonly string[] } | { readonly problem: string } {
  const step = outcome.steps.at(-1);
  if (outcome.kind === 'unknown') return { problem: outcome.reason };
  if (step?.kind !== 'ended') return { problem: 'no answer within the deadline' };
  if (step.exitCode === 0) return { found: step.stdout.split('\n') };
  return isAbsent(step.stderr) ? { found: [] } : { problem: step.stderr.trim() || `ls ended with ${step.exitCode}` };
}

function isAbsent(stderr: string): boolean {
  return /not exist|No such file/i.test(stderr);
}

/**
 * Asks for the lock: writes the file of this holder, then looks who else has one.
 *
 * @param over Tokens of holders that are gone, and over whose files this one steps.
 */
export async function takeLock(
  run: Run,
  { node, notes }: { readonly node: string; readonly notes: string },
  holder: Holder,
  over: readonly string[],
  lives: (holder: Holder) => Liveness,
): Promise<LockResult> {
  const outcome = await run(lockingScript(notes, holder));
  const names = namesIn(outcome);
  if ('problem' in names || !names.found.includes(fileOf(holder.token))) return failed(outcome, node);
  const expected = [holder.token, ...over].map(fileOf);
  const others = names.found.filter((name) => holderName.test(name) && !expected.includes(name));
  if (others.length === 0) return { kind: 'mine' };
  await run(unlockingScript(notes, holder));
  const reading = await readLock(run, { node, notes }, lives);
  switch (reading.kind) {
    case 'held':
      return { kind: 'held', holder: reading.holder };
    case 'unreadable':
      return { kind: 'failed', problem: reading.problem };
    case 'free':
      return { kind: 'failed', problem: bothGaveWay(node, others) };
  }
}

/** Of two that have seen each other neither holds the lock. */
function bothGaveWay(node: string, others: readonly string[]): Problem {
  return {
    code: 'LOCK_FAILED',
    node,
    message: 'another asked for the lock at the same moment, and both gave way',
    seen: others.join(', '),
    remedy: 'Try again; "splitmirror status" tells whether the other one holds the group by now.',
  };
}

function failed(outcome: ScriptOutcome, node: string): LockResult {
  return {
    kind: 'failed',
    problem: {
      code: 'LOCK_FAILED',
      node,
      message: 'the lock could not be taken',
      seen: outcome.kind === 'unknown' ? outcome.reason : (firstComplaint(outcome.steps) ?? 'its file is not there'),
      remedy: 'Make sure that the file system of the group is mounted, writable and has room; then try again.',
    },
  };
}

/** Writes the file of a holder, which appears with its whole content or not at all, and then lists all names. */
export function lockingScript(notes: string, holder: Holder): Script {
  const draft = `${notes}/new.${holder.token}`;
  return {
    steps: [
      { id: 'directory', run: changes('mkdir', '-p', notes), timeoutSeconds: 30 },
      { id: 'write', run: changes('tee', draft), stdin: printHolder(holder), timeoutSeconds: 30 },
      { id: 'lock', run: changes('mv', '-f', draft, `${notes}/${fileOf(holder.token)}`), timeoutSeconds: 30 },
      { id: 'tidy', run: changes('rm', '-f', draft), timeoutSeconds: 30, pays: ['write'] },
      { id: 'names', run: reads('ls', '-a', notes), timeoutSeconds: 30 },
    ],
  };
}

/**
 * Leaves the lock where it is, for whoever recovers: its process does no more for it. Where the file of this holder is not
 * there any more, nothing is done.
 */
export function givingUpScript(notes: string, holder: Holder, givenUp: NonNullable<Holder['givenUp']>): Script {
  const marked = lockingScript(notes, { ...holder, givenUp });
  return {
    steps: [
      { id: 'own', run: reads('ls', `${notes}/${fileOf(holder.token)}`), timeoutSeconds: 30 },
      ...marked.steps.filter(({ id }) => id !== 'directory'),
    ],
  };
}

/**
 * Gives the lock back. Safe to repeat, and safe at any later time.
 *
 * @param others Names in the directory that those have left who are gone; they go first.
 */
export function unlockingScript(notes: string, holder: Holder, others: readonly string[] = []): Script {
  const remove = (id: string, names: readonly string[]) => ({
    id,
    run: changes('rm', '-f', ...names.map((name) => `${notes}/${name}`)),
    timeoutSeconds: 30,
  });
  return {
    steps: [
      ...(others.length === 0 ? [] : [remove('bury', others)]),
      remove('unlock', [fileOf(holder.token)]),
      { id: 'directory', run: changes('rmdir', notes), timeoutSeconds: 30, onFailure: 'continue' },
    ],
  };
}

/** Name of the file that a holder of this token has. */
export function fileOf(holderToken: string): string {
  return `holder.${holderToken}`;
}

/** What the lock file holds: one line of JSON. */
export function printHolder(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`;
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** First thing that a failed step wrote on stderr. */
export function firstComplaint(steps: readonly StepResult[]): string | undefined {
  for (const step of steps) {
    if (step.kind === 'timed-out') return `${step.id}: no end within the deadline`;
    if (step.kind === 'ended' && step.exitCode !== 0)
      return `${step.id}: ${step.stderr.trim() || `status ${step.exitCode}`}`;
  }
  return undefined;
}
