import { describe, expect, it } from 'vitest';
import { type AdapterEvidence, chooseAdapter } from './adapter.ts';
import type { SshOptions } from './options.ts';

const plain: SshOptions = { address: 'nodea', user: 'root' };
const gate: SshOptions = { address: 'gate', user: 'op' };

describe('chooseAdapter', () => {
  it('takes the embedded client while nothing more is asked, and says so', () => {
    const choice = { adapter: 'ssh2', because: expect.stringContaining('embedded client') };
    expect(chooseAdapter(plain)).toEqual(choice);
    expect(
      chooseAdapter({ ...plain, algorithms: { hostKeys: '+ssh-rsa', kex: '^diffie-hellman-group14-sha1' } }),
    ).toEqual(choice);
    expect(chooseAdapter(plain, { keyTypes: ['ssh-ed25519', 'ssh-rsa'], authorities: [], certificates: [] })).toEqual(
      choice,
    );
  });

  it.each<[string, Partial<SshOptions>, AdapterEvidence, RegExp]>([
    ['jump hosts', { jumps: [gate, plain] }, {}, /through gate, nodea/],
    ['a proxy command', { proxyCommand: 'nc %h %p' }, {}, /proxy command/],
    ['Kerberos', { gssapi: true }, {}, /GSSAPI/],
    ['a user certificate', { certificates: ['/k-cert.pub'] }, {}, /user certificate/],
    ['a certificate beside a key', {}, { certificates: ['/k-cert.pub'] }, /\/k-cert\.pub certifies/],
    ['a list of revoked host keys', { revokedHostKeys: '/revoked' }, {}, /revoked host keys/],
    ['a smart card', { pkcs11Provider: '/lib/p11.so' }, {}, /PKCS#11/],
    ['a hardware key', {}, { keyTypes: ['ssh-rsa', 'sk-ssh-ed25519@openssh.com'] }, /sk-ssh-ed25519@openssh\.com/],
    ['another middleware for hardware keys', { securityKeyProvider: '/lib/sk.so' }, {}, /hardware token/],
    [
      'a certificate authority for hosts',
      {},
      { authorities: ['/known:3'] },
      /\/known:3 trusts a certificate authority/,
    ],
    [
      'post-quantum key exchange only',
      { algorithms: { kex: 'mlkem768x25519-sha256,sntrup761x25519-sha512' } },
      {},
      /key exchanges that are allowed \(mlkem768/,
    ],
    [
      'ciphers that the embedded client has not',
      { algorithms: { ciphers: '-aes*,chacha*' } },
      {},
      /ciphers that are allowed/,
    ],
  ])("takes the system's client for %s, and says why", (_what, options, evidence, because) => {
    expect(chooseAdapter({ ...plain, ...options }, evidence)).toEqual({
      adapter: 'openssh',
      because: expect.stringMatching(because),
    });
  });
});
