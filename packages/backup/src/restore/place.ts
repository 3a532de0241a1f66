import { displayName, nameOf } from '@splitmirror/archive';
import { changes, type Host, reads, type ScriptOutcome, type StepResult } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { lvcbOf } from '../plan/guide.ts';
import type { StoredBackup } from '../store/store.ts';
import { type Expected, expectedOf, nameBelow } from './expected.ts';
import { requireRoom, roomFor } from './restore.ts';
import type { Selection } from './selection.ts';

/** Where one volume goes on a node. */
export type NodePlace =
  | {
      readonly volume: string;
      /** Made with all that lacks above it, for nobody else to read, unless it is there. */
      readonly directory: string;
      /** Mount point of the file system that has to hold it: a directory below an unmounted one is another file system's. */
      readonly mountPoint: string;
      /** `replace`: what has the name of a restored file gives way; everything else stays. Default `refuse`. */
      readonly existing?: 'refuse' | 'replace' | undefined;
    }
  | {
      readonly volume: string;
      /** A file for the bytes of a raw volume, which must not be there; its directory is made as that of a tree is. */
      readonly file: string;
      /** As for a directory. */
      readonly mountPoint: string;
    }
  | {
      readonly volume: string;
      /** Character device of a raw volume, below `/dev`; all that it holds is overwritten. */
      readonly device: string;
      /** Whether the archive begins with the control block, as the volume's policy says. */
      readonly lvcb: 'keep' | 'skip';
    };

type DirectoryPlace = Extract<NodePlace, { readonly directory: string }>;
type FilePlace = Extract<NodePlace, { readonly file: string }>;
type DevicePlace = Extract<NodePlace, { readonly device: string }>;

/** What was found at a place that is as it should be. */
interface Checked {
  readonly place: NodePlace;
  readonly selection: Selection;
  /** Directories that have to be made, those above first. */
  readonly missing: readonly string[];
  /** Bytes that the file system of the place has free; `null` for a device, which is as large as it is. */
  readonly freeBytes: number | null;
}

/**
 * Looks at all places, before anything is written to one. Changes nothing.
 *
 * @param placeOf Says where a volume goes, or throws.
 * @returns the directories that have to be made, those above first.
 * @throws BackupError `RESTORE_TARGET`, which for a raw volume says how to have the others at once; RestoreError
 * `RESTORE_NO_SPACE`; and what `placeOf` throws.
 */
