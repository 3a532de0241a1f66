import { createHash } from 'node:crypto';
import { ParseError } from '@splitmirror/host';
import SSHConfig, { type Directive, type Line } from 'ssh-config';
import { SshSettingsError } from '../algorithms.ts';
import { matchesPattern } from '../patterns.ts';
import { isKnownKeyword } from './known-keywords.ts';

/** A file of settings in the format of ssh_config, with everything that it includes. */
export interface ConfigFile {
  /** Its path, for errors. */
  readonly file: string;
  readonly text: string;
  /** For each pattern of an `Include`, as it is spelled, the files that it stands for. */
  readonly includes: Readonly<Record<string, readonly ConfigFile[]>>;
  /** The system's own: whatever a distribution ships with is no wish of the user. */
  readonly system?: boolean | undefined;
}

/** Who asks, and where: what tokens such as `%u` stand for. */
export interface Asker {
  /** Local user name (`%u`). */
  readonly user: string;
  /** Home directory (`%d`, `~`). */
  readonly home: string;
  /** Numeric user id (`%i`). */
  readonly uid: number;
  /** Local host name (`%l`; its first part is `%L`). */
  readonly host: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A host on the way: a name that may itself stand in the configuration. */
export interface Jump {
  readonly name: string;
  readonly user: string | null;
  readonly port: number | null;
}

/** What the configuration says about one name. `null`: nothing. Tokens and `~` are resolved. */
export interface ResolvedSettings {
  readonly alias: string;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** Empty when none is named: then it is the client's own list. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket, `false` for none. */
  readonly identityAgent: string | false | null;
  readonly certificateFiles: readonly string[];
  readonly userKnownHostsFiles: readonly string[] | null;
  readonly globalKnownHostsFiles: readonly string[] | null;
  readonly strictHostKeyChecking: 'yes' | 'no' | 'ask' | 'accept-new' | null;
  readonly hostKeyAlias: string | null;
  /** File of host keys that are refused whatever else is known. */
  readonly revokedHostKeys: string | null;
  readonly proxyJump: readonly Jump[];
  readonly proxyCommand: string | null;
  /** Seconds. */
  readonly connectTimeout: number | null;
  readonly serverAliveInterval: number | null;
  readonly serverAliveCountMax: number | null;
  readonly ciphers: string | null;
  readonly macs: string | null;
  readonly kexAlgorithms: string | null;
  readonly hostKeyAlgorithms: string | null;
  readonly gssapiAuthentication: boolean;
  readonly pkcs11Provider: string | null;
  readonly securityKeyProvider: string | null;
  /** What was passed over, and why, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Settings that are taken; of all but the last two the first value counts. Every other keyword is passed over: with a note
 * where it is none that ssh knows, which would refuse the whole file for it, unless `IgnoreUnknown` allows it.
 */
const keywords = new Set([
  'hostname',
  'port',
  'user',
  'identitiesonly',
  'identityagent',
  'userknownhostsfile',
  'globalknownhostsfile',
  'stricthostkeychecking',
  'hostkeyalias',
  'revokedhostkeys',
  'proxyjump',
  'proxycommand',
  'connecttimeout',
  'serveraliveinterval',
  'serveralivecountmax',
  'ciphers',
  'macs',
  'kexalgorithms',
  'hostkeyalgorithms',
  'gssapiauthentication',
  'pkcs11provider',
  'securitykeyprovider',
  'identityfile',
  'certificatefile',
]);
const collected: ReadonlySet<string> = new Set(['identityfile', 'certificatefile']);
/** Settings that change the way or what is trusted, and are passed over with a note unless they say this. */
const noted: Readonly<Record<string, RegExp>> = {
  addressfamily: /^any$/i,
  bindaddress: /^$/,
  bindinterface: /^$/,
  canonicalizehostname: /^(?:no|false)$/i,
  knownhostscommand: /^none$/i,
  pubkeyacceptedalgorithms: /^$/,
  pubkeyacceptedkeytypes: /^$/,
};
const manyValued: ReadonlySet<string> = new Set(['userknownhostsfile', 'globalknownhostsfile']);
/** ssh itself follows no deeper. */
const maxIncludes = 16;

/**
 * What a configuration says about a name, as `ssh -G` would tell. Pure: nothing is read, looked up, or run. A `Match` that
 * would run a program (`exec`), or rests on what only a connection can tell, does not match, and a note says so.
 *
 * @param files In the order in which they count: the user's before the system's.
 * @param given What is already decided, as on a command line.
 * @throws {@link ParseError} at a line that cannot be read as ssh reads it; {@link SshSettingsError} at a value.
 * @see https://man.openbsd.org/ssh_config
 */
export function resolveSettings(
  alias: string,
  files: readonly ConfigFile[],
  asker: Asker,
  given: { readonly user?: string | null | undefined; readonly port?: number | null | undefined } = {},
): ResolvedSettings {
  const found: Found = { alias, asker, values: new Map(), notes: new Set(), mayBeUnknown: [] };
  if (given.user) found.values.set('user', [given.user]);
  if (given.port !== undefined && given.port !== null) found.values.set('port', [String(given.port)]);
  for (const file of files) readFile(file, found, true, 0);
  return settingsOf(found);
}

interface Found {
  readonly alias: string;
  readonly asker: Asker;
  readonly values: Map<string, string[]>;
  readonly notes: Set<string>;
  /** Patterns of `IgnoreUnknown`. */
  readonly mayBeUnknown: string[];
}

function readFile(source: ConfigFile, found: Found, active: boolean, depth: number): void {
  if (depth > maxIncludes)
    throw new SshSettingsError(`${source.file} is included too deeply`, {
      remedy: 'Look for a file that includes itself.',
    });
  let applies = active;
  for (const directive of directivesOf(source)) {
    const keyword = directive.param.toLowerCase();
    const words = wordsOf(directive, source);
    if (keyword === 'host') applies = active && matchesHost(words, found.alias);
    else if (keyword === 'match') applies = active && matchesCriteria(words, found, source, directive);
    else if (keyword === 'include') {
      for (const pattern of applies ? words : []) {
        for (const file of source.includes[pattern] ?? []) readFile(file, found, true, depth + 1);
      }
    } else if (!applies) continue;
    else if (keywords.has(keyword)) take(keyword, words, found, source, directive);
    else if (keyword === 'ignoreunknown') found.mayBeUnknown.push(...words.join(',').toLowerCase().split(','));
    else if (!(noted[keyword]?.test(words.join(' ')) ?? true)) {
      found.notes.add(`${source.file}: ${directive.param} is passed over`);
    } else if (!isKnownKeyword(keyword) && !found.mayBeUnknown.some((pattern) => matchesPattern(pattern, keyword))) {
      found.notes.add(`${source.file}: ${directive.param} is passed over: it is no keyword that is known here`);
    }
  }
}

function take(keyword: string, words: string[], found: Found, source: ConfigFile, directive: Directive): void {
  if (words.length > 1 && !manyValued.has(keyword)) throw unread(source, directive, 'more than one value');
  if (keyword === 'gssapiauthentication' && source.system) return;
  const { values } = found;
  // Whichever of the two comes first makes the way; the other then says nothing.
  if (keyword === 'proxyjump' && values.has('proxycommand')) return;
  if (keyword === 'proxycommand' && (values.get('proxyjump')?.[0] ?? 'none').toLowerCase() !== 'none') return;
  const earlier = values.get(keyword);
  if (earlier === undefined) values.set(keyword, words);
  else if (collected.has(keyword)) values.set(keyword, [...new Set([...earlier, ...words])]);
}

/** All lines that say something, in their order; the parser hangs those of a section under its head. */
function directivesOf(source: ConfigFile): Directive[] {
  let lines: Line[];
  refuseAmbiguous(source);
  try {
    lines = [...SSHConfig.parse(source.text)];
  } catch (cause) {
    throw new ParseError(source.file, (cause as Error).message, { line: 1, text: source.text });
  }
  const flat = (line: Line): Directive[] => {
    if (line.type !== SSHConfig.DIRECTIVE) return [];
    return 'config' in line ? [line, ...[...line.config].flatMap(flat)] : [line];
  };
  return lines.flatMap(flat);
}

/** What ssh reads in one way and the parser in another is refused, with its line. */
function refuseAmbiguous(source: ConfigFile): void {
  for (const [index, text] of source.text.split(/\r?\n|\r/).entries()) {
    const line = text.trim();
    if (line === '' || line.startsWith('#')) continue;
    const refuse = (reason: string) => {
      throw new ParseError(source.file, reason, { line: index + 1, text });
    };
    const [, keyword = '', value = ''] = /^([^\s=]+)(?:\s*=\s*|\s+)?(.*)$/.exec(line) ?? [];
    if (!/^[A-Za-z0-9]+$/.test(keyword)) refuse('not a keyword');
    if (value === '' || value.startsWith('#')) refuse('a keyword without a value');
    if (/^proxycommand$/i.test(keyword)) {
      if (value.includes('#')) refuse('a # within a command');
    } else {
      if (/[^\s]#/.test(value)) refuse('a # within a word');
      if (/['\\]/.test(value) || !/^(?:[^"\s]+|"[^"]*")(?:\s+(?:[^"\s]+|"[^"]*"))*$/.test(value))
        refuse('quoted in an unusual way');
    }
  }
}

function wordsOf(directive: Directive, source: ConfigFile): string[] {
  const { value, param } = directive;
  if (/^proxycommand$/i.test(param)) return [rawCommand(directive)];
  if (typeof value !== 'string') return value.map(({ val }) => val);
  // The parser splits some keywords at blanks and leaves the others whole.
  const words = directive.quoted || /^(?:host|match|include)$/i.test(param) ? [value] : value.split(/[ \t]+/);
  if (words.some((word) => word === '')) throw unread(source, directive, 'an empty value');
  return words;
}

/** A command is one value, blanks and quotes included. */
function rawCommand({ value }: Directive): string {
  if (typeof value === 'string') return value;
  return value
    .map(({ val, separator, quoted }) => `${separator}${quoted ? `"${val}"` : val}`)
    .join('')
    .trim();
}

function matchesHost(patterns: readonly string[], alias: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), alias))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, alias));
}

