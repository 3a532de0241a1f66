import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import { LineCounter, parseDocument } from 'yaml';
import { faultsOf, offsetOf, placeOf } from './faults.ts';
import { type Config, configSchema } from './schema.ts';
import { faultsOfText } from './text-faults.ts';

/** The file that is taken where none is named. */
export const defaultConfig = 'splitmirror.yaml';

/** The configuration cannot be used. The message names file, line and column of the first fault, and lists all. */
export class ConfigError extends SplitmirrorError {
  readonly code = 'USAGE';
}

/**
 * Reads a configuration file. Relative paths in it are relative to the file, also those of programs of this machine; `~/` is
 * the home directory.
 *
 * @throws ConfigError with every fault that was found.
 */
export async function readConfig(file: string): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new ConfigError(`${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Name the configuration with --config FILE; "splitmirror init" makes one.',
      cause,
    });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const faults = faultsOfText(document, lines);
  if (faults.length === 0) {
    const read = configSchema.safeParse(document.toJS());
    if (read.success) {
      const config = absolute(read.data, dirname(resolve(file)));
      places.set(config, (path) => `${file}:${placeOf(lines, offsetOf(document, path))}`);
      requireStoreOnMount(config);
      return config;
    }
    faults.push(...read.error.issues.flatMap((issue) => faultsOf(document, issue)));
  }
  const told = faults
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => `${file}:${placeOf(lines, offset)}: ${message}`);
  throw new ConfigError(told.join('\n'), {
    remedy:
      'Correct the file; the README of the command line describes every setting, "splitmirror schema" tells an editor.',
  });
}

const places = new WeakMap<Config, (path: readonly string[]) => string>();

/** What is wrong with one setting of a configuration that was read, with file, line and column. */
export function settingError(
  config: Config,
  path: readonly string[],
  message: string,
  options: { readonly remedy: string; readonly cause?: unknown },
): ConfigError {
  const place = places.get(config)?.(path) ?? 'configuration';
  return new ConfigError(`${place}: ${path.join('.')}: ${message}`, options);
}

function requireStoreOnMount(config: Config): void {
  const { store, storeMountPoint } = config;
  if (storeMountPoint === undefined || !relative(storeMountPoint, store).split('/').includes('..')) return;
  throw settingError(config, ['storeMountPoint'], `the store, ${store}, lies neither there nor below it`, {
    remedy: 'Name the directory on which the file system of the store is mounted, or leave it out.',
  });
}

function absolute(config: Config, base: string): Config {
  const path = (text: string) => resolve(base, text.replace(/^~(?=\/|$)/, homedir()));
  // Without a slash it is looked for in PATH.
  const program = (text: string) => (text.includes('/') ? path(text) : text);
  const words = ([first, ...rest]: Words): Words => [program(first), ...rest];
  const maybe = <T, U>(value: T | undefined, change: (value: T) => U): U | undefined =>
    value === undefined ? undefined : change(value);
  const secret = (reference: Secret): Secret => {
    if ('file' in reference) return { file: path(reference.file) };
    return 'command' in reference ? { command: words(reference.command) } : reference;
  };
  const { ssh, archives, metrics, notify, groups } = config;
  return withoutUndefined({
    ...config,
    store: path(config.store),
    storeMountPoint: maybe(config.storeMountPoint, path),
    metrics: maybe(metrics, path),
    notify: maybe(notify, (each) =>
      withoutUndefined({ ...each, command: maybe(each.command, words), webhook: maybe(each.webhook, secret) }),
    ),
    archives: withoutUndefined({
      ...archives,
      identity: maybe(archives.identity, path),
      restic: maybe(archives.restic, (restic) =>
        withoutUndefined({
          ...restic,
          repository: secret(restic.repository),
          password: secret(restic.password),
          program: maybe(restic.program, program),
        }),
      ),
    }),
    ssh: withoutUndefined({
      ...ssh,
      identities: ssh.identities.map(path),
      knownHosts: maybe(ssh.knownHosts, (files) => files.map(path)),
      passphrase: maybe(ssh.passphrase, secret),
    }),
    groups: Object.fromEntries(
      Object.entries(groups).map(([name, group]) => [
        name,
        withoutUndefined({
          ...group,
          ping: maybe(group.ping, secret),
          drills: maybe(group.drills, (drills) => withoutUndefined({ ...drills, probe: maybe(drills.probe, words) })),
        }),
      ]),
    ),
  });
}

type Secret = NonNullable<Config['ssh']['passphrase']>;
type Words = [program: string, ...args: string[]];

/** Settings that nobody set are not there at all. */
function withoutUndefined<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}
