import type { RunPlan } from '../plan/run-plan.ts';
import type { Problem, Proof } from '../ports.ts';
import type { ArchiveRecord, Suspicion } from '../store/manifest.ts';
import { type Effect, type Observation, onlyProved } from './effects.ts';
import { groupLocked } from './group-locked.ts';
import type { LockResult } from './lock.ts';
import { outdated } from './outdated.ts';
import { wasCutOff } from './quiesce.ts';
import {
  nextRecoveryEffect,
  observeRecovery,
  problemsOf,
  type RecoveryRules,
  type RecoveryState,
  type RecoveryVerdict,
  startRecovery,
} from './recovery.ts';

/** How a run ended. */
export type RunVerdict =
  | { readonly kind: 'good' }
  /** Committed, whole and checked, but off the history of the group: a person has to look before it counts. */
  | { readonly kind: 'suspicious'; readonly reasons: readonly Suspicion[] }
  /** Refused before anything was changed. */
  | {
      readonly kind: 'refused';
      readonly code: 'PLAN_OUTDATED' | 'GROUP_LOCKED' | 'INTERRUPTED' | 'STORE_FULL' | 'STORE_UNUSABLE';
      readonly problems: readonly Problem[];
    }
  | {
      readonly kind: 'failed' | 'interrupted';
      readonly problems: readonly Problem[];
      /** The backup had been committed before: it is good, only the tidying up failed. */
      readonly committed: boolean;
      /** What the way back came to. */
      readonly recovery: RecoveryVerdict;
    };

/** The stages of a run that goes well, in order. */
const stages = [
  'check',
  'lock',
  'split',
  'expose',
  'archive',
  'withdraw',
  'merge',
  'resync',
  'commit',
  'release',
] as const;
type Stage = (typeof stages)[number];

/** Looks at a resynchronisation that may fail one after another before the run gives up on it. */
const maxBlindLooks = 10;

/** Where a run stands: going forward, on its way back, or ended. */
type Journey =
  | {
      readonly kind: 'forward';
      readonly stage: Stage;
      /** The last effect was the proof, which still held. */
      readonly proved: boolean;
      /** The last look at the resynchronisation was taken; wait before the next. */
      readonly waits: boolean;
      readonly blindLooks: number;
    }
  | {
      readonly kind: 'back';
      readonly reason: 'failed' | 'interrupted';
      readonly problems: readonly Problem[];
      readonly recovery: RecoveryState;
    }
  | { readonly kind: 'ended'; readonly verdict: RunVerdict };

/** All that is known of a run. */
export interface RunState {
  readonly plan: RunPlan;
  readonly journey: Journey;
  /** Chain of proofs, the plan's own first. */
  readonly proofs: readonly Proof[];
  readonly archives: readonly ArchiveRecord[];
  /** What the phases proved, by phase name. */
  readonly facts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** When redundancy was given away and when it was whole again (UTC, ISO 8601). */
  readonly splitAt: string | null;
  readonly wholeAt: string | null;
  readonly committed: boolean;
}

export function startRun(plan: RunPlan): RunState {
  return {
    plan,
    journey: at('check'),
    proofs: [plan.proof],
    archives: [],
    facts: {},
    splitAt: null,
    wholeAt: null,
    committed: false,
  };
}

/** What to do next; `null` when the run has ended. */
export function nextEffect(state: RunState, rules: RecoveryRules): Effect | null {
  const { journey, plan, proofs } = state;
  if (journey.kind === 'ended') return null;
  if (journey.kind === 'back') return nextRecoveryEffect(journey.recovery, rules);
  return onlyProved(wanted(journey, plan, rules), proofs.at(-1) ?? plan.proof, journey.proved);
}

