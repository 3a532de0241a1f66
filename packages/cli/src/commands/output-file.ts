import { ConfigError } from '../config/read.ts';

/**
 * Writes what an option asked for.
 *
 * @throws ConfigError when the file system does not let it.
 */
export async function toFile<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new ConfigError(`${file} cannot be written: ${cause.message}`, {
      remedy: 'Name another file, in a directory that exists.',
      cause,
    });
  }
}
