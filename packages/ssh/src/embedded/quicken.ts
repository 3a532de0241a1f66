import { createSecretKey } from 'node:crypto';
import { packetDecipher } from './packet-decipher.ts';

/** What deciphers the packets of a connection: ssh2's native add-on, our own code, or ssh2's JavaScript. */
export type Decipher = 'add-on' | 'own' | 'ssh2';

interface Internals {
  _protocol?: {
    _decipher?: Record<string, unknown>;
    _cipher?: Record<string, unknown>;
  };
}

/** Keys that ssh2's JavaScript hands to Node for each packet: as bytes, that costs more than their use. */
const keyProperties = ['_encKey', '_macKey', '_encKeyMain', '_encKeyPktLen', '_decKeyMain', '_decKeyPktLen'];

/** To be called after each key exchange of a client of ssh2 1.17, whose internals it changes where it knows them. */
export function quicken(client: object): Decipher {
  const protocol = (client as Internals)._protocol;
  const { _cipher: outbound, _decipher: inbound } = protocol ?? {};
  if (protocol === undefined || inbound === undefined) return 'ssh2';
  for (const cipher of [outbound, inbound]) {
    if (!cipher?.constructor.name.endsWith('Native')) continue;
    for (const property of keyProperties) {
      const key = cipher[property];
      if (Buffer.isBuffer(key)) cipher[property] = createSecretKey(key);
    }
  }
  if (inbound.constructor.name.endsWith('Binding')) return 'add-on';
  const { _decipherSSLName: cipher, _decipherKey: key, _decipherIV: nonce, inSeqno, _onPayload: onPayload } = inbound;
  if (
    inbound.constructor.name !== 'AESGCMDecipherNative' ||
    (cipher !== 'aes-128-gcm' && cipher !== 'aes-256-gcm') ||
    !Buffer.isBuffer(key) ||
    !Buffer.isBuffer(nonce) ||
    nonce.length !== 12 ||
    typeof inSeqno !== 'number' ||
    // Within a packet: its beginning would be lost.
    inbound._lenBytes !== 0 ||
    typeof onPayload !== 'function'
  ) {
    return 'ssh2';
  }
  const own = packetDecipher({ cipher, key: createSecretKey(key), nonce, inSeqno, onPayload: onPayload as never });
  protocol._decipher = own as unknown as Record<string, unknown>;
  return 'own';
}
