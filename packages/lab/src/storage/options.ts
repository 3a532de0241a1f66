/** A command line as getopt reads it: options end at the first operand. */
export interface Options {
  has(letter: string): boolean;
  /** The last value given for an option, as getopt loops leave it. */
  value(letter: string): string | undefined;
  values(letter: string): readonly string[];
  readonly operands: readonly string[];
}

/**
 * Reads options by a getopt specification such as `fy:Y:`.
 *
 * @returns the letter at fault when an option is unknown or lacks its value.
 */
export function readOptions(args: readonly string[], specification: string): Options | { readonly fault: string } {
  const found = new Map<string, string[]>();
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? '';
      const position = letter === ':' ? -1 : specification.indexOf(letter);
      if (position < 0) return { fault: letter };
      const list = found.get(letter) ?? [];
      found.set(letter, list);
      if (specification[position + 1] !== ':') {
        list.push('');
        continue;
      }
      const attached = word.slice(i + 1);
      const value = attached === '' ? args[++at] : attached;
      if (value === undefined) return { fault: letter };
      list.push(value);
      break;
    }
  }
  return {
    has: (letter) => found.has(letter),
    value: (letter) => found.get(letter)?.at(-1),
    values: (letter) => found.get(letter) ?? [],
    operands: args.slice(at),
  };
}

/** Pairs such as `size=4M` that an option was given, by key. */
export function readPairs(words: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
