import { ParseError, type Script, type ScriptOutcome } from '@splitmirror/host';
import type { MirrorPlan, Problem, Redundancy } from './port.ts';
import { describeVolume, parseLogicalVolume } from './readers/volumes.ts';

/** Asks how many partitions of a plan's volumes are stale. */
export function redundancyScript(plan: MirrorPlan): Script {
  return {
    steps: plan.volumes.map(({ volume }) => ({
      id: `volume:${volume}`,
      run: describeVolume(volume),
      timeoutSeconds: 60,
    })),
  };
}

/** Whole means: every volume has the copies that it had, and no partition of any of them is stale. Pure. */
export function readRedundancy(plan: MirrorPlan, outcome: ScriptOutcome): Redundancy {
  if (outcome.kind !== 'completed') {
    return { kind: 'unknown', reason: outcome.kind === 'unknown' ? outcome.reason : 'the query was cancelled' };
  }
  const problems: Problem[] = [];
  let stalePartitions = 0;
  let totalPartitions = 0;
  for (const { volume: name, copies: before } of plan.volumes) {
    const result = outcome.steps.find(({ id }) => id === `volume:${name}`);
    if (result?.kind !== 'ended' || result.exitCode !== 0) {
      const said = result === undefined || result.kind === 'skipped' ? '' : result.stderr.trim();
      return { kind: 'unknown', reason: `lslv ${name} gave no answer ${said}`.trim() };
    }
    try {
      const {
        copies,
        logicalPartitions,
        physicalPartitions,
        stalePartitions: stale,
      } = parseLogicalVolume(result.stdout);
      if (copies === null || logicalPartitions === null || physicalPartitions === null || stale === null) {
        return { kind: 'unknown', reason: `lslv ${name} prints unknown values: its volume group is not active` };
      }
      if (copies !== before || physicalPartitions !== logicalPartitions * copies) {
        problems.push({
          code: 'COPIES_REDUCED',
          node: plan.node,
          message: `${name} has not its ${before} copies`,
          seen: `COPIES ${copies}, LPs ${logicalPartitions}, PPs ${physicalPartitions}`,
          remedy: `Run the merge, or "mklvcopy ${name} ${before}" and "syncvg -l ${name}".`,
        });
      }
      stalePartitions += stale;
      totalPartitions += physicalPartitions;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      return { kind: 'unknown', reason: error.message };
    }
  }
  if (problems.length > 0) return { kind: 'reduced', problems };
  return stalePartitions > 0 ? { kind: 'resyncing', stalePartitions, totalPartitions } : { kind: 'whole' };
}
