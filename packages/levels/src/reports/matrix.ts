import { comparedName } from '../comparison.ts';
import type { Finding } from '../finding.ts';
import { commandOf, type ProbeName, type Reading, type Snapshot } from '../snapshot.ts';

/** One line of the matrix: a fileset, or a command whose answer is one value. */
export interface MatrixRow {
  readonly name: string;
  /** One for each node of the snapshot. `null`: not there. `undefined`: not assessed. */
  readonly values: readonly (string | null | undefined)[];
  /** Places of the odd ones out of a majority. */
  readonly odd: ReadonlySet<number>;
}

/** Which rows a matrix has. */
export type MatrixRows = 'differences' | 'all';

/** The levels with one column for each node: first AIX and PowerHA, then what the nodes do not agree on, or everything. */
export function matrixOf(snapshot: Snapshot, findings: readonly Finding[], rows: MatrixRows): MatrixRow[] {
  const nodes = snapshot.nodes.map(({ node }) => node);
  const odd = new Map<string, Set<number>>();
  const differing = new Map<string, (string | null | undefined)[]>();
  for (const { division, subjects, nodes: named } of findings) {
    if (division === null) continue;
    for (const { name, observations } of subjects) {
      const values = new Map(observations.map(({ node, value }) => [node, value]));
      // A finding among some of the nodes does not overwrite one among all of them.
      const known = differing.get(name);
      if (known === undefined || known.filter((value) => value !== undefined).length < values.size) {
        differing.set(
          name,
          nodes.map((node) => values.get(node)),
        );
      }
      const places = division.majority === null ? [] : named.map((node) => nodes.indexOf(node));
      odd.set(name, new Set([...(odd.get(name) ?? []), ...places]));
    }
  }
  const row = (name: string, values: MatrixRow['values']): MatrixRow => ({
    name,
    values,
    odd: odd.get(name) ?? new Set(),
  });
  const head = (['osLevel', 'haLevel'] as const).map((probe) => row(commandOf(probe), textsOf(snapshot, probe)));
  const shown = new Set(head.map(({ name }) => name));
  const body = [...differing].filter(([name]) => !shown.has(name)).map(([name, values]) => row(name, values));
  if (rows === 'differences') return [...head, ...body];
  const rest = listedLevels(snapshot).filter(([name]) => !differing.has(name));
  return [...head, ...body, ...rest.map(([name, values]) => row(name, values))];
}

function textsOf({ nodes }: Snapshot, probe: Extract<ProbeName, 'osLevel' | 'haLevel'>): (string | undefined)[] {
  return nodes.map(({ readings }) => {
    const reading: Reading<{ readonly text: string }> = readings[probe];
    return reading.kind === 'data' ? reading.value.text : undefined;
  });
}

/** Levels of all compared filesets, sorted by name. */
function listedLevels({ nodes }: Snapshot): [string, (string | null | undefined)[]][] {
  const levels = new Map<string, (string | null | undefined)[]>();
  const absent = nodes.map(({ readings }) => (readings.listing.kind === 'data' ? null : undefined));
  nodes.forEach(({ readings: { listing } }, place) => {
    if (listing.kind !== 'data') return;
    for (const row of listing.value) {
      const name = comparedName(row);
      if (name === null) continue;
      const values = levels.get(name) ?? [...absent];
      values[place] = row.level;
      levels.set(name, values);
    }
  });
  return [...levels].sort(([a], [b]) => (a < b ? -1 : 1));
}
