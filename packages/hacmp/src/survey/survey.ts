import { type Host, type ScriptOutcome, SplitmirrorError } from '@splitmirror/host';
import { type NodeReport, proofScript, reportOf, surveyScript } from './report.ts';

interface Asked {
  readonly volumeGroups?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks all nodes at once, each in one round trip. A node that cannot be asked is part of the answer; only an abort
 * throws.
 *
 * @param hosts Hosts by cluster node name.
 * @returns One report a node, in the order of the map.
 */
export function survey(
  hosts: ReadonlyMap<string, Host>,
  { volumeGroups = [], signal }: Asked = {},
): Promise<NodeReport[]> {
  const script = surveyScript(volumeGroups);
  return Promise.all(
    Array.from(hosts, ([node, host]) => report(node, () => host.run(script, { signal }), volumeGroups, signal)),
  );
}

/** Asks one node what a proof rests on. */
export function askHolder(node: string, host: Host, { volumeGroups = [], signal }: Asked = {}): Promise<NodeReport> {
  return report(node, () => host.run(proofScript(volumeGroups), { signal }), volumeGroups, signal);
}

async function report(
  node: string,
  run: () => Promise<ScriptOutcome>,
  volumeGroups: readonly string[],
  signal: AbortSignal | undefined,
): Promise<NodeReport> {
  const unreachable = (code: string, reason: string, remedy = `Make ${node} answer.`): NodeReport => {
    return { kind: 'unreachable', node, code, reason, remedy };
  };
  try {
    const outcome = await run();
    signal?.throwIfAborted();
    if (outcome.kind === 'completed') return reportOf(node, outcome.steps, volumeGroups);
    return unreachable('HOST_LOST', outcome.kind === 'unknown' ? outcome.reason : 'the questions were cancelled');
  } catch (error) {
    signal?.throwIfAborted();
    if (SplitmirrorError.is(error)) return unreachable(error.code, error.message, error.remedy);
    return unreachable('HOST_FAILED', error instanceof Error ? error.message : String(error));
  }
}
