import { renderSteps } from '@splitmirror/host';
import type { Picture, Problem } from '../ports.ts';
import { describe } from './describe.ts';
import { type Looked, type NodeEffect, type Outcome, type ScriptedEffect, takesBack } from './effects.ts';
import { scriptOf } from './perform.ts';
import type { QuiesceHooks } from './quiesce.ts';
import {
  nextRecoveryEffect,
  observeRecovery,
  type RecoveryRules,
  type RecoveryVerdict,
  startRecovery,
} from './recovery.ts';
import type { GroupSurvey } from './survey.ts';

/** What a recovery would do, and how it would end. */
export interface Rehearsal {
  /** Everything that takes something back, in order. The recovery's own lock is left out: it comes and goes with it. */
  readonly steps: readonly RehearsedStep[];
  /** How it would end when every step does what it should. */
  readonly verdict: RecoveryVerdict;
}

/** One thing that a recovery would do on a node. */
export interface RehearsedStep {
  readonly node: string;
  readonly title: string;
  /** As typed. */
  readonly commands: readonly string[];
}

/** What was seen of a group and of the nodes that do not hold it. */
export interface RecoveryScene {
  readonly survey: GroupSurvey;
  /** By node name. */
  readonly others: ReadonlyMap<string, Looked>;
}

/**
 * Plays a recovery through on what was seen: the machine that recovers decides here as well, so that both refuse the same and do the same
 * in the same order. What would change something is taken for done, and what it takes back for gone. Pure.
 */
export function rehearse(
  { survey, others }: RecoveryScene,
  rules: RecoveryRules,
  hooks: QuiesceHooks | null,
): Rehearsal {
  const { standing, lock, liveness } = survey;
  /** Nodes where everything was done, and what no step takes away there. */
  const settled = new Map<string, readonly Problem[]>();
  const problems = new Map<string, readonly Problem[]>();
  const recovery: RecoveryRules['recovery'] = (picture, intended) => {
    const left = settled.get(picture.node);
    if (left !== undefined) return { phases: [], problems: left };
    const plan = rules.recovery(picture, intended);
    problems.set(picture.node, plan.problems);
    return plan;
  };
  const settle = (node: string) => void settled.set(node, problems.get(node) ?? []);
  const looked = (node: string): Looked =>
    node === standing.node ? { kind: 'seen', picture: survey.picture } : (others.get(node) ?? unseen(node));
  let reading = lock;
  const answer = (effect: NodeEffect): Outcome => {
    switch (effect.kind) {
      case 'locate':
        return { of: 'locate', standing };
      case 'confirm':
        return { of: 'confirm', confirmation: { kind: 'holds', proof: effect.proof } };
      case 'look': {
        const seen = looked(effect.node);
        const isSettled = seen.kind === 'seen' && settled.has(effect.node);
        return { of: 'look', looked: isSettled ? { kind: 'seen', picture: whole(seen.picture) } : seen };
      }
      case 'read-lock':
        return { of: 'read-lock', reading, liveness };
      case 'lock':
        return { of: 'lock', result: { kind: 'mine' } };
      case 'perform':
        settle(effect.phase.node);
        return {
          of: 'perform',
          outcome: { kind: 'done', facts: {}, transcript: { kind: 'completed', steps: [] } },
        };
      case 'wait':
        settle(standing.node);
        return { of: 'wait' };
      case 'break-lock':
        if (reading.kind === 'unreadable') reading = reading.rest ?? reading;
        return { of: effect.kind, result: { kind: 'done' } };
      case 'pay-debt':
      case 'resume':
      case 'unlock':
        return { of: effect.kind, result: { kind: 'done' } };
    }
  };
  const played = { ...rules, recovery };
  const steps: RehearsedStep[] = [];
  let state = startRecovery();
  for (;;) {
    const effect = nextRecoveryEffect(state, played);
    if (effect === null || state.stage.at === 'ended') break;
    if (takesBack(effect)) steps.push(stepOf(effect, hooks));
    state = observeRecovery(state, { ...answer(effect), at: '' }, played);
  }
  if (state.stage.at !== 'ended') throw new RangeError(`a recovery ended at ${state.stage.at}`);
  return { steps, verdict: state.stage.verdict };
}

function stepOf(effect: ScriptedEffect, hooks: QuiesceHooks | null): RehearsedStep {
  const { steps } = scriptOf(effect, hooks);
  // Of the lock that is given back, what others have left there.
  const shown = effect.kind === 'unlock' ? steps.filter(({ id }) => id === 'bury') : steps;
  const node = effect.kind === 'perform' ? effect.phase.node : effect.node;
  return { node, title: describe(effect).title, commands: renderSteps({ steps: shown }) };
}

function whole(picture: Picture): Picture {
  return { ...picture, leftovers: [], stalePartitions: 0 };
}

function unseen(node: string): Looked {
  const problem = { code: 'NOT_ASKED', node, message: 'was not looked at', seen: 'nothing', remedy: 'Look at it.' };
  return { kind: 'failed', problem };
}
