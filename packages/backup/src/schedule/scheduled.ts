import { longestTimerMs, requireWhole } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import { planBackup } from '../plan/plan.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { handOver, warn } from '../run/describe.ts';
import type { GroupJob } from '../run/groups.ts';
import { type RunReport, runBackup } from '../run/run.ts';
import { pause } from '../surroundings.ts';
import { measureGroup, renderMetrics, writeMetrics } from './metrics.ts';
import type { DeadMansPing, NoticeResult } from './notices.ts';
import { claimPassed } from './passed.ts';
import { nextWindow, type Schedule, type WindowRecord, type WindowVerdict, windowsDue } from './schedule.ts';
import type { WindowLog } from './window-log.ts';

/** A group with its schedule, and where it is written down what became of it. */
export interface ScheduledJob extends GroupJob {
  readonly schedule: Schedule;
  readonly log: WindowLog;
  /** A monitor that is told. */
  readonly ping?: DeadMansPing | undefined;
  /** File for the textfile collector of node_exporter, one for each group: `DIRECTORY/splitmirror-GROUP.prom`. */
  readonly metricsFile?: string | undefined;
}

/** What a call came to. */
export type WindowOutcome =
  /** No window is open, or somebody has seen to it. */
  | { readonly kind: 'nothing-due'; readonly next: Date | undefined }
  /** Not now, and nobody has to do anything about it; the next call in the same window tries again. */
  | {
      readonly kind: 'yielded' | 'unheld' | 'elsewhere';
      readonly window: WindowVerdict;
      readonly problems: readonly Problem[];
    }
  /** Nobody can say who holds the group, or read its storage: a person has to look. The next call in the same window tries again. */
  | {
      readonly kind: 'undecided';
      readonly window: WindowVerdict;
      /** The refusal, then every reason for it. */
      readonly problems: readonly Problem[];
      /** No earlier call in this window came to the same. */
      readonly isNews: boolean;
    }
  /** No run came about; `problems` as above. */
  | { readonly kind: 'refused'; readonly window: WindowVerdict; readonly problems: readonly Problem[] }
  | { readonly kind: 'ran'; readonly window: WindowVerdict; readonly report: RunReport };

/**
 * What happens around the runs. `windows-passed`: they ended, or passed, without a backup while nobody was there to tell; oldest
 * first, and once unless the initiator that was to tell them was killed.
 */
export type ScheduleEvent = { readonly at: string; readonly group: string } & (
  | { readonly type: 'windows-passed'; readonly windows: readonly WindowVerdict[] }
  | { readonly type: 'window-start'; readonly window: string }
  | {
      readonly type: 'window-end';
      readonly window: string;
      readonly outcome: WindowOutcome['kind'];
      readonly detail: string;
    }
  | {
      readonly type: 'notice-end';
      readonly notice: 'start' | 'success' | 'fail' | 'metrics';
      readonly result: NoticeResult;
    }
);

/** Who looks, and how it is ended. */
export interface WindowOptions {
  /** Back up only what this cluster node holds itself, as under cron on each node; everybody's without it. */
  readonly onlyNode?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly stop?: AbortSignal | undefined;
  readonly onEvent?: ((event: ScheduleEvent) => void) | undefined;
  /**
   * Tells a person of windows of a group that ended, or passed, without a backup. That they were told is written down when it resolves;
   * when it rejects, or its process is killed before, a later call tells them again.
   */
  readonly tellPassed?: ((group: string, windows: readonly WindowVerdict[]) => Promise<void>) | undefined;
  /** A context for the plan and the run of one window, for instance one that a recorder of its own listens to. */
  readonly contextOf?: ((group: string) => BackupContext) | undefined;
}

/** Refusals that pass by themselves. */
const passing: ReadonlySet<string> = new Set(['GROUP_OFFLINE', 'GROUP_MOVING']);

/** Refusals after which somebody else, or a later call, sees to the window: whoever is at work may be done before it closes. */
const yielding: ReadonlySet<string> = new Set(['GROUP_LOCKED', 'PLAN_OUTDATED', 'INTERRUPTED']);

const interrupted: Problem = {
  code: 'INTERRUPTED',
  node: null,
  message: 'interrupted before anything was changed',
  seen: 'asked to end',
  remedy: 'The next call in the same window tries again.',
};

/** Refusals that a person can end while the window is open: a node that cannot be asked, evidence that names no holder, storage that somebody has locked. */
const undecided = /^(?:GROUP_CONTESTED|GROUP_UNDECIDABLE|STORAGE_UNREADABLE|HOST_.*)$/;

