import type { GroupResources } from '../readers/group-resources.ts';
import { type GroupRow, meaningOf } from '../readers/resource-groups.ts';
import { type AnsweredReport, type Finding, moving, rowsOf, sorted, undecidable, unusable, value } from './finding.ts';
import type { Policy } from './policy.ts';

/** All nodes that were asked must give the same table for the group. */
export function sameTable(group: string, shown: readonly AnsweredReport[]): Finding[] {
  const tables = shown.map((report) =>
    sorted(rowsOf(group, report).map((row) => `${row.node} ${row.state} ${row.type} ${row.startup}`)),
  );
  if (new Set(tables).size <= 1) return [];
  return undecidable('TABLES_DIFFER', null, 'the nodes do not agree on where the group is', {
    seen: shown.map((report, index) => `${report.node}: ${tables[index] || 'group missing'}`).join('; '),
    remedy: 'Look for a partition or an event under way; ask again when clRGinfo says the same everywhere.',
  });
}

/** What the group is configured to be, when all nodes agree. */
export function sameConfiguration(
  group: string,
  answered: readonly AnsweredReport[],
): { findings: Finding[]; resources: GroupResources | undefined } {
  const findings = answered.flatMap((report) => unusable(report, report.resources, 'CONFIGURATION_UNREADABLE'));
  const known = answered.filter((report) => report.resources.kind === 'read');
  const told = known.map((report) => value(report.resources)?.groups.filter((other) => other.group === group) ?? []);
  const texts = new Set(told.map((groups) => JSON.stringify(groups)));
  const [[resources, repeated] = []] = told;
  if (texts.size <= 1 && resources && !repeated) return { findings, resources };
  if (known.length === 0) return { findings, resources: undefined };
  const differing = undecidable('CONFIGURATION_DIFFERS', null, `the nodes do not agree on what ${group} consists of`, {
    seen: known
      .map(({ node }, index) => `${node}: ${(told[index] ?? []).map(printResources).join(' and ') || 'missing'}`)
      .join('; '),
    remedy: 'Verify and synchronise the cluster configuration.',
  });
  return { findings: [...findings, ...differing], resources: undefined };
}

function printResources({ nodes, volumeGroups, fileSystems }: GroupResources): string {
  return `${nodes.join(' ')} / ${volumeGroups.join(' ')} / ${fileSystems === 'ALL' ? 'ALL' : fileSystems.join(' ')}`;
}

/** The table must have exactly one row for each participating node. */
export function participants(
  rows: readonly GroupRow[],
  { nodes }: GroupResources,
  configured: ReadonlySet<string>,
): Finding[] {
  const listed = sorted(rows.map((row) => row.node));
  if (listed === sorted(nodes) && nodes.every((node) => configured.has(node))) return [];
  return undecidable('PARTICIPANTS_DIFFER', null, 'clRGinfo does not list each participating node exactly once', {
    seen: `listed ${listed}; participating ${sorted(nodes)}; configured ${sorted([...configured])}`,
    remedy: 'Verify and synchronise the cluster configuration; a cut or doubled table is no answer.',
  });
}

/** What the state of the group on one node forbids. */
export function groupState({ group, node, state }: GroupRow): Finding[] {
  switch (meaningOf(state)) {
    case 'online':
    case 'offline':
    case 'secondary':
      return [];
    case 'moving':
      return moving('GROUP_MOVING', node, `${group} is on its way on ${node}`, state);
    case 'error':
      return undecidable('GROUP_ERROR', node, `${group} is in error on ${node}: some of its resources may be there`, {
        seen: state,
        remedy: 'Recover the group from its error, then check that all its file systems are mounted.',
      });
    case 'unmanaged':
      return undecidable('GROUP_UNMANAGED', node, `${group} is not supervised on ${node}`, {
        seen: state,
        remedy: 'Start cluster services again, or wait for the end of the maintenance.',
      });
    case 'unknown':
      return undecidable('GROUP_STATE_UNKNOWN', node, `${group} has a state on ${node} that is not known`, {
        seen: state,
        remedy: 'Report the text with the level of HACMP.',
      });
  }
}

/** Without `clmgr` (6.1 and earlier) a node that was forced down shows only by any group that is UNMANAGED. */
export function unsupervised({ node, nodeStates, groups }: AnsweredReport): Finding[] {
  if (nodeStates.kind !== 'absent') return [];
  const rows = value(groups)?.filter((row) => meaningOf(row.state) === 'unmanaged') ?? [];
  if (rows.length === 0) return [];
  return undecidable('NODE_UNMANAGED', node, 'a node may have been stopped with its resources left running', {
    seen: sorted(rows.map((row) => `${row.group} ${row.state} on ${row.node}`)),
    remedy: 'Start cluster services again on the nodes where they were stopped by force.',
  });
}

/** The one node that is ONLINE, or the one that the policy picks in a concurrent group. */
export function chooseHolder(
  rows: readonly GroupRow[],
  resources: GroupResources | undefined,
  { tieBreak }: Policy,
): { node?: string; findings: Finding[] } {
  const online = rows.filter((row) => meaningOf(row.state) === 'online').map((row) => row.node);
  const [only] = online;
  if (only !== undefined && online.length === 1) return { node: only, findings: [] };
  const seen = sorted(rows.map((row) => `${row.node} ${row.state}`));
  if (only === undefined) {
    if (rows.some((row) => !['offline', 'secondary'].includes(meaningOf(row.state))) || rows.length === 0)
      return { findings: [] };
    const message = rows.some((row) => meaningOf(row.state) === 'secondary')
      ? 'the group is online nowhere; a SECONDARY copy never holds it'
      : 'the group is online nowhere';
    const remedy = 'Bring the group online, or back up nothing.';
    return {
      findings: [{ refusal: 'offline', problem: { code: 'GROUP_OFFLINE', node: null, message, seen, remedy } }],
    };
  }
  const concurrent = rows.every((row) => row.type === 'concurrent' || row.startup === 'OAAN');
  if (!concurrent) {
    const message = `the group is online on ${online.length} nodes and is no concurrent group`;
    const remedy =
      'Stop all writers and settle by hand which side has the data: this is a split brain until shown otherwise.';
    return {
      findings: [{ refusal: 'contested', problem: { code: 'GROUP_CONTESTED', node: null, message, seen, remedy } }],
    };
  }
  const first = resources?.nodes.find((node) => online.includes(node));
  if (tieBreak === 'first-online-in-priority-order' && first !== undefined) return { node: first, findings: [] };
  return {
    findings: undecidable(
      'NO_TIE_BREAK',
      null,
      'a concurrent group is online on several nodes and no policy picks one',
      {
        seen,
        remedy: 'Name the policy tieBreak: first-online-in-priority-order.',
      },
    ),
  };
}
