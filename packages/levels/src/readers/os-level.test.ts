import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOsLevels, osLevelOf, parseOsLevel } from './os-level.ts';

describe('parseOsLevel', () => {
  it('reads a level with blank lines around it', () => {
    expect(parseOsLevel('\n7200-05-03-2148\n')).toEqual({
      text: '7200-05-03-2148',
      release: '7200',
      version: '7.2.0.0',
      technologyLevel: 5,
      servicePack: 3,
      build: '2148',
    });
  });

  it.each([
    ['5300-09-CSP', 'CSP', null],
    ['6100-09-00-0000', 0, '0000'],
    ['6100-01-02-0748', 2, '0748'],
    ['5300-04-01', 1, null],
    ['5300-09', null, null],
  ])('reads %s', (text, servicePack, build) => {
    expect(parseOsLevel(`${text}\n`)).toMatchObject({ servicePack, build });
  });

  it.each(['', '\n', '7200-05-03-2148', '7.2.0.0\n', '7200-5\n', '7200-05\n7200-04\n', 'rpm: database locked\n'])(
    'refuses %j',
    (text) => expect(() => parseOsLevel(text)).toThrow(ParseError),
  );

  it('throws nothing but ParseError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseOsLevel(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});

describe('compareOsLevels', () => {
  it('puts the concluding pack last, and what was not printed first', () => {
    const texts = [
      '7300-00',
      '7200-05-CSP',
      '7200-05-03-2148',
      '7200-05-03-2146',
      '7200-05-03',
      '7200-05-00-0000',
      '7200-05',
      '7200-04-06-2110',
      '6100-09-12-1837',
    ];
    const levels = texts.flatMap((text) => osLevelOf(text) ?? []);
    expect(
      levels
        .toReversed()
        .sort(compareOsLevels)
        .toReversed()
        .map(({ text }) => text),
    ).toEqual(texts);
  });
});
