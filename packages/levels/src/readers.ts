import { parseClusterManagerLevels, parseClusterVersion, parseNodeVersions } from './cluster-versions.ts';
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
 * Finds the reader for a command by its name and options, as typed: `lslpp -Lc`, `/usr/bin/oslevel -s`, `emgr -l`.
 *
 * @returns `undefined` for a command, or a form of one, whose output nobody has documented well enough.
 */
export function readerOf(command: string): Reader | undefined {
  return readers.find(([shape]) => shape.test(shapeOf(command)))?.[1];
}

const readers: readonly (readonly [shape: RegExp, read: Reader])[] = [
  [/^lslpp Lc$/, parseListing],
  [/^lslpp cl$/, parseParts],
  [/^lslpp l$/, parseSoftwareTable],
  [/^lslpp ch$/, parseHistory],
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
  [/^lsmcode A$/, parseMicrocode],
  [/^lsmcode [cr]$/, parseSystemFirmware],
  [/^(?:prtconf|lsconf)$/, parseMachineLevels],
  [/^ioslevel$/, parseIosLevel],
];

/** `lslpp -L -q -c` and `/usr/bin/lslpp -Lqc` are one command: program, sorted flags, first operand. */
function shapeOf(command: string): string {
  const [path = '', ...words] = command
    .replace(/[|(].*$/, '')
    .trim()
    .split(/\s+/);
  const program = path.replace(/^.*\//, '');
  const letters = words.flatMap((word) => (word.startsWith('-') ? [...word.slice(1)] : []));
  const flags = program === 'lslpp' || program === 'instfix' ? letters.filter((letter) => letter !== 'q') : letters;
  const operand = words.find((word) => !word.startsWith('-')) ?? '';
  const kept = ['lslpp', 'rpm', 'emgr'].includes(program) ? '' : operand;
  return [program, flags.sort().join(''), kept].filter((word) => word !== '').join(' ');
}
