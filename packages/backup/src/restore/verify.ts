import { hostname } from 'node:os';
import { BackupError } from '../errors.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import type { DrillRecord } from '../store/records.ts';
import type { Store, StoredBackup } from '../store/store.ts';
import { type Identified, type VerifyReport, verifyBackup } from './restore.ts';

/** What a verification found. */
export type Verification = {
  /** A verification counts as a drill of the level `bytes`. */
  readonly record: DrillRecord;
  /** Why the store could not take the record; what was found is worth as much without it. */
  readonly unrecorded: Problem | null;
} & (
  | { readonly kind: 'whole'; readonly report: VerifyReport }
  | { readonly kind: 'damaged'; readonly error: BackupError }
);

/**
 * Verifies a backup as `verifyBackup` does, and records beside it what was found: a damaged one counts for nothing from then
 * on, until it passes again.
 *
 * @throws what says nothing of the backup: a wrong identity, a store that cannot be read. Then nothing is recorded.
 */
export async function verifyAndRecord(
  store: Store,
  backup: StoredBackup,
  options: Identified,
  now: () => Date,
): Promise<Verification> {
  const startedAt = now().getTime();
  const found = await verifyBackup(backup, options).then(
    (report) => ({ kind: 'whole', report }) as const,
    (error: unknown) => {
      if (error instanceof BackupError && error.code === 'BACKUP_DAMAGED') return { kind: 'damaged', error } as const;
      throw error;
    },
  );
  const record: DrillRecord = {
    kind: 'drill',
    at: now().toISOString(),
    level: 'bytes',
    outcome: found.kind === 'whole' ? 'passed' : 'failed',
    seconds: Math.max(0, (now().getTime() - startedAt) / 1000),
    where: hostname(),
    program: null,
    problems: found.kind === 'whole' ? [] : [found.error.message],
  };
  const unrecorded = await store.record(backup, record).then(
    () => null,
    (error: unknown) => problemOf(error, null),
  );
  return { ...found, record, unrecorded };
}
