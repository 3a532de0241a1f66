/** One thing found in a stream that holds marks: what a command wrote, or the words of a mark of ours. */
export type Marked =
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'mark'; readonly words: readonly string[] };

/** Longest mark that the shell prints, lead included; more without a line feed is no mark. */
const maxMarkBytes = 256;

/**
 * Splits a byte stream at the marks that carry a nonce. Text comes out as soon as it cannot be the start of a mark; less
 * than one mark is ever held back. The bytes handed out are views of the chunks taken in, and a chunk without any mark is
 * handed on as it is: only such a one may be disposed of.
 */
export class MarkReader {
  readonly #lead: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(nonce: string) {
    this.#lead = Buffer.from(`\n${nonce} `);
  }

  /** Takes the next bytes and returns what they complete. */
  push(chunk: Buffer): Marked[] {
    const found: Marked[] = [];
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let from = 0;
    for (;;) {
      const at = data.indexOf(this.#lead, from);
      if (at === -1) break;
      const begin = at + this.#lead.length;
      const end = data.indexOf(0x0a, begin);
      if (end === -1 && data.length - at <= maxMarkBytes) return this.#hold(found, data, at);
      if (end === -1 || end - at > maxMarkBytes) {
        from = begin;
        continue;
      }
      if (at > 0) found.push({ kind: 'text', bytes: data.subarray(0, at) });
      found.push({ kind: 'mark', words: data.toString('latin1', begin, end).split(' ') });
      data = data.subarray(end + 1);
      from = 0;
    }
    return this.#hold(found, data, this.#leadBegins(data, from));
  }

  /** What is left when the stream has ended. */
  end(): Marked[] {
    return this.#hold([], this.#held, this.#held.length);
  }

  #hold(found: Marked[], data: Buffer, at: number): Marked[] {
    if (at > 0) found.push({ kind: 'text', bytes: at === data.length ? data : data.subarray(0, at) });
    this.#held = at < data.length ? Buffer.from(data.subarray(at)) : Buffer.alloc(0);
    return found;
  }

  /** Where a lead begins that the next chunk may complete; the end of the data when there is none. */
  #leadBegins(data: Buffer, from: number): number {
    const at = data.lastIndexOf(0x0a);
    if (at < from || data.length - at >= this.#lead.length) return data.length;
    return data.subarray(at).equals(this.#lead.subarray(0, data.length - at)) ? at : data.length;
  }
}
