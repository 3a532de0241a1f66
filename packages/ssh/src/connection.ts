import { connect as connectSocket } from 'node:net';
import { type RemoteProcess, TransportError } from '@splitmirror/host';
import ssh2, { type CipherAlgorithm, type Client } from 'ssh2';
import { type Authentication, authentication } from './authentication.ts';
import { readTrust, type Trust } from './host-key.ts';
import type { SshOptions } from './options.ts';
import { remoteProcess } from './process.ts';

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

/** AES-GCM goes through Node's OpenSSL; everything else is slower, and chacha20 without the native add-on much slower. */
const ciphers: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
];

/**
 * Connects and logs in.
 *
 * @throws TransportError HOST_UNREACHABLE, HOST_AUTHENTICATION, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function connect(host: string, options: SshOptions): Promise<Connection> {
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
      resolve();
    });
  });
  await logIn(host, client, options, trust, login);
  return {
    lost: () => lost,
    exec: (commandLine) =>
      new Promise((resolve, reject) => {
        client.exec(commandLine, (error, channel) => {
          if (error) reject(error);
          // At once, since the exit status may stand right behind the answer.
          else resolve(remoteProcess(channel, () => lost));
        });
      }),
    async close() {
      client.end();
      const timer = setTimeout(() => client.destroy(), 2000);
      await closed;
      clearTimeout(timer);
    },
    destroy: () => client.destroy(),
  };
}

function logIn(host: string, client: Client, options: SshOptions, trust: Trust, login: Authentication): Promise<void> {
  const port = options.port ?? 22;
  const seconds = options.connectSeconds ?? 20;
  const where = `${options.address} port ${port}`;
  let refusal: TransportError | null = null;
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
      resolve();
    });
    client.on('error', (error: Error & { level?: string }) => {
      if (refusal !== null) fail(refusal);
      else if (error.level === 'client-authentication') fail(notLetIn(host, options, login));
      // An agent that is not there or refuses to sign is one attempt that failed: ssh2 goes on to the next.
      else if (error.level !== 'agent') fail(unreachable(host, where, error.message, error));
    });
    client.once('close', () => fail(unreachable(host, where, 'the node closed the connection during the login')));
    // A socket of our own, since ssh2 leaves Nagle's algorithm on: 40 ms for each of the small packets of a login.
    const sock = connectSocket({ host: options.address, port, noDelay: true });
    client.connect({
      sock,
      username: options.user,
      readyTimeout: 0,
      keepaliveInterval: (options.keepaliveSeconds ?? 10) * 1000,
      keepaliveCountMax: options.keepaliveCount ?? 3,
      algorithms: { serverHostKey: trust.algorithms, cipher: ciphers },
      hostVerifier: (key: Buffer) => {
        refusal = trust.refusal(key);
        return refusal === null;
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
    remedy: 'Check the address, the port, the firewall, and that sshd runs on the node (lssrc -s sshd).',
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
