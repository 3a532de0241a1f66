import type { BackupContext } from '../context.ts';
import { begunAndNotEnded, type WindowVerdict, windowsUntold } from './schedule.ts';
import type { ScheduledJob } from './scheduled.ts';

/**
 * Finds the windows that ended, or passed, without a backup while nobody was there to tell. Of several initiators with one
 * log exactly one gets each window, and tells a person of it.
 *
 * @param by Name of this initiator; no other call may have the same.
 */
export async function findPassed(
  { surroundings }: BackupContext,
  { group, schedule, log }: Pick<ScheduledJob, 'group' | 'schedule' | 'log'>,
  by: string,
): Promise<readonly WindowVerdict[]> {
  const { records } = await buryDead({ surroundings }, { group, log });
  const untold = windowsUntold(schedule, records, surroundings.now());
  if (untold.length === 0) return [];
  for (const { start, detail } of untold) {
    const at = surroundings.now().toISOString();
    await log.add({ group, window: start, at, by, what: 'told', node: null, run: null, detail });
  }
  // Somebody may have found them at the same time: the order in the log decides for all.
  const { records: after } = await log.read(group);
  return untold.filter(({ start }) => after.find(({ what, window }) => what === 'told' && window === start)?.by === by);
}

/** Writes down the end of those who began on this machine and were killed: nobody else would for days. */
async function buryDead(
  { surroundings }: Pick<BackupContext, 'surroundings'>,
  { group, log }: Pick<ScheduledJob, 'group' | 'log'>,
): ReturnType<ScheduledJob['log']['read']> {
  const { records } = await log.read(group);
  for (const [, own] of Map.groupBy(records, ({ window }) => window)) {
    for (const begun of begunAndNotEnded(own)) {
      const [, host, pid] = /^(.+):(\d+):[0-9a-f]+$/.exec(begun.by) ?? [];
      if (host === undefined || surroundings.isAlive({ host, pid: Number(pid), birth: null }) !== 'gone') continue;
      const detail = `process ${pid} on ${host} ended and told nothing`;
      await log.add({ ...begun, what: 'died', at: surroundings.now().toISOString(), detail });
    }
  }
  return log.read(group);
}
