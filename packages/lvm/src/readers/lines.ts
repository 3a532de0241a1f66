/** A line that says something, and where it stands. */
export interface Line {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** The lines that say something, without blanks and CR at their ends: blank lines come and go where output is pasted. */
export function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .map((line, index) => ({ text: line.trimEnd(), line: index + 1 }))
    .filter((line) => line.text !== '');
}

/** Where a table ends before it began. */
export const nothing: Line = { text: '', line: 1 };
