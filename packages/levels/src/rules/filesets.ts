import { type Comparison, draftsByDivision, isPlaceholder, levelKey, levelSubjects, valuesOf } from '../comparison.ts';
import { type Division, nameDivision } from '../division.ts';
import { type Family, familyOf } from '../families.ts';
import type { Draft, Observation, Subject } from '../finding.ts';
import type { FilesetState } from '../readers/fileset-state.ts';
import type { FilesetPart } from '../readers/parts.ts';
import { compareVrmf, parseVrmf } from '../readers/vrmf.ts';
import { commandOf } from '../snapshot.ts';

/** Filesets of these families that have different levels on the nodes that have them. */
export function findLevels(comparison: Comparison, families: readonly Family[]): Draft[] {
  return draftsByDivision(levelSubjects(comparison, families), levelOf, nameLevels);
}

/** The side of an observation is its level, however it is spelled. */
export function levelOf({ value }: Observation): string | null {
  return value === null ? null : levelKey(value);
}

/** Says that levels differ, between whom, and who is behind where levels have an order. */
export function nameLevels(division: Division): string {
  const levels = division.groups.flatMap(({ value, nodes }) => {
    const level = parseVrmf(value);
    return level === null ? [] : [{ level, nodes }];
  });
  const fact = `different levels; ${nameDivision(division)}`;
  if (levels.length < division.groups.length) return fact;
  const [lowest] = levels.sort((a, b) => compareVrmf(a.level, b.level));
  return `${fact}; ${levels.length === 2 ? 'lower' : 'lowest'} on ${lowest?.nodes.join(', ')}`;
}

/** Filesets of these families that are on some nodes only. */
export function findMissing(comparison: Comparison, families: readonly Family[]): Draft[] {
  return draftsByDivision(
    levelSubjects(comparison, families),
    ({ value }) => (value === null ? 'missing' : 'installed'),
    nameMissing,
  );
}

/** Names the nodes that lack something, or the few that have it. */
export function nameMissing({ groups }: Division): string {
  const nodesOf = (side: string) => groups.find(({ value }) => value === side)?.nodes ?? [];
  const [having, lacking] = [nodesOf('installed'), nodesOf('missing')];
  const count = having.length + lacking.length;
  return having.length < lacking.length
    ? `only on ${having.join(', ')} of ${count} nodes`
    : `missing on ${lacking.join(', ')} of ${count} nodes`;
}

/** Filesets in one of these states, by either list, whatever the other nodes have. */
export function findStates(
  { snapshot }: Comparison,
  states: readonly FilesetState[],
  what: string,
  families?: readonly Family[],
): Draft[] {
  return snapshot.nodes.flatMap(({ node, readings: { listing, parts } }): Draft[] => {
    const concerned = ({ fileset, state }: { fileset: string; state: FilesetState }) =>
      states.includes(state) && (families?.includes(familyOf(fileset)) ?? true);
    const observations = new Map<string, Observation[]>();
    const observe = (fileset: string, value: string, command: string, line: string) => {
      observations.set(fileset, [...(observations.get(fileset) ?? []), { node, value, command, line }]);
    };
    if (listing.kind === 'data') {
      for (const row of listing.value.filter(concerned)) {
        observe(row.fileset, `${row.level} ${row.stateText}`, commandOf('listing'), row.line);
      }
    }
    if (parts.kind === 'data') {
      for (const row of parts.value.filter(concerned)) {
        observe(row.fileset, `${row.level} ${row.stateText}`, commandOf('parts'), row.line);
      }
    }
    return onNode(node, subjectsOf(observations), `${what} on ${node}`);
  });
}

/** State words that are none of AIX's English ones: nothing can be said about those filesets. */
export function findUnknownStates({ snapshot }: Comparison): Draft[] {
  return snapshot.nodes.flatMap(({ node, readings: { listing, parts } }): Draft[] => {
    const words = new Map<string, Observation[]>();
    for (const [command, reading] of [
      ['listing', listing],
      ['parts', parts],
    ] as const) {
      if (reading.kind !== 'data') continue;
      for (const { state, stateText, level, line } of reading.value) {
        // One line of each word is evidence enough.
        if (state !== 'unknown' || words.has(stateText)) continue;
        words.set(stateText, [{ node, value: level, command: commandOf(command), line }]);
      }
    }
    return onNode(node, subjectsOf(words), `unknown state on ${node}`);
  });
}

/** What `lppchk -v` complains about. */
export function findRequisites({ snapshot }: Comparison): Draft[] {
  return valuesOf(snapshot, 'consistency').flatMap(({ node, value: { problems, messages } }): Draft[] => {
    const command = commandOf('consistency');
    const observations = new Map<string, Observation[]>();
    for (const { fileset, requirement, problem, line } of problems) {
      const more = observations.get(fileset) ?? [];
      observations.set(fileset, [...more, { node, value: `${requirement}: ${problem}`, command, line }]);
    }
    if (messages.length > 0) {
      observations.set(
        command,
        messages.map((line) => ({ node, value: line, command, line })),
      );
    }
    return onNode(node, subjectsOf(observations), `inconsistent by lppchk on ${node}`);
  });
}

