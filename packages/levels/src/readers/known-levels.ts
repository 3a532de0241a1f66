import { ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';
import { osLevelOf } from './os-level.ts';
import { parseVrmf } from './vrmf.ts';

/** A fileset that keeps the node below (`oslevel -l`) or has it above (`oslevel -g`) a level. */
export interface OffLevelFileset {
  readonly fileset: string;
  /** Installed level. */
  readonly actual: string;
  /** Level that belongs to the one that was asked for. */
  readonly reference: string;
}

const rulerPattern = /^\s*-{3,}$/;

/**
 * Reads the lists of `oslevel -q`, `-rq` and `-sq`: one level a line, with or without title and ruler.
 *
 * @returns The levels as printed, in printed order, which for `-rq` and `-sq` is newest first.
 * @throws ParseError at a line that is no level, or when the output was cut.
 */
export function parseKnownLevels(text: string): string[] {
  const lines = saidLines('oslevel -q', text);
  const ruler = lines.findIndex(({ text: line }) => rulerPattern.test(line));
  if (ruler > 1) throw new ParseError('oslevel -q', 'more than a title above the ruler', { line: 1, text });
  const titled = ruler < 0 && /^\s*Known [A-Z]/.test(lines[0]?.text ?? '');
  return lines.slice(titled ? 1 : ruler + 1).map((at) => {
    const level = at.text.trim();
    if (osLevelOf(level) === null && parseVrmf(level) === null) {
      throw new ParseError('oslevel -q', 'not a level', at);
    }
    return level;
  });
}

/**
 * Reads what `oslevel -l LEVEL` and `oslevel -g LEVEL` print, also with `-r` or `-s`: the filesets that are off that level.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseOffLevelFilesets(text: string): OffLevelFileset[] {
  const [title, ...rest] = saidLines('oslevel -l', text);
  if (title === undefined) return [];
  if (!/^\s*Fileset\s+Actual Level\s+\S/.test(title.text)) {
    throw new ParseError('oslevel -l', 'no header', title);
  }
  const rows = rulerPattern.test(rest[0]?.text ?? '') ? rest.slice(1) : rest;
  return rows.map((at) => {
    const [fileset, actual, reference, ...more] = at.text.trim().split(/\s+/);
    if (fileset === undefined || actual === undefined || reference === undefined || more.length > 0) {
      throw new ParseError('oslevel -l', 'not a row of three columns', at);
    }
    return { fileset, actual, reference };
  });
}
