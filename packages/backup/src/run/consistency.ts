import type { RunPlan } from '../plan/run-plan.ts';

/** What a backup's copies are a picture of. */
export type ConsistencyLevel = 'application' | 'file-system' | 'crash';

/** Volumes of one level, and what shows it. */
export interface VolumeConsistency {
  readonly volumes: string[];
  /**
   * `application`: it was at rest over the split, by its own means; `file-system`: all were frozen at one instant, as after
   * a power cut; `crash`: each volume by itself is as after a power cut, and not at the same instant as the others.
   */
  readonly level: ConsistencyLevel;
  readonly evidence: Record<string, string>;
}

/**
 * Which consistency the copies of a plan have once its split has gone well. Pure.
 *
 * @param facts What the split phase proved, for instance `frozenSeconds`.
 */
export function consistencyOf(
  { mirror, policy }: Pick<RunPlan, 'mirror' | 'policy'>,
  facts: Readonly<Record<string, string>>,
): {
  readonly level: ConsistencyLevel;
  readonly evidence: Record<string, string>;
  readonly groups: VolumeConsistency[];
} {
  const rests = policy.quiesce !== null && (policy.quiesce.consistency ?? 'application') === 'application';
  const isFrozen = (kind: 'directory' | 'device') => kind === 'directory' && mirror.frozenSecondsAtMost > 0;
  const levelOf = (kind: 'directory' | 'device'): ConsistencyLevel => {
    if (rests) return 'application';
    return isFrozen(kind) ? 'file-system' : 'crash';
  };
  const groups = (['directory', 'device'] as const).flatMap((kind): VolumeConsistency[] => {
    const volumes = mirror.volumes.filter(({ source }) => source.kind === kind).map(({ volume }) => volume);
    if (volumes.length === 0) return [];
    const evidence: Record<string, string> = rests
      ? { suspended: 'from before the first split to after the last' }
      : {};
    if (isFrozen(kind) && facts.frozenSeconds !== undefined) evidence.frozenSeconds = facts.frozenSeconds;
    return [{ volumes, level: levelOf(kind), evidence }];
  });
  const order: readonly ConsistencyLevel[] = ['crash', 'file-system', 'application'];
  const weakest = order.find((level) => groups.some((group) => group.level === level)) ?? 'crash';
  return { level: weakest, evidence: { ...facts }, groups };
}
