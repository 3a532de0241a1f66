import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../ports.ts';
import { storeError } from './durable.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import { directoryOf } from './names.ts';
import type { Store } from './store.ts';

/** A time in which volumes had fewer fresh copies than they should have. */
export interface Exposure {
  readonly run: string;
  /** UTC, ISO 8601. */
  readonly from: string;
  /** `null`: as far as the store knows, it still goes on. */
  readonly to: string | null;
  /** How many volumes. */
  readonly volumes: number;
  /** Volumes that had no second fresh copy at all meanwhile. */
  readonly volumesWithoutRedundancy: number;
}

/** What the runs of a month have cost in redundancy. */
export interface MonthlyExposure {
  /** UTC, `2026-11`. */
  readonly month: string;
  readonly runs: number;
  /** Minutes in which some volume had fewer copies; overlapping runs count twice. */
  readonly minutes: number;
  /** The same, added up over the volumes. */
  readonly volumeMinutes: number;
  /** Minutes in which some volume had no second fresh copy. */
  readonly minutesWithoutRedundancy: number;
}

/** What a group may spend. */
export interface ExposureLimit {
  /** Minutes of a month (UTC) in which volumes may be without any second fresh copy. */
  readonly minutesPerMonth: number;
}

/**
 * Time with fewer copies than before, in seconds. A clock of the controller that was set back meanwhile leaves none: what it
 * would say is wrong, and a backup is not lost for it.
 */
export function exposedSeconds(splitAt: string, wholeAt: string): number {
  return Math.max(0, Date.parse(wholeAt) - Date.parse(splitAt)) / 1000;
}

/** Exposure of a run that was committed. */
export function exposureOf({ run, redundancy, archives }: Manifest): Exposure {
  const { splitAt, wholeAt, volumes, copiesLeft } = redundancy;
  // A manifest of version 1 tells the fewest copies of all, and no more.
  const without =
    volumes.length === 0
      ? copiesLeft < 2
        ? archives.length
        : 0
      : volumes.filter((each) => each.copiesLeft < 2).length;
  return {
    run,
    from: splitAt,
    to: wholeAt,
    volumes: volumes.length === 0 ? archives.length : volumes.length,
    volumesWithoutRedundancy: without,
  };
}

/**
 * Exposure of a run that was not committed, from its journal: from the intent to split until the mirror was seen whole. The
 * last line may be cut. Nothing for a run that never came to the split.
 */
export function exposureOfJournal(text: string): Exposure | undefined {
  let exposure: Exposure | undefined;
  let plan: JournalledPlan | undefined;
  for (const line of wholeLines(text)) {
    const entry = JSON.parse(line) as JournalLine;
    if (entry.kind === 'plan') plan = entry.plan;
    const { effect } = entry;
    const splits = entry.kind === 'intent' && effect?.kind === 'perform' && effect.phase?.name === 'split';
    if (splits && exposure === undefined) {
      const volumes = plan?.mirror.volumes ?? [];
      const without = volumes.filter(({ copiesLeft }) => copiesLeft < 2).length;
      exposure = {
        run: plan?.run ?? '',
        from: entry.at,
        to: null,
        volumes: volumes.length,
        volumesWithoutRedundancy: without,
      };
    }
    const isWhole =
      (entry.kind === 'outcome' && entry.of === 'redundancy' && entry.redundancy?.kind === 'whole') ||
      (entry.kind === 'end' && entry.verdict?.recovery?.kind === 'whole');
    if (isWhole && exposure?.to === null) exposure = { ...exposure, to: entry.at };
  }
  return exposure;
}

/**
 * What the runs of a group have cost, oldest first: of its backups, of those that are damaged or removed since, and of runs
 * that failed.
 */
export async function exposuresOf(store: Pick<Store, 'root' | 'survey'>, group: string): Promise<Exposure[]> {
  const { backups, damaged, incomplete } = await store.survey(group);
  const removed = await readText(join(directoryOf(store.root, group), removedName));
  const failed = await Promise.all([...damaged, ...incomplete].map(({ directory }) => exposureIn(directory)));
  const all = [
    ...backups.map(({ manifest }) => exposureOf(manifest)),
    ...failed.filter((each) => each !== undefined),
    // Later than what the directories say: a run is here, too, once a recovery has ended its exposure.
    ...wholeLines(removed).map((line) => JSON.parse(line) as Exposure),
  ];
  const byRun = [...new Map(all.map((each) => [each.run, each])).values()];
  const ordered = byRun.sort((a, b) => (a.from < b.from ? -1 : 1));
  // A mirror is split only when it was seen whole: the next split ends what nobody saw the end of.
  return ordered.map((each, index) => (each.to === null ? { ...each, to: ordered[index + 1]?.from ?? null } : each));
}

/**
 * Ends the exposures of runs that died, once a recovery has seen the mirror whole.
 *
 * @param at When that was; UTC, ISO 8601.
 */
export async function endExposures(store: Pick<Store, 'root' | 'survey'>, group: string, at: string): Promise<void> {
  for (const exposure of await exposuresOf(store, group)) {
    if (exposure.to === null) await append(directoryOf(store.root, group), { ...exposure, to: at });
  }
}

/** What is left of runs whose directories were removed, or whose end only a recovery saw. */
const removedName = 'exposures.ndjson';

