import { type Comparison, comparedName, higherOf, levelKey } from '../comparison.ts';
import { isOfCluster } from '../families.ts';
import type { Draft, Subject } from '../finding.ts';
import type { ListedFileset } from '../readers/listing.ts';
import { commandOf, type NodeLevels, notAsked, type ProbeName, probeNames } from '../snapshot.ts';

/** Without these there is no audit of a node; the others add to it. */
const essential: readonly ProbeName[] = ['listing', 'osLevel'];
/** What only tells something worth knowing, or what another answer tells too: filesets of RSCT are listed. */
const minor: readonly ProbeName[] = ['firmware', 'peerNodes'];
/** What only a node with cluster software can answer. */
const ofCluster: readonly ProbeName[] = ['haLevel', 'clusterManager', 'clusterVersion', 'nodeVersions'];

/** Nodes and commands that could not be read; nodes on which a command failed for the same reason are named together. */
export function findUnread({ snapshot: { nodes } }: Comparison): Draft[] {
  if (nodes.length === 0) return [{ nodes: [], division: null, subjects: [], say: () => 'no node was asked' }];
  const silent = nodes.flatMap(({ node, unreachable }): Draft[] =>
    unreachable === null
      ? []
      : [{ nodes: [node], division: null, subjects: [], say: () => `${node} could not be asked: ${unreachable}` }],
  );
  const unread = probeNames.flatMap((name): Draft[] => {
    const byReason = new Map<string, string[]>();
    for (const { node, unreachable, readings } of nodes) {
      const reading = readings[name];
      if (unreachable !== null || reading.kind !== 'not-assessed') continue;
      if (reading === notAsked && !essential.includes(name)) continue;
      if (ofCluster.includes(name) && hasNoCluster(readings.listing)) continue;
      byReason.set(reading.reason, [...(byReason.get(reading.reason) ?? []), node]);
    }
    return Array.from(byReason, ([reason, on]) => ({
      severity: essential.includes(name) ? 'error' : minor.includes(name) ? 'info' : 'warning',
      nodes: on,
      division: null,
      subjects: [],
      say: () => `${commandOf(name)} was not assessed on ${on.join(', ')}: ${reason}`,
    }));
  });
  return [...silent, ...unread, ...findLeftOut(nodes)];
}

/** Questions that were not asked on purpose: what they would have told is not in this audit. */
function findLeftOut(nodes: readonly NodeLevels[]): Draft[] {
  const byNames = new Map<string, string[]>();
  for (const { node, readings } of nodes) {
    const names = probeNames.filter((name) => readings[name] === notAsked && !essential.includes(name));
    if (names.length === 0) continue;
    const commands = names.map(commandOf).join(', ');
    byNames.set(commands, [...(byNames.get(commands) ?? []), node]);
  }
  return Array.from(byNames, ([commands, on]) => ({
    severity: 'info',
    nodes: on,
    division: null,
    subjects: [],
    say: () => `not asked on ${on.join(', ')}: ${commands}`,
    remedy: 'None needed, if this was meant.',
  }));
}

function hasNoCluster(listing: NodeLevels['readings']['listing']): boolean {
  return listing.kind === 'data' && !listing.value.some(({ fileset }) => isOfCluster(fileset));
}

/** Answers that were given too far apart to be compared. */
export function findSkew({ snapshot: { nodes } }: Comparison): Draft[] {
  const [first, ...others] = nodes.map(({ askedAt }) => askedAt).sort();
  const last = others.at(-1);
  if (first === undefined || last === undefined || Date.parse(last) - Date.parse(first) <= 3_600_000) return [];
  return [
    {
      nodes: nodes.filter(({ askedAt }) => askedAt === first).map(({ node }) => node),
      division: null,
      subjects: [],
      say: () => `the nodes were asked between ${first} and ${last}`,
    },
  ];
}

/** Filesets that are at another level, new, or gone since the baseline. */
export function findChanges({ snapshot, baseline }: Comparison): Draft[] {
  if (baseline === null) return [];
  const earlier = new Map(baseline.nodes.map((levels) => [levels.node, levels]));
  return snapshot.nodes.flatMap((levels): Draft[] => {
    const before = earlier.get(levels.node);
    if (before === undefined) {
      return [
        { nodes: [levels.node], division: null, subjects: [], say: () => `${levels.node} is not in the baseline` },
      ];
    }
    const subjects = changes(before, levels);
    if (subjects.length === 0) return [];
    const say = (names: string) => `${names}: changed on ${levels.node} since ${before.askedAt}`;
    return [{ nodes: [levels.node], division: null, subjects, say }];
  });
}

function changes(before: NodeLevels, after: NodeLevels): Subject[] {
  const [old, now] = [levelsOf(before), levelsOf(after)];
  if (old === null || now === null) return [];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((name): Subject[] => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was !== undefined && is !== undefined && levelKey(was.level) === levelKey(is.level)) return [];
    const value = `${was?.level ?? 'missing'} -> ${is?.level ?? 'missing'}`;
    const line = is?.line ?? was?.line ?? null;
    return [{ name, observations: [{ node: after.node, value, command: commandOf('listing'), line }] }];
  });
}

function levelsOf({ readings: { listing } }: NodeLevels): Map<string, ListedFileset> | null {
  if (listing.kind !== 'data') return null;
  const levels = new Map<string, ListedFileset>();
  for (const row of listing.value) {
    const name = comparedName(row);
    if (name !== null) levels.set(name, higherOf(row, levels.get(name) ?? null));
  }
  return levels;
}
