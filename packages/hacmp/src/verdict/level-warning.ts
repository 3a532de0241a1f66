import { type AnsweredReport, type Problem, sorted, value } from './finding.ts';

/** The level of each node as its cluster manager tells it; nodes whose manager tells none are left out. */
export function managerLevels(answered: readonly AnsweredReport[]): Map<string, string> {
  return new Map(
    answered.flatMap((report): [string, string][] => {
      const { vrmf, fixLevel } = value(report.manager) ?? {};
      return vrmf ? [[report.node, fixLevel ? `${vrmf} fix ${fixLevel}` : vrmf]] : [];
    }),
  );
}

/** Nodes at different levels do not change who holds a group; but a takeover may fail, and the cluster is not consistent. */
export function levelsDiffer(levels: ReadonlyMap<string, string>): Problem[] {
  if (new Set(levels.values()).size <= 1) return [];
  return [
    {
      code: 'LEVELS_DIFFER',
      node: null,
      message: 'the nodes are not at the same maintenance level: a takeover may fail',
      seen: sorted(Array.from(levels, ([node, level]) => `${node} ${level}`)),
      remedy: 'Finish the update on all nodes; compare them with @splitmirror/levels.',
    },
  ];
}
