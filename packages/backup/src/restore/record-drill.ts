import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';
import type { DrillRecord } from '../store/records.ts';
import type { Store, StoredBackup } from '../store/store.ts';

/** What is recorded of a drill, and whether it is. */
export interface RecordedDrill {
  readonly record: DrillRecord;
  /** Why the store could not take the record; what was found is worth as much without it. */
  readonly unrecorded: Problem | null;
}

/** Puts what a drill has found beside the manifest of its backup. A drill without a problem is passed. */
export async function recordDrill(
  store: Store,
  backup: StoredBackup,
  drill: Pick<DrillRecord, 'level' | 'where' | 'program'> & { readonly problems: readonly string[] },
  { startedAt, endedAt }: { readonly startedAt: Date; readonly endedAt: Date },
): Promise<RecordedDrill> {
  const record: DrillRecord = {
    kind: 'drill',
    at: endedAt.toISOString(),
    level: drill.level,
    outcome: drill.problems.length === 0 ? 'passed' : 'failed',
    seconds: Math.max(0, (endedAt.getTime() - startedAt.getTime()) / 1000),
    where: drill.where,
    program: drill.program,
    problems: [...drill.problems],
  };
  const unrecorded = await store.record(backup, record).then(
    () => null,
    (error: unknown) => problemOf(error, null),
  );
  return { record, unrecorded };
}
