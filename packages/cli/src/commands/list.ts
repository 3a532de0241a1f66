import { exposureByMonth, exposuresOf, listBackups, listRecoveries, type RecoveryRecord } from '@splitmirror/backup';
import { settingsOf } from '../config/policy.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';
import { storeAbsence } from './absent-store.ts';

/** All backups of a group with the health of each, its recoveries, both oldest first, and what redundancy it has cost. */
export async function list({ config, context, reporter, remedyText }: Session, group: string): Promise<number> {
  const now = context.surroundings.now();
  const unread = await storeAbsence(context.store);
  const backups = await listBackups(context.store, group, now);
  if (backups.length === 0) {
    // Who mistypes a name must not read that there is nothing; a group may have left the configuration, and its backups not.
    settingsOf(config, group);
    if (unread === null) reporter.line(`no backups of ${group} in ${context.store.root}`);
    else reporter.warn(`no backups of ${group}: ${unread.message}: ${remedyText(unread.remedy)}`);
  }
  for (const { run, createdAt, health, manifest, proven, reasons, directory } of backups) {
    const size = bytesText((manifest?.archives ?? []).reduce((sum, { bytes }) => sum + bytes, 0));
    const what = manifest === null ? '' : `  ${manifest.node}  ${manifest.consistency.level}  ${size}`;
    const tried = proven === null ? '' : `  ${proven.level} tried ${Math.floor(proven.ageDays)} days ago`;
    reporter.line(`${run}  ${createdAt}  ${health}${what}${tried}  ${directory}`);
    for (const reason of reasons) reporter.line(`    ${reason}`);
  }
  const { recoveries, unreadable } = await listRecoveries(context.store, group);
  for (const recovery of recoveries) reporter.line(recoveryLine(recovery));
  for (const directory of unreadable) reporter.warn(`the record of a recovery cannot be read: ${directory}`);
  const exposure = exposureByMonth(await exposuresOf(context.store, group), now);
  for (const { month, runs, minutesWithoutRedundancy } of exposure.slice(-3)) {
    reporter.line(`${month}: ${runs} runs, ${minutesWithoutRedundancy.toFixed(1)} minutes without redundancy`);
  }
  reporter.result({ backups, recoveries, exposure, unread });
  return exitCodes.OK.code;
}

/** A recovery in one line. */
function recoveryLine({ run, startedAt, verdict, by, performed, directory }: RecoveryRecord): string {
  const done = performed.length === 1 ? '1 step' : `${performed.length} steps`;
  return `${run}  ${startedAt}  recovery ${verdict ?? 'without an end'}  by ${by ?? 'somebody'}, ${done}  ${directory}`;
}
