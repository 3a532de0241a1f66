import type { BackupContext } from '../context.ts';
import { type Approval, checkApproval } from '../plan/approval.ts';
import { refusePolicy } from '../plan/policy-schema.ts';
import { digestOf, type RunPlan } from '../plan/run-plan.ts';
import type { ArchiveRecord, Suspicion } from '../store/manifest.ts';
import { pause } from '../surroundings.ts';
import { archiveVolumes } from './archiving.ts';
import { commitRun } from './committing.ts';
import { describe, emitter, summary } from './describe.ts';
import { drive } from './drive.ts';
import type { Effect, Outcome } from './effects.ts';
import { noteEnd } from './ended-holders.ts';
import { type Holder, newHolder } from './lock.ts';
import { performOnNode } from './perform.ts';
import { recoveryRules } from './recover.ts';
import { nextEffect, observe, type RunState, type RunVerdict, startRun } from './reducer.ts';
import { type Trace, tracesAfterUnlock, tracesOfRun, tracesText } from './traces.ts';

/** How a run ended, and where its backup is. */
export interface RunReport {
  readonly verdict: RunVerdict;
  /** Directory of the complete backup, or of the journal where the run failed; `null` where nothing was begun. */
  readonly directory: string | null;
  readonly archives: readonly ArchiveRecord[];
}

/** How a run can be ended early, and who allowed it. */
export interface RunOptions {
  /** Asks for an orderly way back: what was split is merged, what was suspended is resumed, then the run ends. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the run where it stands; `recoverGroup` has to do the rest, and may do it in this very process. */
  readonly stop?: AbortSignal | undefined;
  /** Somebody's leave to run this very plan; without it the caller answers for it, where the policy lets him. */
  readonly approval?: Approval | undefined;
  /** What is demanded now, for a plan that was made or saved before it was: default what the plan's own policy demands. */
  readonly approvalPolicy?: 'required' | undefined;
}

/**
 * Runs a plan. Resolves in every case in which a verdict can be given; what it means for an exit code is the caller's.
 *
 * @throws BackupError `STORE_FULL`, `STORE_UNUSABLE`, `PLAN_NOT_APPROVED`, `PLAN_REFUSED` for a policy that cannot be run, and
 * `PLAN_OUTDATED` for a plan that was begun already, whatever has become of it: nothing was changed.
 */
export async function runBackup(context: BackupContext, plan: RunPlan, options: RunOptions = {}): Promise<RunReport> {
  const { now } = context.surroundings;
  checkApproval(plan, options.approval, now(), options.approvalPolicy);
  refusePolicy(plan.group, plan.policy);
  const stored = await context.store.begin(plan.group, plan.run, now().toISOString());
  const emit = emitter(context);
  const self = holderOf(context, plan);
  const subject = { group: plan.group, quiesce: plan.policy.quiesce, self };
  const rules = recoveryRules(context, plan.policy, self, { breakLock: false });
  let directory: string | null = stored.directory;
  let suspicions: readonly Suspicion[] = [];
  let traces: readonly Trace[] = [];

  const perform = async (effect: Effect, state: RunState): Promise<Outcome> => {
    // On the way back the first signal has done its work; only `stop` still ends something.
    const signal = state.journey.kind === 'forward' ? anyOf(options.signal, options.stop) : options.stop;
    switch (effect.kind) {
      case 'archive':
        return {
          of: 'archive',
          result: await (context.archive?.() ?? archiveVolumes(context, plan, stored, signal)),
        };
      case 'redundancy':
        return { of: 'redundancy', redundancy: await context.mirror.redundancy(plan.mirror, { signal }) };
      case 'commit':
        ({ directory, suspicions } = await commitRun(context.store, stored, state, now()));
        return { of: 'commit', result: { kind: 'done' } };
      case 'perform': {
        // The copies come into step while the merge still runs; what is seen meanwhile is news, no decision.
        const watch = effect.phase === plan.mirror.merge ? watchResync(context, plan) : undefined;
        return performOnNode(context, subject, effect, signal).finally(watch);
      }
      default:
        return performOnNode(context, subject, effect, signal);
    }
  };

  try {
    const { approval = null } = options;
    await stored.journal.write({ at: now().toISOString(), kind: 'plan', digest: digestOf(plan), plan, approval });
  } catch (error) {
    await stored.journal.close();
    await stored.forget();
    throw error;
  }
  context.keepLog?.(stored.directory, plan);
  emit({ type: 'run-start', run: plan.run, group: plan.group, node: plan.node });
  const end = await drive<RunState, Effect>(
    {
      next: (state) => nextEffect(state, rules),
      observe(before, seen) {
        const after = observe(before, seen, rules);
        if (before.journey.kind === 'forward' && after.journey.kind === 'back') {
          // An interrupt comes between two effects; what an effect has led to is told after its end.
          const { reason, problems } = after.journey;
          if (seen.of === 'interrupt') emit({ type: 'way-back', reason, problems });
        }
        return after;
      },
    },
    startRun(plan),
    {
      now,
      perform,
      journal: stored.journal,
      signal: options.signal,
      stop: options.stop,
      onEffect(effect, state) {
        traces = tracesOfRun(state, effect, self);
        emit({ type: 'step-start', step: effect.kind, ...describe(effect), traces });
      },
      onOutcome: (effect, outcome, before, after) => {
        if (outcome.of === 'unlock' && outcome.result.kind === 'done') traces = tracesAfterUnlock(before);
        emit({ type: 'step-end', step: effect.kind, title: describe(effect).title, ...summary(outcome) });
        if (outcome.of === 'redundancy' && outcome.redundancy.kind === 'resyncing') {
          const { stalePartitions, totalPartitions } = outcome.redundancy;
          emit({ type: 'resync-progress', stalePartitions, totalPartitions });
        }
        if (before.journey.kind === 'forward' && after.journey.kind === 'back') {
          emit({ type: 'way-back', reason: after.journey.reason, problems: after.journey.problems });
        }
      },
    },
  ).finally(() => noteEnd(self));
  const verdict = heldAgainst(suspicions, verdictOf(end, traces));
  await stored.journal.write({ at: now().toISOString(), kind: 'end', verdict }).catch(() => {});
  await stored.journal.close();
  if (verdict.kind === 'refused') {
    await stored.forget();
    directory = null;
  }
  emit({ type: 'run-end', verdict, directory });
  return { verdict, directory, archives: end.archives };
}

