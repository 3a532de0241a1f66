import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TransportError } from '@splitmirror/host';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { offered } from '../algorithms.ts';
import { inTime } from '../in-time.ts';
import { connectSeconds } from '../login-time.ts';
import type { SshOptions } from '../options.ts';
import { acceptNew } from './accept-key.ts';
import {
  fingerprint,
  judgeKey,
  type KnownHost,
  keyType,
  knownHostsLine,
  knownName,
  linesFor,
  parseKnownHosts,
} from './known-hosts.ts';

/** What is known beforehand about the key that a node has to present. */
export interface Trust {
  /** Host key algorithms in the order in which they are asked for: those of known keys first. */
  readonly algorithms: ServerHostKeyAlgorithm[];
  /**
   * Why the presented key is refused, or `null` when it is trusted.
   *
   * @throws TransportError when an unknown key should be accepted and could not be written down.
   */
  refusal(key: Buffer): Promise<TransportError | null>;
}

/** Signature algorithms by key type, the strongest first. SHA-1 (`ssh-rsa`) only where a host's settings add it. */
const algorithmsOf: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
  'ssh-dss': ['ssh-dss'],
};

/** The files in which trusted keys stand. */
export function knownHostsFiles(options: SshOptions): readonly string[] {
  return options.knownHosts ?? [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'];
}

/** Reads the known_hosts files anew, so that a line added after a refusal counts at the next attempt. */
export async function readTrust(host: string, options: SshOptions): Promise<Trust> {
  const files = knownHostsFiles(options);
  const known = await knownKeys(host, options);
  const name = options.hostKeyAlias?.toLowerCase() ?? knownName(options.address, options.port ?? 22);
  const lines = linesFor(known, name);
  const knownTypes = lines.filter(({ marker }) => marker === 'trusted').map(({ type }) => type);
  const types = new Set([...knownTypes, ...Object.keys(algorithmsOf)]);
  const allowed = offered('hostKeys', options.algorithms);
  const ordered = [...types].flatMap((type) => algorithmsOf[type] ?? []);
  return {
    algorithms: ordered.filter((algorithm) => allowed.includes(algorithm)),
    async refusal(key) {
      const [file] = files;
      if (file === undefined || options.unknownHostKey !== 'accept-new') {
        return refusalOf(host, name, file ?? 'known_hosts', lines, key);
      }
      const { onWarning } = options;
      const known = await acceptNew({ host, name, key, file, read: () => knownKeys(host, options), onWarning });
      return refusalOf(host, name, file, known, key);
    },
  };
}

/** Every usable line of the files. */
export async function knownKeys(host: string, options: SshOptions): Promise<KnownHost[]> {
  const seconds = connectSeconds(options);
  return (await Promise.all(knownHostsFiles(options).map((file) => readKnownHosts(host, file, seconds)))).flat();
}

async function readKnownHosts(host: string, file: string, seconds: number): Promise<KnownHost[]> {
  let text: string;
  try {
    text = await inTime(seconds, readFile(file, 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    // Not passed over: it could revoke a key.
    throw new TransportError('HOST_KEY_UNKNOWN', host, `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Make it readable, or name other files of known hosts.',
      cause,
    });
  }
  return parseKnownHosts(text, file);
}

function refusalOf(
  host: string,
  name: string,
  file: string,
  lines: readonly KnownHost[],
  key: Buffer,
): TransportError | null {
  const verdict = judgeKey(lines, key);
  const presented = `${keyType(key)} ${fingerprint(key)}`;
  switch (verdict.kind) {
    case 'trusted':
      return null;
    case 'unknown': {
      const authority = lines.find(({ marker }) => marker === 'authority');
      const certificate =
        authority === undefined
          ? ''
          : ` Or choose the adapter openssh: ${authority.at} trusts a certificate authority for it, and ssh2 takes no host certificates.`;
      return new TransportError(
        'HOST_KEY_UNKNOWN',
        host,
        `no trusted key is known for ${name}; it presents ${presented}`,
        {
          remedy: `Compare the fingerprint with the node's own (on its console: ssh-keygen -l -f /etc/ssh/ssh_host_..._key.pub). If it is the same, add this line to ${file}: ${knownHostsLine(name, key)}${certificate}`,
        },
      );
    }
    case 'changed':
      return new TransportError(
        'HOST_KEY_CHANGED',
        host,
        `${name} presents ${presented}, but trusted is ${verdict.expected.map((line) => `${line.type} ${fingerprint(line.key)} (${line.at})`).join(', ')}`,
        {
          remedy: `Someone may be answering in the node's place. Find out why its key changed before you replace ${verdict.expected.map(({ at }) => at).join(', ')}.`,
        },
      );
    case 'revoked':
      return new TransportError('HOST_KEY_CHANGED', host, `${name} presents ${presented}, which is revoked`, {
        remedy: `The key is marked @revoked in ${verdict.line.at}: give the node a new key, or find out who answers in its place.`,
      });
  }
}
