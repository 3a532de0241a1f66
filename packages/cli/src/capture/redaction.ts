import { createHmac } from 'node:crypto';

/** Names of a site that must not leave it, by kind. The kind is what a stand-in begins with. */
export interface SiteNames {
  readonly node: readonly string[];
  readonly group: readonly string[];
  readonly vg: readonly string[];
  readonly lv: readonly string[];
  readonly fs: readonly string[];
  /** Whatever else the cluster's configuration names: itself, service labels, applications. */
  readonly label: readonly string[];
}

/** Replaces what tells whose cluster it is. The same name gets the same stand-in throughout one bundle. */
export interface Redaction {
  /**
   * @param area What prints it. In `levels` four numbers are a level and dotted words a fileset; elsewhere they are taken
   * for addresses and host names.
   */
  redact(text: string, area: 'levels' | 'other'): string;
  /** Every stand-in with what it stands for; for the owner only. */
  readonly replaced: ReadonlyMap<string, string>;
}

/** Words that a site may well use as a name, and that commands print with a meaning of their own. */
const spoken = new Set(['rootvg', 'online', 'offline', 'none', 'jfs', 'jfs2', 'active', 'true', 'false', 'yes', 'no']);

const ipv4 = /\b(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}\b/g;
const ipv6 = /\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b/gi;
const domain =
  /\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|net|org|edu|gov|int|local|lan|corp|internal|intern|[a-z]{2})\b/gi;
/** Identifiers of volume groups, disks, machines and adapters, with the minor number of a volume left as it is. */
const identifier = /\b(?:[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{12})\b/g;

/**
 * Makes a redaction for one bundle.
 *
 * @param names Names that are known to be the site's own.
 * @param key Secret of this bundle: without it nobody can try names until a stand-in fits.
 */
export function redaction(names: SiteNames, key: Buffer): Redaction {
  const replaced = new Map<string, string>();
  const byOriginal = new Map<string, string>();
  const remember = (original: string, standIn: string): string => {
    const known = byOriginal.get(original);
    if (known !== undefined) return known;
    byOriginal.set(original, standIn);
    replaced.set(standIn, original);
    return standIn;
  };
  for (const [kind, all] of Object.entries(names) as [string, readonly string[]][]) {
    const own = [...new Set(all)].filter((name) => name.length > 1 && !spoken.has(name.toLowerCase())).sort();
    own.forEach((name, index) => {
      remember(name, kind === 'fs' ? `/fs${index + 1}` : `${kind}${index + 1}`);
    });
  }
  // Longest first: a name may be part of another.
  const known = [...byOriginal.keys()].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const pattern =
    known.length === 0
      ? null
      : new RegExp(`(?<![A-Za-z0-9_.-])(?:${known.map(literal).join('|')})(?![A-Za-z0-9_-])`, 'g');
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  const hex = (text: string) => digest(text).toString('hex').slice(0, text.length);
  const address = (text: string) => {
    if (text === '0.0.0.0' || text.startsWith('127.') || text.startsWith('255.')) return text;
    const bytes = digest(text);
    // Set aside for benchmarks: no such address is anybody's.
    return `198.${18 + ((bytes[0] ?? 0) & 1)}.${bytes[1]}.${bytes[2]}`;
  };
  return {
    replaced,
    redact(text, area) {
      const named = pattern === null ? text : text.replace(pattern, (name) => byOriginal.get(name) ?? name);
      const reachable =
        area === 'levels'
          ? named
          : named
              .replace(ipv4, (found) => remember(found, address(found)))
              .replace(ipv6, (found) => remember(found, `2001:db8::${hex(found).slice(0, 4)}`))
              .replace(domain, (found) => remember(found, `host-${hex(found).slice(0, 6)}.example`));
      return reachable.replace(identifier, (found) => (/^0+$/.test(found) ? found : remember(found, hex(found))));
    },
  };
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
