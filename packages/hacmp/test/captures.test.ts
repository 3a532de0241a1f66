import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import {
  type ClusterManager,
  type ClusterStatus,
  type ColonTable,
  type ConfiguredNode,
  type Fileset,
  type FoundGroup,
  type GroupInstance,
  type GroupMove,
  type GroupRow,
  hasHacmp,
  type Member,
  meaningOf,
  type NodeOutput,
  type NodeState,
  type PeerNode,
  parseClusterManager,
  parseConfiguredNodes,
  parseNames,
  parseRemoteOutput,
  parseSnmpCluster,
  readerOf,
  type ShownResources,
  type ShownServices,
  type Topology,
  type Varbind,
} from '../src/index.ts';

const folder = process.env.SPLITMIRROR_CAPTURES ?? join(import.meta.dirname, '../../../../shared/captures');
const captures = join(folder, 'hacmp');

interface Expected {
  readonly kind: string;
  readonly grade?: string;
  readonly expect: Readonly<Record<string, unknown>>;
  /** By group; other keys say what to refuse, which no single output decides. */
  readonly decision?: Readonly<Record<string, { readonly single_holder?: string | null }>>;
}

/** How the values of a reader are called in the expectations; a key that is not named here is not compared. */
type View = (value: never, text: string) => Record<string, unknown>;

const views: Readonly<Record<string, View>> = {
  'clRGinfo-colon': (rows: GroupRow[], text) => ({
    fields_per_line: text.trim().split('\n')[0]?.trim().split(':').length,
    groups: distinct(rows.map((row) => row.group)),
    nodes: distinct(rows.map((row) => row.node)),
    instances: rows,
    type: Object.fromEntries(rows.map((row) => [row.group, row.type])),
    policies: Object.fromEntries(
      rows.map(({ group, startup, fallover, fallback, sitePolicy: site }) => [
        group,
        { startup, fallover, fallback, site },
      ]),
    ),
  }),
  'clRGinfo-table': (instances: GroupInstance[]) => ({
    instances,
    groups: distinct(instances.map(({ group }) => group)),
    nodes: distinct(instances.map(({ node }) => node)),
  }),
  'clRGmove-result': ({ cluster, group, movedTo, instances }: GroupMove) => ({
    ...(cluster && { cluster }),
    group,
    moved_to: movedTo,
    instances,
  }),
  clfindres: (groups: FoundGroup[]) => ({ groups }),
  'clmgr-colon': (answer: NodeState[] | ColonTable, text) => ({
    columns: text.trim().split('\n')[0]?.trim().replace('# ', '').split(':'),
    ...(Array.isArray(answer)
      ? { nodes: answer.map(({ rawState, ...node }) => ({ ...node, raw_state: rawState })) }
      : {
          rows: answer.rows.map((row) =>
            Object.fromEntries(answer.columns.map((column, index) => [column.toLowerCase(), row[index]])),
          ),
        }),
  }),
  'clmgr-pairs': (attributes: Record<string, string>) => ({ attributes }),
  'lssrc-ls-clstrmgrES': (manager: ClusterManager) => managerView(manager),
  lssrc: (subsystems: unknown) => ({ subsystems }),
  'clshowsrv-v': (shown: ShownServices) => ({
    subsystems: shown.subsystems,
    ...(shown.manager ? managerView(shown.manager) : { cluster_manager_state: null }),
    ...(shown.nodes.length > 0 && {
      nodes: shown.nodes.map(({ rawState, ...node }) => ({ ...node, name: node.node, raw_state: rawState })),
    }),
  }),
  'clcmd-lssrc-state': (outputs: NodeOutput[]) => ({
    per_node: Object.fromEntries(outputs.map(({ node, output }) => [node, parseClusterManager(output).state])),
  }),
  cllsnode: (nodes: ConfiguredNode[]) => ({
    configured_nodes: nodes.map((node) => node.name),
    interfaces: Object.fromEntries(nodes.map((node) => [node.name, node.interfaces.map((found) => found.name)])),
  }),
  clshowres: ({ groups, runTimeNodes }: ShownResources) => ({
    groups: Object.fromEntries(
      groups.map((group) => [
        group.group,
        {
          nodes: group.nodes,
          startup: group.startup,
          fallover: group.fallover,
          fallback: group.fallback,
          site: group.site,
          filesystems: group.fileSystems,
          volume_groups: group.volumeGroups,
          concurrent_volume_groups: group.concurrentVolumeGroups,
          applications: group.applications,
          service_labels: group.serviceLabels,
        },
      ]),
    ),
    run_time_nodes: runTimeNodes,
  }),
  clstat: (status: ClusterStatus) => ({
    cluster: status.cluster,
    cluster_id: status.id,
    state: status.state,
    substate: status.substate,
    node_count: status.nodes.length,
    nodes: status.nodes,
  }),
  cltopinfo: ({ cluster, attributes, nodeCount, networkCount, nodes, groups }: Topology) => ({
    cluster,
    cluster_type: attributes['Cluster Type'],
    heartbeat: attributes['Heartbeat Type'],
    repository_disk: attributes['Repository Disk']?.split(' ')[0],
    node_count: nodeCount,
    network_count: networkCount,
    nodes,
    groups: Object.fromEntries(
      groups.map((group) => [
        group.group,
        {
          startup: group.startup,
          fallover: group.fallover,
          fallback: group.fallback,
          nodes: group.nodes,
          service_labels: group.serviceLabels,
        },
      ]),
    ),
  }),
  halevel: ({ version, servicePack }: { version: string; servicePack: string }) => ({
    version,
    service_pack: servicePack,
  }),
  'lscluster-m': (members: Member[]) => ({
    examined: members.length,
    nodes: members.map(({ name, state, local, pointsOfContact }) => ({
      name,
      state,
      local,
      points_of_contact: pointsOfContact,
    })),
  }),
  'lslpp-colon': (filesets: Fileset[]) => ({ hacmp_installed: hasHacmp(filesets), filesets }),
  lsrpnode: (nodes: PeerNode[]) => ({ nodes: Object.fromEntries(nodes.map((node) => [node.name, node.state])) }),
  'odm-version': (versions: number[]) => ({ versions, consistent: new Set(versions).size === 1 }),
  'snmp-varbinds': (varbinds: Varbind[], text) => {
    // A dump of another branch tells nothing of the cluster as a whole.
    if (!varbinds.some(({ name }) => name === 'clusterName')) return generic(varbinds);
    const { name, id, state, substate, lastChange, answeringNode, nodeCount } = parseSnmpCluster(text);
    return {
      cluster: name,
      cluster_id: id,
      state,
      substate,
      last_change_epoch: lastChange,
      answering_node: answeringNode,
      node_count: nodeCount,
    };
  },
};

