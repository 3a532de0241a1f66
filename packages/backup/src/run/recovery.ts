import type {
  GroupContents,
  IntendedCopies,
  Phase,
  Picture,
  Problem,
  Proof,
  RecoveryPlan,
  Standing,
} from '../ports.ts';
import { type Looked, type NodeEffect, type Observation, onlyProved } from './effects.ts';
import { groupLocked } from './group-locked.ts';
import { fileOf, type Holder, type LockReading, type LockResult, notesDirectory } from './lock.ts';

/** How a recovery ended. */
export type RecoveryVerdict =
  /** The mirror is whole and nothing of ours is left, as far as could be seen. */
  | {
      readonly kind: 'whole';
      readonly performed: readonly string[];
      /** Nodes that could not be looked at: directories of ours may be left there, and nothing else can be. */
      readonly unseen: readonly string[];
    }
  /** A run that still lives, or may live, holds the group: nothing was changed. */
  | { readonly kind: 'busy'; readonly problem: Problem }
  /** A person has to look. What was done so far is safe to repeat. */
  | { readonly kind: 'stuck'; readonly problems: readonly Problem[]; readonly performed: readonly string[] };

/** What a recovery goes by. All of it is decided beforehand. */
export interface RecoveryRules {
  /** All nodes of the cluster. */
  readonly nodes: readonly string[];
  recovery(picture: Picture, intended?: readonly IntendedCopies[]): RecoveryPlan;
  /** Who recovers: the lock is taken in this name. */
  readonly self: Holder;
  /** Take the lock of a holder whose end cannot be proved from this machine, or a lock that cannot be read. */
  readonly breakLock: boolean;
  /** Milliseconds between two looks at a resynchronisation. */
  readonly pollMs: number;
  /** Whether there are commands that let a suspended application go on. */
  readonly canResume: boolean;
}

/** Where a recovery stands. */
export interface RecoveryState {
  readonly stage:
    | { readonly at: 'locate' }
    | { readonly at: 'look' }
    | { readonly at: 'read-lock' }
    | { readonly at: 'break-lock'; readonly names: readonly string[] }
    | { readonly at: 'lock' }
    | { readonly at: 'pay-debt' }
    | { readonly at: 'perform'; readonly phase: Phase; readonly rest: readonly Phase[] }
    /** All is done but the note, which stays if it is still there. */
    | { readonly at: 'read-note' }
    /** The node shows nothing more to do; the proof tells that it had the group when it showed that. */
    | { readonly at: 'conclude' }
    | { readonly at: 'wait'; readonly next: 'look' | 'locate' }
    | { readonly at: 'unlock' }
    | { readonly at: 'ended'; readonly verdict: RecoveryVerdict };
  /** Node that has the group now. */
  readonly holder: string;
  /** Node that is looked at: the holder first, then the others, where only directories can be left. */
  readonly node: string;
  /** Nodes that are still to be looked at. */
  readonly others: readonly string[];
  readonly unseen: readonly string[];
  /** How often nobody provably held the group, one after another. */
  readonly vainLocates: number;
  readonly contents: GroupContents;
  readonly proof: Proof | undefined;
  /** The last effect was the proof, which still held. */
  readonly proved: boolean;
  readonly notes: string;
  /** The lock is ours. */
  readonly locked: boolean;
  /** Everything is as it was: only the lock has to be given back, which is never asked for again under the same token. */
  readonly whole: boolean;
  /** Tokens of holders that are gone: their files go when all is whole. */
  readonly over: readonly string[];
  /** Other names that dead runs have left beside the lock. */
  readonly strays: readonly string[];
  /** An application still waits to be resumed. */
  readonly debt: boolean;
  /**
   * Node on which a suspension may still come into effect, since it was cut off or its end was not heard of: as long as the
   * group is there, its note stays.
   */
  readonly cutOffOn: string | null;
  readonly intended: readonly IntendedCopies[];
  /** Fewest stale partitions that were seen, and how many looks have shown no fewer since. */
  readonly standstill: { readonly stale: number; readonly looks: number };
  /** Titles of the phases that were performed, in order. */
  readonly performed: readonly string[];
  /** Effects that failed one after another: three end the recovery. */
  readonly failures: readonly Problem[];
}

