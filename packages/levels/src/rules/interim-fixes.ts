import { type Comparison, draftsByDivision, levelKey } from '../comparison.ts';
import type { Draft, Observation, Subject } from '../finding.ts';
import type { InterimFix } from '../readers/interim-fixes.ts';
import { commandOf, type Snapshot } from '../snapshot.ts';
import { nameMissing } from './filesets.ts';

/** Broken, installing, removing, not patched. */
const failedStates = new Set(['B', 'I', 'R', 'N', 'SN']);

interface FixedNode {
  readonly node: string;
  readonly fixes: readonly InterimFix[];
}

/** Nodes whose interim fixes are known; a node that has none is one of them. */
function fixedNodes({ nodes }: Snapshot): FixedNode[] {
  return nodes.flatMap(({ node, readings: { interimFixes } }) => {
    if (interimFixes.kind === 'not-assessed') return [];
    return [{ node, fixes: interimFixes.kind === 'data' ? interimFixes.value : [] }];
  });
}

/** What a fix is compared by: its APARs, since labels differ from level to level; its label when it names none. */
function keysOf({ apars, label }: InterimFix): readonly string[] {
  return apars.length > 0 ? apars : [label];
}

/** One subject for each APAR, or label without APAR, over all nodes whose fixes are known. A fix that failed does not count. */
function fixSubjects(nodes: readonly FixedNode[]): Subject[] {
  const names = [...new Set(nodes.flatMap(({ fixes }) => fixes.flatMap(keysOf)))].sort();
  return names.map((name) => ({
    name,
    observations: nodes.map(({ node, fixes }): Observation => {
      const found = fixes.filter((fix) => keysOf(fix).includes(name) && !failedStates.has(fix.state));
      const labels = found.map(({ label }) => label).sort();
      const value = labels.length === 0 ? null : labels.join(', ');
      return { node, value, command: commandOf('interimFixes'), line: found[0]?.line ?? null };
    }),
  }));
}

const ofCluster = /\b(?:power ?ha|hacmp|caa|rsct|clusters?)\b/i;

/** Fixes that some nodes have and others have not. */
export function findLoneFixes({ snapshot }: Comparison): Draft[] {
  const subjects = fixSubjects(fixedNodes(snapshot));
  const grave = subjects.filter(({ observations }) => observations.some(({ line }) => ofCluster.test(line ?? '')));
  const others = subjects.filter((subject) => !grave.includes(subject));
  const find = (chosen: readonly Subject[]) =>
    draftsByDivision(chosen, ({ value }) => (value === null ? 'missing' : 'installed'), nameMissing);
  return [...find(grave).map((draft) => ({ ...draft, severity: 'error' as const })), ...find(others)];
}

/** One APAR under several labels: right where the fixed filesets have different levels, and to be looked at elsewhere. */
export function findLabels({ snapshot, differences, listed }: Comparison): Draft[] {
  const locked = differences.filter(({ rows }) => {
    const levels = new Set(rows.flatMap((row) => (row?.efixLocked === true ? [levelKey(row.level)] : [])));
    return levels.size > 1;
  });
  const explained = listed.length > 0 && locked.length > 0;
  return draftsByDivision(
    fixSubjects(fixedNodes(snapshot)),
    ({ value }) => value,
    ({ groups }) =>
      `under different labels: ${groups.map(({ value, nodes }) => `${value} on ${nodes.join(', ')}`).join('; ')}`,
  ).map((draft) => (explained ? { ...draft, severity: 'info' as const } : draft));
}

/** Fixes that are broken, half installed, half removed, or not patched in. */
export function findFailedFixes({ snapshot }: Comparison): Draft[] {
  return findFixes(snapshot, ({ state }) => failedStates.has(state), 'not in force');
}

/** Fixes that wait for a boot. */
export function findRebootPending({ snapshot }: Comparison): Draft[] {
  return findFixes(snapshot, ({ rebootRequired }) => rebootRequired, 'reboot pending');
}

function findFixes(snapshot: Snapshot, wanted: (fix: InterimFix) => boolean, what: string): Draft[] {
  return fixedNodes(snapshot).flatMap(({ node, fixes }): Draft[] => {
    const subjects = fixes.filter(wanted).map(
      ({ label, state, line }): Subject => ({
        name: label,
        observations: [{ node, value: state, command: commandOf('interimFixes'), line }],
      }),
    );
    if (subjects.length === 0) return [];
    return [{ nodes: [node], division: null, subjects, say: (names) => `${names}: ${what} on ${node}` }];
  });
}
