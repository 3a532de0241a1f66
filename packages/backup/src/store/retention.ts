import { requireWhole, SplitmirrorError } from '@splitmirror/host';
import { healthOf } from './health.ts';
import { type DrillRecord, drillLevels } from './records.ts';
import { expiredRecoveries, listRecoveries, type RecoveryRecord, removeRecoveries } from './recoveries.ts';
import type { Store, StoreSurvey } from './store.ts';

/** How many backups are kept. Periods are days, ISO weeks, months and years of UTC; of each the newest good one is kept. */
export interface RetentionPolicy {
  /** The newest so many good ones, whatever their times. */
  readonly last?: number | undefined;
  /** Newest periods that have a backup, not periods of the calendar: a pause in backups expires nothing. */
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
  /** Days for which the journal of a run that did not finish is kept; default 30. */
  readonly failedDays?: number | undefined;
}

/** A backup as retention sees it. */
export interface RetainedBackup {
  readonly run: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  /** `incomplete`: the run failed, or still goes on. */
  readonly health: 'good' | 'suspicious' | 'damaged' | 'rejected' | 'incomplete';
  /** How far a drill has proved it after it was committed; `null` when none has, or none since one that failed. */
  readonly proven: DrillRecord['level'] | null;
  /** Run that it builds upon. */
  readonly parent: string | null;
}

/** What becomes of one backup, and why. */
export interface RetentionDecision {
  readonly run: string;
  readonly createdAt: string;
  readonly action: 'keep' | 'remove';
  /** Each reason in one line; every one of a kept backup keeps it. */
  readonly reasons: readonly string[];
}

/** What a retention will do. */
export interface RetentionPlan {
  /** Oldest first. */
  readonly decisions: readonly RetentionDecision[];
  /** Why nothing is removed now, whatever its age; `null` when removals may go on. */
  readonly suspended: string | null;
  /** Records of recoveries that go: older than a year, and than every backup that stays. */
  readonly recoveries: readonly RetainedRecovery[];
}

/** The record of a recovery as retention sees it. */
export type RetainedRecovery = Pick<RecoveryRecord, 'run' | 'startedAt' | 'verdict'>;

const dayMs = 86_400_000;

/**
 * Decides which backups of a group stay. Pure; the same input gives the same plan.
 *
 * Nothing goes while the newest run is suspicious or did not finish, nor when a backup is from the future. The newest good
 * backup always stays, so does the newest proven at each level of drills, everything suspicious or damaged until a person has judged it, and everything
 * that a kept backup builds upon.
 *
 * @param recoveries Those that are recorded, oldest first; see `listRecoveries`.
 * @throws RangeError for a policy that keeps nothing by a rule of its own: it would be a mistake.
 */
export function planRetention(
  backups: readonly RetainedBackup[],
  policy: RetentionPolicy,
  now: Date,
  recoveries: readonly RetainedRecovery[] = [],
): RetentionPlan {
  checkPolicy(policy);
  const ordered = [...backups].sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.run, b.run));
  const good = ordered.filter(({ health }) => health === 'good');
  const reasons = new Map<string, string[]>(ordered.map(({ run }) => [run, []]));
  const keep = (run: string | undefined, reason: string) => void (run === undefined || reasons.get(run)?.push(reason));

  for (const { run } of newest(good, policy.last ?? 0)) keep(run, `one of the last ${policy.last}`);
  for (const [name, count, period] of periodsOf(policy)) {
    for (const { run, label } of newestOfEach(good, count, period)) keep(run, `${name}: the newest of ${label}`);
  }
  keep(good.at(-1)?.run, 'the newest good backup');
  for (const [run, reason] of newestProven(good)) keep(run, reason);
  for (const { run, health } of ordered) {
    if (health === 'suspicious' || health === 'damaged') keep(run, `${health}, and not judged by a person`);
  }
  const failedMs = (policy.failedDays ?? 30) * dayMs;
  for (const { run, health, createdAt } of ordered) {
    if (health === 'incomplete' && now.getTime() - Date.parse(createdAt) <= failedMs)
      keep(run, `did not finish, and is not ${policy.failedDays ?? 30} days old`);
  }
  keepParents(ordered, reasons);

  const suspended = suspension(ordered, now);
  const decisions = ordered.map(({ run, createdAt, health }): RetentionDecision => {
    const why = reasons.get(run) ?? [];
    if (why.length > 0) return { run, createdAt, action: 'keep', reasons: why };
    if (suspended !== null) return { run, createdAt, action: 'keep', reasons: [`nothing is removed: ${suspended}`] };
    return { run, createdAt, action: 'remove', reasons: [goesBecause(health)] };
  });
  const keptSince = decisions.find(({ action }) => action === 'keep')?.createdAt;
  const expired = suspended === null ? expiredRecoveries(recoveries, keptSince, now) : [];
  return {
    suspended,
    decisions,
    recoveries: expired.map(({ run, startedAt, verdict }) => ({ run, startedAt, verdict })),
  };
}

