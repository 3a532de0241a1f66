import { writeFile } from 'node:fs/promises';
import type { Problem } from '@splitmirror/backup';
import { contentsOf, type GroupRow, type NodeReport, survey } from '@splitmirror/hacmp';
import { type Host, unlessAborted } from '@splitmirror/host';
import { look } from '@splitmirror/lvm';
import { sshHost } from '@splitmirror/ssh';
import { ConfigError, readConfig } from '../config/read.ts';
import { exitCodeOfProblems, exitCodes } from '../exit-codes.ts';
import { type BareSession, interruptible } from '../session.ts';
import { type FoundGroup, type FoundNode, starterConfig } from '../starter.ts';
import { problemText } from './problems.ts';

/** What `init` may be told. */
export interface InitFlags {
  readonly config: string;
  readonly user: string;
  readonly identity: readonly string[];
  readonly knownHosts: readonly string[];
  readonly store: string;
  /** PATH on the nodes: one for all, or one for each address. */
  readonly path: readonly string[];
  readonly json?: boolean;
}

/** Asks the machines at the addresses who they are, and writes a configuration for their cluster. Overwrites nothing. */
export async function init(addresses: readonly string[], flags: InitFlags): Promise<number> {
  return interruptible({ json: flags.json === true }, 'looking', (session) =>
    describeCluster(addresses, flags, session),
  );
}

async function describeCluster(addresses: readonly string[], flags: InitFlags, session: BareSession): Promise<number> {
  const { reporter, signal } = session;
  const { user, identity, knownHosts, store, config } = flags;
  const places = addresses.map((text, index) => ({
    ...placeOf(text),
    path: flags.path[index] ?? (flags.path.length === 1 ? flags.path[0] : undefined) ?? null,
  }));
  const hosts = new Map(
    places.map(({ text, address, port, path }): [string, Host] => [
      text,
      sshHost(
        text,
        {
          address,
          port: port ?? undefined,
          user,
          identities: identity.map((file) => ({ file })),
          knownHosts: knownHosts.length === 0 ? undefined : knownHosts,
        },
        { path: path ?? undefined },
      ),
    ]),
  );
  try {
    const reports = await survey(hosts, { signal });
    const nodes = places.flatMap(({ text, address, port, path }): FoundNode[] => {
      const name = nameOf(reports.find(({ node }) => node === text));
      return name === null ? [] : [{ name, address, port, path }];
    });
    const problems = reports.flatMap(problemOf);
    if (problems.length > 0) {
      for (const line of problemText(problems, session)) reporter.alert(line);
      reporter.result({ problems });
      return exitCodeOfProblems(problems);
    }
    const names = nodes.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw misled(`two addresses lead to ${twice}`, 'Give one address for each node.');
    const absent = nodesIn(reports).filter((name) => !names.includes(name));
    if (absent.length > 0) {
      throw misled(`no address was given for ${absent.join(', ')}`, 'Give an address for every node of the cluster.');
    }
    const groups = await unlessAborted(signal, () =>
      Promise.all(groupsOf(reports).map((group) => describeGroup(group, reports, hosts, signal))),
    );
    const text = starterConfig({ nodes, groups, ssh: { user, identities: identity, knownHosts }, store });
    await writeFile(config, text, { mode: 0o600, flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      throw new ConfigError(`${config} cannot be written: ${cause.message}`, {
        remedy: 'Name another file with --config, in a directory that exists.',
        cause,
      });
    });
    await readConfig(config);
    reporter.line(`${config}: ${nodes.length} nodes, ${groups.length} groups`);
    reporter.line(`Read it, set store and quiesce, then: splitmirror check --config ${config}`);
    reporter.result({ config, nodes: names, groups: groups.map(({ name }) => name) });
    return exitCodes.OK.code;
  } finally {
    await Promise.all([...hosts.values()].map((host) => host.close()));
  }
}

interface Place {
  readonly text: string;
  readonly address: string;
  readonly port: number | null;
}

/** `host`, `host:port` or `[v6]:port`. */
function placeOf(text: string): Place {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  return { text, address, port: port === undefined ? null : Number(port) };
}

function nameOf(report: NodeReport | undefined): string | null {
  return report?.kind === 'answered' && report.localName.kind === 'read' ? report.localName.value : null;
}

/** Why a machine does not tell which node it is, if it does not. */
function problemOf(report: NodeReport): Problem[] {
  if (report.kind === 'unreachable') {
    const { code, reason, remedy } = report;
    return [{ code, node: null, message: reason, seen: '', remedy }];
  }
  if (nameOf(report) !== null) return [];
  return [
    {
      code: 'NO_CLUSTER',
      node: null,
      message: `${report.node}: reached, but get_local_nodename does not say which node of a cluster this is`,
      seen: '',
      remedy:
        'See that HACMP or PowerHA is configured there; name with --path where its commands lie, if elsewhere than on AIX.',
    },
  ];
}

/** Nodes that take part in any resource group. */
function nodesIn(reports: readonly NodeReport[]): string[] {
  return [...new Set(rowsOf(reports).map(({ node }) => node))].sort();
}

function misled(message: string, remedy: string): ConfigError {
  return new ConfigError(message, { remedy });
}

function groupsOf(reports: readonly NodeReport[]): string[] {
  return [...new Set(rowsOf(reports).map(({ group }) => group))].sort();
}

/** The volumes of a group as the node sees them that has it online; nothing of them when none can be asked. */
async function describeGroup(
  name: string,
  reports: readonly NodeReport[],
  hosts: ReadonlyMap<string, Host>,
  signal: AbortSignal,
): Promise<FoundGroup> {
  const contents = contentsOf(name, reports);
  if (contents !== null) {
    for (const [node, host] of hosts) {
      const picture = await look(host, node, contents, { signal }).catch(() => null);
      const volumes = (picture?.groups ?? []).flatMap((group) => (group.kind === 'active' ? group.volumes : []));
      if (picture === null || volumes.length === 0) continue;
      const { dataVolumes, fileSystems } = picture;
      const isData = (name: string) => dataVolumes.some(({ volume }) => volume === name);
      const isKnown = (mountPoint: string | null) => mountPoint !== null && fileSystems.includes(mountPoint);
      return {
        name,
        rawVolumes: dataVolumes.filter(({ holds }) => holds === 'raw').map(({ volume }) => volume),
        strangers: dataVolumes.filter(({ holds, mountPoint }) => holds === 'file-system' && !isKnown(mountPoint)),
        twoCopies: volumes.filter((each) => each.copies === 2 && isData(each.name)).map((each) => each.name),
      };
    }
  }
  return { name, rawVolumes: [], strangers: [], twoCopies: [] };
}

function rowsOf(reports: readonly NodeReport[]): GroupRow[] {
  return reports.flatMap((report) =>
    report.kind === 'answered' && report.groups.kind === 'read' ? report.groups.value : [],
  );
}
