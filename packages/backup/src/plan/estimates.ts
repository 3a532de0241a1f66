import type { MirrorPlan } from '../ports.ts';
import type { Manifest } from '../store/manifest.ts';

/** What a run will cost, as far as that can be told beforehand. */
export interface RunEstimates {
  /** Milliseconds for which writers can be held; the kernel lets them go after that by itself. */
  readonly frozenMsAtMost: number;
  /** Milliseconds for which they are likely to be held, from the last backup of the group or from the family; or `null`. */
  readonly frozenMs: number | null;
  /** Minutes with fewer copies than usual, from the split to the last partition in step. */
  readonly minutesWithoutRedundancy: number;
  /** What {@link minutesWithoutRedundancy} rests on. */
  readonly basis: string;
  /** Upper bound of what the archives take in the store, in bytes. */
  readonly storeBytesAtMost: number;
  /** Partitions that the merge has to copy, over all volumes. */
  readonly partitionsToResync: number;
}

/** Room that an archive takes beyond the bytes of its volume: headers and padding of many small files. */
const archiveOverhead = 1.05;

/** Bytes a second for archive and resync each, where no backup of the group tells better. */
const assumedRate = 50e6;

/** Estimates from the plan and, where there is one of the same volumes, from the last backup. Pure. */
export function estimatesOf(mirror: MirrorPlan, last: Manifest | undefined): RunEstimates {
  const bytes = mirror.volumes.reduce((sum, volume) => sum + volume.bytes, 0);
  const names = (volumes: readonly { readonly volume: string }[]) =>
    volumes
      .map(({ volume }) => volume)
      .sort()
      .join();
  const known = last !== undefined && names(last.archives) === names(mirror.volumes) ? last : undefined;
  const frozenSeconds = Number(known?.consistency.evidence.frozenSeconds ?? Number.NaN);
  const { price } = mirror;
  const archiveSeconds = bytes / assumedRate;
  const resyncMinutes = price?.resyncMinutes ?? archiveSeconds / 60;
  return {
    frozenMsAtMost: mirror.frozenSecondsAtMost * 1000,
    frozenMs: Number.isFinite(frozenSeconds) ? frozenSeconds * 1000 : price ? price.frozenSecondsExpected * 1000 : null,
    minutesWithoutRedundancy: Math.ceil(
      known === undefined ? archiveSeconds / 60 + resyncMinutes : known.redundancy.exposedSeconds / 60,
    ),
    basis: known === undefined ? 'assumed 50 MB/s' : `run ${known.run} of ${known.createdAt}`,
    storeBytesAtMost: Math.ceil(bytes * archiveOverhead),
    partitionsToResync: mirror.volumes.reduce((sum, { partitionsToResync }) => sum + partitionsToResync, 0),
  };
}
