import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayName, nameBytes, nameOf } from './names.ts';

describe('nameOf', () => {
  it('gives text for UTF-8 and lone surrogates for everything else', () => {
    expect(nameOf(Buffer.from('größe'))).toBe('größe');
    expect(nameOf(Buffer.from([0x67, 0xf6, 0xff]))).toBe('g\udcf6\udcff');
    expect(nameOf(Buffer.from([0xed, 0xb3, 0xb6]))).toBe('\udced\udcb3\udcb6');
  });

  it('loses no byte, also on the way through JSON', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
      fc
        .array(fc.constantFrom(0x41, 0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x92, 0xa9, 0xed, 0xa0))
        .map(Buffer.from),
    );
    fc.assert(
      fc.property(bytes, (name) => {
        const text: unknown = JSON.parse(JSON.stringify(nameOf(name)));
        expect(nameBytes(String(text))).toEqual(Buffer.from(name));
      }),
      { numRuns: 500 },
    );
  });
});

describe('displayName', () => {
  it('shows what a terminal must not get as escapes', () => {
    expect(displayName('a\x1b[31m\nb\udcff ä 💩')).toBe('a\\x1b[31m\\x0ab\\xff ä 💩');
  });
});
