import type { Standing } from '@splitmirror/backup';
import type { Directions } from '../command-line.ts';
import { exitCodeOfStanding } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { factOf } from './problems.ts';
import { tellOutcome } from './report-text.ts';

/** Says who holds a group, with the evidence. Any answer but "held" has an exit code of its own. */
export async function who(session: Session, group: string): Promise<number> {
  const { context, reporter, signal } = session;
  const standing = await context.cluster.locate(group, { signal });
  tellOutcome(reporter, standingText(group, standing, session), standing.kind === 'held');
  reporter.result({ group, ...standing });
  return exitCodeOfStanding(standing);
}

/** A standing for a person: evidence first, then the verdict. */
export function standingText(group: string, standing: Standing, { remedyText }: Directions): string[] {
  const evidence = standing.evidence.map(({ node, source, says }) => `  ${node}: ${source}: ${says}`);
  if (standing.kind === 'held') return [...evidence, `verdict: ${standing.node} holds ${group}`];
  return [
    ...evidence,
    `verdict: ${verdicts[standing.kind](group)}`,
    ...standing.reasons.flatMap((reason) => [
      `  ${reason.node ?? 'cluster'}: ${factOf(reason)}`,
      `    ${remedyText(reason.remedy)}`,
    ]),
  ];
}

const verdicts: Readonly<Record<Exclude<Standing['kind'], 'held'>, (group: string) => string>> = {
  offline: (group) => `no node has ${group} online`,
  moving: (group) => `${group} is moving, or an event runs: ask again later`,
  contested: (group) => `more than one node claims ${group}`,
  undecidable: (group) => `nobody can say who holds ${group}`,
  'no-cluster': () => 'no cluster is configured on the nodes',
  'unknown-group': (group) => `the cluster knows no group ${group}`,
};
