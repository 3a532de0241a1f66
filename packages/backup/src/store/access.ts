import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { storeError } from './durable.ts';

/** What is wanted of a store: to read what is there, or to write, too. */
export type StoreAccess = 'read' | 'write';

/**
 * Asks whether a store can be used so, without making or changing anything: one that nobody has written to yet can be read,
 * is empty, and can be written where it can be made.
 *
 * @param patienceMs A mount whose server is gone answers nothing, for ever, and must not keep those from their work who can do
 * without. While it is silent it is not asked again: each question holds one of the few threads that ask file systems.
 * @returns a function that throws BackupError `STORE_UNUSABLE`.
 */
export function accessTo(root: string, patienceMs: number): (wanted: StoreAccess) => Promise<void> {
  let silence: Error | undefined;
  return async (wanted) => {
    try {
      if (silence !== undefined) throw silence;
      const asked = askFor(root, wanted);
      const waiting = new AbortController();
      const tooLong = delay(patienceMs, 'too long' as const, { signal: waiting.signal }).catch(() => undefined);
      const first = await Promise.race([asked, tooLong]).finally(() => waiting.abort());
      if (first !== 'too long') return;
      silence = new Error(`no answer within ${patienceMs / 1000} s, as of a mount whose server is gone`);
      const heard = () => {
        silence = undefined;
      };
      asked.then(heard, heard);
      throw silence;
    } catch (error) {
      throw storeError(root, error);
    }
  };
}

async function askFor(root: string, wanted: StoreAccess): Promise<void> {
  const mode = constants.R_OK | constants.X_OK;
  await access(await nearestDirectory(root), wanted === 'write' ? mode | constants.W_OK : mode);
}

/** The directory itself, or where it is not there the nearest one above it. A link that leads nowhere is no absent directory. */
export async function nearestDirectory(path: string): Promise<string> {
  try {
    await stat(`${path}/.`);
    return path;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path;
    if (!isAbsent) throw error;
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return nearestDirectory(dirname(path));
    if (found.isSymbolicLink()) throw new Error(`${path} is a link that leads nowhere`, { cause: error });
    // Somebody has made it in between.
    await stat(`${path}/.`);
    return path;
  }
}
