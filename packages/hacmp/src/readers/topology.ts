import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A resource group as `cltopinfo` lists it. */
export interface TopologyGroup {
  readonly group: string;
  readonly startup: string;
  readonly fallover: string;
  readonly fallback: string;
  /** Participating nodes in priority order. */
  readonly nodes: readonly string[];
  readonly serviceLabels: readonly string[];
  /** Every label with its value as printed. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Answer of `cltopinfo`. */
export interface Topology {
  readonly cluster: string;
  /** Every `Label: value` line above the nodes. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly nodeCount: number;
  readonly networkCount: number;
  /** Addresses by node, network and label. A service label stands under every node: where it may be, not where it is. */
  readonly nodes: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  readonly groups: readonly TopologyGroup[];
}

const source = 'cltopinfo';
const nodeLine = /^NODE (\S+):$/;

/**
 * Reads what `cltopinfo` prints.
 *
 * @throws {@link ParseError} at a line that does not fit in its place, and when fewer nodes or networks follow than are
 *   announced, or nothing follows the last node.
 */
export function parseTopology(text: string): Topology {
  const attributes = new Map<string, string>();
  const nodes = new Map<string, Map<string, Map<string, string>>>();
  const groups: Map<string, string>[] = [];
  let counts: RegExpExecArray | null = null;
  let networks: Map<string, Map<string, string>> | undefined;
  let labels: Map<string, string> | undefined;
  let title = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const at = { line: index + 1, text: raw };
    if (line === '') continue;
    const node = nodeLine.exec(line)?.[1];
    const net = /^Network (\S+)$/.exec(line)?.[1];
    const group = /^Resource Group (\S+)$/.exec(line)?.[1];
    if (!counts) {
      counts = /^There are (\d+) node\(s\) and (\d+) network\(s\) defined\.?$/.exec(line);
      const named = /^([A-Z][^:]*):\s*(.*)$/.exec(line);
      // A title without a value of its own, such as that of a site, may have names below it.
      if (!counts && title !== '' && !named && /^\S+$/.test(line)) {
        attributes.set(title, `${attributes.get(title)} ${line}`.trim());
      } else if (!counts) {
        put(attributes, named, at);
        title = named?.[2] === '' ? (named[1] ?? '') : '';
      }
    } else if (/^No resource groups? defined\.?$/i.test(line)) {
      if (groups.length > 0) throw new ParseError(source, 'not a line that belongs here', at);
    } else if (group) {
      groups.push(new Map([['Resource Group', group]]));
    } else if (groups.length > 0) {
      put(
        groups.at(-1) ?? new Map(),
        /^([A-Z]\S*(?: \S+)*?)(?:\s{2,}|\t)(.*)$/.exec(line) ?? /^([A-Z][\w ]*)()$/.exec(line),
        at,
      );
    } else if (node) {
      if (nodes.has(node)) throw new ParseError(source, 'a node comes twice', at);
      networks = new Map();
      nodes.set(node, networks);
      labels = undefined;
    } else if (net && networks) {
      if (networks.has(net)) throw new ParseError(source, 'a network comes twice', at);
      labels = new Map();
      networks.set(net, labels);
    } else if (labels) {
      put(labels, /^(\S+)\s+(\S+)$/.exec(line), at);
    } else {
      throw new ParseError(source, 'not a line that belongs here', at);
    }
  }
  const distinct = new Set([...nodes.values()].flatMap((found) => [...found.keys()]));
  const [nodeCount, networkCount] = [Number(counts?.[1]), Number(counts?.[2])];
  const cluster = attributes.get('Cluster Name');
  if (!cluster || nodes.size !== nodeCount || distinct.size !== networkCount) {
    throw new ParseError(source, 'no cluster name, or not the announced nodes and networks', { line: 1, text });
  }
  const last = linesOf(text).at(-1) ?? nowhere;
  if (distinct.size > 0 && nodeLine.test(last.text.trim())) {
    throw new ParseError(source, 'ends before the networks of a node', last);
  }
  return {
    cluster,
    attributes: Object.fromEntries(attributes),
    nodeCount,
    networkCount,
    nodes: plain(nodes, (found) => plain(found, (addresses) => Object.fromEntries(addresses))),
    groups: groups.map(toGroup),
  };
}

function plain<T, U>(map: ReadonlyMap<string, T>, value: (inner: T) => U): Record<string, U> {
  return Object.fromEntries(Array.from(map, ([name, inner]) => [name, value(inner)]));
}

function put(into: Map<string, string>, match: RegExpExecArray | null, at: { line: number; text: string }): void {
  const [, label, value = ''] = match ?? [];
  const before = label && into.get(label);
  if (!label || (before !== undefined && label !== 'Service IP Label')) {
    throw new ParseError(source, 'not a label and its value, or told twice', at);
  }
  into.set(label, before === undefined ? value.trim() : `${before} ${value.trim()}`);
}

function toGroup(attributes: ReadonlyMap<string, string>): TopologyGroup {
  const value = (label: string): string => {
    const found = attributes.get(label);
    if (found !== undefined) return found;
    throw new ParseError(source, `a group without "${label}"`, {
      line: 1,
      text: attributes.get('Resource Group') ?? '',
    });
  };
  const words = (text: string) => text.split(/\s+/).filter(Boolean);
  return {
    group: value('Resource Group'),
    startup: value('Startup Policy'),
    fallover: value('Fallover Policy'),
    fallback: value('Fallback Policy'),
    nodes: words(value('Participating Nodes')),
    serviceLabels: words(attributes.get('Service IP Label') ?? ''),
    attributes: Object.fromEntries(attributes),
  };
}
