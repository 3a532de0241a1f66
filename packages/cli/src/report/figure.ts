import type { RunTimeline, TimelineSpan } from '@splitmirror/backup';
import { durationText } from '../units.ts';
import { quoteHtml } from './markup.ts';

/** One row of the figure: bars on a common time axis. */
interface Lane {
  readonly label: string;
  readonly kind: 'phase' | 'held' | 'exposed';
  readonly bars: readonly TimelineSpan[];
}

const width = 1000;
const gutter = 210;
const rowHeight = 26;
const barHeight = 16;
/** A bar narrower than this could not be seen; it is drawn so wide, and its length is told in words. */
const leastWidth = 2;

/**
 * A part of a run, drawn to scale as an SVG element: one row for each phase and for each thing that was held, and a tick
 * for each proof of ownership.
 *
 * @param fromMs Where the time axis begins, in milliseconds from the start of the run.
 * @param toMs Where it ends.
 */
export function drawTimeline(timeline: RunTimeline, fromMs: number, toMs: number, title: string): string {
  const lanes = lanesOf(timeline, fromMs, toMs);
  const spanMs = Math.max(1, toMs - fromMs);
  const x = (ms: number) => gutter + ((Math.min(toMs, Math.max(fromMs, ms)) - fromMs) / spanMs) * (width - gutter - 90);
  const height = (lanes.length + 1) * rowHeight + 34;
  const rows = lanes.map(({ label, kind, bars }, row) => {
    const y = 8 + row * rowHeight;
    const drawn = bars.map((bar) => {
      const left = x(bar.fromMs);
      const wide = Math.max(leastWidth, x(bar.toMs) - left);
      const failed = !fine.has(bar.outcome);
      const told = `${label}: ${durationText(bar.toMs - bar.fromMs)}${failed ? `, ${bar.outcome}` : ''}`;
      return `<rect class="${failed ? 'failed' : kind}" x="${left.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${barHeight}"><title>${quoteHtml(told)}</title></rect>`;
    });
    const last = bars.at(-1);
    const lasted = bars.reduce((sum, { fromMs: from, toMs: to }) => sum + to - from, 0);
    const end = x(last?.toMs ?? fromMs) + 6;
    return `<text x="0" y="${y + 13}">${quoteHtml(shortened(label))}</text>${drawn.join('')}<text class="length" x="${end.toFixed(1)}" y="${y + 13}">${durationText(lasted)}</text>`;
  });
  const proofsY = 8 + lanes.length * rowHeight;
  const proofs = timeline.proofs
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .map(({ atMs, before, outcome }) => {
      const at = x(atMs).toFixed(1);
      return `<path class="${outcome === 'holds' ? 'proof' : 'failed'}" d="M${at} ${proofsY}v${barHeight}"><title>${quoteHtml(`${outcome}, before ${before}`)}</title></path>`;
    });
  const axisY = proofsY + rowHeight + 4;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = x(fromMs + share * spanMs).toFixed(1);
    const anchor = share === 0 ? 'start' : 'middle';
    return `<path class="axis" d="M${at} 4V${axisY}"/><text class="tick" text-anchor="${anchor}" x="${at}" y="${axisY + 16}">${durationText(fromMs + share * spanMs)}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${quoteHtml(title)}"><title>${quoteHtml(title)}</title>
${ticks.join('')}
${rows.join('\n')}
<text x="0" y="${proofsY + 13}">ownership proved</text>${proofs.join('')}
</svg>`;
}

/** A label that has room in front of the axis: of a long path its end tells more than its beginning. */
function shortened(label: string): string {
  const most = 30;
  if (label.length <= most) return label;
  const head = label.slice(0, label.indexOf(' /') + 1);
  return `${head}…${label.slice(head.length + 1 - most)}`;
}

const fine: ReadonlySet<string> = new Set(['done', 'archived', 'whole', 'resyncing']);

/** What a phase is called in a report. */
const phaseNames: Readonly<Record<string, string>> = {
  split: 'split',
  expose: 'check and mount',
  archive: 'archive',
  withdraw: 'unmount',
  merge: 'merge and resync',
  redundancy: 'watch the resync',
  commit: 'commit',
};

/** A span in a person's words. */
export function labelOf({ lane, what }: TimelineSpan): string {
  switch (lane) {
    case 'suspended':
      return 'application at rest';
    case 'frozen':
      return `writers held: ${what}`;
    case 'exposed':
      return 'fewer copies';
    case 'phase':
      return phaseNames[what] ?? what;
  }
}

function lanesOf({ spans }: RunTimeline, fromMs: number, toMs: number): Lane[] {
  const lanes = new Map<string, TimelineSpan[]>();
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (span.toMs < fromMs || span.fromMs > toMs) continue;
    const label = labelOf(span);
    lanes.set(label, [...(lanes.get(label) ?? []), span]);
  }
  return Array.from(lanes, ([label, bars]) => {
    const lane = bars[0]?.lane;
    return { label, bars, kind: lane === 'phase' || lane === 'exposed' ? lane : 'held' };
  });
}
