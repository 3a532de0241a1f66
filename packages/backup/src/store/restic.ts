import { readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '@splitmirror/host';
import { z } from 'zod';
import { BackupError } from '../errors.ts';
import type { Sink } from '../run/sink.ts';
import { isSystemError, storeError, syncDirectory, syncFile } from './durable.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import { directoryNameOf, directoryOf, named } from './names.ts';
import { recordsName } from './records.ts';
import { openRestic, type Restic, ResticError, type ResticOptions } from './restic-program.ts';
import type { RunPlace, Vault } from './vault.ts';

/** What `restic snapshots --json` says of one, as far as it counts here. */
const snapshotsSchema = z.array(
  z.object({
    id: z.string().regex(/^[0-9a-f]{64}$/),
    time: z.string(),
    hostname: z.string().nullish(),
    tags: z.array(z.string()).nullish(),
    paths: z.array(z.string()),
  }),
);

type Snapshot = z.infer<typeof snapshotsSchema>[number];

/**
 * Archives in a restic repository: encrypted, deduplicated, on any of its backends. Each archive is a snapshot of one file;
 * what lies beside the manifest becomes a last snapshot, tagged `manifest`, from which {@link adoptBackups} brings a lost
 * store back. A snapshot that no manifest names is a part of nothing.
 *
 * @throws ResticError when the repository cannot be opened; RangeError when a reference leads to nothing, and for
 * `timeoutSeconds` that no timer keeps.
 */
export async function resticVault(options: ResticOptions): Promise<Vault> {
  const restic = await openRestic(options);
  await restic.run(['cat', 'config', '--quiet']);
  return {
    name: 'the restic repository',
    freeBytes: () => freeBytesOf(restic.repository),
    openSink: async (place, file) => openResticSink(restic, place, file),
    async seal(place) {
      const files = (await readdir(place.directory)).sort();
      await restic.run(['backup', '--quiet', ...taggedAs(place, 'manifest'), '--', ...files], { cwd: place.directory });
    },
    read: (_, record, signal) => dump(restic, record.snapshot ?? '', record.file, signal),
    async forget(runs) {
      const listed = await listSnapshots(restic, ['--host', hostName, '--tag', 'splitmirror']);
      const ids = listed.filter((snapshot) => runs.some((place) => isOf(place, snapshot))).map(({ id }) => id);
      for (let at = 0; at < ids.length; at += 100) await restic.run(['forget', '--quiet', ...ids.slice(at, at + 100)]);
      // Also when nothing is left to forget: an earlier one may have been killed before it came here.
      await restic.run(['prune', '--quiet']);
    },
  };
}

/** What came of bringing back what a store knew. */
export interface Adoption {
  /** Backups that the store has again. */
  readonly adopted: readonly (Pick<Manifest, 'group' | 'run' | 'createdAt'> & { readonly directory: string })[];
  /** `BACKUP_DAMAGED` for each snapshot that calls itself one of ours and holds something else. */
  readonly refused: readonly BackupError[];
}

/**
 * Brings back what a store knew of the backups in a repository: manifests, catalogues, journals, not the archives. What
 * stands there already is left as it is, and one that was cut off is begun again. Records of drills and judgements live in
 * the store alone.
 *
 * @throws ResticError when the repository cannot be used; BackupError `STORE_FULL`, `STORE_UNUSABLE`; RangeError when a
 * reference leads to nothing.
 */
export async function adoptBackups(root: string, options: ResticOptions): Promise<Adoption> {
  const restic = await openRestic(options);
  const adopted: Adoption['adopted'][number][] = [];
  const refused: BackupError[] = [];
  for (const snapshot of await listSnapshots(restic, ['--tag', 'splitmirror,manifest'])) {
    try {
      const manifest = await adoptSnapshot(restic, root, snapshot);
      if (manifest !== null) adopted.push(manifest);
    } catch (error) {
      // One that somebody else has made is in the way of no other.
      if (error instanceof BackupError && error.code === 'BACKUP_DAMAGED') refused.push(error);
      else throw isSystemError(error) ? storeError(root, error) : error;
    }
  }
  return { adopted, refused };
}

/** The backup that a snapshot tells of, in the store; `null` where the store knows its run, or it tells of none. */
async function adoptSnapshot(
  restic: Restic,
  root: string,
  { id, tags }: Snapshot,
): Promise<Adoption['adopted'][number] | null> {
  const run = tagged(tags, 'run:');
  const group = tagged(tags, 'group:');
  // Whoever can write to the repository must not choose where files go here.
  if (run === undefined || group === undefined || /[/\0]|^\.+$/.test(group)) return null;
  if (named(root, directoryNameOf('20000101T000000Z', run)) === undefined) return null;
  const parent = directoryOf(root, group);
  await makeDirectory(parent);
  if ((await readdir(parent)).some((name) => named(parent, name)?.run === run)) return null;
  const arriving = join(parent, `.adopting-${run}`);
  try {
    await rm(arriving, { recursive: true, force: true });
    await restic.run(['restore', '--quiet', id, '--target', arriving]);
    await requireFiles(arriving, id);
    const { createdAt, ...manifest } = await manifestIn(arriving, id);
    const directory = named(parent, directoryNameOf(createdAt, run))?.directory;
    if (manifest.run !== run || manifest.group !== group || directory === undefined) throw notOurs(id);
    for (const file of await readdir(arriving)) await syncFile(join(arriving, file));
    await syncDirectory(arriving);
    await rename(arriving, directory);
    await syncDirectory(parent);
    await syncDirectory(root);
    return { group, run, createdAt, directory };
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

async function manifestIn(directory: string, id: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')));
  } catch {
    throw notOurs(id, 'no manifest that can be read');
  }
}

/** Plain files alone: a link would have something read or written elsewhere. */
async function requireFiles(directory: string, id: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  const odd = entries.find((entry) => !entry.isFile() || entry.name === recordsName);
  if (odd !== undefined) throw notOurs(id, `${odd.name}, which no run has stored there`);
}

function notOurs(id: string, what = 'the manifest of another run'): BackupError {
  const short = id.slice(0, 8);
  return new BackupError('BACKUP_DAMAGED', `snapshot ${short} holds ${what}`, {
    remedy: `Look who has written to the repository; when it is of no use: restic forget ${short}`,
  });
}

/** Seconds that it has to clean up before it is killed. */
const graceSeconds = 10;

/** Feeds one file. It becomes a snapshot only at `finish`: restic takes any end of its input for a good one. */
function openResticSink(restic: Restic, place: RunPlace, file: string): Sink {
  const args = ['backup', '--json', '--quiet', ...taggedAs(place, 'archive'), '--stdin', '--stdin-filename', file];
  const child = restic.start(args, { reads: false });
  const interrupted = new AbortController();
  let over = false;
  /** Somebody has emptied a chunk under our hands. */
  let isTorn = false;
  let resume = () => {};
  const wake = () => resume();
  void child.ended.then(() => {
    over = true;
    wake();
  });
  child.stdin.on('drain', wake).on('error', wake);
  // One promise for each pause: racing `ended` would leave something behind in it for every chunk of the archive.
  const drained = () =>
    new Promise<void>((resolve) => {
      resume = resolve;
      if (over || !child.stdin.writable) resolve();
    });
  const requireAlive = async () => {
    if (isTorn) throw new ResticError('RESTIC_FAILED', `bytes of ${file} were gone before restic had them`);
    if (!over) return;
    const ended = await child.ended;
    throw restic.failure(ended) ?? new ResticError('RESTIC_FAILED', 'restic: it ended before its input did');
  };
  return {
    async write(chunk, release) {
      const { length } = chunk;
      await requireAlive();
      const isAtOnce = child.stdin.write(chunk, (error) => {
        if (error) return;
        isTorn ||= chunk.length !== length;
        // One that was emptied while it waited would be waited for.
        if (isTorn) wake();
        else release?.();
      });
      if (!isAtOnce) await drained();
      await requireAlive();
    },
    async finish() {
      // Behind all that was written.
      await new Promise((resolve) => child.stdin.write('', resolve));
      await requireAlive();
      child.stdin.end();
      const ended = await restic.endOf(child);
      const failed = restic.failure(ended);
      if (failed !== undefined) throw failed;
      const short = /"snapshot_id":"([0-9a-f]+)"/.exec(ended.stdout)?.[1];
      // Asked of the repository, not believed: and its whole name, which stays the only one.
      const [snapshot, ...others] = short === undefined ? [] : await listSnapshots(restic, [short], interrupted.signal);
      if (snapshot === undefined || others.length > 0 || tagged(snapshot.tags, 'run:') !== place.run) {
        throw new ResticError('RESTIC_FAILED', `restic: the repository does not show the snapshot of ${file}`);
      }
      return { snapshot: snapshot.id };
    },
    interrupt() {
      child.kill('SIGKILL');
      interrupted.abort();
    },
    async abandon() {
      // Its input stays open: at the end of it restic would make a snapshot of a part.
      child.kill('SIGINT');
      const killer = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000);
      await child.ended;
      clearTimeout(killer);
    },
  };
}

async function* dump(
  restic: Restic,
  snapshot: string,
  file: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const child = restic.start(['dump', snapshot, file], { reads: true });
  child.stdin.end();
  // One that hangs would never come to the next chunk.
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  let read = false;
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    read = true;
  } finally {
    signal?.removeEventListener('abort', kill);
    if (!read) kill();
  }
  const ended = await child.ended;
  signal?.throwIfAborted();
  const failed = restic.failure(ended);
  if (failed === undefined) return;
  if (!/no matching ID|not found in snapshot|no snapshot found/i.test(ended.stderr)) throw failed;
  throw new BackupError('BACKUP_DAMAGED', `the repository does not have ${file} of snapshot ${snapshot.slice(0, 8)}`, {
    remedy: 'Use another backup; this snapshot was removed from the repository.',
    cause: failed,
  });
}

