import { ParseError } from '@splitmirror/host';

/** An address that is configured on an interface of a node. */
export interface LocalAddress {
  /** For instance `en0`. */
  readonly interface: string;
  /** IPv4, or IPv6 without prefix length and zone. */
  readonly address: string;
}

/**
 * Reads what `ifconfig -a` prints: for each interface its name and flags, then indented lines, of which those that begin
 * with `inet` or `inet6` give its addresses. Aliases are lines like any other.
 *
 * @throws {@link ParseError} at a line that is neither, and at an address that is none.
 */
export function parseAddresses(text: string): LocalAddress[] {
  const source = 'ifconfig -a';
  const found: LocalAddress[] = [];
  let current = '';
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const at = { line: index + 1, text: line };
    const name = /^([a-z]+\d+): flags=/.exec(line)?.[1];
    if (name) {
      current = name;
    } else if (current === '' || !/^\s/.test(line)) {
      throw new ParseError(source, 'not an interface, or a line below one', at);
    } else if (/^\s+inet6?\b/.test(line)) {
      const [, kind, address = ''] = /^\s+(inet6?)\s+([\da-fA-F:.]+)/.exec(line) ?? [];
      const right = kind === 'inet' ? /^\d{1,3}(\.\d{1,3}){3}$/.test(address) : address.includes(':');
      if (!right) throw new ParseError(source, 'not an address', at);
      found.push({ interface: current, address });
    }
  }
  if (found.length === 0) throw new ParseError(source, 'no address', { line: 1, text });
  return found;
}
