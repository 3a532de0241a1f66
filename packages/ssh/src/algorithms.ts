import { SplitmirrorError } from '@splitmirror/host';
import type { SshWarning } from './options.ts';
import { matchesPattern } from './patterns.ts';

/**
 * Which algorithms a node may agree on, each spelled as in ssh_config: a list separated by commas, or changes to the usual
 * list: `+a,b` appends, `^a,b` prepends, `-a,b` takes away (`*` and `?` are wildcards there).
 */
export interface Algorithms {
  readonly kex?: string | undefined;
  /** Signatures of the host's key; `+ssh-rsa` lets this host sign, and be signed for, with SHA-1. */
  readonly hostKeys?: string | undefined;
  readonly ciphers?: string | undefined;
  readonly macs?: string | undefined;
}

/** A setting cannot be used: it would not mean what it says, or the chosen adapter cannot do it. */
export class SshSettingsError extends SplitmirrorError {
  readonly code = 'SSH_SETTINGS';
}

/** By measurement: AES-GCM goes through Node's OpenSSL, everything else is slower; OpenSSH itself would begin with chacha20. */
export const usualCiphers = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
] as const;

/** What the embedded client can do: what it offers by itself, in this order, and what a setting may add. */
const embedded = {
  kex: {
    usual: [
      'curve25519-sha256@libssh.org',
      'curve25519-sha256',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group18-sha512',
    ],
    others: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  },
  hostKeys: {
    usual: [
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ],
    others: ['ssh-rsa', 'ssh-dss'],
  },
  ciphers: { usual: usualCiphers, others: ['aes128-cbc', 'aes192-cbc', 'aes256-cbc', '3des-cbc'] },
  macs: {
    usual: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha1-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
      'hmac-sha1',
    ],
    others: ['hmac-md5', 'hmac-md5-96', 'hmac-sha1-96', 'hmac-ripemd160'],
  },
} as const;

/**
 * What the embedded client offers of one kind; empty when nothing is left that it can do.
 *
 * @throws SshSettingsError when a name could not be one.
 */
export function offered(kind: keyof Algorithms, settings: Algorithms = {}): string[] {
  const { usual, others } = embedded[kind];
  const able: readonly string[] = [...usual, ...others];
  return applied(settings[kind], usual).filter((name) => able.includes(name));
}

/** Not agreed on unless a host's own settings name it, and then with a warning. */
const legacy =
  /^(?:.*-sha1|gss-.*|ssh-rsa|ssh-dss|rsa1.*|.*-cbc(?:@.*)?|arcfour.*|hmac-(?:md5|ripemd160).*|hmac-sha1-96.*)$/;

/** The algorithms among these that nobody should still use: SHA-1 in a key exchange or signature, CBC, RC4, MD5. */
export function legacyAmong(names: readonly string[]): string[] {
  return names.filter((name) => legacy.test(name) && !/^hmac-sha1(?:-etm@openssh\.com)?$/.test(name));
}

/** Told when such ones were agreed on. */
export function legacyWarning(host: string, names: readonly string[]): SshWarning {
  const message = `${host} agreed on ${names.join(', ')}, which nobody should rely on any more; its settings allow it`;
  return { code: 'LEGACY_ALGORITHM', host, message };
}

/**
 * The list that a setting makes of the usual one.
 *
 * @throws SshSettingsError when a name could not be one.
 */
export function applied(setting: string | undefined, usual: readonly string[]): string[] {
  if (setting === undefined) return [...usual];
  const [, how = '', list = ''] = /^([-+^]?)(.*)$/s.exec(setting) ?? [];
  const names = list.split(',');
  const wrong = names.find((name) => !/^[\w@.*?-]+$/.test(name));
  if (wrong !== undefined) {
    throw new SshSettingsError(`${JSON.stringify(wrong)} is not the name of an algorithm`, {
      remedy: 'Write algorithms as ssh_config does: a,b or +a,b or ^a,b or -a,b.',
    });
  }
  switch (how) {
    case '+':
      return [...usual, ...names.filter((name) => !usual.includes(name))];
    case '^':
      return [...names, ...usual.filter((name) => !names.includes(name))];
    case '-':
      return usual.filter((name) => !names.some((pattern) => matchesPattern(pattern, name)));
    default:
      return names;
  }
}
