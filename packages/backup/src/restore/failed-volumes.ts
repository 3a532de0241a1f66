import { BackupError } from '../errors.ts';
import type { Problem } from '../ports.ts';
import { problemOf } from '../problems.ts';

/** A volume that could not be read or restored, and why. */
export interface FailedVolume {
  readonly volume: string;
  readonly error: unknown;
}

/** Why each of them failed, by its name. */
export function problemsOf(failed: readonly FailedVolume[]): Problem[] {
  return failed.map(({ volume, error }) => {
    const problem = problemOf(error, null);
    return { ...problem, message: `${volume}: ${problem.message}` };
  });
}

/**
 * The damage among these, with what kept the others: an archive is damaged whatever else went wrong, and must not be taken
 * for good because another one could not be read.
 *
 * @returns `undefined` when none is damaged.
 */
export function damageAmong(failed: readonly FailedVolume[]): BackupError | undefined {
  const damaged: BackupError[] = [];
  const others: FailedVolume[] = [];
  for (const each of failed) {
    if (each.error instanceof BackupError && each.error.code === 'BACKUP_DAMAGED') damaged.push(each.error);
    else others.push(each);
  }
  const [first] = damaged;
  if (first === undefined || failed.length === 1) return first;
  const unread = problemsOf(others);
  return new BackupError('BACKUP_DAMAGED', [...damaged, ...unread].map(({ message }) => message).join('; '), {
    remedy: first.remedy ?? '',
    problems: [...damaged.flatMap(({ problems }) => problems), ...unread],
    cause: first,
  });
}
