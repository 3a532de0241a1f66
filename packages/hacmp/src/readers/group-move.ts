import { ParseError } from '@splitmirror/host';
import { type GroupInstance, roleOf } from './resource-groups.ts';

/** What `clRGmove` and `clmgr move resource_group` print when a group was moved. */
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
 * @throws {@link ParseError} without the table, which a move that failed does not print.
 */
export function parseGroupMove(text: string): GroupMove {
  const source = 'clRGmove';
  const lines = text.split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => /^Resource Group name:/i.test(line));
  const group = (lines[start] ?? '').slice('Resource Group Name:'.length).trim();
  const [heading = '', ruler = '', ...rest] = lines.slice(start + 1);
  if (start === -1 || !/^\S+$/.test(group) || !/^Node\s+(Group )?State$/.test(heading) || !/^-[\s-]*$/.test(ruler)) {
    throw new ParseError(source, 'no table of nodes and states', { line: start + 1, text: lines[start] ?? '' });
  }
  const rows = rest.filter((line) => line !== '');
  const instances = rows.map((row, index): GroupInstance => {
    const [, node, state] = /^(\S+)\s+([A-Z]\w*(?: \w+)*)$/.exec(row) ?? [];
    if (!node || !state)
      throw new ParseError(source, 'not a node and its state', { line: start + index + 4, text: row });
    return { group, node, site: null, state, role: roleOf(state) };
  });
  if (instances.length === 0) throw new ParseError(source, 'no node', { line: start + 4, text: '' });
  const messages = lines.slice(0, start).filter((line) => line !== '');
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
