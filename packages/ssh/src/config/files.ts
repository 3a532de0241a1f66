import { access, readdir, readFile } from 'node:fs/promises';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { longestTimerSeconds } from '@splitmirror/host';
import { SshSettingsError } from '../algorithms.ts';
import type { SshOptions } from '../options.ts';
import { matchesPattern } from '../patterns.ts';
import { type Asker, type ConfigFile, type Jump, type ResolvedSettings, resolveSettings } from './settings.ts';

/** Where a name is looked up. */
export interface ConfigLookup {
  /** Files in the order in which they count; default `~/.ssh/config` and `/etc/ssh/ssh_config`. A missing one says nothing. */
  readonly files?: readonly string[] | undefined;
  /** Login name that counts instead of the files'. */
  readonly user?: string | undefined;
  /** Port that counts instead of the files'. */
  readonly port?: number | undefined;
}

/** How the ssh configuration reaches a name. */
export interface ConfiguredOptions {
  readonly options: SshOptions;
  /** What the files say and is not done, one sentence each. */
  readonly notes: readonly string[];
}

/** Jump hosts that may themselves be reached through others. */
const maxJumps = 8;
/** The system client's own list of keys, in its order. */
const usualKeys = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'];

/**
 * Looks a name up in `~/.ssh/config` and the system's file, the jump hosts too, and makes options of what they say. No
 * program is run for it.
 *
 * @param alias A name as one would give it to `ssh`.
 * @throws ParseError or SshSettingsError at what is not understood.
 */
export async function configuredOptions(alias: string, lookup: ConfigLookup = {}): Promise<ConfiguredOptions> {
  const asker = currentAsker();
  const own = join(asker.home, '.ssh', 'config');
  const system = '/etc/ssh/ssh_config';
  const names = lookup.files ?? [own, system];
  const files = (await Promise.all(names.map((name) => loadConfig(name, name === system)))).flat();
  const usual = await existing(usualKeys.map((name) => join(asker.home, '.ssh', name)));
  const notes = new Set<string>();

  const optionsOf = (settings: ResolvedSettings, jumps: readonly SshOptions[]): SshOptions => {
    for (const note of settings.notes) notes.add(note);
    return toOptions(settings, usual, jumps);
  };
  const routeTo = (hops: readonly Jump[], passed: readonly string[]): SshOptions[] => {
    const route: SshOptions[] = [];
    for (const [index, hop] of hops.entries()) {
      const settings = resolveSettings(hop.name, files, asker, hop);
      if (passed.includes(hop.name) || passed.length > maxJumps) {
        throw new SshSettingsError(`${alias}: the way through ${[...passed, hop.name].join(', ')} does not end`, {
          remedy: 'Correct ProxyJump in the ssh configuration.',
        });
      }
      // Only the first is reached in a way of its own; each other one through those before it.
      if (index === 0) route.push(...routeTo(settings.proxyJump, [...passed, hop.name]));
      route.push(optionsOf(settings, []));
    }
    return route;
  };
  const settings = resolveSettings(alias, files, asker, lookup);
  const options = optionsOf(settings, routeTo(settings.proxyJump, [alias]));
  return { options, notes: [...notes] };
}

/** Options that mean what these settings say. */
function toOptions(
  settings: ResolvedSettings,
  usualKeyFiles: readonly string[],
  jumps: readonly SshOptions[],
): SshOptions {
  const { userKnownHostsFiles, globalKnownHostsFiles, identityFiles, identityAgent } = settings;
  const home = homedir();
  const some = <T>(value: T | null): T | undefined => value ?? undefined;
  const seconds = (value: number | null) => (value === null ? undefined : Math.min(value, longestTimerSeconds));
  return {
    address: settings.hostName,
    port: settings.port,
    user: settings.user,
    identities: (identityFiles.length > 0 ? identityFiles : usualKeyFiles).map((file) => ({ file })),
    identitiesOnly: settings.identitiesOnly,
    agent: some(identityAgent),
    certificates: settings.certificateFiles,
    knownHosts: [
      ...(userKnownHostsFiles ?? [join(home, '.ssh', 'known_hosts'), join(home, '.ssh', 'known_hosts2')]),
      ...(globalKnownHostsFiles ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    ],
    hostKeyAlias: some(settings.hostKeyAlias),
    revokedHostKeys: some(settings.revokedHostKeys),
    unknownHostKey: settings.strictHostKeyChecking === 'accept-new' ? 'accept-new' : 'refuse',
    jumps,
    // The tokens are resolved; ssh would look for some in what they stood for.
    proxyCommand: settings.proxyCommand?.replaceAll('%', '%%'),
    connectSeconds: seconds(settings.connectTimeout),
    keepaliveSeconds: seconds(settings.serverAliveInterval),
    keepaliveCount: some(settings.serverAliveCountMax),
    algorithms: {
      kex: some(settings.kexAlgorithms),
      hostKeys: some(settings.hostKeyAlgorithms),
      ciphers: some(settings.ciphers),
      macs: some(settings.macs),
    },
    gssapi: settings.gssapiAuthentication,
    pkcs11Provider: some(settings.pkcs11Provider),
    securityKeyProvider: some(settings.securityKeyProvider),
  };
}

/** Reads a file and what it includes; none when there is no such file. */
async function loadConfig(file: string, system = false, depth = 0): Promise<ConfigFile[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new SshSettingsError(`${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Make it readable.',
      cause,
    });
  }
  const patterns = [...text.matchAll(/^[ \t]*include(?:[ \t]*=[ \t]*|[ \t]+)(.*)$/gim)].flatMap(([, list = '']) =>
    [...list.matchAll(/"([^"]*)"|[^\s"]+/g)].map(([word, quoted]) => quoted ?? word),
  );
  // One deeper than what is followed, so that whoever follows it finds out.
  const wanted = depth > 16 ? [] : [...new Set(patterns)];
  const included = wanted.map(async (pattern): Promise<[string, ConfigFile[]]> => {
    const found = await filesLike(pattern, system ? '/etc/ssh' : join(homedir(), '.ssh'));
    return [pattern, (await Promise.all(found.map((name) => loadConfig(name, system, depth + 1)))).flat()];
  });
  return [{ file, text, includes: Object.fromEntries(await Promise.all(included)), system }];
}

/** The files that a pattern with `*` and `?` stands for, sorted as a shell would. */
async function filesLike(pattern: string, base: string): Promise<string[]> {
  // What newer clients replace in a pattern, older ones look for by that name.
  if (/[[\]%]|\$\{|^~[^/]/.test(pattern)) {
    throw new SshSettingsError(`Include ${pattern} is not understood`, {
      remedy: 'Write the path out; * and ? stand for any characters, ~/ for your home directory.',
    });
  }
  const path = pattern.replace(/^~(?=\/)/, homedir());
  const absolute = isAbsolute(path) ? path : join(base, path);
  if (!/[*?]/.test(absolute)) return [absolute];
  const folders = await filesLike(dirname(absolute), base);
  const last = absolute.slice(dirname(absolute).length).replace(/^\//, '');
  const listed = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    const fitting = names.filter(
      (name) => matchesPattern(last, name) && (last.startsWith('.') || !name.startsWith('.')),
    );
    return fitting.sort().map((name) => join(folder, name));
  });
  return (await Promise.all(listed)).flat();
}

async function existing(files: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    files.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_, index) => there[index]);
}

function currentAsker(): Asker {
  const { username, uid } = userInfo();
  return { user: username, home: homedir(), uid, host: hostname(), environment: process.env };
}
