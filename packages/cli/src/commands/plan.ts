import { writeFile } from 'node:fs/promises';
import { approvePlan, loadPlan, planBackup, renderRunBook, saveApproval, savePlan } from '@splitmirror/backup';
import { policyOf } from '../config/policy.ts';
import { planText } from '../plan-text.ts';
import type { Session } from '../session.ts';

/** Where a plan goes beside the terminal. */
export interface PlanFlags {
  /** File for `backup --plan`. */
  readonly save?: string;
  /** File for a person with a shell on the node, where no tool may connect. */
  readonly runBook?: string;
}

/** Prints what a backup would do; changes nothing. */
export async function plan(
  { config, context, reporter, signal }: Session,
  group: string,
  { save, runBook }: PlanFlags,
): Promise<number> {
  const made = await planBackup(context, group, policyOf(config, group), { signal });
  for (const line of planText(made)) reporter.line(line);
  if (save !== undefined) {
    const digest = await savePlan(save, made);
    reporter.line(`saved: ${save}, digest ${digest}`);
  }
  if (runBook !== undefined) {
    await writeFile(runBook, renderRunBook(made), { mode: 0o700, flag: 'wx' });
    reporter.line(`run-book: ${runBook}`);
  }
  reporter.result({ plan: made });
  return 0;
}

/** Who allows a plan, and for how long. */
export interface ApproveFlags {
  readonly by: string;
  readonly hours: number;
}

/** Allows a saved plan: what is approved is every character of it. */
export async function approve(planFile: string, approvalFile: string, { by, hours }: ApproveFlags): Promise<number> {
  const plan = await loadPlan(planFile);
  const at = new Date();
  const approval = approvePlan(plan, { by, at, expiresAt: new Date(at.getTime() + hours * 3_600_000) });
  await saveApproval(approvalFile, approval);
  process.stdout.write(
    `${planText(plan).join('\n')}\napproved by ${by} until ${approval.expiresAt}: ${approvalFile}\n`,
  );
  return 0;
}
