import { type ManagerMeaning, managerMeaning } from '../readers/cluster-manager.ts';
import type { Member } from '../readers/membership.ts';
import type { NodeReport } from '../survey/report.ts';
import { type Silence, withoutHost } from '../survey/silence.ts';
import { type AnsweredReport, type Finding, moving, rowsOf, sorted, undecidable, unusable, value } from './finding.ts';
import type { Policy } from './policy.ts';

/** What the cluster manager of a node says about itself; `silent`: nothing usable. */
export function meaningAt(report: AnsweredReport): ManagerMeaning | 'silent' {
  const manager = value(report.manager);
  if (manager) return managerMeaning(manager.state);
  const { manager: answer, localName } = report;
  // HACMP 4.x calls its manager by another name; it is a cluster all the same.
  const bare = answer.kind === 'unusable' && answer.seen.includes('not on file') && localName.kind === 'absent';
  return bare ? 'not-configured' : 'silent';
}

/** Members take part in the cluster now; only they can count another node out. */
function isMember(report: AnsweredReport): boolean {
  return !['down', 'not-configured', 'silent'].includes(meaningAt(report));
}

/** Whether a command may be missing: 6.1 and earlier have neither `clmgr` nor `lscluster`, and every later level has both. */
function mayLack(report: AnsweredReport): boolean {
  return Number(value(report.manager)?.vrmf ?? 0) < 7100;
}

/** All node names that the members know; without `clmgr`, those that the run-time parameters list. */
export function configuredNodes(reports: readonly NodeReport[], answered: readonly AnsweredReport[]): Set<string> {
  const told = answered.flatMap((report) => [
    ...(value(report.nodeStates)?.map((node) => node.name) ?? []),
    ...(value(report.resources)?.runTimeNodes ?? []),
  ]);
  return new Set(told.length > 0 ? told : reports.map((report) => report.node));
}

/** What the members say about each other: forced down, counted out, or known at all. */
export function nodeStates(answered: readonly AnsweredReport[], configured: ReadonlySet<string>): Finding[] {
  const members = answered.filter(isMember);
  const asked = members.filter((report) => report.nodeStates.kind !== 'absent' || !mayLack(report));
  const names = (report: AnsweredReport) =>
    sorted(value(report.nodeStates)?.map((node) => node.name) ?? [...configured]);
  const all = sorted([...configured]);
  return [
    ...asked.flatMap((report) => unusable(report, report.nodeStates, 'NODE_STATES_UNREADABLE')),
    ...answered
      .filter((report) => names(report) !== all || runTimeNames(report, all) !== all)
      .flatMap((report) =>
        undecidable('NODES_DIFFER', report.node, `${report.node} knows other cluster nodes than the rest`, {
          seen: `${names(report)} / ${runTimeNames(report, all)}`,
          remedy: 'Verify and synchronise the cluster configuration.',
        }),
      ),
    ...answered
      .filter((report) => !configured.has(report.node))
      .flatMap((report) =>
        undecidable('NODE_NOT_CONFIGURED', report.node, `${report.node} is no node of this cluster`, {
          seen: all,
          remedy: 'Name the nodes of one cluster only.',
        }),
      ),
    ...asked.flatMap((report) =>
      (value(report.nodeStates) ?? []).flatMap((state) => oneNodeState(report, state, answered)),
    ),
    ...members.flatMap((report) => partitionSigns(report, answered, configured)),
  ];
}

function runTimeNames(report: AnsweredReport, otherwise: string): string {
  const names = value(report.resources)?.runTimeNodes;
  return names ? sorted(names) : otherwise;
}

