import type { Leftover } from '../ports.ts';
import type { Effect, NodeEffect, Outcome } from './effects.ts';
import { fileOf, type Holder } from './lock.ts';
import type { RunState } from './reducer.ts';

/** Something of ours that is on a node, or may be: what somebody who ends everything now leaves behind. */
export interface Trace extends Leftover {
  readonly node: string;
}

/** What of a run there is, or may be, on the nodes from the moment an effect begins until the next one does. Pure. */
export function tracesOfRun(state: RunState, effect: Effect, { token }: Holder): readonly Trace[] {
  const { plan, journey, facts, splitAt } = state;
  const { run, mirror, notes, policy } = plan;
  const isBack = journey.kind === 'back';
  const node = (isBack ? journey.recovery.holder : '') || plan.node;
  const trace = (what: string, name: string): Trace => ({ node, run, what, name });
  const lock = trace('lock', `${notes}/${fileOf(token)}`);
  const isDone = (phase: 'split' | 'expose' | 'withdraw' | 'merge') => facts[phase] !== undefined;
  const isBegun = (phase: 'split' | 'expose') =>
    isDone(phase) || (effect.kind === 'perform' && effect.phase === mirror[phase]);
  // On the way back nothing tells any more how far the phase had come that failed.
  const mayBeSplit = isBegun('split') || splitAt !== null;
  const mayBeMounted = isBegun('expose') || (isBack && isDone('split'));
  const isLocked =
    isBack || effect.kind === 'lock' || (journey.kind === 'forward' && !['check', 'lock'].includes(journey.stage));
  return [
    ...(isLocked ? [lock] : []),
    ...(mayBeSplit && !isDone('split') && policy.quiesce !== null ? [trace(...noteOf(notes))] : []),
    ...(mayBeSplit && !isDone('merge') ? mirror.volumes.map(({ copy }) => trace('copy', copy)) : []),
    ...(mayBeMounted && !isDone('withdraw')
      ? mirror.volumes.flatMap(({ source }) => (source.kind === 'directory' ? [trace('mount', source.path)] : []))
      : []),
  ];
}

/**
 * What is left once the way back has given the lock back, which it does last: by then it has seen that nothing else is there,
 * but for a note that has to stay. Pure.
 */
export function tracesAfterUnlock({ plan, journey }: RunState): readonly Trace[] {
  if (journey.kind !== 'back' || journey.recovery.cutOffOn === null) return [];
  const [what, name] = noteOf(plan.notes);
  return [{ node: journey.recovery.holder || plan.node, run: plan.run, what, name }];
}

function noteOf(notes: string): [what: string, name: string] {
  return ['suspended application', `${notes}/quiesce`];
}

/** What a recovery knows to be on the nodes, or to have been there when it looked last. */
export interface TracesSeen {
  /** Takes in what became of an effect. */
  take(effect: NodeEffect, outcome: Outcome): void;
  /** From the moment an effect begins. */
  during(effect: NodeEffect): readonly Trace[];
}

/** @param self Who recovers: its lock is a trace, too. */
export function tracesSeen(self: Holder): TracesSeen {
  const marks = new Map<string, readonly Trace[]>();
  const locks = new Map<string, readonly Trace[]>();
  return {
    take(effect, outcome) {
      if (outcome.of === 'look' && outcome.looked.kind === 'seen') {
        const { node, leftovers } = outcome.looked.picture;
        const known = leftovers.map((leftover) => ({ node, ...leftover }));
        marks.set(node, known);
      }
      if (outcome.of === 'read-lock' && effect.kind === 'read-lock' && outcome.reading.kind !== 'unreadable') {
        const { node, notes } = effect;
        const holders = outcome.reading.kind === 'held' ? outcome.reading.holders : [];
        const debts = outcome.reading.debt
          ? [{ node, run: '', what: 'suspended application', name: `${notes}/quiesce` }]
          : [];
        const held = holders.map(({ run, token }) => ({ node, run, what: 'lock', name: `${notes}/${fileOf(token)}` }));
        locks.set(node, [...held, ...debts]);
      }
      if (outcome.of === 'unlock' && outcome.result.kind === 'done') locks.clear();
    },
    during(effect) {
      if (effect.kind === 'lock') {
        const { node, notes } = effect;
        const own = { node, run: self.run, what: 'lock', name: `${notes}/${fileOf(self.token)}` };
        const others = (locks.get(node) ?? []).filter(({ name }) => name !== own.name);
        locks.set(node, [own, ...others]);
      }
      return [...locks.values(), ...marks.values()].flat();
    },
  };
}

/** Traces for a person, node by node. */
export function tracesText(traces: readonly Trace[]): string {
  const byNode = Map.groupBy(traces, ({ node }) => node);
  return Array.from(
    byNode,
    ([node, own]) => `there is, or may be, on ${node}: ${own.map(({ what, name }) => `${what} ${name}`).join(', ')}`,
  ).join('; ');
}
