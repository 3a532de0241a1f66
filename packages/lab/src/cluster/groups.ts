import { type Answer, type Commands, fails, type Invocation, prints } from '../command.ts';
import type { Cluster, Member } from './cluster.ts';
import { type Events, MoveRefused } from './events.ts';
import type { Generation } from './generation.ts';
import { isConcurrent, type ResourceGroup, spansSites } from './topology.ts';

const ruler = '-'.repeat(77);

/** `clRGinfo` in its forms, `clfindres`, `clRGmove`. */
export function groupCommands(cluster: Cluster, events: Events, generation: Generation): Commands {
  const clRGinfo = (call: Invocation) => groupInformation(cluster, call);
  return {
    clRGinfo,
    clfindres: generation === '4.x' ? (call) => foundResources(cluster, call) : clRGinfo,
    clRGmove: (call) => clRGmove(cluster, events, call),
  };
}

/**
 * Asks this node's manager, or when its services are down one that is up elsewhere (facts hacmp.md 5).
 */
function groupInformation(cluster: Cluster, { node, args }: Invocation): Answer {
  const flags = new Set(args.filter((word) => word.startsWith('-')).flatMap((word) => [...word.slice(1)]));
  for (const flag of flags) {
    if (!'hvsctpami'.includes(flag)) {
      return fails('Usage: clRGinfo [-h] [-v] [-s|-c] [-t] [-p] [-a] [-m] [groupname1] [groupname2] ...\n');
    }
    // Nobody has seen these layouts (facts hacmp.md 5.4): a made-up one would only teach wrong parsers.
    if (flag !== 's' && flag !== 'c') return fails(`clRGinfo: the lab does not know what -${flag} prints\n`);
  }
  const names = args.filter((word) => !word.startsWith('-'));
  const unknown = names.find((name) => cluster.group(name) === undefined);
  if (unknown !== undefined) return fails(`clRGinfo: Resource group ${unknown} not found.\n`);
  const [asked] = cluster.active(cluster.member(node));
  if (asked === undefined) return fails('clRGinfo: no cluster manager is running on any node that can be reached.\n');
  const groups = cluster.topology.groups.filter(({ name }) => names.length === 0 || names.includes(name));
  return prints(flags.has('s') || flags.has('c') ? colonRows(cluster, asked, groups) : table(cluster, asked, groups));
}

/**
 * `clfindres` of HACMP 4.x: a row for each group, with the word UP and the node that has it (facts hacmp.md 6). The only
 * capture is damaged: the widths, and what a group prints that is nowhere up, are the lab's guess.
 */
function foundResources(cluster: Cluster, { node }: Invocation): Answer {
  const asked = cluster.member(node);
  const line = (...cells: readonly string[]) =>
    `${cells
      .map((cell) => cell.padEnd(15))
      .join('')
      .trimEnd()}\n`;
  const rows = cluster.topology.groups.map(({ name, policies }) => {
    const type = policies.startup === 'OAAN' ? 'concurrent' : policies.fallback === 'NFB' ? 'rotating' : 'cascading';
    const holders = cluster.holders(asked, name);
    return line(name, type, holders.length > 0 ? 'UP' : 'DOWN', ...holders);
  });
  return prints(
    `${line('GroupName', 'Type', 'State', 'Location')}${line('---------', '----------', '------', '--------')}${rows.join('')}`,
  );
}

/**
 * 15 fields; those after the site as the one capture has them (facts hacmp.md 5.3). With sites the eighth holds the policy
 * and the ninth the site: nobody has shown the words of the policy, `primary` is the lab's.
 */
function colonRows(cluster: Cluster, asked: Member, groups: readonly ResourceGroup[]): string {
  return groups
    .flatMap((group) => {
      const { startup, fallover, fallback } = group.policies;
      const type = isConcurrent(group) ? 'concurrent' : 'non-concurrent';
      const policy = spansSites(cluster.topology, group) ? 'primary' : 'ignore';
      return instances(cluster, asked, group).map(
        ({ node, state, site }) =>
          `${group.name}:${state}:${node}:${type}:${startup}:${fallover}:${fallback}:${policy}:${site ?? ''}:: : :::\n`,
      );
    })
    .join('');
}

