import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory of this machine, with those above it that are missing; one that is there stays as it is. The `recursive`
 * of Node.js takes "no such file" of every file system for a directory that is missing above: it never ends below one that
 * makes none (`/proc`, an automounter's), and it says so of one that is read-only.
 *
 * @param mode Of those that are made.
 * @throws the system's error, which says what is in the way.
 */
export async function makeDirectory(path: string, mode = 0o700): Promise<void> {
  if (await isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectory(parent, mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else has made it, unless it is something else.
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code === 'ENOENT') throw makesNone(parent, path, error);
    throw error;
  }
}

/** Whether it is there and a directory. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** What a system says of a name that it should have made, in words that name the reason. */
function makesNone(parent: string, path: string, cause: unknown): Error {
  const message = `ENOENT: the file system of ${parent} makes no directories, mkdir ${path}`;
  return Object.assign(new Error(message, { cause }), { code: 'ENOENT', syscall: 'mkdir', path });
}
