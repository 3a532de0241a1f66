import { archiveVolumes } from './archiving.ts';
import type { BackupContext } from './context.ts';
import { describe, emitter, summary } from './describe.ts';
import { drive } from './drive.ts';
import type { Effect, Outcome } from './effects.ts';
import type { ArchiveRecord, Manifest } from './manifest.ts';
import { performOnNode } from './perform.ts';
import { recoveryRules } from './recover.ts';
import { nextEffect, observe, type RunState, type RunVerdict, startRun } from './reducer.ts';
import { digestOf, type RunPlan } from './run-plan.ts';

/** How a run ended, and where its backup is. */
export interface RunReport {
  readonly verdict: RunVerdict;
  /** Directory of the complete backup, or of the journal where the run failed; `null` where nothing was begun. */
  readonly directory: string | null;
  readonly archives: readonly ArchiveRecord[];
}

/** How a run can be ended early. */
export interface RunOptions {
  /** Asks for an orderly way back: what was split is merged, what was suspended is resumed, then the run ends. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the run where it stands; `recover` has to do the rest. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs a plan. Resolves in every case in which a verdict can be given; what it means for an exit code is the caller's.
 *
 * @throws BackupError `STORE_FULL`, `STORE_UNUSABLE`: nothing was changed.
 */
export async function runBackup(context: BackupContext, plan: RunPlan, options: RunOptions = {}): Promise<RunReport> {
  const { now } = context.surroundings;
  const stored = await context.store.begin(plan.group, plan.run, plan.createdAt);
  const emit = emitter(context);
  const subject = { group: plan.group, quiesce: plan.policy.quiesce, self: plan.holder };
  const rules = recoveryRules(context, plan.policy, plan.holder, { breakLock: false });
  let directory: string | null = stored.directory;

  const perform = async (effect: Effect, state: RunState): Promise<Outcome> => {
    // On the way back the first signal has done its work; only `stop` still ends something.
    const signal = state.journey.kind === 'forward' ? anyOf(options.signal, options.stop) : options.stop;
    switch (effect.kind) {
      case 'archive':
        return { of: 'archive', result: await archiveVolumes(context, plan, stored.directory, signal) };
      case 'redundancy':
        return { of: 'redundancy', redundancy: await context.mirror.redundancy(plan.mirror, { signal }) };
      case 'commit':
        directory = await stored.commit(manifestOf(state, now()));
        return { of: 'commit', result: { kind: 'done' } };
      case 'perform': {
        // The copies come into step while the merge still runs; what is seen meanwhile is news, no decision.
        const watch = effect.phase === plan.mirror.merge ? watchResync(context, plan) : undefined;
        const outcome = await performOnNode(context, subject, effect, signal);
        await watch?.();
        return outcome;
      }
      default:
        return performOnNode(context, subject, effect, signal);
    }
  };

  emit({ type: 'run-start', run: plan.run, group: plan.group, node: plan.node });
  await stored.journal.write({ at: now().toISOString(), kind: 'plan', digest: digestOf(plan), plan });
  const end = await drive<RunState, Effect>(
    { next: (state) => nextEffect(state, rules), observe: (state, seen) => observe(state, seen, rules) },
    startRun(plan),
    {
      now,
      perform,
      journal: stored.journal,
      signal: options.signal,
      stop: options.stop,
      onEffect: (effect) => emit({ type: 'step-start', step: effect.kind, ...describe(effect) }),
      onOutcome: (effect, outcome, before, after) => {
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
  );
  const verdict = verdictOf(end);
  await stored.journal.write({ at: now().toISOString(), kind: 'end', verdict }).catch(() => {});
  await stored.journal.close();
  if (verdict.kind === 'refused') {
    await stored.forget();
    directory = null;
  }
  emit({ type: 'run-end', verdict, directory });
  return { verdict, directory, archives: end.archives };
}

/** Tells from time to time how many partitions are stale. Call what is returned to end it. */
function watchResync(context: BackupContext, plan: RunPlan): () => Promise<void> {
  const ending = new AbortController();
  const emit = emitter(context);
  const watching = (async () => {
    for (;;) {
      await context.surroundings.sleep(plan.policy.pollMs, ending.signal);
      if (ending.signal.aborted) return;
      const seen = await context.mirror.redundancy(plan.mirror, { signal: ending.signal }).catch(() => undefined);
      if (seen?.kind === 'resyncing') {
        emit({ type: 'resync-progress', stalePartitions: seen.stalePartitions, totalPartitions: seen.totalPartitions });
      }
    }
  })();
  return () => {
    ending.abort();
    return watching;
  };
}

function verdictOf(end: RunState): RunVerdict {
  if (end.journey.kind === 'ended') return end.journey.verdict;
  const problem = {
    code: 'STOPPED',
    node: end.plan.node,
    message: 'the run was stopped before it had taken everything back',
    seen: end.journey.kind === 'forward' ? end.journey.stage : end.journey.recovery.stage.at,
    remedy: `Run recover for group ${end.plan.group}.`,
  };
  return {
    kind: 'interrupted',
    problems: [],
    committed: end.committed,
    recovery: { kind: 'stuck', problems: [problem], performed: [] },
  };
}

/** What is kept of a run that went well. */
function manifestOf(state: RunState, now: Date): Manifest {
  const { plan, splitAt, wholeAt } = state;
  if (splitAt === null || wholeAt === null)
    throw new Error('a run is committed only after its mirror was split and made whole');
  return {
    splitmirror: 1,
    run: plan.run,
    group: plan.group,
    node: plan.node,
    createdAt: plan.createdAt,
    committedAt: now.toISOString(),
    planDigest: digestOf(plan),
    consistency: {
      level: plan.policy.quiesce === null ? 'file-system' : 'application',
      evidence: state.facts.split ?? {},
    },
    redundancy: {
      splitAt,
      wholeAt,
      exposedSeconds: (Date.parse(wholeAt) - Date.parse(splitAt)) / 1000,
      copiesLeft: Math.min(...plan.mirror.volumes.map(({ copiesLeft }) => copiesLeft)),
    },
    levels: plan.levels,
    proofs: [...state.proofs],
    facts: { ...state.facts },
    archives: [...state.archives],
  };
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}