/** More phases than any picture asks for: a way back that does not converge is stopped and told. */
const maxPhases = 40;

/** Milliseconds in which not one partition comes into step: then nobody is at work on it. */
const standstillMs = 3_600_000;

/** Standings after which a group may be held again by itself: they are waited for. */
export const passingStandings = ['moving', 'offline', 'undecidable'] as const;

/** A takeover takes minutes; a cluster that is still undecided after so many waits is told. */
const maxVainLocates = 20;

/**
 * Starts from nothing but the group: who has it now is the first question.
 *
 * @param from What is known already: `locked`, the lock is ours; `whole`, nothing is left to do but to give it back.
 */
export function startRecovery(from: 'nothing' | 'locked' | 'whole' = 'nothing'): RecoveryState {
  return {
    stage: { at: 'locate' },
    holder: '',
    node: '',
    others: [],
    unseen: [],
    vainLocates: 0,
    contents: { volumeGroups: [], fileSystems: [] },
    proof: undefined,
    proved: false,
    notes: '',
    locked: from === 'locked',
    whole: from === 'whole',
    over: [],
    strays: [],
    debt: false,
    cutOffOn: null,
    intended: [],
    standstill: { stale: Number.POSITIVE_INFINITY, looks: 0 },
    performed: [],
    failures: [],
  };
}

/** What to do next; `null` when the recovery has ended. */
export function nextRecoveryEffect(state: RecoveryState, rules: RecoveryRules): NodeEffect | null {
  const effect = wanted(state, rules);
  if (effect === null || state.proof === undefined) return effect;
  return onlyProved(effect, state.proof, state.proved);
}

function wanted(state: RecoveryState, rules: RecoveryRules): NodeEffect | null {
  const { stage, node, holder, notes, contents, over, strays } = state;
  switch (stage.at) {
    case 'locate':
      return { kind: 'locate' };
    case 'look':
      return { kind: 'look', node, contents };
    case 'read-lock':
    case 'read-note':
      return { kind: 'read-lock', node: holder, notes };
    case 'pay-debt':
      return { kind: state.cutOffOn === null ? 'pay-debt' : 'resume', node: holder, notes };
    case 'break-lock':
      return { kind: 'break-lock', node: holder, notes, names: stage.names };
    case 'lock':
      return { kind: 'lock', node: holder, notes, holder: { ...rules.self, intended: [...state.intended] }, over };
    case 'perform':
      return { kind: 'perform', phase: stage.phase };
    case 'conclude':
      return state.proof === undefined
        ? { kind: 'locate' }
        : { kind: 'confirm', proof: state.proof, before: 'conclude' };
    case 'wait':
      return { kind: 'wait', ms: rules.pollMs };
    case 'unlock':
      return { kind: 'unlock', node: holder, notes, holder: rules.self, others: [...over.map(fileOf), ...strays] };
    case 'ended':
      return null;
  }
}

