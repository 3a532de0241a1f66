import { renderSteps } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { BackupEvent } from '../events.ts';
import type { Effect, Outcome } from './effects.ts';

type WithoutTime<E> = E extends { readonly at: string } ? Omit<E, 'at'> : never;

/** Stamps events with the time and hands them to the caller. */
export function emitter(context: BackupContext): (event: WithoutTime<BackupEvent>) => void {
  return (event) =>
    handOver(context.onEvent, { at: context.surroundings.now().toISOString(), ...event } as BackupEvent);
}

/** Tells of a failure that must not end what is under way, as a warning of the process. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

/** Gives an event to a listener. Its failure is told as a warning of the process: news must not end a run half way. */
export function handOver<E>(listener: ((event: E) => void) | undefined, event: E): void {
  try {
    // A listener may be asynchronous, too.
    Promise.resolve(listener?.(event)).catch(warn);
  } catch (error) {
    warn(error);
  }
}

/** An effect in a person's words, and the commands that it runs. */
export function describe(effect: Effect): { readonly title: string; readonly commands: readonly string[] } {
  const title = titleOf(effect);
  return { title, commands: effect.kind === 'perform' ? renderSteps(effect.phase.script) : [] };
}

/** What became of it, in one word, and what was proved. */
export function summary(outcome: Outcome): {
  readonly outcome: string;
  readonly facts: Readonly<Record<string, string>>;
} {
  switch (outcome.of) {
    case 'locate':
      return { outcome: outcome.standing.kind, facts: {} };
    case 'confirm':
      return { outcome: outcome.confirmation.kind, facts: {} };
    case 'look':
      return { outcome: outcome.looked.kind, facts: {} };
    case 'read-lock':
      return { outcome: outcome.reading.kind, facts: {} };
    case 'perform':
      return { outcome: outcome.outcome.kind, facts: outcome.outcome.kind === 'done' ? outcome.outcome.facts : {} };
    case 'redundancy':
      return { outcome: outcome.redundancy.kind, facts: {} };
    case 'wait':
    case 'interrupt':
      return { outcome: 'done', facts: {} };
    default:
      return { outcome: outcome.result.kind, facts: {} };
  }
}

function titleOf(effect: Effect): string {
  switch (effect.kind) {
    case 'locate':
      return 'ask all nodes who holds the group';
    case 'confirm':
      return `prove again that ${effect.proof.node} holds ${effect.proof.group}, before: ${effect.before}`;
    case 'look':
      return `look at the storage on ${effect.node}`;
    case 'read-lock':
      return 'read the lock of the group';
    case 'lock':
      return 'take the lock of the group';
    case 'break-lock':
      return 'break the lock of the group';
    case 'pay-debt':
      return 'resume the application that was suspended';
    case 'resume':
      return 'resume the application, and leave its note';
    case 'perform':
      return effect.phase.title;
    case 'archive':
      return 'archive the split copies';
    case 'redundancy':
      return 'watch the copies come into step';
    case 'wait':
      return 'wait';
    case 'commit':
      return 'commit the manifest';
    case 'unlock':
      return 'give the lock back';
  }
}
