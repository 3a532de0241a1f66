import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, SplitmirrorError } from '@splitmirror/host';
import { BackupError } from '../errors.ts';
import { guideOf, sumsName, sumsOf } from '../plan/guide.ts';
import { type Journal, openJournal } from '../run/journal.ts';
import type { Sink } from '../run/sink.ts';
import { accessTo, nearestDirectory, type StoreAccess, type StorePlace } from './access.ts';
import { storeError, syncDirectory, toldAs, writeDurably } from './durable.ts';
import { keepExposure } from './exposure.ts';
import { type ArchiveRecord, type Manifest, manifestSchema } from './manifest.ts';
import { directoryNameOf, directoryOf, type Named, named } from './names.ts';
import { addRecord, type BackupRecord, readRecords } from './records.ts';
import { beginRecovery, type StoredRecovery } from './recoveries.ts';
import { directoryVault, type Vault } from './vault.ts';

/**
 * A directory of backups: `<root>/<group>/<time>-<run>/` holds the archives, unless they lie in a repository, their
 * catalogues, the journal, a README.txt and, written last, `manifest.json`. While a run goes on its directory ends in
 * `.incomplete`, and while it is removed in `.expired`: nothing in either counts, nor in `.beginning-<run>`, which is there for
 * a moment before.
 */
export interface Store {
  readonly root: string;
  /** Where the archives lie, for a person: the root itself, or the name of the vault that takes them. */
  readonly archivesIn: string;
  /**
   * Whether it can be used so now: to write, for archives too, wherever these lie. Makes nothing. Everything else here asks
   * that for itself, so that a store which cannot be used is in the way of nobody who does not use it.
   *
   * @throws BackupError `STORE_UNUSABLE`
   */
  require(access: StoreAccess): Promise<void>;
  /**
   * Whether its directory is there: a mistyped path, or a file system that is not mounted, reads like a store without backups.
   *
   * @throws BackupError `STORE_UNUSABLE`
   */
  exists(): Promise<boolean>;
  /** Bytes of archives that can still be written; `Infinity` where that cannot be told. */
  freeBytes(): Promise<number>;
  /**
   * Makes the directory of a run. All names that a run makes hold its id, so that a plan is good for one run: of two that begin
   * it at once, the first does.
   *
   * @throws BackupError `PLAN_OUTDATED` for a run that was begun already.
   */
  begin(group: string, run: string, createdAt: string): Promise<StoredRun>;
  /** Makes the directory of a recovery's record. See `listRecoveries`. */
  beginRecovery(group: string, run: string, createdAt: string): Promise<StoredRecovery>;
  /**
   * Complete backups of a group, oldest first.
   *
   * @throws BackupError `BACKUP_DAMAGED` when one cannot be read; {@link Store.survey} tells of the others all the same.
   */
  list(group: string): Promise<StoredBackup[]>;
  /**
   * One complete backup by run id, or the newest one.
   *
   * @throws BackupError `BACKUP_UNKNOWN`; `BACKUP_DAMAGED` when it is this one that cannot be read.
   */
  find(group: string, run?: string): Promise<StoredBackup>;
  /** Everything that stands there of a group, readable or not. */
  survey(group: string): Promise<StoreSurvey>;
  /** Adds to what is recorded of a backup: a drill, a person's judgement. */
  record(backup: StoredBackup, record: BackupRecord): Promise<void>;
  /**
   * Removes directories of a group, complete or not: each loses its name first, so that a crash leaves nothing that looks
   * like a backup, then its archives in a repository, then its files. Also removes what an earlier removal has left. What
   * is no directory of a run of this group is left alone.
   */
  remove(group: string, directories: readonly string[]): Promise<void>;
}

/** The directory of a run that is going on. */
export interface StoredRun {
  readonly directory: string;
  /** When the run began (UTC, ISO 8601): its plan may be older. */
  readonly createdAt: string;
  readonly journal: Journal;
  /** Takes an archive, wherever the store keeps them. */
  openArchive(file: string): Promise<Sink>;
  /** Writes the manifest, makes all of it durable and gives the directory its final name, which is returned. */
  commit(manifest: Manifest): Promise<string>;
  /** Removes the directory of a run that changed nothing. */
  forget(): Promise<void>;
}

