import { ConfigError } from '../config/read.ts';

/**
 * Writes what an option asked for.
 *
 * @throws ConfigError when the file system does not let it, or the file must not be there and is.
 */
export async function toFile<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    if ('code' in cause && cause.code === 'EEXIST') {
      throw new ConfigError(`${file} is there already`, { remedy: 'Name another file, or take this one away.', cause });
    }
    throw new ConfigError(`${file} cannot be written: ${cause.message}`, {
      remedy: 'Name another file, in a directory that exists.',
      cause,
    });
  }
}
