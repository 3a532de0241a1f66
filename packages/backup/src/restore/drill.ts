import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, lstat, readlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { type CatalogueEntry, displayName, nameBytes } from '@splitmirror/archive';
import {
  changes,
  longestTimerSeconds,
  quote,
  requireWhole,
  type ScriptOutcome,
  SplitmirrorError,
} from '@splitmirror/host';
import type { Problem } from '../ports.ts';
import { withReasons } from '../problems.ts';
import { remedyForDamage } from '../store/damage.ts';
import { daysSince } from '../store/listing.ts';
import { type BackupRecord, type DrillRecord, drillLevels } from '../store/records.ts';
import type { Store, StoredBackup } from '../store/store.ts';
import { asErrorOfPlace } from './disk.ts';
import { makeDirectories, type NodePlace } from './place.ts';
import { type RecordedDrill, recordDrill } from './record-drill.ts';
import { type Identified, type RestoredVolume, restoreBackup, verifyBackup } from './restore.ts';
import { isUnsettled, RestoreError } from './restore-error.ts';
import { type NodeTarget, restoreToNode } from './restore-node.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { entriesOf, isNote } from './selection.ts';

/** What came of a drill. */
export interface Drilled extends DrillRecord, Pick<RecordedDrill, 'unrecorded'> {
  /** What was restored on this machine and could not be removed again: where it is, and why. */
  readonly left: Problem | null;
}

/** What a drill has found, and has left behind. */
interface Tried {
  /** What is wrong with the backup. */
  readonly problems: readonly string[];
  readonly left: Problem | null;
}

/** What a drill does. */
export interface DrillRequest extends Identified {
  /** How far it goes; a higher level includes the lower ones. */
  readonly level: DrillRecord['level'];
  /** Where it restores to, and what is made there is removed again. Default: this machine's directory for temporary files. */
  readonly place?:
    | { readonly kind: 'directory'; readonly directory: string }
    | { readonly kind: 'node'; readonly target: NodeTarget; readonly directory: string; readonly mountPoint: string }
    | undefined;
  /**
   * For `application`: a command that opens what was restored, and ends with 0 only if it could. It gets the directory as its
   * last argument: each file system is a directory in it, each raw volume a file, both named after the volume.
   */
  readonly probe?:
    | { readonly argv: readonly [program: string, ...args: string[]]; readonly timeoutSeconds: number }
    | undefined;
  /** Seconds that a restore to a node may take; default a day. */
  readonly timeoutSeconds?: number | undefined;
}

/**
 * Tries whether a backup can be restored, and records what came of it beside the manifest. That it failed is a record too, and
 * no error; the health of the backup is `damaged` from then on.
 *
 * @param request.signal An abort ends the drill, and the probe with all that it has started; what was restored is removed, and
 * nothing is recorded.
 * @throws AbortError; RangeError for a request that cannot be carried out; BackupError `RESTORE_TARGET`, RestoreError `IDENTITY_MISSING`,
 * `DRILL_PROBE` and other errors that say nothing of the backup: a wrong identity, no room, a node that does not answer, has no
 * place for the drill or keeps what was restored there. Then nothing is recorded.
 */
export async function drillBackup(
  store: Store,
  backup: StoredBackup,
  request: DrillRequest,
  now: () => Date,
): Promise<Drilled> {
  if (request.level === 'application' && request.probe === undefined) {
    throw new RangeError('a drill of the level application needs a probe');
  }
  requireWhole('probe.timeoutSeconds', request.probe?.timeoutSeconds, 1, longestTimerSeconds);
  requireWhole('timeoutSeconds', request.timeoutSeconds, 1, longestTimerSeconds);
  const startedAt = now();
  const { problems, left } = await tryOut(backup, request);
  const drill = {
    level: request.level,
    where: request.place?.kind === 'node' ? request.place.target.host.name : hostname(),
    program: request.level === 'application' ? (request.probe?.argv[0] ?? null) : null,
    problems,
  };
  const { record, unrecorded } = await recordDrill(store, backup, drill, { startedAt, endedAt: now() });
  return { ...record, unrecorded, left };
}

/** How old the last passed drill of each level may be, in days; a level without a number is not asked for. */
export interface DrillPolicy {
  readonly bytesDays?: number | undefined;
  readonly contentsDays?: number | undefined;
  readonly applicationDays?: number | undefined;
}

