import { ParseError } from '@splitmirror/host';
import { type FilesetState, stateOfCode } from './fileset-state.ts';
import { forEachLine } from './lines.ts';

type Columns = 8 | 14 | 18;

/** One row of `lslpp -Lc`: a fileset with its parts merged, an RPM, or an interim fix. */
export interface ListedFileset {
  /** The row as printed: the evidence. */
  readonly line: string;
  /** Generation of the list: 8 is AIX 4.3, 14 is AIX 5.1, 18 is AIX 5.3 and later. */
  readonly columns: Columns;
  /** Package; for an RPM its bare name. */
  readonly package: string;
  /** Fileset; for an RPM name-version-release, for an interim fix its label. */
  readonly fileset: string;
  /** V.R.M.F; for an RPM version-release, for an interim fix its packing time. */
  readonly level: string;
  readonly state: FilesetState;
  /** The letter of the state as printed. */
  readonly stateText: string;
  /** Empty for a base level, `F` for an update, `R` for an RPM, `E` for an interim fix; other letters have no known meaning. */
  readonly type: string;
  readonly description: string;
  /** Command that removes an RPM; empty otherwise. Empty before AIX 5.1. */
  readonly uninstaller: string;
  /** Installed only because something else needs it. `null`: not printed, as before AIX 5.3. */
  readonly automatic: boolean | null;
  /** Frozen by the interim-fix manager. `null`: not printed, as before AIX 5.3 and for RPMs. */
  readonly efixLocked: boolean | null;
  readonly installPath: string;
  /** Year and week, or the long date of an RPM; empty when not printed. */
  readonly buildDate: string;
}

/**
 * Rows by their text. Hand the same table to every call when the lists of many nodes are read: equal rows are then read
 * once and are one object, which makes comparing them cheap too.
 */
export type RowTable = Map<string, ListedFileset>;

const source = 'lslpp -Lc';

// Package, fileset, level, state (blank), PTF (blank), fix state, type; and then the description, which may hold colons.
const head = String.raw`^([^:\s]+):([^:\s]+):([^:\s]+):[^:]*:[^:]*:([^:]*):([^:]*):(.*)`;
// Destination, uninstaller, message catalogue, set, number, parent.
const tail14 = String.raw`:[^:]*:([^:]*):[^:]*: ?\d*: ?\d*:[^:]*`;
// Automatic, EFIX locked, install path, build date; that of an RPM holds the two colons of its time, in the words of the locale.
const longDate = String.raw`[^:]*\d:\d{2}:\d{2}[^:]*`;
const tail18 = String.raw`:([01 ]?):([01 ]?):([^:]*):(|\d{4}|${longDate}) *$`;
const row8 = new RegExp(`${head}$`);
const row14 = new RegExp(`${head}${tail14}$`);
const row18 = new RegExp(`${head}${tail14}${tail18}`);
// An empty cell: where one ends up in a description, the row has a tail that is none of these.
const emptyCell = /: ?:|: $/;

/**
 * Reads what `lslpp -Lc` prints, in each of its column generations, with its header or, as `lslpp -Lqc` prints it,
 * without. Linear in the length of the text.
 *
 * @param text Complete standard output.
 * @param rows Rows read before; new ones are added.
 * @returns The rows in printed order.
 * @throws ParseError at the first line of another shape, or when the output was cut.
 */
export function parseListing(text: string, rows: RowTable = new Map()): ListedFileset[] {
  const found: ListedFileset[] = [];
  let columns: Columns | null = null;
  forEachLine(source, text, (line, number) => {
    if (columns === null && line.startsWith('#')) {
      columns = columnsOfHeader(line, number);
      return;
    }
    columns ??= columnsOfRow(line, number);
    const row = rows.get(line) ?? readRow(line);
    if (row?.columns !== columns) {
      throw new ParseError(source, `not a row of ${columns} columns`, { line: number, text: line });
    }
    rows.set(line, row);
    found.push(row);
  });
  return found;
}

function columnsOfHeader(line: string, number: number): Columns {
  const count = line.replace(/:$/, '').split(':').length;
  if (count === 8 || count === 14 || count === 18) return count;
  throw new ParseError(source, `a header of ${count} columns; known are 8, 14 and 18`, { line: number, text: line });
}

function columnsOfRow(line: string, number: number): Columns {
  const row = readRow(line);
  if (row === null) throw new ParseError(source, 'not a row', { line: number, text: line });
  return row.columns;
}

/** The generation is told by the tail: a row that has one is never a shorter row with a strange description. */
function readRow(line: string): ListedFileset | null {
  const cells = cellsOf(line) ?? (line.endsWith(':') ? cellsOf(line.slice(0, -1)) : null);
  if (cells === null) return null;
  const [, name = '', fileset = '', level = '', code = '', type = '', description = ''] = cells;
  const [uninstaller, automatic, locked, installPath = '', buildDate = ''] = cells.slice(7);
  const stateText = code.trim();
  return {
    line,
    columns: automatic !== undefined ? 18 : uninstaller !== undefined ? 14 : 8,
    package: name,
    fileset,
    level,
    state: stateOfCode(stateText),
    stateText,
    type: type.trim(),
    description: description.trim(),
    uninstaller: uninstaller?.trim() ?? '',
    automatic: flag(automatic),
    efixLocked: flag(locked),
    installPath: installPath.trim(),
    buildDate: buildDate.trim(),
  };
}

/** `null` for no row, which a row may be that ends with one more colon, as headers do. */
function cellsOf(line: string): RegExpExecArray | null {
  const cells = row18.exec(line) ?? row14.exec(line) ?? row8.exec(line);
  return cells === null || emptyCell.test(cells[6] ?? '') ? null : cells;
}

function flag(cell: string | undefined): boolean | null {
  return cell === '0' || cell === '1' ? cell === '1' : null;
}