/** Takes in what became of the last effect. */
export function observeRecovery(before: RecoveryState, seen: Observation, rules: RecoveryRules): RecoveryState {
  const state = { ...before, proved: false };
  switch (seen.of) {
    case 'locate':
      return afterLocate(state, seen.standing, rules);
    case 'look':
      return afterLook(state, seen.looked, rules);
    case 'read-lock':
      return state.stage.at === 'read-note'
        ? afterReadNote(state, seen.reading)
        : decideOnLock(state, seen.reading, seen.liveness, rules);
    case 'break-lock':
      return seen.result.kind === 'done'
        ? { ...state, stage: { at: 'read-lock' } }
        : stuck(state, [seen.result.problem]);
    case 'lock':
      return afterLocking(state, seen.result, rules);
    case 'pay-debt':
    case 'resume':
      return seen.result.kind === 'done'
        ? { ...state, debt: false, failures: [], stage: { at: 'look' } }
        : again(state, [seen.result.problem], { at: 'pay-debt' });
    case 'confirm':
      switch (seen.confirmation.kind) {
        case 'holds':
          if (state.stage.at === 'conclude') return nextNode(state);
          return { ...state, proof: seen.confirmation.proof, proved: true };
        case 'lost': // The group has moved meanwhile: start over where it is now.
          return again(state, [moved(state)], { at: 'locate' });
        case 'unknown':
          return again(state, [unconfirmed(state, seen.confirmation.reason)], { at: 'locate' });
      }
      break;
    case 'perform': {
      if (state.stage.at !== 'perform') return state;
      const performed = [...state.performed, state.stage.phase.title];
      if (seen.outcome.kind === 'done') return { ...state, performed, failures: [], stage: nextOf(state.stage.rest) };
      // Failed or unknown: what the node shows now decides, not what was reported.
      return again({ ...state, performed }, problemsOf(seen.outcome, state.node));
    }
    case 'wait':
      return state.stage.at === 'wait' ? { ...state, stage: { at: state.stage.next } } : state;
    case 'unlock':
      if (seen.result.kind === 'done' && state.cutOffOn !== null) return stuck(state, [cutOff(state, state.cutOffOn)]);
      return seen.result.kind === 'done'
        ? ended(state, { kind: 'whole', performed: state.performed, unseen: state.unseen })
        : again({ ...state, whole: true }, [seen.result.problem], { at: 'locate' });
    default:
      break;
  }
  return state;
}

/** Problems of a phase that was not done. */
export function problemsOf(
  outcome: Exclude<Extract<Observation, { of: 'perform' }>['outcome'], { kind: 'done' }>,
  node: string,
): readonly Problem[] {
  if (outcome.kind === 'failed') return outcome.problems;
  return [
    {
      code: 'OUTCOME_UNKNOWN',
      node,
      message: 'it is not known whether the last commands ran',
      seen: outcome.reason,
      remedy: 'Run recover as soon as the node can be reached: it looks before it does anything.',
    },
  ];
}

function afterLocate(state: RecoveryState, standing: Standing, rules: RecoveryRules): RecoveryState {
  if (standing.kind === 'held') {
    const { node, contents, proof } = standing;
    const others = rules.nodes.filter((other) => other !== node);
    const known = { ...state, holder: node, node, contents, proof, vainLocates: 0 };
    // What was cut off on another node cannot reach the application here: the note has gone along, and is paid as any other.
    const hasLeft = state.cutOffOn !== null && state.cutOffOn !== node && !state.whole;
    const here = hasLeft ? { ...known, cutOffOn: null, debt: true } : known;
    return state.whole ? { ...here, stage: { at: 'unlock' } } : { ...here, others, unseen: [], stage: { at: 'look' } };
  }
  const mayPass = passingStandings.find((kind) => kind === standing.kind) !== undefined;
  if (!mayPass || state.vainLocates >= maxVainLocates) return stuck(state, standing.reasons);
  return { ...state, vainLocates: state.vainLocates + 1, stage: { at: 'wait', next: 'locate' } };
}

function afterLook(state: RecoveryState, looked: Looked, rules: RecoveryRules): RecoveryState {
  const elsewhere = state.node !== state.holder;
  if (looked.kind === 'failed') {
    return elsewhere
      ? nextNode({ ...state, unseen: [...state.unseen, state.node] })
      : again(state, [looked.problem], { at: 'locate' });
  }
  return state.locked && state.notes !== ''
    ? nextPhase(state, looked.picture, rules)
    : beforeLock(state, looked.picture, rules);
}

/** The other nodes in turn; after the last of them the lock is given back. */
function nextNode(state: RecoveryState): RecoveryState {
  const [node, ...others] = state.others;
  if (node !== undefined) return { ...state, node, others, stage: { at: 'look' } };
  return { ...state, stage: { at: state.cutOffOn === null ? 'unlock' : 'read-note' } };
}

