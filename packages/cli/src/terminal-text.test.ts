import { expect, it } from 'vitest';
import { plainWords, terminalText } from './terminal-text.ts';

it.each([
  ['plain, ä, 漢字, 🙂\n\tand a second line', 'plain, ä, 漢字, 🙂\n\tand a second line'],
  ['\u001b[2Jgone\r', '\\x1b[2Jgone\\x0d'],
  ['\u009b31mred\u0007', '\\x9b31mred\\x07'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
])('terminalText makes %j %j', (text, shown) => {
  expect(terminalText(text)).toBe(shown);
});

it.each(['two\nlines', 'a\ttab', '\u001b[1m', '\u2028'])('plainWords refuses %j', (words) => {
  expect(plainWords('--by', 'Ada, duty officer')).toBe('Ada, duty officer');
  expect(() => plainWords('--by', words)).toThrow('--by holds a character');
});