/** A complete backup. */
export interface StoredBackup {
  readonly directory: string;
  readonly manifest: Manifest;
  /** What became of it since, oldest first. */
  readonly records: readonly BackupRecord[];
  /** An archive's bytes as they are stored: compressed and encrypted, where they are. An abort ends them with an error. */
  read(record: ArchiveRecord, signal?: AbortSignal): AsyncIterable<Buffer>;
}

/** What stands in a store of one group, oldest first. */
export interface StoreSurvey {
  readonly backups: readonly StoredBackup[];
  /** Complete by name, and not readable. */
  readonly damaged: readonly {
    readonly directory: string;
    readonly run: string;
    readonly createdAt: string;
    readonly error: BackupError;
  }[];
  /** Runs that did not finish, or still go on. */
  readonly incomplete: readonly { readonly directory: string; readonly run: string; readonly createdAt: string }[];
}

/**
 * A directory as a store. Nothing is looked at and nothing is made before something is asked of it: what reads needs a store
 * that can be read, and what writes makes the directory where it is not there.
 *
 * @param vault Where the archives go; beside their manifests when not given. See `resticVault`.
 * @throws RangeError for a patience that no timer keeps.
 */
export function openStore(root: string, vault: Vault = directoryVault(root), place: StorePlace = {}): Store {
  const accessible = accessTo(root, place);
  /** Work on a store that can be used so. */
  const within = <T>(wanted: StoreAccess, work: () => Promise<T>, place = root): Promise<T> =>
    usable(place, async () => {
      await accessible(wanted);
      return work();
    });
  const exists = () => within('read', async () => (await nearestDirectory(root)) === root);
  const directoriesOf = async (group: string): Promise<Named[]> => {
    const parent = directoryOf(root, group);
    const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw storeError(parent, error);
    });
    return names.sort().flatMap((name) => named(parent, name) ?? []);
  };
  /** Makes the directory of a run, whoever else tries: while it has no name yet, that of its claim is taken. */
  const once = async <T>(group: string, run: string, directory: string, fill: (claim: string) => Promise<T>) => {
    const begun = new BackupError('PLAN_OUTDATED', `plan ${run} of ${group} was begun already`, {
      remedy: 'Make a new plan.',
    });
    const claim = join(directoryOf(root, group), `.beginning-${run}`);
    await mkdir(claim, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? begun : error;
    });
    try {
      if ((await directoriesOf(group)).some((other) => other.run === run)) throw begun;
      const filled = await fill(claim);
      await rename(claim, directory);
      return filled;
    } catch (error) {
      await rm(claim, { recursive: true, force: true });
      throw error;
    }
  };
  const survey = async (group: string): Promise<StoreSurvey> => {
    await accessible('read');
    const all = await directoriesOf(group);
    const read = await Promise.all(
      all
        .filter(({ suffix }) => suffix === '')
        .map(({ directory, run, createdAt }) =>
          readBackup(directory, run, vault).catch((error: BackupError) => ({ directory, run, createdAt, error })),
        ),
    );
    return {
      backups: read.filter((each) => 'manifest' in each),
      damaged: read.filter((each) => 'error' in each),
      incomplete: all
        .filter(({ suffix }) => suffix === '.incomplete')
        .map(({ directory, run, createdAt }) => ({ directory, run, createdAt })),
    };
  };
  const list = async (group: string): Promise<StoredBackup[]> => {
    const { backups, damaged } = await survey(group);
    if (damaged[0] !== undefined) throw damaged[0].error;
    return [...backups];
  };

  return {
    root,
    archivesIn: vault.name,
    require: (wanted) =>
      within(wanted, async () => {
        if (wanted === 'write') await vault.freeBytes();
      }),
    freeBytes: () => within('read', () => vault.freeBytes()),
    begin: (group, run, createdAt) =>
      within('write', async () => {
        const parent = directoryOf(root, group);
        const final = join(parent, directoryNameOf(createdAt, run));
        const directory = `${final}.incomplete`;
        await makeDirectory(parent);
        const journal = await once(group, run, directory, (claim) => openJournal(join(claim, 'journal.ndjson')));
        // What the journal has on the disk is worth nothing as long as its name is not.
        for (const each of [parent, root]) await syncDirectory(each);
        const place = { directory, group, run, createdAt };
        return {
          directory,
          createdAt,
          journal,
          openArchive: (file) => usable(directory, () => inVault(vault, () => vault.openSink(place, file))),
          commit: (manifest) =>
            usable(directory, async () => {
              await writeSelfDescription(directory, manifest);
              await inVault(vault, () => vault.seal(place));
              await rename(directory, final);
              await syncDirectory(parent);
              return final;
            }),
          forget: () => rm(directory, { recursive: true, force: true }),
        };
      }),
    beginRecovery: (group, run, createdAt) =>
      within('write', () => beginRecovery(directoryOf(root, group), directoryNameOf(createdAt, run))),
    exists,
    list,
    survey,
    async find(group, run) {
      const { backups, damaged } = await survey(group);
      const isMeant = (each: { readonly run: string }) => run === undefined || each.run === run;
      const found = backups.findLast(({ manifest }) => isMeant(manifest));
      const broken = damaged.findLast(isMeant);
      // A damaged one is in nobody's way, unless it is the one that is meant.
      if (broken !== undefined && (found === undefined || found.directory < broken.directory)) throw broken.error;
      if (found !== undefined) return found;
      const isThere = await exists();
      const sought = `${root} holds no complete backup ${run ?? ''} of ${group}`.replace('  ', ' ');
      throw new BackupError('BACKUP_UNKNOWN', isThere ? sought : `${sought}: the directory does not exist`, {
        remedy: isThere
          ? 'List the backups of the group; a directory that ends in .incomplete belongs to a run that did not finish.'
          : `Mount the file system of the store, or correct its path.${vault.name === root ? '' : lostStore}`,
      });
    },
    record: (backup, record) => within('write', () => addRecord(backup.directory, record), backup.directory),
    remove: (group, directories) =>
      within('write', async () => {
        const parent = directoryOf(root, group);
        const ours = new Set((await directoriesOf(group)).map(({ directory }) => directory));
        for (const directory of directories.filter((each) => ours.has(each))) {
          await keepExposure(parent, directory);
          await rename(directory, `${directory.replace(/\.incomplete$/, '')}.expired`).catch(unlessGone);
        }
        const expired = (await directoriesOf(group)).filter(({ suffix }) => suffix === '.expired');
        if (expired.length === 0) return;
        await syncDirectory(parent);
        await vault.forget(expired.map(({ directory, run, createdAt }) => ({ directory, group, run, createdAt })));
        for (const { directory } of expired) await rm(directory, { recursive: true, force: true });
        await syncDirectory(parent);
      }),
  };
}