/** A drill that should have been. */
export interface DrillDue {
  readonly level: DrillRecord['level'];
  /** The last drill that was passed at this level or above, of any backup; `null` when there was none. */
  readonly lastAt: string | null;
  readonly ageDays: number | null;
  readonly limitDays: number;
  readonly message: string;
}

/**
 * Which drills of a group are due. Pure. A drill of a higher level counts for the lower ones; a failed one counts for none.
 *
 * @param backups All of a group, in any order.
 * @throws RangeError for an age that is no number of days.
 */
export function drillsDue(
  backups: readonly { readonly records: readonly BackupRecord[] }[],
  policy: DrillPolicy,
  now: Date,
): DrillDue[] {
  for (const name of ['bytesDays', 'contentsDays', 'applicationDays'] as const) {
    const days = policy[name];
    if (days !== undefined && !(days > 0)) throw new RangeError(`${name} must be a number above 0: it is ${days}`);
  }
  const passed = backups.flatMap(({ records }) =>
    records.filter((record) => record.kind === 'drill' && record.outcome === 'passed'),
  ) as DrillRecord[];
  const limits = { bytes: policy.bytesDays, contents: policy.contentsDays, application: policy.applicationDays };
  return drillLevels.flatMap((level, rank) => {
    const limitDays = limits[level];
    if (limitDays === undefined) return [];
    const lastAt =
      passed
        .filter((drill) => drillLevels.indexOf(drill.level) >= rank)
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? null;
    const ageDays = lastAt === null ? null : daysSince(lastAt, now);
    // A drill from the future proves nothing: the clock was wrong.
    if (ageDays !== null && ageDays >= 0 && ageDays <= limitDays) return [];
    const last =
      ageDays === null
        ? `no drill of level ${level} was ever passed`
        : `the last passed drill of level ${level} was ${Math.floor(ageDays)} days ago`;
    const message = `${last}; one is wanted every ${limitDays} days`;
    return [{ level, lastAt, ageDays, limitDays, message }];
  });
}

async function tryOut(backup: StoredBackup, request: DrillRequest): Promise<Tried> {
  const { level, place, signal } = request;
  if (level === 'bytes') return { problems: await foundBy(() => verifyWhole(backup, request), signal), left: null };
  if (place?.kind === 'node')
    return { problems: await foundBy(() => onNode(backup, request, place), signal), left: null };
  return onThisMachine(backup, request, place?.directory ?? tmpdir());
}

async function verifyWhole(backup: StoredBackup, request: DrillRequest): Promise<readonly string[]> {
  await verifyBackup(backup, request);
  return [];
}

/** What is wrong with the backup, whether it is returned or thrown; errors that say nothing of it stay errors. */
async function foundBy(
  work: () => Promise<readonly string[]>,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    // What may be left on a node counts for more than that somebody wanted an end.
    if (isUnsettled(error)) throw error;
    signal?.throwIfAborted();
    if (!SplitmirrorError.is(error) || !isOfBackup(error)) throw error;
    return reasonsOf(error).map(({ message }) => message);
  }
}

/** Whether an error tells of the backup, not of the place or the key. */
function isOfBackup(error: SplitmirrorError): boolean {
  return reasonsOf(error).some(({ code }) => code === 'BACKUP_DAMAGED');
}

/** That some volumes did not come back is told by why each of them did not. */
function reasonsOf(error: SplitmirrorError): readonly { readonly code: string; readonly message: string }[] {
  return error instanceof RestoreError && error.code === 'RESTORE_PARTIAL' ? error.problems : [error];
}

async function onThisMachine(backup: StoredBackup, request: DrillRequest, parent: string): Promise<Tried> {
  const scratch = await makeScratch(parent, backup.manifest.run);
  const tried = await foundBy(() => restoreHere(backup, request, scratch), request.signal).then(
    (problems) => ({ problems }),
    (error: unknown) => ({ error }),
  );
  const left = await removeScratch(scratch).then(
    () => null,
    (error: Error) => leftover(scratch, error),
  );
  if (!('error' in tried)) return { problems: tried.problems, left };
  if (left === null) throw tried.error;
  throw new RestoreError('RESTORE_UNSETTLED', left.message, {
    remedy: left.remedy,
    problems: withReasons(tried.error, null),
    cause: tried.error,
  });
}

