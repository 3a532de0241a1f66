/** A line that says something; it can be handed to `ParseError` as it is. */
export interface Line {
  /** Counts from 1, blank lines included. */
  readonly line: number;
  /** Without the blanks and the carriage return at its end, which come from terminals and columns. */
  readonly text: string;
}

/** Lines of an output, without those that are blank: they come and go where output is pasted, and say nothing. */
export function linesOf(output: string): Line[] {
  return output.split('\n').flatMap((raw, index) => {
    const text = raw.trimEnd();
    return text === '' ? [] : [{ line: index + 1, text }];
  });
}

/** Where something is missing in an output that has no line. */
export const nowhere: Line = { line: 1, text: '' };
