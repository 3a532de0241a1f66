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

/** Pauses in milliseconds before a refused channel is asked for again: sshd allows ten (MaxSessions) unless told otherwise. */
const openPauses = [50, 100, 200, 400, 800, 1600, 3200];

/** A node reached over SSH. `name` is the cluster's name of the node; where it answers is `options.address`. */
export function sshHost(name: string, options: SshOptions, hostOptions: HostOptions = {}): Host {
  return createHost(name, sshTransport(options, name), hostOptions);
}

/**
 * Starts command lines over one kept connection, which is made at the first call, shared by concurrent calls, and made
 * anew at the next call after a loss. It keeps the Node process alive until it is closed.
 *
 * @param name How errors call the host; default its address.
 */
export function sshTransport(options: SshOptions, name: string = options.address): Transport {
  let standing: Connection | undefined;
  let connecting: Promise<Connection> | undefined;

  async function connection(): Promise<Connection> {
    if (standing?.lost() === null) return standing;
    connecting ??= connect(name, options).finally(() => {
      connecting = undefined;
    });
    standing = await connecting;
    return standing;
  }

  return {
    async open(commandLine): Promise<RemoteProcess> {
      let reconnected = false;
      for (let refusals = 0; ; ) {
        const link = await connection();
        try {
          return await link.exec(commandLine);
        } catch (error) {
          // Nothing was started: the node answers a start with success, and only then is anything sent to it.
          if (link.lost() !== null && !reconnected) {
            reconnected = true;
            continue;
          }
          const pause = isRefusedChannel(error) ? openPauses[refusals++] : undefined;
          if (pause === undefined) throw notStarted(name, error);
          await delay(pause);
        }
      }
    },
    async close() {
      const link = await connecting?.catch(() => undefined);
      await (link ?? standing)?.close();
      standing = undefined;
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
