import { ParseError } from '@splitmirror/host';

/**
 * Reads what `get_local_nodename` prints: the bare cluster node name, which is not the host name.
 *
 * @throws {@link ParseError} on anything but one word on one line.
 */
export function parseLocalNodeName(text: string): string {
  const name = text.trim();
  if (!/^\S+$/.test(name)) throw new ParseError('get_local_nodename', 'not one node name', { line: 1, text });
  return name;
}