async function listSnapshots(restic: Restic, filter: readonly string[], signal?: AbortSignal): Promise<Snapshot[]> {
  const text = await restic.run(['snapshots', '--json', ...filter], { signal });
  return snapshotsSchema.parse(JSON.parse(text) ?? []);
}

/** What snapshots have as their host: which controller made them is of no account. */
const hostName = 'splitmirror';

function tagsOf({ group, run }: RunPlace, role: 'archive' | 'manifest'): string[] {
  return ['splitmirror', role, `group:${group}`, `run:${run}`];
}

function taggedAs(place: RunPlace, role: 'archive' | 'manifest'): string[] {
  const time = place.createdAt.slice(0, 19).replace('T', ' ');
  return ['--host', hostName, '--time', time, ...tagsOf(place, role).flatMap((tag) => ['--tag', tag])];
}

/**
 * Whether a snapshot is what this run has stored: by host, time, all tags and no others, and by what is in it. A run id alone
 * could be another controller's, or a tag that a person gave to keep something.
 */
function isOf(place: RunPlace, { hostname, time, tags, paths }: Snapshot): boolean {
  const seconds = (text: string) => Math.floor(Date.parse(text) / 1000);
  if (hostname !== hostName || seconds(time) !== seconds(place.createdAt)) return false;
  const has = (role: 'archive' | 'manifest') =>
    [...(tags ?? [])].sort().join('\n') === tagsOf(place, role).sort().join('\n');
  const directory = `/${directoryNameOf(place.createdAt, place.run)}.incomplete/`;
  const isBeside = (path: string) => path.slice(0, path.lastIndexOf('/') + 1).endsWith(directory);
  return has('archive')
    ? paths.length === 1 && paths.every((path) => path.lastIndexOf('/') === 0)
    : has('manifest') && paths.length > 0 && paths.every(isBeside);
}

function tagged(tags: readonly string[] | null | undefined, prefix: string): string | undefined {
  return tags?.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
}

/** Only a repository in a directory of this machine tells its room. */
async function freeBytesOf(repository: string): Promise<number> {
  const path = repository.replace(/^local:/, '');
  if (/^[a-z0-9]+:/i.test(path)) return Number.POSITIVE_INFINITY;
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
