import {
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
import { exitCodeOfError, exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { failureOf } from '../failure.ts';
import { planSummary } from '../plan-text.ts';
import type { Session } from '../session.ts';
import { announceEnd, announceStart } from './announcements.ts';
import { backupSeveral } from './backup-several.ts';
import { recorded } from './recorded.ts';
import { reportText, tellOutcome } from './report-text.ts';

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
  const groups = flags.all === true ? Object.keys(session.config.groups).sort() : [...new Set(named)];
  const [group] = groups;
  if (group === undefined) {
    throw new ConfigError('no group is named', { remedy: 'Name groups, or say --all.' });
  }
  if (flags.approval !== undefined && flags.plan === undefined) {
    throw new ConfigError('an approval is for a plan', { remedy: 'Name the plan that was approved with --plan.' });
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
  const saved = flags.plan === undefined ? undefined : await loadPlan(flags.plan);
  const approval = flags.approval === undefined ? undefined : await loadApproval(flags.approval);
  if (saved !== undefined && saved.group !== group) {
    throw new ConfigError(`the plan is for ${saved.group}`, { remedy: `Name ${saved.group}, or another plan.` });
  }
  const { context, recorder } = recorded(session, group);
  await announceStart(session, group);
  let code: number = exitCodes.UNEXPECTED.code;
  let told: readonly string[] = [];
  let run: string | null = null;
  let report: RunReport;
  try {
    // Nobody has to wait for a plan to hear that it cannot be stored.
    await context.store.require('write');
    const plan = await recordedPlan(recorder, saved, () => planBackup(context, group, policy, { signal }));
    for (const line of planSummary(plan)) reporter.line(line);
    reporter.heading(`run ${plan.run}`);
    run = plan.run;
    report = await runBackup(context, plan, { signal, stop, approval, approvalPolicy: policy.approval });
    told = reportText(report, session);
    code = exitCodeOfRun(report);
    tellOutcome(reporter, told, code === exitCodes.OK.code);
  } catch (error) {
    code = exitCodeOfError(error);
    told = [failureOf(error).message];
    throw error;
  } finally {
    await announceEnd(session, { group, run, exitCode: code, text: told });
  }
  // The last line: who is told before can take his time, and an interrupt meanwhile has a last line of its own.
  reporter.result({ ...report });
  return code;
}

async function recordedPlan(
  recorder: Recorder,
  saved: RunPlan | undefined,
  make: () => Promise<RunPlan>,
): Promise<RunPlan> {
  try {
    const plan = saved ?? (await make());
    recorder.planned(plan);
    return plan;
  } catch (error) {
    recorder.planned(error);
    throw error;
  }
}
