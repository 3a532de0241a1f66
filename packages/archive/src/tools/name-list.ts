import { type Command, ParseError } from '@splitmirror/host';
import type { CatalogueItem } from '../catalogue/catalogue.ts';
import { plainName } from '../catalogue/name-check.ts';
import { nameOf } from '../names.ts';
import { findNames } from './cpio.ts';
import type { DirectorySource } from './tar.ts';

/** The command that prints every name in a directory, archived or not: what an increment cannot tell by itself. */
export function listNames({ directory }: DirectorySource): Command {
  return findNames({ directory });
}

/**
 * Reads what {@link listNames} printed.
 *
 * @param output Its whole standard output, as bytes.
 * @throws ParseError for a name that is not below the directory, as the rest of one with a line feed, and for an output
 * that is cut.
 */
export function readNames(output: Uint8Array): string[] {
  const lines = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const names: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const feed = lines.indexOf(10, at);
    const name = nameOf(lines.subarray(at, feed < 0 ? lines.length : feed));
    const wrong = feed < 0 ? 'not ended by a line feed' : name === '.' || name.startsWith('./') ? undefined : 'no name';
    if (wrong !== undefined) throw new ParseError('find . -print', wrong, { line: names.length + 1, text: name });
    names.push(name);
    at = feed + 1;
  }
  return names;
}

/** A chain of archives beside the names that were there when the last of them was made. */
export interface NameComparison {
  /** Archived earlier, and no more there: to be removed after the chain is restored. In the form `find` prints them. */
  readonly deleted: readonly string[];
  /**
   * There, and in none of the archives. `find -newer` looks at times of modification: what was moved, or came with an
   * older time of its own, is not newer. Only a full archive helps.
   */
  readonly unarchived: readonly string[];
}

/**
 * Compares a full archive and its increments with a list of all names.
 *
 * @param chain Catalogues of the full archive and of each increment; read one after another.
 * @param names All names in the directory when the last increment was made.
 * @throws CatalogueError when one of them is damaged or cut short.
 */
export async function compareNames(
  chain: Iterable<AsyncIterable<CatalogueItem>>,
  names: Iterable<string>,
): Promise<NameComparison> {
  const present = new Set(Array.from(names, plainName));
  const unarchived = new Set(present);
  const deleted = new Set<string>();
  for (const catalogue of chain) {
    for await (const item of catalogue) {
      if (item.kind !== 'entry') continue;
      const name = plainName(item.entry.path);
      unarchived.delete(name);
      if (!present.has(name)) deleted.add(name);
    }
  }
  return { deleted: printed(deleted), unarchived: printed(unarchived) };
}

function printed(names: Iterable<string>): string[] {
  return Array.from(names, (name) => (name === '.' ? name : `./${name}`)).sort();
}
