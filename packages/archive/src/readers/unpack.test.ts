import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from '../../test/backup-builder.ts';
import { createUnpacker } from './unpack.ts';

function unpack(packed: Buffer, size: number, chunk = packed.length): Buffer {
  const parts: Buffer[] = [];
  const unpacker = createUnpacker(size, 0, (bytes, start, end) => parts.push(Buffer.from(bytes.subarray(start, end))));
  for (let at = 0; at < packed.length; at += chunk) unpacker.push(packed, at, Math.min(packed.length, at + chunk));
  unpacker.end();
  return Buffer.concat(parts);
}

describe('createUnpacker', () => {
  it.each([
    ['one symbol', Buffer.alloc(1000, 'a')],
    ['two symbols', Buffer.from('abababa')],
    ['a single byte', Buffer.from('x')],
    ['all bytes', Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index) >> 3))],
    // Fibonacci weights make the longest codes.
    ['codes of up to 20 bits', Buffer.concat(fibonacci(20).map((count, symbol) => Buffer.alloc(count, symbol)))],
  ])('gives back %s', (_, content) => {
    const packed = pack(content);
    for (const chunk of [1, 3, 1000, packed.length])
      expect(unpack(packed, content.length, chunk).equals(content)).toBe(true);
  });

  it('gives back whatever was packed', () => {
    const content = fc
      .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 500 })
      .map((list) => Buffer.from(list));
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 50 }), (bytes, chunk) => {
        expect(unpack(pack(bytes), bytes.length, chunk)).toEqual(bytes);
      }),
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0), 1],
    ['a cut tree', pack(Buffer.from('hello')).subarray(0, 4), 5],
    ['a tree of 25 levels', Buffer.from([25, ...new Array(25).fill(1)]), 5],
    ['a tree of no level', Buffer.from([0]), 5],
    ['a tree that does not join', Buffer.from([2, 5, 0, 1, 2, 3, 4, 5, 6]), 5],
    ['cut codes', pack(Buffer.from('hello world')).subarray(0, -1), 11],
    ['bytes behind the end', Buffer.concat([pack(Buffer.from('hello')), Buffer.alloc(1)]), 5],
    ['more than the size', pack(Buffer.from('hello')), 4],
    ['less than the size', pack(Buffer.from('hello')), 6],
  ])('refuses %s', (_, packed, size) => {
    expect(() => unpack(packed, size)).toThrow(expect.objectContaining({ code: 'ARCHIVE_DATA_DAMAGED' }));
    expect(() => unpack(packed, size, 1)).toThrow(expect.objectContaining({ code: 'ARCHIVE_DATA_DAMAGED' }));
  });

  it('never throws anything but its own error, and never gives more than the size', () => {
    const good = pack(Buffer.from('the quick brown fox jumps over the lazy dog'));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          expect(unpack(bytes, 43, 7).length).toBe(43);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ARCHIVE_DATA_DAMAGED' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function fibonacci(count: number): number[] {
  const numbers = [1, 1];
  while (numbers.length < count) numbers.push((numbers.at(-1) ?? 0) + (numbers.at(-2) ?? 0));
  return numbers;
}
