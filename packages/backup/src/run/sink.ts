import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../store/durable.ts';

/** Bytes gathered before they are written: single small writes cost a third of the speed. */
const batchBytes = 1 << 20;

/** A file that appears under its name only when it is complete and on the disk. */
export interface Sink {
  write(chunk: Buffer): Promise<void>;
  /** Makes the bytes durable and gives the file its name; tells the snapshot where a repository has taken it. */
  finish(): Promise<{ readonly snapshot: string | null }>;
  /** Lets go of what was written: it stays partial, or leaves nothing. */
  abandon(): Promise<void>;
  /** Ends a write that waits for a program which hangs. The sink is of no use afterwards, but to be abandoned. */
  interrupt(): void;
}

/** Opens `<file>.partial` for writing. */
export async function openSink(file: string): Promise<Sink> {
  const partial = `${file}.partial`;
  const handle: FileHandle = await open(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  let pending: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    const batch = pending;
    let left = size;
    pending = [];
    size = 0;
    while (left > 0) {
      const { bytesWritten } = await handle.writev(batch);
      left -= bytesWritten;
      dropFront(batch, bytesWritten);
    }
  };
  return {
    async write(chunk) {
      pending.push(chunk);
      size += chunk.length;
      if (size >= batchBytes) await flush();
    },
    async finish() {
      await flush();
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
