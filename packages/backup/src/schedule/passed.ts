import type { BackupContext, Surroundings } from '../context.ts';
import { begunAndNotEnded, type WindowRecord, type WindowVerdict, windowsUntold } from './schedule.ts';
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
  for (const death of deathsAmong(records, surroundings)) await log.add(death);
  return log.read(group);
}

/** The records of their ends that are missing: who began on this machine, and is there no more. */
export function deathsAmong(
  records: readonly WindowRecord[],
  { isAlive, now }: Pick<Surroundings, 'isAlive' | 'now'>,
): WindowRecord[] {
  const at = now().toISOString();
  return [...Map.groupBy(records, ({ window }) => window).values()].flatMap(begunAndNotEnded).flatMap((begun) => {
    const [, host, pid] = /^(.+):(\d+):[0-9a-f]+$/.exec(begun.by) ?? [];
    if (host === undefined || isAlive({ host, pid: Number(pid), birth: null }) !== 'gone') return [];
    return [{ ...begun, what: 'died' as const, at, detail: `process ${pid} on ${host} ended and told nothing` }];
  });
}
