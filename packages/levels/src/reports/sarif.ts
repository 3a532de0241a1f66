import type { Finding, Severity } from '../finding.ts';
import { rules } from '../rules.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

/** The audit as SARIF 2.1.0. Nodes are logical locations, since there are no source files; open waivers are suppressions. */
export function renderSarif(findings: readonly Finding[]): string {
  const results = findings.map(({ rule, severity, message, remedy, nodes, waiver }) => ({
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: `${message}. ${remedy}` },
    locations: nodes.map((node) => ({ logicalLocations: [{ name: node, kind: 'resource' }] })),
    suppressions: waiver?.state === 'open' ? [{ kind: 'external', justification: waiver.reason }] : [],
  }));
  const driver = {
    name: 'splitmirror levels',
    rules: rules.map(({ id, severity, title, source, rationale, remedy }) => ({
      id,
      shortDescription: { text: title },
      fullDescription: { text: `${rationale} (${source})` },
      help: { text: remedy },
      defaultConfiguration: { level: levels[severity] },
    })),
  };
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, results }],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}
