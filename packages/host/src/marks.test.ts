import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Marked, MarkReader } from './marks.ts';

const nonce = `sm${'5a'.repeat(16)}`;

/** Reads the chunks; neighbouring pieces of text are joined, since where they are cut means nothing. */
function read(chunks: readonly Buffer[]): (string | readonly string[])[] {
  const reader = new MarkReader(nonce);
  const found: Marked[] = [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
  const joined: (string | readonly string[])[] = [];
  for (const item of found) {
    const last = joined.at(-1);
    if (item.kind === 'mark') joined.push(item.words);
    else if (typeof last === 'string') joined[joined.length - 1] = last + item.bytes.toString('latin1');
    else joined.push(item.bytes.toString('latin1'));
  }
  return joined;
}

/** Pieces of a stream that come close to marks, and marks. */
const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('\n', `\n${nonce}`, `${nonce} `, `\n${nonce.slice(0, 20)}`, `\n\n${nonce} end`).map(Buffer.from),
    fc.constantFrom('begin 17', 'start 0 5', 'end 0 0 9 timeout', 'done').map((w) => Buffer.from(`\n${nonce} ${w}\n`)),
    fc.constant(Buffer.from(`\n${nonce} ${'x'.repeat(400)}`)),
  ),
  { maxLength: 12 },
);

describe('MarkReader', () => {
  it('splits text and marks', () => {
    expect(read([Buffer.from(`a\nb\n\n${nonce} end 0 0\nc`)])).toEqual(['a\nb\n', ['end', '0', '0'], 'c']);
  });

  it('keeps a line feed that stands before a mark of its own', () => {
    expect(read([Buffer.from(`a\n\n${nonce} done\n`)])).toEqual(['a\n', ['done']]);
  });

  it('finds the same however the stream is cut', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(), { maxLength: 30 }), (parts, cuts) => {
        const whole = Buffer.concat(parts);
        const at = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        const chunks = [...at, whole.length].map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
        expect(read(chunks)).toEqual(read([whole]));
      }),
      { numRuns: 2000 },
    );
  });

  it('hands a chunk on as it is when nothing in it is a mark, and never when a part of it is held back', () => {
    const reader = new MarkReader(nonce);
    const plain = Buffer.from('a\nb');
    const [first] = reader.push(plain);
    expect(first?.kind === 'text' && first.bytes).toBe(plain);
    const held = Buffer.from(`c\n${nonce.slice(0, 5)}`);
    const marked = Buffer.from(`\n${nonce} done\nd`);
    const found = [...reader.push(held), ...reader.push(Buffer.from('e')), ...reader.push(marked)];
    const texts = found.flatMap((item) => (item.kind === 'text' ? [item.bytes] : []));
    expect(texts.map(String)).toEqual(['c', `\n${nonce.slice(0, 5)}e`, 'd']);
    for (const text of texts) expect([held, marked]).not.toContain(text);
  });

  it('loses no byte', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const whole = Buffer.concat(parts);
        const back = read([whole]).map((item) => (typeof item === 'string' ? item : `\n${nonce} ${item.join(' ')}\n`));
        expect(back.join('')).toBe(whole.toString('latin1'));
      }),
      { numRuns: 2000 },
    );
  });

  it('holds nothing back that cannot become a mark', () => {
    const reader = new MarkReader(nonce);
    const text = (chunk: string) =>
      reader.push(Buffer.from(chunk)).map((item) => (item.kind === 'text' ? item.bytes.toString() : item.words));
    expect(text('a prompt: ')).toEqual(['a prompt: ']);
    expect(text('\nsm')).toEqual([]);
    expect(text('x')).toEqual(['\nsmx']);
  });

  it('does not gather a mark that never ends', () => {
    const reader = new MarkReader(nonce);
    const out = Array.from({ length: 100 }, (_, i) =>
      reader.push(Buffer.from(i === 0 ? `\n${nonce} ` : 'x'.repeat(99))),
    );
    const passed = out.flat().reduce((sum, item) => sum + (item.kind === 'text' ? item.bytes.length : 0), 0);
    expect(passed).toBeGreaterThan(9000);
  });
});
