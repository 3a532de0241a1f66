import { createDecipheriv, type KeyObject } from 'node:crypto';
import { markMemory } from './packet-memory.ts';

/** Longest packet that is taken: 32 KiB of data, what stands around it, and some room, as ssh2 has it. */
const maxPacketBytes = 35_000;
const lengthBytes = 4;
const tagBytes = 16;
/** RFC 4253, section 6. */
const minPaddingBytes = 4;

/** The keys of one direction, as the key exchange has made them. */
interface GcmKeys {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm';
  readonly key: KeyObject;
  /** 12 bytes; the last 8 count the packets. Changed in place. */
  readonly nonce: Buffer;
  /** Sequence number of the next packet. */
  readonly inSeqno: number;
  /** Takes a packet's payload; whatever it returns other than `undefined` ends the call of `decrypt`. */
  readonly onPayload: (payload: Buffer) => number | false | undefined;
}

/** What ssh2 expects of a decipher. Its names, since it also writes two of them. */
interface PacketDecipher {
  inSeqno: number;
  _onPayload: (payload: Buffer) => number | false | undefined;
  /**
   * Takes `data` from `from` to `to` and hands out the packets in it, each only when its tag has proved to be right. Nothing
   * of `data` is kept.
   *
   * @throws Error at a packet that is not right, and from then on: a connection ends with it.
   * @returns Where to go on when the keys have changed; `undefined` when everything was taken.
   */
  decrypt(data: Buffer, from: number, to: number): number | undefined;
  free(): void;
}

/**
 * Opens AES-GCM packets (RFC 5647, as OpenSSH has it). ssh2's own, without its native add-on, hands the key as bytes to
 * each packet, which costs Node more than the deciphering itself, and puts packets together from pieces. Here the key is
 * a KeyObject, and a packet is opened where it lies.
 */
export function packetDecipher({ cipher, key, nonce, inSeqno, onPayload }: GcmKeys): PacketDecipher {
  /** The beginning of a packet whose end has not arrived yet. */
  const held = Buffer.allocUnsafeSlow(lengthBytes + maxPacketBytes);
  let heldBytes = 0;
  let isBroken = false;

  function open(data: Buffer, from: number, to: number): Buffer {
    const decipher = createDecipheriv(cipher, key, nonce);
    decipher.setAAD(data.subarray(from, from + lengthBytes));
    const packet = decipher.update(data.subarray(from + lengthBytes, to - tagBytes));
    decipher.setAuthTag(data.subarray(to - tagBytes, to));
    decipher.final();
    countUp(nonce);
    markMemory(packet);
    const padding = packet[0] ?? 0;
    if (padding < minPaddingBytes || padding > packet.length - 2) throw new Error('Bad padding length');
    return packet.subarray(1, packet.length - padding);
  }

  const self: PacketDecipher = {
    inSeqno,
    _onPayload: onPayload,
    decrypt(data, from, to) {
      if (isBroken) throw new Error('a packet before this one was not right');
      let at = from;
      while (at < to) {
        isBroken = true;
        let payload: Buffer;
        const whole = heldBytes === 0 && to - at >= lengthBytes ? wireBytes(data, at) : Number.POSITIVE_INFINITY;
        if (to - at >= whole) {
          payload = open(data, at, at + whole);
          at += whole;
        } else {
          const wanted = heldBytes < lengthBytes ? lengthBytes : wireBytes(held, 0);
          const end = Math.min(to, at + wanted - heldBytes);
          heldBytes += data.copy(held, heldBytes, at, end);
          at = end;
          if (heldBytes < lengthBytes || heldBytes < wireBytes(held, 0)) {
            isBroken = false;
            continue;
          }
          payload = open(held, 0, heldBytes);
          heldBytes = 0;
        }
        isBroken = false;
        self.inSeqno = (self.inSeqno + 1) >>> 0;
        const answer = self._onPayload(payload);
        if (answer !== undefined) return answer === false ? at : answer;
      }
      return undefined;
    },
    free() {},
  };
  return self;
}

/** Bytes of a packet with its length before it and its tag behind it. */
function wireBytes(data: Buffer, at: number): number {
  const length = data.readUInt32BE(at);
  // Also refuses a packet with no room for its padding, before anything is opened.
  if (length + lengthBytes + tagBytes > maxPacketBytes || length < 16 || length % 16 !== 0) {
    throw new Error('Bad packet length');
  }
  return lengthBytes + length + tagBytes;
}

function countUp(nonce: Buffer): void {
  for (let at = 11; at >= 4; at -= 1) {
    const next = ((nonce[at] ?? 0) + 1) & 0xff;
    nonce[at] = next;
    if (next !== 0) return;
  }
}