/** Parts of a fileset that differ where they should not: in state on one node, or in level between nodes that else agree. */
export function findParts(comparison: Comparison): Draft[] {
  const nodes = valuesOf(comparison.snapshot, 'parts');
  const command = commandOf('parts');
  const partOf = ({ fileset, path }: FilesetPart) => `${fileset} (${path})`;
  // Nodes share their rows, so that few of them are left to look at.
  const shared = new Set<FilesetPart>();
  for (const { value } of nodes) for (const row of value) shared.add(row);
  const rows = [...shared];
  const judged = new Set(comparison.differences.map(({ name }) => name));
  for (const row of rows) if (isPlaceholder(row)) judged.add(row.fileset);
  const ofTwoStates = namesWithTwo(
    rows,
    ({ fileset }) => fileset,
    ({ stateText }) => stateText,
  );
  const ofTwoLevels = namesWithTwo(rows, partOf, ({ level }) => levelKey(level));

  const mixed = nodes.flatMap(({ node, value }): Draft[] => {
    const states = new Map<string, Observation[]>();
    for (const row of value) {
      if (!ofTwoStates.has(row.fileset)) continue;
      const seen = { node, value: `${row.stateText} (${row.path})`, command, line: row.line };
      states.set(row.fileset, [...(states.get(row.fileset) ?? []), seen]);
    }
    const own = value.filter(({ fileset }) => states.has(fileset));
    const unlike = namesWithTwo(
      own,
      ({ fileset }) => fileset,
      ({ stateText }) => stateText,
    );
    const kept = new Map([...states].filter(([fileset]) => unlike.has(fileset)));
    return onNode(node, subjectsOf(kept), `parts in different states on ${node}`);
  });

  const unequal = new Set(rows.filter((row) => !judged.has(row.fileset) && ofTwoLevels.has(partOf(row))));
  const levels = new Map<string, Observation[]>();
  for (const { node, value } of nodes) {
    for (const row of value) {
      if (!unequal.has(row)) continue;
      const seen = { node, value: row.level, command, line: row.line };
      levels.set(partOf(row), [...(levels.get(partOf(row)) ?? []), seen]);
    }
  }
  return [...mixed, ...draftsByDivision(subjectsOf(levels), levelOf, nameLevels)];
}

/** Names under which rows have more than one value. */
function namesWithTwo(
  rows: readonly FilesetPart[],
  nameOf: (row: FilesetPart) => string,
  sideOf: (row: FilesetPart) => string,
): Set<string> {
  const first = new Map<string, string>();
  const names = new Set<string>();
  for (const row of rows) {
    const [name, side] = [nameOf(row), sideOf(row)];
    const known = first.get(name);
    if (known === undefined) first.set(name, side);
    else if (known !== side) names.add(name);
  }
  return names;
}

/** Levels that were made up. */
export function findPlaceholders({ listed }: Comparison): Draft[] {
  return listed.flatMap(({ node, rows }): Draft[] => {
    const made = rows.filter(isPlaceholder).map(
      ({ fileset, level, line }): Subject => ({
        name: fileset,
        observations: [{ node, value: level, command: commandOf('listing'), line }],
      }),
    );
    return onNode(node, made, `not compared, no real level on ${node}`);
  });
}

/** Locked filesets that are below the highest level of the cluster. */
export function findLocked({ listed, differences }: Comparison): Draft[] {
  return listed.flatMap(({ node }, place): Draft[] => {
    const held = differences.flatMap(({ name, rows }): Subject[] => {
      const row = rows[place];
      if (row?.efixLocked !== true) return [];
      const others = rows.flatMap((other) => (other === null || other === row ? [] : [other.level]));
      if (!others.some((level) => isHigher(level, row.level))) return [];
      return [{ name, observations: [{ node, value: row.level, command: commandOf('listing'), line: row.line }] }];
    });
    return onNode(node, held, `locked by an interim fix below the level of other nodes on ${node}`);
  });
}

function isHigher(a: string, b: string): boolean {
  const [left, right] = [parseVrmf(a), parseVrmf(b)];
  return left !== null && right !== null && compareVrmf(left, right) > 0;
}

function subjectsOf(observations: ReadonlyMap<string, readonly Observation[]>): Subject[] {
  return Array.from(observations, ([name, seen]) => ({ name, observations: seen })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** One draft for what one node shows, or none. */
function onNode(node: string, subjects: readonly Subject[], what: string): Draft[] {
  if (subjects.length === 0) return [];
  return [{ nodes: [node], division: null, subjects, say: (names) => `${names}: ${what}` }];
}
