import { backupGroups, type GroupResult } from '@splitmirror/backup';
import type { Directions } from '../command-line.ts';
import { policyOf } from '../config/policy.ts';
import { exitCodeOfCode, exitCodeOfRun, exitCodeOfSeveral, exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { announceEnd, announceStart } from './announcements.ts';
import { problemText } from './problems.ts';
import { recorded } from './recorded.ts';
import { reportText, tellOutcome } from './report-text.ts';

/** Backs up several groups side by side within limits: one that fails stops no other. */
export async function backupSeveral(session: Session, groups: readonly string[]): Promise<number> {
  const { config, context, reporter, signal, stop } = session;
  const jobs = groups.map((group) => ({ group, policy: policyOf(config, group) }));
  await Promise.all(groups.map((group) => announceStart(session, group)));
  // What the groups tell is told with their names.
  const silent = { ...context, onEvent: undefined };
  const results = await backupGroups(silent, jobs, {
    atOnce: config.atOnce,
    signal,
    stop,
    contextOf: (group) => recorded({ config, context: silent }, group).context,
    onEvent: (group, event) => reporter.event(event, group),
  });
  const told = results.map((result) => ({
    group: result.group,
    kind: result.kind,
    run: result.kind === 'ran' ? result.plan.run : null,
    exitCode: exitCodeOfResult(result),
    text: resultText(result, session),
  }));
  for (const { group, run, exitCode, text } of told) {
    reporter.heading(group);
    tellOutcome(
      reporter,
      exitCode === exitCodes.OK.code ? text : [`${group}:`, ...text],
      exitCode === exitCodes.OK.code,
    );
    await announceEnd(session, { group, run, exitCode, text });
  }
  reporter.result({ groups: told });
  return exitCodeOfSeveral(told.map(({ exitCode }) => exitCode));
}

function resultText(result: GroupResult, directions: Directions): string[] {
  switch (result.kind) {
    case 'ran':
      return reportText(result.report, directions);
    case 'refused':
      return [`refused: ${result.code}`, ...problemText(result.problems, directions)];
    case 'skipped':
      return ['not begun'];
  }
}

function exitCodeOfResult(result: GroupResult): number {
  switch (result.kind) {
    case 'ran':
      return exitCodeOfRun(result.report);
    case 'refused':
      return exitCodeOfCode(result.code, result.problems);
    case 'skipped':
      return exitCodes.INTERRUPTED.code;
  }
}
