import { readSecret, type SecretReference } from '@splitmirror/backup';
import { ConfigError } from './read.ts';

/** What is to be done where a secret cannot be read. */
export const secretRemedy = 'Set the variable, write the file, or correct the command that the setting names.';

/**
 * Reads what a setting refers to.
 *
 * @param setting As the configuration spells it, for the error.
 * @throws ConfigError that names the reference, never what was read.
 */
export async function secretOf(reference: SecretReference, setting: string): Promise<string> {
  try {
    return await readSecret(reference);
  } catch (cause) {
    throw new ConfigError(`${setting}: ${(cause as Error).message}`, {
      remedy: secretRemedy,
      cause,
    });
  }
}
