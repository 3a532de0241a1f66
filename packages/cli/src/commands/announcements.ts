import { join } from 'node:path';
import { type DeadMansPing, deadMansPing, measureGroup, renderMetrics, writeMetrics } from '@splitmirror/backup';
import { scheduleOf } from '../config/policy.ts';
import { secretOf } from '../config/secrets.ts';
import { exitCodes } from '../exit-codes.ts';
import { notify, type Outcome } from '../notify.ts';
import type { Session } from '../session.ts';
import { windowLogOf } from './windows.ts';

/** What a backup came to. */
export type Ending = Pick<Outcome, 'group' | 'run' | 'exitCode' | 'text'>;

/** Tells the monitor of a group that a backup begins. Never fails. */
export async function announceStart(session: Session, group: string): Promise<void> {
  const ping = await pingOf(session, group);
  const result = await ping?.start();
  if (result?.kind === 'failed') session.reporter.warn(`${group}: the monitor was not told: ${result.detail}`);
}

/** Tells monitor, metrics, command and webhook what a backup came to. Never fails. */
export async function announceEnd(session: Session, ending: Ending): Promise<void> {
  const { reporter } = session;
  const { group, exitCode, text } = ending;
  const ping = await pingOf(session, group);
  const pinged =
    outcomeOf(exitCode) === 'good' ? await ping?.success(text.join('\n')) : await ping?.fail(text.join('\n'));
  if (pinged?.kind === 'failed') reporter.warn(`${group}: the monitor was not told: ${pinged.detail}`);
  await notifyOf(session, ending);
  await writeGroupMetrics(session, group);
}

/** Tells command and webhook alone. Never fails. */
export async function notifyOf({ config, context, reporter }: Session, ending: Ending): Promise<void> {
  const at = context.surroundings.now().toISOString();
  const outcome = outcomeOf(ending.exitCode);
  for (const line of await notify(config.notify, { splitmirror: 1, at, outcome, ...ending })) reporter.warn(line);
}

/** The same figures that a window writes: one file of a group never forgets what the other has told. */
async function writeGroupMetrics({ config, context, reporter }: Session, group: string): Promise<void> {
  if (config.metrics === undefined) return;
  const now = context.surroundings.now();
  try {
    const isScheduled = config.groups[group]?.schedule !== undefined;
    const watched = isScheduled ? { schedule: scheduleOf(config, group), log: windowLogOf(context.store) } : undefined;
    const measured = await measureGroup(context.store, group, now, watched);
    await writeMetrics(metricsFile(config.metrics, group), renderMetrics([measured], now));
  } catch (error) {
    reporter.warn(`${group}: the metrics could not be written: ${(error as Error).message}`);
  }
}

/** File of a group for the textfile collector. */
export function metricsFile(directory: string, group: string): string {
  return join(directory, `splitmirror-${group}.prom`);
}

/** The monitor of a group, or nothing; an address that cannot be read is told, and no more. */
export async function pingOf({ config, reporter }: Session, group: string): Promise<DeadMansPing | undefined> {
  const reference = config.groups[group]?.ping;
  if (reference === undefined) return undefined;
  try {
    return deadMansPing(await secretOf(reference, `groups.${group}.ping`));
  } catch (error) {
    reporter.warn(`${group}: the monitor cannot be told: ${(error as Error).message}`);
    return undefined;
  }
}

function outcomeOf(exitCode: number): Outcome['outcome'] {
  if (exitCode === exitCodes.OK.code) return 'good';
  return exitCode === exitCodes.RUN_SUSPICIOUS.code ? 'suspicious' : 'failed';
}
