import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from '../errors.ts';

/**
 * Makes a directory of this machine for a drill.
 *
 * @throws BackupError `RESTORE_TARGET`.
 */
export async function makeScratch(parent: string, run: string): Promise<string> {
  return mkdtemp(join(parent, `splitmirror-drill-${run}-`)).catch((cause: Error) => {
    throw new BackupError('RESTORE_TARGET', `a drill cannot restore into ${parent}: ${cause.message}`, {
      remedy: `Let this user write to ${parent}, or drill elsewhere: TMPDIR names the directory for temporary files.`,
      cause,
    });
  });
}

/** Removes a directory of a drill, with all that was restored there: who is not root may not write in every directory as it was archived. */
export async function removeScratch(directory: string): Promise<void> {
  const remove = () => rm(directory, { recursive: true, force: true });
  await remove().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') throw error;
    await openDirectories(Buffer.from(directory));
    await remove();
  });
}

/** Lets their owner read and write it and every directory below it. Names are bytes. */
async function openDirectories(directory: Buffer): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) await openDirectories(Buffer.concat([directory, Buffer.from('/'), entry.name]));
  }
}
