import { TransportError } from '@splitmirror/host';
import { agentOf, socketTrouble } from '../keys/agent.ts';
import { remedyForKeys } from '../keys/authentication.ts';
import type { SshOptions } from '../options.ts';
import { stationsOf } from '../stations.ts';
import { notKept } from '../trust/accept-key.ts';

/** What the system's client wrote when it did not get in. */
export interface ClientLog {
  /** The jump hosts' clients on stderr. */
  readonly hops: string;
  /** The node's client. */
  readonly node: string;
}

/**
 * Tells what a client's log, written at level DEBUG1, means.
 *
 * @param unopened Keys that ssh was not given, and why.
 * @param fingerprintAt Fingerprint of the key in a line of known_hosts, named as `file:line`.
 */
export function failureOf(
  host: string,
  options: SshOptions,
  log: ClientLog,
  unopened: readonly string[],
  fingerprintAt: (at: string) => string | undefined,
): TransportError {
  const text = tellingPart(options, log);
  const known = keyFailure(host, options, text, fingerprintAt) ?? loginFailure(host, options, text, unopened);
  if (known !== undefined) return known;
  const said = messages(text).at(-1) ?? 'ssh ended without a word';
  return new TransportError('HOST_UNREACHABLE', host, `cannot connect to ${place(options)}: ${said}`, {
    remedy:
      remedyForNothingInCommon(said) ??
      'Check the address, the port, the firewall, and that sshd runs on the node (lssrc -s sshd).',
  });
}

/** The option for each thing that both sides have to agree on, in ssh's words. */
const optionOf: Readonly<Record<string, string>> = {
  'key exchange method': 'kex',
  'host key type': 'hostKeys',
  cipher: 'ciphers',
  MAC: 'macs',
};

function remedyForNothingInCommon(said: string): string | undefined {
  const [, what = '', offer = ''] = /no matching (.*) found\. Their offer: (\S+)/.exec(said) ?? [];
  const option = optionOf[what];
  if (option === undefined) return undefined;
  return `Nothing is left that both sides know. If this node can do no better, name one of ${offer} in its settings: algorithms: { ${option}: '+${offer.split(',')[0]}' }.`;
}

/** An unknown key that was accepted and could not be written down: ssh goes on all the same, and would take any other next time. */
export function unkeptKey(host: string, log: ClientLog): TransportError | undefined {
  const said = messages(log.hops + log.node).find((line) => line.startsWith('Failed to add the host to'));
  const [, file] = /\((.*)\)/.exec(said ?? '') ?? [];
  return file === undefined ? undefined : notKept(host, file, 'ssh could not write it');
}

/** The node turned the connection away before any login, as sshd does when too many are logging in (MaxStartups). */
export function isTurnedAway(options: SshOptions, log: ClientLog): boolean {
  const text = tellingPart(options, log);
  return /kex_exchange_identification: (?:Connection closed by remote host|read: Connection reset)|Not allowed at this time/.test(
    text,
  );
}

/**
 * The log of whoever knows the reason: the node's client, or a jump host's as long as not all of them have let us in and on;
 * then the node's client only knows that nobody answers.
 */
function tellingPart(options: SshOptions, log: ClientLog): string {
  const jumps = stationsOf(options).length - 1;
  if (jumps === 0) return log.node;
  const passed = [...log.hops.matchAll(/^(?:debug1: )?Authenticated to /gm)].length >= jumps;
  return passed && !/open failed: |forwarding failed/.test(log.hops) ? log.node : log.hops;
}

/** What was agreed on, as ssh tells at level DEBUG1. */
export function agreedAlgorithms(text: string): string[] {
  const names = [...text.matchAll(/^debug1: kex: (?:algorithm|host key algorithm): (\S+)/gm)].map(([, name]) => name);
  const ciphers = [...text.matchAll(/^debug1: kex: \S+ cipher: (\S+) MAC: (\S+)/gm)].flatMap(([, ...pair]) => pair);
  return [...new Set([...names, ...ciphers].filter((name) => name !== undefined && !name.startsWith('<')))] as string[];
}

/** What ssh said, without its remarks for those who look for faults. */
export function messages(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== '' && !/^debug\d: /.test(line));
}

