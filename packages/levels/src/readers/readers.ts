import { parseClusterManagerLevels, parseClusterVersion, parseNodeVersions } from './cluster-versions.ts';
import { shapeOf } from './command-shape.ts';
import { parseConsistency } from './consistency.ts';
import { parseIosLevel, parseMachineLevels, parseMicrocode, parseSystemFirmware } from './firmware.ts';
import { parseFixReport, parseFixRows } from './fixes.ts';
import { parseHaLevel } from './ha-level.ts';
import { parseHistory } from './history.ts';
import { parseInterimFixes } from './interim-fixes.ts';
import { parseKnownLevels, parseOffLevelFilesets } from './known-levels.ts';
import { parseListing } from './listing.ts';
import { parseOsLevel, parseOsVersion } from './os-level.ts';
import { parseParts } from './parts.ts';
import { parseRpmPackages } from './rpm.ts';
import { parsePeerDomains, parsePeerNodes } from './rsct.ts';
import { parseSoftwareTable } from './software-table.ts';

/** Reads the output of a command; throws `ParseError` and nothing else. */
export type Reader = (text: string) => unknown;

/**
 * Finds the reader for a command by its name and options, as typed: `lslpp -Lc`, `# /usr/bin/oslevel -s`,
 * `LANG=C emgr -l | more`.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  const typed = shapeOf(command);
  const read = readers.find(([shape]) => shape.test(typed))?.[1];
  return read && ((text) => read(text, typed.replace(/^.* /, '')));
}

const readers: readonly (readonly [shape: RegExp, read: (text: string, operand: string) => unknown])[] = [
  [/^lslpp Lc$/, (text) => parseListing(text)],
  [/^lslpp cl$/, (text) => parseParts(text)],
  [/^lslpp l$/, parseSoftwareTable],
  [/^lslpp h$/, parseHistory],
  [/^(?:emgr l|lslpp e)$/, parseInterimFixes],
  [/^oslevel$/, parseOsVersion],
  [/^oslevel [rs]$/, parseOsLevel],
  [/^oslevel (?:q|qr|qs)$/, parseKnownLevels],
  [/^oslevel (?:l|lr|ls|g|gr|gs)\b/, parseOffLevelFilesets],
  [/^instfix (?:ci|cik)\b/, parseFixRows],
  [/^(?:instfix (?:i|ik|k)|nim)\b/, parseFixReport],
  [/^lppchk\b/, parseConsistency],
  [/^halevel\b/, parseHaLevel],
  [/^lssrc ls clstrmgrES$/, parseClusterManagerLevels],
  [/^odmget HACMPcluster$/, parseClusterVersion],
  [/^odmget HACMPnode$/, parseNodeVersions],
  [/^lsrpdomain$/, parsePeerDomains],
  [/^lsrpnode$/, parsePeerNodes],
  [/^rpm aq$/, parseRpmPackages],
  [/^lsmcode A$/, (text) => parseMicrocode(text)],
  [/^lsmcode [cr]$/, parseSystemFirmware],
  [/^lsmcode dr \S+$/, (text, device) => parseMicrocode(text, device)],
  [/^(?:prtconf|lsconf)$/, parseMachineLevels],
  [/^ioslevel$/, parseIosLevel],
];
