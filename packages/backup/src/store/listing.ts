import { type BackupHealth, healthOf } from './health.ts';
import type { Manifest } from './manifest.ts';
import type { BackupRecord, DrillRecord } from './records.ts';
import { listRecoveries, recoveryAfter } from './recoveries.ts';
import type { Store } from './store.ts';

/** How sure it is that a backup can be restored, and what it is. */
export interface BackupListing {
  readonly run: string;
  /** UTC, ISO 8601. */
  readonly createdAt: string;
  readonly directory: string;
  /** As `healthOf` judges it; `damaged` too when its manifest cannot be read; `incomplete`: the run failed, or still goes on. */
  readonly health: BackupHealth['health'] | 'incomplete';
  /** Why it is not good, each in one line. */
  readonly reasons: readonly string[];
  /** The drill that proves it. */
  readonly proven: { readonly level: DrillRecord['level']; readonly at: string; readonly ageDays: number } | null;
  /** `null` for what is incomplete or cannot be read. */
  readonly manifest: Manifest | null;
  readonly records: readonly BackupRecord[];
}

/** Everything of a group that stands in a store with the health of each, oldest first. Never fails for a damaged one. */
export async function listBackups(store: Store, group: string, now: Date): Promise<BackupListing[]> {
  const { backups, damaged, incomplete } = await store.survey(group);
  // Each of them is a journal to read.
  const recoveries = incomplete.length === 0 ? [] : (await listRecoveries(store, group)).recoveries;
  const endingOf = (begunAt: string) => {
    const recovery = recoveryAfter(recoveries, begunAt);
    return recovery === undefined
      ? 'the run failed, or still goes on'
      : `the run failed; recovery ${recovery.run} of ${recovery.startedAt} took back what it left`;
  };
  const listed: BackupListing[] = [
    ...backups.map(({ directory, manifest, records }): BackupListing => {
      const { health, reasons, proven } = healthOf({ manifest, records });
      return {
        run: manifest.run,
        createdAt: manifest.createdAt,
        directory,
        health,
        reasons,
        proven: proven === null ? null : { level: proven.level, at: proven.at, ageDays: daysSince(proven.at, now) },
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
        reasons: [endingOf(createdAt)],
      }),
    ),
  ];
  return listed.sort((a, b) => (a.directory < b.directory ? -1 : 1));
}

/** Whole and broken days. */
export function daysSince(at: string, now: Date): number {
  return (now.getTime() - Date.parse(at)) / 86_400_000;
}

function unreadable(directory: string, run: string, createdAt: string) {
  return { run, createdAt, directory, proven: null, manifest: null, records: [] };
}
