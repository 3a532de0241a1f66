import { ParseError } from '@splitmirror/host';
import { wholeLines } from './lines.ts';
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

/**
 * Reads the lists of `oslevel -q`, `-rq` and `-sq`: one level a line, with or without title and ruler.
 *
 * @returns The levels as printed, in printed order, which for `-rq` and `-sq` is newest first.
 * @throws ParseError at a line that is no level, or when the output was cut.
 */
export function parseKnownLevels(text: string): string[] {
  const lines = numbered('oslevel -q', text);
  const ruler = lines.findIndex(({ line }) => /^-{3,}$/.test(line));
  if (ruler > 1) throw new ParseError('oslevel -q', 'more than a title above the ruler', { line: 1, text });
  return lines.slice(ruler + 1).map(({ line, number }) => {
    if (osLevelOf(line) === null && parseVrmf(line) === null) {
      throw new ParseError('oslevel -q', 'not a level', { line: number, text: line });
    }
    return line;
  });
}

/**
 * Reads what `oslevel -l LEVEL` and `oslevel -g LEVEL` print, also with `-r` or `-s`: the filesets that are off that level.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseOffLevelFilesets(text: string): OffLevelFileset[] {
  const [title, ruler, ...rows] = numbered('oslevel -l', text);
  if (title === undefined) return [];
  if (!/^Fileset\s+Actual Level\s+\S/.test(title.line) || !/^-{3,}$/.test(ruler?.line ?? '')) {
    throw new ParseError('oslevel -l', 'no header', { line: title.number, text: title.line });
  }
  return rows.map(({ line, number }) => {
    const [fileset, actual, reference, ...more] = line.split(/\s+/);
    if (fileset === undefined || actual === undefined || reference === undefined || more.length > 0) {
      throw new ParseError('oslevel -l', 'not a row of three columns', { line: number, text: line });
    }
    return { fileset, actual, reference };
  });
}

/** Lines that say something, with their numbers. */
function numbered(source: string, text: string) {
  return wholeLines(source, text)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '');
}
