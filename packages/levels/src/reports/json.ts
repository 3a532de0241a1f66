import type { Finding } from '../finding.ts';
import { gate } from '../gate.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Report } from './json-schema.ts';

/** The audit as JSON: the nodes with their levels, the findings with all evidence, and what the gate says. */
export function renderJson(
  { nodes }: Snapshot,
  findings: readonly Finding[],
  { cluster = 'cluster' }: { readonly cluster?: string } = {},
): string {
  const value: Report = {
    format: 'splitmirror-levels-report',
    version: 1,
    cluster,
    gate: gate(findings).kind,
    nodes: nodes.map(({ node, askedAt, unreachable, readings: { osLevel, haLevel } }) => ({
      node,
      askedAt,
      unreachable,
      osLevel: osLevel.kind === 'data' ? osLevel.value.text : null,
      haLevel: haLevel.kind === 'data' ? haLevel.value.text : null,
    })),
    findings,
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}
