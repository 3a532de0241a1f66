/**
 * Looks at `count` bytes from `at` on, the first of which has the stream offset `offset`. Returns how many of them it
 * used; or, when that is more than it was given, how many it wants to see from the same start.
 */
type Look = (bytes: Buffer, at: number, offset: number, count: number) => number;

/** Cuts a stream that comes in chunks of any size into the pieces that a reader asks for. */
export interface Frames {
  /** What comes next is a piece of `count` bytes, shown whole. */
  gather(count: number, look: Look): void;
  /** What comes next are `count` bytes that are handed on as they come, if anybody wants them; `then` asks for more. */
  pass(count: number, piece: ((chunk: Buffer, start: number, end: number) => void) | undefined, then: () => void): void;
  push(chunk: Buffer): void;
  /** Bytes that were pushed and not used. */
  pending(): number;
  /** Bytes that were pushed. */
  bytes(): number;
}

/** The first thing to ask for is asked by the caller, before the first `push`. */
export function createFrames(): Frames {
  let base = 0;
  let need = 0;
  let look: Look = () => 0;
  let left = -1;
  let piece: ((chunk: Buffer, start: number, end: number) => void) | undefined;
  let then: () => void = () => {};
  /** Bytes that came in earlier chunks and are not used yet. */
  let carried = Buffer.alloc(4096);
  let held = 0;

  /** Uses bytes of `source` from `at` to `end` as far as possible; returns where it stopped. */
  function drain(source: Buffer, at: number, end: number, offset: number): number {
    let from = at;
    for (;;) {
      if (left >= 0) {
        const stop = Math.min(end, from + left);
        if (piece !== undefined && stop > from) piece(source, from, stop);
        left -= stop - from;
        from = stop;
        if (left > 0) return from;
        left = -1;
        then();
      } else if (end - from < need) {
        return from;
      } else {
        const count = need;
        const used = look(source, from, offset + from - at, count);
        if (used > count) need = used;
        else from += used;
      }
    }
  }

  function hold(chunk: Buffer, start: number, end: number): void {
    if (held + end - start > carried.length) {
      const larger = Buffer.alloc(Math.max(2 * carried.length, held + end - start, need));
      carried.copy(larger, 0, 0, held);
      carried = larger;
    }
    held += chunk.copy(carried, held, start, end);
  }

  return {
    gather(count, next) {
      need = count;
      look = next;
    },
    pass(count, to, next) {
      left = count;
      piece = to;
      then = next;
    },
    push(chunk) {
      let at = 0;
      while (held > 0 && at < chunk.length) {
        const some = Math.min(Math.max(need - held, 1), chunk.length - at);
        hold(chunk, at, at + some);
        at += some;
        const used = drain(carried, 0, held, base + at - held);
        if (used > 0) carried.copyWithin(0, used, held);
        held -= used;
      }
      if (held === 0) {
        at = drain(chunk, at, chunk.length, base + at);
        hold(chunk, at, chunk.length);
      }
      base += chunk.length;
    },
    pending: () => held + Math.max(left, 0),
    bytes: () => base,
  };
}