/** The lock in the name of this very process: a plan may be run by another one than made it. */
function holderOf({ surroundings }: BackupContext, { run, group, mirror }: RunPlan): Holder {
  const intended = mirror.volumes.map(({ volume, copies, strategy }) => ({ volume, copies, strategy }));
  return newHolder(surroundings, { run, group, intended });
}

/** Tells from time to time how many partitions are stale. Call what is returned to end it. */
function watchResync(context: BackupContext, plan: RunPlan): () => Promise<void> {
  const ending = new AbortController();
  const emit = emitter(context);
  const watching = (async () => {
    for (;;) {
      await pause(context.surroundings, plan.policy.pollMs, ending.signal);
      if (ending.signal.aborted) return;
      const seen = await context.mirror.redundancy(plan.mirror, { signal: ending.signal }).catch(() => undefined);
      if (seen?.kind === 'resyncing') {
        emit({ type: 'resync-progress', stalePartitions: seen.stalePartitions, totalPartitions: seen.totalPartitions });
      }
    }
  })();
  // It is progress alone: what fails in it fails where it counts, too.
  const watched = watching.catch(() => {});
  return () => {
    ending.abort();
    return watched;
  };
}

/** A backup that is off its history is not green, however well the run went. */
function heldAgainst(suspicions: readonly Suspicion[], verdict: RunVerdict): RunVerdict {
  return verdict.kind === 'good' && suspicions.length > 0 ? { kind: 'suspicious', reasons: suspicions } : verdict;
}

/** @param traces What is on the nodes, or may be, when the run ends. */
function verdictOf(end: RunState, traces: readonly Trace[]): RunVerdict {
  const { group, node } = end.plan;
  const left = { seen: tracesText(traces), remedy: `Run: splitmirror recover ${group}` };
  if (end.journey.kind !== 'ended') {
    const message = 'the run was stopped before it had taken everything back';
    const problem = { code: 'STOPPED', node, message, ...left };
    const recovery = { kind: 'stuck', problems: [problem], performed: [] } as const;
    return { kind: 'interrupted', problems: [], committed: end.committed, recovery };
  }
  const { verdict } = end.journey;
  if (!('recovery' in verdict) || verdict.recovery.kind !== 'stuck' || traces.length === 0) return verdict;
  const problem = {
    code: 'LEFT_BEHIND',
    node: null,
    message: 'what this run has made was not all taken back',
    ...left,
  };
  const { recovery } = verdict;
  return { ...verdict, recovery: { ...recovery, problems: [...recovery.problems, problem] } };
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}
