import { keyType } from '../trust/known-hosts.ts';

const magic = Buffer.from('openssh-key-v1\0');

/**
 * The public half of a private key in OpenSSH's own format, which tells it also of an encrypted one, or of a public key file.
 *
 * @returns The key as it travels on the wire; `null` for every other text.
 */
export function publicKeyOf(text: string): Buffer | null {
  const [, plain] = /^[a-z][\w@.-]* ([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(text) ?? [];
  if (plain !== undefined) return Buffer.from(plain, 'base64');
  const [, encoded = ''] = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (!bytes.subarray(0, magic.length).equals(magic)) return null;
  // Cipher, key derivation and its options; then, behind the number of keys, the first public one.
  let [at, next] = [magic.length, magic.length];
  for (let field = 0; field < 4; field++) {
    at = next + (field === 3 ? 4 : 0);
    if (at + 4 > bytes.length) return null;
    next = at + 4 + bytes.readUInt32BE(at);
  }
  return next <= bytes.length ? bytes.subarray(at + 4, next) : null;
}

/** The type of such a key, for instance `sk-ssh-ed25519@openssh.com`. */
export function privateKeyType(text: string): string | null {
  const key = publicKeyOf(text);
  return key === null ? null : keyType(key) || null;
}