export async function checkPlaces(
  backup: StoredBackup,
  host: Host,
  selections: readonly Selection[],
  placeOf: (selection: Selection) => NodePlace,
  { select, signal }: { readonly select?: readonly string[] | undefined; readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const checked: Checked[] = [];
  for (const selection of selections) {
    try {
      checked.push(await checkPlace(host, placeOf(selection), selection, signal));
    } catch (error) {
      throw withWayOut(error, selection, selections, select);
    }
  }
  await checkRoom(backup, host, checked, signal);
  return [...new Set(checked.flatMap(({ missing }) => missing))];
}

/** @throws BackupError `RESTORE_TARGET` when a place is not what the caller thinks it is. */
async function checkPlace(
  host: Host,
  place: NodePlace,
  selection: Selection,
  signal: AbortSignal | undefined,
): Promise<Checked> {
  const isTree = selection.mountPoint !== null;
  if (isTree !== 'directory' in place) {
    const [is, needs] = isTree ? ['a file system', 'directory'] : ['a raw volume', 'file or a device'];
    throw refused(`${place.volume} is ${is}`, `Name a ${needs} for it.`);
  }
  if ('directory' in place) return { place, selection, ...(await checkDirectory(host, place, signal)) };
  if ('file' in place) return { place, selection, ...(await checkFile(host, place, signal)) };
  await checkDevice(host, place, selection, signal);
  return { place, selection, missing: [], freeBytes: null };
}

/**
 * Looks whether all that goes to one file system has room there together.
 *
 * @throws RestoreError `RESTORE_NO_SPACE`
 */
async function checkRoom(
  backup: StoredBackup,
  host: Host,
  checked: readonly Checked[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const byMount = Map.groupBy(checked, ({ place }) => ('mountPoint' in place ? place.mountPoint : null));
  for (const [mountPoint, own] of byMount) {
    const [{ freeBytes } = { freeBytes: null }] = own;
    if (freeBytes === null) continue;
    const selections = own.map(({ selection }) => selection);
    let room = freeBytes;
    if (roomFor(selections) > room) {
      for (const { place, selection } of own) {
        if (!('directory' in place) || place.existing !== 'replace') continue;
        room += await givenBack(host, place.directory, await expectedOf(backup, selection), signal);
      }
    }
    requireRoom(selections, room, `${host.name}: ${mountPoint}`);
  }
}

/** Whoever wants the file systems back now is not held up by a raw volume that has no place. */
function withWayOut(
  error: unknown,
  { volume, mountPoint }: Selection,
  selections: readonly Selection[],
  select: readonly string[] | undefined,
): unknown {
  const others = selections.filter((each) => each.volume !== volume).map((each) => each.volume);
  if (!(error instanceof BackupError) || mountPoint !== null || others.length === 0) return error;
  const { code, message, remedy = '', problems, cause } = error;
  const leave =
    select === undefined
      ? `restore the others alone now: ${others.map((each) => `--path ${each}`).join(' ')}`
      : `leave ${volume} out, and have the others now`;
  return new BackupError(code, message, { remedy: `${remedy} Or ${leave}.`, problems, cause });
}

/**
 * Makes directories for nobody else to read: what is restored into one has its own mode.
 *
 * @throws BackupError `RESTORE_TARGET`; those that were made before stay, and are empty.
 */
export async function makeDirectories(
  host: Host,
  directories: readonly string[],
  signal: AbortSignal | undefined,
  remedy?: string,
): Promise<void> {
  if (directories.length === 0) return;
  const steps = directories.map((directory, index) => ({
    id: `make${index}`,
    run: changes('mkdir', '-m', '700', directory),
    timeoutSeconds: 60,
  }));
  const outcome = await host.run({ steps }, { signal });
  for (const { id } of steps) said(outcome, id, host.name, remedy);
}

async function checkDirectory(
  host: Host,
  { directory, mountPoint, existing = 'refuse' }: DirectoryPlace,
  signal: AbortSignal | undefined,
): Promise<Pick<Checked, 'missing' | 'freeBytes'>> {
  const { there, missing } = await pathsOf(host, directory, signal);
  const isThere = missing.length === 0;
  if (!isThere && existing === 'replace') throw refused(`${host.name}: ${directory} is not there`, lookThere);
  const room = { id: 'room', run: reads('df', '-k', there), timeoutSeconds: 60 };
  // Where others have their files, how many there are is of no account.
  const listing = reads('ls', existing === 'replace' ? '-d' : '-a', directory);
  const names = { id: 'names', run: listing, timeoutSeconds: 60 };
  const outcome = await host.run({ steps: isThere ? [names, room] : [room] }, { signal });
  const others = (isThere ? said(outcome, 'names', host.name) : '')
    .split('\n')
    .filter((name) => !['', '.', '..', 'lost+found', '.splitmirror'].includes(name));
  const freeBytes = freeIn(outcome, host.name, there, mountPoint);
  if (others.length > 0 && existing === 'refuse') {
    throw refused(
      `${host.name}: ${directory} is not empty: ${others.slice(0, 3).join(', ')}`,
      'Name an empty directory.',
    );
  }
  return { missing, freeBytes };
}

async function checkFile(
  host: Host,
  { volume, file, mountPoint }: FilePlace,
  signal: AbortSignal | undefined,
): Promise<Pick<Checked, 'missing' | 'freeBytes'>> {
  const { there, missing } = await pathsOf(host, file, signal);
  if (missing.length === 0) {
    throw refused(
      `${host.name}: ${file} is there already`,
      `Raw volume ${volume} becomes a file of that name: take away what stands there.`,
    );
  }
  const room = { id: 'room', run: reads('df', '-k', there), timeoutSeconds: 60 };
  const outcome = await host.run({ steps: [room] }, { signal });
  return { missing: missing.slice(0, -1), freeBytes: freeIn(outcome, host.name, there, mountPoint) };
}

async function checkDevice(
  host: Host,
  { volume, device, lvcb }: DevicePlace,
  { record }: Selection,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!device.startsWith('/dev/')) throw refused(`${device} is no device`, 'Name one below /dev, or a file.');
  // A block too many or too few would shift everything.
  if (lvcb !== lvcbOf(record)) {
    throw refused(
      `the archive of ${volume} was made with lvcb: '${lvcbOf(record)}'`,
      'Restore it as it was made, or the content would lie 512 bytes beside its place.',
    );
  }
  const outcome = await host.run(
    {
      steps: [
        // What is not there would become a file, and fill the root file system.
        { id: 'device', run: reads('ls', '-d', device), timeoutSeconds: 60 },
        { id: 'mounts', run: reads('mount'), timeoutSeconds: 60 },
      ],
    },
    { signal },
  );
  said(outcome, 'device', host.name);
  const block = device.replace(/^\/dev\/r/, '/dev/');
  if (said(outcome, 'mounts', host.name).split(/\s+/).includes(block)) {
    throw refused(`${host.name}: ${block} is mounted`, 'Unmount it first, or name the device that is meant.');
  }
}

/** The deepest part of a path that is there, and the parts below it that are not, those above first. */
async function pathsOf(
  host: Host,
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly there: string; readonly missing: readonly string[] }> {
  const parts = path.split('/').filter((part) => part !== '');
  if (!path.startsWith('/') || parts.some((part) => part === '.' || part === '..' || part.includes('\n'))) {
    throw refused(`${path} is no plain absolute path`, 'Name it from the root, without . and ..');
  }
  const paths = ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
  // Of those that are not there it complains, and lists the others.
  const step = { id: 'paths', run: reads('ls', '-d', ...paths), timeoutSeconds: 60, onFailure: 'continue' } as const;
  const outcome = await host.run({ steps: [step] }, { signal });
  const [listed] = outcome.steps;
  if (listed?.kind !== 'ended') throw refused(`${host.name}: ${complaint(outcome, listed)}`, lookThere);
  const known = new Set(listed.stdout.split('\n'));
  const last = paths.findLastIndex((each) => known.has(each));
  if (last < 0) throw refused(`${host.name}: ${complaint(outcome, listed)}`, lookThere);
  return { there: paths[last] ?? '/', missing: paths.slice(last + 1) };
}

/** @throws BackupError `RESTORE_TARGET` when it is another file system than the one that is meant. */
function freeIn(outcome: ScriptOutcome, node: string, path: string, mountPoint: string): number {
  const room = parseRoom(said(outcome, 'room', node));
  if (room === null) throw refused(`${node}: df -k does not tell what holds ${path}`, 'Look at it on the node.');
  if (room.mountPoint === mountPoint) return room.freeBytes;
  throw refused(
    `${node}: ${path} lies in ${room.mountPoint}, not in ${mountPoint}`,
    `Mount ${mountPoint}, or name the file system that is meant.`,
  );
}

const lookThere = 'Look at the place on the node.';

/**
 * A directory of the backup that is a symbolic link by now would lead tar out of the place. Of a file nobody says whether every
 * tar takes the link away or writes through it.
 *
 * @throws BackupError `RESTORE_TARGET`
 */
export async function refuseLinks(
  host: Host,
  { directory }: DirectoryPlace,
  expected: ReadonlyMap<string, Expected>,
  { timeoutSeconds, signal }: { readonly timeoutSeconds: number; readonly signal?: AbortSignal | undefined },
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

function said(outcome: ScriptOutcome, id: string, node: string, remedy = lookThere): string {
  const step = outcome.steps.find((each) => each.id === id);
  if (step?.kind === 'ended' && step.exitCode === 0) return step.stdout;
  throw refused(`${node}: ${complaint(outcome, step)}`, remedy);
}

function complaint(outcome: ScriptOutcome, step: StepResult | undefined): string {
  if (outcome.kind === 'unknown') return outcome.reason;
  return step?.kind === 'ended' ? step.stderr.trim() || `status ${step.exitCode}` : 'no answer within the deadline';
}

/** A place that cannot be used. */
export function refused(message: string, remedy: string): BackupError {
  return new BackupError('RESTORE_TARGET', message, { remedy });
}
