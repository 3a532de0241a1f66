import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Entry, extract } from '@splitmirror/archive';
import { BackupError } from './errors.ts';
import type { ArchiveRecord } from './manifest.ts';
import type { StoredBackup } from './store.ts';

/** What was restored. */
export interface RestoreReport {
  readonly volumes: readonly {
    readonly volume: string;
    /** Directory of a file system's tree, or file with a raw volume's bytes. */
    readonly path: string;
    readonly files: number;
    readonly bytes: number;
  }[];
}

/**
 * Restores a complete backup into a directory that is empty or not there: each file system as a directory named after its
 * volume, each raw volume as a file. Every archive is checked against its digest and every file against the catalogue.
 * The notes of splitmirror itself (`.splitmirror`) are left out: a lock must not come back from a backup.
 *
 * @throws BackupError `RESTORE_TARGET`, `BACKUP_DAMAGED`; ExtractError; ArchiveError.
 */
export async function restoreBackup(backup: StoredBackup, into: string): Promise<RestoreReport> {
  await mkdir(into, { recursive: true });
  if ((await readdir(into)).length > 0) {
    throw new BackupError('RESTORE_TARGET', `${into} is not empty`, {
      remedy: 'Restore into a new directory: nothing is ever overwritten.',
    });
  }
  const volumes: RestoreReport['volumes'][number][] = [];
  for (const record of backup.manifest.archives) {
    volumes.push(
      record.tool === 'tar' ? await restoreTree(backup, record, into) : await restoreRaw(backup, record, into),
    );
  }
  return { volumes };
}

/**
 * Reads every archive of a backup again and compares it with the manifest.
 *
 * @throws BackupError `BACKUP_DAMAGED`
 */
export async function verifyBackup(backup: StoredBackup): Promise<void> {
  for (const record of backup.manifest.archives) await requireFile(backup, record);
}

async function restoreTree(
  backup: StoredBackup,
  record: ArchiveRecord,
  into: string,
): Promise<RestoreReport['volumes'][number]> {
  const path = join(into, record.volume);
  const archive = join(backup.directory, record.file);
  const { files, bytes, summary } = await extract({
    archive,
    catalogue: record.catalogue === null ? undefined : join(backup.directory, record.catalogue),
    into: path,
    skip: isNote,
  });
  requireDigest(record, archive, summary.sha256);
  return { volume: record.volume, path, files, bytes };
}

async function restoreRaw(
  backup: StoredBackup,
  record: ArchiveRecord,
  into: string,
): Promise<RestoreReport['volumes'][number]> {
  const path = join(into, record.volume);
  await copyFile(await requireFile(backup, record), path);
  return { volume: record.volume, path, files: 1, bytes: record.bytes };
}

/** Path of an archive whose bytes are those that were stored. */
async function requireFile(backup: StoredBackup, record: ArchiveRecord): Promise<string> {
  const file = join(backup.directory, record.file);
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) digest.update(chunk as Buffer);
  requireDigest(record, file, digest.digest('hex'));
  return file;
}

function isNote(entry: Entry): boolean {
  return /^(?:\.\/)?\.splitmirror(?:\/|$)/.test(entry.path);
}

function requireDigest(record: ArchiveRecord, file: string, sha256: string): void {
  if (sha256 === record.sha256) return;
  throw new BackupError('BACKUP_DAMAGED', `${file} is not the archive that was stored`, {
    remedy: 'Use another backup; this one was changed after it was committed.',
  });
}
