import { setTimeout as delay } from 'node:timers/promises';
import { type RemoteProcess, TransportError } from '@splitmirror/host';
import ssh2, { type Algorithms, type Client, type ClientChannel, type NegotiatedAlgorithms } from 'ssh2';
import { refuseUnable } from './adapter.ts';
import { legacyAmong, legacyWarning, offered } from './algorithms.ts';
import { type Authentication, authentication } from './authentication.ts';
import { readTrust, type Trust } from './host-key.ts';
import { loginPause } from './login-pause.ts';
import type { SshOptions, SshWarning } from './options.ts';
import { packetSocket } from './packet-socket.ts';
import { remoteProcess } from './process.ts';
import { type Decipher, quicken } from './quicken.ts';
import { defaultWindowBytes, takeWindow } from './receive-window.ts';
import { stationsOf } from './stations.ts';

/** A logged-in connection. */
export interface Connection {
  /** Why it ended, or `null` while it stands. */
  lost(): string | null;
  /** Starts a command line on a channel of its own. Rejects with what ssh2 says; nothing was started then. */
  exec(commandLine: string): Promise<RemoteProcess>;
  /** Ends it and waits for that. */
  close(): Promise<void>;
  /** Drops it without a word. */
  destroy(): void;
}

/** A connection that can also lead to a further host. */
interface Hop extends Connection {
  /** A stream to an address as this host sees it. */
  forward(address: string, port: number): Promise<ClientChannel>;
}

/**
 * Connects and logs in. A node that turns us away before any login (MaxStartups) is asked again, as long as the time for
 * connecting lasts.
 *
 * @throws TransportError HOST_UNREACHABLE, HOST_AUTHENTICATION, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connect(host: string, options: SshOptions): Promise<Hop> {
  refuseUnable(host, options);
  const until = performance.now() + connectSeconds(options) * 1000;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connectOnce(host, options);
    } catch (error) {
      const pause = loginPause(attempt);
      if (!isTurnedAway(error) || performance.now() + pause >= until) throw error;
      await delay(pause);
    }
  }
}

/** sshd closes what is too much before it says who it is. */
function isTurnedAway(error: unknown): boolean {
  return (
    error instanceof TransportError && /: (?:Connection lost before handshake|read ECONNRESET)$/.test(error.message)
  );
}

async function connectOnce(host: string, options: SshOptions): Promise<Hop> {
  const hop = await connectHop(host, stationsOf(options).slice(0, -1));
  try {
    return await connectNode(host, options, hop);
  } catch (error) {
    hop?.destroy();
    throw error;
  }
}

/** The connection to the last jump host, through those before it. */
async function connectHop(host: string, jumps: readonly SshOptions[]): Promise<Hop | null> {
  const last = jumps.at(-1);
  return last === undefined
    ? null
    : connect(`${host} (jump host ${last.address})`, { ...last, jumps: jumps.slice(0, -1) });
}

