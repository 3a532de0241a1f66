import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVrmf, parseVrmf } from './vrmf.ts';

const part = fc.integer({ min: 0, max: 9999 });
const level = fc.tuple(part, part, part, part);

function order(a: string, b: string): number {
  const [left, right] = [parseVrmf(a), parseVrmf(b)];
  if (left === null || right === null) throw new Error(`not levels: ${a}, ${b}`);
  return Math.sign(compareVrmf(left, right));
}

describe('parseVrmf', () => {
  it('reads what it prints', () => {
    fc.assert(
      fc.property(level, (parts) => {
        expect(parseVrmf(parts.join('.'))?.parts).toEqual(parts);
      }),
    );
  });

  it('takes padding and missing parts for spelling and keeps the text', () => {
    expect(parseVrmf('06.01.0004.0011')).toEqual({ text: '06.01.0004.0011', parts: [6, 1, 4, 11] });
    expect(parseVrmf('7.2')?.parts).toEqual([7, 2, 0, 0]);
    expect(parseVrmf('5.30.5.0')?.parts).toEqual([5, 30, 5, 0]);
  });

  it.each(['', '7', '1.9-9', '21.04.15.083001', 'CN0120-1', '7.2.5.1.1', '7.2.5.', '7.2.5.12345', ' 7.2.5.1'])(
    'has no order for %j',
    (text) => expect(parseVrmf(text)).toBeNull(),
  );
});

describe('compareVrmf', () => {
  it.each([
    ['3.2.0.9', '3.2.0.10'],
    ['7.2.5.3', '7.2.5.100'],
    ['6.1.9.45', '6.1.9.100'],
    ['1.0.2.1800', '1.0.2.2100'],
    ['7.2.5.200', '7.3.0.0'],
  ])('puts %s before %s', (low, high) => {
    expect([order(low, high), order(high, low)]).toEqual([-1, 1]);
  });

  it('is a total order that agrees with the parts as numbers', () => {
    fc.assert(
      fc.property(level, level, (a, b) => {
        const first = a.findIndex((value, index) => value !== b[index]);
        const expected = first === -1 ? 0 : Math.sign((a[first] ?? 0) - (b[first] ?? 0));
        expect(order(a.join('.'), b.join('.'))).toBe(expected);
      }),
    );
  });
});
