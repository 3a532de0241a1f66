import { setTimeout as delay } from 'node:timers/promises';
import {
  createHost,
  type Host,
  type HostOptions,
  type RemoteProcess,
  type Transport,
  TransportError,
} from '@splitmirror/host';
import { type Connection, connect } from './connection.ts';
import type { SshOptions } from './options.ts';

/** Most connections to one node. More than one is made only when a node refuses another channel on those that stand. */
const maxConnections = 4;
/** Pauses in milliseconds before refused channels are asked for again. */
const openPauses = [50, 100, 200, 400, 800, 1600, 3200];

/** A node reached over SSH. `name` is the cluster's name of the node; where it answers is `options.address`. */
export function sshHost(name: string, options: SshOptions, hostOptions: HostOptions = {}): Host {
  return createHost(name, sshTransport(options, name), hostOptions);
}

/**
 * Starts command lines over one kept connection, which is made at the first call, shared by concurrent calls, and made
 * anew at the next call after a loss. sshd grants ten channels a connection unless told otherwise (MaxSessions); when they
 * are used up, a further connection is made, since the one who cancels needs a channel too. Nothing is ever started twice.
 * The connections keep the Node process alive until they are closed.
 *
 * @param name How errors call the host; default its address.
 */
export function sshTransport(options: SshOptions, name: string = options.address): Transport {
  let standing: Connection[] = [];
  let connecting: Promise<Connection> | undefined;

  /** A connection that is not `full`, or `null` when there may be no more of them. */
  async function connection(full: ReadonlySet<Connection>): Promise<Connection | null> {
    await connecting?.catch(() => {});
    standing = standing.filter((link) => link.lost() === null);
    const free = standing.find((link) => !full.has(link));
    if (free !== undefined) return free;
    if (connecting === undefined && standing.length >= maxConnections) return null;
    connecting ??= connect(name, options)
      .then((link) => {
        standing.push(link);
        return link;
      })
      .finally(() => {
        connecting = undefined;
      });
    // A further one that fails is no reason to give up: a channel of the others may become free.
    return standing.length > 0 ? connecting.catch(() => null) : connecting;
  }

  return {
    async open(commandLine): Promise<RemoteProcess> {
      const full = new Set<Connection>();
      let reconnected = false;
      let refusal: unknown;
      for (let pauses = 0; ; ) {
        const link = await connection(full);
        if (link === null) {
          const pause = openPauses[pauses++];
          if (pause === undefined) throw notStarted(name, refusal);
          await delay(pause);
          full.clear();
          continue;
        }
        try {
          return await link.exec(commandLine);
        } catch (error) {
          // Nothing was started: the node answers a start with success, and only then is anything sent to it.
          if (isRefusedChannel(error)) {
            refusal = error;
            full.add(link);
          } else if (link.lost() !== null && !reconnected) {
            reconnected = true;
          } else {
            throw notStarted(name, error);
          }
        }
      }
    },
    async close() {
      await connecting?.catch(() => {});
      await Promise.all(standing.map((link) => link.close()));
      standing = [];
    },
  };
}

/** The node works but has no channel left for now; RFC 4254, section 5.1: 2 connect failed, 4 resource shortage. */
function isRefusedChannel(error: unknown): boolean {
  const { reason } = error as { reason?: unknown };
  return reason === 2 || reason === 4;
}

function notStarted(name: string, cause: unknown): TransportError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TransportError('HOST_START', name, `the node did not start a shell: ${reason}`, {
    remedy: 'Check MaxSessions and ForceCommand in sshd_config on the node, and the login shell of the user.',
    cause,
  });
}