/** The layout of 7.1.3: fields at columns 0, 15 and 44; with sites `node@site` (facts hacmp.md 5.2). */
function table(cluster: Cluster, asked: Member, groups: readonly ResourceGroup[]): string {
  const line = (group: string, state: string, node: string) => `${group.padEnd(14)} ${state.padEnd(28)} ${node}\n`;
  const rows = groups.flatMap((group) =>
    instances(cluster, asked, group).map(({ node, state, site }, index) =>
      line(index === 0 ? group.name : '', state, site === undefined ? node : `${node}@${site}`),
    ),
  );
  return `${ruler}\n${line('Group Name', 'Group State', 'Node')}${ruler}\n${rows.join('')}`;
}

interface Instance {
  readonly node: string;
  readonly state: string;
  readonly site: string | undefined;
}

/**
 * A group on each of its nodes, in its priority order. While its primary instance is online on one site, the first node
 * of the other site that runs has the secondary one (facts hacmp.md 5.1).
 */
function instances(cluster: Cluster, asked: Member, group: ResourceGroup): Instance[] {
  const members = group.nodes.map((node) => cluster.member(node));
  const primary = members.find(({ name }) => cluster.stateOf(asked, group.name, name) === 'ONLINE');
  const secondary = spansSites(cluster.topology, group)
    ? members.find(({ site, services }) => primary !== undefined && site !== primary.site && services === 'up')
    : undefined;
  return members.map((member) => {
    const state = cluster.stateOf(asked, group.name, member.name);
    const stands = member === secondary && state === 'OFFLINE';
    return { node: member.name, state: stands ? 'ONLINE SECONDARY' : state, site: member.site };
  });
}

async function clRGmove(cluster: Cluster, events: Events, { args }: Invocation): Promise<Answer> {
  const value = (flag: string) => args[args.indexOf(flag) + 1];
  const group = cluster.group((args.includes('-g') && value('-g')) || '');
  const target = args.includes('-n') ? value('-n') : undefined;
  if (group === undefined || target === undefined) {
    return fails('Usage: clRGmove -g <groupname> [-n <nodename>] [-x] -m [-i] [-s {true|false}]\n');
  }
  if (args.includes('-d')) {
    await events.bringOffline(group, target);
    return prints(`Resource group ${group.name} is offline on node ${target}.\n`);
  }
  return moveGroup(cluster, events, group, target);
}

/** The transcript of a move (facts hacmp.md 5.5), as `clRGmove` and `clmgr move` print it. */
export async function moveGroup(
  cluster: Cluster,
  events: Events,
  group: ResourceGroup,
  target: string,
): Promise<Answer> {
  const attempt = `Attempting to move resource group ${group.name} to node ${target}.\n\n`;
  try {
    await events.move(group, target);
  } catch (error) {
    if (!(error instanceof MoveRefused)) throw error;
    return { kind: 'exit', code: 1, stdout: attempt, stderr: `${error.message}\n` };
  }
  const member = cluster.member(target);
  const rows = instances(cluster, member, group)
    .sort((one, other) => Number(other.node === target) - Number(one.node === target))
    .map(({ node, state }) => `${node.padEnd(64)}${state}\n`);
  return prints(
    `${attempt}Waiting for the cluster to process the resource group movement request....\n\n` +
      'Waiting for the cluster to stabilize...\n\n' +
      `Resource group movement successful.\nResource group ${group.name} is online on node ${target}.\n\n\n` +
      `Cluster Name: ${cluster.topology.cluster}\n\nResource Group Name: ${group.name}\n` +
      `${'Node'.padEnd(64)}Group State\n${ruler}\n${rows.join('')}`,
  );
}
