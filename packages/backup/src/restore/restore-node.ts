import { type DeviceSource, dd, tar } from '@splitmirror/archive';
import { type Host, longestTimerSeconds, requireWhole, unlessAborted } from '@splitmirror/host';
import type { StoredBackup } from '../store/store.ts';
import { expectedOf } from './expected.ts';
import { type Feedable, feed } from './feed.ts';
import { checkPlaces, makeDirectories, type NodePlace, refused, refuseLinks } from './place.ts';
import { readBackDevice, readBackTree } from './read-back.ts';
import { fromPlain, type Identified, restoreEach } from './restore.ts';
import { RestoreError } from './restore-error.ts';
import { entriesOf, requireSelection, type Selection } from './selection.ts';

/** A node that receives a restore. */
export interface NodeTarget extends Feedable {
  readonly host: Host;
}

/** How a node is restored to. */
export interface NodeRestoreOptions extends Identified {
  /** Paths and patterns as in `previewRestore`; all volumes of `places` without it. */
  readonly select?: readonly string[] | undefined;
  /** Seconds that one volume may take, there and back again. */
  readonly timeoutSeconds: number;
}

/** One volume that a node holds again, read back and compared. */
export interface NodeRestored {
  readonly volume: string;
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Restores to a node through its own `tar` or `dd`: the archive is streamed into the command, and what the node holds then is
 * read back and compared with the catalogue. Looks first whether every place is what the caller thinks it is, and makes the
 * directories that lack.
 *
 * @param places Where each volume goes; volumes without one are left out.
 * @throws BackupError `RESTORE_TARGET`, RestoreError `RESTORE_UNKNOWN_PATH`, `RESTORE_NO_SPACE`: nothing was changed. RestoreError
 * `RESTORE_NODE_FAILED`, `RESTORE_UNSETTLED`, or `RESTORE_PARTIAL` with the volumes that are done; `INTERRUPTED` after an abort. RangeError
 * for `timeoutSeconds` that no timer keeps.
 */
export async function restoreToNode(
  backup: StoredBackup,
  target: NodeTarget,
  places: readonly NodePlace[],
  options: NodeRestoreOptions,
): Promise<{ readonly volumes: readonly NodeRestored[] }> {
  requireWhole('timeoutSeconds', options.timeoutSeconds, 1, longestTimerSeconds);
  const select = options.select ?? places.map(({ volume }) => volume);
  const selections = await requireSelection(backup, select);
  const placeOf = ({ volume }: Selection): NodePlace => {
    const place = places.find((each) => each.volume === volume);
    if (place !== undefined) return place;
    throw refused(`nothing says where ${volume} goes`, 'Name a directory, a file or a device for it.');
  };
  const missing = await unlessAborted(options.signal, () =>
    checkPlaces(backup, target.host, selections, placeOf, options),
  );
  await makeDirectories(target.host, missing, options.signal);
  return {
    volumes: await restoreEach(selections, options.signal, (selection) =>
      restorePlace(backup, target, placeOf(selection), selection, options),
    ),
  };
}

/** Restores one volume to a place that was checked, and reads it back. */
export async function restorePlace(
  backup: StoredBackup,
  target: NodeTarget,
  place: NodePlace,
  selection: Selection,
  options: NodeRestoreOptions,
): Promise<NodeRestored> {
  const { volume, files, bytes, record } = selection;
  const from = { host: target.host, volume, timeoutSeconds: options.timeoutSeconds, signal: options.signal };
  if (!('directory' in place)) {
    await send(backup, target, place, selection, options);
    const written = deviceOf(place);
    await readBackDevice(from, written, record);
    return { volume, path: written.device, files, bytes };
  }
  const expected = await expectedOf(backup, selection);
  const others = place.existing === 'replace';
  if (others) await refuseLinks(target.host, place, expected, options);
  await send(backup, target, place, selection, options);
  await readBackTree(from, place.directory, expected, { others });
  return { volume, path: place.directory, files, bytes };
}

/** What dd writes to: a file gets the bytes of the archive as they are. */
function deviceOf(place: Exclude<NodePlace, { readonly directory: string }>): DeviceSource {
  return 'device' in place ? place : { device: place.file, lvcb: 'keep' };
}

async function send(
  backup: StoredBackup,
  target: NodeTarget,
  place: NodePlace,
  { record, wants }: Selection,
  options: NodeRestoreOptions,
): Promise<void> {
  const { timeoutSeconds, signal } = options;
  // A tool that is fed nothing would end with an error of its own, or cut a file to nothing.
  signal?.throwIfAborted();
  const plain = fromPlain(backup, record, options);
  const outcome =
    'directory' in place
      ? await feed(
          target,
          tar.restore({ directory: place.directory }),
          cut(plain, await rangesOf(backup, record, wants)),
          {
            timeoutSeconds,
            signal,
          },
        )
      : await feed(target, dd.restore(deviceOf(place)), plain, { timeoutSeconds, signal });
  if (outcome.kind === 'ended' && outcome.status === 0) return;
  if (outcome.kind === 'unknown') {
    const said = outcome.stderr === '' ? '' : `: ${outcome.stderr.slice(-300)}`;
    throw new RestoreError(
      'RESTORE_UNSETTLED',
      `${target.host.name}: ${place.volume} may still be written to: ${outcome.reason}${said}`,
      { remedy: 'Make sure on the node that nothing writes there any more, then restore the volume again.' },
    );
  }
  const ended = `${outcome.kind} with ${outcome.status}`;
  throw new RestoreError(
    'RESTORE_NODE_FAILED',
    `${target.host.name}: ${place.volume}: ${ended}: ${outcome.stderr.slice(-300)}`,
    {
      remedy: 'What was written there is a part: take it away, mend what the node says, and restore the volume again.',
    },
  );
}

/** A stretch of an archive, in bytes, its end left out. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The stretches of a tar archive that hold what is wanted; neighbours are one. */
async function rangesOf(
  backup: StoredBackup,
  record: Selection['record'],
  wants: Selection['wants'],
): Promise<readonly Range[]> {
  const ranges: { start: number; end: number }[] = [];
  let isOpen = false;
  for await (const entry of entriesOf(backup, record)) {
    const wanted = wants(entry);
    if (wanted && !isOpen) ranges.push({ start: entry.offset, end: record.bytes });
    const last = ranges.at(-1);
    if (!wanted && isOpen && last !== undefined) last.end = entry.offset;
    isOpen = wanted;
  }
  return ranges;
}

/** Hands on these stretches, then what ends a tar archive. The source is read to its end, where its digest is compared. */
async function* cut(source: AsyncIterable<Buffer>, ranges: readonly Range[]): AsyncGenerator<Buffer> {
  let at = 0;
  let next = 0;
  for await (const chunk of source) {
    const end = at + chunk.length;
    for (let range = ranges[next]; range !== undefined && range.start < end; range = ranges[next]) {
      const piece = chunk.subarray(Math.max(0, range.start - at), Math.min(chunk.length, range.end - at));
      if (piece.length > 0) yield piece;
      if (range.end > end) break;
      next += 1;
    }
    at = end;
  }
  yield Buffer.alloc(10_240);
}
