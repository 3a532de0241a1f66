import { createHash } from 'node:crypto';
import {
  type CatalogueEntry,
  type DeviceSource,
  dd,
  displayName,
  type TarSource,
  tar,
  watchArchive,
} from '@splitmirror/archive';
import { type Host, reads, SplitmirrorError, type StreamOutcome } from '@splitmirror/host';
import type { ArchiveRecord } from '../store/manifest.ts';
import { type Expected, nameBelow } from './expected.ts';
import { RestoreError } from './restore-error.ts';

/** Where something was restored, and how long reading it may take. */
interface ReadBack {
  readonly host: Host;
  readonly volume: string;
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a directory back and compares it with what was sent.
 *
 * @param expected What was sent; emptied meanwhile.
 * @param others Whether others write there as well: then nothing is read but what was restored.
 * @throws RestoreError `RESTORE_NODE_FAILED`
 */
export async function readBackTree(
  from: ReadBack,
  directory: string,
  expected: Map<string, Expected>,
  { others }: { readonly others: boolean },
): Promise<void> {
  const complaints: string[] = [];
  const judge = (complaint: string | null) => void (complaint === null || complaints.push(complaint));
  const compare = comparing(expected);
  if (!others) {
    judge(await readArchive(from, { directory }, Number.POSITIVE_INFINITY, compare()));
  } else {
    const { files, directories, above } = requestOf(expected);
    for (const names of batchesOf(files)) {
      const bytes = names.reduce((sum, name) => sum + (expected.get(name)?.size ?? 0) + 1024, 0);
      judge(await readArchive(from, { directory, members: names.map(operand) }, bytes, compare()));
    }
    judge(await checkDirectories(from, directory, directories, expected));
    // What others do to their files in there is no fault of the restore: here, only what came back right counts.
    if (above.length > 0) {
      await readArchive(from, { directory, members: above.map(operand) }, Number.POSITIVE_INFINITY, compare());
    }
  }
  const said = complaints.join('; ').slice(-300);
  if (expected.size > 0) throw differs(from, [...expected.keys()], said);
  if (said !== '') throw failed(from, `could not be read back without fault: ${said}`);
}

/**
 * Reads a device back and compares it with the archive that was sent; it may be larger.
 *
 * @throws RestoreError `RESTORE_NODE_FAILED`
 */
export async function readBackDevice(
  from: ReadBack,
  source: DeviceSource,
  { bytes, sha256 }: Pick<ArchiveRecord, 'bytes' | 'sha256'>,
): Promise<void> {
  const { stdout, outcome } = await from.host.stream(dd.create(source), from);
  const digest = createHash('sha256');
  let left = bytes;
  let fault: unknown;
  try {
    for await (const chunk of stdout) {
      digest.update((chunk as Buffer).subarray(0, left));
      left -= Math.min(left, (chunk as Buffer).length);
      // A volume may be larger than what it was restored from.
      if (left === 0) break;
    }
  } catch (error) {
    fault = error;
  }
  const ended = await outcome;
  if (left > 0 && (ended.kind !== 'ended' || fault !== undefined)) throw unread(from, ended, fault);
  if (left > 0 || digest.digest('hex') !== sha256) throw differs(from, [source.device], ended.stderr.slice(-300));
}

/** A new look at one archive: its entries are held against what is expected, which loses those that are right. */
function comparing(expected: Map<string, Expected>): () => (entry: CatalogueEntry) => void {
  return () => {
    /** Of the files of this archive: a further name of one has no content of its own. */
    const contents = new Map<string, string | null>();
    return (entry) => {
      const name = nameBelow(entry.path);
      const content = entry.type === 'hardlink' ? contents.get(nameBelow(entry.link ?? '')) : entry.sha256;
      if (entry.type === 'file') contents.set(name, entry.sha256);
      const wanted = expected.get(name);
      if (wanted === undefined) return;
      // Which of several names of a file comes first is the tool's choice.
      const isSame = isFile(wanted)
        ? isFile(entry) && content === wanted.sha256
        : entry.type === wanted.type && (entry.type !== 'symlink' || entry.link === wanted.link);
      if (isSame) expected.delete(name);
    };
  };
}

function isFile({ type }: Pick<CatalogueEntry, 'type'>): boolean {
  return type === 'file' || type === 'hardlink';
}

/** What is asked of the node, name by name. */
interface Request {
  readonly files: readonly string[];
  readonly directories: readonly string[];
  /** Directories that are read as a whole, because a name in them cannot be asked for by itself. */
  readonly above: readonly string[];
}

function requestOf(expected: ReadonlyMap<string, Expected>): Request {
  const files: string[] = [];
  const directories: string[] = [];
  const above = new Set<string>();
  for (const [name, { type }] of expected) {
    if (type === 'directory' && name.isWellFormed()) directories.push(name);
    else if (!canBeOperand(name)) above.add(operandAbove(name));
    else files.push(name);
  }
  return { files, directories, above: [...above] };
}

/**
 * Whether any tar takes it for this name: it has to be text, and without a backslash, behind which GNU tar sees another
 * character than the one that stands there. What AIX's makes of it no source tells.
 */
function canBeOperand(name: string): boolean {
  return name.isWellFormed() && !name.includes('\\');
}

function operandAbove(name: string): string {
  let above = name;
  while (!canBeOperand(above)) above = above.slice(0, Math.max(0, above.lastIndexOf('/')));
  return above;
}

function operand(name: string): string {
  return `./${name}`;
}

/** Half of what AIX gave to arguments and environment together, before 6.1. */
const mostOperandBytes = 12_288;
/** What a name takes beside its bytes: its pointer, its end, and what stands before it. */
const besideName = 16;

function* batchesOf(names: readonly string[], before = 0): Generator<readonly string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const size = Buffer.byteLength(name) + besideName + before;
    if (batch.length > 0 && bytes + size > mostOperandBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(name);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Reads one archive of the node's tar.
 *
 * @returns what the tool has complained of; `null` when it ended well.
 */
async function readArchive(
  from: ReadBack,
  source: TarSource,
  expectedBytes: number,
  onEntry: (entry: CatalogueEntry) => void,
): Promise<string | null> {
  const { timeoutSeconds, signal } = from;
  const { stdout, outcome } = await from.host.stream(tar.create(source), { timeoutSeconds, signal, expectedBytes });
  const watch = watchArchive('tar', { onEntry });
  let fault: unknown;
  try {
    for await (const chunk of stdout) watch.push(chunk as Buffer);
    watch.end();
  } catch (error) {
    fault = error;
  }
  const ended = await outcome;
  if (ended.kind !== 'ended' || fault !== undefined) throw unread(from, ended, fault);
  const wrong = ended.memberCodes.find((code) => code !== 0);
  return wrong === undefined ? null : ended.stderr || `tar ended with ${wrong}`;
}

/** Steps that travel together. */
const stepsAtOnce = 20;

/** Asks for everything that is no directory: no answer is a good one, whatever the names are made of. */
async function checkDirectories(
  { host, volume, timeoutSeconds, signal }: ReadBack,
  directory: string,
  names: readonly string[],
  expected: Map<string, Expected>,
): Promise<string | null> {
  const root = directory.replace(/\/+$/, '');
  const batches = [...batchesOf(names, root.length)];
  for (let at = 0; at < batches.length; at += stepsAtOnce) {
    const some = batches.slice(at, at + stepsAtOnce);
    const steps = some.map((batch, index) => {
      const paths = batch.map((name) => `${root}/${name}`);
      return {
        id: `directories${index}`,
        run: reads('find', ...paths, '-prune', '!', '-type', 'd', '-print'),
        timeoutSeconds,
      };
    });
    const outcome = await host.run({ steps }, { signal });
    for (const [index, batch] of some.entries()) {
      const step = outcome.steps[index];
      if (step?.kind !== 'ended') {
        const why = outcome.kind === 'unknown' ? outcome.reason : (step?.kind ?? outcome.kind);
        throw failed({ host, volume }, `could not be read back: ${why}`);
      }
      if (step.exitCode !== 0 || step.stdout !== '') {
        return step.stderr.trim() || `no directory: ${displayName(step.stdout.trim())}`;
      }
      for (const name of batch) expected.delete(name);
    }
  }
  return null;
}

function unread(from: ReadBack, ended: StreamOutcome, fault: unknown): RestoreError {
  const ending = { ended: 'it is not whole', cancelled: 'cancelled', 'timed-out': 'no end within the deadline' };
  const why = SplitmirrorError.is(fault) ? fault.message : ended.kind === 'unknown' ? ended.reason : ending[ended.kind];
  return failed(from, `could not be read back: ${[why, ended.stderr.slice(-300)].filter(Boolean).join(': ')}`);
}

function differs(from: ReadBack, names: readonly string[], said: string): RestoreError {
  const some = names.slice(0, 3).map((name) => displayName(name === '' ? '.' : name));
  return failed(
    from,
    `is not what was sent: ${names.length} differ: ${some.join(', ')}${said === '' ? '' : `; it says: ${said}`}`,
  );
}

function failed({ host, volume }: Pick<ReadBack, 'host' | 'volume'>, what: string): RestoreError {
  return new RestoreError('RESTORE_NODE_FAILED', `${host.name}: ${volume} ${what}`, {
    remedy: 'Do not use what stands there. Find out who else writes there, and restore again.',
  });
}
