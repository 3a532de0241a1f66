import { type Answer, type Commands, fails, type Invocation, prints } from '../command.ts';
import type { Cluster, Member } from './cluster.ts';
import type { Events, StopManner } from './events.ts';
import { moveGroup } from './groups.ts';
import { isConcurrent, type ResourceGroup } from './topology.ts';

/** Attributes of one object in the order in which they are printed. */
type Attributes = readonly (readonly [name: string, value: string])[];

const classes = new Map([
  ['cluster', 'cluster'],
  ['cl', 'cluster'],
  ['node', 'node'],
  ['no', 'node'],
  ['resource_group', 'resource_group'],
  ['rg', 'resource_group'],
]);

/** `clmgr` for what the lab knows: query of cluster, node and resource group, move, online and offline. */
export function clmgrCommands(cluster: Cluster, events: Events): Commands {
  return { clmgr: (call) => clmgr(cluster, events, call) };
}

async function clmgr(cluster: Cluster, events: Events, { node, args }: Invocation): Promise<Answer> {
  const { flags, attributes, words } = readArguments(args);
  const [action = '', classWord = '', ...operands] = words;
  const kind = classes.get(classWord.toLowerCase());
  const named = operands.filter((word) => !word.includes('='));
  const settings = new Map(
    operands
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')).toUpperCase(), word.slice(word.indexOf('=') + 1)]),
  );
  if (kind === undefined) return fails(`ERROR: "${classWord}" is not a valid object class.\n`);
  if (action === 'query' || action === 'q') {
    return query(cluster, cluster.member(node), kind, named, flags, attributes);
  }
  if (action === 'move' && kind === 'resource_group') {
    const group = cluster.group(named[0] ?? '');
    const target = settings.get('NODE');
    if (group === undefined) return fails(`ERROR: resource group "${named[0] ?? ''}" is not defined.\n`);
    if (target === undefined) return fails('ERROR: a value for "NODE" is required.\n');
    return moveGroup(cluster, events, group, target);
  }
  const starts = ['online', 'on', 'start'].includes(action);
  const stops = ['offline', 'off', 'stop'].includes(action);
  if (starts || stops) {
    const targets =
      kind === 'node' ? named.flatMap((word) => word.split(',')) : cluster.members.map(({ name }) => name);
    const wrong = targets.find((name) => cluster.members.every((member) => member.name !== name));
    if (kind === 'resource_group') return fails(`ERROR: action "${action}" is not modelled for resource groups.\n`);
    if (wrong !== undefined || targets.length === 0) return fails(`ERROR: node "${wrong ?? ''}" is not defined.\n`);
    const manner = (settings.get('MANAGE') ?? 'offline').toLowerCase();
    if (stops && !['offline', 'move', 'unmanage'].includes(manner))
      return fails(`ERROR: "${manner}" is not a valid value for "MANAGE".\n`);
    for (const target of targets) {
      if (starts) await events.start(target);
      else await events.stop(target, manner as StopManner);
    }
    const done = starts ? 'ONLINE' : manner === 'unmanage' ? 'UNMANAGED' : 'OFFLINE';
    return prints(targets.map((name) => `${name}: ${done}\n`).join(''));
  }
  return fails(`ERROR: "${action}" is not a valid action.\n`);
}

function query(
  cluster: Cluster,
  asked: Member,
  kind: string,
  named: readonly string[],
  flags: ReadonlySet<string>,
  attributes: readonly string[],
): Answer {
  const all = objects(cluster, asked, kind);
  if (named.length === 0 && !flags.has('v') && kind !== 'cluster') {
    return prints(all.map(([[, name]]) => `${name}\n`).join(''));
  }
  const unknown = named.find((name) => all.every(([[, own]]) => own !== name));
  if (unknown !== undefined) return fails(`ERROR: ${kind.replace('_', ' ')} "${unknown}" is not defined.\n`);
  const chosen = all
    .filter(([[, name]]) => named.length === 0 || named.includes(name))
    .map((object) =>
      attributes.length === 0
        ? object
        : attributes.map((wanted) => [wanted.toUpperCase(), new Map(object).get(wanted.toUpperCase()) ?? ''] as const),
    );
  if (flags.has('c') || flags.has('d')) {
    const header = `# ${chosen[0]?.map(([name]) => name).join(':') ?? ''}\n`;
    return prints(header + chosen.map((object) => `${object.map(([, value]) => value).join(':')}\n`).join(''));
  }
  return prints(chosen.map((object) => object.map(([name, value]) => `${name}="${value}"\n`).join('')).join('\n'));
}

