import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type ParsedKey } from 'ssh2';
import { inTime } from '../in-time.ts';
import { connectSeconds } from '../login-time.ts';
import type { Identity, SshOptions } from '../options.ts';
import { type AgentTrouble, agentOf, isTrouble, remedyForAgent, usableAgent } from './agent.ts';

/** What was tried to get in, and how each attempt ended; holds no secret. */
export interface Authentication {
  readonly attempts: readonly string[];
  /** How many of them never came to the node, since the key could not be used. */
  readonly unusable: number;
  /** Why the agent could not be used, if it was its turn. */
  readonly agentTrouble: AgentTrouble | undefined;
  /** The next attempt, or `false` when nothing is left. */
  next(allowed: readonly string[] | null): Promise<AnyAuthMethod | false>;
}

/** Keys in their order, then the agent, then a password: each only when the node takes that kind. */
export function authentication(options: SshOptions): Authentication {
  const attempts: string[] = [];
  let unusable = 0;
  let agentTrouble: AgentTrouble | undefined;
  let pending = keys(options, attempts, () => unusable++);
  const agent = agentOf(options);
  if (agent !== false) {
    pending.push({
      kind: 'publickey',
      async make() {
        const found = await usableAgent(agent, options);
        attempts.push(isTrouble(found) ? `agent ${agent} (${found.reason})` : `agent ${agent}`);
        if (!isTrouble(found)) return { type: 'agent', username: options.user, agent: found };
        agentTrouble = found;
        unusable++;
        return undefined;
      },
    });
  }
  pending.push(...passwords(options, attempts));
  let asked = false;
  return {
    attempts,
    get unusable() {
      return unusable;
    },
    get agentTrouble() {
      return agentTrouble;
    },
    async next(allowed) {
      // The first question costs one round trip and tells what the node takes, so that no password is asked for in vain.
      if (!asked) {
        asked = true;
        return { type: 'none', username: options.user };
      }
      for (;;) {
        const index = pending.findIndex(({ kind }) => allowed?.includes(kind) ?? true);
        const candidate = pending[index];
        if (candidate === undefined) return false;
        // One attempt a connection with a password, whichever way it is asked for: more would only lock the account.
        const asksPerson = candidate.kind !== 'publickey';
        pending = pending.filter((other, at) => at !== index && !(asksPerson && other.kind !== 'publickey'));
        const attempt = await candidate.make();
        if (attempt !== undefined) return attempt;
      }
    },
  };
}

/**
 * A key that only this process can use: given as text, or opened with a passphrase that somebody was asked for.
 *
 * @returns `null` when no passphrase was given, `unopened` for a file that the system's client may well read itself.
 */
export async function openedKey(identity: Identity, options: SshOptions): Promise<ParsedKey | 'unopened' | null> {
  if ('key' in identity) return (await readKey(identity, identity.label, options)) ?? null;
  if (options.passphrase === undefined) return 'unopened';
  const text = await inTime(connectSeconds(options), readFile(identity.file)).catch(() => undefined);
  if (text === undefined || !isEncrypted(parse(text))) return 'unopened';
  return (await readKey(identity, identity.file, options)) ?? null;
}

interface Candidate {
  readonly kind: 'publickey' | 'password' | 'keyboard-interactive';
  make(): Promise<AnyAuthMethod | undefined>;
}

function keys(options: SshOptions, attempts: string[], onUnusable: () => void): Candidate[] {
  return (options.identities ?? []).map((identity) => ({
    kind: 'publickey',
    async make() {
      const name = 'file' in identity ? identity.file : identity.label;
      try {
        const key = await readKey(identity, name, options);
        if (key === undefined) onUnusable();
        attempts.push(key === undefined ? `key ${name} (no passphrase given)` : `key ${name}`);
        return key && { type: 'publickey', username: options.user, key };
      } catch (error) {
        onUnusable();
        attempts.push(`key ${name} (${error instanceof Error ? error.message : 'unreadable'})`);
        return undefined;
      }
    },
  }));
}

async function readKey(identity: Identity, name: string, options: SshOptions): Promise<ParsedKey | undefined> {
  const text = 'file' in identity ? await inTime(connectSeconds(options), readFile(identity.file)) : identity.key;
  const plain = parse(text);
  if (!(plain instanceof Error)) return plain;
  if (!isEncrypted(plain)) throw plain;
  const secret = await options.passphrase?.(name);
  if (secret === undefined) return undefined;
  const opened = parse(text, secret);
  if (opened instanceof Error) throw new Error('the passphrase does not open it');
  return opened;
}

function isEncrypted(key: ParsedKey | Error): boolean {
  return key instanceof Error && /encrypted/i.test(key.message);
}

function parse(text: string | Buffer, passphrase?: string): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) return new Error('no key found');
  if (key instanceof Error) return key;
  return key.isPrivateKey() ? key : new Error('not a private key');
}

function passwords(options: SshOptions, attempts: string[]): Candidate[] {
  const ask = options.password;
  if (ask === undefined) return [];
  return [
    {
      kind: 'password',
      async make() {
        const password = await ask(`${options.user}@${options.address}'s password:`);
        attempts.push(password === undefined ? 'password (none given)' : 'password');
        return password === undefined ? undefined : { type: 'password', username: options.user, password };
      },
    },
    {
      // Many servers ask for the password this way only (PAM). Only a single hidden question is a password.
      kind: 'keyboard-interactive',
      async make() {
        attempts.push('keyboard-interactive');
        return {
          type: 'keyboard-interactive',
          username: options.user,
          prompt(_name, _instructions, _language, prompts, answer) {
            const [only, ...others] = prompts;
            if (only === undefined || others.length > 0 || only.echo === true) return answer([]);
            ask(only.prompt).then(
              (password) => answer(password === undefined ? [] : [password]),
              () => answer([]),
            );
          },
        };
      },
    },
  ];
}

/** What is to be done where a node lets nobody in. It has nothing to do with it where it was shown no key. */
export function remedyForKeys(
  user: string,
  { wasShown, agentTrouble }: { readonly wasShown: boolean; readonly agentTrouble?: AgentTrouble | undefined },
): string {
  const keys = wasShown
    ? `Put the public key of one of these into ~${user}/.ssh/authorized_keys on the node, or offer another.`
    : 'The node was shown no key: name in identities a private key that is there, that only this user can read, and that the passphrase opens.';
  return agentTrouble === undefined ? keys : `${keys} Or: ${remedyForAgent(agentTrouble)}`;
}
