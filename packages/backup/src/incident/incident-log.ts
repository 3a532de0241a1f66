import { renderSteps, type Script, type ScriptOutcome, type StreamOutcome } from '@splitmirror/host';
import { z } from 'zod';
import { BackupError } from '../errors.ts';
import type { GroupPolicy, RunPlan } from '../plan/run-plan.ts';
import type { Holder } from '../run/lock.ts';
import type { RecoveryVerdict } from '../run/recovery.ts';
import type { RunVerdict } from '../run/reducer.ts';

/** One line of an incident log. */
export type IncidentEntry =
  | {
      readonly kind: 'header';
      readonly splitmirror: 1;
      readonly at: string;
      readonly group: string;
      readonly policy: GroupPolicy;
      /** Cluster node names of the hosts. */
      readonly nodes: readonly string[];
      readonly controller: Holder['controller'];
    }
  | RecordedCall
  /** An archive: what was asked and how it ended, without its bytes. */
  | {
      readonly kind: 'stream';
      readonly n: number;
      readonly during: number;
      readonly at: string;
      readonly node: string;
      readonly command: string;
      readonly outcome: StreamOutcome | RecordedError;
    }
  | { readonly kind: 'chance'; readonly of: 'run' | 'token' | 'alive'; readonly value: string }
  /** What came of the planning: the plan itself, or the code of the refusal. */
  | { readonly kind: 'plan'; readonly at: string; readonly plan: RunPlan | null; readonly refusal: string | null }
  /** What follows is a recovery, which has no plan. */
  | {
      readonly kind: 'recovery';
      readonly at: string;
      readonly run: string;
      readonly by: string | null;
      readonly breakLock: boolean;
    }
  /** What was decided to be done next; numbered from 1. */
  | {
      readonly kind: 'decision';
      readonly number: number;
      readonly at: string;
      readonly step: string;
      readonly title: string;
    }
  | { readonly kind: 'outcome'; readonly number: number; readonly at: string; readonly outcome: string }
  | {
      readonly kind: 'way-back';
      readonly after: number;
      readonly reason: string;
      readonly problems: readonly unknown[];
    }
  | { readonly kind: 'end'; readonly at: string; readonly verdict: string; readonly codes: readonly string[] }
  /** From here on answers are missing: the log has its greatest size. */
  | { readonly kind: 'full'; readonly at: string };

/** A script that was run on a node, and what it brought. */
export interface RecordedCall {
  readonly kind: 'call';
  /** In the order in which they were begun. */
  readonly n: number;
  /** Number of the decision under way; 0 while it was planned. */
  readonly during: number;
  readonly at: string;
  readonly node: string;
  /** Commands as typed, in order. */
  readonly commands: readonly string[];
  /** What the commands read, in order of those that read something. */
  readonly inputs: readonly string[];
  readonly outcome: ScriptOutcome | RecordedError;
  readonly durationMs: number;
  /** The outputs were too large to be kept. */
  readonly cut?: true;
}

/** Nothing was started. */
export interface RecordedError {
  readonly kind: 'threw';
  readonly code: string;
  readonly message: string;
}

/** Codes of the problems that a verdict tells. */
export function codesOf(verdict: RunVerdict | RecoveryVerdict): readonly string[] {
  if ('problem' in verdict) return [verdict.problem.code];
  return 'problems' in verdict ? verdict.problems.map(({ code }) => code) : [];
}

/** What tells one script from another; not its inputs, in which there are times. */
export function scriptKey(node: string, commands: readonly string[]): string {
  return JSON.stringify([node, commands]);
}

/** The commands and inputs of a script, as a log keeps them. */
export function spellScript(script: Script): Pick<RecordedCall, 'commands' | 'inputs'> {
  return { commands: renderSteps(script), inputs: script.steps.flatMap(({ stdin }) => stdin ?? []) };
}

/**
 * Reads a log, also one that breaks off because its run was killed.
 *
 * @throws BackupError `LOG_UNREADABLE`
 */
export function parseIncidentLog(text: string): readonly IncidentEntry[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.flatMap((line, index): IncidentEntry[] => {
    try {
      return [entryOf(JSON.parse(line))];
    } catch (cause) {
      // The last line may be torn; one in the middle is damage.
      if (index === lines.length - 1) return [];
      throw unreadable(`line ${index + 1} is none of its entries`, cause);
    }
  });
  const [first] = entries;
  if (first?.kind !== 'header' || first.splitmirror !== 1) throw unreadable('it does not begin with the header of one');
  return entries;
}

/** What a replay relies on; our own logs hold more. */
const replayable = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('header'), at: z.string(), group: z.string(), nodes: z.array(z.string()) }),
  z.looseObject({
    kind: z.literal('call'),
    n: z.number(),
    at: z.string(),
    node: z.string(),
    commands: z.array(z.string()),
    outcome: z.looseObject({ kind: z.string() }),
  }),
  z.looseObject({ kind: z.literal('stream'), node: z.string() }),
  z.looseObject({ kind: z.literal('chance'), of: z.string(), value: z.string() }),
  z.looseObject({
    kind: z.literal('plan'),
    plan: z.looseObject({ node: z.string(), mirror: z.looseObject({}) }).nullable(),
  }),
  z.looseObject({ kind: z.literal('recovery'), breakLock: z.boolean() }),
  z.looseObject({ kind: z.literal('decision'), number: z.number(), step: z.string(), title: z.string() }),
  z.looseObject({ kind: z.literal('outcome'), number: z.number(), outcome: z.string() }),
  z.looseObject({ kind: z.literal('way-back'), after: z.number(), problems: z.array(z.unknown()) }),
  z.looseObject({ kind: z.literal('end'), verdict: z.string(), codes: z.array(z.string()) }),
  z.looseObject({ kind: z.literal('full') }),
]);

function entryOf(value: unknown): IncidentEntry {
  replayable.parse(value);
  return value as IncidentEntry;
}

function unreadable(reason: string, cause?: unknown): BackupError {
  return new BackupError('LOG_UNREADABLE', `not an incident log of splitmirror: ${reason}`, {
    remedy: 'Hand in incident.ndjson of a run or a recovery as it was written.',
    cause,
  });
}
