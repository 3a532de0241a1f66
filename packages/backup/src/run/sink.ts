import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../store/durable.ts';

/** Bytes gathered before they are written: single small writes cost a third of the speed, large batches the caches. */
const batchBytes = 256 << 10;
/** Bytes after which the disk is asked to begin, so that little is left to wait for at the end. */
const writeBackBytes = 64 << 20;
/**
 * One file at a time, in the whole process: Node.js has four threads for files and names, and a slow disk would hold them
 * all.
 */
let isSyncing = false;

/** A file that appears under its name only when it is complete and on the disk. */
export interface Sink {
  /**
   * Takes the next bytes. They may still be read when this has settled.
   *
   * @param release Called once they are written, or never.
   */
  write(chunk: Buffer, release?: () => void): Promise<void>;
  /** Makes the bytes durable and gives the file its name; tells the snapshot where a repository has taken it. */
  finish(): Promise<{ readonly snapshot: string | null }>;
  /** Lets go of what was written: it stays partial, or leaves nothing. */
  abandon(): Promise<void>;
  /** Ends a write, or the end, that waits for a program which hangs. The sink is of no use afterwards, but to be abandoned. */
  interrupt(): void;
}

/** Opens `<file>.partial` for writing. One batch is written while the next is gathered. */
export async function openSink(file: string): Promise<Sink> {
  const partial = `${file}.partial`;
  const handle: FileHandle = await open(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  let gathered: Buffer[] = [];
  let releases: (() => void)[] = [];
  let size = 0;
  let unsynced = 0;
  let writing = Promise.resolve();
  let syncing = Promise.resolve();
  // Kept for good: the system tells a failed write-back once, and a later sync of the same bytes succeeds.
  const failures: unknown[] = [];
  const keepFailure = (error: unknown) => void failures.push(error);
  const sync = async () => {
    isSyncing = true;
    unsynced = 0;
    await handle.datasync().finally(() => {
      isSyncing = false;
    });
  };
  const put = async (batch: Buffer[], bytes: number, written: readonly (() => void)[]) => {
    for (let left = bytes; left > 0; ) {
      const { bytesWritten } = await handle.writev(batch);
      // Somebody has emptied a chunk under our hands.
      if (bytesWritten === 0) throw new Error(`${file}: ${left} bytes were gone before they could be written`);
      left -= bytesWritten;
      dropFront(batch, bytesWritten);
    }
    for (const release of written) release();
    unsynced += bytes;
    if (unsynced >= writeBackBytes && !isSyncing) syncing = sync().catch(keepFailure);
  };
  const flush = async () => {
    await writing;
    if (failures.length > 0) throw failures[0];
    writing = put(gathered, size, releases).catch(keepFailure);
    gathered = [];
    releases = [];
    size = 0;
  };
  return {
    async write(chunk, release) {
      gathered.push(chunk);
      if (release !== undefined) releases.push(release);
      size += chunk.length;
      if (size >= batchBytes) await flush();
    },
    async finish() {
      await flush();
      await writing;
      await syncing;
      if (failures.length > 0) throw failures[0];
      await handle.sync();
      await handle.close();
      await rename(partial, file);
      await syncDirectory(dirname(file));
      return { snapshot: null };
    },
    abandon: () => handle.close().catch(() => {}),
    // Nothing here waits but the system itself.
    interrupt() {},
  };
}

/** Removes what a short write has taken. */
function dropFront(buffers: Buffer[], bytes: number): void {
  let rest = bytes;
  while (rest > 0 && buffers[0] !== undefined) {
    const [first] = buffers;
    if (first.length > rest) {
      buffers[0] = first.subarray(rest);
      return;
    }
    rest -= first.length;
    buffers.shift();
  }
}