function oneNodeState(
  { node: by }: AnsweredReport,
  { name, state, rawState }: { readonly name: string; readonly state: string; readonly rawState: string },
  answered: readonly AnsweredReport[],
): Finding[] {
  const seen = `${state}/${rawState}`;
  const itself = answered.find((report) => report.node === name);
  const own = itself ? meaningAt(itself) : 'silent';
  const contradiction = () =>
    undecidable('NODE_STATE_CONTRADICTED', name, `${by} calls ${name} ${seen}, and ${name} itself says otherwise`, {
      seen: `${seen}, itself ${(itself && value(itself.manager)?.state) ?? 'silent'}`,
      remedy: 'Check the communication between the nodes (lscluster -m, clcmd date): each side may see the other down.',
    });
  if (state === 'UNMANAGED' || rawState === 'UNMANAGED') {
    return undecidable('NODE_UNMANAGED', name, `${name} was stopped with its resources left running unsupervised`, {
      seen,
      remedy: `Start cluster services on ${name} again; until then nobody watches over its resources.`,
    });
  }
  // The raw state tells that something is under way, whatever word stands before it.
  if (managerMeaning(rawState) === 'moving') return moving('NODE_NOT_STABLE', name, `${name} is not stable`, seen);
  if (state === 'NORMAL' && rawState === 'ST_STABLE') {
    return own === 'down' || own === 'not-configured' ? contradiction() : [];
  }
  if (state === 'OFFLINE' && ['', 'OFFLINE', 'ST_INIT', 'NOT_CONFIGURED'].includes(rawState)) {
    return own === 'down' || own === 'silent' || own === 'not-configured' ? [] : contradiction();
  }
  return undecidable('NODE_STATE_UNKNOWN', name, `${by} gives ${name} a state that is not known`, {
    seen,
    remedy:
      managerMeaning(rawState) === 'failed'
        ? `An event script failed on ${name}: repair what failed (hacmp.out), then "clruncmd ${name}", and check every resource by hand.`
        : 'Report the words with the level of HACMP.',
  });
}

/** Signs in the membership layer that the cluster has come apart. */
function partitionSigns(
  report: AnsweredReport,
  answered: readonly AnsweredReport[],
  configured: ReadonlySet<string>,
): Finding[] {
  const { node } = report;
  const members = value(report.membership) ?? [];
  // The layer may know nodes by host name: only among names of the cluster another name is that of another node.
  const ours = members.some(({ name }) => name === node);
  const elsewhere = members.filter(({ name, local }) => local && name !== node && (ours || configured.has(name)));
  const belongs = (name: string) => {
    const other = answered.find((candidate) => candidate.node === name);
    return other !== undefined && isMember(other);
  };
  const doubtful = ({ name, state, local, pointsOfContact }: Member): boolean => {
    if (state === 'UP') return !local && pointsOfContact === 0;
    return local || state.startsWith('UP ') || belongs(name);
  };
  const signs = [
    ...members
      .filter(doubtful)
      .map(({ name, state, pointsOfContact }) => [name, `${state}, points of contact ${pointsOfContact}`] as const),
    // RSCT is asked where it answers; its names are those of the nodes, or nothing follows from them.
    ...(value(report.peers) ?? [])
      .filter(({ name, state }) => name !== node && state !== 'Online' && belongs(name))
      .map(({ name, state }) => [name, `${state} (lsrpnode)`] as const),
  ];
  return [
    ...(report.membership.kind === 'absent' && mayLack(report)
      ? []
      : unusable(report, report.membership, 'MEMBERSHIP_UNREADABLE')),
    ...elsewhere.flatMap(({ name }) =>
      undecidable('MEMBERSHIP_OF_ANOTHER', node, `${node} tells what the membership layer of ${name} sees`, {
        seen: `${name} NODE_LOCAL`,
        remedy: `Run "${report.membership.source}" on ${node} as root until it answers for itself.`,
      }),
    ),
    ...[...new Set(signs.map(([name]) => name))].flatMap((name) =>
      undecidable('PARTITION_SIGN', node, `${node} does not see ${name} as a sound member`, {
        seen: `${name} ${signs.flatMap(([other, seen]) => (other === name ? [seen] : [])).join(', ')}`,
        remedy: 'Restore the heartbeat paths (lscluster -i); then look again.',
      }),
    ),
  ];
}

