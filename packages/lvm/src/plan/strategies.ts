import { type LvmPicture, snapshotsOf } from '../picture/picture.ts';
import { chlvcopy } from '../strategies/chlvcopy.ts';
import { mapSplit } from '../strategies/map-split.ts';
import { snapshot } from '../strategies/snapshot.ts';
import { splitcopy } from '../strategies/splitcopy.ts';
import { splitlvcopy } from '../strategies/splitlvcopy.ts';
import { splitvg } from '../strategies/splitvg.ts';
import { vfsOf } from './needs.ts';
import { groupObjections } from './preflight.ts';
import type { Objection, Settings, Strategy, StrategyName, Subject } from './strategy.ts';

/** All ways to split, in the order of preference for volumes on which several fit. */
export const strategies: readonly Strategy[] = [splitcopy, splitlvcopy, chlvcopy, splitvg, snapshot, mapSplit];

/** The strategy of this name, if there is one. */
export function strategyNamed(name: string): Strategy | undefined {
  return strategies.find((strategy) => strategy.name === name);
}

/** Whether a strategy fits a volume as it is now. */
export interface StrategyAdvice {
  readonly strategy: StrategyName;
  /** Everything that speaks against it; empty when it fits. */
  readonly against: readonly Objection[];
}

/**
 * Weighs every strategy for one volume, as if its application could be brought to rest and its last copy were allowed to
 * go. Pure; by the same picture and the same needs that a plan is made from.
 *
 * @returns One entry for each strategy, the most suitable kind first; empty when the volume is not in an active group.
 */
export function weighStrategies(picture: LvmPicture, volumeName: string, settings: Settings = {}): StrategyAdvice[] {
  for (const group of picture.groups) {
    const volume = group.kind === 'active' ? group.volumes.find(({ name }) => name === volumeName) : undefined;
    if (group.kind !== 'active' || volume === undefined) continue;
    const subject: Subject = {
      volume,
      group,
      level: picture.level,
      asked: [volumeName],
      snapshots: snapshotsOf(volume, picture),
      suspended: true,
      allowLastCopy: true,
      settings,
    };
    return weighAll(subject);
  }
  return [];
}

/** Weighs every strategy for a volume. */
export function weighAll(subject: Subject): StrategyAdvice[] {
  const inGroup = groupObjections(subject.group);
  return strategies.map((strategy) => ({
    strategy: strategy.name,
    against: [...inGroup, ...objections(strategy, subject)],
  }));
}

/** Everything that speaks against a strategy for a volume. */
export function objections(strategy: Strategy, subject: Subject): Objection[] {
  return strategy.needs.flatMap((need) => need(subject) ?? []);
}

/**
 * The decision table: which strategy a volume gets where none is asked for. A JFS2 snapshot and `splitvg` promise
 * something else than the split of a mirror, and `chlvcopy` gains only where a full resync costs too much: these are
 * taken when they are asked for.
 */
export function chooseStrategy({ volume, level }: Pick<Subject, 'volume' | 'level'>): Strategy {
  if (vfsOf(volume) === 'jfs' && volume.fileSystem?.mounted) return splitcopy;
  // splitlvcopy is documented from 4.3 on.
  if (level !== null && level.release < 403) return mapSplit;
  return splitlvcopy;
}
