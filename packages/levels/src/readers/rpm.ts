import { ParseError } from '@splitmirror/host';
import { saidLines } from './lines.ts';

/** One package as `rpm -qa` prints it: name-version-release, with the architecture where rpm appends it. */
export interface RpmPackage {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  /** `ppc`, `noarch` ...; `null` when not printed. */
  readonly arch: string | null;
}

const rpmPattern = /^(\S+)-([^-\s]+)-([^-\s]+?)(?:\.(ppc|ppc64|noarch))?$/;

/**
 * Reads what `rpm -qa` prints.
 *
 * @throws ParseError at a line of another shape, or when the output was cut.
 */
export function parseRpmPackages(text: string): RpmPackage[] {
  return saidLines('rpm -qa', text).map((at) => {
    const [, name, version, release, arch] = rpmPattern.exec(at.text.trim()) ?? [];
    if (name === undefined || version === undefined || release === undefined) {
      throw new ParseError('rpm -qa', 'not name-version-release', at);
    }
    return { name, version, release, arch: arch ?? null };
  });
}

/**
 * Orders versions or releases as rpm does: segment by segment, numbers as numbers and after letters; a `~` comes before
 * everything, even the end.
 */
export function compareRpmVersions(a: string, b: string): number {
  const [left, right] = [segments(a), segments(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = compareSegments(left[index], right[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function segments(text: string): string[] {
  return text.match(/~|\d+|[A-Za-z]+/g) ?? [];
}

function compareSegments(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === '~' || b === '~') return a === '~' ? -1 : 1;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const [left, right] = [/^\d/.test(a), /^\d/.test(b)];
  if (left !== right) return left ? 1 : -1;
  if (!left) return a < b ? -1 : 1;
  const [x, y] = [BigInt(a), BigInt(b)];
  return x === y ? 0 : x < y ? -1 : 1;
}
