import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { deadMansPing, readSecret, type SecretReference, webhook } from '@splitmirror/backup';
import { quote } from '@splitmirror/host';
import { type ConfigError, settingError } from './read.ts';
import type { Config } from './schema.ts';
import { secretRemedy } from './secrets.ts';

/** A setting that names something of this machine or of the network, and how it is looked at. */
interface NamedHere {
  readonly path: readonly string[];
  /** @throws what keeps it from being used. */
  readonly look: () => Promise<unknown>;
  readonly remedy: string;
}

/**
 * Looks for what the settings name on this machine: directories, programs, files, secrets. Runs none of the programs but
 * those that tell a secret. Of known hosts, and of a passphrase that opens no key, the login tells.
 *
 * @returns how much is named, and an error for each of it that cannot be used.
 */
export async function lookForNamed(
  config: Config,
): Promise<{ readonly count: number; readonly errors: readonly ConfigError[] }> {
  const named = namedBy(config);
  const looked = await Promise.allSettled(named.map(({ look }) => look()));
  const errors = looked.flatMap((each, index) => {
    const setting = named[index];
    if (each.status === 'fulfilled' || setting === undefined) return [];
    const { path, remedy } = setting;
    return [settingError(config, path, (each.reason as Error).message, { remedy })];
  });
  return { count: named.length, errors };
}

function namedBy({ ssh, archives, notify, metrics, groups }: Config): NamedHere[] {
  const of = <T>(value: T | undefined, make: (value: T) => NamedHere): NamedHere[] =>
    value === undefined ? [] : [make(value)];
  return [
    ...ssh.identities.map((file, index) => loginKey(['ssh', 'identities', String(index)], file)),
    ...of(ssh.passphrase, (reference) => secret(['ssh', 'passphrase'], reference)),
    ...of(archives.identity, (file) => readable(['archives', 'identity'], file)),
    ...of(archives.restic, ({ program = 'restic' }) => executable(['archives', 'restic', 'program'], program)),
    ...of(archives.restic, ({ repository }) => secret(['archives', 'restic', 'repository'], repository)),
    ...of(archives.restic, ({ password }) => secret(['archives', 'restic', 'password'], password)),
    ...of(notify?.command, ([program]) => executable(['notify', 'command'], program)),
    ...of(notify?.webhook, (reference) => secret(['notify', 'webhook'], reference, webhook)),
    ...of(metrics, (directory) => writable(['metrics'], directory)),
    ...Object.entries(groups).flatMap(([name, { ping, drills }]) => [
      ...of(ping, (reference) => secret(['groups', name, 'ping'], reference, deadMansPing)),
      ...of(drills?.probe, ([program]) => executable(['groups', name, 'drills', 'probe'], program)),
    ]),
  ];
}

/** @param accept Throws for what cannot be used. */
function secret(path: readonly string[], reference: SecretReference, accept?: (text: string) => unknown): NamedHere {
  const look = async () => {
    const text = await readSecret(reference);
    accept?.(text);
  };
  return { path, look, remedy: secretRemedy };
}

function executable(path: readonly string[], program: string): NamedHere {
  const remedy = 'Install it, or write its whole path: under cron, PATH is another one.';
  return { path, look: () => findProgram(program), remedy };
}

/** A private key, or the public half of one that an agent holds. */
function loginKey(path: readonly string[], file: string): NamedHere {
  const look = async () => {
    const text = await orSay(readFile(file, 'utf8'), `${file} is not there, or cannot be read by this user`);
    if (/^(?:ssh-|ecdsa-|sk-)/.test(text)) return;
    if (!/PRIVATE KEY-----|^PuTTY-User-Key-File-/.test(text)) throw new Error(`${file} holds no private key`);
    const { mode, uid } = await stat(file);
    // As OpenSSH asks it: of the files of others it cannot be asked.
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) throw new Error(`${file} can be read by others`);
  };
  return { path, look, remedy: `Name a private key that only this user can read: chmod 600 ${quote(file)}` };
}

function readable(path: readonly string[], file: string): NamedHere {
  const look = () => orSay(access(file, constants.R_OK), `${file} is not there, or cannot be read by this user`);
  return { path, look, remedy: 'Name a file that age-keygen wrote.' };
}

function writable(path: readonly string[], directory: string): NamedHere {
  const look = async () => {
    const found = await orSay(stat(directory), `the directory ${directory} is not there`);
    if (!found.isDirectory()) throw new Error(`${directory} is no directory`);
    await orSay(access(directory, constants.W_OK | constants.X_OK), `${directory} cannot be written by this user`);
  };
  return { path, look, remedy: `Make it, for the user who backs up: mkdir -p ${directory}` };
}

async function orSay<T>(work: Promise<T>, message: string): Promise<T> {
  return work.catch((cause) => {
    throw new Error(message, { cause });
  });
}

/**
 * Finds a program as a shell would.
 *
 * @throws Error that says why it cannot be run.
 */
export async function findProgram(program: string): Promise<string> {
  const places = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, program));
  let why = program.includes('/') ? `${program} is not there` : `there is no program ${program} in PATH`;
  for (const place of places) {
    const isFile = await stat(place).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isFile) continue;
    const canRun = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (canRun) return place;
    why = `${place} may not be executed`;
  }
  throw new Error(why);
}
