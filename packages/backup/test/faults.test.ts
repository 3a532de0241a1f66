import { expect, it } from 'vitest';
import type { Effect, Observation, Outcome } from '../src/effects.ts';
import {
  nextRecoveryEffect,
  observeRecovery,
  type RecoveryRules,
  type RecoveryState,
  startRecovery,
} from '../src/recovery.ts';
import { nextEffect, observe, type RunState, type RunVerdict, startRun } from '../src/reducer.ts';
import {
  type Fault,
  faults,
  faultyOutcome,
  fresh,
  holderOf,
  Killed,
  type Model,
  moveGroup,
  performOn,
  plan,
  recovery,
} from './model.ts';

type Schedule = ReadonlyMap<number, Fault>;

const rulesFor = (self = plan.holder): RecoveryRules => ({
  nodes: ['a', 'b'],
  recovery,
  self,
  breakLock: false,
  pollMs: 1,
  canResume: true,
});

/** Performs one effect under a fault; tells what the controller sees, or that it is no more. */
function under(fault: Fault | undefined, effect: Effect, model: Model, self = plan.holder): Outcome {
  const act = () => performOn(model, effect, self);
  switch (fault) {
    case undefined:
    case 'interrupt':
      return act();
    case 'killed-before':
      throw new Killed();
    case 'killed-after':
      act();
      throw new Killed();
    case 'clean-failure':
      return faultyOutcome(effect, 'failed') ?? act();
    case 'dirty-failure':
      act();
      // The script died between the suspension and the resume: the note is what tells.
      if (effect.kind === 'perform' && effect.phase.name === 'split')
        Object.assign(model, { suspended: true, note: true });
      return faultyOutcome(effect, 'failed') ?? act();
    case 'unknown-not-done':
      return faultyOutcome(effect, 'unknown') ?? act();
    case 'unknown-done':
      act();
      return faultyOutcome(effect, 'unknown') ?? act();
    case 'node-crash':
      moveGroup(model);
      return faultyOutcome(effect, 'unknown') ?? act();
    case 'group-moves':
      moveGroup(model);
      return act();
  }
}

/** Drives a run under a schedule of faults by the number of the effect. */
function runUnder(schedule: Schedule, model: Model): { verdict: RunVerdict | 'killed'; effects: number } {
  const rules = rulesFor();
  let state: RunState = startRun(plan);
  let count = 0;
  try {
    for (let effect = nextEffect(state, rules); effect !== null; effect = nextEffect(state, rules)) {
      if (count > 300) throw new Error('the run does not end');
      const fault = schedule.get(count++);
      const outcome = under(fault, effect, model);
      state = observe(state, at(outcome), rules);
      if (fault === 'interrupt') state = observe(state, at({ of: 'interrupt', problem: null }), rules);
    }
  } catch (error) {
    if (error instanceof Killed) return { verdict: 'killed', effects: count };
    throw error;
  }
  if (state.journey.kind !== 'ended') throw new Error('ended without a verdict');
  return { verdict: state.journey.verdict, effects: count };
}

/** Recovers without faults, as an operator would: again when it did not end whole. */
function recoverWholly(model: Model): string {
  let last = '';
  for (let attempt = 0; attempt < 3; attempt++) {
    const self = holderOf(String(attempt + 2));
    const rules = rulesFor(self);
    let state: RecoveryState = startRecovery();
    for (let n = 0; ; n++) {
      if (n > 300) return 'endless';
      const effect = nextRecoveryEffect(state, rules);
      if (effect === null) break;
      state = observeRecovery(state, at(performOn(model, effect, self)), rules);
    }
    last = state.stage.at === 'ended' ? state.stage.verdict.kind : 'open';
    if (last === 'whole') return last;
  }
  return last;
}

const at = (outcome: Outcome): Observation => ({ ...outcome, at: '2026-01-01T00:00:00.000Z' });

/** What must hold after a run under faults and a recovery without. */
function violations(model: Model, verdict: RunVerdict | 'killed', recovered: string): string[] {
  const good = verdict !== 'killed' && verdict.kind === 'good';
  return [
    ...model.crimes,
    ...(recovered === 'whole' ? [] : [`recovery ended ${recovered}`]),
    ...(model.copies === 2 ? [] : [`${model.copies} copies`]),
    ...(model.stale === 0 ? [] : ['stale partitions']),
    ...(model.split === null && model.mountedOn === null ? [] : ['something of ours is left']),
    ...(model.lock === null ? [] : ['the lock is left']),
    ...(model.marks.size === 0 ? [] : [`marks are left on ${[...model.marks].join(' and ')}`]),
    ...(model.note || model.suspended ? ['the application is suspended'] : []),
    ...(good && !model.committed ? ['good without a manifest'] : []),
  ];
}

function proveAll(schedules: Iterable<Schedule>): { cells: number; failures: string[] } {
  const failures: string[] = [];
  let cells = 0;
  for (const schedule of schedules) {
    cells += 1;
    const model = fresh();
    const { verdict } = runUnder(schedule, model);
    const found = violations(model, verdict, recoverWholly(model));
    if (found.length > 0)
      failures.push(`${[...schedule].map(([step, fault]) => `${fault} at ${step}`).join(', ')}: ${found.join('; ')}`);
  }
  return { cells, failures };
}

const { effects } = runUnder(new Map(), fresh());

it('ends good without faults and leaves nothing', () => {
  const model = fresh();
  expect(runUnder(new Map(), model).verdict).toEqual({ kind: 'good' });
  expect({ ...model, crimes: [] }).toEqual({ ...fresh(), archived: true, committed: true });
});

it('comes back whole after every single fault at every effect', () => {
  const single = function* () {
    for (let step = 0; step < effects; step++) for (const fault of faults) yield new Map([[step, fault]]);
  };
  const { cells, failures } = proveAll(single());
  expect(failures).toEqual([]);
  expect(cells).toBe(effects * faults.length);
});

it('comes back whole after every pair of faults', () => {
  const pairs = function* () {
    for (let first = 0; first < effects; first++) {
      for (let second = first + 1; second < effects + 20; second++) {
        for (const one of faults)
          for (const two of faults)
            yield new Map([
              [first, one],
              [second, two],
            ]);
      }
    }
  };
  const { cells, failures } = proveAll(pairs());
  expect(failures).toEqual([]);
  expect(cells).toBeGreaterThan(10_000);
});