/**
 * What of a store counts for retention.
 *
 * @throws BackupError `BACKUP_DAMAGED` when a manifest cannot be read: which backups count is not known then.
 */
export function retainedBackups({ backups, damaged, incomplete }: StoreSurvey): RetainedBackup[] {
  if (damaged[0] !== undefined) throw damaged[0].error;
  return [
    ...backups.map((backup) => {
      const { run, createdAt, parent } = backup.manifest;
      const { health, proven } = healthOf(backup);
      return { run, createdAt, health, proven: proven?.level ?? null, parent };
    }),
    ...incomplete.map(({ run, createdAt }) => ({
      run,
      createdAt,
      health: 'incomplete' as const,
      proven: null,
      parent: null,
    })),
  ];
}

/** A retention that was not performed. */
export class RetentionError extends SplitmirrorError {
  readonly code = 'RETENTION_OUTDATED';
}

/** What a retention did. Its records of recoveries are gone, too. */
export interface RetentionReport extends RetentionPlan {
  /** Runs whose backups are gone. */
  readonly removed: readonly string[];
}

/**
 * Plans a retention and performs it: each backup loses its name first, then its bytes. Killed at any point, the next one
 * goes on; nothing half removed looks like a backup meanwhile.
 *
 * @param expected The plan that was shown: when the store says something else by now, nothing is removed.
 * @throws BackupError `BACKUP_DAMAGED` when a manifest cannot be read: which backups count is not known then.
 * `RETENTION_OUTDATED` when the plan is not the expected one.
 */
export async function retainBackups(
  store: Store,
  group: string,
  policy: RetentionPolicy,
  now: Date,
  expected?: RetentionPlan,
): Promise<RetentionReport> {
  const survey = await store.survey(group);
  const { recoveries } = await listRecoveries(store, group);
  const plan = planRetention(retainedBackups(survey), policy, now, recoveries);
  if (expected !== undefined && JSON.stringify(plan) !== JSON.stringify(expected)) {
    throw new RetentionError(`the backups of ${group} are not those that the plan was made for`, {
      remedy: 'Plan the retention again, and look at it.',
    });
  }
  const goes = new Set(plan.decisions.filter(({ action }) => action === 'remove').map(({ run }) => run));
  const directories = [
    ...survey.backups.filter(({ manifest }) => goes.has(manifest.run)).map(({ directory }) => directory),
    ...survey.incomplete.filter(({ run }) => goes.has(run)).map(({ directory }) => directory),
  ];
  await store.remove(group, directories);
  const expired = new Set(plan.recoveries.map(({ run }) => run));
  await removeRecoveries(recoveries.filter(({ run }) => expired.has(run)));
  return { ...plan, removed: [...goes] };
}

