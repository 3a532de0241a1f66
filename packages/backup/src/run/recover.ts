import { unlessAborted } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import { refusePolicy } from '../plan/policy-schema.ts';
import type { GroupPolicy } from '../plan/run-plan.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { endExposures } from '../store/exposure.ts';
import { describe, emitter, summary } from './describe.ts';
import { drive } from './drive.ts';
import { type Looked, type NodeEffect, takesBack } from './effects.ts';
import { noteEnd } from './ended-holders.ts';
import type { Journal } from './journal.ts';
import { type Holder, newHolder } from './lock.ts';
import { performOnNode } from './perform.ts';
import {
  nextRecoveryEffect,
  observeRecovery,
  passingStandings,
  type RecoveryRules,
  type RecoveryState,
  type RecoveryVerdict,
  startRecovery,
} from './recovery.ts';
import { type Rehearsal, rehearse } from './rehearsal.ts';
import { type GroupSurvey, lookAt, standingCodes, surveyGroup } from './survey.ts';
import { tracesSeen, tracesText } from './traces.ts';

/** How a group is brought back. */
export interface RecoverOptions {
  /** Take a lock whose holder cannot be proved gone from this machine. Only a person can know. */
  readonly breakLock?: boolean | undefined;
  readonly stop?: AbortSignal | undefined;
  /** Who asks for it, in the site's own words: for the record. */
  readonly by?: string | undefined;
}

/**
 * What `recoverGroup` would do now and how it would end, as far as one look tells: after each phase it looks anew. Changes nothing.
 *
 * @throws BackupError when nobody provably holds the group, or when its storage or its lock cannot be read, and `PLAN_REFUSED`
 * for a policy that cannot be gone by; the signal's reason when it has aborted.
 */
export async function inspectGroup(
  context: Omit<BackupContext, 'store'>,
  group: string,
  policy: GroupPolicy,
  options: Pick<RecoverOptions, 'breakLock'> & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Rehearsal & { readonly survey: GroupSurvey }> {
  refusePolicy(group, policy, recoveryFields);
  const { surroundings, cluster } = context;
  const { breakLock = false, signal } = options;
  const survey = await surveyGroup(context, group, signal);
  const { node, contents } = survey.standing;
  const nodes = cluster.nodes.filter((other) => other !== node);
  const others = await unlessAborted(signal, () =>
    Promise.all(nodes.map((other) => lookAt(context, other, contents, signal))),
  );
  const scene = { survey, others: new Map(nodes.map((other, index) => [other, others[index] as Looked])) };
  const self = newHolder(surroundings, { run: surroundings.newRunId(), group, intended: [] });
  return { survey, ...rehearse(scene, recoveryRules(context, policy, self, { breakLock }), policy.quiesce) };
}

/** Whether what `inspectGroup` was refused with may pass by itself: `recoverGroup` asks again for a while before it gives up. */
export function isWaitedFor(error: unknown): error is BackupError {
  return error instanceof BackupError && passingStandings.some((kind) => standingCodes[kind] === error.code);
}

/**
 * Takes back whatever an earlier run left, from what the nodes show alone: no journal, any machine. Safe to repeat.
 * The node that has the group comes first, then what directories are left on the others. What was found and taken back is
 * recorded in the store where that can be used (see `listRecoveries`), and where it cannot the last event says why not; a
 * recovery that finds nothing leaves no record.
 *
 * @throws BackupError `PLAN_REFUSED` for a policy whose `quiesce` or `pollMs` cannot be gone by: nothing was begun.
 */
export async function recoverGroup(
  context: BackupContext,
  group: string,
  policy: GroupPolicy,
  options: RecoverOptions = {},
): Promise<RecoveryVerdict> {
  refusePolicy(group, policy, recoveryFields);
  const { surroundings } = context;
  const { breakLock = false, by = null } = options;
  const emit = emitter(context);
  const self = newHolder(surroundings, { run: surroundings.newRunId(), group, intended: [] });
  const rules = recoveryRules(context, policy, self, { breakLock });
  const subject = { group, quiesce: policy.quiesce, self };
  const { run, since: at, controller } = self;
  // Taking back comes first: a store that cannot be used keeps nobody from it.
  let unrecorded: Problem | null = null;
  const fault = (error: unknown) => {
    unrecorded ??= problemOf(error, null);
    return undefined;
  };
  const record = await context.store.beginRecovery(group, run, at).catch(fault);
  const journal: Journal = {
    write: async (entry) => record?.journal.write(entry).catch(fault),
    close: async () => record?.journal.close().catch(fault),
  };
  if (record !== undefined) context.keepLog?.(record.directory, null);
  emit({ type: 'recovery-start', run, group, by, breakLock });
  await journal.write({ at, kind: 'recovery', run, group, by, controller, breakLock });
  let tookBack = false;
  const seen = tracesSeen(self);
  let traces = seen.during({ kind: 'locate' });
  const end = await drive<RecoveryState, NodeEffect>(
    {
      next: (state) => nextRecoveryEffect(state, rules),
      observe: (state, observed) => observeRecovery(state, observed, rules),
    },
    startRecovery(),
    {
      now: surroundings.now,
      journal,
      stop: options.stop,
      perform: (effect) => performOnNode(context, subject, effect, options.stop),
      onEffect(effect) {
        tookBack ||= takesBack(effect);
        traces = seen.during(effect);
        emit({ type: 'step-start', step: effect.kind, ...describe(effect), traces });
      },
      onOutcome(effect, outcome) {
        seen.take(effect, outcome);
        emit({ type: 'step-end', step: effect.kind, title: describe(effect).title, ...summary(outcome) });
      },
    },
  ).finally(() => noteEnd(self));
  const verdict: RecoveryVerdict =
    end.stage.at === 'ended'
      ? end.stage.verdict
      : { kind: 'stuck', problems: [stopped(end, group, tracesText(traces))], performed: end.performed };
  // A recovery needs no store; where there is one, what a dead run has cost ends here.
  if (verdict.kind === 'whole' && record !== undefined) {
    await endExposures(context.store, group, surroundings.now().toISOString()).catch(fault);
  }
  await journal.write({ at: surroundings.now().toISOString(), kind: 'end', verdict });
  await journal.close();
  // Where nothing was found there is nothing to tell; where somebody has to look there is.
  const keeps = tookBack || verdict.kind === 'stuck';
  if (!keeps) await record?.forget().catch(() => {});
  emit({
    type: 'recovery-end',
    verdict,
    directory: keeps ? (record?.directory ?? null) : null,
    unrecorded: keeps ? unrecorded : null,
  });
  return verdict;
}

/** What a recovery goes by of a policy. */
const recoveryFields = ['quiesce', 'pollMs'] as const;

/** What the way back of a run and a recovery go by alike. */
export function recoveryRules(
  { cluster, mirror }: Pick<BackupContext, 'cluster' | 'mirror'>,
  { pollMs, quiesce }: GroupPolicy,
  self: Holder,
  { breakLock }: { readonly breakLock: boolean },
): RecoveryRules {
  return {
    nodes: cluster.nodes,
    recovery: (picture, intended) => mirror.recovery(picture, intended),
    self,
    breakLock,
    pollMs,
    canResume: quiesce !== null,
  };
}

function stopped(state: RecoveryState, group: string, left: string): Problem {
  return {
    code: 'STOPPED',
    node: state.node === '' ? null : state.node,
    message: 'the recovery was stopped before it had taken everything back',
    seen: left,
    remedy: `Run: splitmirror recover ${group}`,
  };
}
