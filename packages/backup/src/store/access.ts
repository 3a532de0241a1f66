import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { storeError } from './durable.ts';

/** What is wanted of a store: to read what is there, or to write, too. */
export type StoreAccess = 'read' | 'write';

/**
 * Whether a store can be used so, without making or changing anything: one that nobody has written to yet can be read, is
 * empty, and can be written where it can be made.
 *
 * @throws BackupError `STORE_UNUSABLE`
 */
export async function requireAccess(root: string, wanted: StoreAccess): Promise<void> {
  try {
    const place = await nearestDirectory(root);
    const mode = constants.R_OK | constants.X_OK;
    await access(place, wanted === 'write' ? mode | constants.W_OK : mode);
  } catch (error) {
    throw storeError(root, error);
  }
}

/** The directory itself, or where it is not there the nearest one above it. A link that leads nowhere is no absent directory. */
export async function nearestDirectory(path: string): Promise<string> {
  try {
    await stat(`${path}/.`);
    return path;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path;
    if (!isAbsent) throw error;
    if (await isThere(path)) throw new Error(`${path} is a link that leads nowhere`, { cause: error });
    return nearestDirectory(dirname(path));
  }
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
