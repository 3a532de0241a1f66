import { constants } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import { BackupError } from '../errors.ts';

/** Makes the entries of a directory durable, so that a rename survives a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the content of a file durable that somebody else has written. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a small file that is there whole or not at all, whatever happens meanwhile. */
export async function writeDurably(file: string, text: string): Promise<void> {
  await writeFile(`${file}.partial`, text, { mode: 0o600, flush: true });
  await rename(`${file}.partial`, file);
  await syncDirectory(dirname(file));
}

/**
 * Writes a file that is not there yet, and leaves no part of it.
 *
 * @throws Error `EEXIST`, and what else the system says.
 */
export async function createDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(file));
}

/** Whether the system itself says it, as of a file, and not a program or a library. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && /^E[A-Z]+\d*$/.test(String(error.code));
}

/**
 * What comes of work that may be anybody's code, a vault's or a sink's: what neither we nor the system have words for is told in
 * these, and is no defect of ours.
 *
 * @throws BackupError `STORE_UNUSABLE`; typed errors and the system's as they are.
 */
export async function toldAs<T>(what: string, remedy: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (SplitmirrorError.is(error) || isSystemError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new BackupError('STORE_UNUSABLE', `${what}: ${message}`, { remedy, cause: error });
  }
}

/** What the system said of the store, as an error of ours. */
export function storeError(path: string, cause: unknown): BackupError {
  const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new BackupError(
    full ? 'STORE_FULL' : 'STORE_UNUSABLE',
    `the store cannot be used: ${String((cause as Error).message)}`,
    {
      remedy: full ? 'Make room in the store.' : `Make ${path} a directory that this user can read and write.`,
      cause,
    },
  );
}