function matchesCriteria(words: readonly string[], found: Found, source: ConfigFile, directive: Directive): boolean {
  const { values, alias, asker, notes } = found;
  const pass = (why: string) => {
    notes.add(`${source.file}: "Match ${words.join(' ')}" is passed over: ${why}`);
    return false;
  };
  let matched = true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const negated = word.startsWith('!');
    const criterion = word.slice(negated ? 1 : 0).toLowerCase();
    if (criterion === 'all') {
      if (words.length > 1) throw unread(source, directive, 'all does not go with other criteria');
      return !negated;
    }
    if (criterion === 'canonical' || criterion === 'final')
      return pass('names are not looked up and read a second time');
    const argument = words[++at];
    if (argument === undefined) throw unread(source, directive, `no value for ${criterion}`);
    if (criterion === 'exec') return pass('no program is ever run to read settings');
    const subject = {
      host: expandHost(values.get('hostname')?.[0], alias),
      originalhost: alias,
      user: values.get('user')?.[0] ?? asker.user,
      localuser: asker.user,
    }[criterion];
    if (subject === undefined) return pass(`${criterion} is not known here`);
    const fold = criterion.endsWith('host') ? (text: string) => text.toLowerCase() : (text: string) => text;
    if (matchesList(fold(argument), fold(subject)) === negated) matched = false;
  }
  return matched;
}

