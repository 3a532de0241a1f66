import { changes, reads, type Script, type ScriptOutcome, type StepResult } from '@splitmirror/host';
import { z } from 'zod';
import type { Problem } from './ports.ts';

/**
 * The lock of a group: a file in a directory of one of the group's own file systems, so that it travels with a takeover.
 * It is made by a hard link, which either appears with its whole content or not at all.
 */
const holderSchema = z.strictObject({
  splitmirror: z.literal(1),
  /** Run that holds the group. */
  run: z.string().regex(/^[a-z][a-z0-9]{5}$/),
  group: z.string(),
  /** Unguessable; tells two holders with the same run id apart. */
  token: z.string().regex(/^[0-9a-f]{32}$/),
  controller: z.strictObject({
    host: z.string(),
    pid: z.int().positive(),
    /** Tells this process from a later one with the same id; `null` where the system does not say. */
    birth: z.string().nullable(),
  }),
  /** UTC, ISO 8601. */
  since: z.string(),
  /** Copies that each volume had before the split: what a recovery restores. */
  intended: z.array(z.strictObject({ volume: z.string(), copies: z.int().min(1).max(3) })),
});

/** Who holds a group, and what it means to bring back. */
export type Holder = z.infer<typeof holderSchema>;

/** What stands in the notes directory of a group. */
export type LockReading =
  | { readonly kind: 'free'; readonly debt: boolean }
  | { readonly kind: 'held'; readonly holder: Holder; readonly debt: boolean }
  /** The node did not answer, or something stands there that we did not write. */
  | { readonly kind: 'unreadable'; readonly problem: Problem };

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

/** Reads lock and quiesce note in one round trip. */
export function readingScript(notes: string): Script {
  return {
    steps: [
      { id: 'directory', run: reads('ls', '-a', notes), timeoutSeconds: 30, onFailure: 'continue' },
      { id: 'holder', run: reads('cat', `${notes}/lock`), timeoutSeconds: 30, onFailure: 'continue' },
    ],
  };
}

/** Judges what {@link readingScript} brought back. */
export function judgeReading(outcome: ScriptOutcome, node: string, notes: string): LockReading {
  const unreadable = (seen: string): LockReading => ({
    kind: 'unreadable',
    problem: {
      code: 'LOCK_UNREADABLE',
      node,
      message: `the lock in ${notes} cannot be read`,
      seen,
      remedy: `Look at ${notes}/lock on ${node}; when no run of splitmirror is under way anywhere, run recover with --break-lock.`,
    },
  });
  if (outcome.kind !== 'completed') return unreadable(outcome.kind === 'unknown' ? outcome.reason : 'cancelled');
  const [directory, holder] = outcome.steps;
  if (directory?.kind !== 'ended' || holder?.kind !== 'ended') return unreadable('no answer within the deadline');
  if (directory.exitCode !== 0) {
    // Only an absent directory is no lock; anything else (an I/O error) could hide one.
    return /not exist|No such file/i.test(directory.stderr)
      ? { kind: 'free', debt: false }
      : unreadable(directory.stderr.trim() || `ls ended with ${directory.exitCode}`);
  }
  const names = directory.stdout.split('\n');
  const debt = names.includes('quiesce');
  if (!names.includes('lock')) return { kind: 'free', debt };
  const parsed = holder.exitCode === 0 ? parseHolder(holder.stdout) : undefined;
  return parsed === undefined
    ? unreadable(holder.stderr.trim() || holder.stdout.slice(0, 120))
    : { kind: 'held', holder: parsed, debt };
}

/** Takes the lock, and reads back whose it is. */
export function lockingScript(notes: string, holder: Holder): Script {
  const own = `${notes}/${holder.token}`;
  return {
    steps: [
      { id: 'directory', run: changes('mkdir', '-p', notes), timeoutSeconds: 30 },
      { id: 'write', run: changes('tee', own), stdin: printHolder(holder), timeoutSeconds: 30 },
      { id: 'link', run: changes('ln', own, `${notes}/lock`), timeoutSeconds: 30, onFailure: 'continue' },
      { id: 'tidy', run: changes('rm', '-f', own), timeoutSeconds: 30, pays: ['write'] },
      { id: 'holder', run: reads('cat', `${notes}/lock`), timeoutSeconds: 30 },
    ],
  };
}

/**
 * Takes over the lock of a run that is gone. The link to a name made from the old token can succeed for one heir only.
 */
export function inheritingScript(notes: string, holder: Holder, from: Holder): Script {
  const own = `${notes}/${holder.token}`;
  const heir = `${notes}/heir.${from.token}`;
  return {
    steps: [
      { id: 'write', run: changes('tee', own), stdin: printHolder(holder), timeoutSeconds: 30 },
      { id: 'claim', run: changes('ln', own, heir), timeoutSeconds: 30 },
      { id: 'inherit', run: changes('mv', '-f', heir, `${notes}/lock`), timeoutSeconds: 30 },
      { id: 'tidy', run: changes('rm', '-f', own), timeoutSeconds: 30, pays: ['write'] },
      { id: 'holder', run: reads('cat', `${notes}/lock`), timeoutSeconds: 30 },
    ],
  };
}

/** Judges what {@link lockingScript} or {@link inheritingScript} brought back. */
export function judgeLocking(outcome: ScriptOutcome, node: string, mine: Holder): LockResult {
  const last = outcome.steps.at(-1);
  const holder = last?.kind === 'ended' && last.exitCode === 0 ? parseHolder(last.stdout) : undefined;
  if (holder?.token === mine.token) return { kind: 'mine' };
  if (holder !== undefined) return { kind: 'held', holder };
  return {
    kind: 'failed',
    problem: {
      code: 'LOCK_FAILED',
      node,
      message: 'the lock could not be taken',
      seen: outcome.kind === 'unknown' ? outcome.reason : (firstComplaint(outcome.steps) ?? 'no holder could be read'),
      remedy: 'Make sure that the file system of the group is mounted, writable and has room; then try again.',
    },
  };
}

/** Gives the lock back, if it is still this holder's. */
export function unlockingScript(notes: string, holder: Holder): Script {
  return {
    steps: [
      { id: 'mine', run: reads('grep', '-c', holder.token, `${notes}/lock`), timeoutSeconds: 30 },
      { id: 'unlock', run: changes('rm', '-f', `${notes}/lock`), timeoutSeconds: 30 },
      { id: 'directory', run: changes('rmdir', notes), timeoutSeconds: 30, onFailure: 'continue' },
    ],
  };
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
