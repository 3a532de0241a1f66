import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A table under a title `<name>:` and a heading, as `lsvg -l`, `lsvg -p`, `lspv -l` and `lspv -p` print it. */
export interface TitledTable<Row> {
  /** What stands before the colon. */
  readonly title: string;
  readonly rows: readonly Row[];
}

/**
 * Reads a titled table line by line.
 *
 * @param readRow What a line means; `null` when it is no row of this table.
 * @throws ParseError at the first line of another shape: a row is never skipped.
 */
export function readTable<Row>(
  source: string,
  text: string,
  heading: RegExp,
  readRow: (line: string) => Row | null,
): TitledTable<Row> {
  const [top = nowhere, head = nowhere, ...lines] = linesOf(text);
  const [, title] = /^(\S+):$/.exec(top.text) ?? [];
  if (title === undefined) throw new ParseError(source, 'no name in front', top);
  if (!heading.test(head.text)) throw new ParseError(source, 'no column heading', head);
  const rows = lines.map((line) => {
    const row = readRow(line.text);
    if (row === null) throw new ParseError(source, 'not a row of this table', line);
    return row;
  });
  return { title, rows };
}

/** `N/A` is no mount point. */
export function mountPointOf(word: string | undefined): string | null {
  return word === undefined || word === 'N/A' ? null : word;
}

/** Five numbers from the outer to the inner edge of a disk. */
export function distributionOf(word: string, separator: ':' | '..'): number[] {
  return word.split(separator).map(Number);
}

/** What a distribution adds up to: the number of partitions, unless it was cut. */
export function sumOf(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + part, 0);
}
