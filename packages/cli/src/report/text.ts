import type { Directions } from '../command-line.ts';
import type { Report } from './report.ts';

/** A report as plain text, as wide as it needs to be. */
export function renderReportText(
  { title, verdict, facts, sections }: Report,
  { remedyText }: Pick<Directions, 'remedyText'>,
): string {
  const width = Math.max(...facts.map(([label]) => label.length), 0);
  return [
    title,
    remedyText(verdict.text),
    '',
    ...facts.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`),
    ...sections.flatMap(({ title: heading, head, rows, none }) => [
      '',
      heading,
      ...(rows.length === 0
        ? [`  ${none}`]
        : tableText([
            head,
            ...rows.map((row) => row.map((cell, column) => (head[column] === 'remedy' ? remedyText(cell) : cell))),
          ])),
    ]),
    '',
  ].join('\n');
}

function tableText(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
