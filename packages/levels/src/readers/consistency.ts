import { ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** What `lppchk` complains about. */
export interface Consistency {
  /** It complained about nothing. */
  readonly consistent: boolean;
  /** Filesets that `lppchk -v` wants installed or corrected. */
  readonly problems: readonly {
    readonly line: string;
    readonly fileset: string;
    /** Level or requisite expression, such as `v=4, r<2`. */
    readonly requirement: string;
    readonly problem: string;
  }[];
  /** Everything else it said, one sentence each: missing files, sizes, checksums (`-f`, `-c`, `-l`). */
  readonly messages: readonly string[];
}

const source = 'lppchk';
const row = /^\s+(\S+)\s+(\S.*)\(([^()]*)\)$/;

/**
 * Reads what `lppchk -v`, `-f`, `-c` or `-l` say. A clean run says nothing at all.
 *
 * @param text Standard output and standard error together: no text tells which of the two it uses.
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseConsistency(text: string): Consistency {
  const problems: Consistency['problems'][number][] = [];
  const messages: string[] = [];
  /** A sentence that goes on in the next line. */
  let open: string | null = null;
  let inList = false;
  for (const at of saidLines(source, text)) {
    const { text: line } = at;
    const [, fileset, requirement, problem] = row.exec(line) ?? [];
    if (/^lppchk:\s+\S/.test(line) && open === null) {
      open = line.slice('lppchk:'.length).trim();
    } else if (open !== null && !line.startsWith('lppchk:')) {
      open = `${open} ${line.trim()}`;
    } else if (inList && fileset !== undefined && requirement !== undefined && problem !== undefined) {
      problems.push({ line, fileset, requirement: requirement.trim(), problem });
    } else {
      throw new ParseError(source, 'neither a sentence nor a fileset', at);
    }
    if (open?.endsWith(':')) {
      inList = true;
      open = null;
    } else if (open?.endsWith('.')) {
      messages.push(open);
      inList = false;
      open = null;
    }
  }
  if (open !== null) throw new ParseError(source, 'a sentence without an end', { line: 1, text: open });
  return { consistent: text.trim() === '', problems, messages };
}