/** A script that has outlived its link resumes by itself, and then removes its note: nothing more can come of it. */
function afterReadNote(state: RecoveryState, reading: LockReading): RecoveryState {
  if (reading.kind === 'unreadable') return again(state, [reading.problem], { at: 'locate' });
  return { ...state, cutOffOn: reading.debt ? state.cutOffOn : null, stage: { at: 'unlock' } };
}

function beforeLock(state: RecoveryState, picture: Picture, rules: RecoveryRules): RecoveryState {
  const notes = notesDirectory(picture.fileSystems);
  if (notes !== undefined) {
    return { ...state, notes, intended: rules.recovery(picture).intended ?? [], stage: { at: 'read-lock' } };
  }
  return stuck(state, [
    {
      code: 'NOT_MOUNTED',
      node: state.node,
      message: 'no file system of the group is mounted, so its lock cannot be read',
      seen: 'no mount point',
      remedy: 'Bring the resource group online as a whole, then run recover again.',
    },
  ]);
}

function decideOnLock(
  state: RecoveryState,
  reading: LockReading,
  liveness: Extract<Observation, { of: 'read-lock' }>['liveness'],
  rules: RecoveryRules,
): RecoveryState {
  if (reading.kind === 'unreadable') {
    if (reading.names.length === 0) return again({ ...state, notes: '' }, [reading.problem], { at: 'locate' });
    return rules.breakLock
      ? { ...state, stage: { at: 'break-lock', names: reading.names } }
      : stuck(state, [reading.problem]);
  }
  const holders = reading.kind === 'held' ? reading.holders : [];
  const others = holders.filter(({ token }) => token !== rules.self.token);
  const known = {
    ...state,
    debt: reading.debt,
    strays: reading.strays,
    over: others.map(({ token }) => token),
    intended: together([...holders.map(({ intended }) => intended), state.intended]),
  };
  // Whoever has a file there too, and has come later, goes away by itself.
  if (state.locked && holders.length > others.length) return afterLock({ ...known, over: [] }, rules);
  const free = liveness === 'gone' || liveness === 'mine' || (liveness === 'unknown' && rules.breakLock);
  if (reading.kind === 'free' || free) return { ...known, locked: false, stage: { at: 'lock' } };
  const seen = liveness === 'alive' ? 'its process is running' : 'its process runs on another machine, or did';
  return ended(state, { kind: 'busy', problem: groupLocked(reading.holder, state.node, seen) });
}

/** What all of them mean to bring back; the first who names a volume counts. */
function together(all: readonly (readonly IntendedCopies[])[]): readonly IntendedCopies[] {
  const known = new Map<string, IntendedCopies>();
  for (const each of all.flat()) if (!known.has(each.volume)) known.set(each.volume, each);
  return [...known.values()];
}

function afterLocking(state: RecoveryState, result: LockResult, rules: RecoveryRules): RecoveryState {
  switch (result.kind) {
    case 'mine':
      return afterLock(state, rules);
    case 'held':
      return ended(state, {
        kind: 'busy',
        problem: groupLocked(result.holder, state.node, 'another recovery was faster'),
      });
    case 'failed':
      return stuck(state, [result.problem]);
  }
}

function afterLock(state: RecoveryState, rules: RecoveryRules): RecoveryState {
  return { ...state, locked: true, stage: state.debt && rules.canResume ? { at: 'pay-debt' } : { at: 'look' } };
}

function nextPhase(state: RecoveryState, picture: Picture, rules: RecoveryRules): RecoveryState {
  const elsewhere = state.node !== state.holder;
  // The group has moved before it could be paid: writers come first.
  if (state.debt && rules.canResume && !elsewhere) return { ...state, stage: { at: 'pay-debt' } };
  const plan = rules.recovery(picture, elsewhere ? [] : state.intended);
  const [phase] = plan.phases;
  if (phase !== undefined) {
    return state.performed.length < maxPhases
      ? { ...state, stage: nextOf(plan.phases) }
      : stuck(state, [endless(state, phase), ...plan.problems]);
  }
  if (plan.problems.length > 0) return stuck(state, plan.problems);
  if (elsewhere) return nextNode(state);
  if (picture.stalePartitions > 0) return waitForResync(state, picture.stalePartitions, rules);
  if (state.debt) return stuck(state, [unpaid(state)]);
  return { ...state, stage: { at: 'conclude' } };
}

