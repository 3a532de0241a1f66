import { spawn } from 'node:child_process';
import { SplitmirrorError } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { isSystemError } from '../store/durable.ts';
import { RestoreError } from './restore-error.ts';

/** What the system said of a path that is restored to; any other error stays as it is. (What it says of the store has a code by then.) */
export function asErrorOfPlace(path: string, error: unknown): unknown {
  const said = systemErrorOf(error);
  if (!isSystemError(said)) return error;
  const { message } = error as Error;
  switch (said.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return full(path, message, error);
    case 'EIO':
      return lost(path, message, error);
    case 'EEXIST':
      return new BackupError('RESTORE_TARGET', `${path}: ${message}`, {
        remedy: 'Restore into a new directory that nobody else writes to.',
        cause: error,
      });
    default:
      return untaken(path, message, error);
  }
}

/** What the system said; an extraction keeps it as the cause of an error that names the file. */
function systemErrorOf(error: unknown): unknown {
  return SplitmirrorError.is(error) && error.code === 'EXTRACT_FILE_SYSTEM' ? error.cause : error;
}

function untaken(path: string, said: string, cause: unknown): BackupError {
  return new BackupError('RESTORE_TARGET', `${path} is not whole: ${said}`, {
    remedy: `Take ${path} away. Restore as a user with all rights there, or to another file system; --path selects what lies beside that name.`,
    cause,
  });
}

function full(path: string, said: string, cause?: unknown): RestoreError {
  return new RestoreError('RESTORE_NO_SPACE', `${path} is not whole: ${said}`, {
    remedy: `Take ${path} away, and make room there or restore to another place.`,
    cause,
  });
}

function lost(path: string, said: string, cause?: unknown): BackupError {
  return new BackupError('RESTORE_TARGET', `${path} is not whole: ${said}`, {
    remedy: `Take ${path} away: its disk has lost a part of it. Look at that disk (dmesg), and restore to another one.`,
    cause,
  });
}

/**
 * Brings to the disk what was written below a path, with whatever else its file system still holds in memory: `sync -f`, one
 * command for a tree of any size. Node.js has only fsync, which for many small files takes longer than to write them.
 *
 * @returns `false` where this machine has no such command (it is of GNU coreutils, on Linux): the system does it later, by itself.
 * @throws RestoreError `RESTORE_NO_SPACE`, BackupError `RESTORE_TARGET` when the disk does not take it; AbortError.
 */
export async function bringToDisk(path: string, signal: AbortSignal | undefined): Promise<boolean> {
  // Elsewhere a command of that name passes over its words, and waits for nothing.
  if (process.platform !== 'linux') return false;
  const ended = await syncFileSystem(path, signal);
  if (ended === null || /^\S*sync: (?:invalid|unrecognized|unknown) option/m.test(ended.stderr)) return false;
  if (ended.status === 0) return true;
  const said = ended.stderr.trim() || `sync ended with ${ended.status}`;
  throw /(?:No space left on device|quota exceeded)$/.test(said) ? full(path, said) : lost(path, said);
}

/** How `sync -f` has ended; `null` where it is not there. */
function syncFileSystem(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number | string; readonly stderr: string } | null> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' };
    const child = spawn('sync', ['-f', path], { stdio: ['ignore', 'ignore', 'pipe'], env, signal });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-1000);
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' || error.code === 'EACCES' ? resolve(null) : reject(error),
    );
    child.on('close', (code, by) => resolve({ status: code ?? by ?? 'no status', stderr }));
  });
}
