import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { longestTimerMs, requireWhole } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { storeError } from './durable.ts';

/** What is wanted of a store: to read what is there, or to write, too. */
export type StoreAccess = 'read' | 'write';

/** What is known of the file system of a store. */
export interface StorePlace {
  /**
   * How long it may take to answer before it counts as one that cannot be used; default half a minute. A mount whose server is
   * gone answers nothing, for ever, and must not keep those from their work who can do without.
   */
  readonly patienceMs?: number | undefined;
  /**
   * Directory at or above the store on which a file system has to be mounted. Without it, an empty mount point passes for a
   * store without backups, and the next backup goes to the disk below it. A bind mount within one file system does not count.
   */
  readonly mountPoint?: string | undefined;
}

/**
 * Asks whether a store can be used so, without making or changing anything: one that nobody has written to yet can be read,
 * is empty, and can be written where it can be made.
 * While a file system is silent it is not asked again: each question holds one of the few threads that ask file systems.
 *
 * @returns a function that throws BackupError `STORE_UNUSABLE`.
 */
export function accessTo(
  root: string,
  { patienceMs = 30_000, mountPoint }: StorePlace,
): (wanted: StoreAccess) => Promise<void> {
  requireWhole('patienceMs', patienceMs, 1, longestTimerMs);
  let silence: Error | undefined;
  return async (wanted) => {
    try {
      if (silence !== undefined) throw silence;
      const asked = askFor(root, wanted, mountPoint);
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
      throw error instanceof BackupError ? error : storeError(root, error);
    }
  };
}

async function askFor(root: string, wanted: StoreAccess, mountPoint: string | undefined): Promise<void> {
  if (mountPoint !== undefined) await requireMount(mountPoint);
  const mode = constants.R_OK | constants.X_OK;
  await access(await nearestDirectory(root), wanted === 'write' ? mode | constants.W_OK : mode);
}

/** Whatever lies on another device than the directory above it, or is the root, has a file system mounted on it. */
async function requireMount(mountPoint: string): Promise<void> {
  const [itself, above] = await Promise.all([stat(`${mountPoint}/.`), stat(`${mountPoint}/..`)]);
  if (itself.dev !== above.dev || itself.ino === above.ino) return;
  throw new BackupError('STORE_UNUSABLE', `the store cannot be used: no file system is mounted on ${mountPoint}`, {
    remedy: `Mount the file system of the store on ${mountPoint}.`,
  });
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
