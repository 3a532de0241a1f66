import type { Finding } from '../finding.ts';
import { rules } from '../rules.ts';
import type { Snapshot } from '../snapshot.ts';

/**
 * The audit as Prometheus text, for the textfile collector. Every rule has its series, also at 0, so that an alert
 * ends when a finding does; waived findings are not counted.
 */
export function renderPrometheus(
  snapshot: Snapshot,
  findings: readonly Finding[],
  { cluster = 'cluster' }: { readonly cluster?: string } = {},
): string {
  const standing = findings.filter(({ waiver }) => waiver?.state !== 'open');
  const counts = rules.flatMap(({ id }) =>
    (['error', 'warning', 'info'] as const).map((severity) => {
      const count = standing.filter((finding) => finding.rule === id && finding.severity === severity).length;
      return sample('findings', { cluster, rule: id, severity }, count);
    }),
  );
  const nodes = snapshot.nodes.map(({ node, readings: { osLevel, haLevel, clusterManager } }) =>
    sample(
      'node_info',
      {
        cluster,
        node,
        oslevel: osLevel.kind === 'data' ? osLevel.value.text : '',
        halevel: haLevel.kind === 'data' ? haLevel.value.text : '',
        clversion: clusterManager.kind === 'data' ? String(clusterManager.value.clVersion ?? '') : '',
      },
      1,
    ),
  );
  const asked = snapshot.nodes.map(({ askedAt }) => Date.parse(askedAt) / 1000);
  const last =
    asked.length === 0
      ? []
      : [
          sample(
            'last_run_seconds',
            { cluster },
            asked.reduce((a, b) => Math.max(a, b)),
          ),
        ];
  return [
    ...family('findings', 'Findings that are not waived.', counts),
    ...family('node_info', 'Levels of each node, as labels; always 1.', nodes),
    ...family('last_run_seconds', 'When the last node was asked, in seconds since 1970.', last),
    '',
  ].join('\n');
}

const prefix = 'splitmirror_levels_';

function family(name: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} gauge`, ...samples];
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`,
  );
  return `${prefix}${name}{${pairs.join(',')}} ${value}`;
}
