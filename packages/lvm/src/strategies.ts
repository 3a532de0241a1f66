import type { AixLevel } from './level.ts';
import { type ActiveGroup, type LvmPicture, systemTypes, type VolumeView } from './picture.ts';

/** The ways in which AIX takes a point in time out of a volume. Only `splitlvcopy` is performed by this package. */
export type Strategy =
  /** `rmlvcopy`, then `mklv -m` on the freed partitions: the redbook's way. */
  | 'map-split'
  | 'splitlvcopy'
  /** `chfs -a splitcopy`. */
  | 'splitcopy'
  | 'chlvcopy'
  | 'splitvg'
  /** JFS2 snapshot: no mirror is needed, and none is relieved of reads. */
  | 'snapshot';

/** Whether a strategy fits a volume as it is now. */
export interface StrategyAdvice {
  readonly strategy: Strategy;
  /** Everything that speaks against it; empty when it fits. */
  readonly against: readonly string[];
}

interface Case {
  readonly volume: VolumeView;
  readonly group: ActiveGroup;
  readonly level: AixLevel | null;
}

/** One thing that a strategy needs. */
type Need = readonly [isMet: (subject: Case) => boolean, otherwise: string];

const mirrored: Need = [({ volume }) => volume.copies > 1, 'it has one copy only'];
const fresh: Need = [({ volume }) => volume.stalePartitions === 0, 'partitions are stale'];
const ownData: Need = [({ volume }) => !systemTypes.has(volume.type), 'it belongs to the system'];
const plainText: Need = [({ volume }) => !volume.encrypted, 'it is encrypted'];
const unrelated: Need = [
  ({ group }) => group.group.snapshotRelation === null,
  'its volume group is in a snapshot relation',
];
const raw: Need = [({ volume }) => vfsOf(volume) === null, 'it holds a file system'];
const mounted: Need = [({ volume }) => volume.fileSystem?.mounted === true, 'it is not mounted'];
const closed: Need = [({ volume }) => !volume.open, 'it is open'];

/** What each strategy needs, in the order of preference for volumes on which several fit (facts of the project, table 2). */
const needs: Readonly<Record<Strategy, readonly Need[]>> = {
  splitcopy: [
    mirrored,
    fresh,
    ownData,
    unrelated,
    mounted,
    [({ volume }) => vfsOf(volume) === 'jfs', 'it is no JFS; on JFS2 chfs ends with 0 and splits nothing'],
    since(403, 'AIX 4.3.3'),
  ],
  splitlvcopy: [
    mirrored,
    fresh,
    ownData,
    plainText,
    unrelated,
    [({ volume }) => vfsOf(volume) !== 'jfs' || !volume.open, 'a mounted JFS cannot be frozen'],
    [({ volume }) => volume.fileSystem?.log !== 'external', 'its log is on another volume, which is not split with it'],
    [({ volume, level }) => vfsOf(volume) !== 'jfs2' || atLeast(level, 503), 'the freeze needs AIX 5.3'],
  ],
  chlvcopy: [mirrored, fresh, ownData, plainText, unrelated, raw, since(403, 'AIX 4.3.3')],
  splitvg: [
    mirrored,
    fresh,
    ownData,
    unrelated,
    [({ group }) => group.name !== 'rootvg', 'rootvg is never split'],
    [({ group }) => group.group.mode !== 'Concurrent', 'its volume group is varied on in concurrent mode'],
    [({ group }) => group.disks.every(({ state }) => state === 'active'), 'a disk of its volume group is not active'],
    [({ group }) => group.volumes.every(({ type }) => type !== 'paging'), 'its volume group holds a paging space'],
    [({ group }) => hasCopyOfAll(group), 'no copy fills disks of its own over the whole volume group'],
    since(502, 'AIX 5.2'),
  ],
  snapshot: [
    ownData,
    mounted,
    [({ volume }) => vfsOf(volume) === 'jfs2', 'it is no JFS2'],
    [({ group }) => group.group.freePartitions > 0, 'its volume group has no free partition'],
    since(502, 'AIX 5.2'),
  ],
  'map-split': [
    mirrored,
    fresh,
    ownData,
    closed,
    [
      ({ level }) => level !== null && level.release * 100 + level.technologyLevel < 70_201,
      'from AIX 7.2 TL1 on, or where the level is not known, freed partitions may be reclaimed before they are used again',
    ],
  ],
};

/**
 * Weighs every strategy for one volume. Pure; by the same picture that a plan is made from.
 *
 * @returns One entry for each strategy, the most suitable kind first; empty when the volume is not in an active group.
 */
export function weighStrategies(picture: LvmPicture, volumeName: string): StrategyAdvice[] {
  for (const group of picture.groups) {
    const volume = group.kind === 'active' ? group.volumes.find(({ name }) => name === volumeName) : undefined;
    if (group.kind !== 'active' || volume === undefined) continue;
    const subject: Case = { volume, group, level: picture.level };
    return Object.entries(needs).map(([strategy, all]) => ({
      strategy: strategy as Strategy,
      against: all.flatMap(([isMet, otherwise]) => (isMet(subject) ? [] : [otherwise])),
    }));
  }
  return [];
}

function vfsOf({ fileSystem, type }: VolumeView): string | null {
  return fileSystem?.vfs ?? (/^jfs2?$/.test(type) ? type : null);
}

function atLeast(level: AixLevel | null, release: number): boolean {
  return level !== null && level.release >= release;
}

function since(release: number, name: string): Need {
  return [({ level }) => atLeast(level, release), `the level is not known to be ${name} or newer`];
}

/** Whether one copy of all volumes lies on disks that hold nothing else. */
function hasCopyOfAll({ volumes }: ActiveGroup): boolean {
  return [1, 2, 3].some((number) => {
    const inside = volumes.map(({ map }) => map.find(({ copy }) => copy === number));
    const outside = new Set(
      volumes.flatMap(({ map }) => map.flatMap(({ copy, disks }) => (copy === number ? [] : disks))),
    );
    return inside.every((copy, index) => {
      const whole = copy?.partitions === volumes[index]?.logicalPartitions;
      return whole && copy?.disks.every((disk) => !outside.has(disk)) === true;
    });
  });
}
