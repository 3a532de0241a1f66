import { unlessAborted } from '@splitmirror/host';
import type { PlanningContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import type { MirrorPlan, Problem } from '../ports.ts';
import { planArchive } from '../run/archiving.ts';
import { groupLocked } from '../run/group-locked.ts';
import { quiesceSteps, secretProblems } from '../run/quiesce.ts';
import { type GroupSurvey, surveyGroup } from '../run/survey.ts';
import { exposuresOf, refuseExposure } from '../store/exposure.ts';
import { formProblems } from '../store/stored-form.ts';
import { coverageOf } from './coverage.ts';
import { estimatesOf } from './estimates.ts';
import { refusePolicy } from './policy-schema.ts';
import { archivePreflight } from './preflight.ts';
import { quiescePreflight } from './quiesce-preflight.ts';
import type { GroupPolicy, LevelsGate, RunPlan } from './run-plan.ts';

/**
 * Plans a backup: who holds the group, whether the levels allow it, how the mirror is split and what is archived. Changes
 * nothing. What the plan says is exactly what {@link runBackup} does.
 *
 * @throws BackupError with every problem that was found; for a policy that cannot be run (`PLAN_REFUSED` with `POLICY_INVALID`)
 * before anything is looked at; the signal's reason when it has aborted.
 */
export function planBackup(
  context: PlanningContext,
  group: string,
  policy: GroupPolicy,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RunPlan> {
  return unlessAborted(signal, () => plan(context, group, policy, signal));
}

async function plan(
  context: PlanningContext,
  group: string,
  policy: GroupPolicy,
  signal: AbortSignal | undefined,
): Promise<RunPlan> {
  refusePolicy(group, policy);
  const { surroundings } = context;
  const [survey, levels] = await Promise.all([surveyGroup(context, group, signal), context.audit({ signal })]);
  refuseLevels(levels, policy);
  refuseLeftovers(survey, group);
  const { standing, picture, notes } = survey;

  const run = surroundings.newRunId();
  const quiesce = quiesceSteps(policy.quiesce, notes, run, standing.node);
  const mountPoints = standing.contents.fileSystems === 'ALL' ? picture.fileSystems : standing.contents.fileSystems;
  const { fileSystems, leftOut, problems: undecided } = coverageOf(picture, group, mountPoints, policy);
  const planned = context.mirror.plan(picture, {
    run,
    fileSystems,
    rawVolumes: policy.rawVolumes.map(({ volume }) => volume),
    ...quiesce,
    freezeSeconds: policy.freezeSeconds,
    allowLastCopy: policy.allowLastCopy,
    strategy: policy.strategy,
  });
  const problems = [
    ...undecided,
    ...('problems' in planned ? planned.problems : []),
    ...secretProblems(policy.quiesce, standing.node),
    ...(await quiescePreflight(context, standing.node, policy.quiesce, signal)),
    ...(await formProblems(policy.stored)),
    ...('problems' in planned ? [] : await exposureProblems(context, group, planned.plan, policy)),
    ...(await archivePreflight(context, group, picture, fileSystems, signal)),
  ];
  const [first] = problems;
  if (first !== undefined || 'problems' in planned) {
    throw new BackupError('PLAN_REFUSED', `${group}: ${first?.message ?? 'the mirror cannot be split'}`, {
      remedy: first?.remedy ?? 'Look at the volume group.',
      problems,
    });
  }
  const mirror = planned.plan;
  const { store } = context;
  const last = store === null ? undefined : (await store.survey(group)).backups.at(-1)?.manifest;
  const estimates = estimatesOf(mirror, last);
  if (store !== null) await refuseFullStore(store, estimates.storeBytesAtMost);

  return {
    version: 1,
    run,
    createdAt: surroundings.now().toISOString(),
    group,
    node: standing.node,
    proof: standing.proof,
    evidence: standing.evidence,
    contents: standing.contents,
    levels,
    observed: picture.digest,
    ...(picture.parts === undefined ? {} : { observedParts: picture.parts }),
    notes,
    policy,
    mirror,
    archives: mirror.volumes.map((volume) => planArchive(volume, policy)),
    ...(leftOut.length === 0 ? {} : { leftOut }),
    estimates,
  };
}

/** Whether the group has spent this month's time without a second copy. */
async function exposureProblems(
  { store, surroundings }: PlanningContext,
  group: string,
  { volumes }: MirrorPlan,
  policy: GroupPolicy,
): Promise<readonly Problem[]> {
  if (policy.exposure === undefined) return [];
  if (store === null) return [exposureUnknown];
  const problem = refuseExposure(volumes, await exposuresOf(store, group), policy.exposure, surroundings.now());
  return problem === null ? [] : [problem];
}

const exposureUnknown: Problem = {
  code: 'EXPOSURE_UNKNOWN',
  node: null,
  message: 'whether the policy allows more time without a second fresh copy this month is not known',
  seen: 'the store, which knows what was spent, cannot be read',
  remedy: 'Make the store readable, or take exposureMinutesPerMonth out of the configuration of the group.',
};

function refuseLevels(levels: LevelsGate, policy: GroupPolicy): void {
  if (levels.kind !== 'stop' || policy.levels === 'warn') return;
  const [first] = levels.findings;
  throw new BackupError(
    'LEVELS_DIFFER',
    `the software levels of the nodes forbid a backup: ${first?.message ?? 'no detail'}`,
    {
      remedy: first?.remedy ?? 'Run the level audit.',
      problems: levels.findings.map(({ rule, nodes, message, remedy, severity }) => ({
        code: rule,
        node: nodes[0] ?? null,
        message,
        seen: `${severity} on ${nodes.join(', ')}`,
        remedy,
      })),
    },
  );
}

/** Refuses a group that is locked, or on which an earlier run has left something. */
export function refuseLeftovers({ lock, liveness, picture, standing }: GroupSurvey, group: string): void {
  if (lock.kind === 'unreadable') {
    throw new BackupError('NEEDS_RECOVERY', lock.problem.message, {
      remedy: lock.problem.remedy,
      problems: [lock.problem],
    });
  }
  if (lock.kind === 'held' && liveness !== 'gone') {
    const problem = groupLocked(lock.holder, standing.node);
    throw new BackupError('GROUP_LOCKED', problem.message, { remedy: problem.remedy, problems: [problem] });
  }
  if (lock.kind === 'held' || lock.debt || picture.leftovers.length > 0) {
    const names = picture.leftovers.map(({ what, name }) => `${what} ${name}`);
    const what = [
      ...(lock.kind === 'held' ? [`the lock of run ${lock.holder.run}, which nobody works under any more`] : []),
      ...(lock.debt ? ['the note of a suspended application'] : []),
      ...names,
    ];
    throw new BackupError('NEEDS_RECOVERY', `an earlier run left on ${standing.node}: ${what.join(', ')}`, {
      remedy: `Run: splitmirror recover ${group}`,
    });
  }
}

async function refuseFullStore(store: NonNullable<PlanningContext['store']>, bytes: number): Promise<void> {
  const free = await store.freeBytes();
  if (free >= bytes) return;
  const { root, archivesIn } = store;
  throw new BackupError('STORE_FULL', `${archivesIn} has ${free} bytes free and the archives may take ${bytes}`, {
    remedy:
      archivesIn === root
        ? 'Make room in the store, or name another directory for it.'
        : `Make room for ${archivesIn}, or keep the archives elsewhere.`,
  });
}
