import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type FilesetPart,
  type ListedFileset,
  parseClusterManagerLevels,
  parseClusterVersion,
  parseConsistency,
  parseFixReport,
  parseFixRows,
  parseHaLevel,
  parseInterimFixes,
  parseIosLevel,
  parseKnownLevels,
  parseListing,
  parseMachineLevels,
  parseMicrocode,
  parseNodeVersions,
  parseOffLevelFilesets,
  parseOsLevel,
  parseOsVersion,
  parseParts,
  parsePeerDomains,
  parsePeerNodes,
  parseRpmPackages,
  parseSoftwareTable,
  parseSystemFirmware,
} from '../src/index.ts';
import { shapeOf } from '../src/readers/command-shape.ts';
import { typedCommand } from '../src/readers/readers.ts';

/** Real output of real systems, kept outside the repository; each with a file that says what must come out. */
const root = process.env.SPLITMIRROR_CAPTURES ?? fileURLToPath(new URL('../../../../shared/captures', import.meta.url));
const folder = join(root, 'levels');

type Expected = Readonly<Record<string, unknown>>;

/** What our reader makes of a capture, under the keys of the expected file; by program, sorted flags and first operand. */
const readers: readonly (readonly [command: RegExp, read: (text: string, operand?: string) => Expected])[] = [
  [/^lslpp Lc$/, (text) => listingFacts(parseListing(text), text)],
  [/^lslpp cl$/, (text) => partFacts(parseParts(text), text)],
  [/^lslpp l$/, (text) => ({ rows: parseSoftwareTable(text).map((row) => ({ ...row, state: row.stateText })) })],
  [/^(?:emgr l|lslpp e)$/, (text) => ({ ifixes: parseInterimFixes(text) })],
  [/^oslevel$/, (text) => ({ value: parseOsVersion(text).text })],
  [
    /^oslevel [rs]$/,
    (text) => {
      const { text: value, release, version, technologyLevel: tl, servicePack: sp, build } = parseOsLevel(text);
      return { value, release, version, tl, sp, build };
    },
  ],
  [
    /^oslevel (?:q|qr|qs)$/,
    (text) => {
      const levels = parseKnownLevels(text);
      return { levels, newest: levels[0] };
    },
  ],
  [/^oslevel (?:l|lr|ls|g|gr|gs)\b/, (text) => ({ rows: parseOffLevelFilesets(text) })],
  [/^instfix (?:ci|cik)\b/, (text) => ({ rows: parseFixRows(text) })],
  [/^(?:instfix (?:i|ik|k)|nim)\b/, (text) => parseFixReport(text) as unknown as Expected],
  [/^lppchk\b/, (text) => parseConsistency(text) as unknown as Expected],
  [
    /^halevel\b/,
    (text) => {
      const { text: value, version, servicePack } = parseHaLevel(text);
      return { value, version, servicePack, servicePackText: value.split(/\s+/)[1] ?? null };
    },
  ],
  [/^lssrc ls clstrmgrES$/, (text) => parseClusterManagerLevels(text) as unknown as Expected],
  [/^odmget HACMPcluster$/, (text) => ({ clusterVersion: parseClusterVersion(text) })],
  [
    /^odmget HACMPnode$/,
    (text) => {
      const versions = parseNodeVersions(text);
      const distinct = [...new Set(versions)].sort((a, b) => a - b);
      return { versions, distinct, mixed: distinct.length > 1 };
    },
  ],
  [/^lsrpdomain$/, (text) => ({ rows: parsePeerDomains(text) })],
  [/^lsrpnode$/, (text) => ({ rows: parsePeerNodes(text) })],
  [/^rpm aq$/, (text) => ({ rows: parseRpmPackages(text) })],
  [/^lsmcode (?:A$|dr )/, (text, operand) => ({ devices: parseMicrocode(text, operand) })],
  [/^lsmcode [cr]$/, (text) => ({ level: parseSystemFirmware(text), value: parseSystemFirmware(text) })],
  [/^(?:prtconf|lsconf)$/, (text) => parseMachineLevels(text) as unknown as Expected],
  [/^ioslevel$/, (text) => ({ value: parseIosLevel(text) })],
];

/** Commands that are no source of this package, with the reason. */
const notRead: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^flrtvc/, 'a judgement of another tool, not a level'],
  [/^lspartition/, 'the HMC lags behind the nodes: never evidence against them'],
  [/^lsvpd/, 'the same levels come from lsmcode and prtconf'],
  [/^lslpp cp/, 'requisites are judged by lppchk, not by us'],
  [/^clmgr/, 'node states belong to @splitmirror/hacmp'],
  [/^(?:compare_report|suma)/, 'a list of what IBM offers, not of what a node has'],
];