/**
 * Backs up a group if one of its windows is open and nobody has seen to it. To be called every few minutes: by cron on a
 * controller, under the guard on the nodes, or by {@link keepSchedule}. Whatever it comes to is written into the log first,
 * then the monitor and the metrics are told, which never fails it. Windows that passed unseen are told before anything else:
 * the monitor hears of a failure, `tellPassed` gets them, and `onEvent` of `windows-passed`. Only then they are written down as
 * told: a kill in between has them told twice, and not never.
 *
 * @throws what the log throws: without it nobody would know that the window was seen to.
 */
export async function runWindow(
  context: BackupContext,
  job: ScheduledJob,
  options: WindowOptions = {},
): Promise<WindowOutcome> {
  const { surroundings } = context;
  const { group, schedule, log } = job;
  // A log that cannot be written must not keep the monitor from raising the alarm.
  const noted = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const { message } = problemOf(error, null);
      await tellPing(context, job, options, 'fail', `what becomes of the windows cannot be written down: ${message}`);
      throw error;
    }
  };
  const { controller } = surroundings;
  const by = `${controller.host}:${controller.pid}:${surroundings.newToken().slice(0, 8)}`;
  const passed = await noted(claimPassed(context, job, by));
  if (passed.windows.length > 0 && (await tellPassed(context, job, passed.windows, options)))
    await noted(passed.told());
  const { records } = await noted(log.read(group));
  const window = windowsDue(schedule, records, surroundings.now());
  if (window === undefined) {
    await tellMetrics(context, job, options);
    return { kind: 'nothing-due', next: nextWindow(schedule, surroundings.now()) };
  }
  const write = (what: WindowRecord['what'], more: Partial<WindowRecord>): WindowRecord => ({
    group,
    window: window.start,
    at: surroundings.now().toISOString(),
    by,
    controller,
    what,
    node: null,
    run: null,
    detail: '',
    ...more,
  });
  const claimed = await noted(log.claim(write('begun', { detail: 'begun' })));
  if (!claimed) return { kind: 'yielded', window, problems: [] };

  tell(context, job, options, { type: 'window-start', window: window.start });
  const before = records.filter((record) => record.window === window.start);
  const { outcome, record } = await attempt(context, job, { window, before }, options, async () => {
    await tellPing(context, job, options, 'start', '');
  });
  const { what, ...rest } = record;
  await noted(log.add(write(what, rest)));
  tell(context, job, options, {
    type: 'window-end',
    window: window.start,
    outcome: outcome.kind,
    detail: rest.detail ?? '',
  });
  const notice = noticeOf(outcome);
  if (notice !== null) await tellPing(context, job, options, notice, rest.detail ?? '');
  await tellMetrics(context, job, options);
  return outcome;
}

/**
 * Follows schedules until the signal aborts, for a program that embeds this: looks every minute and backs up what is due. A
 * backup under way then goes back in order. One group that fails stops no other.
 *
 * @param options.signal Without it this never ends.
 */
export async function keepSchedule(
  context: BackupContext,
  jobs: readonly ScheduledJob[],
  options: WindowOptions & {
    readonly everyMs?: number | undefined;
    readonly onOutcome?: (group: string, outcome: WindowOutcome | Error) => void;
  } = {},
): Promise<void> {
  const { signal, everyMs = 60_000, onOutcome } = options;
  requireWhole('everyMs', everyMs, 1, longestTimerMs);
  const follow = async (job: ScheduledJob) => {
    while (!signal?.aborted) {
      const outcome = await runWindow(context, job, options).catch((error: Error) => error);
      handOver((told: WindowOutcome | Error) => onOutcome?.(job.group, told), outcome);
      await pause(context.surroundings, everyMs, signal);
    }
  };
  await Promise.all(jobs.map(follow));
}

