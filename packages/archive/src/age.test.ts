import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import {
  armor,
  Decrypter,
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { archive, record } from '../test/tar-builder.ts';
import { decrypt, encrypt, encryptionExtension } from './age.ts';
import { compress, decompress, type StoredDigest } from './stored.ts';
import { watchArchive } from './watch.ts';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const plain = Buffer.from(Array.from({ length: 20_000 }, (_, index) => `record ${index}\n`).join(''));

async function* chunks(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const codeOf = (pieces: AsyncIterable<Buffer>) =>
  collect(pieces).then(
    () => 'whole',
    (error: { code?: string }) => error.code ?? String(error),
  );

describe('encrypt', () => {
  it('gives back what went in, and tells the digest of what is stored', async () => {
    for (const size of [0, 1, 65_535, 65_536, 65_537, 2 * 65_536, plain.length]) {
      let digest: StoredDigest | undefined;
      const content = plain.subarray(0, size);
      const stored = await collect(encrypt(chunks(content), [recipient], (told) => (digest = told)));
      expect(digest).toEqual({ bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') });
      expect(stored.includes('record 1\n')).toBe(false);
      for (const piece of [7, 70_000]) {
        if (piece === 7 && size > 70_000) continue;
        expect((await collect(decrypt(chunks(stored, piece), [identity], digest))).equals(content)).toBe(true);
      }
    }
    expect(encryptionExtension).toBe('.age');
  });

  it('writes what others read, and reads what they write', async () => {
    const stored = await collect(encrypt(chunks(plain), [recipient]));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(Buffer.from(await decrypter.decrypt(stored)).equals(plain)).toBe(true);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const theirs = Buffer.from(await encrypter.encrypt(plain));
    expect((await collect(decrypt(chunks(theirs), [identity]))).equals(plain)).toBe(true);
    // The form in letters is another file format: not silently taken for this one.
    expect(await codeOf(decrypt(chunks(Buffer.from(armor.encode(theirs))), [identity]))).toBe('STORED_DAMAGED');
  });

  it('encrypts to several recipients, each of whom can read it', async () => {
    const other = await generateHybridIdentity();
    const stored = await collect(encrypt(chunks(plain), [recipient, await identityToRecipient(other)]));
    const stranger = await generateX25519Identity();
    expect((await collect(decrypt(chunks(stored), [other]))).equals(plain)).toBe(true);
    expect((await collect(decrypt(chunks(stored), [stranger, identity]))).equals(plain)).toBe(true);
    expect(await codeOf(decrypt(chunks(stored), [stranger]))).toBe('STORED_IDENTITY');
  });

  it('stands behind the watch and the compression: digests of what is plain and of what is stored', async () => {
    const bytes = archive(record({ body: plain }));
    const watch = watchArchive('tar');
    async function* watched() {
      for await (const chunk of chunks(bytes)) {
        watch.push(chunk);
        yield chunk;
      }
    }
    let digest: StoredDigest | undefined;
    const stored = await collect(encrypt(compress(watched(), 'gzip'), [recipient], (told) => (digest = told)));
    const { sha256 } = watch.end();
    const restored = await collect(decompress(decrypt(chunks(stored), [identity], digest), 'gzip'));
    expect(createHash('sha256').update(restored).digest('hex')).toBe(sha256);
    expect(digest?.bytes).toBeLessThan(bytes.length / 2);
  });

  it('takes no passphrase, and does not tell what it was given', async () => {
    const secrets = ['correct horse battery', identity, 'age1correct', ''];
    for (const secret of secrets) {
      const error = await collect(encrypt(chunks(plain), [recipient, secret])).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RangeError);
      expect(inspect(error)).toContain('number 2 is no recipient (age1...)');
      if (secret !== '') expect(inspect(error)).not.toContain(secret);
    }
    const error = await collect(decrypt(chunks(plain), ['AGE-SECRET-KEY-1hunter2'])).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RangeError);
    expect(inspect(error)).not.toContain('hunter2');
    expect(await codeOf(encrypt(chunks(plain), []))).toContain('RangeError');
    expect(await codeOf(decrypt(chunks(plain), []))).toContain('RangeError');
    const encrypter = new Encrypter();
    encrypter.setPassphrase('correct horse battery');
    encrypter.setScryptWorkFactor(2);
    const stored = Buffer.from(await encrypter.encrypt(plain));
    expect(await codeOf(decrypt(chunks(stored), [identity]))).toBe('STORED_IDENTITY');
  });

  it('refuses what is cut anywhere, changed, or followed by anything', async () => {
    let digest: StoredDigest | undefined;
    const stored = await collect(encrypt(chunks(plain), [recipient], (told) => (digest = told)));
    const ends = Array.from({ length: 40 }, (_, index) => Math.floor((stored.length * index) / 40));
    const pieceEnds = [200 + 65_552, stored.length - 1];
    for (const end of [...ends, ...pieceEnds]) {
      expect(await codeOf(decrypt(chunks(stored.subarray(0, end)), [identity])), `cut at ${end}`).toBe(
        'STORED_DAMAGED',
      );
    }
    for (let at = 0; at < stored.length; at += at < 250 ? 1 : 9973) {
      const changed = Buffer.from(stored);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await codeOf(decrypt(chunks(changed), [identity])), `byte ${at}`).toMatch(/^STORED_(DAMAGED|IDENTITY)$/);
    }
    for (const more of [Buffer.from('x'), stored]) {
      expect(await codeOf(decrypt(chunks(Buffer.concat([stored, more])), [identity]))).toBe('STORED_DAMAGED');
    }
    const wrong = { bytes: stored.length, sha256: '0'.repeat(64) };
    expect(await codeOf(decrypt(chunks(stored), [identity], wrong))).toBe('STORED_DAMAGED');
    expect(await codeOf(decrypt(chunks(stored), [identity], digest))).toBe('whole');
  });

  it('keeps no header without end', async () => {
    let handed = 0;
    async function* endless() {
      yield Buffer.from('age-encryption.org/v1\n');
      for (;;) {
        handed += 4096;
        yield Buffer.alloc(4096, 'a');
      }
    }
    expect(await codeOf(decrypt(endless(), [identity]))).toBe('STORED_DAMAGED');
    expect(handed).toBeLessThan(100_000);
  });

  it('hands an error of its source on, and stops it when nobody reads on', async () => {
    async function* broken() {
      yield plain.subarray(0, 100);
      throw new Error('link lost');
    }
    await expect(collect(encrypt(broken(), [recipient]))).rejects.toThrow('link lost');
    const stored = await collect(encrypt(chunks(plain), [recipient]));
    async function* brokenStored() {
      yield stored.subarray(0, 1000);
      throw new Error('disk lost');
    }
    await expect(collect(decrypt(brokenStored(), [identity]))).rejects.toThrow('disk lost');

    const stopped: string[] = [];
    let handed = 0;
    async function* endless() {
      try {
        for (;;) {
          handed += 1;
          yield Buffer.alloc(65_536);
        }
      } finally {
        stopped.push('plain');
      }
    }
    for await (const _ of encrypt(endless(), [recipient])) break;
    expect(stopped).toEqual(['plain']);
    // Backpressure: a few chunks ahead, and no more.
    expect(handed).toBeLessThan(10);
  });
});
