import { readFile } from 'node:fs/promises';
import { ConfigError } from './read.ts';
import type { Config } from './schema.ts';

/** Secret keys of the configured file, one a line; comments as age writes them. */
export async function identitiesOf({ archives }: Config): Promise<string[] | undefined> {
  if (archives.identity === undefined) return undefined;
  const text = await readFile(archives.identity, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`archives.identity cannot be read: ${cause.message}`, {
      remedy: 'Name a file that age-keygen wrote.',
      cause,
    });
  });
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
