import { linesOf, nowhere, ParseError } from '@splitmirror/host';
import { type GroupInstance, placeOf, roleOf } from './resource-groups.ts';

/** What `clRGmove` and `clmgr move resource_group` (or `online`, `offline`) print when a group was moved. */
export interface GroupMove {
  readonly group: string;
  /** `null` when it is not printed. */
  readonly cluster: string | null;
  /** Node on which the group is said to be online now, or `null` when no line says so. */
  readonly movedTo: string | null;
  readonly instances: readonly GroupInstance[];
  /** What else was printed on the way. */
  readonly messages: readonly string[];
}

/**
 * Reads the transcript of a move: messages, then a table of node and state. The order of the columns is the reverse of
 * `clRGinfo`.
 *
 * @throws {@link ParseError} without the table, which a move that failed does not print, and at a node that comes twice.
 */
export function parseGroupMove(text: string): GroupMove {
  const source = 'clRGmove';
  const lines = linesOf(text).map(({ line, text }) => ({ line, text: text.trim() }));
  const start = lines.findIndex(({ text }) => /^Resource Group name:/i.test(text));
  const [title = nowhere, heading, ruler, ...rows] = lines.slice(start);
  const group = title.text.slice('Resource Group Name:'.length).trim();
  const headed = heading && /^Node\s+(Group )?State$/.test(heading.text) && ruler && /^-[\s-]*$/.test(ruler.text);
  if (start === -1 || !/^\S+$/.test(group) || !headed) {
    throw new ParseError(source, 'no table of nodes and states', start === -1 ? nowhere : title);
  }
  const seen = new Set<string>();
  const instances = rows.map((row): GroupInstance => {
    const [, word = '', state = ''] = /^(\S+)\s+([A-Z]\w*(?: \w+)*)$/.exec(row.text) ?? [];
    const place = placeOf(word);
    if (!place) throw new ParseError(source, 'not a node and its state', row);
    if (seen.has(place.node)) throw new ParseError(source, 'a node that comes twice', row);
    seen.add(place.node);
    return { group, ...place, state, role: roleOf(state) };
  });
  if (instances.length === 0) throw new ParseError(source, 'no node', title);
  const messages = lines.slice(0, start).map(({ text }) => text);
  const told = (shape: RegExp) =>
    messages.map((line) => shape.exec(line)?.[1]).find((word) => word !== undefined) ?? null;
  return {
    group,
    cluster: told(/^Cluster Name:\s*(\S+)$/),
    movedTo: told(/^Resource group \S+ is online on node (\S+?)\.?$/),
    instances,
    messages,
  };
}
