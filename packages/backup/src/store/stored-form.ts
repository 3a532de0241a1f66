import {
  type Compression,
  compress,
  compressionExtension,
  decompress,
  type StoredDigest,
  StoredError,
} from '@splitmirror/archive';
import type { Problem } from '../ports.ts';
import { RestoreError } from '../restore/restore-error.ts';
import { asErrorOfFile, damage, isGone } from './damage.ts';
import type { ArchiveRecord } from './manifest.ts';
import type { StoredBackup } from './store.ts';

/** How archives are kept: compressed, then encrypted to age recipients. */
export interface StoredForm {
  /** Default `none`. */
  readonly compression?: Compression | undefined;
  /** Public keys (`age1...`), each of which can open the archives; none: they are not encrypted. */
  readonly recipients?: readonly string[] | undefined;
}

/** What is added to the name of an archive. */
export function extensionOf({ compression = 'none', recipients = [] }: StoredForm): string {
  return `${compressionExtension[compression]}${recipients.length > 0 ? '.age' : ''}`;
}

/**
 * Whether archives can be stored in this form, told before a mirror is split for them. What is no recipient is not quoted: it
 * might be a secret.
 */
export async function formProblems(form: StoredForm | undefined): Promise<Problem[]> {
  async function* nothing(): AsyncGenerator<Buffer> {}
  try {
    for await (const _ of toStored(nothing(), form ?? {})) {
      // What an empty archive becomes is of no use.
    }
    return [];
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    return [
      {
        code: 'STORED_FORM',
        node: null,
        message: 'archives cannot be compressed or encrypted as the policy says',
        seen: isMissing ? 'age-encryption is not installed' : String((error as Error).message),
        remedy: isMissing ? 'Run: npm install age-encryption' : 'Correct the compression or the recipients.',
      },
    ];
  }
}

/**
 * An archive on its way into the store.
 *
 * @param onStored Called at the end with what `wc -c` and `sha256sum` will say of the file.
 */
export async function* toStored(
  plain: AsyncIterable<Buffer>,
  { compression = 'none', recipients = [] }: StoredForm,
  onStored?: (digest: StoredDigest) => void,
): AsyncGenerator<Buffer> {
  if (recipients.length === 0) {
    yield* compress(plain, compression, onStored);
    return;
  }
  const { encrypt } = await import('@splitmirror/archive/age');
  const inner = compression === 'none' ? plain : compress(plain, compression);
  yield* encrypt(inner, recipients, onStored);
}

/**
 * An archive on its way out: decrypted, decompressed, and compared with its digest behind the last byte.
 *
 * @param identities Secret keys (`AGE-SECRET-KEY-...`), read from a file by the caller. Only for encrypted archives.
 * @throws BackupError `BACKUP_DAMAGED` when the stored bytes are not what was stored; RestoreError `IDENTITY_MISSING`; IdentityError of `@splitmirror/archive/age` when none of them opens it.
 */
export async function* fromStored(
  backup: StoredBackup,
  record: ArchiveRecord,
  identities: readonly string[] = [],
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* decompress(await decrypted(backup, record, identities, signal), record.compression, digestIfOuter(record));
  } catch (error) {
    throw asErrorOfStored(backup, record, error);
  }
}

/** Reads the stored bytes again and compares their digest; needs no key. */
export async function checkStored(
  backup: StoredBackup,
  record: ArchiveRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for await (const _ of decompress(backup.read(record, signal), 'none', record.stored)) {
      // Only the digest counts.
    }
  } catch (error) {
    throw asErrorOfStored(backup, record, error);
  }
}

async function decrypted(
  backup: StoredBackup,
  record: ArchiveRecord,
  identities: readonly string[],
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Buffer>> {
  const stored = backup.read(record, signal);
  if (record.recipients === null) return stored;
  if (identities.length === 0) {
    throw new RestoreError('IDENTITY_MISSING', `${record.file} is encrypted`, {
      remedy: `Give the file with the identity of one of its recipients: ${record.recipients.join(', ')}`,
    });
  }
  const { decrypt } = await import('@splitmirror/archive/age');
  return decrypt(stored, identities, record.stored);
}

/** The digest is of the outermost form. */
function digestIfOuter(record: ArchiveRecord): StoredDigest | undefined {
  return record.recipients === null ? record.stored : undefined;
}

/** What was stored is another by now, or not there, or cannot be read. */
function asErrorOfStored(backup: StoredBackup, { file }: ArchiveRecord, error: unknown): unknown {
  return error instanceof StoredError || isGone(error)
    ? damage(backup, file, 'is not the archive that was stored', { cause: error })
    : asErrorOfFile(backup, file, error);
}
