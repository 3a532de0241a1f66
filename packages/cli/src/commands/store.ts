import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import {
  drillBackup,
  drillsDue,
  exposureByMonth,
  exposuresOf,
  listBackups,
  planRetention,
  retainBackups,
  retainedBackups,
  verifyBackup,
} from '@splitmirror/backup';
import { settingsOf } from '../config/policy.ts';
import { ConfigError } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';

/** All backups of a group with the health of each, oldest first, and what they have cost in redundancy. */
export async function list({ context, reporter }: Session, group: string): Promise<number> {
  const now = context.surroundings.now();
  const backups = await listBackups(context.store, group, now);
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

/** Reads a backup again and compares it with its manifest. */
export async function verify(
  { config, context, reporter }: Session,
  group: string,
  run: string | undefined,
): Promise<number> {
  const backup = await context.store.find(group, run);
  const report = await verifyBackup(backup, { identities: await identitiesOf(config) });
  reporter.line(`${backup.manifest.run}: every archive is what the manifest says`);
  reporter.result({ run: backup.manifest.run, verified: true, ...report });
  return exitCodes.OK.code;
}

/** What a drill is told. */
export interface DrillFlags {
  readonly level: 'bytes' | 'contents' | 'application';
  /** Say which drills are overdue, and do none. */
  readonly due?: boolean;
}

/** Tries whether a backup can be restored, and records what came of it. */
export async function drill(
  { config, context, reporter }: Session,
  group: string,
  run: string | undefined,
  { level, due }: DrillFlags,
): Promise<number> {
  const { store, surroundings } = context;
  const policy = settingsOf(config, group).drills;
  if (due === true) {
    const { backups } = await store.survey(group);
    const overdue = drillsDue(backups, policy ?? {}, surroundings.now());
    for (const { message } of overdue) reporter.line(message);
    if (overdue.length === 0) reporter.line('no drill is overdue');
    reporter.result({ overdue });
    return exitCodes[overdue.length === 0 ? 'OK' : 'DRILL_DUE'].code;
  }
  const probe = policy?.probe;
  if (level === 'application' && probe === undefined) {
    throw new ConfigError(`group ${group} has no drills.probe`, {
      remedy: 'Configure a command that opens what was restored, or drill at another level.',
    });
  }
  const backup = await store.find(group, run);
  const request = {
    level,
    identities: await identitiesOf(config),
    ...(probe === undefined ? {} : { probe: { argv: probe, timeoutSeconds: (policy?.probeMinutes ?? 60) * 60 } }),
  };
  const record = await drillBackup(store, backup, request, () => surroundings.now());
  reporter.line(`${backup.manifest.run}: ${level} ${record.outcome} in ${record.seconds.toFixed(1)} s`);
  for (const problem of record.problems) reporter.line(`  ${problem}`);
  reporter.result({ run: backup.manifest.run, ...record });
  return exitCodes[record.outcome === 'passed' ? 'OK' : 'DRILL_FAILED'].code;
}

/** Removes what the configured retention does not keep; says first what, and why. */
export async function retain(
  { config, context, reporter }: Session,
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
  const plan = planRetention(retainedBackups(await context.store.survey(group)), keep, now);
  for (const { run, createdAt, action, reasons } of plan.decisions) {
    reporter.line(`${action === 'keep' ? 'keep  ' : 'remove'}  ${run}  ${createdAt}  ${reasons.join('; ')}`);
  }
  if (plan.suspended !== null) reporter.warn(`nothing is removed: ${plan.suspended}`);
  const removed = dryRun === true ? [] : (await retainBackups(context.store, group, keep, now, plan)).removed;
  reporter.result({ ...plan, removed });
  return exitCodes[plan.suspended === null ? 'OK' : 'RETENTION_SUSPENDED'].code;
}

/** What a person has decided about a suspicious backup. */
export interface JudgeFlags {
  readonly accept?: boolean;
  readonly reject?: boolean;
  readonly because: string;
}

/** Records a person's judgement: an accepted backup counts as good, a rejected one may be removed. */
export async function judge(
  { context, reporter }: Session,
  group: string,
  run: string,
  { accept, reject, because }: JudgeFlags,
): Promise<number> {
  if ((accept === true) === (reject === true)) {
    throw new ConfigError('a judgement is one of two', { remedy: 'Say --accept or --reject.' });
  }
  const backup = await context.store.find(group, run);
  const verdict = accept === true ? 'accepted' : 'rejected';
  await context.store.record(backup, {
    kind: 'judgement',
    at: context.surroundings.now().toISOString(),
    verdict,
    by: `${userInfo().username}@${hostname()}`,
    reason: because,
  });
  reporter.line(`${run}: ${verdict}`);
  reporter.result({ run, verdict });
  return exitCodes.OK.code;
}

/** Secret keys of the configured file, one a line; comments as age writes them. */
export async function identitiesOf({ archives }: Config): Promise<string[] | undefined> {
  if (archives.identity === undefined) return undefined;
  const text = await readFile(archives.identity, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`archives.identity cannot be read: ${cause.message}`, {
      remedy: 'Name a file that age-keygen wrote.',
      cause,
    });
  });
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
