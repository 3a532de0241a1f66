import { type Host, type Script, type ScriptOutcome, SplitmirrorError } from '@splitmirror/host';
import { type Silence, withoutHost } from './silence.ts';

type Completed = Extract<ScriptOutcome, { kind: 'completed' }>;

/** A question that can be given up. */
export interface Signalled {
  readonly signal?: AbortSignal | undefined;
}

/** Runs a script on a node. Why it was not started is an answer, too: only an abort throws. */
export async function runOn(
  node: string,
  host: Host | undefined,
  script: Script,
  { signal }: Signalled,
): Promise<ScriptOutcome | Silence> {
  if (host === undefined) return withoutHost(node);
  try {
    const outcome = await host.run(script, { signal });
    signal?.throwIfAborted();
    return outcome;
  } catch (error) {
    signal?.throwIfAborted();
    if (SplitmirrorError.is(error)) {
      const { code, message: reason, remedy } = error;
      return { kind: 'unreachable', node, code, reason, remedy };
    }
    return silent(node, 'HOST_FAILED', error instanceof Error ? error.message : String(error));
  }
}

/** The same for questions: what broke off half way is no answer. */
export async function ask(...asked: Parameters<typeof runOn>): Promise<Completed | Silence> {
  const outcome = await runOn(...asked);
  if (outcome.kind === 'completed' || outcome.kind === 'unreachable') return outcome;
  return silent(asked[0], 'HOST_LOST', outcome.kind === 'unknown' ? outcome.reason : 'the questions were cancelled');
}

function silent(node: string, code: string, reason: string): Silence {
  return { kind: 'unreachable', node, code, reason, remedy: `Make ${node} answer.` };
}
