import type { Duplex } from 'node:stream';
import { orAborted, TransportError } from '@splitmirror/host';
import ssh2, { type Algorithms, type Client, type NegotiatedAlgorithms } from 'ssh2';
import { legacyAmong, legacyWarning, offered } from '../algorithms.ts';
import { type Authentication, authentication, remedyForKeys } from '../keys/authentication.ts';
import { certificatesBeside } from '../keys/certificates.ts';
import { connectSeconds } from '../login-time.ts';
import type { SshOptions } from '../options.ts';
import { printable } from '../printable.ts';
import { readTrust } from '../trust/host-key.ts';
import { packetSocket } from './packet-socket.ts';
import { type Decipher, quicken } from './quicken.ts';

/** A client of ssh2 that was let in. */
export interface Login {
  readonly client: Client;
  /** Why the connection has ended, or `null` while it stands. */
  lost(): string | null;
  /** Settles when it has ended. */
  readonly closed: Promise<void>;
  /** Drops it without a word. (ssh2's own `destroy` does nothing once either side has said that it ends.) */
  drop(): void;
}

/** A stream to the node that leads through another host. */
export interface Tunnel {
  readonly stream: Duplex;
  /** Drops it, and what it leads through. */
  drop(): void;
}

/**
 * Connects and logs in, within the time for connecting.
 *
 * @param tunnel `null` when the node is reached directly.
 * @param signal Gives it up.
 * @throws TransportError HOST_UNREACHABLE, HOST_AUTHENTICATION, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED.
 */
export async function logIn(
  host: string,
  options: SshOptions,
  tunnel: Tunnel | null,
  signal: AbortSignal,
): Promise<Login> {
  const trust = await orAborted(signal, readTrust(host, options));
  const certificates = await orAborted(signal, certificatesBeside(options));
  const port = options.port ?? 22;
  const seconds = connectSeconds(options);
  const where = `${options.address} port ${port}`;
  const client = new ssh2.Client();
  let cipher = '';
  let decipher: Decipher = 'ssh2';
  const stream = tunnel?.stream ?? packetSocket(() => decipher === 'own').connect({ host: options.address, port });
  const drop = () => {
    stream.destroy();
    tunnel?.drop();
  };
  let reason: string | undefined;
  let lost: string | null = null;
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      lost = reason ?? 'the connection was closed';
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    let over = false;
    let refusal: TransportError | null = null;
    const settle = () => {
      over = true;
      clock.stop();
      signal.removeEventListener('abort', abort);
    };
    const fail = (reason: unknown) => {
      if (over) return;
      settle();
      drop();
      reject(reason);
    };
    const abort = () => fail(signal.reason);
    signal.addEventListener('abort', abort);
    const clock = stopwatch(seconds, () => fail(unreachable(host, where, `no login within ${seconds} seconds`)));
    client.once('ready', () => {
      settle();
      options.onConnect?.({ host, cipher, decipher });
      resolve();
    });
    client.on('error', (error: Error & { level?: string }) => {
      // An agent that is gone meanwhile or refuses to sign is one attempt that failed: ssh2 goes on to the next.
      if (error.level === 'agent') return;
      reason ??= printable(error.message);
      if (refusal !== null) fail(refusal);
      else if (error.level === 'client-authentication') fail(notLetIn(host, options, login, certificates));
      else fail(unreachable(host, where, error.message, error));
      // ssh2 only says goodbye, and would read on behind what it could not open.
      drop();
    });
    client.once('close', () => fail(unreachable(host, where, 'the node closed the connection during the login')));
    client.on('handshake', (agreed) => {
      warnOfLegacy(host, options, agreed);
      cipher = agreed.sc.cipher;
      decipher = quicken(client);
    });
    /** A person, and our own files, may take longer than a node has to. */
    const untimed = async <T>(work: Promise<T>): Promise<T> => {
      clock.stop();
      try {
        return await work;
      } finally {
        if (!over) clock.start();
      }
    };
    const { password } = options;
    const login = authentication({ ...options, password: password && (async (prompt) => untimed(password(prompt))) });
    let trusted: Buffer | undefined;
    client.connect({
      sock: stream,
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
        untimed(trust.refusal(key)).then((found) => {
          if (over) return;
          refusal = found;
          trusted = Buffer.from(key);
          verify(found === null);
        }, fail);
        return undefined as never;
      },
      authHandler: (allowed, _partial, next) => {
        untimed(login.next(allowed)).then(
          (attempt) => {
            if (!over) next(attempt as Parameters<typeof next>[0]);
          },
          (error: unknown) => fail(notLetIn(host, options, login, certificates, error)),
        );
      },
    });
  });
  return { client, lost: () => lost, closed, drop };
}

/** No connection, as an error. */
export function unreachable(host: string, where: string, reason: string, cause?: unknown): TransportError {
  return new TransportError('HOST_UNREACHABLE', host, `cannot connect to ${where}: ${printable(reason)}`, {
    remedy: /no matching /.test(reason)
      ? 'Nothing is left that both sides know: choose the adapter openssh or auto, or name in its algorithms what this node can.'
      : 'Check the address, the port, the firewall, and that sshd runs on the node (lssrc -s sshd).',
    cause,
  });
}

function notLetIn(
  host: string,
  options: SshOptions,
  login: Authentication,
  [certificate]: readonly string[],
  cause?: unknown,
): TransportError {
  const tried = login.attempts.length > 0 ? login.attempts.join(', ') : 'nothing: no key, no agent, no password';
  const certified =
    certificate === undefined
      ? ''
      : ` Or choose the adapter openssh or auto: ssh2 cannot show the user certificate ${certificate}.`;
  return new TransportError('HOST_AUTHENTICATION', host, `${options.user} was not let in; tried ${tried}`, {
    remedy: `${remedyForKeys(options.user, { wasShown: login.attempts.length > login.unusable, agentTrouble: login.agentTrouble })}${certified}`,
    cause,
  });
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
    if (timer !== undefined) return;
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
