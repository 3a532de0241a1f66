import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Where a secret is, instead of the secret: a file, a variable of the environment, or a command that prints it. What is read
 * is held in memory, given to the program that needs it through its environment, and never written anywhere.
 */
export type SecretReference =
  | { readonly file: string }
  | { readonly environment: string }
  | { readonly command: readonly [program: string, ...args: string[]] };

/**
 * Reads a secret; a final line feed is no part of it. A command that prints one is ended after a minute.
 *
 * @throws RangeError when there is none. The message names the reference, never what was read.
 */
export async function readSecret(reference: SecretReference): Promise<string> {
  const text = await textOf(reference).catch(() => {
    throw new RangeError(`nothing can be read from ${nameOf(reference)}`);
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '' || /[\r\n\0]/.test(secret)) {
    throw new RangeError(`${nameOf(reference)} does not hold one line`);
  }
  return secret;
}

async function textOf(reference: SecretReference): Promise<string> {
  if ('file' in reference) return readFile(reference.file, 'utf8');
  if ('environment' in reference) return process.env[reference.environment] ?? '';
  const [program, ...args] = reference.command;
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000, killSignal: 'SIGKILL' });
  return stdout;
}

function nameOf(reference: SecretReference): string {
  if ('file' in reference) return reference.file;
  return 'environment' in reference ? `the variable ${reference.environment}` : `the command ${reference.command[0]}`;
}
