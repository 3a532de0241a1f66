import type { LvmPicture } from '../picture/picture.ts';
import type { SplitPrice } from '../port.ts';
import type { Settings, Split } from './strategy.ts';

/** A command of LVM takes one to a few seconds. */
const usualSeconds = 2;

/** What a split is expected to cost, from the plan and from paces that were measured before. */
export function priceOf(
  splits: readonly Split[],
  { groups }: LvmPicture,
  { resyncMegabytesPerSecond, secondsPerSplit = usualSeconds }: Settings,
): SplitPrice {
  const megabytesOf = ({ group: name, partitionsToResync }: Split): number => {
    const group = groups.find((view) => view.name === name);
    return group?.kind === 'active' ? partitionsToResync * group.group.partitionMegabytes : 0;
  };
  const megabytesToResync = splits.reduce((sum, split) => sum + megabytesOf(split), 0);
  const freezes = splits.filter(({ fileSystem }) => fileSystem?.frozen).length;
  return {
    unmirroredVolumes: splits.filter(({ copiesLeft }) => copiesLeft === 1).map(({ volume }) => volume),
    megabytesToResync,
    resyncMinutes:
      resyncMegabytesPerSecond === undefined ? null : Math.ceil(megabytesToResync / resyncMegabytesPerSecond / 60),
    // Each freeze and each split is one command; the first frozen file system waits for all of them.
    frozenSecondsExpected: freezes === 0 ? 0 : Math.ceil((freezes + splits.length) * secondsPerSplit),
  };
}
