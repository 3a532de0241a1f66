import { createReadStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { openSink, type Sink } from '../run/sink.ts';
import { nearestDirectory } from './access.ts';
import type { ArchiveRecord } from './manifest.ts';

/** A run whose archives are being stored, or removed. */
export interface RunPlace {
  /** Directory of the run in the store. */
  readonly directory: string;
  readonly group: string;
  readonly run: string;
  /** UTC, ISO 8601; of a run that is removed, to the second. */
  readonly createdAt: string;
}

/**
 * Where the bytes of archives lie. Journals, catalogues and manifests always lie in the store's own directory: what a
 * backup is, is told there alone.
 *
 * What is asked of it while the mirror is split, `openSink` and the sink, is waited for no longer than the run may wait. All
 * else has to end by itself, and errors say what is wrong in words for a person.
 */
export interface Vault {
  /** For a person, and never with a secret in it. */
  readonly name: string;
  /** Bytes that can still be written; `Infinity` where that cannot be told. */
  freeBytes(): Promise<number>;
  /** Takes one file of a run. */
  openSink(place: RunPlace, file: string): Promise<Sink>;
  /** Called when all files of a run stand in its directory, the manifest among them, and before the backup counts. */
  seal(place: RunPlace): Promise<void>;
  /** An archive's bytes as they are stored; an abort ends them with an error. */
  read(directory: string, record: ArchiveRecord, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Gives up what it holds of these runs, and of no others; what is gone already is no error. */
  forget(runs: readonly RunPlace[]): Promise<void>;
}

/** Archives beside their manifests. */
export function directoryVault(root: string): Vault {
  return {
    name: root,
    async freeBytes() {
      const { bavail, bsize } = await statfs(await nearestDirectory(root));
      return bavail * bsize;
    },
    openSink: ({ directory }, file) => openSink(join(directory, file)),
    async seal() {},
    read: (directory, { file }, signal) =>
      createReadStream(join(directory, file), { highWaterMark: 1 << 20, ...(signal === undefined ? {} : { signal }) }),
    // They go with the directory.
    async forget() {},
  };
}

/**
 * A vault that is opened when its bytes are first asked for: whoever reads manifests alone needs no repository.
 *
 * @param open Called once, and again after it has failed: a service must not go without its repository until its end.
 */
export function vaultOnDemand(name: string, open: () => Promise<Vault>): Vault {
  let opening: Promise<Vault> | undefined;
  const vault = () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    name,
    freeBytes: async () => (await vault()).freeBytes(),
    openSink: async (...given) => (await vault()).openSink(...given),
    seal: async (place) => (await vault()).seal(place),
    async *read(...given) {
      yield* (await vault()).read(...given);
    },
    forget: async (runs) => (await vault()).forget(runs),
  };
}