/** Copies come into step by themselves, unless nobody is at work on them: a wait for that would last for ever. */
function waitForResync(state: RecoveryState, stale: number, { pollMs }: RecoveryRules): RecoveryState {
  const before = state.standstill;
  const standstill = stale < before.stale ? { stale, looks: 0 } : { stale: before.stale, looks: before.looks + 1 };
  return standstill.looks * pollMs < standstillMs
    ? { ...state, standstill, stage: { at: 'wait', next: 'look' } }
    : stuck(state, [stalled(state, stale)]);
}

/** The phases of one look in order; after the last of them the node is looked at again. */
function nextOf(phases: readonly Phase[]): RecoveryState['stage'] {
  const [phase, ...rest] = phases;
  return phase === undefined ? { at: 'look' } : { at: 'perform', phase, rest };
}

/** Counts a failure and goes on from `stage`; the third in a row ends the recovery. */
function again(
  state: RecoveryState,
  problems: readonly Problem[],
  stage: RecoveryState['stage'] = { at: 'look' },
): RecoveryState {
  const failures = [...state.failures, ...problems.slice(0, 1)];
  return failures.length < 3 ? { ...state, failures, stage } : stuck(state, problems);
}

function stuck(state: RecoveryState, problems: readonly Problem[]): RecoveryState {
  return ended(state, { kind: 'stuck', problems, performed: state.performed });
}

function ended(state: RecoveryState, verdict: RecoveryVerdict): RecoveryState {
  return { ...state, stage: { at: 'ended', verdict } };
}

function moved(state: RecoveryState): Problem {
  return {
    code: 'OWNERSHIP_LOST',
    node: state.node,
    message: `${state.node} no longer holds the group`,
    seen: 'the proof does not hold any more',
    remedy: 'Run recover again when the cluster is stable.',
  };
}

function unconfirmed(state: RecoveryState, reason: string): Problem {
  return {
    code: 'OWNERSHIP_UNKNOWN',
    node: state.node,
    message: `${state.node} could not be asked whether it still holds the group`,
    seen: reason,
    remedy: 'Restore the connection to the node, then run recover.',
  };
}

function stalled(state: RecoveryState, stale: number): Problem {
  return {
    code: 'RESYNC_STALLED',
    node: state.node,
    message: 'copies lag behind and do not come into step',
    seen: `${stale} stale partitions, and not one fewer within an hour`,
    remedy: 'Look for a missing disk, mend it, and synchronise the volume group, then run recover again.',
  };
}

function endless(state: RecoveryState, phase: Phase): Problem {
  return {
    code: 'RECOVERY_ENDLESS',
    node: state.node,
    message: 'the way back does not come to an end',
    seen: `${state.performed.length} phases performed, and again: ${phase.title}`,
    remedy: 'Keep the journal and report it; look at the volume group by hand before anything else.',
  };
}

function cutOff({ notes }: RecoveryState, node: string): Problem {
  return {
    code: 'SUSPENSION_CUT_OFF',
    node,
    message:
      'the suspension of the application was cut off, or its end was not heard of: it may still come into effect',
    seen: `${notes}/quiesce, which is left there so that a takeover resumes the application`,
    remedy:
      'Look whether the application is at work and nothing suspends it any more; then run recover, which resumes it once more and removes the note.',
  };
}

function unpaid(state: RecoveryState): Problem {
  return {
    code: 'QUIESCE_DEBT',
    node: state.node,
    message: 'an application was suspended by an earlier run and nothing here knows how to resume it',
    seen: `${state.notes}/quiesce`,
    remedy: 'Configure the resume commands of the group and run recover again, or resume by hand and remove that note.',
  };
}
