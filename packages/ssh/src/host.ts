import { readFile } from 'node:fs/promises';
import { createHost, type Host, type HostOptions, type Transport, TransportError } from '@splitmirror/host';
import { type Adapter, type AdapterChoice, type AdapterEvidence, chooseAdapter } from './adapter.ts';
import { connect } from './embedded/connection.ts';
import { certificatesBeside } from './keys/certificates.ts';
import { privateKeyType } from './keys/identity.ts';
import { connectOpenssh } from './openssh/connection.ts';
import { requireNumbers, type SshOptions } from './options.ts';
import { stationsOf } from './stations.ts';
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
 * @throws RangeError for a number among the options that cannot be meant.
 */
export function sshTransport(options: SshOptions, name: string = options.address): Transport {
  stationsOf(options).forEach(requireNumbers);
  const { adapter = 'ssh2' } = options;
  if (adapter !== 'auto') return transportOf(adapter, options, name);
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
    async open(commandLine, use) {
      const first = await decide();
      try {
        return await first.transport.open(commandLine, use);
      } catch (error) {
        if (first.choice.adapter === 'openssh' || !isStrange(error)) throw error;
        // Nothing was started: the two could not even agree on how to talk.
        const because = `the node offers nothing that the embedded client knows (${(error as Error).message})`;
        if (standing === first) take({ adapter: 'openssh', because });
        return (await decide()).transport.open(commandLine, use);
      }
    },
    async close() {
      await deciding?.catch(() => {});
      await standing?.transport.close();
    },
  };
}

/** What `auto` has come to. */
interface Chosen {
  readonly choice: AdapterChoice;
  readonly transport: Transport;
}

/** What {@link chooseAdapter} should know about the keys and the known hosts of these settings. */
export async function readEvidence(name: string, options: SshOptions): Promise<AdapterEvidence> {
  const texts = (options.identities ?? []).map((identity) =>
    'file' in identity ? readFile(identity.file, 'utf8').catch(() => '') : String(identity.key),
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
  const { program = 'ssh' } = options;
  const client = adapter === 'ssh2' ? connect : (host: string) => connectOpenssh(program, host, options);
  return connectedTransport(name, () => client(name, options), options.connections);
}

function isStrange(error: unknown): boolean {
  return error instanceof TransportError && /no matching /.test(error.message);
}
