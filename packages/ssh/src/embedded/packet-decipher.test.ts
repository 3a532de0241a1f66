import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetDecipher } from './packet-decipher.ts';

const key = randomBytes(16);
const nonce = () => Buffer.from('0102030405060708090a0bff', 'hex');

/** Packets as a node sends them. */
function wire(payloads: readonly Uint8Array[]): Buffer {
  const counter = nonce();
  return Buffer.concat(
    payloads.map((payload) => {
      const padding = 4 + ((16 - ((1 + payload.length + 4) % 16)) % 16);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(1 + payload.length + padding);
      const cipher = createCipheriv('aes-128-gcm', key, counter);
      cipher.setAAD(length);
      const body = cipher.update(Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding)]));
      cipher.final();
      counter.writeBigUInt64BE(counter.readBigUInt64BE(4) + 1n, 4);
      return Buffer.concat([length, body, cipher.getAuthTag()]);
    }),
  );
}

function decipherFor(onPayload: (payload: Buffer) => false | undefined, inSeqno = 0) {
  return packetDecipher({ cipher: 'aes-128-gcm', key: createSecretKey(key), nonce: nonce(), inSeqno, onPayload });
}

function opened(pieces: readonly Buffer[], answer: (count: number) => false | undefined = () => undefined) {
  const payloads: Buffer[] = [];
  const decipher = decipherFor((payload) => answer(payloads.push(payload)), 2 ** 32 - 2);
  const ends = pieces.map((piece) => {
    const view = Buffer.from(piece);
    const end = decipher.decrypt(view, 0, view.length);
    // The buffer is read into again.
    view.fill(0xee);
    return end;
  });
  return { payloads, ends, decipher };
}

const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 8 });

describe('packetDecipher', () => {
  it('opens packets wherever they are cut, and keeps nothing of what it was shown', () => {
    fc.assert(
      fc.property(packets, fc.array(fc.nat(3000)), (payloads, cuts) => {
        const bytes = wire(payloads);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(opened(pieces).payloads).toEqual(payloads.map((payload) => Buffer.from(payload)));
      }),
    );
  });

  it('hands nothing out of a packet that was tampered with', () => {
    fc.assert(
      fc.property(packets, fc.nat(), fc.integer({ min: 1, max: 255 }), (payloads, where, change) => {
        const bytes = wire(payloads);
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const seen: Buffer[] = [];
        const decipher = decipherFor((payload) => void seen.push(payload));
        try {
          decipher.decrypt(bytes, 0, bytes.length);
        } catch {
          // A wrong length may also only make it wait for more.
        }
        expect(seen.length).toBeLessThan(payloads.length);
        expect(seen).toEqual(payloads.slice(0, seen.length).map((payload) => Buffer.from(payload)));
      }),
    );
  });

  it.each([
    ['a bit of the tag', (bytes: Buffer) => bytes.length - 1, 1],
    ['a bit of the length', () => 0, 0x80],
  ] as const)('takes nothing any more behind a packet of which %s was changed', (_what, at, bit) => {
    const seen: string[] = [];
    const decipher = decipherFor((payload) => void seen.push(String(payload)));
    const right = wire([Buffer.from('one')]);
    const wrong = Buffer.from(right);
    wrong[at(wrong)] = (wrong[at(wrong)] ?? 0) ^ bit;
    expect(() => decipher.decrypt(wrong, 0, wrong.length)).toThrow();
    expect(() => decipher.decrypt(right, 0, right.length)).toThrow('a packet before');
    expect(seen).toEqual([]);
  });

  it.each([
    ['that is too short', 3],
    ['as long as the packet', 16],
    ['that leaves no payload', 15],
    ['longer than the packet', 255],
  ])('refuses padding %s, although its sender signed it', (_what, padding) => {
    const length = Buffer.from([0, 0, 0, 16]);
    const cipher = createCipheriv('aes-128-gcm', key, nonce());
    cipher.setAAD(length);
    const body = cipher.update(Buffer.from([padding, ...Buffer.alloc(15)]));
    cipher.final();
    expect(() => opened([Buffer.concat([length, body, cipher.getAuthTag()])])).toThrow('Bad padding length');
  });

  it.each([0, 15, 17, 35_000, 2 ** 32 - 16])('refuses a packet of length %d', (length) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32BE(length);
    expect(() => opened([bytes])).toThrow('Bad packet length');
  });

  it('stops at new keys and tells where they begin', () => {
    const bytes = wire([Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]);
    const { payloads, ends } = opened([bytes], (count) => (count === 2 ? false : undefined));
    expect(payloads.map(String)).toEqual(['one', 'two']);
    expect(ends).toEqual([wire([Buffer.from('one'), Buffer.from('two')]).length]);
  });

  it('counts packets as SSH does', () => {
    const { decipher } = opened([wire([Buffer.from('one'), Buffer.from('two'), Buffer.from('three')])]);
    expect(decipher.inSeqno).toBe(1);
  });
});
