import { type Line, linesOf, nowhere, ParseError } from '@splitmirror/host';
import { type ClusterManager, parseClusterManager } from './cluster-manager.ts';
import { isSubsystemHeading, parseSubsystem, type Subsystem } from './subsystems.ts';

/** How a node stands, in the words of `clshowsrv` of 7.2. */
export interface NodeServices {
  /** Cluster node name. */
  readonly node: string;
  /** The node that was asked, as opposed to those that it asked. */
  readonly local: boolean;
  /** Other names of the node: fully qualified, and short. */
  readonly hostNames: readonly string[];
  /** `NORMAL`, `OFFLINE`, ... as printed. */
  readonly services: string;
  /** `ST_STABLE`, `ST_INIT`, ... or `null`. */
  readonly rawState: string | null;
  readonly communications: string;
  readonly clusterAwareAix: string;
}

/** Answer of `clshowsrv`. */
export interface ShownServices {
  readonly nodes: readonly NodeServices[];
  readonly subsystems: readonly (Subsystem & { readonly section: string })[];
  /** The cluster manager, or `null` when it tells no details: its state is then unknown, not stable. */
  readonly manager: ClusterManager | null;
}

const source = 'clshowsrv';
const nodeLine = /^\s*(Local|Remote) node:\s+"([^"]+)"(?:\s+\(([^()]*)\))?\s*$/;
const wordLine =
  /^\s*(Cluster services status|Remote communications|Cluster-Aware AIX status):?\s+"([^"]*)"(?:\s+\("([^"]*)"\))?\s*$/;
const sectionLine = /^Status of the (.*\S) *:\s*$/;
const detailsLine = /^Details of .* cluster manager:\s*$/;

/**
 * Reads `clshowsrv -v` (or `-a`, or one subsystem) in both of its forms: lists of subsystems with the manager's details,
 * and from 7.2 on a block for each node.
 *
 * @throws {@link ParseError} at a line that belongs to neither, at a list without its heading, at a block or a list that is
 *   cut, and at a node that comes twice.
 */
export function parseShownServices(text: string): ShownServices {
  const nodes: NodeServices[] = [];
  const subsystems: (Subsystem & { section: string })[] = [];
  const lines = linesOf(text);
  const details = lines.findIndex((line) => detailsLine.test(line.text));
  const listed = details === -1 ? lines : lines.slice(0, details);
  let section = '';
  let headed = true;
  for (let index = 0; index < listed.length; index++) {
    const line = listed[index] ?? nowhere;
    const node = nodeLine.exec(line.text);
    const title = sectionLine.exec(line.text);
    if (node) {
      const found = readNode(node, listed.slice(index + 1, index + 4), line);
      if (nodes.some(({ node }) => node === found.node)) throw new ParseError(source, 'a node that comes twice', line);
      nodes.push(found);
      index += 3;
    } else if (title) {
      section = title[1] ?? '';
      headed = false;
    } else if (isSubsystemHeading(line.text)) {
      headed = true;
    } else if (headed) {
      subsystems.push({ ...parseSubsystem(line.text, source, line.line), section });
    } else {
      throw new ParseError(source, 'no heading above it', line);
    }
  }
  const cut = details === -1 && isSubsystemHeading(listed.at(-1)?.text ?? '');
  if (!headed || cut || nodes.length + subsystems.length === 0) {
    throw new ParseError(source, 'nothing that tells a status', lines.at(-1) ?? nowhere);
  }
  const rest = text.split('\n').slice(lines[details]?.line);
  return { nodes, subsystems, manager: details === -1 ? null : parseClusterManager(rest.join('\n')) };
}

function readNode([, where, node = '', names = '']: RegExpExecArray, lines: readonly Line[], at: Line): NodeServices {
  const words = new Map(lines.map(({ text }) => wordLine.exec(text)).map((match) => [match?.[1], match]));
  const word = (label: string): RegExpExecArray => {
    const match = words.get(label);
    if (match) return match;
    throw new ParseError(source, `no line "${label}" for node ${node}`, at);
  };
  const services = word('Cluster services status');
  return {
    node,
    local: where === 'Local',
    hostNames: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
    services: services[2] ?? '',
    rawState: services[3] ?? null,
    communications: word('Remote communications')[2] ?? '',
    clusterAwareAix: word('Cluster-Aware AIX status')[2] ?? '',
  };
}
