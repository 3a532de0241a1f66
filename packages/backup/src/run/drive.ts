import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import type { Effect, Observation, Outcome } from './effects.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { failedOutcome } from './perform.ts';

/** A pure machine: what is next, and what follows from what was seen. */
export interface Machine<S, E extends Effect> {
  next(state: S): E | null;
  observe(state: S, seen: Observation): S;
}

/** The world around a machine. */
export interface World<S, E extends Effect> {
  now(): Date;
  perform(effect: E, state: S): Promise<Outcome>;
  readonly journal: Journal;
  /** Before an effect, and after its outcome was taken in. */
  onEffect?(effect: E, state: S): void;
  onOutcome?(effect: E, outcome: Outcome, before: S, after: S): void;
  /** Asks for an orderly way back; passed on to the machine once, between two effects. */
  readonly signal?: AbortSignal | undefined;
  /** Ends everything at once, wherever it is. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs a machine to its end: intent into the journal, effect, outcome into the journal, and on. The one loop in which
 * anything happens.
 *
 * @returns the last state; not an ended one only when `stop` was given.
 */
export async function drive<S, E extends Effect>(machine: Machine<S, E>, start: S, world: World<S, E>): Promise<S> {
  let state = start;
  let interrupted = false;
  let broken: Problem | null = null;
  // A journal that cannot be written must not leave a mirror split: the machine is told, and goes back without one.
  const note = async (entry: JournalEntry) => {
    if (broken !== null) return;
    await world.journal.write(entry).catch((error) => {
      broken = problemOf(error, null);
    });
  };
  while (!world.stop?.aborted) {
    if ((world.signal?.aborted || broken !== null) && !interrupted) {
      interrupted = true;
      const problem = world.signal?.aborted ? null : broken;
      state = machine.observe(state, { of: 'interrupt', problem, at: world.now().toISOString() });
    }
    const effect = machine.next(state);
    if (effect === null) return state;
    await note({ at: world.now().toISOString(), kind: 'intent', effect });
    world.onEffect?.(effect, state);
    const outcome = await world.perform(effect, state).catch((error) => failedOutcome(effect, error));
    const at = world.now().toISOString();
    await note({ at, kind: 'outcome', ...outcome });
    const before = state;
    const cutOff = world.signal?.aborted === true && !interrupted && isUnanswered(outcome);
    // What the interrupt has cut off is asked again where it still matters, and is nobody's fault.
    if (!cutOff) state = machine.observe(before, { ...outcome, at });
    world.onOutcome?.(effect, outcome, before, state);
  }
  return state;
}

/** A question without an answer; nothing was changed by asking. */
function isUnanswered(outcome: Outcome): boolean {
  return (
    (outcome.of === 'confirm' && outcome.confirmation.kind === 'unknown') ||
    (outcome.of === 'look' && outcome.looked.kind === 'failed')
  );
}
