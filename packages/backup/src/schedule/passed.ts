import type { BackupContext, Surroundings } from '../context.ts';
import { begunAndNotEnded, tellerOf, type WindowRecord, type WindowVerdict, windowsUntold } from './schedule.ts';
import type { ScheduledJob } from './scheduled.ts';

/** The windows of a group that this initiator has to tell a person of. */
export interface PassedWindows {
  readonly windows: readonly WindowVerdict[];
  /** Writes down that they were told. Until then a later call tells them again when this initiator dies or takes too long. */
  told(): Promise<void>;
}

/**
 * Finds the windows that ended, or passed, without a backup while nobody was there to tell. Of several initiators with one
 * log one gets each window.
 *
 * @param by Name of this initiator; no other call may have the same.
 */
export async function claimPassed(
  { surroundings }: BackupContext,
  { group, schedule, log }: Pick<ScheduledJob, 'group' | 'schedule' | 'log'>,
  by: string,
): Promise<PassedWindows> {
  const { controller } = surroundings;
  const write = async (what: 'telling' | 'told', windows: readonly WindowVerdict[]) => {
    for (const { start, detail } of windows) {
      const at = surroundings.now().toISOString();
      await log.add({ group, window: start, at, by, controller, what, node: null, run: null, detail });
    }
  };
  const isGone = (record: WindowRecord) => {
    const writer = writerOf(record);
    return writer !== undefined && surroundings.isAlive(writer) === 'gone';
  };
  const { records } = await buryDead({ surroundings }, { group, log });
  const untold = windowsUntold(schedule, records, surroundings.now(), isGone);
  if (untold.length === 0) return { windows: [], told: async () => {} };
  await write('telling', untold);
  // Somebody may have found them at the same time: the order in the log decides for all.
  const { records: after } = await log.read(group);
  const claims = Map.groupBy(after, ({ window }) => window);
  const now = surroundings.now();
  const windows = untold.filter(({ start }) => tellerOf(claims.get(start) ?? [], now, isGone) === by);
  return { windows, told: () => write('told', windows) };
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
    const writer = writerOf(begun);
    if (writer === undefined || isAlive(writer) !== 'gone') return [];
    const detail = `process ${writer.pid} on ${writer.host} ended and told nothing`;
    return [{ ...begun, what: 'died' as const, at, detail }];
  });
}

/** The process that wrote a record. */
function writerOf({ controller, by }: WindowRecord): Surroundings['controller'] | undefined {
  if (controller !== undefined) return controller;
  const [, host, pid] = /^(.+):(\d+):[0-9a-f]+$/.exec(by) ?? [];
  return host === undefined ? undefined : { host, pid: Number(pid), birth: null };
}
