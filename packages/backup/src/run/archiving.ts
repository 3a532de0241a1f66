import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  type ArchiveSummary,
  type ArchiveTool,
  type ArchiveWatch,
  dd,
  type StoredDigest,
  tar,
  type Verdict,
  type VerdictReason,
  watchArchive,
} from '@splitmirror/archive';
import { type Chunk, type CommandStream, renderCommand } from '@splitmirror/host';
import type { BackupContext } from '../context.ts';
import type { GroupPolicy, PlannedArchive, RunPlan } from '../plan/run-plan.ts';
import type { Confirmation, PlannedVolume, Problem, Proof } from '../ports.ts';
import { problemOf } from '../problems.ts';
import { isSystemError, storeError } from '../store/durable.ts';
import type { ArchiveRecord } from '../store/manifest.ts';
import type { StoredRun } from '../store/store.ts';
import { extensionOf, type StoredForm, toStored } from '../store/stored-form.ts';
import { pause } from '../surroundings.ts';
import { boundedSink } from './bounded-sink.ts';
import { emitter } from './describe.ts';
import type { ArchivesResult } from './effects.ts';
import { openSink, type Sink } from './sink.ts';

/** Bytes between two progress events of one archive. */
const progressBytes = 1 << 20;

/** How the content of a split copy is archived: file systems by tar, raw volumes by dd. Pure. */
export function planArchive(volume: PlannedVolume, policy: GroupPolicy): PlannedArchive {
  const common = { volume: volume.volume, timeoutSeconds: policy.archiveSeconds };
  const form = extensionOf(policy.stored ?? {});
  if (volume.source.kind === 'directory') {
    const { path, mountPoint } = volume.source;
    return {
      ...common,
      tool: 'tar',
      mountPoint,
      file: `${volume.volume}${tar.extension}${form}`,
      source: tar.create({ directory: path }),
      expectedBytes: null,
    };
  }
  const { path } = volume.source;
  const raw = policy.rawVolumes.find((entry) => entry.volume === volume.volume);
  if (raw === undefined)
    throw new RangeError(`nothing says whether raw volume ${volume.volume} begins with a control block`);
  return {
    ...common,
    tool: 'dd',
    mountPoint: null,
    file: `${volume.volume}${dd.extension}${form}`,
    source: dd.create({ device: path, lvcb: raw.lvcb }),
    expectedBytes: dd.archiveBytes(volume.bytes, raw.lvcb),
  };
}

/** Where archives go, and their catalogues. */
type ArchivePlace = Pick<StoredRun, 'directory' | 'openArchive'>;

/**
 * Streams all volumes of a plan into the store, several side by side, and proves ownership again from time to time. The
 * first failure ends all of them. A file has its final name only when it was seen whole and is on the disk.
 */
export async function archiveVolumes(
  context: BackupContext,
  plan: RunPlan,
  stored: ArchivePlace,
  signal: AbortSignal | undefined,
): Promise<ArchivesResult> {
  const ending = new AbortController();
  const together = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  const problems: Problem[] = [];
  const proofs: Proof[] = [];
  const records = new Map<string, ArchiveRecord>();
  const fail = (found: readonly Problem[]) => {
    // What fails after the first failure fails because it was told to end.
    if (!ending.signal.aborted) problems.push(...found);
    ending.abort();
  };

  const queue = [...plan.archives];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined && !together.aborted; next = queue.shift()) {
      const result = await archiveOne(context, plan, next, stored, together);
      if ('file' in result) records.set(next.volume, result);
      else fail(result);
    }
  };
  const work = Promise.all(Array.from({ length: plan.policy.parallel }, worker));
  const done = new AbortController();
  const watch = watchOwnership(context, plan, proofs, fail, AbortSignal.any([together, done.signal])).catch((error) =>
    fail([problemOf(error, plan.node)]),
  );
  try {
    await work;
  } finally {
    done.abort();
    await watch;
  }

  if (signal?.aborted && problems.length === 0) {
    problems.push(
      archiveProblem(plan, 'INTERRUPTED', 'the archiving was interrupted', 'asked to end', 'Run the backup again.'),
    );
  }
  if (problems.length === 0) {
    return { kind: 'archived', archives: plan.archives.flatMap(({ volume }) => records.get(volume) ?? []), proofs };
  }
  for (const { file } of plan.archives) await discard(stored.directory, file);
  return { kind: 'failed', problems };
}