function wanted(
  { stage, waits }: Extract<Journey, { kind: 'forward' }>,
  plan: RunPlan,
  { self }: RecoveryRules,
): Effect {
  const { node, notes } = plan;
  switch (stage) {
    case 'check':
      return { kind: 'look', node, contents: plan.contents };
    case 'lock':
      return { kind: 'lock', node, notes, holder: self, over: [] };
    case 'split':
    case 'expose':
    case 'withdraw':
    case 'merge':
      return { kind: 'perform', phase: plan.mirror[stage] };
    case 'archive':
      return { kind: 'archive' };
    case 'resync':
      return waits ? { kind: 'wait', ms: plan.policy.pollMs } : { kind: 'redundancy' };
    case 'commit':
      return { kind: 'commit' };
    case 'release':
      return { kind: 'unlock', node, notes, holder: self, others: [] };
  }
}

/** Takes in what became of the last effect. */
export function observe(state: RunState, seen: Observation, rules: RecoveryRules): RunState {
  const { journey } = state;
  if (journey.kind === 'ended') return state;
  if (journey.kind === 'back') return goBackFurther(state, journey, seen, rules);
  switch (seen.of) {
    case 'interrupt':
      // Nothing is changed before the lock, and from the commit on finishing is the shortest way to rest.
      if (journey.stage === 'commit' || journey.stage === 'release') return state;
      if (journey.stage === 'check' || journey.stage === 'lock') {
        if (seen.problem === null) return refuse(state, 'INTERRUPTED', []);
        return refuse(state, seen.problem.code === 'STORE_FULL' ? 'STORE_FULL' : 'STORE_UNUSABLE', [seen.problem]);
      }
      return seen.problem === null ? goBack(state, 'interrupted', []) : goBack(state, 'failed', [seen.problem]);
    case 'look':
      if (seen.looked.kind === 'failed') return refuse(state, 'PLAN_OUTDATED', [seen.looked.problem]);
      return seen.looked.picture.digest === state.plan.observed
        ? forward(state, 'lock')
        : refuse(state, 'PLAN_OUTDATED', [outdated(state.plan, seen.looked.picture)]);
    case 'confirm':
      switch (seen.confirmation.kind) {
        case 'holds':
          return {
            ...state,
            proofs: [...state.proofs, seen.confirmation.proof],
            journey: { ...journey, proved: true },
          };
        case 'lost': {
          const changed = seen.confirmation.changed.map(({ fact, before, after }) => `${fact}: ${before} -> ${after}`);
          return stop(state, journey.stage, ownership(state, 'OWNERSHIP_LOST', journey.stage, changed.join('; ')));
        }
        case 'unknown':
          return stop(
            state,
            journey.stage,
            ownership(state, 'OWNERSHIP_UNKNOWN', journey.stage, seen.confirmation.reason),
          );
      }
      break;
    case 'lock':
      return afterLocking(state, seen.result);
    case 'perform': {
      const splitAt = journey.stage === 'split' ? seen.at : state.splitAt;
      if (seen.outcome.kind !== 'done') {
        const { node } = state.plan;
        const { kind, transcript } = seen.outcome;
        const isOpen = journey.stage === 'split' && (kind === 'unknown' || wasCutOff(transcript.steps));
        const cutOffOn = isOpen && rules.canResume ? node : null;
        return goBack({ ...state, splitAt }, 'failed', problemsOf(seen.outcome, node), cutOffOn);
      }
      const facts = { ...state.facts, [journey.stage]: seen.outcome.facts };
      return forward({ ...state, splitAt, facts }, after(journey.stage));
    }
    case 'archive':
      return seen.result.kind === 'archived'
        ? forward(
            { ...state, archives: seen.result.archives, proofs: [...state.proofs, ...seen.result.proofs] },
            'withdraw',
          )
        : goBack(state, 'failed', seen.result.problems);
    case 'redundancy':
      switch (seen.redundancy.kind) {
        case 'whole':
          return forward({ ...state, wholeAt: seen.at }, 'commit');
        case 'resyncing':
          return { ...state, journey: { ...journey, waits: true, blindLooks: 0 } };
        case 'reduced':
          return goBack(state, 'failed', seen.redundancy.problems);
        case 'unknown':
          return journey.blindLooks < maxBlindLooks
            ? { ...state, journey: { ...journey, waits: true, blindLooks: journey.blindLooks + 1 } }
            : goBack(state, 'failed', [ownership(state, 'OUTCOME_UNKNOWN', 'resync', seen.redundancy.reason)]);
      }
      break;
    case 'wait':
      return { ...state, journey: { ...journey, waits: false } };
    case 'commit':
      return seen.result.kind === 'done'
        ? forward({ ...state, committed: true }, 'release')
        : goBack(state, 'failed', [seen.result.problem]);
    case 'unlock':
      return seen.result.kind === 'done'
        ? { ...state, journey: { kind: 'ended', verdict: { kind: 'good' } } }
        : goBack(state, 'failed', [seen.result.problem]);
    default:
      break;
  }
  return state;
}