/** Plans and runs; says what is to be written down. Never rejects. */
async function attempt(
  base: BackupContext,
  { group, policy }: ScheduledJob,
  { window, before }: { readonly window: WindowVerdict; readonly before: readonly WindowRecord[] },
  { onlyNode, signal, stop, contextOf = () => base }: WindowOptions,
  onBegin: () => Promise<void>,
): Promise<{ readonly outcome: WindowOutcome; readonly record: Pick<WindowRecord, 'what'> & Partial<WindowRecord> }> {
  try {
    const context = contextOf(group);
    const plan = await planBackup(context, group, policy, { signal });
    if (onlyNode !== undefined && plan.node !== onlyNode) {
      const detail = `${plan.node} holds it`;
      return {
        outcome: { kind: 'elsewhere', window, problems: [] },
        record: { what: 'elsewhere', node: null, detail },
      };
    }
    await onBegin();
    const report = await runBackup(context, plan, { signal, stop });
    const { verdict } = report;
    if (verdict.kind === 'refused' && yielding.has(verdict.code)) {
      const detail = `run ${plan.run}: ${told(report)}`;
      return { outcome: { kind: 'yielded', window, problems: verdict.problems }, record: { what: 'yielded', detail } };
    }
    const good = report.verdict.kind === 'good';
    const detail = good ? `run ${plan.run} is good` : `run ${plan.run}: ${told(report)}`;
    return {
      outcome: { kind: 'ran', window, report },
      record: { what: good ? 'done' : 'failed', node: plan.node, run: plan.run, detail },
    };
  } catch (error) {
    const isInterrupted = signal?.aborted === true || stop?.aborted === true;
    const problem = isInterrupted ? interrupted : problemOf(error, null);
    const reasons = error instanceof BackupError ? error.problems : [];
    const detail = `${problem.code}: ${problem.message}${causesOf(reasons)}`;
    const problems = [problem];
    const withReasons = [problem, ...reasons];
    if (passing.has(problem.code)) {
      return { outcome: { kind: 'unheld', window, problems }, record: { what: 'unheld', detail } };
    }
    if (undecided.test(problem.code)) {
      const isNews = !before.some((record) => record.what === 'undecided' && record.detail === detail);
      const outcome = { kind: 'undecided', window, problems: withReasons, isNews } as const;
      return { outcome, record: { what: 'undecided', detail } };
    }
    if (yielding.has(problem.code)) {
      return { outcome: { kind: 'yielded', window, problems }, record: { what: 'yielded', detail } };
    }
    return { outcome: { kind: 'refused', window, problems: withReasons }, record: { what: 'failed', detail } };
  }
}

/** A refusal can have other causes the next time, in the same words: a node that was off answers with a strange host key. */
function causesOf(reasons: readonly Problem[]): string {
  const causes = reasons.map(({ code, node }) => (node === null ? code : `${code} of ${node}`));
  return causes.length === 0 ? '' : ` (${[...new Set(causes)].sort().join(', ')})`;
}

/** What the monitor is told of an outcome, if anything. */
function noticeOf(outcome: WindowOutcome): 'success' | 'fail' | null {
  switch (outcome.kind) {
    case 'ran':
      return outcome.report.verdict.kind === 'good' ? 'success' : 'fail';
    case 'refused':
      return 'fail';
    case 'undecided':
      return outcome.isNews ? 'fail' : null;
    case 'nothing-due':
    case 'yielded':
    case 'unheld':
    case 'elsewhere':
      return null;
  }
}

/** Whether windows that passed count as told. A monitor that does not answer is news of its own, and decides nothing. */
async function tellPassed(
  context: BackupContext,
  job: ScheduledJob,
  windows: readonly WindowVerdict[],
  options: WindowOptions,
): Promise<boolean> {
  tell(context, job, options, { type: 'windows-passed', windows });
  // An alarm that cannot be passed on must not keep the next backup from being made.
  let isPassedOn = true;
  try {
    await options.tellPassed?.(job.group, windows);
  } catch (error) {
    warn(error);
    isPassedOn = false;
  }
  await tellPing(context, job, options, 'fail', windows.map(passedText).join('\n'));
  return isPassedOn;
}

/** A window that passed, in one line. */
function passedText({ start, kind, detail }: WindowVerdict): string {
  return `window ${start} has no backup: ${kind}, ${detail}`;
}

function told({ verdict }: RunReport): string {
  const [first] = 'problems' in verdict ? verdict.problems : [];
  return first === undefined ? verdict.kind : `${verdict.kind}, ${first.code}: ${first.message}`;
}

type Told<E = ScheduleEvent> = E extends unknown ? Omit<E, 'at' | 'group'> : never;

function tell(context: BackupContext, { group }: ScheduledJob, { onEvent }: WindowOptions, event: Told): void {
  handOver(onEvent, { at: context.surroundings.now().toISOString(), group, ...event } as ScheduleEvent);
}

async function tellPing(
  context: BackupContext,
  job: ScheduledJob,
  options: WindowOptions,
  notice: 'start' | 'success' | 'fail',
  text: string,
): Promise<void> {
  if (job.ping === undefined) return;
  const result = await job.ping[notice](text);
  tell(context, job, options, { type: 'notice-end', notice, result });
}

async function tellMetrics(context: BackupContext, job: ScheduledJob, options: WindowOptions): Promise<void> {
  const { group, schedule, log, metricsFile } = job;
  if (metricsFile === undefined) return;
  const now = context.surroundings.now();
  const result = await (async (): Promise<NoticeResult> => {
    const measured = await measureGroup(context.store, group, now, { schedule, log });
    await writeMetrics(metricsFile, renderMetrics([measured], now));
    return { kind: 'sent', attempts: 1, detail: metricsFile };
  })().catch((error): NoticeResult => ({ kind: 'failed', attempts: 1, detail: problemOf(error, null).message }));
  tell(context, job, options, { type: 'notice-end', notice: 'metrics', result });
}