async function watchOwnership(
  context: BackupContext,
  plan: RunPlan,
  proofs: Proof[],
  fail: (problems: readonly Problem[]) => void,
  until: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(context.surroundings, plan.policy.proofMs, until);
    if (until.aborted) return;
    // One that is cut short by the end of the archives says nothing of them.
    const confirmation = await context.cluster
      .confirm(proofs.at(-1) ?? plan.proof, { signal: until })
      .catch((error: unknown): Confirmation => ({ kind: 'unknown', reason: problemOf(error, plan.node).message }));
    if (until.aborted) return;
    if (confirmation.kind === 'holds') proofs.push(confirmation.proof);
    else {
      const seen =
        confirmation.kind === 'lost'
          ? confirmation.changed.map(({ fact, after }) => `${fact} is ${after}`).join('; ')
          : confirmation.reason;
      const code = confirmation.kind === 'lost' ? 'OWNERSHIP_LOST' : 'OWNERSHIP_UNKNOWN';
      fail([
        archiveProblem(
          plan,
          code,
          `${plan.node} could not prove ownership while archives streamed`,
          seen,
          'Back up again when the cluster is stable.',
        ),
      ]);
      return;
    }
  }
}

/** One volume: the record of its archive, or every reason why there is none. */
async function archiveOne(
  context: BackupContext,
  plan: RunPlan,
  archive: PlannedArchive,
  stored: ArchivePlace,
  signal: AbortSignal,
): Promise<ArchiveRecord | readonly Problem[]> {
  const emit = emitter(context);
  const host = context.hosts.get(plan.node);
  if (host === undefined) throw new RangeError(`no host is configured for node ${plan.node}`);
  const { volume, file, source } = archive;
  const bytesAtMost = archive.expectedBytes ?? plan.mirror.volumes.find((entry) => entry.volume === volume)?.bytes ?? 0;
  emit({ type: 'archive-start', volume, file, bytesAtMost });

  const catalogueName = archive.tool === 'tar' ? `${file}.catalogue.ndjson` : null;
  let sink: Sink | undefined;
  let catalogue: Sink | undefined;
  let streamed: CommandStream | undefined;
  const interrupt = () => sink?.interrupt();
  signal.addEventListener('abort', interrupt);
  // Whichever it is that stalls: the node's command, or what takes the bytes.
  const stalled = new AbortController();
  const idle = stallAfter(plan.policy.idleSeconds, () => {
    stalled.abort();
    streamed?.stdout.destroy();
    interrupt();
  });
  try {
    catalogue = catalogueName === null ? undefined : await openSink(join(stored.directory, catalogueName));
    sink = await boundedSink(() => stored.openArchive(file), AbortSignal.any([signal, stalled.signal]));
    const lines: Buffer[] = [];
    const progress = { bytes: 0, entries: 0, told: 0 };
    const watched = { onEntry: () => void progress.entries++, onCatalogue: (piece: Buffer) => void lines.push(piece) };
    const watch =
      archive.tool === 'tar'
        ? watchArchive('tar', watched)
        : watchArchive('raw', { ...watched, expectedBytes: archive.expectedBytes ?? 0 });

    const startedAt = performance.now();
    const stream = await host.stream(source, { timeoutSeconds: archive.timeoutSeconds, signal });
    streamed = stream;
    const watching = watchedStream(stream, watch, async (chunk) => {
      idle.alive();
      for (const piece of lines.splice(0)) await catalogue?.write(piece);
      progress.bytes += chunk.length;
      if (progress.bytes - progress.told >= progressBytes) {
        progress.told = progress.bytes;
        emit({ type: 'archive-progress', volume, bytes: progress.bytes, entries: progress.entries });
      }
    });
    const whole = await storeWhole(watching, sink, plan.policy.stored ?? {});
    const seconds = (performance.now() - startedAt) / 1000;
    const verdict = judge(archive, {
      outcome: await stream.outcome,
      seen: whole instanceof Error ? whole : whole.seen,
    });
    if (verdict.kind === 'failed' || whole instanceof Error) {
      await Promise.all([sink.abandon(), catalogue?.abandon()]);
      if (stalled.signal.aborted) return [stall(plan, archive)];
      return problemsOfVerdict(verdict, whole, plan, archive);
    }
    for (const piece of lines.splice(0)) await catalogue?.write(piece);
    await catalogue?.finish();
    // A program that hangs at the end of its input would be waited for as long as the mirror is split.
    idle.alive();
    const { snapshot } = await sink.finish();
    const { bytes, sha256, entries } = whole.seen;
    emit({ type: 'archive-end', volume, bytes, entries, sha256 });
    return {
      volume,
      mountPoint: archive.mountPoint,
      tool: archive.tool,
      command: renderCommand(source),
      file,
      bytes,
      sha256,
      entries,
      catalogue: catalogueName,
      warnings: verdict.accepted.map(({ message, seen: quoted }) => `${message}: ${quoted}`),
      compression: plan.policy.stored?.compression ?? 'none',
      recipients: plan.policy.stored?.recipients?.length ? [...plan.policy.stored.recipients] : null,
      stored: whole.digest,
      snapshot,
      seconds,
    };
  } catch (error) {
    await Promise.all([sink?.abandon(), catalogue?.abandon()]);
    if (stalled.signal.aborted) return [stall(plan, archive)];
    // What ends because it was told to end is no fault of the store.
    return signal.aborted ? [] : [storeProblem(error, plan, stored.directory)];
  } finally {
    idle.end();
    signal.removeEventListener('abort', interrupt);
  }
}

