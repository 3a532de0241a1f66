/** One thing found in a stream that holds marks: what a command wrote, or a mark of ours. */
export type Marked = { readonly kind: 'text'; readonly bytes: Buffer } | { readonly kind: 'mark'; readonly words: readonly string[] };

/**
 * Splits a byte stream at the marks that carry a nonce. Text comes out as soon as it cannot be the start of a mark; at
 * most one mark's length is held back, so memory stays bounded whatever a command writes.
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
    for (;;) {
      const at = data.indexOf(this.#lead);
      if (at === -1) break;
      const end = data.indexOf(0x0a, at + this.#lead.length);
      if (end === -1) {
        if (at > 0) found.push({ kind: 'text', bytes: data.subarray(0, at) });
        this.#held = Buffer.from(data.subarray(at));
        return found;
      }
      if (at > 0) found.push({ kind: 'text', bytes: data.subarray(0, at) });
      found.push({ kind: 'mark', words: data.toString('latin1', at + this.#lead.length, end).split(' ') });
      data = data.subarray(end + 1);
    }
    const keep = Math.min(data.length, this.#lead.length - 1);
    if (data.length > keep) found.push({ kind: 'text', bytes: data.subarray(0, data.length - keep) });
    this.#held = Buffer.from(data.subarray(data.length - keep));
    return found;
  }

  /** What is left when the stream has ended. */
  end(): Marked[] {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest.length > 0 ? [{ kind: 'text', bytes: rest }] : [];
  }
}
