import type { NodeReport } from '../src/index.ts';
import { group } from './world.ts';

/**
 * A cluster as it really is, which no single command tells. Much smaller than the lab and without a clock, so that many
 * thousands of schedules run in seconds. Nodes see only their own side of a partition, and each side goes on by itself.
 */
export interface Model {
  readonly nodes: readonly ModelNode[];
  /** Sides on which an event is under way. */
  readonly busy: Set<number>;
  /** Holders that the cluster has forgotten: their disks are still in use. */
  readonly forgotten: Set<ModelNode>;
}

interface ModelNode {
  readonly name: string;
  up: boolean;
  services: 'up' | 'down' | 'unmanaged';
  side: number;
  /** It has the volume groups varied on and the file systems mounted: the truth that matters. */
  holds: boolean;
}

export type Action =
  | NodeAction
  | { readonly do: 'partition'; readonly sides: readonly number[] }
  | { readonly do: 'heal' };

interface NodeAction {
  readonly do: 'crash' | 'boot' | 'force-down' | 'stop' | 'start' | 'forget' | 'move-start' | 'move-end';
  readonly node: number;
}

export function newModel(size: number): Model {
  const nodes = Array.from({ length: size }, (_, index): ModelNode => {
    return { name: `n${index + 1}`, up: true, services: 'up', side: 0, holds: index === 0 };
  });
  return { nodes, busy: new Set(), forgotten: new Set() };
}

/** Changes the model as the cluster would, events included; a move is two actions, with the group on its way between. */
export function act(model: Model, action: Action): void {
  if ('node' in action) {
    actOnNode(model, action);
    return;
  }
  model.nodes.forEach((node, index) => {
    node.side = action.do === 'partition' ? (action.sides[index % action.sides.length] ?? 0) : 0;
  });
  model.busy.clear();
  if (action.do === 'heal') return;
  for (const side of new Set(model.nodes.map((node) => node.side))) takeOver(model, side);
}

function actOnNode(model: Model, action: NodeAction): void {
  const { nodes, busy, forgotten } = model;
  const node = nodes[action.node % nodes.length];
  if (!node) return;
  switch (action.do) {
    case 'crash':
      Object.assign(node, { up: false, services: 'down', holds: false });
      forgotten.delete(node);
      takeOver(model, node.side);
      break;
    case 'boot':
      node.up = true;
      break;
    case 'stop':
      if (!node.up || node.services !== 'up') break;
      Object.assign(node, { services: 'down', holds: false });
      forgotten.delete(node);
      takeOver(model, node.side);
      break;
    case 'force-down':
      if (node.up && node.services === 'up') node.services = 'unmanaged';
      break;
    case 'start':
      if (node.up) node.services = 'up';
      break;
    case 'forget':
      if (node.holds) forgotten.add(node);
      takeOver(model, node.side);
      break;
    case 'move-start':
      if (!isMember(node)) break;
      for (const other of sideOf(model, node.side)) if (!forgotten.has(other)) other.holds = false;
      busy.add(node.side);
      break;
    case 'move-end':
      if (!busy.delete(node.side)) break;
      if (isMember(node)) node.holds = true;
      else takeOver(model, node.side);
      break;
  }
}

/** What a controller sees that reaches only some of the nodes. */
export function look(model: Model, reach: ReadonlySet<string>): NodeReport[] {
  return model.nodes.map((node): NodeReport => {
    if (!node.up || !reach.has(node.name)) {
      return {
        kind: 'unreachable',
        node: node.name,
        code: 'HOST_UNREACHABLE',
        reason: 'no route',
        remedy: 'Mend the route.',
      };
    }
    return report(model, node);
  });
}

function isMember(node: ModelNode): boolean {
  return node.up && node.services === 'up';
}

function sideOf({ nodes }: Model, side: number): ModelNode[] {
  return nodes.filter((node) => node.side === side && isMember(node));
}

/** Each side brings the group up when it knows of nobody who has it. */
function takeOver(model: Model, side: number): void {
  const unmanaged = model.nodes.some((node) => node.side === side && node.services === 'unmanaged' && node.holds);
  const members = sideOf(model, side);
  const known = members.some((node) => node.holds && !model.forgotten.has(node));
  const [first] = members.filter((node) => !model.forgotten.has(node));
  if (first && !known && !unmanaged && !model.busy.has(side)) first.holds = true;
}

