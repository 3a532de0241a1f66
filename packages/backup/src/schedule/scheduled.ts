import type { BackupContext } from '../context.ts';
import { planBackup } from '../plan/plan.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { handOver } from '../run/describe.ts';
import type { GroupJob } from '../run/groups.ts';
import { type RunReport, runBackup } from '../run/run.ts';
import { renderMetrics, writeMetrics } from './metrics.ts';
import type { DeadMansPing, NoticeResult } from './notices.ts';
import {
  begunAndNotEnded,
  judgeWindows,
  nextWindow,
  type Schedule,
  type WindowRecord,
  type WindowVerdict,
  windowsDue,
} from './schedule.ts';
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
  /** Not now; the next call in the same window tries again. */
  | {
      readonly kind: 'yielded' | 'unheld' | 'elsewhere';
      readonly window: WindowVerdict;
      readonly problems: readonly Problem[];
    }
  /** No run came about. */
  | { readonly kind: 'refused'; readonly window: WindowVerdict; readonly problems: readonly Problem[] }
  | { readonly kind: 'ran'; readonly window: WindowVerdict; readonly report: RunReport };

/** What happens around the runs. */
export type ScheduleEvent = { readonly at: string; readonly group: string } & (
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
  /** A context for the plan and the run of one window, for instance one that a recorder of its own listens to. */
  readonly contextOf?: ((group: string) => BackupContext) | undefined;
}

/** Refusals that may pass while the window is open. */
const passing: ReadonlySet<string> = new Set([
  'GROUP_OFFLINE',
  'GROUP_MOVING',
  'GROUP_CONTESTED',
  'GROUP_UNDECIDABLE',
  'HOST_UNREACHABLE',
]);

/**
 * Backs up a group if one of its windows is open and nobody has seen to it. To be called every few minutes: by cron on a
 * controller, under the guard on the nodes, or by {@link keepSchedule}. Whatever it comes to is written into the log first,
 * then the monitor and the metrics are told, which never fails it.
 *
 * @throws what the log throws: without it nobody would know that the window was seen to.
 */
export async function runWindow(
  context: BackupContext,
  job: ScheduledJob,
  options: WindowOptions = {},
): Promise<WindowOutcome> {
  const { surroundings } = context;
  const { group, schedule, log, ping } = job;
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
  const { records } = await noted(buryDead(context, job));
  const window = windowsDue(schedule, records, surroundings.now());
  if (window === undefined) {
    await tellMetrics(context, job, options);
    return { kind: 'nothing-due', next: nextWindow(schedule, surroundings.now()) };
  }
  const { host, pid } = surroundings.controller;
  const by = `${host}:${pid}:${surroundings.newToken().slice(0, 8)}`;
  const write = (what: WindowRecord['what'], more: Partial<WindowRecord>): WindowRecord => ({
    group,
    window: window.start,
    at: surroundings.now().toISOString(),
    by,
    what,
    node: null,
    run: null,
    detail: '',
    ...more,
  });
  const claimed = await noted(log.claim(write('begun', { detail: 'begun' })));
  if (!claimed) return { kind: 'yielded', window, problems: [] };

  tell(context, job, options, { type: 'window-start', window: window.start });
  const { outcome, record } = await attempt(context, job, window, options, async () => {
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
  if (ping !== undefined && (what === 'done' || what === 'failed')) {
    await tellPing(context, job, options, what === 'done' ? 'success' : 'fail', rest.detail ?? '');
  }
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
  const follow = async (job: ScheduledJob) => {
    while (!signal?.aborted) {
      const outcome = await runWindow(context, job, options).catch((error: Error) => error);
      onOutcome?.(job.group, outcome);
      await context.surroundings.sleep(everyMs, signal);
    }
  };
  await Promise.all(jobs.map(follow));
}

/** Writes down the end of those who began on this machine and were killed: nobody else would for days. */
async function buryDead({ surroundings }: BackupContext, { group, log }: ScheduledJob): ReturnType<WindowLog['read']> {
  const { records } = await log.read(group);
  for (const [, own] of Map.groupBy(records, ({ window }) => window)) {
    for (const begun of begunAndNotEnded(own)) {
      const [, host, pid] = /^(.+):(\d+):[0-9a-f]+$/.exec(begun.by) ?? [];
      if (host === undefined || surroundings.isAlive({ host, pid: Number(pid), birth: null }) !== 'gone') continue;
      const detail = `process ${pid} on ${host} ended and told nothing`;
      await log.add({ ...begun, what: 'failed', at: surroundings.now().toISOString(), detail });
    }
  }
  return log.read(group);
}

/** Plans and runs; says what is to be written down. Never rejects. */
async function attempt(
  base: BackupContext,
  { group, policy }: ScheduledJob,
  window: WindowVerdict,
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
    if (verdict.kind === 'refused' && ['GROUP_LOCKED', 'PLAN_OUTDATED', 'INTERRUPTED'].includes(verdict.code)) {
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
    // Nothing was changed, and the window is as open as before.
    if (signal?.aborted) {
      return {
        outcome: { kind: 'yielded', window, problems: [] },
        record: { what: 'yielded', detail: 'interrupted before a run began' },
      };
    }
    const problem = problemOf(error, null);
    const detail = `${problem.code}: ${problem.message}`;
    const problems = [problem];
    if (passing.has(problem.code))
      return { outcome: { kind: 'unheld', window, problems }, record: { what: 'unheld', detail } };
    // Whoever is at work on the group now may be done before the window closes.
    if (problem.code === 'GROUP_LOCKED') {
      return { outcome: { kind: 'yielded', window, problems }, record: { what: 'yielded', detail } };
    }
    return { outcome: { kind: 'refused', window, problems }, record: { what: 'failed', detail } };
  }
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
    const [{ backups }, { records }] = await Promise.all([context.store.survey(group), log.read(group)]);
    const windows = judgeWindows(schedule, records, now);
    const next = nextWindow(schedule, now) ?? null;
    await writeMetrics(metricsFile, renderMetrics([{ group, backups, windows, next }], now));
    return { kind: 'sent', attempts: 1, detail: metricsFile };
  })().catch((error): NoticeResult => ({ kind: 'failed', attempts: 1, detail: problemOf(error, null).message }));
  tell(context, job, options, { type: 'notice-end', notice: 'metrics', result });
}
