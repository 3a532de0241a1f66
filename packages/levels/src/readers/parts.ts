import { ParseError } from '@splitmirror/host';
import { type FilesetState, stateOfWord } from './fileset-state.ts';
import { forEachLine } from './lines.ts';

/** One row of `lslpp -lc`: one part of a fileset. The parts of a healthy fileset may well be at different levels. */
export interface FilesetPart {
  /** The row as printed: the evidence. */
  readonly line: string;
  /** Software database: `/usr/lib/objrepos` (usr part), `/etc/objrepos` (root), `/usr/share/lib/objrepos` (share). */
  readonly path: string;
  readonly fileset: string;
  readonly level: string;
  /** Fix that brought it; empty on every row that was ever seen. */
  readonly ptf: string;
  readonly state: FilesetState;
  /** The word of the state as printed, translated outside the C locale. */
  readonly stateText: string;
  /** `I` install, `M` maintenance, `E` enhancement, `F` fix. */
  readonly type: string;
  /** As printed, with its trailing blanks. */
  readonly description: string;
  /** Frozen by the interim-fix manager. `null`: not printed, as on AIX 4.3. */
  readonly efixLocked: boolean | null;
}

/** Rows by their text, as for `parseListing`: equal rows of many nodes are read once and are one object. */
export type PartTable = Map<string, FilesetPart>;

const source = 'lslpp -lc';
const row = /^([^:\s]+):([^:\s]+):([^:\s]+):([^:]*):([^:]+):([A-Z]?):(.*)$/;
const lock = /:(|EFIXLOCKED) *$/;

/**
 * Reads what `lslpp -lc` prints, with its header or (`-q`) without. The header has one name less than the rows have
 * cells, and descriptions hold colons: a row is read from both ends.
 *
 * @param text Complete standard output.
 * @param rows Rows read before; new ones are added.
 * @throws ParseError at the first line of another shape, or when the output was cut.
 */
export function parseParts(text: string, rows: PartTable = new Map()): FilesetPart[] {
  const found: FilesetPart[] = [];
  let locks: boolean | null = null;
  forEachLine(source, text, (line, number) => {
    if (locks === null && line.startsWith('#')) {
      locks = locksOfHeader(line, number);
      return;
    }
    // Without a header the first row tells the generation; all others must be of it.
    locks ??= lock.test(line);
    // The same text is another row where there is no lock column: the table is asked with that in mind.
    const known = rows.get(line);
    const part = known !== undefined && (known.efixLocked !== null) === locks ? known : readRow(line, locks);
    if (part === null) throw new ParseError(source, 'not a row', { line: number, text: line });
    rows.set(line, part);
    found.push(part);
  });
  return found;
}

function locksOfHeader(line: string, number: number): boolean {
  const names = line.split(':').length;
  if (names === 6 || names === 7) return names === 7;
  throw new ParseError(source, `a header of ${names} names; known are 6 and 7`, { line: number, text: line });
}

function readRow(line: string, locks: boolean): FilesetPart | null {
  const [, path, fileset, level, ptf = '', stateText, type = '', rest = ''] = row.exec(line) ?? [];
  if (path === undefined || fileset === undefined || level === undefined || stateText === undefined) return null;
  const tail = lock.exec(rest);
  if ((tail !== null) !== locks) return null;
  return {
    line,
    path,
    fileset,
    level,
    ptf,
    state: stateOfWord(stateText),
    stateText,
    type,
    description: tail === null ? rest : rest.slice(0, tail.index),
    efixLocked: tail === null ? null : tail[1] !== '',
  };
}
