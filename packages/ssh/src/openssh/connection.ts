import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { orAborted, TransportError } from '@splitmirror/host';
import type { ParsedKey } from 'ssh2';
import { legacyAmong, legacyWarning } from '../algorithms.ts';
import { agentOf } from '../keys/agent.ts';
import { openedKey } from '../keys/authentication.ts';
import { connectSeconds, loginPause } from '../login-time.ts';
import type { SshOptions } from '../options.ts';
import { stationsOf } from '../stations.ts';
import type { Connection } from '../transport.ts';
import { knownKeys } from '../trust/host-key.ts';
import { fingerprint } from '../trust/known-hosts.ts';
import { type KeySource, renderConfig } from './client-config.ts';
import { agreedAlgorithms, type ClientLog, failureOf, isTurnedAway, messages, unkeptKey } from './failure.ts';
import { serveKeys } from './key-agent.ts';
import { startSession } from './session.ts';

/** Longest path of a directory in which ssh's sockets still have a name that a socket may have. */
const maxDirectoryLength = 70;
/** What the connection's client writes, also when it is in the background: the reason of its end is the last of it. */
const logName = 'log';

/**
 * Connects and logs in with the system's `ssh`, whose connection is kept in the background (ControlMaster). It is started
 * without a shell, asks nobody anything (BatchMode), and reads no configuration but the one made from these options. The
 * connection ends with `close`, or a minute after the last command when this process is gone.
 *
 * @param signal Gives it up.
 * @throws TransportError HOST_UNREACHABLE, HOST_AUTHENTICATION, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connectOpenssh(host: string, options: SshOptions, signal: AbortSignal): Promise<Connection> {
  const { program = 'ssh' } = options;
  // Made by mkdtemp, it is closed to everyone else.
  const base = tmpdir().length <= maxDirectoryLength ? tmpdir() : '/tmp';
  const directory = await mkdtemp(join(base, 'sm-')).catch((cause: Error) => {
    throw noRoom(host, cause);
  });
  const agents: Server[] = [];
  const keys: KeySource[] = [];
  const dispose = async () => {
    for (const agent of agents) agent.close();
    // A client that still ends may put its log there meanwhile. What stays is no secret, and no reason to fail.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
  };
  try {
    for (const [index, station] of stationsOf(options).entries()) {
      keys.push(await keySource(station, join(directory, `k${index}`), agents, signal));
    }
    const control = join(directory, 'c');
    const config = join(directory, 'config');
    await writeFile(config, renderConfig(options, { control, keys }), { mode: 0o600 });
    const unopened = keys.flatMap(({ unusable = [] }) => unusable);
    const log = await logIn({ program, directory, config }, host, options, unopened, signal);
    const connection = standing({ program, directory, config, control, seconds: connectSeconds(options), dispose });
    const unkept = unkeptKey(host, log);
    if (unkept !== undefined) {
      await connection.close();
      throw unkept;
    }
    warn(host, options, log);
    return connection;
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Keys that only we can hand out go to an agent of our own; the rest `ssh` reads itself. */
async function keySource(
  options: SshOptions,
  socket: string,
  agents: Server[],
  signal: AbortSignal,
): Promise<KeySource> {
  const files: string[] = [];
  const opened: ParsedKey[] = [];
  const unusable: string[] = [];
  for (const identity of options.identities ?? []) {
    const name = 'file' in identity ? identity.file : identity.label;
    const key = await orAborted(signal, openedKey(identity, options)).catch((error: unknown) => {
      signal.throwIfAborted();
      return error instanceof Error ? error : new Error('unreadable');
    });
    if (key === 'unopened') files.push(name);
    else if (key === null) unusable.push(`key ${name} (no passphrase given)`);
    else if (key instanceof Error) unusable.push(`key ${name} (${key.message})`);
    else opened.push(key);
  }
  const agent = agentOf(options);
  if (opened.length === 0) return { files, agent, unusable };
  const isOurs = options.identitiesOnly === true;
  agents.push(await serveKeys(socket, opened, isOurs ? false : agent));
  return { files, agent: socket, isOurs, unusable };
}

