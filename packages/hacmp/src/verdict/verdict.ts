import { missingLines } from '../readers/cluster-manager.ts';
import { type GroupContents, toContents } from '../readers/group-resources.ts';
import { meaningOf } from '../readers/resource-groups.ts';
import type { NodeReport } from '../survey/report.ts';
import { changes, configuredNodes, gone, meaningAt, nodeStates } from './agreement.ts';
import { evidenceOf, factsOf } from './facts.ts';
import {
  type AnsweredReport,
  type Evidence,
  type Finding,
  moving,
  type Problem,
  type Refusal,
  rowsOf,
  sorted,
  undecidable,
  unusable,
  value,
} from './finding.ts';
import { chooseHolder, groupState, participants, sameConfiguration, sameTable, unsupervised } from './holder.ts';
import { levelsDiffer, managerLevels } from './level-warning.ts';
import { judgeStorage } from './local-resources.ts';
import type { Policy } from './policy.ts';
import { judgeLabels } from './service-labels.ts';

/** Who holds a group, weighed. Everything but `held` means: no backup now. */
export type Verdict =
  | {
      readonly kind: 'held';
      readonly group: string;
      /** Cluster node name of the node that backs up. */
      readonly node: string;
      /** How it was chosen: the only holder, or by which policy among the holders of a concurrent group. */
      readonly by: 'only-holder' | 'first-online-in-priority-order';
      readonly contents: GroupContents;
      /** What does not change who holds the group and yet has to be known: levels that differ, labels nobody could check. */
      readonly warnings: readonly Problem[];
      readonly evidence: readonly Evidence[];
      /** What a proof of this verdict rests on. */
      readonly facts: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: Refusal;
      readonly group: string;
      /** Every reason, not only the first. */
      readonly reasons: readonly Problem[];
      readonly evidence: readonly Evidence[];
    };

/** The worst comes first: it is what the whole is called. What is moving explains answers that do not fit together. */
const precedence: readonly Refusal[] = ['no-cluster', 'unknown-group', 'contested', 'moving', 'undecidable', 'offline'];

/** What is known from elsewhere. */
export interface Known {
  /**
   * Maintenance level by cluster node name, in any words that are equal for equal levels; default: what the cluster
   * managers say of themselves.
   */
  readonly levels?: ReadonlyMap<string, string> | undefined;
}

/**
 * Weighs what all nodes said about a group. Pure.
 *
 * @param rounds The reports of all nodes, once or several times after a pause. Only what stayed the same counts. The last
 *   round must have asked about the group's volume groups ({@link contentsOf}).
 */
export function decide(
  group: string,
  rounds: readonly (readonly NodeReport[])[],
  policy: Policy = {},
  { levels }: Known = {},
): Verdict {
  const reports = rounds.at(-1) ?? [];
  const asked = reports.filter((report) => report.kind === 'answered');
  // Who is not the node it was taken for has no say about that node.
  const answered = asked.filter((report) => value(report.localName) === report.node);
  const evidence = answered.flatMap((report) => evidenceOf(group, report));
  const refuse = (findings: readonly Finding[]): Verdict => {
    // An event that failed does not end by itself, whatever the other nodes still say of it.
    const stuck = findings.some((finding) => finding.problem.code === 'EVENT_FAILED');
    const kinds = precedence.filter((refusal) => refusal !== 'moving' || !stuck);
    const kind = kinds.find((refusal) => findings.some((finding) => finding.refusal === refusal)) ?? 'undecidable';
    return { kind, group, reasons: findings.map((finding) => finding.problem), evidence };
  };

  const none = reports.length === 0 ? nobodyAsked() : noCluster(reports);
  if (none.length > 0) return refuse(none);
  const configured = configuredNodes(reports, answered);
  const everywhere = [
    ...asked.flatMap(identity),
    ...answered.flatMap(managerState),
    ...nodeStates(answered, configured),
    ...gone(reports, answered, configured, policy),
    ...changes(group, rounds),
  ];
  const tables = answered.flatMap((report) => unusable(report, report.groups, 'TABLE_UNREADABLE'));
  const shown = answered.filter((report) => report.groups.kind === 'read');
  if (tables.length === 0 && shown.length > 0 && shown.every((report) => rowsOf(group, report).length === 0)) {
    const message = `no node knows a resource group ${group}`;
    const seen = [...new Set(shown.flatMap((report) => value(report.groups)?.map((row) => row.group) ?? []))].join(' ');
    const remedy = 'Name one of the groups that clRGinfo lists.';
    return refuse([
      { refusal: 'unknown-group', problem: { code: 'GROUP_UNKNOWN', node: null, message, seen, remedy } },
      ...everywhere,
    ]);
  }
  const configuration = sameConfiguration(group, answered);
  const rows = shown[0] ? rowsOf(group, shown[0]) : [];
  const resources = configuration.resources;
  const table = [
    ...tables,
    ...sameTable(group, shown),
    ...configuration.findings,
    ...(resources && shown[0] ? participants(rows, resources, configured) : []),
    ...rows.flatMap(groupState),
    ...answered.flatMap(unsupervised),
  ];
  const holder = chooseHolder(rows, resources, policy);
  const found = [...everywhere, ...table, ...holder.findings];
  if (!resources) return refuse(found);
  const contents = toContents(resources);
  const online = rows.filter((row) => meaningOf(row.state) === 'online').map((row) => row.node);
  const holding = answered.find((report) => report.node === holder.node);
  const standing = holder.node === undefined || holding ? [] : [holderGone(holder.node)];
  const storage = judgeStorage({ group, contents, answered, online, holding });
  const labels = judgeLabels({ labels: resources.serviceLabels, answered, online, holding });
  const findings = [
    ...found,
    ...standing,
    ...(holding ? holderState(holding) : []),
    ...storage.findings,
    ...labels.findings,
  ];
  if (findings.length > 0 || !holding || !holder.node) return refuse(findings);
  return {
    kind: 'held',
    group,
    node: holder.node,
    by: online.length === 1 ? 'only-holder' : 'first-online-in-priority-order',
    contents,
    warnings: [...labels.warnings, ...levelsDiffer(levels ?? managerLevels(answered))],
    evidence: [...evidence, ...storage.evidence, ...labels.evidence],
    facts: factsOf(group, holding, contents, storage.mountPoints),
  };
}

