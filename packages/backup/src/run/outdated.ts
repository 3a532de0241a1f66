import type { RunPlan } from '../plan/run-plan.ts';
import type { Picture, Problem } from '../ports.ts';

/** The storage is not what a plan was made for: what has changed, as far as plan and picture tell. Pure. */
export function outdated(
  { node, observed, observedParts }: RunPlan,
  { digest, parts, leftovers }: Pick<Picture, 'digest' | 'parts' | 'leftovers'>,
): Problem {
  // A plan is made where no run has anything: this one has come since.
  const runs = [...new Set(leftovers.map(({ run }) => run))].map(
    (run) => `run ${run} is at work there, or has left something`,
  );
  const changes = [...runs, changesOf(observedParts, parts)].filter((change) => change !== '');
  return {
    code: 'PLAN_OUTDATED',
    node,
    message: ['the storage of the group is not what the plan was made for', changes.join('; ')]
      .filter(Boolean)
      .join(': '),
    seen: `digest ${digest.slice(0, 12)} instead of ${observed.slice(0, 12)}`,
    remedy: runs.length === 0 ? 'Make a new plan.' : 'See who is at work: splitmirror status. Then make a new plan.',
  };
}

/** Names of the parts that differ; nothing where one of both does not tell them. */
function changesOf(before: RunPlan['observedParts'], now: Picture['parts']): string {
  if (before === undefined || now === undefined) return '';
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => (before[name] === undefined ? `${name} (new)` : now[name] === undefined ? `${name} (gone)` : name))
    .join(', ');
}
