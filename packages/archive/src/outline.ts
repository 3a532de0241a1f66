import type { Hash } from 'node:crypto';

/** Bytes that are hashed at once: a call into the hash costs as much as some hundred bytes. */
const bufferBytes = 65_536;

/** Feeds a hash with a stream in which the content of each file is replaced by its digest. */
export interface Outline {
  /** The next chunk of the stream. */
  open(chunk: Buffer): void;
  /** The bytes from `start` to `end` of the open chunk are content. */
  replace(start: number, end: number): void;
  /** The content that was replaced is complete, and has this digest. */
  insert(digest: string): void;
  /** All content of the chunk was told. */
  close(): void;
  end(): void;
}

export function createOutline(hash: Hash): Outline {
  const buffer = Buffer.alloc(bufferBytes);
  let filled = 0;
  let chunk: Buffer = buffer;
  let at = 0;

  function flush(): void {
    hash.update(buffer.subarray(0, filled));
    filled = 0;
  }

  function add(end: number): void {
    const length = end - at;
    if (length > bufferBytes - filled) flush();
    if (length > bufferBytes) hash.update(chunk.subarray(at, end));
    else filled += chunk.copy(buffer, filled, at, end);
  }

  return {
    open(next) {
      chunk = next;
      at = 0;
    },
    replace(start, end) {
      add(start);
      at = end;
    },
    insert(digest) {
      if (digest.length > bufferBytes - filled) flush();
      filled += buffer.write(digest, filled, 'latin1');
    },
    close: () => add(chunk.length),
    end: flush,
  };
}
