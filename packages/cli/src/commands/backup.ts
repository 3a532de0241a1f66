import { planBackup, type RunReport, runBackup } from '@splitmirror/backup';
import { policyOf } from '../config.ts';
import { exitCodeOfRun } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import type { Session } from '../session.ts';
import { problemText } from './problems.ts';

/** Prints what a backup would do; changes nothing. */
export async function plan({ config, context, reporter, signal }: Session, group: string): Promise<number> {
  const made = await planBackup(context, group, policyOf(config, group), { signal });
  for (const line of planText(made)) reporter.line(line);
  reporter.result({ plan: made });
  return 0;
}

/** Plans and runs a backup. */
export async function backup({ config, context, reporter, signal, stop }: Session, group: string): Promise<number> {
  const made = await planBackup(context, group, policyOf(config, group), { signal });
  for (const line of planText(made)) reporter.line(line);
  reporter.heading(`run ${made.run}`);
  const report = await runBackup(context, made, { signal, stop });
  for (const line of reportText(report)) reporter.line(line);
  reporter.result({ ...report });
  return exitCodeOfRun(report);
}

/** A report for a person: the verdict, and what to do where it is not good. */
export function reportText({ verdict, directory }: RunReport): string[] {
  switch (verdict.kind) {
    case 'good':
      return [`good: ${directory}`];
    case 'suspicious':
      return [`suspicious: ${directory}`, ...verdict.reasons.map(({ message }) => `  ${message}`)];
    case 'refused':
      return [`refused: ${verdict.code}`, ...verdict.problems.flatMap(problemText)];
    case 'failed':
    case 'interrupted':
      return [
        `${verdict.kind}${verdict.committed ? ', after the backup had been committed' : ''}`,
        ...verdict.problems.flatMap(problemText),
        ...(verdict.recovery.kind === 'whole'
          ? ['  the mirror is whole again and nothing of this run is left on any node']
          : [
              '  the way back did not come to its end:',
              ...(verdict.recovery.kind === 'busy' ? [verdict.recovery.problem] : verdict.recovery.problems).flatMap(
                problemText,
              ),
            ]),
        ...(directory === null ? [] : [`  journal: ${directory}/journal.ndjson`]),
      ];
  }
}
