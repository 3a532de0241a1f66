import { join } from 'node:path';
import { judgeWindows, nextWindow, openWindowLog, runWindow } from '@splitmirror/backup';
import { policyOf, scheduleOf } from '../config/policy.ts';
import { exitCodeOfCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { announceEnd, metricsFile, pingOf } from './announcements.ts';
import { reportText } from './backup.ts';
import { problemText } from './problems.ts';

/** What is asked of the schedules. */
export interface ScheduleFlags {
  /** Back up what is due. */
  readonly run?: boolean;
  /** Only what this cluster node holds. */
  readonly onlyNode?: string;
}

/** What became of the windows of each group; with `run`, backs up what is due. */
export async function schedule(session: Session, { run, onlyNode }: ScheduleFlags): Promise<number> {
  const { config } = session;
  const groups = Object.keys(config.groups).filter((group) => config.groups[group]?.schedule !== undefined);
  const log = await openWindowLog(join(config.store, 'windows.ndjson'));
  const codes: number[] = [];
  for (const group of groups.sort()) {
    codes.push(run === true ? await seeTo(session, group, log, onlyNode) : await tellWindows(session, group, log));
  }
  const failed = codes.filter((code) => code !== exitCodes.OK.code && code !== exitCodes.NOTHING_DUE.code);
  if (failed.length > 0) return failed[0] ?? exitCodes.UNEXPECTED.code;
  return run === true && codes.every((code) => code === exitCodes.NOTHING_DUE.code)
    ? exitCodes.NOTHING_DUE.code
    : exitCodes.OK.code;
}

type Log = Awaited<ReturnType<typeof openWindowLog>>;

async function tellWindows({ config, context, reporter }: Session, group: string, log: Log): Promise<number> {
  const now = context.surroundings.now();
  const plan = scheduleOf(config, group);
  const { records, unreadable } = await log.read(group);
  const windows = judgeWindows(plan, records, now).slice(-14);
  for (const { start, kind, node, detail, doubles } of windows) {
    reporter.line(`${group}  ${start}  ${kind}${node === null ? '' : ` by ${node}`}  ${detail}`);
    for (const double of doubles) reporter.line(`    and once more by run ${double}`);
  }
  if (unreadable.length > 0) reporter.warn(`${unreadable.length} lines of the record of windows cannot be read`);
  const next = nextWindow(plan, now);
  reporter.line(`${group}  next window ${next?.toISOString() ?? 'none within a year'}`);
  reporter.result({ group, windows, next: next?.toISOString() ?? null, unreadable: unreadable.length });
  const last = windows.findLast(({ kind }) => kind !== 'running' && kind !== 'due');
  return exitCodes[last?.kind === 'missed' || last?.kind === 'failed' ? 'WINDOW_MISSED' : 'OK'].code;
}

async function seeTo(session: Session, group: string, log: Log, onlyNode: string | undefined): Promise<number> {
  const { config, context, reporter, signal, stop } = session;
  const outcome = await runWindow(
    context,
    {
      group,
      policy: policyOf(config, group),
      schedule: scheduleOf(config, group),
      log,
      ping: await pingOf(session, group),
      ...(config.metrics === undefined ? {} : { metricsFile: metricsFile(config.metrics, group) }),
    },
    { signal, stop, onlyNode },
  );
  const { code, text } = textOf(outcome);
  for (const line of text) reporter.line(`${group}: ${line}`);
  reporter.result({ group, ...outcome, exitCode: code });
  if (outcome.kind === 'ran' || outcome.kind === 'refused') {
    // The monitor and the metrics were told by the window itself.
    const quiet = { ...session, config: { ...config, metrics: undefined, groups: {} } };
    await announceEnd(quiet, { group, run: null, exitCode: code, text });
  }
  return code;
}

function textOf(outcome: Awaited<ReturnType<typeof runWindow>>): { code: number; text: string[] } {
  switch (outcome.kind) {
    case 'nothing-due':
      return { code: exitCodes.NOTHING_DUE.code, text: [] };
    case 'ran':
      return { code: exitCodeOfRun(outcome.report), text: reportText(outcome.report) };
    case 'refused':
      return {
        code: exitCodeOfCode(outcome.problems[0]?.code ?? '', outcome.problems),
        text: ['refused', ...outcome.problems.flatMap(problemText)],
      };
    case 'yielded':
    case 'unheld':
    case 'elsewhere':
      return { code: exitCodes.NOTHING_DUE.code, text: [`${outcome.kind}: ${outcome.window.detail}`] };
  }
}
