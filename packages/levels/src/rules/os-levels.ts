import { answerSubject, type Comparison, draftsByDivision, valuesOf } from '../comparison.ts';
import { type Division, nameDivision } from '../division.ts';
import type { Draft } from '../finding.ts';
import { compareOsLevels, type OsLevel } from '../readers/os-level.ts';
import { parseVrmf } from '../readers/vrmf.ts';
import { commandOf } from '../snapshot.ts';

/** Nodes with different releases. */
export function findReleases(comparison: Comparison): Draft[] {
  return findParts(
    comparison,
    () => '',
    ({ release }) => release,
    'different releases of AIX',
  );
}

/** Nodes of one release with different technology levels; more than one apart is graver. */
export function findTechnologyLevels(comparison: Comparison): Draft[] {
  return findParts(
    comparison,
    ({ release }) => release,
    ({ technologyLevel }) => String(technologyLevel),
    'different technology levels',
  ).map((draft) => {
    const levels = draft.division.groups.map(({ value }) => Number(value));
    return Math.max(...levels) - Math.min(...levels) > 1 ? { ...draft, severity: 'error' } : draft;
  });
}

/** Nodes of one technology level with different service packs. */
export function findServicePacks(comparison: Comparison): Draft[] {
  return findParts(
    comparison,
    ({ release, technologyLevel }) => `${release}-${technologyLevel}`,
    ({ servicePack }) => String(servicePack),
    'different service packs',
  );
}

/** Nodes of one service pack with different build sequences. */
export function findBuilds(comparison: Comparison): Draft[] {
  return findParts(
    comparison,
    ({ release, technologyLevel, servicePack }) => `${release}-${technologyLevel}-${servicePack}`,
    ({ build }) => String(build),
    'different build sequences',
  );
}

/** Compares one part of the level among nodes that agree on what stands before it. */
function findParts(
  { snapshot }: Comparison,
  groupOf: (level: OsLevel) => string,
  partOf: (level: OsLevel) => string,
  what: string,
) {
  const values = valuesOf(snapshot, 'osLevel');
  const groups = new Set(values.map(({ value }) => groupOf(value)));
  return [...groups].flatMap((group) => {
    const members = values.filter(({ value }) => groupOf(value) === group);
    const parts = new Map(members.map(({ node, value }) => [node, partOf(value)]));
    const texts = members.map(({ node, value }) => ({ node, text: value.text }));
    return draftsByDivision(
      [answerSubject('osLevel', texts)],
      ({ node }) => parts.get(node) ?? null,
      (division) => `${what}; ${nameDivision(division)}; ${lowestOf(division, members)}`,
    );
  });
}

function lowestOf(
  { groups }: Division,
  members: readonly { readonly node: string; readonly value: OsLevel }[],
): string {
  const [lowest] = members.toSorted((a, b) => compareOsLevels(a.value, b.value));
  const nodes = groups.find((group) => lowest !== undefined && group.nodes.includes(lowest.node))?.nodes ?? [];
  return `${groups.length === 2 ? 'lower' : 'lowest'} on ${nodes.join(', ')}`;
}

/** Filesets that every technology level replaces; since AIX 5.3 TL7 their modification is the technology level. */
const telling = new Set(['bos.mp64', 'bos.mp', 'bos.rte.install']);

/** Nodes whose `oslevel` is lower than their own base filesets: others hold it back. */
export function findHeld({ snapshot }: Comparison): Draft[] {
  return snapshot.nodes.flatMap(({ node, readings: { osLevel, listing } }): Draft[] => {
    if (osLevel.kind !== 'data' || listing.kind !== 'data') return [];
    const { text, version, technologyLevel } = osLevel.value;
    const ahead = listing.value.filter(({ fileset, level }) => {
      if (!telling.has(fileset)) return false;
      const [v, r, modification = 0] = parseVrmf(level)?.parts ?? [];
      return version === `${v}.${r}.0.0` && modification > technologyLevel && (Number(v) > 5 || modification >= 7);
    });
    if (ahead.length === 0) return [];
    const command = commandOf('listing');
    return [
      {
        nodes: [node],
        division: null,
        subjects: [
          ...ahead.map(({ fileset, level, line }) => ({
            name: fileset,
            observations: [{ node, value: level, command, line }],
          })),
          answerSubject('osLevel', [{ node, text }]),
        ],
        say: () =>
          `oslevel says ${text} on ${node}, although ${ahead.map(({ fileset, level }) => `${fileset} is at ${level}`).join(', ')}`,
      },
    ];
  });
}

/** Nodes with kernels of different width. */
export function findKernels({ snapshot }: Comparison): Draft[] {
  const values = valuesOf(snapshot, 'kernel').map(({ node, value }) => ({ node, text: value }));
  return draftsByDivision(
    [answerSubject('kernel', values)],
    ({ value }) => value,
    (division) => `kernels of different width; ${nameDivision(division)}`,
  );
}

/** Nodes whose system firmware is of different kinds or levels. */
export function findFirmware({ snapshot }: Comparison): Draft[] {
  const values = valuesOf(snapshot, 'firmware').map(({ node, value }) => ({ node, text: value }));
  return draftsByDivision(
    [answerSubject('firmware', values)],
    ({ value }) => value,
    (division) => `different system firmware; ${nameDivision(division)}`,
  );
}