async function restoreHere(backup: StoredBackup, request: DrillRequest, scratch: string): Promise<readonly string[]> {
  const { volumes } = await restoreBackup(backup, scratch, request);
  const different: string[] = [];
  for (const volume of volumes) {
    const found = await compareVolume(backup, volume, request.signal).catch((error: unknown) => {
      throw asErrorOfPlace(volume.path, error);
    });
    different.push(...found);
  }
  if (different.length > 0) return different;
  return request.level === 'application' ? await probeHere(request, scratch) : [];
}

function leftover(scratch: string, { message }: Error): Problem & { readonly remedy: string } {
  return {
    code: 'DRILL_LEFT',
    node: null,
    message: `what was restored to ${scratch} could not be removed: ${message}`,
    seen: '',
    remedy: `Settle what keeps it there, then remove it: rm -rf ${quote(scratch)}`,
  };
}

/** Runs the probe in a process group of its own, which does not outlive it: what it restored is about to go. */
async function probeHere({ probe, signal }: DrillRequest, scratch: string): Promise<readonly string[]> {
  if (probe === undefined) return [];
  signal?.throwIfAborted();
  const [program, ...args] = probe.argv;
  const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe'];
  const child = spawn(program, [...args, scratch], { cwd: scratch, stdio, detached: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptBytes);
  });
  const end = () => endGroup(child.pid);
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    end();
  }, probe.timeoutSeconds * 1000);
  signal?.addEventListener('abort', end, { once: true });
  try {
    const ended = await new Promise<number | string>((resolve, reject) => {
      // That it could not be started says nothing of the backup.
      child.on('error', (cause) => reject(notRun(program, cause)));
      child.on('exit', end);
      child.on('close', (code, by) => resolve(isLate ? 'its deadline' : (code ?? by ?? 'no status')));
    });
    signal?.throwIfAborted();
    if (ended === 0) return [];
    return [`${program} ended with ${ended}: ${said.trim().slice(-300)}`];
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', end);
  }
}

/** A program whose own file is there is as little found as one that is not, where that of its first line is missing. */
function notRun(program: string, cause: Error): RestoreError {
  return new RestoreError('DRILL_PROBE', `the probe ${program} cannot be run: ${cause.message}`, {
    remedy:
      'Start it by hand, as the user of the drills: this user must be allowed to run it, and a script needs the program that its first line names. Then drill again.',
    cause,
  });
}

/** Most of what a probe says that is kept. */
const keptBytes = 1 << 16;

