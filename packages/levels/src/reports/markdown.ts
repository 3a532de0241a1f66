import type { Finding } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { matrixOf } from './matrix.ts';
import { textOf } from './table.ts';

/** The audit as Markdown: the differences as a table, the odd ones out in bold, then the findings with their remedies. */
export function renderMarkdown(snapshot: Snapshot, findings: readonly Finding[]): string {
  const rows = matrixOf(snapshot, findings, 'differences').map(({ name, values, odd }) => [
    quoteMarkdown(name),
    ...values.map((value, place) =>
      odd.has(place) ? `**${quoteMarkdown(textOf(value))}**` : quoteMarkdown(textOf(value)),
    ),
  ]);
  const nodes = snapshot.nodes.map(({ node }) => quoteMarkdown(node));
  const list = findings.map(({ severity, rule, message, remedy, waiver }) => {
    const waived =
      waiver === null ? '' : ` Waiver ${waiver.state}, until ${waiver.until}: ${quoteMarkdown(waiver.reason)}.`;
    return `- **${severity} ${rule}**: ${quoteMarkdown(message)}.${waived} ${quoteMarkdown(remedy)}`;
  });
  return [
    line(['', ...nodes]),
    line(['', ...nodes].map(() => '---')),
    ...rows.map(line),
    '',
    ...(list.length > 0 ? list : ['No findings.']),
    '',
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function quoteMarkdown(text: string): string {
  return text.replace(/[\\|*_`<>[\]]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}