/** Makes the connection, which then stands by itself in the background; `ssh` ends with 0 as soon as it does. */
async function logIn(
  { program, directory, config }: Pick<Site, 'program' | 'directory' | 'config'>,
  host: string,
  options: SshOptions,
  unopened: readonly string[],
  signal: AbortSignal,
): Promise<ClientLog> {
  const seconds = connectSeconds(options);
  const until = performance.now() + seconds * 1000;
  for (let attempt = 0; ; attempt++) {
    const [said, logFile] = [join(directory, 'hops'), join(directory, logName)];
    await Promise.all([said, logFile].map((file) => rm(file, { force: true })));
    const stderr = await open(said, 'a', 0o600);
    const child = spawn(program, ['-v', '-F', config, '-E', logFile, '-N', 'node'], {
      stdio: ['ignore', 'ignore', stderr.fd],
      detached: true,
      env: environment(),
    });
    let late = false;
    const timer = setTimeout(
      () => {
        late = true;
        child.kill();
      },
      Math.max(0, until - performance.now()),
    );
    const abort = () => child.kill();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const code = await exitCode(host, child).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      return stderr.close();
    });
    const told: ClientLog = { hops: await textOf(said), node: await textOf(logFile) };
    if (code === 0) return told;
    signal.throwIfAborted();
    const pause = loginPause(attempt);
    if (isTurnedAway(options, told) && performance.now() + pause < until) {
      await delay(pause, undefined, { signal });
      continue;
    }
    const known = await knownKeys(host, options);
    const print = (at: string) => {
      const line = known.find((one) => one.at === at);
      return line && fingerprint(line.key);
    };
    const log = late ? { hops: told.hops, node: `no login within ${seconds} seconds` } : told;
    throw failureOf(host, options, log, unopened, print);
  }
}

function warn(host: string, options: SshOptions, log: ClientLog): void {
  const weak = legacyAmong(agreedAlgorithms(log.node + log.hops));
  if (weak.length > 0) options.onWarning?.(legacyWarning(host, weak));
  for (const added of messages(log.hops + log.node)) {
    if (!added.startsWith('Warning: Permanently added')) continue;
    options.onWarning?.({ code: 'HOST_KEY_ACCEPTED', host, message: added.replace('Warning: ', '') });
  }
}

const closed = 'the connection was closed';

/** Where a connection stands. */
interface Site {
  readonly program: string;
  readonly directory: string;
  readonly config: string;
  readonly control: string;
  /** How long a command may take to start. */
  readonly seconds: number;
  readonly dispose: () => Promise<void>;
}

/** The connection that stands behind the control socket. */
function standing({ program, directory, config, control, seconds, dispose }: Site): Connection {
  const running = new Set<ChildProcess>();
  let sessions = 0;
  let gone: string | null = null;
  const reason = () => {
    try {
      return messages(readFileSync(join(directory, logName), 'utf8')).at(-1) ?? closed;
    } catch {
      return closed;
    }
  };
  const lost = () => {
    if (gone === null && !existsSync(control)) gone = reason();
    if (gone !== null && running.size === 0) void dispose();
    return gone;
  };
  const end = async () => {
    if (existsSync(control)) {
      const child = spawn(program, ['-F', config, '-O', 'exit', 'session'], {
        stdio: 'ignore',
        detached: true,
        env: environment(),
      });
      child.on('error', () => {});
      await Promise.race([once(child, 'close').catch(() => {}), delay(2000, undefined, { ref: false })]);
      child.kill();
    }
    gone ??= closed;
    for (const child of running) child.kill();
    await dispose();
  };
  return {
    lost,
    async exec(commandLine) {
      const log = join(directory, `session${++sessions}`);
      const mark = `splitmirror-${randomBytes(12).toString('hex')}`;
      // The node's own word that a shell has started: a session that is refused looks the same from here until its end.
      const args = ['-F', config, '-E', log, '-T', 'session', `echo ${mark}; ${commandLine}`];
      const child = spawn(program, args, { stdio: 'pipe', detached: true, env: environment() });
      running.add(child);
      child.once('close', () => {
        running.delete(child);
        lost();
      });
      const start = await startSession(child, { mark, seconds, log: () => textOf(log), lost });
      if (start.kind === 'started') return start.process;
      if (start.kind === 'failed') void end();
      throw start.error;
    },
    close: end,
    destroy: () => void end(),
  };
}

async function exitCode(host: string, child: ChildProcess): Promise<number | null> {
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  } catch (cause) {
    throw new TransportError(
      'HOST_UNREACHABLE',
      host,
      `the ssh program cannot be started: ${(cause as Error).message}`,
      {
        remedy: 'Install the OpenSSH client, name its path, or choose the adapter ssh2.',
        cause,
      },
    );
  }
}

function noRoom(host: string, cause: Error): TransportError {
  return new TransportError('HOST_UNREACHABLE', host, `ssh has no directory for its sockets here: ${cause.message}`, {
    remedy: 'Name in TMPDIR a directory that this user can write, or choose the adapter ssh2.',
    cause,
  });
}

/** The shell is for what ssh itself hands to one (a jump host, a proxy command); nothing may ask a person. */
function environment(): NodeJS.ProcessEnv {
  const { SSH_ASKPASS: _program, SSH_ASKPASS_REQUIRE: _require, ...rest } = process.env;
  return { ...rest, SHELL: '/bin/sh', LC_ALL: 'C' };
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
