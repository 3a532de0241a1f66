import type { Finding } from '../finding.ts';
import { gate } from '../gate.ts';
import type { Snapshot } from '../snapshot.ts';
import { type MatrixRow, matrixOf } from './matrix.ts';
import { textOf } from './table.ts';

/**
 * The audit as one self-contained HTML page: what the gate says, the matrix of differences, the findings with their
 * evidence, and the rest of the matrix folded. It loads nothing, works without scripts, follows the reader's light or dark setting, and
 * says in words what it says in colours.
 */
export function renderHtml(
  snapshot: Snapshot,
  findings: readonly Finding[],
  { cluster = 'cluster' }: { readonly cluster?: string } = {},
): string {
  const nodes = snapshot.nodes.map(({ node }) => node);
  const differences = matrixOf(snapshot, findings, 'differences');
  const all = matrixOf(snapshot, findings, 'all').slice(differences.length);
  const verdict = verdicts[gate(findings).kind];
  const asked = snapshot.nodes.map(({ askedAt }) => askedAt).sort();
  const title = `Levels of ${cluster}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${quoteHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${quoteHtml(title)}</h1>
<p class="${verdict.severity}"><strong>${verdict.text}</strong></p>
<p>${nodes.length} nodes, asked ${quoteHtml(asked[0] ?? 'never')}${asked.at(-1) === asked[0] ? '' : ` to ${quoteHtml(asked.at(-1) ?? '')}`}</p>
</header>
<main>
<section aria-labelledby="differences"><h2 id="differences">Differences</h2>
${renderMatrix('The levels of the nodes, and whatever they do not agree on', nodes, differences, 'differences')}
</section>
<section aria-labelledby="findings"><h2 id="findings">Findings</h2>
${findings.length === 0 ? '<p>None.</p>' : `<ol>${findings.map(renderFinding).join('\n')}</ol>`}
</section>
<section aria-labelledby="rest"><h2 id="rest">Everything else</h2>
<details><summary>${all.length} filesets on which the nodes agree, or which no rule compares</summary>
${renderMatrix('All other filesets', nodes, all, 'rest')}
</details>
</section>
</main>
</body>
</html>
`;
}

const verdicts = {
  pass: { severity: 'info', text: 'Pass: nothing stands in the way.' },
  warn: { severity: 'warning', text: 'Warn: there is something to be put right.' },
  stop: { severity: 'error', text: 'Stop: errors were found, or not everything could be read.' },
} as const;

function renderFinding({ severity, rule, message, remedy, nodes, waiver, subjects }: Finding): string {
  const waived =
    waiver === null
      ? ''
      : `<p>Waiver ${waiver.state}, until ${quoteHtml(waiver.until)}: ${quoteHtml(waiver.reason)}</p>`;
  const lines = subjects.flatMap(({ observations }) =>
    observations.map(
      ({ node, command, line }) =>
        `<tr><th scope="row">${quoteHtml(node)}</th><td><code>${quoteHtml(command)}</code></td><td><code>${quoteHtml(line ?? 'not in the list')}</code></td></tr>`,
    ),
  );
  const evidence =
    lines.length === 0
      ? ''
      : `<details><summary>Evidence: ${lines.length === 1 ? 'one line' : `${lines.length} lines`}</summary><div class="scroll" tabindex="0" role="region" aria-label="Evidence for ${rule}">
<table><thead><tr><th scope="col">Node</th><th scope="col">Command</th><th scope="col">Line</th></tr></thead><tbody>${lines.join('\n')}</tbody></table></div></details>`;
  return `<li class="${severity}"><h3>${severity} ${rule}${nodes.length === 0 ? '' : `: ${quoteHtml(nodes.join(', '))}`}</h3>
<p>${quoteHtml(message)}</p>${waived}<p>${quoteHtml(remedy)}</p>${evidence}</li>`;
}

function renderMatrix(caption: string, nodes: readonly string[], rows: readonly MatrixRow[], id: string): string {
  const head = nodes.map((node) => `<th scope="col">${quoteHtml(node)}</th>`).join('');
  const body = rows.map(({ name, values, odd }) => {
    const cells = values.map((value, place) => {
      const text = quoteHtml(value === null ? 'not installed' : value === undefined ? 'not assessed' : textOf(value));
      return odd.has(place) ? `<td class="odd">${text} <em>(differs)</em></td>` : `<td>${text}</td>`;
    });
    return `<tr><th scope="row">${quoteHtml(name)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-labelledby="caption-${id}"><table>
<caption id="caption-${id}">${quoteHtml(caption)}</caption>
<thead><tr><th scope="col">Fileset or command</th>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function quoteHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** The system's own colours follow light, dark and high contrast; ours have a contrast of 4.5 at least on both. */
const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif;
  --error: light-dark(#b3261e, #ff8a80); --warning: light-dark(#7a5900, #ffd180); --info: light-dark(#1b5e20, #a5d6a7); }
body { margin: 0 auto; max-width: 110rem; padding: 1rem; background: Canvas; color: CanvasText; }
h1, h2, h3 { line-height: 1.2; } h3 { font-size: 1rem; margin: 0; }
.error { --mark: var(--error); } .warning { --mark: var(--warning); } .info { --mark: var(--info); }
header p strong, li h3 { color: var(--mark); }
ol { list-style: none; padding: 0; }
li { border-left: 0.3rem solid var(--mark); padding: 0 0 0 1rem; margin: 0 0 1rem; } li p { margin: 0.25rem 0; }
.scroll { overflow: auto; max-height: 80vh; } .scroll:focus-visible, summary:focus-visible { outline: 0.2rem solid Highlight; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; padding: 0.25rem 0; }
th, td { border: 1px solid GrayText; padding: 0.2rem 0.6rem; text-align: left; white-space: nowrap; }
thead th { position: sticky; top: 0; background: Canvas; } th[scope=row] { font-weight: normal; }
td.odd { color: var(--error); font-weight: bold; } td em { font-weight: normal; }
@media print { :root { color-scheme: light; font-size: 10pt; } .scroll { max-height: none; overflow: visible; outline: none !important; }
  th, td { white-space: normal; } thead th { position: static; } li, tr { break-inside: avoid; } h2 { break-after: avoid; }
  li details::details-content { content-visibility: visible; display: block; } }
`;
