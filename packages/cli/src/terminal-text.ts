import { ConfigError } from './config/read.ts';

/** Everything but line feed and tab that moves a cursor, colours, or turns the direction of writing. */
const controls = /[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029]/gu;

/** Text of whoever it may be, a node, a file name, a person, fit for a terminal: what would control it is shown by its number. */
export function terminalText(text: string): string {
  return text.replace(controls, (found) => {
    const number = found.codePointAt(0) ?? 0;
    return number < 0x100 ? `\\x${number.toString(16).padStart(2, '0')}` : `\\u{${number.toString(16)}}`;
  });
}

/**
 * A person's words that are written down, as one line.
 *
 * @throws ConfigError where a character in them is none of a line of text.
 */
export function plainWords(option: string, words: string): string {
  if (!/\n|\t/.test(words) && terminalText(words) === words) return words;
  throw new ConfigError(`${option} holds a character that controls a terminal, or begins a line`, {
    remedy: 'Say it in one line of plain text.',
  });
}
