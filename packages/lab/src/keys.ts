import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

/** A key pair in OpenSSH's own formats. */
export interface KeyPair {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA... comment` */
  readonly publicKey: string;
  /** `SHA256:...` as ssh-keygen prints it. */
  readonly fingerprint: string;
}

/** Makes an ed25519 key pair. About one in a hundred that ssh2 1.17 makes cannot be read again: those are thrown away. */
export function makeKeyPair(comment: string): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    const [, blob = ''] = pair.public.split(' ');
    const read = ssh2.utils.parseKey(pair.private);
    if (read instanceof Error || read.getPublicSSH().toString('base64') !== blob) continue;
    const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '');
    return { privateKey: pair.private, publicKey: pair.public, fingerprint: `SHA256:${digest}` };
  }
}
