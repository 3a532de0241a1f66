import { readTypedCommand, type TypedCommand, withoutPrompts } from '@splitmirror/host';
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
  const typed = typedCommand(command);
  const asked = shapeOf(typed);
  const read = (readers.get(typed.program) ?? []).find(([shape]) => shape.test(asked))?.[1];
  return read && ((text) => read(withoutPrompts(text, typed), typed.operands.at(-1) ?? ''));
}

export function typedCommand(command: string): TypedCommand {
  return readTypedCommand(command, (program) => readers.has(program));
}

/** By program: what it is asked for, and who reads that. */
const readers = new Map<
  string,
  readonly (readonly [asked: RegExp, read: (text: string, operand: string) => unknown])[]
>([
  [
    'lslpp',
    [
      [/^Lc$/, (text) => parseListing(text)],
      [/^cl$/, (text) => parseParts(text)],
      [/^l$/, parseSoftwareTable],
      [/^h$/, parseHistory],
      [/^e$/, parseInterimFixes],
    ],
  ],
  ['emgr', [[/^l$/, parseInterimFixes]]],
  [
    'oslevel',
    [
      [/^$/, parseOsVersion],
      [/^[rs]$/, parseOsLevel],
      [/^q[rs]?$/, parseKnownLevels],
      [/^[gl][rs]?\b/, parseOffLevelFilesets],
    ],
  ],
  [
    'instfix',
    [
      [/^cik?\b/, parseFixRows],
      [/^(?:ik?|k)\b/, parseFixReport],
    ],
  ],
  ['nim', [[/^/, parseFixReport]]],
  ['lppchk', [[/^/, parseConsistency]]],
  ['halevel', [[/^/, parseHaLevel]]],
  ['lssrc', [[/^ls clstrmgrES$/, parseClusterManagerLevels]]],
  [
    'odmget',
    [
      [/^HACMPcluster$/, parseClusterVersion],
      [/^HACMPnode$/, parseNodeVersions],
    ],
  ],
  ['lsrpdomain', [[/^$/, parsePeerDomains]]],
  ['lsrpnode', [[/^$/, parsePeerNodes]]],
  ['rpm', [[/^aq$/, parseRpmPackages]]],
  [
    'lsmcode',
    [
      [/^A$/, (text) => parseMicrocode(text)],
      [/^[cr]$/, parseSystemFirmware],
      [/^dr \S+$/, (text, device) => parseMicrocode(text, device)],
    ],
  ],
  ['prtconf', [[/^$/, parseMachineLevels]]],
  ['lsconf', [[/^$/, parseMachineLevels]]],
  ['ioslevel', [[/^$/, parseIosLevel]]],
]);
