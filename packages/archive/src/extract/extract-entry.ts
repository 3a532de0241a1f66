import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { createUnpacker } from '../readers/unpack.ts';
import { untilAborted } from '../until-aborted.ts';
import { asExtractError, ExtractError } from './errors.ts';
import { fileBytes } from './file-bytes.ts';
import { fileTime } from './file-time.ts';

/**
 * Reads the content of one regular file out of a stored archive, at the offset that its catalogue tells, without the rest.
 * Works for every format with entries, and also where the archive is damaged elsewhere.
 *
 * @param archive Path of the archive as it was streamed, neither compressed nor encrypted.
 * @throws ExtractError EXTRACT_DIFFERS, after the last piece, when the content has not the digest of the catalogue: what
 * was handed out before is not to be used.
 */
export async function* readEntry(archive: string, entry: CatalogueEntry): AsyncGenerator<Buffer> {
  if (entry.type !== 'file') throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, `is a ${entry.type}`);
  if (entry.sha256 === null)
    throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'was not read when it was archived');
  const hash = createHash('sha256');
  for await (const piece of contentOf(archive, entry)) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') !== entry.sha256) {
    throw new ExtractError('EXTRACT_DIFFERS', entry.path, 'not what the catalogue says');
  }
}

/**
 * Extracts one regular file to a path of its own, with its mode and time. The file stays only when it is what the
 * catalogue says.
 *
 * @param to Path of the file; must not exist.
 * @throws ExtractError; ArchiveError when what is packed is damaged; the reason of the signal.
 */
export async function extractEntry(
  archive: string,
  entry: CatalogueEntry,
  to: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  signal?.throwIfAborted();
  const file = await open(to, 'wx', 0o600).catch((error: unknown) => {
    throw asExtractError(to, error);
  });
  try {
    for await (const piece of untilAborted(readEntry(archive, entry), signal)) await file.writeFile(piece);
    await file.chmod(entry.mode & 0o1777);
    await file.utimes(fileTime(entry.mtime), fileTime(entry.mtime));
    await file.sync();
  } catch (error) {
    await rm(to, { force: true });
    throw asExtractError(to, error);
  } finally {
    await file.close();
  }
}

async function* contentOf(archive: string, entry: CatalogueEntry): AsyncGenerator<Buffer> {
  if (entry.storedSize === 0) return;
  const [start, end] = [entry.dataOffset, entry.dataOffset + entry.storedSize - 1];
  const stored = fileBytes(archive, { start, end, highWaterMark: 1 << 18 });
  if (!entry.attributes.includes('packed')) {
    yield* stored;
    return;
  }
  const pieces: Buffer[] = [];
  const unpacker = createUnpacker(entry.size, start, (bytes, from, to) =>
    pieces.push(Buffer.from(bytes.subarray(from, to))),
  );
  for await (const chunk of stored) {
    unpacker.push(chunk, 0, chunk.length);
    yield* pieces.splice(0);
  }
  unpacker.end();
  yield* pieces;
}
