import { dd, displayName, nameOf, tar } from '@splitmirror/archive';
import { type Host, reads, type ScriptOutcome, type StepResult, unlessAborted } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { lvcbOf } from '../plan/guide.ts';
import type { StoredBackup } from '../store/store.ts';
import { type Expected, expectedOf, nameBelow } from './expected.ts';
import { type Feedable, feed } from './feed.ts';
import { readBackDevice, readBackTree } from './read-back.ts';
import { fromPlain, type Identified, requireRoom, restoreEach, roomFor } from './restore.ts';
import { RestoreError } from './restore-error.ts';
import { entriesOf, requireSelection, type Selection } from './selection.ts';

/** A node that receives a restore. */
export interface NodeTarget extends Feedable {
  readonly host: Host;
}

/** Where one volume goes on a node. */
export type NodePlace =
  | {
      readonly volume: string;
      /** An existing directory. */
      readonly directory: string;
      /** Mount point of the file system that has to hold it: a directory below an unmounted one is another file system's. */
      readonly mountPoint: string;
      /** `replace`: what has the name of a restored file gives way; everything else stays. Default `refuse`. */
      readonly existing?: 'refuse' | 'replace' | undefined;
    }
  | {
      readonly volume: string;
      /** Character device of a raw volume, or a file; all that it holds is overwritten. */
      readonly device: string;
      /** Whether the archive begins with the control block, as the volume's policy says. */
      readonly lvcb: 'keep' | 'skip';
    };

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
 * read back and compared with the catalogue. Looks first whether the place is what the caller thinks it is.
 *
 * @param places Where each volume goes; volumes without one are left out.
 * @throws BackupError `RESTORE_TARGET`, RestoreError `RESTORE_UNKNOWN_PATH`, `RESTORE_NO_SPACE`: nothing was changed. RestoreError
 * `RESTORE_NODE_FAILED`, `RESTORE_UNSETTLED`, or `RESTORE_PARTIAL` with the volumes that are done; `INTERRUPTED` after an abort.
 */
export async function restoreToNode(
  backup: StoredBackup,
  target: NodeTarget,
  places: readonly NodePlace[],
  options: NodeRestoreOptions,
): Promise<{ readonly volumes: readonly NodeRestored[] }> {
  const select = options.select ?? places.map(({ volume }) => volume);
  const selections = await requireSelection(backup, select);
  const placeOf = ({ volume }: Selection): NodePlace => {
    const place = places.find((each) => each.volume === volume);
    if (place !== undefined) return place;
    throw refused(`nothing says where ${volume} goes`, 'Name a directory or a device for it.');
  };
  await unlessAborted(options.signal, async () => {
    for (const selection of selections) await checkPlace(backup, target, placeOf(selection), selection, options);
  });
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
  if ('device' in place) {
    await send(backup, target, place, selection, options);
    await readBackDevice(from, place, record);
    return { volume, path: place.device, files, bytes };
  }
  const expected = await expectedOf(backup, selection);
  const others = place.existing === 'replace';
  if (others) await refuseLinks(target, place, expected, options);
  await send(backup, target, place, selection, options);
  await readBackTree(from, place.directory, expected, { others });
  return { volume, path: place.directory, files, bytes };
}

/**
 * Looks whether a place is what the caller thinks it is. Changes nothing.
 *
 * @throws BackupError `RESTORE_TARGET`; RestoreError `RESTORE_NO_SPACE`
 */
