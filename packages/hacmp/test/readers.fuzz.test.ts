import { ParseError } from '@splitmirror/host';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fixture, fixtures } from './fixtures.ts';

const all = fixtures();

/** What a reader makes of a text; `undefined` when it refuses it. Anything but a ParseError fails the test. */
function attempt({ read }: Fixture, text: string): unknown {
  try {
    return read(text) ?? null;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Formats that announce or end what they print: no cut goes unnoticed, unless it falls into the very last word. */
const telling = ['membership', 'resources', 'ha-level', 'local-node-name'];
/** Lines that no command prints among its own. */
const strangers = ['Warning: no answer from db2', 'zzz unexpected', 'x: y', 'x = y'];
/** Readers that want only some rows, and so do not miss the others. */
const choosy = ['volume-group', 'addresses'];

const words = fc.oneof(
  fc.constantFrom(...new Set(all.flatMap(({ text }) => text.split(/(\s+|:)/)))),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', '-', '', '\r', '\u0000', '\u00e9', '9'.repeat(40)),
);

describe.each(all)('reader of $command ($name)', (fixture) => {
  it('reads the same whatever a terminal has left of it', () => {
    const whole = attempt(fixture, fixture.text);
    expect(whole).toBeDefined();
    // What a command printed elsewhere is passed on as it is.
    const kept = fixture.name === 'node-outputs';
    const left = {
      'no last line feed': fixture.text.replace(/\n$/, ''),
      'carriage returns': fixture.text.replaceAll('\n', '\r\n'),
      'blanks after each line': kept ? fixture.text : fixture.text.replaceAll('\n', '  \n'),
      'blank lines before and after': kept ? `\n${fixture.text}` : ` \n\n${fixture.text}\n\n`,
    };
    for (const [what, text] of Object.entries(left)) {
      const seen = attempt(fixture, text);
      if (kept)
        expect(JSON.stringify(seen).replace(/(\\n)*"/g, '"'), what).toBe(
          JSON.stringify(whole).replace(/(\\n)*"/g, '"'),
        );
      else expect(seen, what).toEqual(whole);
    }
  });

  it('refuses or tells a line that does not belong there', () => {
    const lines = fixture.text.trimEnd().split('\n');
    const whole = JSON.stringify(attempt(fixture, fixture.text));
    const passed = lines.flatMap((_, at) =>
      strangers.filter((stranger) => {
        const read = attempt(fixture, `${lines.toSpliced(at + 1, 0, stranger).join('\n')}\n`);
        // Any labelled row will do, as long as it is no message.
        return JSON.stringify(read) === whole && !(fixture.name === 'volume-group' && stranger === 'x: y');
      }),
    );
    expect([...new Set(passed)]).toEqual([]);
  });

  it('throws nothing but ParseError on random text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.array(words, { maxLength: 40 }).map((list) => list.join('')),
        ),
        (text) => {
          attempt(fixture, text);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('throws nothing but ParseError on mutated output', () => {
    const at = fc.nat(fixture.text.length);
    fc.assert(
      fc.property(fc.array(fc.tuple(at, fc.nat(12), words), { minLength: 1, maxLength: 4 }), (edits) => {
        const text = edits.reduce(
          (now, [from, count, put]) => now.slice(0, from) + put + now.slice(from + count),
          fixture.text,
        );
        attempt(fixture, text);
      }),
      { numRuns: 300 },
    );
  });

  it('does not take a cut output for whole', () => {
    const whole = JSON.stringify(attempt(fixture, fixture.text));
    const text = fixture.text.replace(/[\s-]+$/, '');
    const lastWord = text.length - (text.split(/[\s:]/).at(-1) ?? '').length;
    const taken = Array.from({ length: lastWord }, (_, end) => text.slice(0, end)).filter((cut) => {
      const value = attempt(fixture, cut);
      if (value === undefined || cut.trim() === '') return false;
      return telling.includes(fixture.name) || (JSON.stringify(value) === whole && !choosy.includes(fixture.name));
    });
    expect(taken).toEqual([]);
  });

  it('reads a long output in linear time', () => {
    const lines = fixture.text.split('\n');
    const texts = [
      fixture.text.repeat(Math.ceil(1_000_000 / fixture.text.length)),
      `${lines[0]}\n${lines[1]}\n${' '.repeat(1_000_000)}x`,
      `${lines[0]} ${'a '.repeat(500_000)}`,
      `${lines[0]}\n${lines[1]}\n${`${lines.at(-2)}\n`.repeat(20_000)}`,
      'a:'.repeat(500_000),
      `"${'\\"'.repeat(500_000)}`,
      '-'.repeat(1_000_000),
    ];
    const start = process.cpuUsage();
    for (const text of texts) attempt(fixture, text);
    expect(process.cpuUsage(start).user).toBeLessThan(10e6);
  });
});
