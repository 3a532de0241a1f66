import pLimit, { type LimitFunction } from 'p-limit';
import type { BackupContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import type { BackupEvent } from '../events.ts';
import { planBackup } from '../plan/plan.ts';
import type { GroupPolicy, RunPlan } from '../plan/run-plan.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { handOver } from './describe.ts';
import { type RunReport, runBackup } from './run.ts';

/** One group to be backed up. */
export interface GroupJob {
  readonly group: string;
  readonly policy: GroupPolicy;
}

/** What came of one group. */
export type GroupResult =
  | { readonly kind: 'ran'; readonly group: string; readonly plan: RunPlan; readonly report: RunReport }
  /** Nothing was changed: no plan could be made, or the run was refused before it began. */
  | { readonly kind: 'refused'; readonly group: string; readonly code: string; readonly problems: readonly Problem[] }
  /** Not begun, since an end was asked for before its turn. */
  | { readonly kind: 'skipped'; readonly group: string };

/** How many run side by side, and how they are ended. */
export interface GroupsOptions {
  /** Groups at a time; default 2. */
  readonly atOnce?: number | undefined;
  /** Groups at a time on one node; default 1, since they share its disks and its link. */
  readonly perNode?: number | undefined;
  /** Asks every run for its orderly way back; groups whose turn has not come are skipped. */
  readonly signal?: AbortSignal | undefined;
  /** Ends every run where it stands. */
  readonly stop?: AbortSignal | undefined;
  /** Told what each run tells its context, too. */
  readonly onEvent?: ((group: string, event: BackupEvent) => void) | undefined;
  /** A context for each group, for instance one that a recorder of its own listens to; default the one for all. */
  readonly contextOf?: ((group: string) => BackupContext) | undefined;
}

/**
 * Backs up several groups side by side within limits. One that fails stops no other. Never rejects: what went wrong is in
 * the result of its group.
 *
 * @returns One result for each job, in the order of the jobs.
 * @throws RangeError when a group is named twice, or a limit is no whole number from 1.
 */
export async function backupGroups(
  context: BackupContext,
  jobs: readonly GroupJob[],
  options: GroupsOptions = {},
): Promise<GroupResult[]> {
  const twice = jobs.find(({ group }, index) => jobs.findIndex((other) => other.group === group) !== index);
  if (twice !== undefined) throw new RangeError(`group ${twice.group} is named twice`);
  const { atOnce = 2, perNode = 1 } = options;
  for (const limit of [atOnce, perNode]) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`not a whole number from 1: ${limit}`);
  }
  const all = pLimit(atOnce);
  const nodes = new Map<string, LimitFunction>();
  const onNode = (node: string): LimitFunction => {
    const limit = nodes.get(node) ?? pLimit(perNode);
    nodes.set(node, limit);
    return limit;
  };
  return Promise.all(jobs.map((job) => all(() => backupGroup(context, job, options, onNode))));
}

async function backupGroup(
  context: BackupContext,
  { group, policy }: GroupJob,
  { signal, stop, onEvent, contextOf = () => context }: GroupsOptions,
  onNode: (node: string) => LimitFunction,
): Promise<GroupResult> {
  const isEnding = () => signal?.aborted === true || stop?.aborted === true;
  if (isEnding()) return { kind: 'skipped', group };
  try {
    const base = contextOf(group);
    const tell = (event: BackupEvent) => {
      // One that fails must not keep the news from the other.
      handOver(base.onEvent, event);
      onEvent?.(group, event);
    };
    const own: BackupContext = { ...base, onEvent: tell };
    // The node is known only from here. By its turn the plan may be outdated; then the run refuses it.
    const found = await planBackup(own, group, policy, { signal });
    return await onNode(found.node)(async () => {
      if (isEnding()) return { kind: 'skipped', group };
      return { kind: 'ran', group, plan: found, report: await runBackup(own, found, { signal, stop }) };
    });
  } catch (error) {
    if (isEnding()) return { kind: 'skipped', group };
    const problem = problemOf(error, null);
    const problems = error instanceof BackupError && error.problems.length > 0 ? error.problems : [problem];
    return { kind: 'refused', group, code: problem.code, problems };
  }
}
