/** Startup, fallover and fallback policies by the codes that `clRGinfo -s` prints. */
export interface Policies {
  readonly startup: 'OHN' | 'OFAN' | 'OAAN' | 'OUDP';
  readonly fallover: 'FNPN' | 'FUDNP' | 'BO';
  readonly fallback: 'NFB' | 'FBHPN';
}

/** A resource group as it is configured. */
export interface ResourceGroup {
  readonly name: string;
  /** Participating nodes in priority order. */
  readonly nodes: readonly string[];
  readonly policies: Policies;
  readonly volumeGroups: readonly string[];
  /** Mount points; `ALL` stands for every file system of the volume groups. */
  readonly fileSystems: readonly string[] | 'ALL';
  readonly serviceLabel: string | undefined;
  readonly application: Application | undefined;
}

/** An application controller: the commands that start and stop an application. */
interface Application {
  readonly name: string;
  readonly start: readonly [string, ...string[]];
  readonly stop: readonly [string, ...string[]];
}

/** A cluster node as it is configured. */
export interface TopologyNode {
  /** Cluster node name. */
  readonly name: string;
  /** What `hostname` says, which is another name. */
  readonly host: string;
  readonly address: string;
  /** Name of its site; undefined in a cluster without sites. */
  readonly site: string | undefined;
  /** Number of the node within the cluster, from 1. */
  readonly id: number;
}

/** The configuration that all nodes share. */
export interface Topology {
  readonly cluster: string;
  readonly clusterId: number;
  readonly nodes: readonly TopologyNode[];
  readonly network: string;
  readonly serviceAddress: string;
  readonly repositoryDisk: { readonly name: string; readonly pvid: string };
  readonly groups: readonly ResourceGroup[];
}

/** The policies in words, as the configuration reports print them. */
export const policyWords: Readonly<Record<Policies[keyof Policies], string>> = {
  OHN: 'Online On Home Node Only',
  OFAN: 'Online On First Available Node',
  OAAN: 'Online On All Available Nodes',
  OUDP: 'Online Using Node Distribution Policy',
  FNPN: 'Fallover To Next Priority Node In The List',
  FUDNP: 'Fallover Using Dynamic Node Priority',
  BO: 'Bring Offline (On Error Node Only)',
  NFB: 'Never Fallback',
  FBHPN: 'Fallback To Higher Priority Node In The List',
};

/** Whether a group has nodes on more than one site, and so a secondary instance on the other one. */
export function spansSites(topology: Topology, group: ResourceGroup): boolean {
  const sites = topology.nodes.filter(({ name }) => group.nodes.includes(name)).map(({ site }) => site);
  return new Set(sites).size > 1;
}

/** Startup policy "on all available nodes" makes a group concurrent. */
export function isConcurrent(group: ResourceGroup): boolean {
  return group.policies.startup === 'OAAN';
}
