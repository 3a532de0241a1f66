import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { SplitmirrorError } from '@splitmirror/host';

/** How an archive is kept on the controller. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** What `sha256sum` and `wc -c` say of the stored file. */
export interface StoredDigest {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A stored archive is damaged or cut short, or not in the form that was stated. */
export class StoredError extends SplitmirrorError {
  readonly code = 'STORED_DAMAGED';

  constructor(message: string, cause?: unknown) {
    super(message, {
      remedy: 'Use another copy of this backup: what was read before this is no more than a part.',
      cause,
    });
  }
}

/** What is added to a file's name. */
export const compressionExtension: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

/** `zstd` where this Node.js has it (22.15 or later), else `gzip`. */
export function bestCompression(): Compression {
  return typeof zlib.createZstdCompress === 'function' ? 'zstd' : 'gzip';
}

/**
 * Compresses an archive as it flows, with backpressure.
 *
 * @param onEnd Called at the end with the digest of what was handed out.
 * @throws RangeError for `zstd` where this Node.js does not have it.
 */
export async function* compress(
  plain: AsyncIterable<Uint8Array>,
  compression: Compression,
  onEnd?: (stored: StoredDigest) => void,
): AsyncGenerator<Buffer> {
  const tally = createTally();
  for await (const chunk of through(plain, compressor(compression))) {
    tally.add(chunk);
    yield chunk;
  }
  onEnd?.(tally.digest());
}

/**
 * Gives back the archive.
 *
 * @param expected What {@link compress} told of it: compared after the last byte was handed out. Without it a further
 * gzip member right behind the first is read on, as `gzip` reads it; a further zstd frame may be.
 * @throws StoredError when the stored bytes are damaged, cut short, or followed by others.
 */
export async function* decompress(
  stored: AsyncIterable<Uint8Array>,
  compression: Compression,
  expected?: StoredDigest,
): AsyncGenerator<Buffer> {
  const tally = createTally();
  const engine = decompressor(compression);
  async function* counted() {
    for await (const chunk of stored) {
      tally.add(chunk);
      yield chunk;
    }
  }
  try {
    yield* through(counted(), engine);
  } catch (error) {
    if (!isEngineError(error)) throw error;
    throw new StoredError(`not a whole ${compression} stream: ${error.message}`, error);
  }
  const seen = tally.digest();
  // An engine stops at the end that the stream states, whatever comes behind it.
  if (engine !== undefined && engine.bytesWritten !== seen.bytes)
    throw new StoredError(`bytes follow the ${compression} stream`);
  requireDigest(seen, expected);
}

/** @throws StoredError when what was read is not what was stored. */
export function requireDigest(seen: StoredDigest, expected: StoredDigest | undefined): void {
  if (expected === undefined || (seen.bytes === expected.bytes && seen.sha256 === expected.sha256)) return;
  throw new StoredError(
    `${seen.bytes} bytes with the digest ${seen.sha256}, not ${expected.bytes} with ${expected.sha256}`,
  );
}

function compressor(compression: Compression): Duplex | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      // Fast rather than small: a split mirror waits for the archive.
      return zlib.createGzip({ level: 1 });
    case 'zstd':
      requireZstd();
      return zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } });
  }
}

function decompressor(compression: Compression): (Duplex & { readonly bytesWritten: number }) | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      return zlib.createGunzip();
    case 'zstd':
      requireZstd();
      return zlib.createZstdDecompress();
  }
}

function requireZstd(): void {
  if (bestCompression() !== 'zstd') throw new RangeError('this Node.js has no zstd: it needs 22.15 or later');
}

async function* through(source: AsyncIterable<Uint8Array>, engine: Duplex | undefined): AsyncGenerator<Buffer> {
  if (engine === undefined) {
    for await (const chunk of source) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return;
  }
  const fed = feed(source, engine);
  try {
    yield* engine as AsyncIterable<Buffer>;
  } finally {
    engine.destroy();
    await fed;
  }
}

/**
 * Writes chunk by chunk: a zstd engine of Node.js that is told to end while it still holds a chunk ends its frame with that
 * chunk and then adds an empty one, before which its own counterpart stops. Errors arrive on the engine's other side.
 */
async function feed(source: AsyncIterable<Uint8Array>, engine: Duplex): Promise<void> {
  // An engine that fails in the middle of a chunk never answers for it.
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  try {
    for await (const chunk of source) {
      const written = new Promise<void>((resolve) => engine.write(chunk, () => resolve()));
      await Promise.race([written, closed]);
      if (engine.destroyed) return;
    }
    engine.end();
  } catch (error) {
    engine.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function isEngineError(error: unknown): error is Error {
  return error instanceof Error && 'errno' in error && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
}

/** Counts and hashes what passes. */
export function createTally() {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    add(chunk: Uint8Array): void {
      hash.update(chunk);
      bytes += chunk.length;
    },
    digest: (): StoredDigest => ({ bytes, sha256: hash.digest('hex') }),
  };
}
