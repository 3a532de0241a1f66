import { ParseError } from '@splitmirror/host';

/**
 * The lines of a whole answer, without their line feeds.
 *
 * @throws ParseError when the last line has no line feed: the output was cut.
 */
export function wholeLines(source: string, text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  if (last !== '')
    throw new ParseError(source, 'cut: the last line does not end', { line: lines.length + 1, text: last });
  return lines;
}

/**
 * Hands over the lines of a long answer one after another: thousands of them are never all in memory.
 *
 * @throws ParseError when the last line has no line feed: the output was cut.
 */
export function forEachLine(source: string, text: string, take: (line: string, number: number) => void): void {
  for (let start = 0, number = 1; start < text.length; number += 1) {
    const end = text.indexOf('\n', start);
    if (end === -1) {
      throw new ParseError(source, 'cut: the last line does not end', { line: number, text: text.slice(start) });
    }
    take(text.slice(start, end), number);
    start = end + 1;
  }
}

/** The one line that says something; blank lines around it are tolerated. */
export function onlyLine(source: string, text: string): { readonly line: string; readonly number: number } {
  const said = wholeLines(source, text)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '');
  const [first, second] = said;
  if (first === undefined) throw new ParseError(source, 'no answer', { line: 1, text });
  if (second !== undefined)
    throw new ParseError(source, 'more than one line', { line: second.number, text: second.line });
  return first;
}