/** Calls `expire` when nobody has said `alive` for so long, until its `end`. */
function stallAfter(seconds: number, expire: () => void): { alive(): void; end(): void } {
  const timer = setTimeout(expire, seconds * 1000).unref();
  return { alive: () => void timer.refresh(), end: () => clearTimeout(timer) };
}

function stall(plan: RunPlan, { volume }: PlannedArchive): Problem {
  const seen = `no byte for ${plan.policy.idleSeconds} s`;
  const remedy =
    'Look for what holds the command on the node (a hung disk, a locked volume group, a dead link) or the repository (one that is full).';
  return archiveProblem(plan, 'ARCHIVE_STALLED', `the archive of ${volume} stalled`, seen, remedy);
}

/** An archive as it comes from the node, watched. */
interface WatchedStream extends AsyncIterable<Buffer> {
  /** What was seen, once it has ended: the whole archive, or what is wrong with it. */
  seen(): ArchiveSummary | Error | undefined;
}

/** Hands on what comes once it was watched. What is wrong with the archive ends the stream. */
function watchedStream(
  stream: CommandStream,
  watch: ArchiveWatch,
  onChunk: (chunk: Buffer) => Promise<void>,
): WatchedStream {
  let seen: ArchiveSummary | Error | undefined;
  const incoming = stream.stdout[Symbol.asyncIterator]();
  const nextChunk = async (): Promise<Buffer | undefined> => {
    try {
      const next = await incoming.next();
      if (next.done) seen = watch.end();
      else watch.push(next.value);
      return next.done ? undefined : next.value;
    } catch (error) {
      seen = error instanceof Error ? error : new Error(String(error));
      throw seen;
    }
  };
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      for (let chunk = await nextChunk(); chunk !== undefined; chunk = await nextChunk()) {
        await onChunk(chunk);
        yield chunk;
      }
    } finally {
      stream.stdout.destroy();
    }
  }
  return { seen: () => seen, [Symbol.asyncIterator]: chunks };
}

