import { planArchive } from './archiving.ts';
import type { BackupContext } from './context.ts';
import { BackupError } from './errors.ts';
import type { Holder } from './lock.ts';
import { quiesceSteps } from './quiesce.ts';
import type { GroupPolicy, LevelsGate, RunPlan } from './run-plan.ts';
import { type GroupSurvey, surveyGroup } from './survey.ts';

/** Room that an archive takes beyond the bytes of its volume: headers and padding of many small files. */
const archiveOverhead = 1.05;

/**
 * Plans a backup: who holds the group, whether the levels allow it, how the mirror is split and what is archived. Changes
 * nothing. What the plan says is exactly what {@link runBackup} does.
 *
 * @throws BackupError with every problem that was found.
 */
export async function planBackup(
  context: BackupContext,
  group: string,
  policy: GroupPolicy,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RunPlan> {
  const { surroundings } = context;
  const [survey, levels] = await Promise.all([
    surveyGroup(context, group, options.signal),
    context.audit({ signal: options.signal }),
  ]);
  refuseLevels(levels, policy);
  refuseLeftovers(survey, group);
  const { standing, picture, notes } = survey;

  const run = surroundings.newRunId();
  const { suspend, resume } = quiesceSteps(policy.quiesce, notes, run);
  const { fileSystems } = standing.contents;
  const planned = context.mirror.plan(picture, {
    run,
    fileSystems: fileSystems === 'ALL' ? picture.fileSystems : fileSystems,
    rawVolumes: policy.rawVolumes.map(({ volume }) => volume),
    suspend,
    resume,
    freezeSeconds: policy.freezeSeconds,
    allowLastCopy: policy.allowLastCopy,
  });
  if ('problems' in planned) {
    const [first] = planned.problems;
    throw new BackupError('PLAN_REFUSED', `${group}: ${first?.message ?? 'the mirror cannot be split'}`, {
      remedy: first?.remedy ?? 'Look at the volume group.',
      problems: planned.problems,
    });
  }
  const mirror = planned.plan;
  const storeBytesAtMost = Math.ceil(mirror.volumes.reduce((sum, { bytes }) => sum + bytes, 0) * archiveOverhead);
  await refuseFullStore(context, storeBytesAtMost);

  const createdAt = surroundings.now().toISOString();
  const holder: Holder = {
    splitmirror: 1,
    run,
    group,
    token: surroundings.newToken(),
    controller: surroundings.controller,
    since: createdAt,
    intended: mirror.volumes.map(({ volume, copies }) => ({ volume, copies })),
  };
  return {
    version: 1,
    run,
    createdAt,
    group,
    node: standing.node,
    proof: standing.proof,
    evidence: standing.evidence,
    contents: standing.contents,
    levels,
    observed: picture.digest,
    notes,
    holder,
    policy,
    mirror,
    archives: mirror.volumes.map((volume) => planArchive(volume, policy)),
    partitionsToResync: mirror.volumes.reduce((sum, { partitionsToResync }) => sum + partitionsToResync, 0),
    storeBytesAtMost,
  };
}

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

function refuseLeftovers({ lock, liveness, picture, standing }: GroupSurvey, group: string): void {
  if (lock.kind === 'unreadable') {
    throw new BackupError('NEEDS_RECOVERY', lock.problem.message, {
      remedy: lock.problem.remedy,
      problems: [lock.problem],
    });
  }
  if (lock.kind === 'held' && liveness !== 'gone') {
    const { run, since, controller } = lock.holder;
    throw new BackupError(
      'GROUP_LOCKED',
      `run ${run} holds ${group} since ${since}, process ${controller.pid} on ${controller.host}`,
      {
        remedy: 'Wait for that run, or run recover when its process is gone.',
      },
    );
  }
  if (lock.kind === 'held' || lock.debt || picture.leftovers.length > 0) {
    const names = picture.leftovers.map(({ what, name }) => `${what} ${name}`);
    const what = [
      ...(lock.kind === 'held' ? [`the lock of run ${lock.holder.run}, whose process is gone`] : []),
      ...(lock.debt ? ['the note of a suspended application'] : []),
      ...names,
    ];
    throw new BackupError('NEEDS_RECOVERY', `an earlier run left on ${standing.node}: ${what.join(', ')}`, {
      remedy: `Run recover for group ${group}.`,
    });
  }
}

async function refuseFullStore(context: BackupContext, bytes: number): Promise<void> {
  const free = await context.store.freeBytes();
  if (free >= bytes) return;
  throw new BackupError(
    'STORE_FULL',
    `${context.store.root} has ${free} bytes free and the archives may take ${bytes}`,
    {
      remedy: 'Make room in the store, or name another directory for it.',
    },
  );
}