function afterLocking(state: RunState, result: LockResult): RunState {
  switch (result.kind) {
    case 'mine':
      return forward(state, 'split');
    case 'held':
      return refuse(state, 'GROUP_LOCKED', [groupLocked(result.holder, state.plan.node)]);
    case 'failed': // The link may have been made all the same.
      return goBack(state, 'failed', [result.problem]);
  }
}

function at(stage: Stage): Journey {
  return { kind: 'forward', stage, proved: false, waits: false, blindLooks: 0 };
}

function forward(state: RunState, stage: Stage): RunState {
  return { ...state, journey: at(stage) };
}

function after(stage: Stage): Stage {
  return stages[stages.indexOf(stage) + 1] ?? 'release';
}

function refuse(
  state: RunState,
  code: Extract<RunVerdict, { kind: 'refused' }>['code'],
  problems: readonly Problem[],
): RunState {
  return { ...state, journey: { kind: 'ended', verdict: { kind: 'refused', code, problems } } };
}

/** Before the lock is asked for nothing has changed and there is nothing to take back. */
function stop(state: RunState, stage: Stage, problem: Problem): RunState {
  return stage === 'lock' ? refuse(state, 'PLAN_OUTDATED', [problem]) : goBack(state, 'failed', [problem]);
}

function goBack(
  state: RunState,
  reason: 'failed' | 'interrupted',
  problems: readonly Problem[],
  cutOffOn: RecoveryState['cutOffOn'] = null,
): RunState {
  const { journey, plan } = state;
  const stage = journey.kind === 'forward' ? journey.stage : 'check';
  const isWhole = stage === 'lock' || stage === 'release';
  const recovery = startRecovery(isWhole ? 'whole' : 'locked');
  // Where the notes are is known; all else is asked anew.
  return {
    ...state,
    journey: { kind: 'back', reason, problems, recovery: { ...recovery, cutOffOn, notes: isWhole ? plan.notes : '' } },
  };
}

function goBackFurther(
  state: RunState,
  journey: Extract<Journey, { kind: 'back' }>,
  seen: Observation,
  rules: RecoveryRules,
): RunState {
  if (seen.of === 'interrupt') {
    return seen.problem === null ? { ...state, journey: { ...journey, reason: 'interrupted' } } : state;
  }
  const recovery = observeRecovery(journey.recovery, seen, rules);
  if (recovery.stage.at !== 'ended') return { ...state, journey: { ...journey, recovery } };
  const { verdict } = recovery.stage;
  if (state.committed && verdict.kind === 'whole')
    return { ...state, journey: { kind: 'ended', verdict: { kind: 'good' } } };
  const { reason, problems } = journey;
  return {
    ...state,
    journey: { kind: 'ended', verdict: { kind: reason, problems, committed: state.committed, recovery: verdict } },
  };
}

function ownership(state: RunState, code: string, stage: Stage, seen: string): Problem {
  return {
    code,
    node: state.plan.node,
    message:
      code === 'OWNERSHIP_LOST'
        ? `ownership of ${state.plan.group} was lost before step ${stage}`
        : `${state.plan.node} could not be asked before step ${stage}`,
    seen,
    remedy: 'Back up again when the cluster is stable.',
  };
}
