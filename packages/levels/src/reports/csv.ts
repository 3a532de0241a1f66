import type { Finding } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { type MatrixRows, matrixOf } from './matrix.ts';

/**
 * The matrix as CSV (RFC 4180): a column for each node; empty for not installed, `?` for not assessed.
 *
 * @param options.rows Default: `differences`.
 */
export function renderCsv(
  snapshot: Snapshot,
  findings: readonly Finding[],
  { rows = 'differences' }: { readonly rows?: MatrixRows } = {},
): string {
  const table = [
    ['name', ...snapshot.nodes.map(({ node }) => node)],
    ...matrixOf(snapshot, findings, rows).map(({ name, values }) => [
      name,
      ...values.map((value) => (value === undefined ? '?' : (value ?? ''))),
    ]),
  ];
  return table.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