/** Archives that lie elsewhere may have outlived the store. */
const lostStore = ' When it is lost, run: splitmirror adopt';

/** Everything beside the archives and the journal, the manifest last. */
async function writeSelfDescription(directory: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`;
  const guide = guideOf(manifest);
  const sums = [
    { file: 'README.txt', sha256: digestOf(guide) },
    { file: 'manifest.json', sha256: digestOf(text) },
  ];
  for (const { catalogue } of manifest.archives) {
    if (catalogue !== null) sums.push({ file: catalogue, sha256: await digestOfFile(join(directory, catalogue)) });
  }
  await writeDurably(join(directory, 'README.txt'), guide);
  await writeDurably(join(directory, sumsName), sumsOf(manifest, sums));
  await writeDurably(join(directory, 'manifest.json'), text);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function readBackup(directory: string, run: string, vault: Vault): Promise<StoredBackup> {
  const file = join(directory, 'manifest.json');
  const damaged = (what: string) => (cause: unknown) => {
    throw new BackupError('BACKUP_DAMAGED', `${what} cannot be read`, {
      remedy: 'Restore the file from a copy of the store, or move the directory out of it.',
      cause,
    });
  };
  const manifest = await readFile(file, 'utf8')
    .then((text) => manifestSchema.parse(JSON.parse(text)))
    .then((read) => {
      if (read.run !== run) throw new Error(`it is the manifest of run ${read.run}`);
      return read;
    })
    .catch(damaged(`${file}, the manifest of a backup,`));
  const records = await readRecords(directory).catch(damaged(`${directory}/records.ndjson`));
  return { directory, manifest, records, read: (record, signal) => vault.read(directory, record, signal) };
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** What fails in a vault is told by its name: the directory is not to blame. */
function inVault<T>({ name }: Vault, work: () => Promise<T>): Promise<T> {
  return toldAs(`${name} cannot be used`, `See to ${name}.`, work);
}

async function usable<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw SplitmirrorError.is(error) ? error : storeError(root, error);
  }
}
