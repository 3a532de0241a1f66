import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import ssh2, { type BaseAgent, type IdentityCallback, type KnownPublicKeys } from 'ssh2';
import { inTime } from '../in-time.ts';
import { connectSeconds } from '../login-time.ts';
import type { SshOptions } from '../options.ts';
import { publicKeyOf } from './identity.ts';

/** Why an agent is of no use. `absent`: nothing listens at its socket. `mute`: it tells no keys. `empty`: it has none to offer. */
export interface AgentTrouble {
  readonly kind: 'absent' | 'empty' | 'mute';
  /** Its socket. */
  readonly path: string;
  /** In a few words. */
  readonly reason: string;
}

/** Socket of the agent, or `false` for none. */
export function agentOf(options: SshOptions): string | false {
  return (options.agent ?? process.env.SSH_AUTH_SOCK) || false;
}

/** An agent that offers what it may offer, or why there is none. It is asked for its keys beforehand: ssh2 tells no reason. */
export async function usableAgent(path: string, options: SshOptions): Promise<BaseAgent | AgentTrouble> {
  const agent = ssh2.createAgent(path);
  let socket: Socket | undefined;
  // On Windows there are agents of other kinds.
  if (process.platform !== 'win32') {
    agent.getStream = (tell) => {
      const made = connect(path);
      socket = made;
      made.once('connect', () => tell(null, made)).on('error', tell);
    };
  }
  const seconds = connectSeconds(options);
  const { promise, resolve } = Promise.withResolvers<KnownPublicKeys | AgentTrouble>();
  const timer = setTimeout(() => {
    resolve({ kind: 'mute', path, reason: `no answer within ${seconds} seconds` });
    socket?.destroy();
  }, seconds * 1000);
  agent.getIdentities((error, keys = []) => resolve(error ? troubleOf(path, error) : keys));
  const found = await promise.finally(() => clearTimeout(timer));
  if (isTrouble(found)) return found;
  const named = options.identitiesOnly ? await namedKeys(options) : null;
  const offered = found.filter(
    (key) =>
      named === null ||
      (typeof key === 'object' && 'getPublicSSH' in key && named.some((one) => one.equals(key.getPublicSSH()))),
  );
  if (offered.length === 0) return { kind: 'empty', path, reason: 'it holds no key that may be offered' };
  agent.getIdentities = (tell: IdentityCallback) => tell(null, offered);
  return agent;
}

export function isTrouble(found: object): found is AgentTrouble {
  return 'reason' in found;
}

/**
 * What an agent's socket says of it.
 *
 * @param code As the system tells it, in either form: `ENOENT` or `No such file or directory`.
 */
export function socketTrouble(path: string, code: string): AgentTrouble {
  return /^(?:ENOENT|ECONNREFUSED|No such file or directory|Connection refused)$/.test(code)
    ? { kind: 'absent', path, reason: `nothing listens there: ${code}` }
    : { kind: 'mute', path, reason: `it cannot be asked: ${code}` };
}

function troubleOf(path: string, error: NodeJS.ErrnoException): AgentTrouble {
  return socketTrouble(path, error.code ?? error.message);
}

/** The public halves of the keys that are named, from wherever they tell it. */
async function namedKeys(options: SshOptions): Promise<readonly Buffer[]> {
  const texts = (options.identities ?? []).flatMap((identity) =>
    'file' in identity
      ? [identity.file, `${identity.file}.pub`].map((file) =>
          inTime(connectSeconds(options), readFile(file, 'utf8')).catch(() => ''),
        )
      : [],
  );
  return (await Promise.all(texts)).flatMap((text) => publicKeyOf(text) ?? []);
}

/** What is to be done about it. */
export function remedyForAgent({ kind, path }: AgentTrouble): string {
  switch (kind) {
    case 'absent':
    case 'mute':
      return `Start an agent that holds a key (eval "$(ssh-agent)"; ssh-add) and name its socket in SSH_AUTH_SOCK, or as IdentityAgent in ~/.ssh/config, instead of ${path}.`;
    case 'empty':
      return `Give the agent a key: SSH_AUTH_SOCK=${path} ssh-add.`;
  }
}
