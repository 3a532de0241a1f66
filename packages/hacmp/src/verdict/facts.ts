import { missingLines } from '../readers/cluster-manager.ts';
import type { GroupContents } from '../readers/group-resources.ts';
import type { Answer } from '../survey/report.ts';
import { type AnsweredReport, type Evidence, rowsOf, sorted, value } from './finding.ts';

/**
 * The facts that a proof rests on, as one node tells them now. Neither the last event nor anything about other groups is
 * among them: only what would have to be different if the group had left this node, even if it came back since.
 */
export function factsOf(
  group: string,
  report: AnsweredReport,
  { volumeGroups }: Pick<GroupContents, 'volumeGroups'>,
  mountPoints: readonly string[],
): Record<string, string> {
  const rows = report.groups.kind === 'read' ? rowsOf(group, report) : undefined;
  const participating = rows?.map((row) => row.node);
  const states = participating && value(report.nodeStates)?.filter((node) => participating.includes(node.name));
  const mounts = value(report.mounts);
  const manager = value(report.manager);
  const facts: [name: string, fact: string | undefined][] = [
    ['node name', value(report.localName)],
    // What was cut proves no rest.
    ['cluster manager', manager && missingLines(manager).length === 0 ? manager.state : undefined],
    ['resource group', rows && (sorted(rows.map((row) => `${row.node} ${row.state}`)) || 'unknown group')],
    [
      'node states',
      report.nodeStates.kind === 'absent'
        ? 'no clmgr'
        : states && sorted(states.map((node) => `${node.name} ${node.state} ${node.rawState}`)),
    ],
  ];
  for (const name of volumeGroups) {
    const detail = report.storage[name] ? value(report.storage[name].detail) : undefined;
    facts.push([`volume group ${name}`, typeof detail === 'object' ? `${detail.state} ${detail.permission}` : detail]);
  }
  for (const mountPoint of mountPoints) {
    const here = mounts?.filter((mount) => mount.mountPoint === mountPoint);
    facts.push([
      `file system ${mountPoint}`,
      here && (sorted(here.map((m) => `${m.device} since ${m.since}`)) || 'not mounted'),
    ]);
  }
  return Object.fromEntries(facts.map(([name, fact]) => [name, fact ?? 'no usable answer']));
}

/** What a node said, one line a command. */
export function evidenceOf(group: string, report: AnsweredReport): Evidence[] {
  const { node } = report;
  const says = <T>(answer: Answer<T>, text: (read: T) => string): Evidence[] => {
    const { source } = answer;
    if (answer.kind === 'read') return [{ node, source, says: text(answer.value) }];
    return answer.kind === 'absent' ? [] : [{ node, source, says: `no usable answer: ${answer.code}` }];
  };
  return [
    ...says(report.localName, (name) => `this node is ${name}`),
    ...says(report.manager, ({ state, lastEvent }) => `${state}${lastEvent ? `, last event ${lastEvent.name}` : ''}`),
    ...says(
      report.groups,
      () =>
        rowsOf(group, report)
          .map((row) => `${row.node} ${row.state}`)
          .join(', ') || 'group unknown',
    ),
    ...says(report.nodeStates, (states) =>
      states.map((other) => `${other.name} ${other.state}/${other.rawState}`).join(', '),
    ),
    ...says(report.membership, (members) => members.map((member) => `${member.name} ${member.state}`).join(', ')),
  ];
}
