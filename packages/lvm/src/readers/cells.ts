import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** The labelled cells that `lslv`, `lsvg` and `lspv` print: `LABEL: value`, one or two a row. */
export interface Cells {
  /** Whether a row with this label is there at all. */
  has(label: string): boolean;
  /** Value of a cell; `null` when it is unknown (`?`), absent by word (`N/A`, `None`, `none`) or empty. */
  read(label: string): string | null;
  /** Like `read`, but the row must be there and say something: without it the output was cut. */
  need(label: string): string | null;
  /** A cell that holds a word, always. */
  word(label: string): string;
  /** A whole number; `null` when the row is not there or its value unknown. */
  count(label: string): number | null;
  /** Whole numbers, one blank or more apart; none when the row is not there or says so. */
  counts(label: string): number[];
  /** A whole number, always. */
  number(label: string): number;
  /** A size that is printed in megabytes; `null` when its value is unknown. */
  megabytes(label: string): number | null;
  /** Cells whose labels are not known, as printed. */
  readonly others: Readonly<Record<string, string>>;
}

/** Labels of levels to come are looked for up to this length. */
const longestLabel = 60;
const absent = new Set(['', 'N/A', 'None', 'none']);
/** What commands of LVM put in front of a message. It ends in a colon, too, and is no label of a row. */
const message = /^(?:warning|error|attention|caution|notice|note|info|ls[vlp][gv])\b/i;
/** A number, and what LVM prints behind one: its unit, or the same in other words. */
const counted = /^(\d{1,15})(?:\s+(?:megabyte\S*|\(.*\)))?$/;
/** lspv leaves out the colon of the one, old levels of lsvg that of the other. */
const withoutColon = /(^|\s)(VG IDENTIFIER|STALE PPs)(?=\s+\S)/g;

/**
 * Reads labelled cells by their labels, never by column: two cells may be one blank apart, and a long value pushes what
 * follows. A row with a label that is not in `labels` is kept among the `others`, since newer levels add rows.
 *
 * @param labels Labels known to this command; without them a value of several words could not be told from a label.
 * @throws ParseError at the first line without any label, at a message, and at a label that is there twice.
 */
export function readCells(source: string, text: string, labels: readonly string[]): Cells {
  const cells = new Map<string, string>();
  let last = nowhere;
  for (const at of linesOf(text)) {
    const found = cellsOf(at.text.replace(withoutColon, '$1$2:'), labels);
    if (found.length === 0) throw new ParseError(source, 'no label in this line', at);
    for (const [label, value] of found) {
      if (cells.has(label)) throw new ParseError(source, `label ${label} a second time`, at);
      cells.set(label, value);
    }
    last = at;
  }
  const fault = (label: string, reason: string): ParseError =>
    new ParseError(source, `${label}: ${reason}`, { line: last.line, text: cells.get(label) ?? '' });

  const read = (label: string): string | null => {
    const value = cells.get(label);
    return value === undefined || absent.has(value) || /^\?+$/.test(value) ? null : value;
  };
  const need = (label: string): string | null => {
    if (!cells.has(label)) throw fault(label, 'this row is missing');
    if (cells.get(label) === '') throw fault(label, 'nothing stands there');
    return read(label);
  };
  const count = (label: string): number | null => {
    const value = read(label);
    if (value === null) return null;
    const [, digits] = counted.exec(value) ?? [];
    if (digits === undefined) throw fault(label, 'not a whole number');
    return Number(digits);
  };
  return {
    others: Object.fromEntries([...cells].filter(([label]) => !labels.includes(label))),
    has: (label) => cells.has(label),
    read,
    need,
    count,
    counts(label) {
      const words = read(label)?.split(/\s+/) ?? [];
      if (!words.every((word) => /^\d{1,15}$/.test(word))) throw fault(label, 'not whole numbers');
      return words.map(Number);
    },
    word(label) {
      const value = need(label);
      if (value === null) throw fault(label, 'no value');
      return value;
    },
    number(label) {
      need(label);
      const value = count(label);
      if (value === null) throw fault(label, 'no value');
      return value;
    },
    megabytes(label) {
      const value = need(label);
      if (value !== null && !/^\d+ megabyte/.test(value)) throw fault(label, 'not in megabytes');
      return count(label);
    },
  };
}

/** Label and value of each cell in one line. */
function cellsOf(line: string, labels: readonly string[]): [label: string, value: string][] {
  const starts: { label: string; from: number; to: number }[] = [];
  for (let colon = line.indexOf(':'); colon !== -1; colon = line.indexOf(':', colon + 1)) {
    const next = line[colon + 1];
    if (next !== undefined && !/\s/.test(next)) continue;
    const label = labelEndingAt(line, colon, starts.at(-1)?.to ?? 0, starts.length === 0, labels);
    if (label !== undefined) starts.push({ label, from: colon - label.length, to: colon + 1 });
  }
  return starts.map(({ label, to }, index) => [label, line.slice(to, starts[index + 1]?.from).trim()]);
}

function labelEndingAt(
  line: string,
  colon: number,
  from: number,
  first: boolean,
  labels: readonly string[],
): string | undefined {
  const known = labels
    .filter((label) => {
      const start = colon - label.length;
      return start >= from && line.startsWith(label, start) && (start === 0 || /\s/.test(line[start - 1] ?? ''));
    })
    .sort((a, b) => b.length - a.length)[0];
  if (known !== undefined) return known;
  // A label of a newer level: alone in front, or set apart by two blanks.
  const text = line.slice(Math.max(from, colon - longestLabel - 2), colon);
  const gap = text.lastIndexOf('  ');
  if (first ? colon > longestLabel : gap === -1) return undefined;
  const label = first ? text.trim() : text.slice(gap + 2);
  return /^[A-Za-z][\w ()?/-]*$/.test(label) && !message.test(label) ? label : undefined;
}