/** Ends a process with all that it has started. What ignores a request to end must not hold up the drill for ever. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

async function onNode(
  backup: StoredBackup,
  request: DrillRequest,
  { target, directory, mountPoint }: Extract<DrillRequest['place'], { kind: 'node' }>,
): Promise<readonly string[]> {
  const { run } = backup.manifest;
  const scratch = `${directory.replace(/\/$/, '')}/splitmirror-drill-${run}`;
  const { host } = target;
  request.signal?.throwIfAborted();
  // Fails where it is there: what is removed in the end was made here.
  const remedy = `On ${host.name}, take away what an earlier drill has left (rm -r ${quote(scratch)}), and see that ${directory} is there and takes a new directory; then drill again.`;
  await makeDirectories(host, [scratch], undefined, remedy);
  const tried = await restoreThere(backup, request, { target, scratch, mountPoint }).then(
    (problems) => ({ problems }),
    (error: unknown) => ({ error }),
  );
  const tidied = await host.run({ steps: [{ id: 'tidy', run: changes('rm', '-rf', scratch), timeoutSeconds: 3600 }] });
  if (!isClean(tidied)) {
    throw new RestoreError('RESTORE_UNSETTLED', `${host.name}: ${scratch} could not be removed`, {
      remedy: 'Look at what uses it on the node, then remove it: it holds what was restored.',
      problems:
        'error' in tried
          ? withReasons(tried.error, host.name)
          : tried.problems.map((message) => ({
              ...{ code: 'BACKUP_DAMAGED', node: host.name, message, seen: 'the drill' },
              remedy: remedyForDamage(backup),
            })),
      cause: 'error' in tried ? tried.error : undefined,
    });
  }
  if ('error' in tried) throw tried.error;
  return tried.problems;
}

function isClean({ kind, steps: [step] }: ScriptOutcome): boolean {
  return kind === 'completed' && step?.kind === 'ended' && step.exitCode === 0;
}

async function restoreThere(
  backup: StoredBackup,
  request: DrillRequest,
  {
    target,
    scratch,
    mountPoint,
  }: { readonly target: NodeTarget; readonly scratch: string; readonly mountPoint: string },
): Promise<readonly string[]> {
  const { host } = target;
  const { identities, signal, probe } = request;
  const places = backup.manifest.archives.map(
    ({ volume, tool }): NodePlace =>
      tool === 'tar'
        ? { volume, directory: `${scratch}/${volume}`, mountPoint }
        : { volume, file: `${scratch}/${volume}`, mountPoint },
  );
  const timeoutSeconds = request.timeoutSeconds ?? 86_400;
  await restoreToNode(backup, target, places, { identities, signal, timeoutSeconds });
  if (request.level !== 'application' || probe === undefined) return [];
  const [program, ...args] = probe.argv;
  const run = changes(program, ...args, scratch);
  const outcome = await host.run({ steps: [{ id: 'probe', run, timeoutSeconds: probe.timeoutSeconds }] }, { signal });
  signal?.throwIfAborted();
  const [step] = outcome.steps;
  if (step?.kind === 'ended' && step.exitCode === 0) return [];
  if (step?.kind === 'timed-out') return [`${program} did not end within its deadline`];
  if (step?.kind === 'ended') return [`${program} ended with ${step.exitCode}: ${step.stderr.trim().slice(-300)}`];
  // A link that was lost says nothing of the backup.
  const why = outcome.kind === 'unknown' ? outcome.reason : outcome.kind;
  throw new RestoreError('RESTORE_NODE_FAILED', `${host.name}: it is not known what ${program} found: ${why}`, {
    remedy: 'Drill again when the node can be reached.',
  });
}

/**
 * Everything that stands on the disk now against the catalogue, file by file; raw volumes by size and digest. Who is not root
 * gives himself the right to read what was archived without it.
 */
async function compareVolume(
  backup: StoredBackup,
  { volume, path }: RestoredVolume,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const record = backup.manifest.archives.find((each) => each.volume === volume);
  if (record === undefined) return [];
  if (record.catalogue === null) {
    return (await digestOf(path, signal)) === record.sha256 ? [] : [`${volume}: the image is not what was archived`];
  }
  const different: string[] = [];
  for await (const entry of entriesOf(backup, record)) {
    if (isNote(entry)) continue;
    const difference = await compareEntry(path, entry, signal);
    if (difference !== undefined) different.push(`${volume}: ${displayName(entry.path)}: ${difference}`);
  }
  return different.length > 20 ? [...different.slice(0, 20), `${volume}: ${different.length - 20} more`] : different;
}

async function compareEntry(
  root: string,
  entry: CatalogueEntry,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  signal?.throwIfAborted();
  const file = Buffer.concat([Buffer.from(`${root}/`), nameBytes(entry.path)]);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return 'is not there';
  switch (entry.type) {
    case 'directory':
      if (!found.isDirectory()) return 'is no directory';
      // Entries of it follow, which an owner without this right could not look at.
      if ((found.mode & 0o100) === 0) await chmod(file, found.mode | 0o100);
      return undefined;
    case 'symlink':
      return found.isSymbolicLink() && (await readlink(file, 'buffer')).equals(nameBytes(entry.link ?? ''))
        ? undefined
        : 'is not the link that it was';
    case 'hardlink':
      return found.nlink > 1 || found.isSymbolicLink() ? undefined : 'is no further name of a file';
    default:
      if (!found.isFile()) return `is no ${entry.type}`;
      if (found.size !== entry.size) return `has ${found.size} bytes, not ${entry.size}`;
      if ((found.mode & 0o400) === 0) await chmod(file, found.mode | 0o400);
      return (await digestOf(file, signal)) === entry.sha256 ? undefined : 'has other content';
  }
}

async function digestOf(file: string | Buffer, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
