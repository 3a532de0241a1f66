import { type Division, divide } from './division.ts';
import { type Family, familyOf } from './families.ts';
import type { Draft, Observation, Subject } from './finding.ts';
import { type MinimumLevel, minimumLevels } from './minimum-levels.ts';
import type { ListedFileset } from './readers/listing.ts';
import { compareRpmVersions } from './readers/rpm.ts';
import { compareVrmf, parseVrmf } from './readers/vrmf.ts';
import { commandOf, type ProbeName, type Readings, type Snapshot } from './snapshot.ts';

/** A fileset on which the nodes that could be read do not agree. */
interface Difference {
  readonly name: string;
  readonly family: Family;
  /** One place for each node of {@link Comparison.listed}; `null`: not installed there. */
  readonly rows: readonly (ListedFileset | null)[];
}

/** The snapshot as the rules look at it. */
export interface Comparison {
  readonly snapshot: Snapshot;
  /** Nodes whose fileset list could be read. */
  readonly listed: readonly { readonly node: string; readonly rows: readonly ListedFileset[] }[];
  /** Sorted by name. */
  readonly differences: readonly Difference[];
  readonly minimums: readonly MinimumLevel[];
  /** What the nodes looked like at an earlier time; `null` when there is nothing to compare with. */
  readonly baseline: Snapshot | null;
}

/** Puts the nodes' lists side by side. */
export function compare(
  snapshot: Snapshot,
  { minimums = minimumLevels, baseline = null }: Partial<Pick<Comparison, 'minimums' | 'baseline'>> = {},
): Comparison {
  const listed = snapshot.nodes.flatMap(({ node, readings: { listing } }) =>
    listing.kind === 'data' ? [{ node, rows: listing.value }] : [],
  );
  const byName = new Map<string, (ListedFileset | null)[]>();
  listed.forEach(({ rows }, place) => {
    for (const row of rows) {
      const name = comparedName(row);
      if (name === null) continue;
      let places = byName.get(name);
      if (places === undefined) {
        places = new Array<ListedFileset | null>(listed.length).fill(null);
        byName.set(name, places);
      }
      places[place] = higherOf(row, places[place] ?? null);
    }
  });
  const differences: Difference[] = [];
  for (const [name, rows] of byName) {
    if (!agree(rows) && !rows.some(isPlaceholder))
      differences.push({ name, family: rows.some(isRpm) ? 'rpm' : familyOf(name), rows });
  }
  differences.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { snapshot, listed, differences, minimums, baseline };
}

/** The name under which nodes are compared; `null` for rows that say nothing about a level. */
export function comparedName(row: ListedFileset): string | null {
  // An interim fix is no fileset, and the virtual package AIX-rpm changes with every update of AIX.
  if (row.type === 'E' || (isRpm(row) && row.package === 'AIX-rpm')) return null;
  return isRpm(row) ? `${row.package} (RPM)` : row.fileset;
}

/** A list may name a fileset twice; its level is the higher one, whatever the order. */
export function higherOf(row: ListedFileset, other: ListedFileset | null): ListedFileset {
  if (other === null) return row;
  const [left, right] = [parseVrmf(row.level), parseVrmf(other.level)];
  const order = left !== null && right !== null ? compareVrmf(left, right) : compareRpmVersions(row.level, other.level);
  return order < 0 ? other : row;
}

/** A level that its vendor made up so that nothing replaces it: 99.99.999.999. */
export function isPlaceholder(row: { readonly level: string } | null): boolean {
  return row?.level.startsWith('99.99.9') ?? false;
}

function isRpm(row: ListedFileset | null): boolean {
  return row?.type === 'R';
}

function agree(rows: readonly (ListedFileset | null)[]): boolean {
  const first = rows[0] ?? null;
  return rows.every(
    (row) => row === first || (row !== null && first !== null && levelKey(row.level) === levelKey(first.level)),
  );
}

/** Levels that differ only in spelling have the same key: zero padding, parts that were left out. */
export function levelKey(level: string): string {
  return parseVrmf(level)?.parts.join('.') ?? level;
}

/** Level of the fileset on each node. */
function levelSubject({ listed }: Comparison, { name, rows }: Difference): Subject {
  return {
    name,
    observations: listed.map(({ node }, place) => {
      const row = rows[place] ?? null;
      return { node, value: row?.level ?? null, command: commandOf('listing'), line: row?.line ?? null };
    }),
  };
}

/** The differing filesets of some families, with their levels. */
export function levelSubjects(comparison: Comparison, families: readonly Family[]): Subject[] {
  return comparison.differences
    .filter(({ family }) => families.includes(family))
    .map((difference) => levelSubject(comparison, difference));
}

/** Values of one question, for each node where it was answered with data. */
export function valuesOf<Name extends ProbeName>(
  { nodes }: Snapshot,
  name: Name,
): { readonly node: string; readonly value: Extract<Readings[Name], { kind: 'data' }>['value'] }[] {
  return nodes.flatMap(({ node, readings }) => {
    const reading = readings[name];
    return reading.kind === 'data' ? [{ node, value: reading.value }] : [];
  });
}

/** One value of one command on each node. */
export function answerSubject(
  probe: ProbeName,
  values: readonly { readonly node: string; readonly text: string }[],
  name = commandOf(probe),
): Subject {
  const command = commandOf(probe);
  return { name, observations: values.map(({ node, text }) => ({ node, value: text, command, line: text })) };
}

/** Subjects over which the nodes divide in the same way, by the same words, become one draft; where they agree there is none. */
export function draftsByDivision(
  subjects: readonly Subject[],
  sideOf: (observation: Observation) => string | null,
  nameSides: (division: Division) => string,
): (Draft & { readonly division: Division })[] {
  const drafts = new Map<string, { division: Division; subjects: Subject[]; sides: string }>();
  for (const subject of subjects) {
    const division = divide(
      subject.observations.flatMap((observation): [string, string][] => {
        const value = sideOf(observation);
        return value === null ? [] : [[observation.node, value]];
      }),
    );
    if (division.groups.length < 2) continue;
    const sides = nameSides(division);
    const key = `${division.groups.map(({ nodes }) => nodes.join(' ')).join('|')} ${sides}`;
    const draft = drafts.get(key);
    if (draft === undefined) drafts.set(key, { division, subjects: [subject], sides });
    else draft.subjects.push(subject);
  }
  return Array.from(drafts.values(), ({ division, subjects, sides }) => ({
    nodes: division.odd,
    division,
    subjects,
    say: (names) => `${names}: ${sides}`,
  }));
}
