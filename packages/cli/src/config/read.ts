import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import { LineCounter, parseDocument } from 'yaml';
import { faultOfText, faultsOf, placeOf } from './faults.ts';
import { type Config, configSchema } from './schema.ts';

/** The file that is taken where none is named. */
export const defaultConfig = 'splitmirror.yaml';

/** The configuration cannot be used. The message names file, line and column of the first fault, and lists all. */
export class ConfigError extends SplitmirrorError {
  readonly code = 'USAGE';
}

/**
 * Reads a configuration file. Relative paths in it are relative to the file; `~/` is the home directory.
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
  const faults = document.errors.map(faultOfText);
  if (faults.length === 0) {
    const read = configSchema.safeParse(document.toJS());
    if (read.success) return absolute(read.data, dirname(resolve(file)));
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

function absolute(config: Config, base: string): Config {
  const path = (text: string) => resolve(base, text.replace(/^~(?=\/)/, homedir()));
  const maybe = <T, U>(value: T | undefined, change: (value: T) => U): U | undefined =>
    value === undefined ? undefined : change(value);
  const secret = (reference: Secret): Secret => ('file' in reference ? { file: path(reference.file) } : reference);
  const { ssh, archives, metrics, notify, groups } = config;
  return withoutUndefined({
    ...config,
    store: path(config.store),
    metrics: maybe(metrics, path),
    notify: maybe(notify, (each) => withoutUndefined({ ...each, webhook: maybe(each.webhook, secret) })),
    archives: withoutUndefined({
      ...archives,
      identity: maybe(archives.identity, path),
      restic: maybe(archives.restic, (restic) => ({
        ...restic,
        repository: secret(restic.repository),
        password: secret(restic.password),
      })),
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
        withoutUndefined({ ...group, ping: maybe(group.ping, secret) }),
      ]),
    ),
  });
}

type Secret = NonNullable<Config['ssh']['passphrase']>;

/** Settings that nobody set are not there at all. */
function withoutUndefined<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}
