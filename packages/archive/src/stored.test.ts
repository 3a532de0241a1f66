import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isInstalled, output } from '../test/tools.ts';
import {
  bestCompression,
  type Compression,
  compress,
  compressionExtension,
  decompress,
  type StoredDigest,
} from './stored.ts';

const plain = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `record ${index}\n`).join(''));

async function* chunks(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const known: Compression[] = bestCompression() === 'zstd' ? ['none', 'gzip', 'zstd'] : ['none', 'gzip'];

describe.each(known)('compress as %s', (compression) => {
  it('gives back what went in, and tells the digest of what is stored', async () => {
    let digest: StoredDigest | undefined;
    const stored = await collect(compress(chunks(plain), compression, (told) => (digest = told)));
    expect(digest).toEqual({ bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') });
    if (compression !== 'none') expect(stored.length).toBeLessThan(plain.length / 2);
    expect((await collect(decompress(chunks(stored), compression, digest))).equals(plain)).toBe(true);
    expect(await collect(decompress(compress(chunks(Buffer.alloc(0)), compression), compression))).toHaveLength(0);
  });

  it('refuses what is cut, changed, or followed by anything', async () => {
    let digest: StoredDigest | undefined;
    const stored = await collect(compress(chunks(plain), compression, (told) => (digest = told)));
    const changed = Buffer.from(stored);
    changed[stored.length >> 1] = (changed[stored.length >> 1] ?? 0) ^ 1;
    const torn = [stored.subarray(0, -1), stored.subarray(0, 10), changed, Buffer.concat([stored, Buffer.from('x')])];
    for (const bytes of [...torn, Buffer.alloc(0), Buffer.concat([stored, stored])]) {
      const read = collect(decompress(chunks(bytes), compression, digest));
      await expect(read).rejects.toMatchObject({ code: 'STORED_DAMAGED' });
    }
    if (compression === 'none') return;
    for (const bytes of torn) {
      await expect(collect(decompress(chunks(bytes), compression))).rejects.toMatchObject({ code: 'STORED_DAMAGED' });
    }
  });

  it('hands an error of its source on', async () => {
    async function* broken() {
      yield plain.subarray(0, 100);
      throw new Error('link lost');
    }
    await expect(collect(compress(broken(), compression))).rejects.toThrow('link lost');
    await expect(collect(decompress(broken(), compression))).rejects.toThrow(/link lost|not a whole/);
  });
});

it.skipIf(!known.includes('zstd') || !isInstalled('zstd', /./))('compress writes what zstd reads', async () => {
  for (const size of [100, 10_000, 65_536, plain.length]) {
    const stored = await collect(compress(chunks(plain.subarray(0, 300_000), size), 'zstd'));
    expect(output('zstd', ['-dcq'], { input: stored }).equals(plain.subarray(0, 300_000))).toBe(true);
    expect((await collect(decompress(chunks(stored, size), 'zstd'))).length).toBe(300_000);
  }
});

it('compress stops its source when nobody reads on', async () => {
  let isStopped = false;
  async function* endless() {
    try {
      for (;;) yield plain;
    } finally {
      isStopped = true;
    }
  }
  for await (const _ of compress(endless(), 'gzip')) break;
  expect(isStopped).toBe(true);
});

it('compress writes what gzip reads', async () => {
  const stored = await collect(compress(chunks(plain), 'gzip'));
  expect(output('gzip', ['-dc'], { input: stored }).equals(plain)).toBe(true);
  expect(compressionExtension.gzip).toBe('.gz');
});
