import { writeFile } from 'node:fs/promises';
import { planBackup, renderRunBook, savePlan } from '@splitmirror/backup';
import { policyOf } from '../config/policy.ts';
import { exitCodes } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import type { Session } from '../session.ts';
import { toFile } from './output-file.ts';
import { planningStore } from './planning-store.ts';
import { problemsOf } from './problems.ts';

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
  const store = await planningStore(context.store, (error) => {
    for (const { message } of problemsOf(error, null)) reporter.warn(`${message}: a backup would be refused`);
  });
  if (store === null) reporter.warn('the plan knows no earlier backup: what it expects is assumed');
  const made = await planBackup({ ...context, store }, group, policyOf(config, group), { signal });
  for (const line of planText(made)) reporter.line(line);
  if (save !== undefined) {
    const digest = await toFile(save, () => savePlan(save, made));
    reporter.line(`saved: ${save}, digest ${digest}`);
  }
  if (runBook !== undefined) {
    await toFile(runBook, () => writeFile(runBook, renderRunBook(made), { mode: 0o700, flag: 'wx' }));
    reporter.line(`run-book: ${runBook}`);
  }
  reporter.result({ plan: made });
  return exitCodes.OK.code;
}
