import { join } from 'node:path';
import { type DeadMansPing, deadMansPing, readSecret, renderMetrics, writeMetrics } from '@splitmirror/backup';
import { exitCodes } from '../exit-codes.ts';
import { notify, type Outcome } from '../notify.ts';
import type { Session } from '../session.ts';

/** Tells the monitor of a group that a backup begins. Never fails. */
export async function announceStart(session: Session, group: string): Promise<void> {
  const ping = await pingOf(session, group);
  const result = await ping?.start();
  if (result?.kind === 'failed') session.reporter.warn(`${group}: the monitor was not told: ${result.detail}`);
}

/** Tells monitor, metrics, command and webhook what a backup came to. Never fails. */
export async function announceEnd(
  session: Session,
  told: Pick<Outcome, 'group' | 'run' | 'exitCode' | 'text'>,
): Promise<void> {
  const { config, context, reporter } = session;
  const { group, exitCode, text } = told;
  const outcome = outcomeOf(exitCode);
  const ping = await pingOf(session, group);
  const pinged = outcome === 'good' ? await ping?.success(text.join('\n')) : await ping?.fail(text.join('\n'));
  if (pinged?.kind === 'failed') reporter.warn(`${group}: the monitor was not told: ${pinged.detail}`);
  const at = context.surroundings.now().toISOString();
  for (const line of await notify(config.notify, { splitmirror: 1, at, outcome, ...told })) reporter.warn(line);
  if (config.metrics === undefined) return;
  try {
    const { backups } = await context.store.survey(group);
    const manifests = backups.map(({ manifest }) => manifest);
    const metrics = renderMetrics([{ group, backups: manifests, windows: [], next: null }], context.surroundings.now());
    await writeMetrics(metricsFile(config.metrics, group), metrics);
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
    return deadMansPing(await readSecret(reference));
  } catch (error) {
    reporter.warn(`${group}: the monitor cannot be told: ${(error as Error).message}`);
    return undefined;
  }
}

function outcomeOf(exitCode: number): Outcome['outcome'] {
  if (exitCode === exitCodes.OK.code) return 'good';
  return exitCode === exitCodes.RUN_SUSPICIOUS.code ? 'suspicious' : 'failed';
}
