import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chown, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract, verifyArchive } from '@splitmirror/archive';
import { makeDirectory, SplitmirrorError } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { asErrorOf, asErrorOfFile, damage, remedyForDamage } from '../store/damage.ts';
import { isSystemError } from '../store/durable.ts';
import type { ArchiveRecord } from '../store/manifest.ts';
import type { StoredBackup } from '../store/store.ts';
import { checkStored, fromStored } from '../store/stored-form.ts';
import { asErrorOfPlace, bringToDisk } from './disk.ts';
import { damageAmong, type FailedVolume, problemsOf } from './failed-volumes.ts';
import { interruptedAt, isUnsettled, RestoreError, withBefore } from './restore-error.ts';
import { catalogueOf, entriesOf, requireSelection, type Selection } from './selection.ts';

/** What was restored. */
export interface RestoreReport {
  readonly volumes: readonly RestoredVolume[];
}

/** One volume that came back whole, or the part of it that was asked for. */
export interface RestoredVolume {
  readonly volume: string;
  /** Directory of a file system's tree, or file with a raw volume's bytes. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  /** Whether it survives a power failure from now on; `false` where this machine has no `sync -f` (Linux with GNU coreutils) to say so. */
  readonly onDisk: boolean;
}

/** How archives are read: how encrypted ones are opened, and what ends the reading. */
export interface Identified {
  /** Secret keys (`AGE-SECRET-KEY-...`), read from a file by the caller. */
  readonly identities?: readonly string[] | undefined;
  /** An abort ends what is under way with an error; what was restored before stays. */
  readonly signal?: AbortSignal | undefined;
}

/** What is restored, and how. */
export interface RestoreOptions extends Identified {
  /** Paths and patterns as in `previewRestore`; all without it. */
  readonly select?: readonly string[] | undefined;
  /** `numeric` gives each file its owner and group by number; needs root, and is refused without. Default `mine`. */
  readonly owners?: 'mine' | 'numeric' | undefined;
}

/**
 * Restores a complete backup, or parts of it, into a directory that is empty or not there: each file system as a directory
 * named after its volume, each raw volume as a file. Every archive is checked against its digest and every file against the
 * catalogue, and a volume counts as restored when it is on the disk. The notes of splitmirror itself (`.splitmirror`) are left
 * out: a lock must not come back from a backup.
 *
 * @throws BackupError `RESTORE_TARGET`; RestoreError `RESTORE_UNKNOWN_PATH`, `RESTORE_NO_SPACE`: nothing was restored.
 * RestoreError `RESTORE_PARTIAL` when some volumes came back and others did not; where none did, BackupError `BACKUP_DAMAGED` with
 * what kept the others, or the error of the first: `RESTORE_TARGET` for what this machine or its disk does not take,
 * `RESTORE_NO_SPACE` when that has filled up meanwhile; IdentityError. RestoreError `INTERRUPTED` after an abort.
 */
export async function restoreBackup(
  backup: StoredBackup,
  into: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const selections = await requireSelection(backup, options.select);
  requireRoom(selections, await freeBytesOfEmpty(into), into);
  if (options.owners === 'numeric') await requireOwners(into);
  return {
    volumes: await restoreEach(selections, options.signal, (selection) =>
      restoreHere(backup, selection, into, options),
    ),
  };
}

/**
 * Makes a directory that is not there, and tells the room for what comes.
 *
 * @throws BackupError `RESTORE_TARGET` when it is not empty, or cannot be used.
 */
async function freeBytesOfEmpty(into: string): Promise<number> {
  try {
    // Of what was encrypted, nobody else may read the content now.
    await makeDirectory(into);
    await access(into, constants.R_OK | constants.W_OK | constants.X_OK);
    if ((await readdir(into)).length > 0) {
      throw new BackupError('RESTORE_TARGET', `${into} is not empty`, {
        remedy: 'Restore into a new directory: nothing is ever overwritten.',
      });
    }
    const { bavail, bsize } = await statfs(into);
    return bavail * bsize;
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const why = cause.code === 'EEXIST' ? 'it is no directory' : cause.message;
    throw new BackupError('RESTORE_TARGET', `nothing can be restored into ${into}: ${why}`, {
      remedy: 'Restore into an empty directory, or a new one, which this user can write to.',
      cause,
    });
  }
}

