import { setTimeout as delay } from 'node:timers/promises';
import { orAborted, TransportError } from '@splitmirror/host';
import type { ClientChannel } from 'ssh2';
import { refuseUnable } from '../adapter.ts';
import { connectSeconds, loginPause } from '../login-time.ts';
import type { SshOptions, SshWarning } from '../options.ts';
import { stationsOf } from '../stations.ts';
import type { Connection } from '../transport.ts';
import { logIn, type Tunnel, unreachable } from './login.ts';
import { type Ground, remoteProcess } from './process.ts';
import { defaultWindowBytes, takeWindow } from './receive-window.ts';

/** How long a goodbye may take, in milliseconds. */
const goodbyeMs = 2000;

/** A connection that can also lead to a further host. */
interface Hop extends Connection {
  /** A stream to an address as this host sees it. */
  forward(address: string, port: number): Promise<ClientChannel>;
}

/**
 * Connects and logs in. A node that turns us away before any login (MaxStartups) is asked again, as long as the time for
 * connecting lasts.
 *
 * @param signal Gives it up.
 * @throws TransportError HOST_UNREACHABLE, HOST_AUTHENTICATION, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connect(host: string, options: SshOptions, signal: AbortSignal): Promise<Hop> {
  refuseUnable(host, options);
  const until = performance.now() + connectSeconds(options) * 1000;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connectOnce(host, options, signal);
    } catch (error) {
      const pause = loginPause(attempt);
      if (!isTurnedAway(error) || performance.now() + pause >= until) throw error;
      await delay(pause, undefined, { signal });
    }
  }
}

/** sshd closes what is too much before it says who it is. */
function isTurnedAway(error: unknown): boolean {
  return (
    error instanceof TransportError && /: (?:Connection lost before handshake|read ECONNRESET)$/.test(error.message)
  );
}

async function connectOnce(host: string, options: SshOptions, signal: AbortSignal): Promise<Hop> {
  const hop = await connectHop(host, stationsOf(options).slice(0, -1), signal);
  try {
    return await connectNode(host, options, hop, signal);
  } catch (error) {
    hop?.destroy();
    throw error;
  }
}

/** The connection to the last jump host, through those before it. */
async function connectHop(host: string, jumps: readonly SshOptions[], signal: AbortSignal): Promise<Hop | null> {
  const last = jumps.at(-1);
  return last === undefined
    ? null
    : connect(`${host} (jump host ${last.address})`, { ...last, jumps: jumps.slice(0, -1) }, signal);
}

async function connectNode(host: string, options: SshOptions, hop: Hop | null, signal: AbortSignal): Promise<Hop> {
  const { windowBytes = defaultWindowBytes } = options;
  const tunnel = await tunnelThrough(host, options, hop, signal);
  const { client, lost, closed, drop } = await logIn(host, options, tunnel, signal);
  const ground: Ground = { lost, atEnd: new Set() };
  void closed.then(() => {
    for (const act of ground.atEnd) act();
    hop?.destroy();
  });
  const seconds = connectSeconds(options);
  return {
    lost,
    exec: (commandLine) =>
      new Promise((resolve, reject) => {
        let late = false;
        // A node whose sshd still answers keepalives may yet never start anything: no processes left, a hung disk.
        const timer = setTimeout(() => {
          late = true;
          reject(new Error(`no answer within ${seconds} seconds`));
        }, seconds * 1000);
        client.exec(commandLine, (error, channel) => {
          clearTimeout(timer);
          if (error) reject(error);
          // Nothing was sent to it: what has started finds the end of its input and goes.
          else if (late) remoteProcess(channel, ground).destroy();
          else {
            if (!takeWindow(channel, windowBytes)) options.onWarning?.(windowNotSet(host));
            // At once, since the exit status may stand right behind the answer.
            resolve(remoteProcess(channel, ground));
          }
        });
      }),
    forward: (address, port) =>
      new Promise((resolve, reject) => {
        client.forwardOut('127.0.0.1', 0, address, port, (error, channel) =>
          error ? reject(error) : resolve(channel),
        );
      }),
    async close() {
      client.end();
      const timer = setTimeout(drop, goodbyeMs);
      await closed;
      clearTimeout(timer);
      await hop?.close();
    },
    destroy: drop,
  };
}

/** The way through the last jump host, which may wait long for an answer of the node. */
async function tunnelThrough(
  host: string,
  options: SshOptions,
  hop: Hop | null,
  signal: AbortSignal,
): Promise<Tunnel | null> {
  if (hop === null) return null;
  const { address, port = 22 } = options;
  const seconds = connectSeconds(options);
  const deadline = new AbortController();
  const late = delay(seconds * 1000, undefined, { signal: deadline.signal }).then(() => {
    throw new Error(`no connection within ${seconds} seconds`);
  });
  try {
    const stream = await orAborted(signal, Promise.race([hop.forward(address, port), late]));
    return { stream, drop: () => hop.destroy() };
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(host, `${address} port ${port} through the jump host`, (cause as Error).message, cause);
  } finally {
    deadline.abort();
    late.catch(() => {});
  }
}

function windowNotSet(host: string): SshWarning {
  const message = 'this ssh2 has no receive window that can be set: streams over long links are slow';
  return { code: 'WINDOW_NOT_SET', host, message };
}
