import { linesOf, ParseError } from '@splitmirror/host';
import { isMessage } from './messages.ts';

/** The cluster manager of one node, from `lssrc -ls clstrmgrES`. `null`: the line is not there. */
export interface ClusterManager {
  /** The word after `Current state:`, as printed. */
  readonly state: string;
  /** Events that wait, by queue name (`Ibcast`, `RM Ibcast`). */
  readonly queuedEvents: Readonly<Record<string, number>>;
  readonly localNodeId: number | null;
  /** -1 without sites. */
  readonly localSiteId: number | null;
  /** The level of the cluster as a whole: stays at the old one while nodes are upgraded one by one. */
  readonly clVersion: number | null;
  /** Four digits, for instance `7132`: the level of this node. */
  readonly vrmf: string | null;
  readonly fixLevel: string | null;
  /** Node names by node id, as far as the manager lists them. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly lastEvent: { readonly name: string; readonly nodeId: number } | null;
  /** Everything else that was printed: build, timers, capabilities. */
  readonly other: readonly string[];
}

/** What a manager's state means for a backup. */
export type ManagerMeaning = 'stable' | 'down' | 'moving' | 'failed' | 'not-configured' | 'unknown';

const meanings: Readonly<Record<string, ManagerMeaning>> = {
  ST_STABLE: 'stable',
  ST_INIT: 'down',
  ST_JOINING: 'moving',
  ST_VOTING: 'moving',
  ST_RP_RUNNING: 'moving',
  ST_BARRIER: 'moving',
  ST_CBARRIER: 'moving',
  ST_UNSTABLE: 'moving',
  RP_FAILED: 'failed',
  ST_RP_FAILED: 'failed',
  NOT_CONFIGURED: 'not-configured',
};

/** The whole word counts: `ST_UNSTABLE` contains `STABLE`. */
export function managerMeaning(state: string): ManagerMeaning {
  return Object.hasOwn(meanings, state) ? (meanings[state] ?? 'unknown') : 'unknown';
}

const source = 'lssrc -ls clstrmgrES';

/**
 * Reads what `lssrc -ls clstrmgrES` prints: free lines, of which exactly one gives the state.
 *
 * @throws {@link ParseError} when the state line is missing or repeated, when a known line is malformed or repeated,
 *   and at a message of AIX, whatever stands around it.
 */
export function parseClusterManager(text: string): ClusterManager {
  const found = new Map<string, RegExpExecArray>();
  const queuedEvents = new Map<string, number>();
  const nodes = new Map<string, string>();
  const other: string[] = [];
  for (const at of linesOf(text)) {
    if (isMessage(at.text)) throw new ParseError(source, 'a message', at);
    const kind = known.find(({ begins }) => begins.test(at.text));
    if (!kind) {
      other.push(at.text);
      continue;
    }
    const match = kind.shape.exec(at.text);
    if (!match) throw new ParseError(source, `malformed ${kind.name}`, at);
    const [, first = '', second = ''] = match;
    if (kind.name === 'queue') {
      if (queuedEvents.has(second)) throw new ParseError(source, 'a queue is told twice', at);
      queuedEvents.set(second, Number(first));
    } else if (kind.name === 'node') {
      if (nodes.has(first)) throw new ParseError(source, 'a node is told twice', at);
      nodes.set(first, second);
    } else {
      if (found.has(kind.name)) throw new ParseError(source, `${kind.name} is told twice`, at);
      found.set(kind.name, match);
    }
  }
  const word = (name: string, group = 1) => found.get(name)?.[group];
  const number = (name: string, group = 1) => (found.has(name) ? Number(word(name, group)) : null);
  const state = word('state');
  if (state === undefined) throw new ParseError(source, 'no line "Current state:"', { line: 1, text });
  return {
    state,
    queuedEvents: Object.fromEntries(queuedEvents),
    localNodeId: number('ids'),
    localSiteId: number('ids', 2),
    clVersion: number('CLversion'),
    vrmf: word('vrmf') ?? null,
    fixLevel: word('fix level') ?? null,
    nodes: Object.fromEntries(nodes),
    lastEvent: found.has('last event')
      ? { name: word('last event') ?? '', nodeId: Number(word('last event', 2)) }
      : null,
    other,
  };
}

/**
 * The lines that a manager at rest must have told, and did not: its answer was cut. The last event ends the answer; of
 * levels before 7.1 that is not known.
 */
export function missingLines({ state, queuedEvents, vrmf, lastEvent }: ClusterManager): string[] {
  if (managerMeaning(state) !== 'stable') return [];
  const early = vrmf !== null && Number(vrmf) < 7100;
  return [
    ...['Ibcast', 'RM Ibcast'].filter((queue) => !Object.hasOwn(queuedEvents, queue)).map((queue) => `${queue} queue`),
    ...(lastEvent || early ? [] : ['Last event run was']),
  ];
}

const known = [
  { name: 'state', begins: /^Current state:/, shape: /^Current state:\s*(\S+)\s*$/ },
  {
    name: 'ids',
    begins: /^i_local_nodeid/,
    shape: /^i_local_nodeid (-?\d+), i_local_siteid (-?\d+), my_handle -?\d+\s*$/,
  },
  {
    name: 'queue',
    begins: /^There are \S+ events\b/,
    shape: /^There are (\d+) events on the (Ibcast|RM Ibcast) queue\s*$/,
  },
  { name: 'CLversion', begins: /^CLversion:/, shape: /^CLversion: (\d+)\s*$/ },
  { name: 'vrmf', begins: /^local node vrmf/, shape: /^local node vrmf is (\d{4})\s*$/ },
  { name: 'fix level', begins: /^cluster fix level/, shape: /^cluster fix level is "(\d+)"\s*$/ },
  { name: 'node', begins: /^DNP Values for NodeId/, shape: /^DNP Values for NodeId - (\d+)\s+NodeName - (\S+)\s*$/ },
  { name: 'last event', begins: /^Last event run was/, shape: /^Last event run was (\S+)\s+on node (-?\d+)\s*$/ },
] as const;
