import type { Host, Script } from '@splitmirror/host';
import { ask } from './ask.ts';
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
export function survey(hosts: ReadonlyMap<string, Host>, asked: Asked = {}): Promise<NodeReport[]> {
  const script = surveyScript(asked.volumeGroups ?? []);
  return Promise.all(Array.from(hosts, ([node, host]) => report(node, host, script, asked)));
}

/** Asks one node what a proof rests on. */
export function askHolder(node: string, host: Host, asked: Asked = {}): Promise<NodeReport> {
  return report(node, host, proofScript(asked.volumeGroups ?? []), asked);
}

async function report(
  node: string,
  host: Host,
  script: Script,
  { volumeGroups = [], signal }: Asked,
): Promise<NodeReport> {
  const answer = await ask(node, host, script, { signal });
  return answer.kind === 'unreachable' ? answer : reportOf(node, answer.steps, volumeGroups);
}
