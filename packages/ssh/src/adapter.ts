import { type Algorithms, offered, SshSettingsError } from './algorithms.ts';
import type { SshOptions } from './options.ts';

/** `ssh2`: the embedded client. `openssh`: the system's `ssh`. */
export type Adapter = 'ssh2' | 'openssh';

/** An adapter, and why it is that one. */
export interface AdapterChoice {
  readonly adapter: Adapter;
  /** One sentence for an operator. */
  readonly because: string;
}

/** What a choice rests on beside the settings; `readEvidence` reads it. */
export interface AdapterEvidence {
  /** Types of the private keys, such as `sk-ssh-ed25519@openssh.com`. */
  readonly keyTypes?: readonly string[] | undefined;
  /** Certificates that lie beside the private keys, such as `/root/.ssh/id_ed25519-cert.pub`. */
  readonly certificates?: readonly string[] | undefined;
  /** Lines of known_hosts that name a certificate authority for the node, such as `/root/.ssh/known_hosts:3`. */
  readonly authorities?: readonly string[] | undefined;
}

/** Which adapter serves these settings: the embedded one unless something is asked that it cannot do. Pure. */
export function chooseAdapter(options: SshOptions, evidence: AdapterEvidence = {}): AdapterChoice {
  const [jump, ...others] = options.jumps ?? [];
  const hardware = evidence.keyTypes?.find((type) => type.startsWith('sk-'));
  const [authority] = evidence.authorities ?? [];
  const [certificate] = evidence.certificates ?? [];
  const reasons = [
    ...inabilities(options),
    ...(hardware === undefined
      ? []
      : [`a key is of the type ${hardware}, on a hardware token, which only OpenSSH can ask to sign`]),
    ...(certificate === undefined ? [] : [`${certificate} certifies a key, which only OpenSSH can show`]),
    ...(authority === undefined
      ? []
      : [`${authority} trusts a certificate authority for it, and only OpenSSH checks host certificates`]),
    ...(jump === undefined
      ? []
      : [
          `it is reached through ${[jump, ...others].map(({ address }) => address).join(', ')}, for which OpenSSH runs a process each`,
        ]),
  ];
  const [first] = reasons;
  if (first !== undefined) return { adapter: 'openssh', because: first };
  return { adapter: 'ssh2', because: 'nothing is asked that the embedded client cannot do, and it is the faster one' };
}

/**
 * Refuses settings that the embedded client would have to pass over.
 *
 * @throws SshSettingsError
 */
export function refuseUnable(host: string, options: SshOptions): void {
  const [reason] = inabilities(options);
  if (reason === undefined) return;
  throw new SshSettingsError(`${host}: the adapter ssh2 cannot do this: ${reason}`, {
    remedy: 'Choose the adapter openssh, or auto.',
  });
}

/** What the embedded client cannot do of what is asked. */
function inabilities(options: SshOptions): string[] {
  const only = (setting: unknown, reason: string) => (setting ? [reason] : []);
  return [
    ...only(options.proxyCommand, 'a proxy command makes the connection, which only OpenSSH runs'),
    ...only(options.gssapi, 'it logs in with Kerberos (GSSAPI), which only OpenSSH can'),
    ...only(options.certificates?.length, 'it logs in with a user certificate, which only OpenSSH can show'),
    ...only(options.revokedHostKeys, 'a list of revoked host keys is to be kept, which only OpenSSH reads'),
    ...only(options.pkcs11Provider, 'the key is on a smart card (PKCS#11), which only OpenSSH can ask'),
    ...only(options.securityKeyProvider, 'the key is on a hardware token, which only OpenSSH can ask'),
    ...(['kex', 'hostKeys', 'ciphers', 'macs'] as const).flatMap((kind) => leftWithNone(kind, options.algorithms)),
  ];
}

const kinds: Readonly<Record<keyof Algorithms, string>> = {
  kex: 'key exchanges',
  hostKeys: 'host key signatures',
  ciphers: 'ciphers',
  macs: 'message authentication codes',
};

function leftWithNone(kind: keyof Algorithms, algorithms: Algorithms | undefined): string[] {
  if (offered(kind, algorithms).length > 0) return [];
  return [`of the ${kinds[kind]} that are allowed (${algorithms?.[kind]}) only OpenSSH may know one`];
}