function objects(
  cluster: Cluster,
  asked: Member,
  kind: string,
): readonly (readonly [readonly [string, string], ...Attributes])[] {
  if (kind === 'node') return cluster.members.map((member) => nodeAttributes(cluster, asked, member));
  if (kind === 'resource_group') return cluster.topology.groups.map((group) => groupAttributes(cluster, asked, group));
  return [clusterAttributes(cluster, asked)];
}

/** NORMAL/ST_STABLE, OFFLINE/ST_INIT, UNMANAGED/UNMANAGED (facts hacmp.md 8); other words stand for a state under way. */
function nodeAttributes(
  cluster: Cluster,
  asked: Member,
  member: Member,
): readonly [readonly [string, string], ...Attributes] {
  const [state, raw] = nodeState(cluster, asked, member);
  return [
    ['NAME', member.name],
    ['COMMUNICATION_PATH', member.host],
    ['STATE', state],
    ['RAW_STATE', raw],
  ];
}

function nodeState(cluster: Cluster, asked: Member, member: Member): [string, string] {
  if (!cluster.reaches(asked, member) || member.services === 'down') return ['OFFLINE', 'ST_INIT'];
  if (member.services === 'unmanaged') return ['UNMANAGED', 'UNMANAGED'];
  return [member.manager === 'ST_STABLE' ? 'NORMAL' : member.manager.slice('ST_'.length), member.manager];
}

function clusterAttributes(cluster: Cluster, asked: Member): readonly [readonly [string, string], ...Attributes] {
  const active = cluster.active(asked);
  const state =
    active.length === 0 ? 'OFFLINE' : active.every(({ manager }) => manager === 'ST_STABLE') ? 'STABLE' : 'UNSTABLE';
  return [
    ['CLUSTER_NAME', cluster.topology.cluster],
    ['CLUSTER_ID', String(cluster.topology.clusterId)],
    ['STATE', state],
    ['TYPE', 'NSC'],
    ['HEARTBEAT_TYPE', 'unicast'],
    ['REPOSITORIES', `${cluster.topology.repositoryDisk.name} (${cluster.topology.repositoryDisk.pvid})`],
    ['VERSION', '7.2.2.1'],
    ['UNSYNCED_CHANGES', 'false'],
  ];
}

function groupAttributes(
  cluster: Cluster,
  asked: Member,
  group: ResourceGroup,
): readonly [readonly [string, string], ...Attributes] {
  const [answering] = cluster.active(asked);
  const states = group.nodes.map((node) => answering?.table.get(group.name)?.get(node) ?? 'OFFLINE');
  const state = states.find((word) => word !== 'OFFLINE') ?? 'OFFLINE';
  const [current = ''] = cluster.holders(asked, group.name);
  return [
    ['NAME', group.name],
    ['CURRENT_NODE', current],
    ['NODES', group.nodes.join(' ')],
    ['STATE', answering === undefined ? '' : state],
    ['TYPE', isConcurrent(group) ? 'concurrent' : 'non-concurrent'],
    ['APPLICATIONS', group.application?.name ?? ''],
    ['STARTUP', group.policies.startup],
    ['FALLOVER', group.policies.fallover],
    ['FALLBACK', group.policies.fallback],
    ['SERVICE_LABEL', group.serviceLabel ?? ''],
    ['FILESYSTEM', group.fileSystems === 'ALL' ? 'ALL' : group.fileSystems.join(' ')],
    ['VOLUME_GROUP', group.volumeGroups.join(' ')],
    ['FORCED_VARYON', 'false'],
    ['VG_AUTO_IMPORT', 'false'],
    ['FSCHECK_TOOL', 'fsck'],
    ['RECOVERY_METHOD', 'sequential'],
    ['FS_BEFORE_IPADDR', 'false'],
  ];
}

/** `clmgr [-c | -d<delim>] [-S] [-x] [-v] [-f] [-a attr,...] <action> <class> ...` */
function readArguments(args: readonly string[]): { flags: Set<string>; attributes: string[]; words: string[] } {
  const flags = new Set<string>();
  const attributes: string[] = [];
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!word.startsWith('-') || words.length > 0) {
      words.push(word);
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? '';
      flags.add(letter);
      if (letter !== 'a') continue;
      const value = word.slice(i + 1) || args[++at] || '';
      attributes.push(...value.split(',').filter((name) => name !== ''));
      break;
    }
  }
  return { flags, attributes, words };
}
