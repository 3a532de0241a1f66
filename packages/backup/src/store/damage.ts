import { SplitmirrorError } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import type { Problem } from '../ports.ts';
import { isSystemError } from './durable.ts';
import type { ArchiveRecord } from './manifest.ts';
import type { StoredBackup } from './store.ts';

type Backup = Pick<StoredBackup, 'directory' | 'manifest'>;

/** What an operator does about a backup that is damaged. */
export function remedyForDamage({ manifest: { group } }: Backup): string {
  return `Use another backup: "splitmirror list ${group}" tells which are good, --run names one. Or bring the file back from a copy of the store.`;
}

/** A file of a backup is not the one that was stored. */
export function damage(
  backup: Backup,
  file: string,
  seen: string,
  options: { readonly problems?: readonly Problem[]; readonly cause?: unknown } = {},
): BackupError {
  return new BackupError('BACKUP_DAMAGED', `${backup.directory}: ${file} ${seen}`, {
    remedy: remedyForDamage(backup),
    ...options,
  });
}

/** Without its catalogue nobody can say that an archive is what it was: a file of a backup that is not there is damage. */
export function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/**
 * What the system said when a file of a backup was read. That it cannot be read tells of the store, and nothing of the backup. Any
 * other error stays as it is.
 */
export function asErrorOfFile(backup: Backup, file: string, error: unknown): unknown {
  if (isGone(error)) return damage(backup, file, 'is not there', { cause: error });
  if (!isSystemError(error)) return error;
  return new BackupError('STORE_UNUSABLE', `${backup.directory}: ${file} cannot be read: ${error.message}`, {
    remedy: 'Let this user read the files of the store; where he may, look at the disk that it is on (dmesg).',
    cause: error,
  });
}

/**
 * What the archive library says of a stored archive, as an error of its backup: that library speaks to programmers, and this
 * is read by who operates the backups. Any other error stays as it is.
 */
export function asErrorOf(backup: Backup, { file, catalogue, volume }: ArchiveRecord, error: unknown): unknown {
  if (!SplitmirrorError.is(error)) return error;
  const { code, message } = error;
  if (code === 'CATALOGUE_INVALID')
    return damage(backup, catalogue ?? file, `is damaged: ${message}`, { cause: error });
  if (/^(?:ARCHIVE_|EXTRACT_DIFFERS$|EXTRACT_ESCAPES$)/.test(code)) {
    return damage(backup, file, `is not the archive that was stored: ${message}`, { cause: error });
  }
  const remedy = remedies[code];
  return remedy === undefined
    ? error
    : new BackupError('RESTORE_TARGET', `${volume}: ${message}`, { remedy, cause: error });
}

/** What is no fault of the backup. */
const remedies: Readonly<Record<string, string>> = {
  EXTRACT_LINK_MISSING: 'Select the file that it names as well, or the whole volume by its name.',
  EXTRACT_EXISTS: 'Restore into a new directory that nobody else writes to.',
  EXTRACT_UNSUPPORTED:
    'Restore the volume to a node, whose own tar takes it (restore --node), or select with --path what lies beside it.',
};
