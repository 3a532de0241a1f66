import { chmod, rename, writeFile } from 'node:fs/promises';
import { type Exposure, exposedSecondsSince, exposuresOf } from '../store/exposure.ts';
import { healthOf } from '../store/health.ts';
import type { Store, StoredBackup } from '../store/store.ts';
import { judgeWindows, nextWindow, type WindowVerdict } from './schedule.ts';
import type { ScheduledJob } from './scheduled.ts';

/** What is told of one group. */
export interface GroupMetrics {
  readonly group: string;
  /** Its complete backups, oldest first. */
  readonly backups: readonly Pick<StoredBackup, 'manifest' | 'records'>[];
  /** What its runs have cost in redundancy, whether their backups are there or not; see `exposuresOf`. */
  readonly exposures: readonly Exposure[];
  /** Windows that have begun, oldest first; empty without a schedule. */
  readonly windows: readonly WindowVerdict[];
  /** When the next window begins; `null` without one. */
  readonly next: Date | null;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  /** Label text without braces, and value. */
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

/** Days over which windows and exposure are summed up. */
const days = 30;

const isVerdict: Readonly<Record<WindowVerdict['kind'], true>> = {
  done: true,
  failed: true,
  unheld: true,
  undecided: true,
  missed: true,
  running: true,
  due: true,
};
const verdicts = Object.keys(isVerdict);

/**
 * What is to be told of a group, as its store and the record of its windows say it.
 *
 * @param watched Left out for a group without a schedule.
 */
export async function measureGroup(
  store: Pick<Store, 'root' | 'survey'>,
  group: string,
  now: Date,
  watched?: Pick<ScheduledJob, 'schedule' | 'log'>,
): Promise<GroupMetrics> {
  const [{ backups }, exposures] = await Promise.all([store.survey(group), exposuresOf(store, group)]);
  if (watched === undefined) return { group, backups, exposures, windows: [], next: null };
  const { schedule, log } = watched;
  const { records } = await log.read(group);
  const windows = judgeWindows(schedule, records, now);
  return { group, backups, exposures, windows, next: nextWindow(schedule, now) ?? null };
}

/** Text in the exposition format of Prometheus, for the textfile collector of node_exporter. Pure. */
export function renderMetrics(groups: readonly GroupMetrics[], now: Date): string {
  const from = now.getTime() - days * 24 * 3_600_000;
  const each = (value: (group: GroupMetrics) => number | undefined): Metric['samples'] =>
    groups.flatMap((group) => {
      const found = value(group);
      return found === undefined ? [] : [[label({ group: group.group }), found] as const];
    });
  const last = ({ backups }: GroupMetrics) => backups.at(-1)?.manifest;
  const lastGood = ({ backups }: GroupMetrics) =>
    backups.findLast((backup) => healthOf(backup).health === 'good')?.manifest;
  const recent = ({ windows }: GroupMetrics) => windows.filter(({ start }) => Date.parse(start) >= from);
  const metrics: Metric[] = [
    {
      name: 'splitmirror_last_good_backup_timestamp_seconds',
      help: 'When the newest good backup of the group was committed; suspicious, damaged and rejected ones do not count.',
      samples: each((group) => seconds(lastGood(group)?.committedAt)),
    },
    {
      name: 'splitmirror_last_backup_timestamp_seconds',
      help: 'When the newest complete backup of the group was committed, good or not.',
      samples: each((group) => seconds(last(group)?.committedAt)),
    },
    {
      name: 'splitmirror_last_backup_bytes',
      help: 'Bytes of the archives of the newest backup.',
      samples: each((group) => last(group)?.archives.reduce((sum, { bytes }) => sum + bytes, 0)),
    },
    {
      name: 'splitmirror_last_backup_exposed_seconds',
      help: 'Seconds with fewer copies than usual for the newest backup.',
      samples: each((group) => last(group)?.redundancy.exposedSeconds),
    },
    {
      name: 'splitmirror_exposed_seconds_30d',
      help: 'Seconds of the last 30 days with fewer copies than usual, of all runs, failed and removed ones too.',
      samples: each(({ exposures }) => exposedSecondsSince(exposures, new Date(from), now)),
    },
    {
      name: 'splitmirror_windows_30d',
      help: 'Windows of the last 30 days by verdict.',
      samples: groups
        .filter(({ windows }) => windows.length > 0)
        .flatMap((group) =>
          verdicts.map(
            (verdict) =>
              [
                label({ group: group.group, verdict }),
                recent(group).filter(({ kind }) => kind === verdict).length,
              ] as const,
          ),
        ),
    },
    {
      name: 'splitmirror_window_doubles_30d',
      help: 'Backups beyond the first of a window, in the last 30 days.',
      samples: each((group) =>
        group.windows.length === 0 ? undefined : recent(group).reduce((sum, { doubles }) => sum + doubles.length, 0),
      ),
    },
    {
      name: 'splitmirror_last_window_timestamp_seconds',
      help: 'Start of the newest window that has begun.',
      samples: each(({ windows }) => seconds(windows.at(-1)?.start)),
    },
    {
      name: 'splitmirror_last_window_ok',
      help: '1 when the newest window that is over was done, 0 when it was not.',
      samples: each(({ windows }) => {
        const over = windows.findLast(({ kind }) => kind !== 'due' && kind !== 'running');
        return over === undefined ? undefined : Number(over.kind === 'done');
      }),
    },
    {
      name: 'splitmirror_next_window_timestamp_seconds',
      help: 'Start of the next window.',
      samples: each(({ next }) => (next === null ? undefined : next.getTime() / 1000)),
    },
    {
      name: 'splitmirror_metrics_timestamp_seconds',
      help: 'When these metrics of the group were written.',
      // With its group: the files of several groups lie in one directory, and no two may tell the same.
      samples: each(() => now.getTime() / 1000),
    },
  ];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} gauge`,
      ...samples.map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}`),
    ])
    .concat('')
    .join('\n');
}

/** Puts the text in its place at once, readable for the exporter: it never sees half of it. */
export async function writeMetrics(file: string, text: string): Promise<void> {
  const partial = `${file}.${process.pid}.tmp`;
  await writeFile(partial, text);
  await chmod(partial, 0o644);
  await rename(partial, file);
}

function label(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(
      ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`))}"`,
    )
    .join(',');
}

function seconds(at: string | undefined): number | undefined {
  return at === undefined ? undefined : Date.parse(at) / 1000;
}
