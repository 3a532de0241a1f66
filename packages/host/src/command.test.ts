import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shells } from '../test/shells.ts';
import { changes, members, quote, reads, renderCommand } from './command.ts';

describe('quote', () => {
  it('leaves a plain word as it is', () => {
    expect(quote('/dev/fslv00')).toBe('/dev/fslv00');
  });

  it.each([
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['a=b', "'a=b'"],
    ['~', "'~'"],
  ])('quotes %j as %s', (word, quoted) => {
    expect(quote(word)).toBe(quoted);
  });

  it('refuses a NUL byte', () => {
    expect(() => quote('a\0b')).toThrow(RangeError);
  });

  it.each(['\ud800', 'a\udfffb'])('refuses half a character, which would arrive as another: %j', (word) => {
    expect(() => quote(word)).toThrow(RangeError);
  });

  for (const [name, shell] of Object.entries(shells)) {
    it.skipIf(!existsSync(shell))(`survives ${name}`, { timeout: 120_000 }, () => {
      const word = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;#~= \t\n\r-') }),
      );
      const words = fc.array(
        word.map((text) => text.replaceAll('\0', '')),
        { minLength: 1, maxLength: 20 },
      );
      fc.assert(
        fc.property(words, (all) => {
          const printed = execFileSync(shell, ['-s'], { input: `printf '<%s>' ${all.map(quote).join(' ')}\n` });
          expect(printed.toString('utf8')).toBe(Buffer.from(all.map((each) => `<${each}>`).join('')).toString('utf8'));
        }),
        { numRuns: 60 },
      );
    });
  }
});

describe('renderCommand', () => {
  it('renders a command as a person would type it', () => {
    expect(renderCommand(changes('chfs', '-a', 'freeze=60', '/data'))).toBe("chfs -a 'freeze=60' /data");
  });

  it('joins the members of a pipeline', () => {
    const pipe = { pipe: [reads('find', '.', '-print'), reads('cpio', '-ocB')] } as const;
    expect(renderCommand(pipe)).toBe('find . -print | cpio -ocB');
    expect(members(pipe).map(({ effect }) => effect)).toEqual(['reads', 'reads']);
  });
});
