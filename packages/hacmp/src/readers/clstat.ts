import { ParseError } from '@splitmirror/host';

/** One look through `clinfo`, as old as its last poll: it may refuse a backup, never allow one. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly id: number;
  /** `UP`, `DOWN`, ... as printed. */
  readonly state: string;
  /** `STABLE`, `UNSTABLE`, ... as printed. */
  readonly substate: string;
  readonly nodes: readonly NodeStatus[];
}

/** A node on the screen of `clstat`. */
export interface NodeStatus {
  readonly name: string;
  readonly state: string;
  readonly interfaces: readonly { readonly name: string; readonly address: string; readonly state: string }[];
  /** State of each group on this node, in lower case as printed. */
  readonly groups: Readonly<Record<string, string>>;
}

const source = 'clstat';

/**
 * Reads a snapshot of `clstat -a -o`.
 *
 * @throws {@link ParseError} at a line that does not fit in its place, and when nodes are missing or repeated.
 */
export function parseClusterStatus(text: string): ClusterStatus {
  const nodes: {
    name: string;
    state: string;
    interfaces: { name: string; address: string; state: string }[];
    groups: Map<string, string>;
  }[] = [];
  let head: RegExpExecArray | undefined;
  let state: RegExpExecArray | undefined;
  let substate: string | undefined;
  let dated = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || /^[-*]+$/.test(line) || /^clstat - /.test(line) || /^\*+ f\/forward/.test(line)) continue;
    const node = nodes.at(-1);
    const port = node?.interfaces.at(-1);
    const read = shapes.map(([kind, shape]) => ({ kind, match: shape.exec(line) })).find(({ match }) => match);
    const [, first = '', second = ''] = read?.match ?? [];
    if (read?.kind === 'cluster' && !head && read.match) {
      head = read.match;
      // Up to 4.x the date stands on the same line.
      dated = head[3] !== undefined;
    } else if (read?.kind === 'date' && head && !dated) dated = true;
    else if (read?.kind === 'state' && head && !state && read.match) state = read.match;
    else if (read?.kind === 'substate' && state && substate === undefined) substate = first;
    else if (read?.kind === 'node' && substate !== undefined) {
      nodes.push({ name: first, state: second, interfaces: [], groups: new Map() });
    } else if (read?.kind === 'interface' && node) node.interfaces.push({ name: first, address: second, state: '' });
    else if (read?.kind === 'interface state' && port?.state === '') port.state = first;
    else if (read?.kind === 'group' && node && !node.groups.has(first)) node.groups.set(first, second);
    else throw new ParseError(source, 'not a line that belongs here', { line: index + 1, text: raw });
  }
  const names = new Set(nodes.map((node) => node.name));
  const halfway = nodes.some((node) => node.interfaces.some((port) => port.state === ''));
  if (
    !head ||
    !state ||
    substate === undefined ||
    names.size !== Number(state[2]) ||
    nodes.length !== names.size ||
    halfway
  ) {
    throw new ParseError(source, 'not the announced nodes', { line: 1, text });
  }
  return {
    cluster: head[1] ?? '',
    id: Number(head[2]),
    state: state[1] ?? '',
    substate,
    nodes: nodes.map((node) => ({ ...node, groups: Object.fromEntries(node.groups) })),
  };
}

const shapes = [
  [
    'cluster',
    /^Cluster: (\S+)\s+\((\d+)\)(?:\s+([A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?:\S+ )?\d{4}))?$/,
  ],
  ['date', /^[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d (?:\S+ )?\d{4}$/],
  ['state', /^State: (\S+)\s+Nodes: (\d+)$/],
  ['substate', /^SubState: (\S+)$/],
  ['node', /^Node: (\S+)\s+State:\s+(\S+)$/],
  ['interface', /^Interface: (\S+) \(\d+\)\s+Address: (\S+)$/],
  ['interface state', /^State:\s+(\S+)$/],
  ['group', /^Resource Group: (\S+)\s+State:\s+(\S.*)$/],
] as const;
