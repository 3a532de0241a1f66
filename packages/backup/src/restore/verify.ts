import { hostname } from 'node:os';
import { BackupError } from '../errors.ts';
import type { Store, StoredBackup } from '../store/store.ts';
import { type RecordedDrill, recordDrill } from './record-drill.ts';
import { type Identified, type VerifyReport, verifyBackup } from './restore.ts';

/** What a verification found; it is recorded as a drill of the level `bytes`. */
export type Verification = RecordedDrill &
  (
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
  const startedAt = now();
  const found = await verifyBackup(backup, options).then(
    (report) => ({ kind: 'whole', report }) as const,
    (error: unknown) => {
      if (error instanceof BackupError && error.code === 'BACKUP_DAMAGED') return { kind: 'damaged', error } as const;
      throw error;
    },
  );
  const problems = found.kind === 'whole' ? [] : [found.error.message];
  const drill = { level: 'bytes', where: hostname(), program: null, problems } as const;
  return { ...found, ...(await recordDrill(store, backup, drill, { startedAt, endedAt: now() })) };
}
