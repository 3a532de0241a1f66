import { listRecoveries, planRetention, retainBackups, retainedBackups } from '@splitmirror/backup';
import { settingsOf } from '../config/policy.ts';
import { ConfigError } from '../config/read.ts';
import { EndedError } from '../ended-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** Removes what the configured retention does not keep; says first what, and why. */
export async function retain(
  { config, context, reporter, mayLeave, commandLine }: Session,
  group: string,
  { dryRun }: { readonly dryRun?: boolean },
): Promise<number> {
  const { keep } = settingsOf(config, group);
  if (keep === undefined) {
    throw new ConfigError(`group ${group} has no keep`, {
      remedy: 'Say under groups.NAME.keep how many backups stay.',
    });
  }
  const now = context.surroundings.now();
  const { recoveries } = await listRecoveries(context.store, group);
  const plan = planRetention(retainedBackups(await context.store.survey(group)), keep, now, recoveries);
  for (const { run, createdAt, action, reasons } of plan.decisions) {
    reporter.line(`${action === 'keep' ? 'keep  ' : 'remove'}  ${run}  ${createdAt}  ${reasons.join('; ')}`);
  }
  for (const { run, startedAt } of plan.recoveries) {
    reporter.line(
      `remove  ${run}  ${startedAt}  record of a recovery, older than a year and than every backup that stays`,
    );
  }
  if (plan.suspended !== null) reporter.alert(`${group}: nothing is removed: ${plan.suspended}`);
  if (dryRun !== true) {
    const remedy = `Run: ${commandLine('retain', group)}`;
    mayLeave(new EndedError('INTERRUPTED', 'not everything may be removed yet that goes', { remedy }));
  }
  const removed = dryRun === true ? [] : (await retainBackups(context.store, group, keep, now, plan)).removed;
  reporter.line(dryRun === true ? 'nothing was removed: this is what retain would do' : `removed: ${removed.length}`);
  reporter.result({ ...plan, removed });
  return exitCodes[plan.suspended === null ? 'OK' : 'RETENTION_SUSPENDED'].code;
}
