import {
  deathsAmong,
  judgeWindows,
  nextWindow,
  type Problem,
  runWindow,
  type ScheduleEvent,
  type WindowLog,
  type WindowVerdict,
} from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import { policyOf, scheduleOf } from '../config/policy.ts';
import { ConfigError } from '../config/read.ts';
import { exitCodeOfError, exitCodes, isAbort } from '../exit-codes.ts';
import { failureOf } from '../failure.ts';
import type { Session } from '../session.ts';
import { storeAbsence } from './absent-store.ts';
import { metricsFile, notifyOf, pingOf } from './announcements.ts';
import { recorded } from './recorded.ts';
import { tellOutcome } from './report-text.ts';
import { isQuiet, type News, outcomeNews, passedNews, worstOf } from './window-news.ts';
import { windowLogOf } from './windows.ts';

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
  if (groups.length === 0) {
    throw new ConfigError('no group has a schedule', { remedy: 'Add groups.NAME.schedule.' });
  }
  if (onlyNode !== undefined && config.nodes[onlyNode] === undefined) {
    throw new ConfigError(`the configuration has no node ${onlyNode}`, { remedy: 'Name a cluster node.' });
  }
  const log = windowLogOf(session.context.store);
  const unread = run === true ? null : await storeAbsence(session.context.store);
  if (unread !== null)
    session.reporter.warn(`no window is known: ${unread.message}: ${session.remedyText(unread.remedy)}`);
  const codes: number[] = [];
  for (const group of groups.sort()) {
    codes.push(
      await safely(session, group, () =>
        run === true ? seeTo(session, group, log, onlyNode) : tellWindows(session, group, log, unread),
      ),
    );
  }
  const failed = codes.find((code) => !isQuiet(code));
  if (failed !== undefined) return failed;
  return run === true && codes.every((code) => code === exitCodes.NOTHING_DUE.code)
    ? exitCodes.NOTHING_DUE.code
    : exitCodes.OK.code;
}

async function tellWindows(
  { config, context, reporter }: Session,
  group: string,
  log: WindowLog,
  unread: Problem | null,
): Promise<number> {
  const now = context.surroundings.now();
  const plan = scheduleOf(config, group);
  const { records, unreadable } = await log.read(group);
  // Looking writes nothing: that is left to the next call that backs up what is due.
  const all = [...records, ...deathsAmong(records, context.surroundings)];
  const windows = judgeWindows(plan, all, now).slice(-14);
  for (const { start, kind, node, detail, doubles } of windows) {
    reporter.line(`${group}  ${start}  ${kind}${node === null ? '' : ` by ${node}`}  ${detail}`);
    for (const double of doubles) reporter.line(`    and once more by run ${double}`);
  }
  if (unreadable.length > 0) reporter.warn(`${unreadable.length} lines of the record of windows cannot be read`);
  const next = nextWindow(plan, now);
  reporter.line(`${group}  next window ${next?.toISOString() ?? 'none within a year'}`);
  reporter.result({ group, windows, next: next?.toISOString() ?? null, unreadable: unreadable.length, unread });
  const last = windows.findLast(({ kind }) => kind !== 'running' && kind !== 'due');
  if (last === undefined || last.kind === 'done') return exitCodes.OK.code;
  reporter.alert(`${group}: the last window, ${last.start}, has no backup: ${last.kind}, ${last.detail}`);
  return exitCodes.WINDOW_MISSED.code;
}

/** What keeps one group from being seen to is told, and keeps no other from it. */
async function safely(session: Session, group: string, work: () => Promise<number>): Promise<number> {
  try {
    session.signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (!SplitmirrorError.is(error) && !isAbort(error)) throw error;
    const { code, message, remedy = '' } = failureOf(error);
    for (const line of [`${group}: ${code}: ${message}`, `  ${session.remedyText(remedy)}`])
      session.reporter.alert(line);
    session.reporter.result({ group, code, exitCode: exitCodeOfError(error) });
    return exitCodeOfError(error);
  }
}

async function seeTo(session: Session, group: string, log: WindowLog, onlyNode: string | undefined): Promise<number> {
  const { config, context, reporter, signal, stop } = session;
  const told: News[] = [];
  const telling: Promise<void>[] = [];
  const tell = (news: News, run: string | null) => {
    told.push(news);
    const { code, text } = news;
    const lines = text.map((line) => `${group}: ${line}`);
    tellOutcome(reporter, lines, isQuiet(code));
    // The monitor and the metrics were told by the window itself.
    if (news.isNews) telling.push(notifyOf(session, { group, run, exitCode: code, text }));
  };
  const passed: WindowVerdict[] = [];
  const tellPassed = async (_: string, windows: readonly WindowVerdict[]) => {
    passed.push(...windows);
    tell(passedNews(group, windows, session), null);
    await Promise.all(telling);
  };
  const onEvent = (event: ScheduleEvent) => {
    if (event.type === 'notice-end' && event.result.kind === 'failed') {
      const what = event.notice === 'metrics' ? 'the metrics could not be written' : 'the monitor was not told';
      reporter.warn(`${group}: ${what}: ${event.result.detail}`);
    }
  };
  try {
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
      { signal, stop, onlyNode, onEvent, tellPassed, contextOf: () => recorded(session, group).context },
    );
    const run = outcome.kind === 'ran' ? await runOf(log, group, outcome.window) : null;
    tell(outcomeNews(outcome, session), run);
    const code = worstOf(told);
    reporter.result({ group, passed, ...outcome, exitCode: code });
    return code;
  } finally {
    await Promise.all(telling);
  }
}

async function runOf(log: WindowLog, group: string, { start }: WindowVerdict): Promise<string | null> {
  const { records } = await log.read(group);
  return records.findLast(({ window }) => window === start)?.run ?? null;
}