async function connectNode(host: string, options: SshOptions, hop: Hop | null): Promise<Hop> {
  const trust = await readTrust(host, options);
  const login = authentication(options);
  const client = new ssh2.Client();
  let lost: string | null = null;
  let reason = 'the connection was closed';
  client.on('error', (error: Error & { level?: string }) => {
    if (error.level !== 'agent') reason = error.message;
  });
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      lost = reason;
      hop?.destroy();
      resolve();
    });
  });
  await logIn(host, client, options, trust, login, hop);
  const windowBytes = options.windowBytes ?? defaultWindowBytes;
  return {
    lost: () => lost,
    exec: (commandLine) =>
      new Promise((resolve, reject) => {
        const seconds = connectSeconds(options);
        let late = false;
        // A node whose sshd still answers keepalives may yet never start anything: no processes left, a hung disk.
        const timer = setTimeout(() => {
          late = true;
          reject(new Error(`no answer within ${seconds} seconds`));
        }, seconds * 1000);
        client.exec(commandLine, (error, channel) => {
          clearTimeout(timer);
          if (error) reject(error);
          else if (late) channel.destroy();
          else {
            if (!takeWindow(channel, windowBytes)) options.onWarning?.(windowNotSet(host));
            // At once, since the exit status may stand right behind the answer.
            resolve(remoteProcess(channel, () => lost));
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
      const timer = setTimeout(() => client.destroy(), 2000);
      await closed;
      clearTimeout(timer);
      await hop?.close();
    },
    destroy: () => client.destroy(),
  };
}

async function logIn(
  host: string,
  client: Client,
  options: SshOptions,
  trust: Trust,
  login: Authentication,
  hop: Hop | null,
): Promise<void> {
  const port = options.port ?? 22;
  const seconds = connectSeconds(options);
  const where = `${options.address} port ${port}`;
  let refusal: TransportError | null = null;
  const tunnel = await hop?.forward(options.address, port).catch((error: Error) => {
    throw unreachable(host, `${where} through the jump host`, error.message, error);
  });
  return new Promise((resolve, reject) => {
    let over = false;
    const fail = (error: TransportError) => {
      if (over) return;
      over = true;
      clock.stop();
      client.destroy();
      reject(error);
    };
    const clock = stopwatch(seconds, () => fail(unreachable(host, where, `no login within ${seconds} seconds`)));
    client.once('ready', () => {
      over = true;
      clock.stop();
      options.onConnect?.({ host, cipher, decipher });
      resolve();
    });
    client.on('error', (error: Error & { level?: string }) => {
      if (refusal !== null) fail(refusal);
      else if (error.level === 'client-authentication') fail(notLetIn(host, options, login));
      // An agent that is not there or refuses to sign is one attempt that failed: ssh2 goes on to the next.
      else if (error.level !== 'agent') fail(unreachable(host, where, error.message, error));
    });
    client.once('close', () => fail(unreachable(host, where, 'the node closed the connection during the login')));
    let trusted: Buffer | undefined;
    let cipher = '';
    let decipher: Decipher = 'ssh2';
    client.on('handshake', (agreed) => {
      warnOfLegacy(host, options, agreed);
      cipher = agreed.sc.cipher;
      decipher = quicken(client);
    });
    const sock = tunnel ?? packetSocket(() => decipher === 'own').connect({ host: options.address, port });
    client.connect({
      sock,
      username: options.user,
      readyTimeout: 0,
      keepaliveInterval: (options.keepaliveSeconds ?? 10) * 1000,
      keepaliveCountMax: options.keepaliveCount ?? 3,
      algorithms: {
        kex: offered('kex', options.algorithms),
        serverHostKey: trust.algorithms,
        cipher: offered('ciphers', options.algorithms),
        hmac: offered('macs', options.algorithms),
      } as Algorithms,
      hostVerifier: (key: Buffer, verify: (trusted: boolean) => void) => {
        // At new keys for a standing connection the answer must come at once: ssh2 1.17 garbles what is sent meanwhile.
        if (trusted !== undefined) return trusted.equals(key);
        trust.refusal(key).then(
          (found) => {
            refusal = found;
            trusted = Buffer.from(key);
            verify(found === null);
          },
          (error: TransportError) => fail(error),
        );
        return undefined as never;
      },
      authHandler: (allowed, _partial, next) => {
        // A person may take longer to answer than a node has to.
        clock.stop();
        login.next(allowed).then(
          (attempt) => {
            if (over) return;
            clock.start();
            next(attempt as Parameters<typeof next>[0]);
          },
          (error: unknown) => fail(notLetIn(host, options, login, error)),
        );
      },
    });
  });
}

function windowNotSet(host: string): SshWarning {
  const message = 'this ssh2 has no receive window that can be set: streams over long links are slow';
  return { code: 'WINDOW_NOT_SET', host, message };
}

function connectSeconds(options: SshOptions): number {
  return options.connectSeconds ?? 20;
}

function warnOfLegacy(host: string, options: SshOptions, { kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): void {
  const weak = legacyAmong([...new Set([kex, serverHostKey, cs.cipher, sc.cipher, cs.mac, sc.mac])]);
  if (weak.length > 0) options.onWarning?.(legacyWarning(host, weak));
}

/** Calls `expire` after so many seconds of running time. */
function stopwatch(seconds: number, expire: () => void): { start(): void; stop(): void } {
  let left = seconds * 1000;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    since = performance.now();
    timer = setTimeout(expire, Math.max(0, left));
  };
  const stop = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    left -= performance.now() - since;
  };
  start();
  return { start, stop };
}

function unreachable(host: string, where: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('HOST_UNREACHABLE', host, `cannot connect to ${where}: ${reason}`, {
    remedy: /no matching /.test(reason)
      ? 'Nothing is left that both sides know: choose the adapter openssh or auto, or name in its algorithms what this node can.'
      : 'Check the address, the port, the firewall, and that sshd runs on the node (lssrc -s sshd).',
    cause,
  });
}

function notLetIn(host: string, options: SshOptions, login: Authentication, cause?: unknown): TransportError {
  const tried = login.attempts.length > 0 ? login.attempts.join(', ') : 'nothing: no key, no agent, no password';
  return new TransportError('HOST_AUTHENTICATION', host, `${options.user} was not let in; tried ${tried}`, {
    remedy: `Put the public key of one of these into ~${options.user}/.ssh/authorized_keys on the node, or offer another.`,
    cause,
  });
}
