import { open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDirectory, SplitmirrorError, TransportError } from '@splitmirror/host';
import type { SshOptions } from '../options.ts';
import { fingerprint, judgeKey, type KnownHost, keyType, knownHostsLine, linesFor } from './known-hosts.ts';

/** A key that nobody knows yet. */
interface NewKey {
  /** How errors call the host. */
  readonly host: string;
  /** The name under which it would stand in known_hosts. */
  readonly name: string;
  readonly key: Buffer;
  /** The first file of known hosts; made when it does not exist. */
  readonly file: string;
  /** Reads all files of known hosts anew. */
  readonly read: () => Promise<KnownHost[]>;
  readonly onWarning?: SshOptions['onWarning'] | undefined;
  /** Milliseconds for which another process may hold the file; default 10 000. */
  readonly patienceMs?: number;
}

/**
 * Writes an unknown key down. The file is read once more under a lock, so that of two processes, or of two keys, only the
 * first is accepted.
 *
 * @returns The lines that speak of the host by now.
 * @throws TransportError HOST_KEY_UNKNOWN when the key could not be written down.
 */
export async function acceptNew(found: NewKey): Promise<KnownHost[]> {
  const { host, name, key, file, read, onWarning, patienceMs = 10_000 } = found;
  try {
    await makeDirectory(dirname(file));
    return await locked(file, patienceMs, async () => {
      const lines = linesFor(await read(), name);
      if (keyType(key) === '' || judgeKey(lines, key).kind !== 'unknown') return lines;
      await append(file, knownHostsLine(name, key));
      const message = `the key of ${name} is trusted from now on: ${keyType(key)} ${fingerprint(key)} (${file})`;
      onWarning?.({ code: 'HOST_KEY_ACCEPTED', host, message });
      return linesFor(await read(), name);
    });
  } catch (cause) {
    if (SplitmirrorError.is(cause)) throw cause;
    throw notKept(host, file, (cause as Error).message, cause);
  }
}

/** A key that nobody would know the next time either: whoever answers then could show any other. */
export function notKept(host: string, file: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('HOST_KEY_UNKNOWN', host, `the new key cannot be kept in ${file}: ${reason}`, {
    remedy: `Make ${file} a file that this user can write, name another first file of known hosts, or add the key by hand and refuse unknown ones.`,
    cause,
  });
}

/** Holds `file.lock` meanwhile. A left one is not taken away: whoever made it may only be slow. */
async function locked<T>(file: string, patienceMs: number, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      if (performance.now() > until) throw new Error(`${lock} is held; remove it when no other process is at work`);
      await delay(50);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** One write at the end of the file: whoever reads it meanwhile sees the whole line or nothing of it. */
async function append(file: string, line: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const handle = await open(file, 'a', 0o600);
  try {
    await handle.write(`${before === '' || before.endsWith('\n') ? '' : '\n'}${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