/** A pattern list with commas, in which one negated pattern that matches decides. */
function matchesList(list: string, subject: string): boolean {
  return matchesHost(list.split(','), subject);
}

function expandHost(hostName: string | undefined, alias: string): string {
  return hostName === undefined ? alias : expand(hostName, { h: alias });
}

function settingsOf(found: Found): ResolvedSettings {
  const { alias, asker, values, notes } = found;
  const one = (keyword: string) => values.get(keyword)?.[0] ?? null;
  const hostName = expandHost(one('hostname') ?? undefined, alias).toLowerCase();
  const port = whole(one('port'), 'Port', 65_535) ?? 22;
  const user = one('user') ?? asker.user;
  const tokens = {
    d: asker.home,
    h: hostName,
    i: String(asker.uid),
    k: one('hostkeyalias')?.toLowerCase() ?? alias,
    L: asker.host.split('.')[0] ?? '',
    l: asker.host,
    n: alias,
    p: String(port),
    r: user,
    u: asker.user,
    C: createHash('sha1').update(`${asker.host}${hostName}${port}${user}`).digest('hex'),
  };
  const path = (text: string) => expand(atHome(fromEnvironment(text, asker), asker.home), tokens);
  const paths = (keyword: string) =>
    values
      .get(keyword)
      ?.filter((file) => file !== 'none')
      .map(path) ?? null;
  const strict = one('stricthostkeychecking');
  if (strict === 'no' || strict === 'off') {
    notes.add(
      `StrictHostKeyChecking ${strict} is passed over: a key that nobody knows is refused, unless accept-new says otherwise`,
    );
  }
  const command = one('proxycommand');
  return {
    alias,
    hostName,
    port,
    user,
    identityFiles: paths('identityfile') ?? [],
    identitiesOnly: yes(one('identitiesonly'), 'IdentitiesOnly'),
    identityAgent: agent(one('identityagent'), asker, path),
    certificateFiles: paths('certificatefile') ?? [],
    userKnownHostsFiles: paths('userknownhostsfile'),
    globalKnownHostsFiles: paths('globalknownhostsfile'),
    strictHostKeyChecking: strictness(strict),
    hostKeyAlias: one('hostkeyalias')?.toLowerCase() ?? null,
    revokedHostKeys: paths('revokedhostkeys')?.[0] ?? null,
    proxyJump: jumps(one('proxyjump')),
    proxyCommand: command === null || command.toLowerCase() === 'none' ? null : expand(command, tokens),
    connectTimeout: seconds(one('connecttimeout'), 'ConnectTimeout'),
    serverAliveInterval: seconds(one('serveraliveinterval'), 'ServerAliveInterval'),
    serverAliveCountMax: whole(one('serveralivecountmax'), 'ServerAliveCountMax', 2 ** 31 - 1),
    ciphers: one('ciphers'),
    macs: one('macs'),
    kexAlgorithms: one('kexalgorithms'),
    hostKeyAlgorithms: one('hostkeyalgorithms'),
    gssapiAuthentication: yes(one('gssapiauthentication'), 'GSSAPIAuthentication'),
    pkcs11Provider: noneless(one('pkcs11provider')),
    securityKeyProvider: one('securitykeyprovider') === 'internal' ? null : noneless(one('securitykeyprovider')),
    notes: [...notes],
  };
}