/**
 * Writes an archive in its stored form. What is wrong with the archive is returned; what is wrong with the store is thrown.
 */
async function storeWhole(
  source: WatchedStream,
  sink: Sink,
  form: StoredForm,
): Promise<{ readonly seen: ArchiveSummary; readonly digest: StoredDigest } | Error> {
  let digest: StoredDigest | undefined;
  // As it came it was hashed already.
  const onStored = (end: StoredDigest) => {
    digest = end;
  };
  const pieces = extensionOf(form) === '' ? source : toStored(source, form, onStored);
  try {
    for await (const piece of pieces) await sink.write(piece, releaseOf(piece));
  } catch (error) {
    const seen = source.seen();
    if (seen instanceof Error) return seen;
    throw error;
  }
  const seen = source.seen();
  if (seen === undefined || seen instanceof Error) throw new Error('an archive ended before its source');
  return { seen, digest: digest ?? { bytes: seen.bytes, sha256: seen.sha256 } };
}

/** Gives the memory of a chunk back, which nobody but the sink has any more. */
function releaseOf(chunk: Chunk): (() => void) | undefined {
  return chunk[Symbol.dispose]?.bind(chunk);
}

function judge(archive: PlannedArchive, evidence: Parameters<ArchiveTool<unknown>['judge']>[0]): Verdict {
  const expected = archive.expectedBytes === null ? undefined : { bytes: archive.expectedBytes };
  return (archive.tool === 'tar' ? tar : dd).judge({ ...evidence, expected });
}

/**
 * What is to be done about reasons that other callers of the archive tools may accept: here an archive with any of them is no
 * backup.
 */
function remedyOf({ code, remedy }: VerdictReason, { group, node }: RunPlan, { volume }: PlannedArchive): string {
  const leaveOut = `leave the volume out: name ${volume} in the settings of ${group} under leaveOut`;
  switch (code) {
    case 'STDERR_UNKNOWN':
      return `Settle on ${node} what these lines are about, and back up again. Until then, or where it is nothing, ${leaveOut}; and report the lines.`;
    case 'STDERR_WARNING':
    case 'PARTIAL':
      return `Move what is named to another file system, or ${leaveOut}.`;
    case 'NO_FILES':
      return `Look on ${node} whether the right file system is mounted. If it may be empty, put a file into it, or ${leaveOut}.`;
    default:
      return remedy;
  }
}

function problemsOfVerdict(
  verdict: Verdict,
  seen: unknown,
  plan: RunPlan,
  archive: PlannedArchive,
): readonly Problem[] {
  if (verdict.kind === 'good') return [problemOf(seen, plan.node)];
  return verdict.reasons.map((reason) => ({
    code: `ARCHIVE_${reason.code}`,
    node: plan.node,
    message: `archive of ${archive.volume}: ${reason.message}`,
    seen: reason.seen,
    remedy: remedyOf(reason, plan, archive),
  }));
}

function storeProblem(error: unknown, plan: RunPlan, directory: string): Problem {
  const problem = problemOf(isSystemError(error) ? storeError(directory, error) : error, plan.node);
  // Store and repository are the controller's: no node has no room.
  const told = /^(?:STORE|RESTIC)_/.test(problem.code) ? { ...problem, node: null } : problem;
  const isTooLarge = isSystemError(error) && error.code === 'EFBIG';
  return isTooLarge ? { ...told, code: 'STORE_FULL', remedy: 'Make room in the store.' } : told;
}

function archiveProblem(plan: RunPlan, code: string, message: string, seen: string, remedy: string): Problem {
  return { code, node: plan.node, message, seen, remedy };
}

async function discard(directory: string, file: string): Promise<void> {
  for (const name of [file, `${file}.catalogue.ndjson`]) {
    for (const suffix of ['', '.partial']) await rm(join(directory, `${name}${suffix}`), { force: true });
  }
}