if (existsSync(folder)) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  describe('captures', () => {
    for (const name of names) {
      const [, commandLine = '', ...lines] = readFileSync(join(folder, name), 'utf8').split('\n');
      const typed = typedCommand(commandLine.replace(/^# command: /, ''));
      const command = `${typed.program} ${shapeOf(typed)}`.trim();
      const expected: Expected = JSON.parse(
        readFileSync(join(folder, name.replace(/\.txt$/, '.expected.json')), 'utf8'),
      );
      const read = readers.find(([pattern]) => pattern.test(command))?.[1];
      const reason = notRead.find(([pattern]) => pattern.test(command))?.[1];
      if (read === undefined) {
        it.skip(`${name}: ${reason ?? `no reader for "${command}"`}`, () => {});
        continue;
      }
      it(`${name}: ${command}`, () => {
        // The store may have dropped the last line feed; whether output was cut is tested elsewhere.
        const text = lines.join('\n').replace(/\n*$/, '\n');
        const actual = read(text, command.split(' ')[2]);
        const keys = Object.keys(expected).filter((key) => key in actual);
        expect(keys.length).toBeGreaterThan(0);
        // A reader may tell more than is expected, within rows too.
        for (const key of keys)
          expect({ [key]: actual[key] }).toMatchObject({ [key]: nulls(expected[key], actual[key]) });
      });
    }
  });
} else {
  it.skip(`captures: ${folder} does not exist`, () => {});
}

function listingFacts(rows: readonly ListedFileset[], text: string): Expected {
  const lines = text.trimEnd().split('\n');
  const named = rows.map((row) => ({
    row,
    package: row.package,
    fileset: row.fileset,
    level: row.level,
    stateColumn4: '',
    ptf: '',
    fixState: row.stateText,
    type: row.type,
    description: row.description,
    uninstaller: row.uninstaller,
    automatic: row.automatic === null ? '' : String(Number(row.automatic)),
    efixLocked: row.efixLocked === null ? '' : String(Number(row.efixLocked)),
    installPath: row.installPath,
    buildDate: row.buildDate,
    rawFieldCount: row.line.split(':').length,
  }));
  const whole = named.map(({ row: _, ...facts }) => facts);
  return {
    headerFields: lines[0]?.startsWith('#') ? lines[0].slice(1).split(':') : null,
    rows: rows.length,
    distinctFilesets: new Set(rows.map(({ fileset }) => fileset)).size,
    rowsByFixState: count(whole.map(({ fixState }) => fixState)),
    rowsByType: count(whole.map(({ type }) => type)),
    rowsByEfixLocked: count(whole.map(({ efixLocked }) => efixLocked)),
    rawFieldCounts: count(whole.map(({ rawFieldCount }) => String(rawFieldCount))),
    rpmRows: named
      .filter(({ type }) => type === 'R')
      .map(({ row }) => ({
        name: row.package,
        level: row.level,
        buildDate: row.buildDate,
        installPath: row.installPath,
      })),
    parsed: whole.map(({ package: name, fileset, level, fixState, type, description }) => ({
      package: name,
      fileset,
      level,
      fixState,
      type,
      description,
    })),
    firstRow: whole[0],
    lastRow: whole.at(-1),
    canonicalSha256: digest(
      whole.map((row) => [row.package, row.fileset, row.level, row.fixState, row.type].join('\t')),
    ),
  };
}

function partFacts(rows: readonly FilesetPart[], text: string): Expected {
  const facts = rows.map(({ path, fileset, level, ptf, stateText, type, description, efixLocked }) => ({
    path,
    fileset,
    level,
    ptf,
    state: stateText,
    type,
    description,
    efixLocked: efixLocked === null ? null : efixLocked ? 'EFIXLOCKED' : '',
  }));
  const names = [...new Set(rows.map(({ fileset }) => fileset))];
  const levels = names.map((name): [string, Record<string, string>] => [
    name,
    Object.fromEntries(rows.filter(({ fileset }) => fileset === name).map(({ path, level }) => [path, level])),
  ]);
  return {
    headerFields: text.startsWith('#') ? text.slice(1, text.indexOf('\n')).split(':') : null,
    rows: rows.length,
    distinctFilesets: names.length,
    rowsByState: count(facts.map(({ state }) => state)),
    rowsByType: count(facts.map(({ type }) => type)),
    rowsByPath: count(facts.map(({ path }) => path)),
    filesetsWithDifferentLevelPerPart: Object.fromEntries(
      levels.filter(([, byPath]) => new Set(Object.values(byPath)).size > 1),
    ),
    efixLockedRows: facts.filter(({ efixLocked }) => efixLocked === 'EFIXLOCKED').length,
    firstRow: facts[0],
    lastRow: facts.at(-1),
    tricky: facts.filter(({ state, description }) => state === 'APPLIED' || /[:"]/.test(description)),
    canonicalSha256: digest(facts.map((row) => [row.path, row.fileset, row.level, row.state, row.type].join('\t'))),
  };
}

/** `null` in an expected file stands for an absent cell too, which our readers give as an empty text. */
function nulls(expected: unknown, actual: unknown): unknown {
  if (expected === null && actual === '') return '';
  if (Array.isArray(expected) && Array.isArray(actual))
    return expected.map((item, index) => nulls(item, actual[index]));
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null)
    return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [key, nulls(value, (actual as Record<string, unknown>)[key])]),
  );
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value || '(blank)'] = (counts[value || '(blank)'] ?? 0) + 1;
  return counts;
}

function digest(rows: readonly string[]): string {
  return createHash('sha256').update(rows.toSorted().join('\n')).digest('hex');
}
