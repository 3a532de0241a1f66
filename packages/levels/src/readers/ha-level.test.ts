import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareHaLevels, parseHaLevel } from './ha-level.ts';

describe('parseHaLevel', () => {
  it.each([
    ['7.2.5 SP2', { version: '7.2.5', servicePack: 2 }],
    ['7.1.3 GA', { version: '7.1.3', servicePack: 0 }],
    ['7.2.7', { version: '7.2.7', servicePack: null }],
  ])('reads %s', (text, level) => {
    expect(parseHaLevel(`${text}\n`)).toEqual({ text, ...level });
  });

  it.each(['', 'GA\n', '7.2.5 SP\n', '7.2.5 SP2', '7.2.5 beta\n', 'ERROR: no cluster\n7.2.5 SP2\n'])(
    'refuses %j',
    (text) => expect(() => parseHaLevel(text)).toThrow(ParseError),
  );

  it('throws nothing but ParseError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseHaLevel(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe('compareHaLevels', () => {
  it('counts service packs as numbers', () => {
    const levels = ['7.2.5 SP10', '7.1.3 SP11', '7.2.5 GA', '7.2.5 SP9'].map((text) => parseHaLevel(`${text}\n`));
    expect(levels.sort(compareHaLevels).map(({ text }) => text)).toEqual([
      '7.1.3 SP11',
      '7.2.5 GA',
      '7.2.5 SP9',
      '7.2.5 SP10',
    ]);
  });
});