function keyFailure(
  host: string,
  options: SshOptions,
  text: string,
  fingerprintAt: (at: string) => string | undefined,
): TransportError | undefined {
  const [, type = 'a key', print = ''] =
    [...text.matchAll(/^debug1: Server host (?:key|certificate): (\S+) (\S+)/gm)].at(-1) ?? [];
  const presented = `${type} ${print.replace(/,$/, '')}`;
  const [, list] = /^Host key \S+ \S+ revoked by file (.+)$/m.exec(text) ?? [];
  if (list !== undefined || /REVOKED HOST KEY DETECTED|[Hh]ost key .* (?:is|has been) revoked/.test(text)) {
    return new TransportError('HOST_KEY_CHANGED', host, `${place(options)} presents ${presented}, which is revoked`, {
      remedy: `The key ${list === undefined ? 'is marked @revoked in known_hosts' : `stands in ${list}`}: give the node a new key, or find out who answers in its place.`,
    });
  }
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(text)) {
    const offending = [...text.matchAll(/^(?:Offending|Matching) (\S+) key in (.+):(\d+)$/gm)].map(
      ([, kind, file, line]) =>
        `${kind} ${fingerprintAt(`${file}:${line}`) ?? '(fingerprint unreadable)'} (${file}:${line})`,
    );
    return new TransportError(
      'HOST_KEY_CHANGED',
      host,
      `${place(options)} presents ${presented}, but trusted is ${offending.join(', ') || 'another'}`,
      {
        remedy: `Someone may be answering in the node's place. Find out why its key changed before you replace a line of known_hosts.`,
      },
    );
  }
  const [, unknown] = /^No \S+ host key is known for (.+) and you have requested strict checking/m.exec(text) ?? [];
  if (unknown === undefined && !/^Host key verification failed/m.test(text)) return undefined;
  const name = unknown ?? options.address;
  const port = /\]:(\d+)$/.exec(name)?.[1];
  const asked = `ssh-keyscan ${port === undefined ? '' : `-p ${port} `}${name.replace(/^\[|\](?::\d+)?$/g, '')}`;
  return new TransportError('HOST_KEY_UNKNOWN', host, `no trusted key is known for ${name}; it presents ${presented}`, {
    remedy: `Compare the fingerprint with the node's own (on its console: ssh-keygen -l -f /etc/ssh/ssh_host_..._key.pub). If it is the same, add the line that "${asked}" prints to your known_hosts.`,
  });
}

function loginFailure(
  host: string,
  options: SshOptions,
  text: string,
  unopened: readonly string[],
): TransportError | undefined {
  const said = messages(text).find((line) =>
    /Permission denied \(|Too many authentication failures|[Nn]o (?:more|supported) authentication methods/.test(line),
  );
  if (said === undefined) return undefined;
  const tried = [...text.matchAll(/^debug1: (?:Offering public key|Next authentication method): (.*)$/gm)]
    .map(([, one = '']) => one.replace(/ explicit$/, ''))
    .filter((one) => one !== 'publickey');
  const unusable = [...text.matchAll(/^(?:no such identity: |Load key ")([^"\n]+?)"?: (.*)$/gm)].map(
    ([, file, why = '']) => `key ${file} (${why.trim()})`,
  );
  const [, silence] = /^debug1: get_agent_identities: ssh_get_authentication_socket: (.*)$/m.exec(text) ?? [];
  const agentTrouble = silence === undefined ? undefined : socketTrouble(agentOf(options) || 'none', silence.trim());
  const agent = agentTrouble === undefined ? [] : [`agent ${agentTrouble.path} (${agentTrouble.reason})`];
  const closed = options.password === undefined ? '' : ' This adapter asks nobody for a password; the other one does.';
  return new TransportError(
    'HOST_AUTHENTICATION',
    host,
    `${options.user} was not let in (${said.trim()}); tried ${[...unopened, ...unusable, ...agent, ...tried].join(', ') || 'nothing: no key could be offered'}`,
    {
      remedy: `${remedyForKeys(options.user, { wasShown: tried.length > 0, agentTrouble })}${closed}`,
    },
  );
}

function place(options: SshOptions): string {
  const [first, ...others] = stationsOf(options).map((one) => `${one.address} port ${one.port ?? 22}`);
  return [first, ...others].reverse().join(' through ');
}
