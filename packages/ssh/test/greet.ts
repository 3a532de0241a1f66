import { type Host, reads, type TransportError } from '@splitmirror/host';
import { afterEach, expect } from 'vitest';
import { type SshOptions, sshHost } from '../src/index.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Does this when the test has ended, the last one first: a server waits for those who are connected to it. */
export function afterwards(...work: readonly (() => unknown)[]): void {
  cleanups.push(...work);
}

/** A host that is closed when the test has ended. */
export function hostOver(options: SshOptions): Host {
  const made = sshHost('nodea', options, { path: '/usr/bin:/bin' });
  afterwards(() => made.close());
  return made;
}

/** What the node answers to `echo hi`. */
export async function greet(options: SshOptions): Promise<string> {
  const outcome = await hostOver(options).run({ steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] });
  const [step] = outcome.steps;
  return step?.kind === 'ended' ? step.stdout : JSON.stringify(outcome);
}

/** Why it cannot be asked. */
export async function failure(options: SshOptions): Promise<TransportError> {
  return greet(options).then(
    (said) => expect.fail(`it connected: ${said}`),
    (error: TransportError) => error,
  );
}
