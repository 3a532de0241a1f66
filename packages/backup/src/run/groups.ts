import { requireWhole } from '@splitmirror/host';
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
  /** A context for each attempt at a group, for instance one that a recorder of its own listens to; default the one for all. */
  readonly contextOf?: ((group: string) => BackupContext) | undefined;
}

/**
 * Backs up several groups side by side within limits; each is planned when its turn has come. One that fails stops no
 * other. Never rejects: what went wrong is in the result of its group.
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
  requireWhole('atOnce', atOnce, 1);
  requireWhole('perNode', perNode, 1);
  const [looks, runs] = [pLimit(atOnce), pLimit(atOnce)];
  const nodes = new Map<string, LimitFunction>();
  /** What waits for a node takes no place of those who could run on another. */
  const inTurn: InTurn = (node, act) => {
    if (node === null) return runs(act);
    const limit = nodes.get(node) ?? pLimit(perNode);
    nodes.set(node, limit);
    return limit(() => runs(act));
  };
  return Promise.all(
    jobs.map(async (job) => {
      const node = await looks(() => holderOf(context, job.group, options));
      return backupGroup(context, job, options, node, inTurn);
    }),
  );
}

type InTurn = <T>(node: string | null, act: () => Promise<T>) => Promise<T>;

/** Node whose turn a group has to wait for; `null` where none is known to hold it, as its plan will say. */
async function holderOf({ cluster }: BackupContext, group: string, options: GroupsOptions): Promise<string | null> {
  if (isEnding(options)) return null;
  const standing = await cluster.locate(group, { signal: options.signal }).catch(() => null);
  return standing?.kind === 'held' ? standing.node : null;
}

async function backupGroup(
  context: BackupContext,
  job: GroupJob,
  options: GroupsOptions,
  node: string | null,
  inTurn: InTurn,
): Promise<GroupResult> {
  const result = await inTurn(node, () => attempt(context, job, options, node));
  return result.kind === 'elsewhere' ? backupGroup(context, job, options, result.node, inTurn) : result;
}

/** Plans the group and backs it up; where it has come to another node meanwhile, it has to wait for that one's turn. */
async function attempt(
  context: BackupContext,
  { group, policy }: GroupJob,
  options: GroupsOptions,
  node: string | null,
): Promise<GroupResult | { readonly kind: 'elsewhere'; readonly node: string }> {
  const { signal, stop, onEvent, contextOf = () => context } = options;
  if (isEnding(options)) return { kind: 'skipped', group };
  try {
    const base = contextOf(group);
    const tell = (event: BackupEvent) => {
      // One that fails must not keep the news from the other.
      handOver(base.onEvent, event);
      onEvent?.(group, event);
    };
    const own: BackupContext = { ...base, onEvent: tell };
    const plan = await planBackup(own, group, policy, { signal });
    if (plan.node !== node) return { kind: 'elsewhere', node: plan.node };
    if (isEnding(options)) return { kind: 'skipped', group };
    return { kind: 'ran', group, plan, report: await runBackup(own, plan, { signal, stop }) };
  } catch (error) {
    if (isEnding(options)) return { kind: 'skipped', group };
    const problem = problemOf(error, null);
    const problems = error instanceof BackupError && error.problems.length > 0 ? error.problems : [problem];
    return { kind: 'refused', group, code: problem.code, problems };
  }
}

function isEnding({ signal, stop }: GroupsOptions): boolean {
  return signal?.aborted === true || stop?.aborted === true;
}
