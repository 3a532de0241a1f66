import type { RunTimeline } from '@splitmirror/backup';
import { durationText } from '../units.ts';
import { drawTimeline } from './figure.ts';
import { quoteHtml } from './markup.ts';
import { type Report, type RunRecord, reportOf, type Section } from './report.ts';

/**
 * The report of a run as one self-contained HTML page: the timeline drawn to scale, the split enlarged, and every table of
 * the text report. It loads nothing, works without scripts, follows the reader's light or dark setting, prints, and says
 * in words what it says in colours.
 */
export function renderReportHtml(record: RunRecord): string {
  const { timeline } = record;
  return renderPage(reportOf(record), timeline === null ? '' : figures(timeline));
}

/** A report as a page; `above` stands in front of its tables. */
export function renderPage({ title, verdict, facts, sections }: Report, above = ''): string {
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
<p class="${verdict.tone}"><strong>${quoteHtml(verdict.text)}</strong></p>
<dl>${facts.map(([label, value]) => `<div><dt>${quoteHtml(label)}</dt><dd>${quoteHtml(value)}</dd></div>`).join('')}</dl>
</header>
<main>
${above}
${sections.map(renderSection).join('\n')}
</main>
</body>
</html>
`;
}

/** The whole run, and the seconds around the split: next to hours of archiving they would be a hairline. */
function figures(timeline: RunTimeline): string {
  const whole = figure(
    drawTimeline(timeline, 0, timeline.lastsMs, 'The whole run, to scale'),
    'The whole run, to scale',
  );
  const split = timeline.spans.find(({ lane, what }) => lane === 'phase' && what === 'split');
  if (split === undefined) return whole;
  const caption = `The split, enlarged: ${durationText(split.toMs - split.fromMs)}`;
  return `${whole}\n${figure(drawTimeline(timeline, split.fromMs, split.toMs, caption), caption)}`;
}

function figure(svg: string, caption: string): string {
  return `<figure><div class="scroll" tabindex="0" role="region" aria-label="${quoteHtml(caption)}">${svg}</div><figcaption>${quoteHtml(caption)}</figcaption></figure>`;
}

function renderSection({ title, head, rows, none }: Section): string {
  const id = title.toLowerCase();
  if (rows.length === 0) return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><p>${none}</p></section>`;
  const cells = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 ? `<th scope="row">${breakable(cell)}</th>` : `<td>${breakable(cell)}</td>`,
    );
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}"><table>
<thead><tr>${head.map((name) => `<th scope="col">${quoteHtml(name)}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${cells(row).join('')}</tr>`).join('\n')}
</tbody></table></div></section>`;
}

/** Where a cell may be broken: digests and paths may, a number and its unit may not, and a table that is too wide is scrolled. */
function breakable(text: string): string {
  return quoteHtml(text)
    .replace(/[0-9a-f]{32,}/g, (digest) => digest.replace(/.{16}(?=.)/g, '$&<wbr>'))
    .replace(/\/(?=\w)/g, '/<wbr>')
    .replace(/^([\d.]+) (\w+)$/, '$1&nbsp;$2');
}

/** The system's own colours follow light, dark and high contrast; ours have a contrast of 4.5 at least on both. */
const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif;
  --good: light-dark(#1b5e20, #a5d6a7); --odd: light-dark(#7a5900, #ffd180); --bad: light-dark(#b3261e, #ff8a80);
  --phase: light-dark(#1f5f99, #90c2f0); --held: light-dark(#7a5900, #ffd180); --exposed: light-dark(#6a3d9a, #d0b3ff); }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: Canvas; color: CanvasText; }
h1, h2 { line-height: 1.2; }
header p { border-left: 0.3rem solid var(--mark); padding-left: 1rem; } header strong { color: var(--mark); }
.good { --mark: var(--good); } .odd { --mark: var(--odd); } .bad { --mark: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 0.25rem 2rem; }
dl div { display: flex; gap: 0.5rem; } dt { flex: none; color: color-mix(in srgb, CanvasText 75%, Canvas); } dt::after { content: ':'; } dd { margin: 0; }
figure { margin: 1rem 0; } figcaption { font-size: 0.9rem; }
svg { display: block; width: 100%; min-width: 45rem; height: auto; } svg text { font-size: 13px; fill: CanvasText; }
svg .tick, svg .length { font-size: 11px; } svg .axis { stroke: GrayText; stroke-width: 0.5; fill: none; }
svg .phase { fill: var(--phase); } svg .held { fill: var(--held); } svg .exposed { fill: var(--exposed); }
svg rect.failed { fill: var(--bad); } svg .proof { stroke: var(--good); stroke-width: 2; } svg path.failed { stroke: var(--bad); stroke-width: 4; }
.scroll { overflow: auto; } .scroll:focus-visible { outline: 0.2rem solid Highlight; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid GrayText; padding: 0.2rem 0.6rem; text-align: left; vertical-align: top; }
th[scope=row] { font-weight: normal; }
@media print { :root { color-scheme: light; font-size: 10pt; } .scroll { overflow: visible; outline: none !important; } svg { min-width: 0; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }
`;