export async function checkPlace(
  backup: StoredBackup,
  { host }: NodeTarget,
  place: NodePlace,
  selection: Selection,
  { signal }: NodeRestoreOptions,
): Promise<void> {
  const isTree = selection.mountPoint !== null;
  if (isTree !== 'directory' in place) {
    const [is, needs] = isTree ? ['a file system', 'directory'] : ['a raw volume', 'device'];
    throw refused(`${place.volume} is ${is}`, `Name a ${needs} for it.`);
  }
  if ('directory' in place) {
    const { directory, mountPoint } = place;
    const expected = await expectedOf(backup, selection);
    const outcome = await host.run(
      {
        steps: [
          // Where others have their files, how many there are is of no account.
          { id: 'names', run: reads('ls', place.existing === 'replace' ? '-d' : '-a', directory), timeoutSeconds: 60 },
          { id: 'room', run: reads('df', '-k', directory), timeoutSeconds: 60 },
        ],
      },
      { signal },
    );
    const names = said(outcome, 'names', host.name).split('\n');
    const room = roomIn(outcome, host.name, directory);
    if (room.mountPoint !== mountPoint) {
      throw refused(
        `${host.name}: ${directory} lies in ${room.mountPoint}, not in ${mountPoint}`,
        `Mount ${mountPoint}, or name the file system that is meant.`,
      );
    }
    const others = names.filter((name) => !['', '.', '..', 'lost+found', '.splitmirror'].includes(name));
    if (others.length > 0 && place.existing !== 'replace') {
      throw refused(
        `${host.name}: ${directory} is not empty: ${others.slice(0, 3).join(', ')}`,
        'Name an empty directory.',
      );
    }
    const isShort = roomFor([selection]) > room.freeBytes;
    const given = isShort && place.existing === 'replace' ? await givenBack(host, directory, expected, signal) : 0;
    requireRoom([selection], room.freeBytes + given, `${host.name}: ${directory}`);
    return;
  }
  // A block too many or too few would shift everything. (A plain file takes what it gets.)
  const isDevice = place.device.startsWith('/dev/');
  if (isDevice && place.lvcb !== lvcbOf(selection.record)) {
    throw refused(
      `the archive of ${place.volume} was made with lvcb: '${lvcbOf(selection.record)}'`,
      'Restore it as it was made, or the content would lie 512 bytes beside its place.',
    );
  }
  const parent = parentOf(place.device);
  const outcome = await host.run(
    {
      steps: [
        // What is not there would become a file, and fill the root file system.
        { id: 'device', run: reads('ls', '-d', isDevice ? place.device : parent), timeoutSeconds: 60 },
        { id: 'mounts', run: reads('mount'), timeoutSeconds: 60 },
        ...(isDevice ? [] : [{ id: 'room', run: reads('df', '-k', parent), timeoutSeconds: 60 }]),
      ],
    },
    { signal },
  );
  said(outcome, 'device', host.name);
  if (!isDevice) requireRoom([selection], roomIn(outcome, host.name, parent).freeBytes, `${host.name}: ${parent}`);
  const block = place.device.replace(/^\/dev\/r/, '/dev/');
  if (said(outcome, 'mounts', host.name).split(/\s+/).includes(block)) {
    throw refused(`${host.name}: ${block} is mounted`, 'Unmount it first, or name the device that is meant.');
  }
}

/**
 * A directory of the backup that is a symbolic link by now would lead tar out of the place. Of a file nobody says whether every
 * tar takes the link away or writes through it.
 *
 * @throws BackupError `RESTORE_TARGET`
 */
