import { healthOf } from './history.ts';
import type { Manifest } from './manifest.ts';
import { type BackupRecord, type DrillRecord, drillLevels } from './records.ts';
import type { Store } from './store.ts';

/** How sure it is that a backup can be restored, and what it is. */
export interface BackupListing {
  readonly run: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly directory: string;
  /**
   * `good`: whole, checked when it was made, and not off its history, or accepted by a person. `suspicious`: whole, and off
   * its history. `rejected`: a person gave it up. `damaged`: its manifest cannot be read, or a drill failed.
   * `incomplete`: the run failed, or still goes on.
   */
  readonly health: 'good' | 'suspicious' | 'rejected' | 'damaged' | 'incomplete';
  /** Why it is not good, each in one line. */
  readonly reasons: readonly string[];
  /** The last drill that was passed at the highest level since the last one that failed. */
  readonly proven: { readonly level: DrillRecord['level']; readonly at: string; readonly ageDays: number } | null;
  /** `null` for what is incomplete or cannot be read. */
  readonly manifest: Manifest | null;
  readonly records: readonly BackupRecord[];
}

/** Everything of a group that stands in a store with the health of each, oldest first. Never fails for a damaged one. */
export async function listBackups(store: Store, group: string, now: Date): Promise<BackupListing[]> {
  const { backups, damaged, incomplete } = await store.survey(group);
  const listed: BackupListing[] = [
    ...backups.map(({ directory, manifest, records }): BackupListing => {
      const health = healthOf({ manifest, records });
      const proven = provenBy(records);
      return {
        run: manifest.run,
        createdAt: manifest.createdAt,
        directory,
        health,
        reasons:
          health === 'good'
            ? []
            : [...failures(records), ...manifest.suspicions.map(({ message }) => message), ...judged(records)],
        proven:
          proven === undefined ? null : { level: proven.level, at: proven.at, ageDays: daysSince(proven.at, now) },
        manifest,
        records,
      };
    }),
    ...damaged.map(
      ({ directory, run, createdAt, error }): BackupListing => ({
        ...unreadable(directory, run, createdAt),
        health: 'damaged',
        reasons: [error.message],
      }),
    ),
    ...incomplete.map(
      ({ directory, run, createdAt }): BackupListing => ({
        ...unreadable(directory, run, createdAt),
        health: 'incomplete',
        reasons: ['the run failed, or still goes on'],
      }),
    ),
  ];
  return listed.sort((a, b) => (a.directory < b.directory ? -1 : 1));
}

/** The drill that proves a backup: a failed one takes back what was proved before it. */
export function provenBy(records: readonly BackupRecord[]): DrillRecord | undefined {
  const drills = records.filter((record) => record.kind === 'drill');
  const since = drills.slice(drills.findLastIndex(({ outcome }) => outcome === 'failed') + 1);
  for (const level of [...drillLevels].reverse()) {
    const found = since.findLast((drill) => drill.level === level);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whole and broken days. */
export function daysSince(at: string, now: Date): number {
  return (now.getTime() - Date.parse(at)) / 86_400_000;
}

/** What the last failed drill has said. */
function failures(records: readonly BackupRecord[]): readonly string[] {
  const failed = records.findLast((record) => record.kind === 'drill' && record.outcome === 'failed');
  return failed?.kind === 'drill' ? failed.problems : [];
}

function judged(records: readonly BackupRecord[]): string[] {
  const judgement = records.findLast((record) => record.kind === 'judgement');
  return judgement === undefined ? [] : [`${judgement.verdict} by ${judgement.by}: ${judgement.reason}`];
}

function unreadable(directory: string, run: string, createdAt: string) {
  return { run, createdAt, directory, proven: null, manifest: null, records: [] };
}
