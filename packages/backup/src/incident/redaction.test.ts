import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapStrings, redaction } from './redaction.ts';

const words = ['db_node1', 'db_node2', '10.64.7.11', 'Ledger-Prod'];

describe('redaction', () => {
  it('keeps length and shape, and always says the same for the same', () => {
    const clean = redaction(words, 'salt');
    const text = 'db_node1 10.64.7.11 db_node1 Ledger-Prod';
    const [first, address, again, name] = clean(text).split(' ');
    expect(clean(text)).toHaveLength(text.length);
    expect(again).toBe(first);
    expect(first).toMatch(/^[a-z]{2}_[a-z]{4}\d$/);
    expect(address).toMatch(/^\d\d\.\d\d\.\d\.\d\d$/);
    expect(name).toMatch(/^[A-Z][a-z]{5}-[A-Z][a-z]{3}$/);
    expect(redaction(words, 'other')(text)).not.toBe(clean(text));
  });

  it('keeps the order of names of one shape', () => {
    const names = Array.from({ length: 40 }, (_, index) => `node${String(index).padStart(2, '0')}`);
    const cleaned = names.map(redaction(names, 'salt'));
    expect(cleaned.toSorted()).toEqual(cleaned);
    expect(new Set(cleaned).size).toBe(names.length);
  });

  it('refuses words that would be found everywhere', () => {
    expect(() => redaction(['db'], 'salt')).toThrow(RangeError);
    expect(redaction([], 'salt')('text')).toBe('text');
  });

  it('leaves none of the words in any string or key of a value (law)', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{3,12}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), fc.string(), (names, text) => {
        const clean = redaction(names, 'salt');
        const value = { [names.join(text)]: names, lines: names.map((each) => `\n${each}\t`) };
        const shape = (any: unknown) => JSON.stringify(any).length;
        const cleaned = mapStrings(value, clean);
        return shape(cleaned) === shape(value) && JSON.stringify(mapStrings(value, clean)) === JSON.stringify(cleaned);
      }),
    );
    expect(mapStrings({ a: ['\nab', 1, null] }, redaction(['nab'], 'salt'))).toEqual({ a: ['\nab', 1, null] });
  });
});
