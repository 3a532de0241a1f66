import type { ResourceGroup, Topology, TopologyNode } from './topology.ts';

/** State words of `lssrc -ls clstrmgrES` (facts hacmp.md 3). */
export type ManagerState =
  | 'ST_INIT'
  | 'ST_JOINING'
  | 'ST_VOTING'
  | 'ST_RP_RUNNING'
  | 'ST_BARRIER'
  | 'ST_CBARRIER'
  | 'ST_UNSTABLE'
  | 'ST_RP_FAILED'
  | 'ST_STABLE';

/** State words of `clRGinfo` for a primary instance (facts hacmp.md 5.1). */
type GroupState = 'ONLINE' | 'OFFLINE' | 'ACQUIRING' | 'RELEASING' | 'ERROR' | 'UNMANAGED' | 'TEMPORARY ERROR';

/** A node with the state of its own cluster manager. */
export interface Member extends TopologyNode {
  /** The machine is up. */
  powered: boolean;
  services: 'up' | 'down' | 'unmanaged';
  manager: ManagerState;
  /** Name of the last event and the node it was about. */
  lastEvent: { readonly name: string; readonly node: number };
  /** Service labels whose addresses are configured here. */
  readonly labels: Set<string>;
  /** What this node's manager knows: group, then node, then state. */
  readonly table: Map<string, Map<string, GroupState>>;
}

/** The cluster as its nodes see it and each other. */
export interface Cluster {
  readonly topology: Topology;
  readonly members: readonly Member[];
  /** Each node sees only itself. */
  partitioned: boolean;
  /** @throws RangeError for a name that is no cluster node's. */
  member(name: string): Member;
  group(name: string): ResourceGroup | undefined;
  /** Whether a node hears of another one. */
  reaches(from: Member, to: Member): boolean;
  /** Members that this node reaches and whose cluster services run, itself first. */
  active(from: Member): Member[];
  /** Nodes on which a group has this state, as this node's manager knows it, or the first one that it can ask. */
  holders(from: Member, group: string, state?: GroupState): string[];
  /** State of a group on a node, as this node's own manager knows it. */
  stateOf(asked: Member, group: string, node: string): GroupState;
  /** Every manager that this node reaches learns the state of a group on a node. */
  tell(from: Member, group: string, node: string, state: GroupState): void;
}

/** A cluster whose nodes are up and whose services are not. */
export function createCluster(topology: Topology): Cluster {
  const members = topology.nodes.map(
    (node): Member => ({
      ...node,
      powered: true,
      services: 'down',
      manager: 'ST_INIT',
      lastEvent: { name: 'TE_JOIN_NODE', node: node.id },
      labels: new Set(),
      table: new Map(topology.groups.map(({ name, nodes }) => [name, new Map(nodes.map((each) => [each, 'OFFLINE']))])),
    }),
  );
  const cluster: Cluster = {
    topology,
    members,
    partitioned: false,
    member(name) {
      const found = members.find((member) => member.name === name);
      if (found === undefined) throw new RangeError(`no cluster node ${name}`);
      return found;
    },
    group: (name) => topology.groups.find((group) => group.name === name),
    reaches: (from, to) => from.powered && (from === to || (to.powered && !cluster.partitioned)),
    active: (from) =>
      [from, ...members.filter((other) => other !== from)].filter(
        (other) => cluster.reaches(from, other) && other.services !== 'down',
      ),
    holders(from, group, state = 'ONLINE') {
      const [asked] = cluster.active(from);
      return [...(asked?.table.get(group) ?? [])].filter(([, word]) => word === state).map(([node]) => node);
    },
    stateOf: (asked, group, node) => asked.table.get(group)?.get(node) ?? 'OFFLINE',
    tell(from, group, node, state) {
      for (const member of cluster.active(from)) member.table.get(group)?.set(node, state);
    },
  };
  return cluster;
}
