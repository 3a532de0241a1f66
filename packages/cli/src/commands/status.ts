import {
  type BackupContext,
  inspectGroup,
  listRecoveries,
  type Problem,
  type RecoveryRecord,
} from '@splitmirror/backup';
import { exitCodeOfProblems, exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { problemsOf, problemText } from './problems.ts';
import { tellOutcome } from './report-text.ts';

/** What of ours is where, for one group. */
interface GroupStatus {
  readonly group: string;
  /** Holder; `null` when nobody provably holds the group. */
  readonly node: string | null;
  /** One line for each thing of ours, and for each copy that lags behind. */
  readonly findings: readonly string[];
  readonly problems: readonly Problem[];
  /** Why the store could not be asked for what follows, which is `null` then. */
  readonly unread: Problem | null;
  /** When the newest backup was committed (UTC, ISO 8601). */
  readonly lastBackup: string | null;
  readonly lastRecovery: Pick<RecoveryRecord, 'run' | 'startedAt' | 'by' | 'verdict'> | null;
}

/** Says what of splitmirror is on which node: copies, mounts, locks, debts, resyncs. Changes nothing. */
export async function status({ config, context, reporter, signal }: Session): Promise<number> {
  const groups: GroupStatus[] = [];
  for (const group of Object.keys(config.groups).sort()) {
    const seen = await statusOf(context, group, signal);
    groups.push(seen);
    const isQuiet = seen.findings.length === 0 && seen.problems.length === 0;
    tellOutcome(
      reporter,
      [`${group}: ${seen.node === null ? 'nobody provably holds it' : `on ${seen.node}`}`],
      isQuiet,
    );
    if (seen.unread === null) reporter.line(`  last backup: ${seen.lastBackup ?? 'none'}`);
    else reporter.warn(`${group}: its last backup and recovery are not known: ${seen.unread.message}`);
    if (seen.lastRecovery !== null) {
      const { startedAt, by, verdict } = seen.lastRecovery;
      reporter.line(`  last recovery: ${startedAt} by ${by ?? 'somebody'}, ${verdict ?? 'without an end'}`);
    }
    for (const line of seen.findings) reporter.alert(`  ${line}`);
    for (const line of seen.problems.flatMap(problemText)) reporter.alert(line);
    if (isQuiet) reporter.line('  nothing of ours is on any node');
  }
  reporter.result({ groups });
  const problems = groups.flatMap((each) => each.problems);
  if (problems.length > 0) return exitCodeOfProblems(problems);
  return groups.some(({ findings }) => findings.length > 0) ? exitCodes.NEEDS_RECOVERY.code : exitCodes.OK.code;
}

async function statusOf(context: BackupContext, group: string, signal: AbortSignal): Promise<GroupStatus> {
  const stored = await lastOf(context, group);
  try {
    const { survey } = await inspectGroup(context, group, signal);
    const { standing, picture, lock } = survey;
    const others = await Promise.all(
      context.cluster.nodes
        .filter((node) => node !== standing.node)
        .map(async (node) => onOtherNode(context, node, standing.contents, signal)),
    );
    const findings = [
      ...picture.leftovers.map(({ run, what, name }) => `${standing.node}: ${what} ${name} of run ${run}`),
      ...(picture.stalePartitions > 0 ? [`${standing.node}: ${picture.stalePartitions} partitions are stale`] : []),
      ...(lock.kind === 'held' ? [`lock of run ${lock.holder.run} since ${lock.holder.since}`] : []),
      ...(lock.kind !== 'unreadable' && lock.debt ? ['the application was suspended and not yet let go'] : []),
      ...others.flatMap((other) => other.findings),
    ];
    const problems = [
      ...(lock.kind === 'unreadable' ? [lock.problem] : []),
      ...others.flatMap((other) => other.problems),
    ];
    return { group, node: standing.node, findings, problems, ...stored };
  } catch (error) {
    signal.throwIfAborted();
    return { group, node: null, findings: [], problems: problemsOf(error, null), ...stored };
  }
}

/** What the store knows of a group. What is on the nodes is told also where it cannot be read. */
async function lastOf(
  { store }: BackupContext,
  group: string,
): Promise<Pick<GroupStatus, 'unread' | 'lastBackup' | 'lastRecovery'>> {
  try {
    const lastBackup = (await store.survey(group)).backups.at(-1)?.manifest.committedAt ?? null;
    const last = (await listRecoveries(store, group)).recoveries.at(-1);
    const lastRecovery =
      last === undefined ? null : { run: last.run, startedAt: last.startedAt, by: last.by, verdict: last.verdict };
    return { unread: null, lastBackup, lastRecovery };
  } catch (error) {
    const [unread = null] = problemsOf(error, null);
    return { unread, lastBackup: null, lastRecovery: null };
  }
}

async function onOtherNode(
  { mirror }: BackupContext,
  node: string,
  contents: Parameters<typeof mirror.look>[1],
  signal: AbortSignal,
): Promise<Pick<GroupStatus, 'findings' | 'problems'>> {
  try {
    const { leftovers } = await mirror.look(node, contents, { signal });
    return { findings: leftovers.map(({ run, what, name }) => `${node}: ${what} ${name} of run ${run}`), problems: [] };
  } catch (error) {
    signal.throwIfAborted();
    return { findings: [], problems: problemsOf(error, node) };
  }
}