/** `[user@]host[:port]` or `ssh://...`, several with commas. */
function jumps(text: string | null): Jump[] {
  if (text === null || text.toLowerCase() === 'none') return [];
  return text.split(',').map((hop) => {
    const [, user = null, bracketed, plain, port = null] =
      /^(?:ssh:\/\/)?(?:([^@\s]+)@)?(?:\[([^\]]+)\]|([^:@/\s[\]]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::(\d+))?\/?$/.exec(
        hop,
      ) ?? [];
    const name = bracketed ?? plain;
    if (name === undefined || name.startsWith('-')) throw wrong('ProxyJump', text);
    return { name, user, port: whole(port, 'ProxyJump', 65_535) };
  });
}

function strictness(text: string | null): ResolvedSettings['strictHostKeyChecking'] {
  switch (text?.toLowerCase()) {
    case undefined:
      return null;
    case 'yes':
    case 'true':
      return 'yes';
    case 'no':
    case 'off':
    case 'false':
      return 'no';
    case 'ask':
    case 'accept-new':
      return text?.toLowerCase() as 'ask' | 'accept-new';
    default:
      throw wrong('StrictHostKeyChecking', text ?? '');
  }
}

function yes(text: string | null, keyword: string): boolean {
  if (text === null || /^(?:no|false)$/i.test(text)) return false;
  if (/^(?:yes|true)$/i.test(text)) return true;
  throw wrong(keyword, text);
}

function whole(text: string | null, keyword: string, most: number): number | null {
  if (text === null) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) throw wrong(keyword, text);
  return value;
}

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A time as ssh_config spells it, for instance `90` or `1m30s`; `none` and 0 are no limit. */
function seconds(text: string | null, keyword: string): number | null {
  if (text === null || text === 'none') return null;
  if (!/^(?:\d+[smhdwSMHDW]?)+$/.test(text)) throw wrong(keyword, text);
  let sum = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+)([a-z]?)/gi))
    sum += Number(count) * (unitSeconds[unit.toLowerCase()] ?? 0);
  return sum || null;
}

function agent(text: string | null, asker: Asker, path: (text: string) => string): string | false | null {
  if (text === null) return null;
  if (text === 'none') return false;
  if (text === 'SSH_AUTH_SOCK') return asker.environment.SSH_AUTH_SOCK ?? false;
  if (text.startsWith('$') && !text.startsWith('${')) return asker.environment[text.slice(1)] ?? false;
  return path(text);
}

function noneless(text: string | null): string | null {
  return text === 'none' ? null : text;
}

function atHome(text: string, home: string): string {
  if (text === '~' || text.startsWith('~/')) return `${home}${text.slice(1)}`;
  if (text.startsWith('~')) throw wrong("another user's home directory", text);
  return text;
}

function fromEnvironment(text: string, asker: Asker): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = asker.environment[name];
    if (value === undefined) throw wrong('environment variable', `\${${name}}`);
    return value;
  });
}

function expand(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replace(/%(.?)/gs, (token, letter: string) => {
    if (letter === '%') return '%';
    const value = Object.hasOwn(tokens, letter) ? tokens[letter] : undefined;
    if (value === undefined) throw wrong('token', token);
    return value;
  });
}

function wrong(keyword: string, text: string): SshSettingsError {
  return new SshSettingsError(`${keyword}: ${JSON.stringify(text)} is not understood`, {
    remedy: 'Correct the ssh configuration, or describe the node without it.',
  });
}

function unread(source: ConfigFile, directive: Directive, reason: string): ParseError {
  const text = `${directive.param}${directive.separator}`;
  const before = source.text.slice(0, Math.max(0, source.text.indexOf(text)));
  return new ParseError(source.file, reason, { line: before.split('\n').length, text });
}
