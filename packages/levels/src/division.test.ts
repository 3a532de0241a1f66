import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divide, nameDivision } from './division.ts';

const of = (values: Readonly<Record<string, string>>) => divide(Object.entries(values));

describe('divide', () => {
  it('names the odd one out', () => {
    const division = of({ east: '1', west: '2', north: '1' });
    expect(division.odd).toEqual(['west']);
    expect(nameDivision(division)).toBe('west is the odd one out of 3 nodes');
  });

  it('names several odd ones against a majority', () => {
    expect(nameDivision(of({ a: '1', b: '2', c: '1', d: '3', e: '1' }))).toBe(
      'b, d differ from the other 3 of 5 nodes',
    );
  });

  it('takes nobody’s side in a tie', () => {
    const division = of({ d: '2', a: '1', c: '2', b: '1' });
    expect([division.majority, division.odd]).toEqual([null, ['a', 'b', 'c', 'd']]);
    expect(nameDivision(division)).toBe('a tie: a, b against c, d');
    expect(nameDivision(of({ west: '2', east: '1' }))).toBe('east and west differ');
  });

  it('has one group when all agree, and loses no node', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.constantFrom('1', '2', '3')), (values) => {
        const { groups, majority, odd } = of(values);
        expect(groups.flatMap(({ nodes }) => nodes).sort()).toEqual(Object.keys(values).sort());
        expect(odd.length + (majority?.nodes.length ?? 0)).toBe(Object.keys(values).length);
        expect(groups.length).toBe(new Set(Object.values(values)).size);
      }),
    );
  });
});