/** What the group consists of, as far as the nodes that answered agree; `null` when they do not or do not know it. */
export function contentsOf(group: string, reports: readonly NodeReport[]): GroupContents | null {
  const answered = reports.filter((report) => report.kind === 'answered');
  const { resources } = sameConfiguration(group, answered);
  return resources ? toContents(resources) : null;
}

function nobodyAsked(): Finding[] {
  return undecidable('NO_HOST', null, 'there is no node to ask', {
    seen: 'an empty list of hosts',
    remedy: 'Give a host for every node of the cluster.',
  });
}

function noCluster(reports: readonly NodeReport[]): Finding[] {
  const all = reports.every((report) => report.kind === 'answered' && meaningAt(report) === 'not-configured');
  if (!all) return [];
  return reports.map(({ node }) => ({
    refusal: 'no-cluster',
    problem: {
      code: 'NO_CLUSTER',
      node,
      message: `no cluster is configured on ${node}`,
      seen: 'NOT_CONFIGURED',
      remedy: 'Name the nodes of a configured cluster; a single machine needs no verdict.',
    },
  }));
}

function identity(report: AnsweredReport): Finding[] {
  const { node, localName } = report;
  if (localName.kind !== 'read') return unusable(report, localName, 'NODE_NAME_UNREADABLE');
  if (localName.value === node) return [];
  return undecidable('NODE_NAME_MISMATCH', node, `the host given for ${node} calls itself ${localName.value}`, {
    seen: localName.value,
    remedy: `Give hosts by cluster node name, which is not the host name: get_local_nodename prints it.`,
  });
}

function managerState(report: AnsweredReport): Finding[] {
  const { node } = report;
  const manager = value(report.manager);
  const seen = manager?.state ?? '';
  switch (meaningAt(report)) {
    case 'stable': {
      const missing = manager ? missingLines(manager) : [];
      const queued = Object.entries(manager?.queuedEvents ?? {}).filter(([, count]) => count > 0);
      return [
        ...(missing.length === 0 ? [] : managerCut(report, missing)),
        ...(queued.length === 0
          ? []
          : moving(
              'EVENTS_QUEUED',
              node,
              `events wait at the cluster manager of ${node}`,
              sorted(queued.map(([q, n]) => `${n} on ${q}`)),
            )),
      ];
    }
    case 'down':
      return [];
    case 'moving':
      return moving('MANAGER_NOT_STABLE', node, `the cluster manager of ${node} is working on an event`, seen);
    case 'failed':
      return undecidable('EVENT_FAILED', node, `an event script failed on ${node}; resources may be half acquired`, {
        seen,
        remedy: `Repair what failed (hacmp.out), then "clruncmd ${node}", and check every resource by hand.`,
      });
    case 'not-configured':
      return undecidable('NODE_NOT_CONFIGURED', node, `${node} belongs to no configured cluster`, {
        seen: seen || 'clstrmgrES is not on file',
        remedy: `Take ${node} off the list of hosts, or synchronise the cluster to it.`,
      });
    case 'unknown':
      return undecidable('MANAGER_STATE_UNKNOWN', node, `the cluster manager of ${node} tells an unknown state`, {
        seen,
        remedy: 'Report the word with the level of HACMP; until its meaning is known nothing is allowed by it.',
      });
    case 'silent':
      return unusable(report, report.manager, 'MANAGER_UNREADABLE');
  }
}

function managerCut({ node, manager }: AnsweredReport, missing: readonly string[]): Finding[] {
  return undecidable('MANAGER_UNREADABLE', node, `the answer of the cluster manager of ${node} was cut`, {
    seen: `no line about: ${missing.join(', ')}`,
    remedy: `Run "${manager.source}" on ${node} as root until it answers in full.`,
  });
}

function holderGone(node: string): Finding {
  const [finding] = undecidable(
    'HOLDER_SILENT',
    node,
    `the cluster says that ${node} has the group, and ${node} could not be asked`,
    {
      seen: 'no answer',
      remedy: `Make ${node} answer.`,
    },
  );
  return finding;
}

function holderState(report: AnsweredReport): Finding[] {
  if (meaningAt(report) !== 'down') return [];
  const { node } = report;
  return undecidable('HOLDER_DOWN', node, `${node} is said to have the group while its cluster services are down`, {
    seen: value(report.manager)?.state ?? '',
    remedy: `Start cluster services on ${node}, or look for resources that were left running there.`,
  });
}
