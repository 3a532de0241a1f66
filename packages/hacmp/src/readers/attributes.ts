import { ParseError } from '@splitmirror/host';

/**
 * Reads what `clmgr query CLASS NAME` (and `clvt` before it) prints: pairs of `NAME="value"`, several of which may share
 * a line. A value may hold `=`, `;` and blanks, and may be empty: an empty `STATE` is no state.
 *
 * @returns Values by attribute name.
 * @throws {@link ParseError} at anything that is no pair, and when an attribute comes twice with different values.
 */
export function parseAttributes(text: string): Readonly<Record<string, string>> {
  const source = 'clmgr query';
  const attributes: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    const at = { line: index + 1, text: line };
    const pair = /\s*([A-Z][A-Z0-9_]*)= ?"([^"]*)"(?=\s|$)/y;
    let end = 0;
    for (let match = pair.exec(line); match; match = pair.exec(line)) {
      const [, name = '', value = ''] = match;
      end = pair.lastIndex;
      if (Object.hasOwn(attributes, name) && attributes[name] !== value) {
        throw new ParseError(source, `${name} comes twice with different values`, at);
      }
      attributes[name] = value;
    }
    if (line.slice(end).trim() !== '') throw new ParseError(source, 'not an attribute with its quoted value', at);
  }
  if (Object.keys(attributes).length === 0) throw new ParseError(source, 'no attribute', { line: 1, text });
  return attributes;
}