/**
 * Gives the directory another owner and takes that back: who is not root may not, and some file systems let nobody.
 *
 * @throws BackupError `RESTORE_TARGET`.
 */
async function requireOwners(into: string): Promise<void> {
  try {
    const { uid, gid } = await stat(into);
    await chown(into, uid + 1, gid);
    await chown(into, uid, gid);
  } catch (cause) {
    throw new BackupError('RESTORE_TARGET', `owners cannot be given in ${into}: ${(cause as Error).message}`, {
      remedy:
        'Restore as root, to a file system that keeps owners; or leave out --owners: the files then belong to this user.',
      cause,
    });
  }
}

/** Restores one volume, which counts when the disk has it. */
async function restoreHere(
  backup: StoredBackup,
  selection: Selection,
  into: string,
  options: RestoreOptions,
): Promise<RestoredVolume> {
  const { volume, mountPoint } = selection;
  const path = join(into, volume);
  const restore = mountPoint === null ? restoreRaw : restoreTree;
  const written = await restore(backup, selection, path, options).catch((error: unknown) => {
    throw asErrorOfPlace(path, error);
  });
  return { volume, path, ...written, onDisk: await bringToDisk(path, options.signal) };
}

/** What a verification has read. */
export interface VerifyReport {
  readonly volumes: readonly {
    readonly volume: string;
    /** `contents`: every entry is what its catalogue says. `stored`: encrypted; its bytes are those, and its catalogue can be read. */
    readonly level: 'stored' | 'contents';
  }[];
}

/**
 * Reads every archive of a backup again and compares it with the manifest and the catalogue. Of encrypted archives only the
 * stored bytes are compared when no identity is given, and the catalogue is read.
 *
 * @throws BackupError `BACKUP_DAMAGED` with every reason, and with why other volumes could not be read; where none is damaged, the
 * error of the first, such as IdentityError when the identities open nothing.
 */
