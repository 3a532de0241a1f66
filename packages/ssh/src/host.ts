import { readFile } from 'node:fs/promises';
import { createHost, type Host, type HostOptions, orAborted, type Transport, TransportError } from '@splitmirror/host';
import { type Adapter, type AdapterChoice, type AdapterEvidence, chooseAdapter } from './adapter.ts';
import { connect } from './embedded/connection.ts';
import { inTime } from './in-time.ts';
import { certificatesBeside } from './keys/certificates.ts';
import { privateKeyType } from './keys/identity.ts';
import { connectSeconds } from './login-time.ts';
import { refuseNames } from './names.ts';
import { refuseNumbers } from './numbers.ts';
import { connectOpenssh } from './openssh/connection.ts';
import type { SshOptions } from './options.ts';
import { connectedTransport } from './transport.ts';
import { knownKeys } from './trust/host-key.ts';
import { knownName, linesFor } from './trust/known-hosts.ts';

/** A node reached over SSH. `name` is the cluster's name of the node; where it answers is `options.address`. */
export function sshHost(name: string, options: SshOptions, hostOptions: HostOptions = {}): Host {
  return createHost(name, sshTransport(options, name), hostOptions);
}

/**
 * Starts command lines on a node with the client that `options.adapter` names. Nothing is connected before the first call;
 * the embedded client's connections keep the Node process alive until they are closed.
 *
 * @param name How errors call the host; default its address.
 */
export function sshTransport(options: SshOptions, name: string = options.address): Transport {
  const { adapter = 'ssh2' } = options;
  const transport = adapter === 'auto' ? chosenTransport(options, name) : transportOf(adapter, options, name);
  return {
    async open(...call) {
      refuseNames(name, options);
      refuseNumbers(name, options);
      return transport.open(...call);
    },
    close: () => transport.close(),
  };
}

/** What `auto` has come to. */
interface Chosen {
  readonly choice: AdapterChoice;
  readonly transport: Transport;
}

/** Chooses at the first call, and once more when the embedded client and the node have nothing in common. */
function chosenTransport(options: SshOptions, name: string): Transport {
  let standing: Chosen | undefined;
  let deciding: Promise<Chosen> | undefined;
  const take = (choice: AdapterChoice): Chosen => {
    options.onChoice?.(choice);
    standing = { choice, transport: transportOf(choice.adapter, options, name) };
    return standing;
  };
  async function decide(): Promise<Chosen> {
    if (standing !== undefined) return standing;
    deciding ??= readEvidence(name, options)
      .then((evidence) => take(chooseAdapter(options, evidence)))
      .finally(() => {
        deciding = undefined;
      });
    return deciding;
  }
  return {
    async open(commandLine, use, signal) {
      const first = await orAborted(signal, decide());
      try {
        return await first.transport.open(commandLine, use, signal);
      } catch (error) {
        if (first.choice.adapter === 'openssh' || !isStrange(error)) throw error;
        // Nothing was started: the two could not even agree on how to talk.
        const because = `the node offers nothing that the embedded client knows (${(error as Error).message})`;
        if (standing === first) take({ adapter: 'openssh', because });
        return (await decide()).transport.open(commandLine, use, signal);
      }
    },
    async close() {
      await deciding?.catch(() => {});
      await standing?.transport.close();
    },
  };
}

/** What {@link chooseAdapter} should know about the keys and the known hosts of these settings. */
export async function readEvidence(name: string, options: SshOptions): Promise<AdapterEvidence> {
  const texts = (options.identities ?? []).map((identity) =>
    'file' in identity
      ? inTime(connectSeconds(options), readFile(identity.file, 'utf8')).catch(() => '')
      : String(identity.key),
  );
  const keyTypes = (await Promise.all(texts)).flatMap((text) => privateKeyType(text) ?? []);
  const known = options.hostKeyAlias?.toLowerCase() ?? knownName(options.address, options.port ?? 22);
  const lines = linesFor(await knownKeys(name, options), known);
  return {
    keyTypes,
    certificates: await certificatesBeside(options),
    authorities: lines.filter(({ marker }) => marker === 'authority').map(({ at }) => at),
  };
}

function transportOf(adapter: Adapter, options: SshOptions, name: string): Transport {
  const client = adapter === 'ssh2' ? connect : connectOpenssh;
  return connectedTransport(name, (signal) => client(name, options, signal), options.connections);
}

function isStrange(error: unknown): boolean {
  return error instanceof TransportError && /no matching /.test(error.message);
}
