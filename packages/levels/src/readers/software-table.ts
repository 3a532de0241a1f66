import { ParseError } from '@splitmirror/host';
import { type FilesetState, stateOfWord } from './fileset-state.ts';
import { saidLines } from './lines.ts';

/** One entry of the table that `lslpp -l` prints. */
export interface TableRow {
  /** Software database of the block; `null` when the table was cut out with `grep`. */
  readonly path: string | null;
  readonly fileset: string;
  readonly level: string;
  readonly state: FilesetState;
  readonly stateText: string;
  readonly description: string;
}

const source = 'lslpp -l';
const header = /^\s*Fileset\s+Level\s+State\s+Description$/;
const row = /^\s*(\S+)\s+(\d[\w.-]*)\s+(EFIX LOCKED|\S+)(?:\s+(\S.*))?$/;

/**
 * Reads what `lslpp -l` prints: blocks with a `Path:` line, long names alone on their line, descriptions over several
 * lines. Rows that were cut out with `grep` are read too, as far as each is whole.
 *
 * @throws ParseError at the first line of another shape, or when the output was cut.
 */
export function parseSoftwareTable(text: string): TableRow[] {
  const rows: TableRow[] = [];
  let path: string | null = null;
  let name: string | null = null;
  /** Column in which descriptions start, by the header. */
  let titled: number | null = null;
  /** Column in which the description of the last row starts and goes on in the next lines; 0 when there is none. */
  let column = 0;
  for (const at of saidLines(source, text)) {
    const { text: line } = at;
    const indent = line.length - line.trimStart().length;
    const last = rows.at(-1);
    if (name === null && (/^\s*-+$/.test(line) || header.test(line))) {
      if (header.test(line)) titled = line.indexOf('Description');
      column = 0;
      continue;
    }
    if (name === null && column > 0 && indent >= column && last !== undefined) {
      rows[rows.length - 1] = { ...last, description: `${last.description} ${line.trim()}` };
      continue;
    }
    const block = /^Path: (\S+)$/.exec(line);
    if (name === null && block !== null) {
      path = block[1] ?? null;
      continue;
    }
    const [, fileset, level, stateText, description = ''] =
      row.exec(name === null ? line : `${name} ${line.trim()}`) ?? [];
    if (fileset !== undefined && level !== undefined && stateText !== undefined) {
      rows.push({ path, fileset, level, state: stateOfWord(stateText), stateText, description });
      column = description === '' ? 0 : (titled ?? line.length - description.length);
      name = null;
    } else if (name === null && /^\s*\S+$/.test(line)) {
      name = line.trim();
      column = 0;
    } else {
      throw new ParseError(source, 'not a row', at);
    }
  }
  if (name !== null) throw new ParseError(source, 'cut: a name without its level', { line: 1, text: name });
  return rows;
}
