import {
  type BackupContext,
  backupGroups,
  createRecorder,
  type GroupResult,
  loadApproval,
  loadPlan,
  planBackup,
  type Recorder,
  type RunPlan,
  type RunReport,
  runBackup,
} from '@splitmirror/backup';
import { policyOf } from '../config/policy.ts';
import { ConfigError } from '../config/read.ts';
import { nodesOn } from '../connect.ts';
import { exitCodeOfCode, exitCodeOfError, exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import type { Session } from '../session.ts';
import { announceEnd, announceStart } from './announcements.ts';
import { problemText } from './problems.ts';

/** What a backup may be told. */
export interface BackupFlags {
  /** Every group of the configuration. */
  readonly all?: boolean;
  /** A saved plan, and the leave to run it. */
  readonly plan?: string;
  readonly approval?: string;
}

/** Plans and runs backups. */
export async function backup(session: Session, named: readonly string[], flags: BackupFlags): Promise<number> {
  const groups = flags.all === true ? Object.keys(session.config.groups).sort() : named;
  const [group] = groups;
  if (group === undefined || (flags.all === true && named.length > 0)) {
    throw new ConfigError('no group is named', { remedy: 'Name groups, or say --all.' });
  }
  if (groups.length === 1) return backupOne(session, group, flags);
  if (flags.plan !== undefined) {
    throw new ConfigError('a plan is for one group', { remedy: 'Name the group of the plan alone.' });
  }
  return backupSeveral(session, groups);
}

async function backupOne(session: Session, group: string, flags: BackupFlags): Promise<number> {
  const { config, reporter, signal, stop } = session;
  const policy = policyOf(config, group);
  const { context, recorder } = recorded(session, group);
  await announceStart(session, group);
  let code: number = exitCodes.UNEXPECTED.code;
  let told: readonly string[] = [];
  let run: string | null = null;
  try {
    const plan =
      flags.plan === undefined ? await planned(context, group, policy, recorder, signal) : await loadPlan(flags.plan);
    if (plan.group !== group) {
      throw new ConfigError(`the plan is for ${plan.group}`, { remedy: `Name ${plan.group}, or another plan.` });
    }
    for (const line of planText(plan)) reporter.line(line);
    reporter.heading(`run ${plan.run}`);
    run = plan.run;
    const approval = flags.approval === undefined ? undefined : await loadApproval(flags.approval);
    const report = await runBackup(context, plan, { signal, stop, approval });
    told = reportText(report);
    for (const line of told) reporter.line(line);
    reporter.result({ ...report });
    code = exitCodeOfRun(report);
    return code;
  } catch (error) {
    code = exitCodeOfError(error);
    told = [error instanceof Error ? error.message : String(error)];
    throw error;
  } finally {
    await announceEnd(session, { group, run, exitCode: code, text: told });
  }
}

/** A context that keeps what it was told, so that the run can be replayed; addresses are left out of it. */
function recorded({ config, context }: Session, group: string): { context: BackupContext; recorder: Recorder } {
  const addresses = Object.values(config.nodes).map(({ address }) => address);
  const recorder = createRecorder({ redact: [...new Set(addresses)].filter((address) => address.length > 3) });
  const nodes = nodesOn(config, recorder.hosts(context.hosts));
  return { recorder, context: recorder.context({ ...context, ...nodes }, group, policyOf(config, group)) };
}

async function planned(
  context: BackupContext,
  group: string,
  policy: Parameters<typeof planBackup>[2],
  recorder: Recorder,
  signal: AbortSignal,
): Promise<RunPlan> {
  try {
    const plan = await planBackup(context, group, policy, { signal });
    recorder.planned(plan);
    return plan;
  } catch (error) {
    recorder.planned(error);
    throw error;
  }
}

/** Several groups, side by side within limits: one that fails stops no other. */
async function backupSeveral(session: Session, groups: readonly string[]): Promise<number> {
  const { config, context, reporter, signal, stop } = session;
  const jobs = groups.map((group) => ({ group, policy: policyOf(config, group) }));
  await Promise.all(groups.map((group) => announceStart(session, group)));
  const results = await backupGroups({ ...context, onEvent: undefined }, jobs, {
    atOnce: config.atOnce,
    signal,
    stop,
    onEvent: (group, event) => reporter.event(event, group),
  });
  const codes: number[] = [];
  for (const result of results) {
    const text = resultText(result);
    reporter.heading(result.group);
    for (const line of text) reporter.line(line);
    const exitCode = exitCodeOfResult(result);
    codes.push(exitCode);
    const run = result.kind === 'ran' ? result.plan.run : null;
    await announceEnd(session, { group: result.group, run, exitCode, text });
  }
  reporter.result({ groups: results.map(({ group, kind }, index) => ({ group, kind, exitCode: codes[index] })) });
  const failed = codes.filter((each) => each !== exitCodes.OK.code);
  if (failed.length === 0) return exitCodes.OK.code;
  return failed.length === codes.length && new Set(failed).size === 1
    ? (failed[0] ?? exitCodes.UNEXPECTED.code)
    : exitCodes.PARTIAL.code;
}

function resultText(result: GroupResult): string[] {
  switch (result.kind) {
    case 'ran':
      return reportText(result.report);
    case 'refused':
      return [`refused: ${result.code}`, ...result.problems.flatMap(problemText)];
    case 'skipped':
      return ['not begun'];
  }
}

function exitCodeOfResult(result: GroupResult): number {
  switch (result.kind) {
    case 'ran':
      return exitCodeOfRun(result.report);
    case 'refused':
      return exitCodeOfCode(result.code, result.problems);
    case 'skipped':
      return exitCodes.INTERRUPTED.code;
  }
}

/** A report for a person: the verdict, and what to do where it is not good. */
export function reportText({ verdict, directory }: RunReport): string[] {
  switch (verdict.kind) {
    case 'good':
      return [`good: ${directory}`];
    case 'suspicious':
      return [
        `suspicious: ${directory}`,
        ...verdict.reasons.map(({ message }) => `  ${message}`),
        '  look at it, then: splitmirror judge GROUP RUN --accept or --reject',
      ];
    case 'refused':
      return [`refused: ${verdict.code}`, ...verdict.problems.flatMap(problemText)];
    case 'failed':
    case 'interrupted':
      return [
        `${verdict.kind}${verdict.committed ? ', after the backup had been committed' : ''}`,
        ...verdict.problems.flatMap(problemText),
        ...(verdict.recovery.kind === 'whole'
          ? ['  the mirror is whole again and nothing of this run is left on any node']
          : [
              '  the way back did not come to its end:',
              ...(verdict.recovery.kind === 'busy' ? [verdict.recovery.problem] : verdict.recovery.problems).flatMap(
                problemText,
              ),
            ]),
        ...(directory === null ? [] : [`  journal: ${directory}/journal.ndjson`]),
      ];
  }
}