/** Nodes that cannot be asked: acceptable only when all members have counted them out, and those are a majority. */
export function gone(
  reports: readonly NodeReport[],
  answered: readonly AnsweredReport[],
  configured: ReadonlySet<string>,
  policy: Policy,
): Finding[] {
  const members = answered.filter(isMember);
  const heard = reports.filter((report) => report.kind === 'answered').map((report) => report.node);
  const silent = [...configured].filter((node) => !heard.includes(node)).sort();
  const findings = silent.flatMap((node) => {
    const { code, reason, remedy } = silenceOf(node, reports);
    const opinions = members.map((member) => `${member.node} ${opinionTexts[opinion(member, node)]}`);
    const out = members.length > 0 && members.every((member) => opinion(member, node) === 'out');
    if (out && (code === 'HOST_UNREACHABLE' || code === 'NO_HOST')) return [];
    return undecidable(code, node, `${node} could not be asked and is not surely out of the cluster`, {
      seen: [reason, opinions.join(', ')].filter((words) => words !== '').join('; '),
      remedy:
        code === 'HOST_UNREACHABLE'
          ? `${remedy} Or bring ${node} down for certain, so that the cluster counts it out.`
          : remedy,
    });
  });
  // A node outside the cluster counts nobody out: it is no voice, and takes no part in what may have come apart.
  const outside = answered.filter((report) => ['down', 'not-configured'].includes(meaningAt(report)));
  const minority = silent.length > 0 && members.length * 2 <= configured.size - outside.length;
  if (!minority || policy.minority === 'trust-the-survivors') return findings;
  const unasked = silent.filter((node) => silenceOf(node, reports).code !== 'HOST_UNREACHABLE');
  return [
    ...findings,
    ...undecidable('NO_MAJORITY', null, 'the members that answer are no majority: the others may hold the group too', {
      seen: `members ${members.map((report) => report.node).join(' ') || 'none'}, silent ${silent.join(' ')}`,
      remedy:
        unasked.length > 0
          ? `First see to it that ${unasked.join(' and ')} can be asked: what may be up must not be left out.`
          : 'Make sure that the silent nodes are off, then name the policy minority: trust-the-survivors.',
    }),
  ];
}

/** Why a node said nothing. It may be off only where nothing answers: with any other reason nobody has looked. */
function silenceOf(node: string, reports: readonly NodeReport[]): Silence {
  const report = reports.find((candidate) => candidate.node === node);
  return report?.kind === 'unreachable' ? report : withoutHost(node);
}

const opinionTexts = { in: 'counts it in', out: 'counts it out', none: 'says nothing of it' } as const;

/** What a member holds of another node: `out`, `in`, or nothing. */
function opinion(member: AnsweredReport, node: string): 'out' | 'in' | 'none' {
  const state = value(member.nodeStates)?.find((other) => other.name === node)?.state;
  const words = value(member.membership)?.find((other) => other.name === node)?.state;
  const membership = words?.split(' ')[0];
  const peer = value(member.peers)?.find((other) => other.name === node)?.state;
  if (membership === 'UP' || peer === 'Online' || (state !== undefined && state !== 'OFFLINE')) return 'in';
  return state === 'OFFLINE' || membership === 'DOWN' || peer === 'Offline' ? 'out' : 'none';
}

/** What stayed the same over time counts; what did not is on its way. */
export function changes(group: string, rounds: readonly (readonly NodeReport[])[]): Finding[] {
  const reports = rounds.at(-1) ?? [];
  return reports.flatMap((report) => {
    const now = signature(group, report);
    const earlier = rounds.slice(0, -1).map((round) => round.find((other) => other.node === report.node));
    const other = earlier.map((before) => (before ? signature(group, before) : now)).find((before) => before !== now);
    if (other === undefined) return [];
    return moving('CHANGED_MEANWHILE', report.node, `${report.node} gave two different answers`, `${other} -> ${now}`);
  });
}

function signature(group: string, report: NodeReport): string {
  if (report.kind === 'unreachable') return 'not reachable';
  const manager = value(report.manager);
  const queued = Object.values(manager?.queuedEvents ?? {}).reduce((sum, count) => sum + count, 0);
  const event = manager?.lastEvent ? `${manager.lastEvent.name} on ${manager.lastEvent.nodeId}` : 'no event';
  const states = value(report.nodeStates)?.map((node) => `${node.name} ${node.state} ${node.rawState}`);
  const rows = rowsOf(group, report).map((row) => `${row.node} ${row.state}`);
  return [manager?.state ?? 'no manager', event, `${queued} queued`, sorted(rows), sorted(states ?? [])].join('; ');
}
