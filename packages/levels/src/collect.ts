import { type Host, reads, type Script, type StepResult } from '@splitmirror/host';
import {
  type Answer,
  type NodeTranscript,
  type ProbeName,
  probeNames,
  probes,
  readTranscripts,
  type Snapshot,
} from './snapshot.ts';

/** Whom to ask, and how patiently. */
export interface CollectOptions {
  /** By cluster node name. */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly signal?: AbortSignal | undefined;
  /** Most nodes that are asked at the same time; default 256. */
  readonly concurrency?: number | undefined;
  /** What to ask; default everything. `lppchk -v` alone may take minutes on a large node. */
  readonly probes?: readonly ProbeName[] | undefined;
  /** Clock of this side; default the system's. */
  readonly now?: (() => Date) | undefined;
}

/**
 * A quick audit's questions: all that a gate decides by. `lppchk -v` takes minutes on a real node, and firmware is never
 * more than information.
 */
export const gateProbes: readonly ProbeName[] = probeNames.filter(
  (name) => name !== 'consistency' && name !== 'firmware',
);

/** The questions as one script: a round trip. One that fails or hangs does not keep the others from being asked. */
export function levelsScript(names: readonly ProbeName[] = probeNames): Script {
  const steps = names.map((name): Script['steps'][number] => {
    const [program, ...args] = probes[name].argv;
    return {
      id: name,
      run: reads(program, ...args),
      timeoutSeconds: probes[name].timeoutSeconds,
      onFailure: 'continue',
    };
  });
  return { steps };
}

/**
 * Asks all nodes for their software levels: one script and one round trip for each node, all nodes at once.
 *
 * Never rejects: a node that cannot be asked, a command that hangs, and an abort are results, and what was answered
 * before is kept.
 */
export async function collectLevels(options: CollectOptions): Promise<Snapshot> {
  return readTranscripts(await collectTranscripts(options));
}

/** The same as {@link collectLevels}, but the bare answers: to keep them in a file, and to read them later or elsewhere. */
export async function collectTranscripts(options: CollectOptions): Promise<NodeTranscript[]> {
  const { hosts, signal, concurrency = 256, probes: names, now = () => new Date() } = options;
  const script = levelsScript(names);
  const waiting = [...hosts];
  const transcripts: NodeTranscript[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [node, host] = next;
      transcripts.push(await ask(node, host, script, now().toISOString(), signal));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, hosts.size)) }, worker));
  return transcripts.sort((a, b) => (a.node < b.node ? -1 : 1));
}

async function ask(
  node: string,
  host: Host,
  script: Script,
  askedAt: string,
  signal: AbortSignal | undefined,
): Promise<NodeTranscript> {
  try {
    const outcome = await host.run(script, { signal });
    const why =
      outcome.kind === 'unknown' ? outcome.reason : outcome.kind === 'cancelled' ? 'cancelled' : 'not started';
    const answers = outcome.steps.map((step): [ProbeName, Answer] => [step.id as ProbeName, answerOf(step, why)]);
    return { node, askedAt, unreachable: null, answers: Object.fromEntries(answers) };
  } catch (error) {
    return { node, askedAt, unreachable: error instanceof Error ? error.message : String(error), answers: {} };
  }
}

function answerOf(step: StepResult, why: string): Answer {
  switch (step.kind) {
    case 'ended':
      return { kind: 'ended', exitCode: step.exitCode, stdout: step.stdout, stderr: step.stderr };
    case 'timed-out':
      return { kind: 'unanswered', reason: `no answer within ${Math.round(step.durationMs / 1000)} s` };
    case 'unfinished':
      return { kind: 'unanswered', reason: `no end was seen: ${why}` };
    case 'skipped':
      return { kind: 'unanswered', reason: `not asked: ${why}` };
  }
}