function report(model: Model, node: ModelNode): NodeReport {
  const { nodes, forgotten, busy } = model;
  const mates = nodes.filter((other) => other.side === node.side);
  const members = sideOf(model, node.side);
  const unmanaged = mates.some((other) => other.services === 'unmanaged' && other.holds);
  const read = <T>(value: T) => ({ kind: 'read', source: 'model', value }) as const;
  const failed = { kind: 'unusable', source: 'model', code: 'COMMAND_FAILED', seen: 'exit code 1' } as const;
  const moving = busy.has(node.side);
  const manager = node.services === 'down' ? 'ST_INIT' : moving ? 'ST_RP_RUNNING' : 'ST_STABLE';
  const rows = nodes.map((other) => {
    const online = other.holds && other.side === node.side && !forgotten.has(other);
    const state = unmanaged ? 'UNMANAGED' : online ? 'ONLINE' : moving && isMember(other) ? 'ACQUIRING' : 'OFFLINE';
    return {
      group,
      node: other.name,
      site: null,
      state,
      role: 'primary',
      type: 'non-concurrent',
      startup: 'OHN',
      fallover: 'FNPN',
      fallback: 'NFB',
      sitePolicy: 'ignore',
    } as const;
  });
  const states = nodes.map((other) => {
    const seen = other.side === node.side && other.up;
    if (!seen || other.services === 'down') return { name: other.name, state: 'OFFLINE', rawState: '' };
    if (other.services === 'unmanaged') return { name: other.name, state: 'UNMANAGED', rawState: 'UNMANAGED' };
    return { name: other.name, state: 'NORMAL', rawState: moving ? 'ST_RP_RUNNING' : 'ST_STABLE' };
  });
  const membership = nodes.map((other) => {
    const seen = other.side === node.side && other.up;
    return {
      name: other.name,
      state: seen ? 'UP' : 'DOWN',
      local: other === node,
      pointsOfContact: seen && other !== node ? 1 : 0,
      details: [],
    };
  });
  const names = nodes.map((other) => other.name);
  return {
    kind: 'answered',
    node: node.name,
    localName: read(node.name),
    manager: read({ ...quiet, state: manager }),
    groups: members.length > 0 || node.services === 'unmanaged' ? read(rows) : failed,
    nodeStates: read(states),
    membership: read(membership),
    peers: read(
      membership.map(({ name, state }) => ({
        name,
        state: state === 'UP' ? 'Online' : 'Offline',
        rsctVersion: '3.2.4.0',
      })),
    ),
    labels: read([{ name: node.name, interfaces: [payService] }]),
    addresses: read(node.holds ? [{ interface: 'en0', address: payService.address }] : []),
    resources: read({ groups: [{ ...configured, nodes: names }], runTimeNodes: names }),
    mounts: read(node.holds ? [mount] : []),
    storage: {
      payvg: {
        detail: read({ name: 'payvg', state: 'active', permission: node.holds ? 'read/write' : 'passive-only' }),
        volumes: read([{ name: 'paylv', type: 'jfs2', mountPoint: '/pay', splitCopy: false }]),
      },
    },
  };
}

const quiet = {
  queuedEvents: { Ibcast: 0, 'RM Ibcast': 0 },
  localNodeId: 1,
  localSiteId: -1,
  clVersion: 16,
  vrmf: '7202',
  fixLevel: '2',
  nodes: {},
  lastEvent: { name: 'JOIN_NODE_CO', nodeId: 1 },
  other: [],
};
const payService = { network: 'net_ether_01', name: 'paysvc', attribute: 'public', address: '10.1.1.10' };
const configured = {
  group,
  startup: 'Online On Home Node Only',
  fallover: '',
  fallback: '',
  site: 'ignore',
  fileSystems: ['/pay'],
  volumeGroups: ['payvg'],
  concurrentVolumeGroups: [],
  applications: [],
  serviceLabels: [payService.name],
  attributes: {},
};
const mount = { host: null, device: '/dev/paylv', mountPoint: '/pay', vfs: 'jfs2', since: 'Nov 20 06:12', options: [] };
