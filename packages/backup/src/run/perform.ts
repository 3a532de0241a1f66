import { changes, type Script, type ScriptOutcome } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { pause } from '../surroundings.ts';
import type { Done, Effect, NodeEffect, Outcome, ScriptedEffect } from './effects.ts';
import { firstComplaint, type Holder, livenessOf, readLock, takeLock, unlockingScript } from './lock.ts';
import { debtScript, type QuiesceHooks, resumeScript } from './quiesce.ts';

/** What performing needs beside the context. */
export interface Subject {
  readonly group: string;
  readonly quiesce: QuiesceHooks | null;
  /** Who acts; the lock counts as ours when it holds this token. */
  readonly self: Holder;
}

/**
 * Performs one effect on a node and says what became of it. What a node or a link does is an outcome to be weighed.
 *
 * @throws what a port throws; {@link failedOutcome} makes an outcome of it.
 */
export async function performOnNode(
  context: BackupContext,
  subject: Subject,
  effect: NodeEffect,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const run = (node: string, script: Script) => runScript(context, node, script, signal);
  const lives = (holder: Holder) =>
    holder.token === subject.self.token ? 'mine' : livenessOf(holder, context.surroundings);
  switch (effect.kind) {
    case 'locate':
      return { of: 'locate', standing: await context.cluster.locate(subject.group, { signal }) };
    case 'confirm':
      return { of: 'confirm', confirmation: await context.cluster.confirm(effect.proof, { signal }) };
    case 'look':
      return {
        of: 'look',
        looked: { kind: 'seen', picture: await context.mirror.look(effect.node, effect.contents, { signal }) },
      };
    case 'read-lock': {
      const reading = await readLock((script) => run(effect.node, script), effect, lives);
      return { of: 'read-lock', reading, liveness: reading.kind === 'held' ? lives(reading.holder) : 'gone' };
    }
    case 'lock': {
      const { holder, over } = effect;
      return {
        of: 'lock',
        result: await takeLock((script) => run(effect.node, script), effect, holder, over, lives),
      };
    }
    case 'break-lock': {
      const outcome = await run(effect.node, scriptOf(effect, subject.quiesce));
      return { of: effect.kind, result: judgeDone(outcome, effect.node, 'the lock could not be removed') };
    }
    case 'pay-debt':
    case 'resume': {
      if (subject.quiesce === null) return { of: effect.kind, result: { kind: 'done' } };
      const outcome = await run(effect.node, scriptOf(effect, subject.quiesce));
      return { of: effect.kind, result: judgeDone(outcome, effect.node, 'the application could not be resumed') };
    }
    case 'perform':
      return { of: 'perform', outcome: await context.mirror.perform(effect.phase, { signal }) };
    case 'wait':
      await pause(context.surroundings, effect.ms, signal);
      return { of: 'wait' };
    case 'unlock': {
      const outcome = await run(effect.node, scriptOf(effect, subject.quiesce));
      return { of: 'unlock', result: judgeUnlocking(outcome, effect.node) };
    }
  }
}

/** What runs on the node for an effect. Pure. */
export function scriptOf(effect: ScriptedEffect, hooks: QuiesceHooks | null): Script {
  switch (effect.kind) {
    case 'break-lock': {
      const files = effect.names.map((name) => `${effect.notes}/${name}`);
      return { steps: [{ id: 'break', run: changes('rm', '-f', ...files), timeoutSeconds: 30 }] };
    }
    case 'pay-debt':
      return hooks === null ? { steps: [] } : debtScript(hooks, effect.notes);
    case 'resume':
      return hooks === null ? { steps: [] } : resumeScript(hooks);
    case 'perform':
      return effect.phase.script;
    case 'unlock':
      return unlockingScript(effect.notes, effect.holder, effect.others);
  }
}

async function runScript(
  context: BackupContext,
  node: string,
  script: Script,
  signal: AbortSignal | undefined,
): Promise<ScriptOutcome> {
  try {
    const host = context.hosts.get(node);
    if (host === undefined) throw new RangeError(`no host is configured for node ${node}`);
    return await host.run(script, { signal });
  } catch (error) {
    return { kind: 'unknown', reason: problemOf(error, node).message, steps: [] };
  }
}

function judgeDone(outcome: ScriptOutcome, node: string, message: string): Done {
  if (outcome.kind !== 'completed') {
    return {
      kind: 'failed',
      problem: unanswered(node, message, outcome.kind === 'unknown' ? outcome.reason : 'cancelled'),
    };
  }
  const complaint = firstComplaint(outcome.steps);
  return complaint === undefined ? { kind: 'done' } : { kind: 'failed', problem: unanswered(node, message, complaint) };
}

function judgeUnlocking(outcome: ScriptOutcome, node: string): Done {
  const unlocked = outcome.steps.find(({ id }) => id === 'unlock');
  if (unlocked?.kind === 'ended' && unlocked.exitCode === 0) return { kind: 'done' };
  return judgeDone(outcome, node, 'the lock could not be given back');
}

function unanswered(node: string, message: string, seen: string): Problem {
  return {
    code: 'NODE_EFFECT_FAILED',
    node,
    message,
    seen,
    remedy: 'Look at what the node says above, mend it, and run recover.',
  };
}

/** The outcome of an effect that threw. */
export function failedOutcome(effect: Effect, error: unknown): Outcome {
  const node = 'node' in effect ? effect.node : null;
  const problem = problemOf(error, node);
  const failed = { kind: 'failed', problem } as const;
  switch (effect.kind) {
    case 'locate':
      return { of: 'locate', standing: { kind: 'undecidable', reasons: [problem], evidence: [] } };
    case 'confirm':
      return { of: 'confirm', confirmation: { kind: 'unknown', reason: problem.message } };
    case 'look':
      return { of: 'look', looked: failed };
    case 'read-lock':
      return { of: 'read-lock', reading: { kind: 'unreadable', problem, names: [], rest: null }, liveness: 'unknown' };
    case 'lock':
      return { of: 'lock', result: failed };
    case 'break-lock':
    case 'pay-debt':
    case 'resume':
    case 'commit':
    case 'unlock':
      return { of: effect.kind, result: failed };
    case 'perform':
      return {
        of: 'perform',
        outcome: {
          kind: 'unknown',
          reason: problem.message,
          transcript: { kind: 'unknown', reason: problem.message, steps: [] },
        },
      };
    case 'archive':
      return { of: 'archive', result: { kind: 'failed', problems: [problem] } };
    case 'redundancy':
      return { of: 'redundancy', redundancy: { kind: 'unknown', reason: problem.message } };
    case 'wait':
      return { of: 'wait' };
  }
}
