import { exposureByMonth, exposuresOf, listBackups } from '@splitmirror/backup';
import { settingsOf } from '../config/policy.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';

/** All backups of a group with the health of each, oldest first, and what they have cost in redundancy. */
export async function list({ config, context, reporter }: Session, group: string): Promise<number> {
  const now = context.surroundings.now();
  const backups = await listBackups(context.store, group, now);
  if (backups.length === 0) {
    // Who mistypes a name must not read that there is nothing; a group may have left the configuration, and its backups not.
    settingsOf(config, group);
    reporter.line(`no backups of ${group} in ${context.store.root}`);
  }
  for (const { run, createdAt, health, manifest, proven, reasons, directory } of backups) {
    const size = bytesText((manifest?.archives ?? []).reduce((sum, { bytes }) => sum + bytes, 0));
    const what = manifest === null ? '' : `  ${manifest.node}  ${manifest.consistency.level}  ${size}`;
    const tried = proven === null ? '' : `  ${proven.level} tried ${Math.floor(proven.ageDays)} days ago`;
    reporter.line(`${run}  ${createdAt}  ${health}${what}${tried}  ${directory}`);
    for (const reason of reasons) reporter.line(`    ${reason}`);
  }
  const exposure = exposureByMonth(await exposuresOf(context.store, group), now);
  for (const { month, runs, minutesWithoutRedundancy } of exposure.slice(-3)) {
    reporter.line(`${month}: ${runs} runs, ${minutesWithoutRedundancy.toFixed(1)} minutes without redundancy`);
  }
  reporter.result({ backups, exposure });
  return exitCodes.OK.code;
}