/** Captures whose second line names no single command. */
const byHand: Readonly<Record<string, (text: string) => Record<string, unknown>>> = {
  // Two commands after each other: the names of the active nodes, then cllsnode.
  'cllsnode-713.txt': (text) => {
    const [active = '', ...rest] = text.split('\n\n');
    return { active_nodes: parseNames(active), ...view('cllsnode', parseConfiguredNodes(rest.join('\n\n')), text) };
  },
  // A session of a shell: prompts with commands, each followed by its answer.
  'clrsh-intermittent.txt': (text) => {
    const attempts = text.split(/^# /m).flatMap((part) => {
      const [command = '', ...lines] = part.split('\n');
      const target = /^clrsh (\S+)/.exec(command)?.[1];
      return target ? [{ target, ok: succeeds(() => parseRemoteOutput(lines.join('\n'))) }] : [];
    });
    return { attempts };
  },
};

/** Where the second line names no command, or one that has no reader: what the kind of the expectation is printed by. */
const printedBy: Readonly<Record<string, string>> = {
  'clRGinfo-colon': 'clRGinfo -s',
  'clRGinfo-table': 'clRGinfo',
  'clRGmove-result': 'clRGmove',
  'clmgr-pairs': 'clmgr query cluster',
  'lssrc-ls-clstrmgrES': 'lssrc -ls clstrmgrES',
  lssrc: 'lssrc -a',
  'clshowsrv-v': 'clshowsrv -v',
  'clcmd-lssrc-state': 'clcmd lssrc -ls clstrmgrES',
  'lscluster-m': 'lscluster -m',
};

