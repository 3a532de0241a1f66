import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drillBackup, drillsDue } from '@splitmirror/backup';
import { identitiesOf } from '../config/identities.ts';
import { findProgram } from '../config/named-here.ts';
import { settingsOf } from '../config/policy.ts';
import { ConfigError, settingError } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import { EndedError } from '../ended-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { durationText } from '../units.ts';
import { tellOutcome } from './report-text.ts';
import { warnUnrecorded } from './unrecorded.ts';

/** What a drill is told. */
export interface DrillFlags {
  readonly level: 'bytes' | 'contents' | 'application';
  /** Say which drills are overdue, and do none. */
  readonly due?: boolean;
}

/** Tries whether a backup can be restored, and records what came of it. */
export async function drill(
  { config, context, reporter, signal, mayLeave }: Session,
  group: string,
  run: string | undefined,
  { level, due }: DrillFlags,
): Promise<number> {
  const { store, surroundings } = context;
  const policy = settingsOf(config, group).drills;
  if (due === true) {
    if (
      policy?.bytesDays === undefined &&
      policy?.contentsDays === undefined &&
      policy?.applicationDays === undefined
    ) {
      throw new ConfigError(`group ${group} says of no drill how often it is wanted`, {
        remedy: 'Configure drills.bytesDays, contentsDays or applicationDays.',
      });
    }
    const { backups } = await store.survey(group);
    const overdue = drillsDue(backups, policy, surroundings.now());
    for (const { message } of overdue) reporter.alert(`${group}: ${message}`);
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
  // Hours would pass before it is missed.
  if (level === 'application' && probe !== undefined) await probeIsHere(config, group, probe[0]);
  const backup = await store.find(group, run);
  const request = {
    level,
    signal,
    identities: await identitiesOf(config),
    ...(probe === undefined
      ? {}
      : { probe: { argv: probe, timeoutSeconds: Math.ceil((policy?.probeMinutes ?? 60) * 60) } }),
  };
  mayLeave(
    new EndedError('INTERRUPTED', 'what was restored for the drill may be left, and its probe at work', {
      remedy: `Remove ${join(tmpdir(), `splitmirror-drill-${backup.manifest.run}-*`)}`,
    }),
  );
  const record = await drillBackup(store, backup, request, () => surroundings.now());
  warnUnrecorded(reporter, backup.manifest.run, record.unrecorded);
  if (record.left !== null) reporter.warn(`${record.left.message}. ${record.left.remedy}`);
  const passed = record.outcome === 'passed';
  const said = `${backup.manifest.run}: ${level} ${record.outcome} in ${durationText(record.seconds * 1000)}`;
  tellOutcome(reporter, [said, ...record.problems.map((problem) => `  ${problem}`)], passed);
  reporter.result({ run: backup.manifest.run, ...record });
  return exitCodes[passed ? 'OK' : 'DRILL_FAILED'].code;
}

async function probeIsHere(config: Config, group: string, program: string): Promise<void> {
  await findProgram(program).catch((cause: Error) => {
    const remedy = 'Write its whole path, or install it.';
    throw settingError(config, ['groups', group, 'drills', 'probe'], cause.message, { remedy, cause });
  });
}
