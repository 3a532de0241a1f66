import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ParseError } from '@splitmirror/host';
import { matchesPattern } from '../patterns.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  /** `trusted`: a plain line. `revoked`: `@revoked`, refused whatever else is known. `authority`: `@cert-authority`. */
  readonly marker: 'trusted' | 'revoked' | 'authority';
  /** The first field: patterns separated by commas, or one hashed name (`|1|salt|hash`). */
  readonly names: string;
  /** Key type as the file spells it, for instance `ssh-ed25519`. */
  readonly type: string;
  /** The public key as it travels on the wire. */
  readonly key: Buffer;
  /** Where the line stands, for instance `/home/op/.ssh/known_hosts:12`. */
  readonly at: string;
}

/** What the known hosts say about a presented key. */
export type KeyVerdict =
  | { readonly kind: 'trusted' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'changed'; readonly expected: readonly KnownHost[] }
  | { readonly kind: 'revoked'; readonly line: KnownHost };

/**
 * Reads a known_hosts file as sshd(8) describes it. A line without a readable key trusts nobody and is passed over, as
 * OpenSSH does; a line with a marker that cannot be read could revoke a key, and is an error.
 *
 * @throws {@link ParseError} at a marked line that is not understood.
 * @see https://man.openbsd.org/sshd#SSH_KNOWN_HOSTS_FILE_FORMAT
 */
export function parseKnownHosts(text: string, source: string): KnownHost[] {
  const known: KnownHost[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) continue;
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names, type, encoded] = fields;
    const key = type !== undefined && encoded !== undefined ? publicKey(type, encoded) : undefined;
    if (names === undefined || type === undefined || key === undefined) {
      if (marker === undefined) continue;
      throw new ParseError(source, 'a marked line without a readable key', { line: index + 1, text: line });
    }
    known.push({ marker: markerOf(marker, source, index + 1, line), names, type, key, at: `${source}:${index + 1}` });
  }
  return known;
}

function markerOf(marker: string | undefined, source: string, line: number, text: string): KnownHost['marker'] {
  switch (marker) {
    case undefined:
      return 'trusted';
    case '@revoked':
      return 'revoked';
    case '@cert-authority':
      return 'authority';
    default:
      throw new ParseError(source, 'unknown marker', { line, text });
  }
}

/** The key's bytes, provided that they name the same type as the line does. */
function publicKey(type: string, encoded: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return keyType(key) === type ? key : undefined;
}

/** The type that a public key names in its first field; empty when it is no key. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  const type = length <= 64 && key.length >= 4 + length ? key.toString('latin1', 4, 4 + length) : '';
  // It is shown, and written to known_hosts: no line of its own must come from whoever answers.
  return /^[\w.@-]+$/.test(type) ? type : '';
}

/** A key's fingerprint as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The name under which a host stands in known_hosts: the port is part of it unless it is 22. */
export function knownName(address: string, port: number): string {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The line that would make this key trusted. */
export function knownHostsLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString('base64')}`;
}

/** The lines that speak of this host. */
export function linesFor(known: readonly KnownHost[], name: string): KnownHost[] {
  return known.filter((line) => matches(line.names, name));
}

/** Weighs a presented key against the lines that speak of the host. */
export function judgeKey(lines: readonly KnownHost[], key: Buffer): KeyVerdict {
  const revoked = lines.find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked) return { kind: 'revoked', line: revoked };
  const trusted = lines.filter((line) => line.marker === 'trusted');
  if (trusted.some((line) => line.key.equals(key))) return { kind: 'trusted' };
  return trusted.length > 0 ? { kind: 'changed', expected: trusted } : { kind: 'unknown' };
}

function matches(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHash(names, name);
  let matched = false;
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(names: string, name: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || !salt || !hash) return false;
  const wanted = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}
