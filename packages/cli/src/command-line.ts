import { quote } from '@splitmirror/host';

/**
 * A command line of ours as it can be pasted.
 *
 * @param config Configuration of the command that names it, where it is not the one that is taken by itself.
 */
export function commandLine(words: readonly string[], config: string | undefined): string {
  const named = config === undefined ? words : [...words, '--config', config];
  return ['splitmirror', ...named].map(quote).join(' ');
}
