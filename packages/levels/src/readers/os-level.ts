import { ParseError } from '@splitmirror/host';
import { onlyLine } from './lines.ts';
import { parseVrmf, type Vrmf } from './vrmf.ts';

/** The level of AIX as `oslevel -s` or `oslevel -r` prints it. */
export interface OsLevel {
  /** As printed: `7200-03-05-2016`, `5300-09-CSP`, `7200-04`. */
  readonly text: string;
  /** Four digits, one for each part of V.R.M.F. */
  readonly release: string;
  /** The same with dots: `7.2.0.0`. */
  readonly version: string;
  /** Technology (maintenance) level, 0 to 99. */
  readonly technologyLevel: number;
  /** `CSP`: the concluding service pack, after all others. `null`: not printed. 0: no service pack. */
  readonly servicePack: number | 'CSP' | null;
  /** Build sequence: year and week, four digits with their leading zeros; `0000` without a service pack. `null`: not printed. */
  readonly build: string | null;
}

const osLevelPattern = /^(\d{4})-(\d{2})(?:-(\d{2}|CSP)(?:-(\d{4}))?)?$/;

/** Reads a level such as `7200-03-05-2016`. `null` for any other text. */
export function osLevelOf(text: string): OsLevel | null {
  const [, release, technologyLevel, servicePack, build] = osLevelPattern.exec(text) ?? [];
  if (release === undefined) return null;
  return {
    text,
    release,
    version: [...release].join('.'),
    technologyLevel: Number(technologyLevel),
    servicePack: servicePack === undefined ? null : servicePack === 'CSP' ? 'CSP' : Number(servicePack),
    build: build ?? null,
  };
}

/**
 * Reads what `oslevel -s` or `oslevel -r` prints: one level, with blank lines around it.
 *
 * @throws ParseError when the answer is anything else.
 */
export function parseOsLevel(text: string): OsLevel {
  const at = onlyLine('oslevel -s', text);
  const level = osLevelOf(at.text);
  if (level === null) throw new ParseError('oslevel -s', 'not a level', at);
  return level;
}

/**
 * Reads what `oslevel` without flags prints: `7.2.0.0`.
 *
 * @throws ParseError when the answer is anything else.
 */
export function parseOsVersion(text: string): Vrmf {
  const at = onlyLine('oslevel', text);
  const version = parseVrmf(at.text);
  if (version === null) throw new ParseError('oslevel', 'not a version', at);
  return version;
}

/** Orders by release, technology level, service pack (CSP last) and build; what was not printed comes first. */
export function compareOsLevels(a: OsLevel, b: OsLevel): number {
  return (
    Number(a.release) - Number(b.release) ||
    a.technologyLevel - b.technologyLevel ||
    packRank(a) - packRank(b) ||
    Number(a.build ?? -1) - Number(b.build ?? -1)
  );
}

function packRank({ servicePack }: OsLevel): number {
  if (servicePack === null) return -1;
  return servicePack === 'CSP' ? 100 : servicePack;
}
