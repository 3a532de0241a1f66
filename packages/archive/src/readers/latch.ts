import type { ArchiveReader } from '../entry.ts';

/** A reader that, once something was wrong, throws the same error at each further call. */
export function latched(reader: ArchiveReader): ArchiveReader {
  let failure: unknown;
  const attempt = (step: () => void) => {
    if (failure !== undefined) throw failure;
    try {
      step();
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return { push: (chunk) => attempt(() => reader.push(chunk)), end: () => attempt(() => reader.end()) };
}