async function refuseLinks(
  { host }: NodeTarget,
  { directory }: Extract<NodePlace, { readonly directory: string }>,
  expected: ReadonlyMap<string, Expected>,
  { timeoutSeconds, signal }: NodeRestoreOptions,
): Promise<void> {
  // A name with a line feed comes as several lines: its first one is held against.
  const firstLines = new Set<string>();
  for (const [name, { type }] of expected) if (type !== 'symlink') firstLines.add(name.split('\n', 1)[0] ?? '');
  const root = `${directory.replace(/\/+$/, '')}/`;
  const find = reads('find', root, '-xdev', '-type', 'l', '-print');
  const { stdout, outcome } = await host.stream(find, { timeoutSeconds, signal });
  const linked: string[] = [];
  for await (const line of linesOf(stdout)) {
    if (line.startsWith(root) && firstLines.has(nameBelow(line.slice(root.length)))) linked.push(line);
  }
  const ended = await outcome;
  if (ended.kind !== 'ended' || ended.memberCodes.some((code) => code !== 0)) {
    const why = ended.stderr.slice(-300) || ended.kind;
    throw refused(`${host.name}: the links in ${directory} cannot be listed: ${why}`, 'Look at the place on the node.');
  }
  if (linked.length === 0) return;
  throw refused(
    `${host.name}: a symbolic link by now, and none in the backup: ${linked.slice(0, 3).map(displayName).join(', ')}`,
    'Restore elsewhere and copy, take the link away, or select what lies beside it: nothing is written through it.',
  );
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
      : await feed(target, dd.restore(place), plain, { timeoutSeconds, signal });
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

/** What `df -k` says of the file system that holds a path, whatever its columns: `Free` or `Available`, and `Mounted on`. */
function parseRoom(text: string): { readonly mountPoint: string; readonly freeBytes: number } | null {
  const [head = '', row = '', ...rest] = text.trim().split('\n');
  if (rest.length > 0 || !/1(?:024|K|k)-blocks/.test(head) || !/Mounted on$/.test(head.trim())) return null;
  const cells = row.trim().split(/\s+/);
  const column = /\bFree\b/.test(head) ? 2 : 3;
  const free = cells[column] ?? '';
  const mountPoint = /\s(\/.*)$/.exec(row.trim())?.[1]?.replace(/^.*\s(?=\/)/, '');
  if (!/^\d+$/.test(free) || mountPoint === undefined) return null;
  return { mountPoint, freeBytes: Number(free) * 1024 };
}

/** Bytes of the files that are replaced: a file system that is more than half full can be restored all the same. */
async function givenBack(
  host: Host,
  directory: string,
  expected: ReadonlyMap<string, Expected>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const root = `${directory.replace(/\/+$/, '')}/`;
  let bytes = 0;
  const { stdout, outcome } = await host.stream(reads('du', '-ak', root), { timeoutSeconds: 3600, signal });
  for await (const line of linesOf(stdout)) {
    const [, kilobytes, path = ''] = /^(\d+)\s+(\/.*)$/.exec(line) ?? [];
    if (kilobytes === undefined || !path.startsWith(root)) continue;
    if (expected.get(nameBelow(path.slice(root.length)))?.type !== 'file') continue;
    bytes += Number(kilobytes) * 1024 + roomFor([{ bytes: 0, entries: 1 }]);
  }
  const ended = await outcome;
  // What cannot be told gives nothing back.
  return ended.kind === 'ended' ? bytes : 0;
}

/**
 * Lines of names, which are bytes: what is no text must not slip through as something else. They end where the stream does;
 * whether that was the end of the command is told by its outcome.
 */
async function* linesOf(stdout: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of stdout) {
      const lines = Buffer.concat([rest, chunk as Buffer]);
      const end = lines.lastIndexOf(10) + 1;
      rest = lines.subarray(end);
      yield* nameOf(lines.subarray(0, end)).split('\n');
    }
  } catch {
    // A link that was lost.
  }
}

function roomIn(outcome: ScriptOutcome, node: string, directory: string) {
  const room = parseRoom(said(outcome, 'room', node));
  if (room !== null) return room;
  throw refused(`${node}: df -k does not tell what holds ${directory}`, 'Look at it on the node.');
}

function said(outcome: ScriptOutcome, id: string, node: string): string {
  const step = outcome.steps.find((each) => each.id === id);
  if (step?.kind === 'ended' && step.exitCode === 0) return step.stdout;
  throw refused(`${node}: ${complaint(outcome, step)}`, 'Look at the place on the node.');
}

function complaint(outcome: ScriptOutcome, step: StepResult | undefined): string {
  if (outcome.kind === 'unknown') return outcome.reason;
  return step?.kind === 'ended' ? step.stderr.trim() || `status ${step.exitCode}` : 'no answer within the deadline';
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function refused(message: string, remedy: string): BackupError {
  return new BackupError('RESTORE_TARGET', message, { remedy });
}
