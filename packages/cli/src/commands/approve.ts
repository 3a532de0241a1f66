import { approvePlan, loadPlan, saveApproval } from '@splitmirror/backup';
import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import { interruptible } from '../session.ts';
import { plainWords } from '../terminal-text.ts';
import { toFile } from './output-file.ts';

/** Who allows a plan, and for how long. */
export interface ApproveFlags {
  readonly by: string;
  readonly hours: number;
  readonly json?: boolean;
}

/** Allows a saved plan: what is approved is every character of it. */
export async function approve(
  planFile: string,
  approvalFile: string,
  { by, hours, json }: ApproveFlags,
): Promise<number> {
  return interruptible({ json: json === true }, 'at-once', async ({ reporter }) => {
    if (by.trim() === '') throw new ConfigError('nobody is named', { remedy: 'Say with --by who allows it.' });
    const plan = await loadPlan(planFile);
    const at = new Date();
    const approval = approvePlan(plan, {
      by: plainWords('--by', by),
      at,
      expiresAt: new Date(at.getTime() + hours * 3_600_000),
    });
    await toFile(approvalFile, () => saveApproval(approvalFile, approval));
    for (const line of planText(plan)) reporter.line(line);
    reporter.line(`approved by ${by} until ${approval.expiresAt}: ${approvalFile}`);
    reporter.result({ approval });
    return exitCodes.OK.code;
  });
}
