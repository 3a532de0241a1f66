import { createRequire } from 'node:module';
import type { Decipher } from './quicken.ts';

/** What a connection agreed on, and how it is received. */
export interface ConnectionFacts {
  /** How errors call the host. */
  readonly host: string;
  /** Cipher of what comes from the node, by its SSH name. */
  readonly cipher: string;
  /**
   * What deciphers it: ssh2's native `add-on`; `own` code of this package, which is as fast; or the slower JavaScript of
   * `ssh2`: for ciphers other than AES-GCM, or when this is not the ssh2 whose internals this package knows.
   */
  readonly decipher: Decipher;
}

/** What the embedded client is on this machine. */
export interface EmbeddedClientFacts {
  /** Version of ssh2; `null` when it does not tell. */
  readonly version: string | null;
  /** Its native add-on; `unknown` when this is not the ssh2 whose internals this package knows. */
  readonly addOn: 'loaded' | 'absent' | 'unknown';
  /** One sentence for an operator. */
  readonly meaning: string;
}

/** Whether ssh2's native add-on is there, and what that means. Connects to nothing. */
export function embeddedClient(): EmbeddedClientFacts {
  const load = createRequire(import.meta.url);
  const read = (path: string): Record<string, unknown> => {
    try {
      return load(path);
    } catch {
      return {};
    }
  };
  const { version } = read('ssh2/package.json');
  const { bindingAvailable } = read('ssh2/lib/protocol/crypto.js');
  const addOn = typeof bindingAvailable !== 'boolean' ? 'unknown' : bindingAvailable ? 'loaded' : 'absent';
  return { version: typeof version === 'string' ? version : null, addOn, meaning: meanings[addOn] };
}

const meanings: Readonly<Record<EmbeddedClientFacts['addOn'], string>> = {
  loaded: 'ssh2 deciphers with its native add-on, whatever the cipher.',
  absent:
    'This package deciphers AES-GCM as fast as the add-on of ssh2 would; AES-CTR costs a fifth more, chacha20 twice.',
  unknown: 'This ssh2 is not the one that this package knows: it works, and may be slow.',
};
