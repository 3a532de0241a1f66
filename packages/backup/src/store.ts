import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from './errors.ts';
import { type Journal, openJournal } from './journal.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/**
 * A directory of backups: `<root>/<group>/<time>-<run>/` holds the archives, their catalogues, the journal and, written
 * last, `manifest.json`. While a run goes on its directory ends in `.incomplete`: nothing in it counts.
 */
export interface Store {
  readonly root: string;
  /** Bytes that can still be written. */
  freeBytes(): Promise<number>;
  /** Makes the directory of a run. */
  begin(group: string, run: string, createdAt: string): Promise<StoredRun>;
  /** Complete backups of a group, oldest first. */
  list(group: string): Promise<StoredBackup[]>;
  /**
   * One complete backup by run id, or the newest one.
   *
   * @throws BackupError `BACKUP_UNKNOWN`
   */
  find(group: string, run?: string): Promise<StoredBackup>;
}

/** The directory of a run that is going on. */
interface StoredRun {
  readonly directory: string;
  readonly journal: Journal;
  /** Writes the manifest, makes all of it durable and gives the directory its final name, which is returned. */
  commit(manifest: Manifest): Promise<string>;
  /** Removes the directory of a run that changed nothing. */
  forget(): Promise<void>;
}

/** A complete backup. */
export interface StoredBackup {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Opens a directory as a store, making it when it is not there. */
export async function openStore(root: string): Promise<Store> {
  await usable(root, async () => {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  const list = async (group: string): Promise<StoredBackup[]> => {
    const parent = join(root, group);
    const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw unusable(parent, error);
    });
    const complete = names.filter((name) => /^\d{8}T\d{6}Z-[a-z][a-z0-9]{5}$/.test(name)).sort();
    return Promise.all(complete.map((name) => readBackup(join(parent, name))));
  };

  return {
    root,
    async freeBytes() {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    },
    begin: (group, run, createdAt) =>
      usable(root, async () => {
        const final = join(root, group, `${createdAt.replace(/[-:]|\.\d+/g, '')}-${run}`);
        const directory = `${final}.incomplete`;
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const journal = await openJournal(join(directory, 'journal.ndjson'));
        return {
          directory,
          journal,
          async commit(manifest) {
            const file = join(directory, 'manifest.json');
            await writeFile(`${file}.partial`, `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`, {
              mode: 0o600,
              flush: true,
            });
            await rename(`${file}.partial`, file);
            await syncDirectory(directory);
            await rename(directory, final);
            await syncDirectory(join(root, group));
            return final;
          },
          forget: () => rm(directory, { recursive: true, force: true }),
        };
      }),
    list,
    async find(group, run) {
      const all = await list(group);
      const found = run === undefined ? all.at(-1) : all.find(({ manifest }) => manifest.run === run);
      if (found !== undefined) return found;
      throw new BackupError(
        'BACKUP_UNKNOWN',
        `${root} holds no complete backup ${run ?? ''} of ${group}`.replace('  ', ' '),
        {
          remedy:
            'List the backups of the group; a directory that ends in .incomplete belongs to a run that did not finish.',
        },
      );
    },
  };
}

/** Makes the entries of a directory durable, so that a rename survives a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readBackup(directory: string): Promise<StoredBackup> {
  const file = join(directory, 'manifest.json');
  try {
    return { directory, manifest: manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))) };
  } catch (cause) {
    throw new BackupError('BACKUP_DAMAGED', `${file} cannot be read as a manifest`, {
      remedy: 'Restore the file from a copy of the store, or move the directory out of it.',
      cause,
    });
  }
}

async function usable<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BackupError ? error : unusable(root, error);
  }
}

function unusable(path: string, cause: unknown): BackupError {
  const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
  return new BackupError(
    full ? 'STORE_FULL' : 'STORE_UNUSABLE',
    `the store cannot be used: ${String((cause as Error).message)}`,
    {
      remedy: full ? 'Make room in the store.' : `Make ${path} a directory that this user can read and write.`,
      cause,
    },
  );
}
