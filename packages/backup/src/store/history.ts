import { healthOf } from './health.ts';
import type { ArchiveRecord, Manifest, Suspicion } from './manifest.ts';
import type { BackupRecord } from './records.ts';

/**
 * How far a run may be off its history. Sizes and counts are held against the median of earlier good backups: a run is
 * suspicious only where it leaves both the share of the median that stands here and what these backups scatter by
 * themselves.
 */
export const historyThresholds = {
  /** Fewer earlier backups than this tell nothing. */
  shortest: 5,
  /** No more than the newest so many are looked at. */
  longest: 30,
  /** Robust standard deviations (1.4826 times the median of the absolute deviations from the median). */
  deviations: 6,
  /** Below this share of the median, bytes and entries are suspicious. */
  least: 0.7,
  /** Above this multiple of the median, bytes and entries are suspicious. */
  most: 2,
  /** Above this multiple of the median a duration is suspicious; a short one is not. */
  slowest: 3,
  /** Seconds by which a duration must exceed the median beside: short runs scatter. */
  slack: 60,
} as const;

/** Numbers in place of {@link historyThresholds}. */
export type HistoryThresholds = { readonly [name in keyof typeof historyThresholds]: number };

/** What counts of a run. */
export type RunSample = readonly Pick<ArchiveRecord, 'volume' | 'bytes' | 'entries' | 'seconds'>[];

/**
 * Holds a run against the earlier good ones. Pure.
 *
 * @param history Samples of earlier good backups, oldest first.
 * @returns every reason why the run must not count as good; empty for a usual one, and where history is too short, apart
 * from what needs none: a volume that is gone, or empty and never was.
 */
export function judgeAgainstHistory(
  sample: RunSample,
  history: readonly RunSample[],
  thresholds: HistoryThresholds = historyThresholds,
): Suspicion[] {
  const recent = history.slice(-thresholds.longest);
  return [
    ...missing(sample, recent.at(-1) ?? []),
    ...sample.flatMap((archive) => {
      const earlier = recent.flatMap((run) => run.filter(({ volume }) => volume === archive.volume));
      return [
        ...sizes(
          'BYTES',
          archive.volume,
          archive.bytes,
          earlier.map(({ bytes }) => bytes),
          thresholds,
        ),
        ...sizes(
          'ENTRIES',
          archive.volume,
          archive.entries,
          earlier.map(({ entries }) => entries),
          thresholds,
        ),
        ...duration(
          archive,
          earlier.flatMap(({ seconds }) => seconds ?? []),
          thresholds,
        ),
      ];
    }),
  ];
}

/** The backups that a new one is held against: those that nothing is wrong with, or that a person has accepted. */
export function historyOf(
  backups: readonly { readonly manifest: Manifest; readonly records: readonly BackupRecord[] }[],
): RunSample[] {
  return backups.filter((backup) => healthOf(backup).health === 'good').map(({ manifest }) => manifest.archives);
}

function missing(sample: RunSample, last: RunSample): Suspicion[] {
  return last.flatMap(({ volume, bytes, entries }): Suspicion[] => {
    const now = sample.find((archive) => archive.volume === volume);
    if (now === undefined) {
      const message = `${volume} was in the backup before and is not in this one`;
      return [{ code: 'VOLUME_MISSING', volume, message, seen: 0, usual: null }];
    }
    if (bytes > 0 && (now.bytes === 0 || (entries > 0 && now.entries === 0))) {
      const message = `${volume} is empty and was not before`;
      return [{ code: 'VOLUME_EMPTY', volume, message, seen: 0, usual: null }];
    }
    return [];
  });
}

function sizes(
  code: 'BYTES' | 'ENTRIES',
  volume: string,
  seen: number,
  earlier: readonly number[],
  { shortest, deviations, least, most }: HistoryThresholds,
): Suspicion[] {
  if (earlier.length < shortest) return [];
  const { median, deviation } = robust(earlier);
  const isOff = Math.abs(seen - median) > deviations * deviation && (seen < least * median || seen > most * median);
  const message = `${volume}: ${seen} ${code.toLowerCase()}, usually ${Math.round(median)}`;
  return isOff ? [{ code, volume, message, seen, usual: median }] : [];
}

function duration(
  { volume, seconds }: RunSample[number],
  earlier: readonly number[],
  { shortest, deviations, slowest, slack }: HistoryThresholds,
): Suspicion[] {
  if (seconds === null || earlier.length < shortest) return [];
  const { median, deviation } = robust(earlier);
  const isOff = seconds > slowest * median && seconds > median + Math.max(slack, deviations * deviation);
  const message = `${volume}: archived in ${Math.round(seconds)} s, usually in ${Math.round(median)} s`;
  return isOff ? [{ code: 'SECONDS', volume, message, seen: seconds, usual: median }] : [];
}

/** Median, and the standard deviation as the median of the absolute deviations tells it: one outlier moves neither. */
function robust(values: readonly number[]): { readonly median: number; readonly deviation: number } {
  const median = medianOf(values);
  return { median, deviation: 1.4826 * medianOf(values.map((value) => Math.abs(value - median))) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return (low + high) / 2;
}