function managerView(manager: ClusterManager): Record<string, unknown> {
  return {
    cluster_manager_state: manager.state,
    queued_events: { ibcast: manager.queuedEvents.Ibcast, rm_ibcast: manager.queuedEvents['RM Ibcast'] },
    cl_version: manager.clVersion,
    vrmf: manager.vrmf,
    fix_level: manager.fixLevel,
    local_node_id: manager.localNodeId,
    local_site_id: manager.localSiteId,
    nodes: manager.nodes,
    last_event: manager.lastEvent?.name ?? null,
    last_event_node_id: manager.lastEvent?.nodeId ?? null,
  };
}

function view(kind: string, value: unknown, text: string): Record<string, unknown> {
  return views[kind]?.(value as never, text) ?? generic(value);
}

/** For kinds that have no view: the reader's own words, in the spelling of the expectations. */
function generic(value: unknown): Record<string, unknown> {
  if (Array.isArray(value)) {
    const list = snake(value);
    const outputs = value.every(
      (item) => typeof item === 'object' && item !== null && 'node' in item && 'output' in item,
    );
    return {
      ...Object.fromEntries(
        ['rows', 'nodes', 'groups', 'instances', 'names', 'varbinds', 'mounts'].map((key) => [key, list]),
      ),
      ...(outputs && {
        per_node: Object.fromEntries(value.map(({ node, output, value }) => [node, snake(value ?? output.trim())])),
      }),
    };
  }
  const seen = snake(value);
  return typeof seen === 'object' && seen !== null ? { ...seen } : { value: seen };
}

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snake(inner),
    ]),
  );
}

/** Captures of these grades vouch for words and not for their layout: a strict reader may refuse them. */
const layoutLost = ['layout-damaged', 'tokens-only'];

/** Lists of names are compared as sets: the expectations sort some of them. */
function unordered(values: Record<string, unknown>): Record<string, unknown> {
  const sort = (value: unknown) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string') ? [...value].sort() : value;
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, sort(value)]));
}

/** The one node that has a group, as far as one table tells: `null` for none, several, and states that forbid it. */
function holderIn(instances: readonly GroupInstance[]): string | null {
  const held = instances.filter(({ state }) => meaningOf(state) === 'online');
  const quiet = instances.every(({ state }) => ['online', 'offline', 'secondary'].includes(meaningOf(state)));
  return quiet && held.length === 1 ? (held[0]?.node ?? null) : null;
}

function distinct(words: readonly string[]): string[] {
  return [...new Set(words)];
}

/** What was read. Nothing where a capture without its layout is refused; a message in place of an answer has to be. */
function attempt(
  read: () => Record<string, unknown>,
  { grade, expect: wanted }: Expected,
  text: string,
): Record<string, unknown> | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const message = ['error_text', 'message', 'error'].find((key) => wanted[key] === text.trim());
    if (message) return { [message]: text.trim() };
    if (layoutLost.includes(grade ?? '')) return undefined;
    throw error;
  }
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

describe('captures', () => {
  if (!existsSync(captures)) {
    it.skip(`no captures in ${captures}`, () => {});
    return;
  }
  const names = readdirSync(captures).filter((name) => name.endsWith('.txt'));
  it.for(names)('%s', (name, { skip }) => {
    const [, second = '', ...lines] = readFileSync(join(captures, name), 'utf8').split('\n');
    const text = lines.join('\n');
    const expected: Expected = JSON.parse(
      readFileSync(join(captures, name.replace(/\.txt$/, '.expected.json')), 'utf8'),
    );
    const kind = expected.kind.split(' ')[0] ?? '';
    const command = second.replace(/^# command: /, '').trim();
    const read = byHand[name] ?? readerOf(command) ?? readerOf(printedBy[kind] ?? kind);
    if (!read) return skip(`no reader for ${command}`);
    const seen = attempt(() => byHand[name]?.(text) ?? view(kind, read(text), text), expected, text);
    if (!seen) return skip(`refused, and ${expected.grade} vouches for no layout`);
    const wanted = Object.fromEntries(Object.entries(expected.expect).filter(([key]) => seen[key] !== undefined));
    if (views[kind]) expect(Object.keys(wanted), 'nothing to compare').not.toEqual([]);
    expect(unordered(seen)).toMatchObject(unordered(wanted));
    if (!Array.isArray(seen.instances)) return;
    for (const [group, { single_holder: holder }] of Object.entries(expected.decision ?? {})) {
      const instances = seen.instances.filter((instance: GroupInstance) => instance.group === group);
      if (holder !== undefined) expect(holderIn(instances), group).toBe(holder);
    }
  });
});
