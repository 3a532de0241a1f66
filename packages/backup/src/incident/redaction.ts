import { createHash } from 'node:crypto';

const letters = 'abcdefghijklmnopqrstuvwxyz';

/**
 * Takes words out of a text: host names, addresses, whatever a site does not hand out. Each word becomes another one of the
 * same length and shape (letters stay letters, digits digits), always the same within one log, so that columns stay in
 * place and what named one thing still does. Words of one shape keep their order.
 *
 * @param salt Unguessable; without it a stand-in could be traced back to a guessed word.
 * @throws RangeError for a word of fewer than three characters: it would be found everywhere.
 */
export function redaction(words: readonly string[], salt: string): (text: string) => string {
  const short = words.find((word) => word.length < 3);
  if (short !== undefined) throw new RangeError(`too short to be taken out everywhere: ${JSON.stringify(short)}`);
  const sorted = [...new Set(words)].sort();
  if (sorted.length === 0) return (text) => text;
  const standIns = new Map(sorted.map((word, rank) => [word, standIn(word, rank, salt)]));
  const longestFirst = [...standIns.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'g');
  return (text) => text.replace(pattern, (word) => standIns.get(word) ?? word);
}

/** The rank stands in the first two letters or digits, which keeps order and tells words apart; the rest is noise. */
function standIn(word: string, rank: number, salt: string): string {
  const noise = createHash('sha256').update(`${salt}\0${word}`).digest();
  let at = 0;
  return word.replace(/[A-Za-z0-9]/g, (character) => {
    const isDigit = /\d/.test(character);
    const base = isDigit ? 10 : letters.length;
    const value = at === 0 ? Math.floor(rank / base) : at === 1 ? rank : (noise[at % noise.length] ?? 0);
    at++;
    if (isDigit) return String(value % base);
    const letter = letters.charAt(value % base);
    return character === character.toUpperCase() ? letter.toUpperCase() : letter;
  });
}

/** A JSON value with all its strings and keys changed. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [change(key), mapStrings(each, change)]));
}
