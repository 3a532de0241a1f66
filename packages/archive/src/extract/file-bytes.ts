import { createReadStream } from 'node:fs';
import { asExtractError } from './errors.ts';

/**
 * The bytes of a file on the controller.
 *
 * @param part From and to which offset, both included, and in pieces of what size.
 * @throws ExtractError EXTRACT_FILE_SYSTEM.
 */
export async function* fileBytes(
  path: string,
  part: { readonly start?: number; readonly end?: number; readonly highWaterMark: number },
): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, part);
  } catch (error) {
    throw asExtractError(path, error);
  }
}
