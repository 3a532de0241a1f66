import { spawn } from 'node:child_process';
import { type SecretReference, webhook } from '@splitmirror/backup';
import type { Config } from './config/schema.ts';
import { secretOf } from './config/secrets.ts';

/** An outcome, as the command and the webhook get it. No secret is in it. */
export interface Outcome {
  readonly splitmirror: 1;
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly group: string;
  readonly run: string | null;
  readonly outcome: 'good' | 'suspicious' | 'failed';
  /** Exit code that the command line ends with. */
  readonly exitCode: number;
  /** For a person, lines in order. */
  readonly text: readonly string[];
}

const patienceMs = 20_000;

/**
 * Tells an outcome to whoever wants to know. Never fails: a pager that is down must not turn a good backup into a bad one.
 *
 * @returns One line for each that could not be told.
 */
export async function notify(settings: Config['notify'], outcome: Outcome): Promise<string[]> {
  if (settings === undefined || !settings.on.includes(outcome.outcome)) return [];
  const body = `${JSON.stringify(outcome)}\n`;
  const { command } = settings;
  const told = await Promise.allSettled([
    ...(command === undefined ? [] : [run(command, body)]),
    ...(settings.webhook === undefined ? [] : [post(settings.webhook, body)]),
  ]);
  return told.flatMap((each) => (each.status === 'rejected' ? [(each.reason as Error).message] : []));
}

function run([program, ...args]: readonly [string, ...string[]], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Not spawn's own timeout: for a program that is not there its timer would keep this process from ending.
    const signal = AbortSignal.timeout(patienceMs);
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], signal });
    const fail = (why: string) => reject(new Error(`the notification command ${program} ${why}`));
    child.on('error', ({ name, message }) => fail(name === 'AbortError' ? 'did not end in time' : message));
    child.on('close', (code, ended) => (code === 0 ? resolve() : fail(`ended with ${code ?? ended}`)));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

async function post(reference: SecretReference, body: string): Promise<void> {
  const address = await secretOf(reference, 'notify.webhook');
  const tell = async () => webhook(address, { attempts: 1, timeoutMs: patienceMs })(body);
  const { kind, detail } = await tell().catch((error: Error) => ({ kind: 'failed', detail: error.message }));
  if (kind === 'failed') throw new Error(`the webhook was not told: ${detail}`);
}