export async function verifyBackup(backup: StoredBackup, options: Identified = {}): Promise<VerifyReport> {
  const volumes: VerifyReport['volumes'][number][] = [];
  const failed: FailedVolume[] = [];
  for (const record of backup.manifest.archives) {
    const canOpen = record.recipients === null || (options.identities?.length ?? 0) > 0;
    try {
      if (canOpen) await verifyContents(backup, record, options);
      else await verifyStored(backup, record, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      // One that is damaged, or cannot be read, says nothing of the others.
      failed.push({ volume: record.volume, error });
    }
    volumes.push({ volume: record.volume, level: canOpen ? 'contents' : 'stored' });
  }
  const [first] = failed;
  if (first === undefined) return { volumes };
  throw damageAmong(failed) ?? first.error;
}

/**
 * Restores one after another; a failure does not cost the others, and after an abort none is begun.
 *
 * @throws RestoreError `RESTORE_PARTIAL`, or what went wrong where nothing was restored; after an abort `INTERRUPTED`, or the
 * signal's reason where nothing was begun.
 */
export async function restoreEach<T>(
  selections: readonly Selection[],
  signal: AbortSignal | undefined,
  restore: (selection: Selection) => Promise<T>,
): Promise<T[]> {
  signal?.throwIfAborted();
  const done: T[] = [];
  const restored: string[] = [];
  const failed: FailedVolume[] = [];
  for (const selection of selections) {
    const { volume } = selection;
    if (signal?.aborted) throw interruptedAt(null, restored, problemsOf(failed));
    try {
      done.push(await restore(selection));
      restored.push(volume);
    } catch (error) {
      // That it may still write counts for more than why it was to end.
      if (isUnsettled(error)) throw withBefore(error, restored, problemsOf(failed));
      if (signal?.aborted) throw interruptedAt(volume, restored, problemsOf(failed), error);
      failed.push({ volume, error });
    }
  }
  const [first] = failed;
  if (first === undefined) return done;
  const reason = damageAmong(failed) ?? first.error;
  if (restored.length === 0 && SplitmirrorError.is(reason)) throw reason;
  throw new RestoreError('RESTORE_PARTIAL', `not restored: ${failed.map(({ volume }) => volume).join(', ')}`, {
    remedy: 'Mend what the problems name, then restore these volumes alone: a name without a slash selects a volume.',
    problems: problemsOf(failed),
    restored,
    cause: first.error,
  });
}

/** Blocks that an entry takes beside its content. */
const entryBytes = 4096;

/** Bytes that these may take. */
export function roomFor(selections: readonly Pick<Selection, 'bytes' | 'entries'>[]): number {
  return selections.reduce((sum, { bytes, entries }) => sum + bytes + entries * entryBytes, 0);
}

/** @throws RestoreError `RESTORE_NO_SPACE` */
export function requireRoom(
  selections: readonly Pick<Selection, 'bytes' | 'entries'>[],
  free: number,
  place: string,
): void {
  const needed = roomFor(selections);
  if (needed <= free) return;
  throw new RestoreError('RESTORE_NO_SPACE', `${place} has ${free} bytes free, and up to ${needed} would come`, {
    remedy: 'Make room there, restore to another place, or select less.',
  });
}

type Written = Pick<RestoredVolume, 'files' | 'bytes'>;

async function restoreTree(
  backup: StoredBackup,
  { record, wants }: Selection,
  path: string,
  { identities, owners, signal }: RestoreOptions,
): Promise<Written> {
  const { files, bytes } = await extract({
    archive: fromStored(backup, record, identities, signal),
    catalogue: record.catalogue === null ? undefined : catalogueOf(backup, record.catalogue),
    into: path,
    select: wants,
    owners,
  }).catch((error: unknown) => {
    throw asErrorOf(backup, record, error);
  });
  return { files, bytes };
}

async function restoreRaw(
  backup: StoredBackup,
  { record }: Selection,
  path: string,
  options: RestoreOptions,
): Promise<Written> {
  // What stands there by now is somebody else's, and stays.
  const file = await open(path, 'wx', 0o600);
  try {
    await pipeline(fromPlain(backup, record, options), file.createWriteStream({ flush: true }));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { files: 1, bytes: record.bytes };
}

/**
 * The archive itself, compared with its digest behind the last byte in every form.
 *
 * @throws as `fromStored` does.
 */
export async function* fromPlain(
  backup: StoredBackup,
  record: ArchiveRecord,
  { identities, signal }: Identified,
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of fromStored(backup, record, identities, signal)) {
    digest.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes !== record.bytes || digest.digest('hex') !== record.sha256) {
    throw damage(backup, record.file, `is not the archive that was stored: ${bytes} bytes of another digest`);
  }
}

/** All that can be told without a key: the stored bytes, and that the catalogue can still be read. */
async function verifyStored(
  backup: StoredBackup,
  record: ArchiveRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  await checkStored(backup, record, signal);
  for await (const _ of entriesOf(backup, record)) {
    // Reading it to its end is the proof.
  }
}

async function verifyContents(backup: StoredBackup, record: ArchiveRecord, options: Identified): Promise<void> {
  if (record.catalogue === null) {
    for await (const _ of fromPlain(backup, record, options)) {
      // Only the digest counts.
    }
    return;
  }
  // What is wrong with the store or the key is no fault of the archive.
  let fault: unknown;
  async function* plain(): AsyncGenerator<Buffer> {
    try {
      yield* fromPlain(backup, record, options);
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  const catalogue = join(backup.directory, record.catalogue);
  const verdict = await verifyArchive({ archive: plain(), catalogue }).catch((error: unknown) => {
    throw asErrorOfFile(backup, record.catalogue ?? '', error);
  });
  if (fault !== undefined) throw fault;
  if (verdict.kind === 'good') return;
  // What is damaged may be the catalogue alone.
  const file = verdict.reasons[0]?.code === 'CATALOGUE_INVALID' ? record.catalogue : record.file;
  throw damage(backup, file, `is not what was stored: ${verdict.reasons[0]?.message ?? 'no reason'}`, {
    problems: verdict.reasons.map(({ code, message, seen }) => ({
      ...{ code, node: null, message: `${record.volume}: ${message}`, seen },
      remedy: remedyForDamage(backup),
    })),
  });
}