/** Notes what a run has cost before its directory goes. */
export async function keepExposure(group: string, directory: string): Promise<void> {
  const exposure = await exposureIn(directory);
  const noted = wholeLines(await readText(join(group, removedName))).map((line) => JSON.parse(line) as Exposure);
  if (exposure !== undefined && !noted.some(({ run }) => run === exposure.run)) await append(group, exposure);
}

async function append(group: string, exposure: Exposure): Promise<void> {
  const handle = await open(join(group, removedName), 'a+', 0o600);
  try {
    // A line that a crash has cut off would spoil this one.
    await handle.truncate((await handle.readFile()).lastIndexOf(10) + 1);
    await handle.appendFile(`${JSON.stringify(exposure)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Also what is damaged has cost something, which its journal tells. */
async function exposureIn(directory: string): Promise<Exposure | undefined> {
  return (await exposureOfManifest(directory)) ?? exposureOfJournal(await readText(join(directory, 'journal.ndjson')));
}

async function exposureOfManifest(directory: string): Promise<Exposure | undefined> {
  try {
    return exposureOf(manifestSchema.parse(JSON.parse(await readText(join(directory, 'manifest.json')))));
  } catch {
    return undefined;
  }
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw storeError(file, error);
  });
}

function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** Exposure month by month, oldest first. A run across midnight of the last day counts in both months with its part. */
export function exposureByMonth(exposures: readonly Exposure[], now: Date): MonthlyExposure[] {
  const months = new Map<string, MonthlyExposure>();
  for (const exposure of exposures) {
    for (const { month, minutes } of splitByMonth(exposure, now)) {
      const sum = months.get(month) ?? { month, runs: 0, minutes: 0, volumeMinutes: 0, minutesWithoutRedundancy: 0 };
      months.set(month, {
        month,
        runs: sum.runs + 1,
        minutes: sum.minutes + minutes,
        volumeMinutes: sum.volumeMinutes + minutes * exposure.volumes,
        minutesWithoutRedundancy: sum.minutesWithoutRedundancy + (exposure.volumesWithoutRedundancy > 0 ? minutes : 0),
      });
    }
  }
  return [...months.values()].sort((a, b) => (a.month < b.month ? -1 : 1));
}

/** Seconds in which some volume had fewer copies, of that part that lies between two times; overlapping runs count twice. */
export function exposedSecondsSince(exposures: readonly Exposure[], since: Date, now: Date): number {
  const seconds = exposures.map(({ from, to }) => {
    const end = to === null ? now.getTime() : Math.min(Date.parse(to), now.getTime());
    return Math.max(0, end - Math.max(Date.parse(from), since.getTime())) / 1000;
  });
  return seconds.reduce((sum, each) => sum + each, 0);
}

/**
 * Whether a run may leave its volumes without a second fresh copy once more this month. Pure; for a plan.
 *
 * @param volumes What the plan leaves to each volume.
 * @returns `null` when it may. The run is expected to take as long as the median of those before; the first one is free.
 */
export function refuseExposure(
  volumes: readonly { readonly volume: string; readonly copiesLeft: number }[],
  exposures: readonly Exposure[],
  limit: ExposureLimit | undefined,
  now: Date,
): Problem | null {
  const exposed = volumes.filter(({ copiesLeft }) => copiesLeft < 2).map(({ volume }) => volume);
  if (limit === undefined || exposed.length === 0) return null;
  const month = now.toISOString().slice(0, 7);
  const spent = exposureByMonth(exposures, now).find((each) => each.month === month)?.minutesWithoutRedundancy ?? 0;
  const lengths = exposures
    .filter(({ volumesWithoutRedundancy }) => volumesWithoutRedundancy > 0)
    .map((exposure) => minutesOf(exposure, now))
    .sort((a, b) => a - b);
  const expected = lengths[lengths.length >> 1] ?? 0;
  if (spent + expected <= limit.minutesPerMonth && spent < limit.minutesPerMonth) return null;
  return {
    code: 'EXPOSURE_LIMIT',
    node: null,
    message: `${exposed.join(', ')} would be without a second fresh copy for longer than the policy allows in ${month}`,
    seen: `${Math.round(spent)} minutes spent, about ${Math.round(expected)} more, of ${limit.minutesPerMonth}`,
    remedy: 'Wait for the next month, raise the limit, or give the volumes a third copy.',
  };
}

function minutesOf({ from, to }: Exposure, now: Date): number {
  return Math.max(0, (to === null ? now.getTime() : Date.parse(to)) - Date.parse(from)) / 60_000;
}

function splitByMonth(exposure: Exposure, now: Date): { readonly month: string; readonly minutes: number }[] {
  const parts: { month: string; minutes: number }[] = [];
  const end = exposure.to ?? now.toISOString();
  for (let from = exposure.from; ; ) {
    const start = new Date(from);
    const next = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1)).toISOString();
    const to = end < next ? end : next;
    parts.push({ month: from.slice(0, 7), minutes: minutesOf({ ...exposure, from, to }, now) });
    if (end <= next) return parts;
    from = next;
  }
}

/** What of a journal counts here. It is our own file: other fields are not looked at. */
interface JournalLine {
  readonly at: string;
  readonly kind: string;
  readonly of?: string;
  readonly plan?: JournalledPlan;
  readonly effect?: { readonly kind: string; readonly phase?: { readonly name: string } };
  readonly redundancy?: { readonly kind: string };
  readonly verdict?: { readonly recovery?: { readonly kind: string } };
}

interface JournalledPlan {
  readonly run: string;
  readonly mirror: { readonly volumes: readonly { readonly volume: string; readonly copiesLeft: number }[] };
}
