import { type Line, nowhere, ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** One interim fix as `emgr -l` or `lslpp -e` lists it. */
export interface InterimFix {
  /** The row as printed: the evidence. */
  readonly line: string;
  readonly id: number;
  /** Code without its stars: `S` stable, `Q` reboot required, `B` broken, `SP` stable and patched ... */
  readonly state: string;
  /** It takes effect, or goes, only with the next boot. */
  readonly rebootRequired: boolean;
  /** Opaque. Several labels may stand for one APAR, and one fix may cover several APARs. */
  readonly label: string;
  /** By the node's own clock: `2024-06-28T00:58:15`. */
  readonly installTime: string;
  /** Empty when not printed. */
  readonly updatedBy: string;
  readonly abstract: string;
  /** APARs that label and abstract name, sorted. */
  readonly apars: readonly string[];
}

const source = 'emgr -l';
const none = 'There is no efix data on this system.';
const header = /^ID +STATE +LABEL +INSTALL TIME +(UPDATED BY +)?ABSTRACT$/;
const row = /^(\d+) +(\*?)([A-Z]{1,2})\*? +(\S+) +(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)(.*)$/;

/**
 * Reads what `emgr -l` or `lslpp -e` prints. Columns start where the header's names start: the rulers of AIX 7.3 do
 * not tell.
 *
 * @param text Complete standard output; `There is no efix data on this system.`, which goes to stderr, means none.
 * @throws ParseError at the first line of another shape, when there is no table at all, or when the output was cut.
 */
export function parseInterimFixes(text: string): InterimFix[] {
  const said = saidLines(source, text);
  if (said.length === 1 && said[0]?.text === none) return [];
  const [title = nowhere, ruler = title, ...rest] = said;
  const names = header.exec(title.text);
  if (names === null) throw new ParseError(source, 'no header', title);
  if (!/^[= ]+$/.test(ruler.text)) throw new ParseError(source, 'no ruler below the header', ruler);
  const columns = {
    by: names[1] === undefined ? null : title.text.indexOf('UPDATED BY'),
    abstract: title.text.indexOf('ABSTRACT'),
  };
  const end = rest.findIndex(({ text }) => text === 'STATE codes:');
  checkLegend(end === -1 ? [] : rest.slice(end + 1));
  return rest.slice(0, end === -1 ? undefined : end).map((row) => readRow(row, columns));
}

function readRow(at: Line, columns: { by: number | null; abstract: number }): InterimFix {
  const { text: line } = at;
  const [, id, star, state, label, month, day, year, time, tail = ''] = row.exec(line) ?? [];
  if (state === undefined || label === undefined) throw new ParseError(source, 'not an interim fix', at);
  const { by, abstract: column } = columns;
  if (by !== null && (line.length - tail.length > by || (line.length > column && line[column - 1] !== ' '))) {
    throw new ParseError(source, 'columns do not stand below their names', { ...at, column: by + 1 });
  }
  const abstract = by === null ? tail.trim() : line.slice(column).trim();
  return {
    line,
    id: Number(id),
    state,
    rebootRequired: star !== '' || state.includes('Q'),
    label,
    installTime: `20${year}-${month}-${day}T${time}`,
    updatedBy: by === null ? '' : line.slice(by, column).trim(),
    abstract,
    apars: [...new Set(`${label} ${abstract}`.match(/I[A-Z]\d{5}/g) ?? [])].sort(),
  };
}

/** What follows the rows explains the state codes, and nothing else. */
function checkLegend(lines: readonly Line[]): void {
  for (const at of lines) {
    if (/^\s*[A-Z]{1,2} = [A-Z +]+$/.test(at.text)) continue;
    throw new ParseError(source, 'neither a row nor the legend', at);
  }
}
