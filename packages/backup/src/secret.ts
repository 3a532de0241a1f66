import { type ExecFileException, execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { displayName } from '@splitmirror/archive';

/**
 * Where a secret is, instead of the secret: a file, a variable of the environment, or a command that prints it. What is read
 * is held in memory, given to the program that needs it through its environment, and never written anywhere.
 */
export type SecretReference =
  | { readonly file: string }
  | { readonly environment: string }
  | { readonly command: readonly [program: string, ...args: string[]] };

/** How long a secret is waited for. */
export interface SecretOptions {
  readonly signal?: AbortSignal | undefined;
  /** Seconds after which a command is killed, which may wait for an agent or a token; default 30. */
  readonly timeoutSeconds?: number | undefined;
}

/**
 * Reads a secret; a final line feed is no part of it. A command gets no input.
 *
 * @throws RangeError when there is none; the signal's reason when it has aborted. The message names the reference, and of a
 * command that failed how it ended and the last line that it wrote to stderr: never what was read, nor what it printed.
 */
export async function readSecret(reference: SecretReference, options: SecretOptions = {}): Promise<string> {
  options.signal?.throwIfAborted();
  const secret = (await textOf(reference, options)).replace(/\r?\n$/, '');
  if (secret === '') throw new RangeError(`${nameOf(reference)} tells nothing`);
  if (/[\r\n\0]/.test(secret)) throw new RangeError(`${nameOf(reference)} tells more than one line`);
  return secret;
}

async function textOf(reference: SecretReference, options: SecretOptions): Promise<string> {
  if ('command' in reference) return tellOf(reference, options);
  if ('environment' in reference) {
    const value = process.env[reference.environment];
    if (value === undefined) throw new RangeError(`${nameOf(reference)} is not set`);
    return value;
  }
  const { signal } = options;
  return readFile(reference.file, { encoding: 'utf8', signal }).catch((cause: NodeJS.ErrnoException) => {
    signal?.throwIfAborted();
    throw new RangeError(`${nameOf(reference)} cannot be read: ${cause.code}`);
  });
}

/** What a command prints. */
async function tellOf(
  reference: Extract<SecretReference, { readonly command: unknown }>,
  { signal, timeoutSeconds = 30 }: SecretOptions,
): Promise<string> {
  const [program, ...args] = reference.command;
  const how = { timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL', ...(signal && { signal }) } as const;
  const telling = promisify(execFile)(program, args, how);
  telling.child.stdin?.end();
  const { stdout } = await telling.catch((failed: Failed) => {
    signal?.throwIfAborted();
    const said = lastLineOf(failed);
    throw new RangeError(`${nameOf(reference)} ${endOf(failed, timeoutSeconds)}${said === '' ? '' : `: ${said}`}`);
  });
  return stdout;
}

type Failed = ExecFileException & { readonly stdout: string; readonly stderr: string };

function endOf({ code, signal, killed }: Failed, timeoutSeconds: number): string {
  if (typeof code === 'number') return `ended with ${code}`;
  if (code === tooMuch) return 'tells more than one line';
  if (typeof code === 'string') return `cannot be started: ${code}`;
  return killed ? `did not end within ${timeoutSeconds} s` : `was ended by ${signal}`;
}

const tooMuch = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';

/** The last that a command has said on stderr, fit for a terminal, without what it has printed: that is the secret, or a part. */
function lastLineOf({ stdout = '', stderr = '' }: Failed): string {
  const last = linesOf(stderr).at(-1) ?? '';
  const told = linesOf(stdout)
    .toSorted((a, b) => b.length - a.length)
    .reduce((line, secret) => line.replaceAll(secret, '<redacted>'), last);
  return displayName(told.slice(0, 200));
}

function linesOf(text: string): string[] {
  return text
    .split(/[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function nameOf(reference: SecretReference): string {
  if ('file' in reference) return reference.file;
  return 'environment' in reference ? `the variable ${reference.environment}` : `the command ${reference.command[0]}`;
}