function suspension(ordered: readonly RetainedBackup[], now: Date): string | null {
  const last = ordered.at(-1);
  if (last === undefined) return null;
  if (Date.parse(last.createdAt) > now.getTime()) return `${last.run} is from ${last.createdAt}, which is to come`;
  if (last.health === 'suspicious' || last.health === 'damaged')
    return `the newest backup, ${last.run}, is ${last.health}`;
  if (last.health === 'incomplete') return `the newest run, ${last.run}, did not finish`;
  if (last.health === 'rejected') return `the newest backup, ${last.run}, was rejected`;
  return null;
}

function goesBecause(health: RetainedBackup['health']): string {
  switch (health) {
    case 'good':
      return 'no rule keeps it';
    case 'rejected':
      return 'rejected by a person';
    case 'incomplete':
      return 'did not finish, and is old enough';
    case 'suspicious':
    case 'damaged':
      throw new RangeError(`a ${health} backup is kept`);
  }
}

/** That the bytes of a newer one are right is less than that the application has opened an older one. */
function newestProven(good: readonly RetainedBackup[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [rank, level] of drillLevels.entries()) {
    const newest = good.findLast(({ proven }) => proven !== null && drillLevels.indexOf(proven) >= rank);
    if (newest === undefined || found.has(newest.run)) continue;
    found.set(newest.run, rank === 0 ? 'the newest proven backup' : `the newest proven at level ${level}`);
  }
  return found;
}

/** Whatever a kept backup builds upon stays with it, back to a whole one. */
function keepParents(ordered: readonly RetainedBackup[], reasons: Map<string, string[]>): void {
  const byRun = new Map(ordered.map((backup) => [backup.run, backup]));
  const pending = ordered.filter(({ run }) => (reasons.get(run)?.length ?? 0) > 0);
  for (let child = pending.pop(); child !== undefined; child = pending.pop()) {
    const parent = child.parent === null ? undefined : byRun.get(child.parent);
    const why = parent === undefined ? undefined : reasons.get(parent.run);
    if (parent === undefined || why === undefined) continue;
    if (why.length === 0) pending.push(parent);
    why.push(`${child.run} builds upon it`);
  }
}

type Period = (createdAt: Date) => string;

function periodsOf(policy: RetentionPolicy): (readonly [name: string, count: number, period: Period])[] {
  return [
    ['daily', policy.daily ?? 0, (at) => at.toISOString().slice(0, 10)],
    ['weekly', policy.weekly ?? 0, weekOf],
    ['monthly', policy.monthly ?? 0, (at) => at.toISOString().slice(0, 7)],
    ['yearly', policy.yearly ?? 0, (at) => at.toISOString().slice(0, 4)],
  ];
}

/** The week of ISO 8601: it belongs to the year of its Thursday. */
function weekOf(at: Date): string {
  const thursday = new Date(at.getTime() + (4 - (at.getUTCDay() || 7)) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function newestOfEach(good: readonly RetainedBackup[], count: number, period: Period) {
  const found = new Map<string, string>();
  for (const { run, createdAt } of [...good].reverse()) {
    const label = period(new Date(createdAt));
    if (found.size < count && !found.has(label)) found.set(label, run);
  }
  return [...found].map(([label, run]) => ({ label, run }));
}

function newest<T>(items: readonly T[], count: number): readonly T[] {
  return count === 0 ? [] : items.slice(-count);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkPolicy({
  last = 0,
  daily = 0,
  weekly = 0,
  monthly = 0,
  yearly = 0,
  failedDays = 30,
}: RetentionPolicy): void {
  const kept = { last, daily, weekly, monthly, yearly };
  for (const [name, count] of Object.entries(kept)) requireWhole(name, count, 0);
  if (!(failedDays >= 0)) throw new RangeError(`failedDays must be a number from 0: it is ${failedDays}`);
  const counts = Object.values(kept);
  if (counts.every((count) => count === 0))
    throw new RangeError('a retention has to keep something: every number is 0');
}
