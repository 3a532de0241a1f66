import { type Line, linesOf, ParseError } from '@splitmirror/host';

/**
 * The lines of a whole answer, without their line ends: a carriage return before the line feed belongs to them, since
 * output comes through terminals and other systems.
 *
 * @throws ParseError when the last line has no line feed: the output was cut.
 */
export function wholeLines(source: string, text: string): string[] {
  requireEnd(source, text);
  return text.split('\n').slice(0, -1).map(withoutReturn);
}

function requireEnd(source: string, text: string): void {
  if (text === '' || text.endsWith('\n')) return;
  const lines = text.split('\n');
  throw new ParseError(source, 'cut: the last line does not end', { line: lines.length, text: lines.at(-1) ?? '' });
}

/**
 * The lines of a whole answer that are not blank. Blank ones say nothing, and come and go where output is pasted.
 *
 * @throws ParseError when the last line has no line feed: the output was cut.
 */
export function saidLines(source: string, text: string): Line[] {
  requireEnd(source, text);
  return linesOf(text);
}

/**
 * Hands over the lines of a long answer that are not blank, one after another: thousands of them are never all in memory.
 *
 * @throws ParseError when the last line has no line feed: the output was cut.
 */
export function forEachLine(source: string, text: string, take: (line: string, number: number) => void): void {
  for (let start = 0, number = 1; start < text.length; number += 1) {
    const end = text.indexOf('\n', start);
    if (end === -1) {
      throw new ParseError(source, 'cut: the last line does not end', { line: number, text: text.slice(start) });
    }
    const line = withoutReturn(text.slice(start, end));
    if (!/^\s*$/.test(line)) take(line, number);
    start = end + 1;
  }
}

/** The one line that says something; blank lines around it are tolerated. */
export function onlyLine(source: string, text: string): Line {
  const [first, second] = saidLines(source, text);
  if (first === undefined) throw new ParseError(source, 'no answer', { line: 1, text });
  if (second !== undefined) throw new ParseError(source, 'more than one line', second);
  return { line: first.line, text: first.text.trim() };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
