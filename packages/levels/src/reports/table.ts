import type { Finding } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { type MatrixRows, matrixOf } from './matrix.ts';

/**
 * The audit as plain text for a terminal: a table with the nodes as columns, then the findings.
 *
 * In the table `-` means not installed, `?` not assessed, and `*` marks the odd ones out of a majority.
 *
 * @param options.rows Default: `differences`.
 */
export function renderTable(
  snapshot: Snapshot,
  findings: readonly Finding[],
  { rows = 'differences' }: { readonly rows?: MatrixRows } = {},
): string {
  const table = [
    ['', ...snapshot.nodes.map(({ node }) => node)],
    ...matrixOf(snapshot, findings, rows).map(({ name, values, odd }) => [
      name,
      ...values.map((value, place) => textOf(value) + (odd.has(place) ? ' *' : '')),
    ]),
  ];
  const list = findings.flatMap(({ severity, rule, message, remedy, waiver }) => [
    `${severity} ${rule}: ${message}`,
    ...(waiver === null ? [] : [`  Waiver ${waiver.state}, until ${waiver.until}: ${waiver.reason}`]),
    `  ${remedy}`,
  ]);
  return [...align(table), '', ...(list.length > 0 ? list : ['No findings.']), ''].join('\n');
}

/** `-` for what is not there, `?` for what was not assessed. */
export function textOf(value: string | null | undefined): string {
  return value === undefined ? '?' : (value ?? '-');
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
