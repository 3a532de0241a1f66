import { answerSubject, type Comparison, draftsByDivision, levelSubjects, valuesOf } from '../comparison.ts';
import { nameDivision } from '../division.ts';
import type { Draft, Observation, Subject } from '../finding.ts';
import { judgeMinimum } from '../minimum-levels.ts';
import { nameClusterVersion } from '../readers/cluster-versions.ts';
import { commandOf, type Snapshot } from '../snapshot.ts';
import { levelOf, nameLevels } from './filesets.ts';

/** Cluster filesets, the product level and the level of the running cluster manager, across nodes. */
export function findClusterLevels(comparison: Comparison): Draft[] {
  const { snapshot } = comparison;
  const product = valuesOf(snapshot, 'haLevel').map(({ node, value: { text } }) => ({ node, text }));
  const running = valuesOf(snapshot, 'clusterManager').flatMap(({ node, value: { localNodeVrmf } }) =>
    localNodeVrmf === null ? [] : [{ node, text: localNodeVrmf }],
  );
  const subjects = [
    ...levelSubjects(comparison, ['ha-server']),
    answerSubject('haLevel', product),
    answerSubject('clusterManager', running, `${commandOf('clusterManager')} (local node vrmf)`),
  ];
  return draftsByDivision(subjects, sideOf, nameLevels);
}

/** The three spellings of a level, as one: `7.2.0.4`, `7.2.0 SP4`, `7204`. */
function sideOf(observation: Observation): string | null {
  const { command, value } = observation;
  if (value === null || command === commandOf('listing')) return levelOf(observation);
  const [, version, pack = '0'] = /^([\d.]+) (?:GA|SP(\d+))$/.exec(value) ?? [];
  if (version !== undefined) return `${version}.${pack}`;
  // Packed digits are unambiguous while there are four of them.
  return /^\d{4}$/.test(value) ? [...value].join('.') : value;
}

/**
 * A migration that did not come to its end: the version of the cluster flips only when its last member joins, while
 * each node's own entry changes at once.
 */
export function findUnfinishedMigration({ snapshot }: Comparison): Draft[] {
  const subjects: Subject[] = [
    answerSubject(
      'nodeVersions',
      valuesOf(snapshot, 'nodeVersions').map(({ node, value }) => ({
        node,
        text: [...new Set(value)].sort((a, b) => a - b).join(', '),
      })),
    ),
    answerSubject(
      'clusterVersion',
      valuesOf(snapshot, 'clusterVersion').map(({ node, value }) => ({ node, text: String(value) })),
    ),
    answerSubject(
      'clusterManager',
      membersOf(snapshot).flatMap(({ node, value: { clVersion } }) =>
        clVersion === null ? [] : [{ node, text: String(clVersion) }],
      ),
      `${commandOf('clusterManager')} (CLversion)`,
    ),
  ].filter(({ observations }) => observations.length > 0);
  const numbers = new Set(
    subjects.flatMap(({ observations }) => observations.flatMap(({ value }) => value?.split(', ') ?? [])),
  );
  if (numbers.size < 2) return [];
  const named = [...numbers]
    .map(Number)
    .sort((a, b) => a - b)
    .map(nameClusterVersion);
  const nodes = new Set(subjects.flatMap(({ observations }) => observations.map(({ node }) => node)));
  return [
    {
      nodes: [...nodes].sort(),
      division: null,
      subjects,
      say: () => `a migration is unfinished: cluster versions ${named.join(' and ')} are both in use`,
    },
  ];
}

/** Nodes that take part in the cluster: what the others say about its protocol and fix level says nothing. */
function membersOf(snapshot: Snapshot) {
  return valuesOf(snapshot, 'clusterManager').filter(
    ({ value: { state } }) => state !== 'NOT_CONFIGURED' && state !== 'ST_INIT',
  );
}

/** Nodes on which the cluster manager runs at another fix level. */
export function findFixLevels({ snapshot }: Comparison): Draft[] {
  const values = membersOf(snapshot).flatMap(({ node, value: { clusterFixLevel } }) =>
    clusterFixLevel === null ? [] : [{ node, text: String(clusterFixLevel) }],
  );
  return draftsByDivision(
    [answerSubject('clusterManager', values, `${commandOf('clusterManager')} (cluster fix level)`)],
    ({ value }) => value,
    (division) => `different fix levels; ${nameDivision(division)}`,
  );
}

/**
 * RSCT as it runs, by the peer domain's own list, which also names nodes that were not asked. Of an offline node it holds
 * a memory only. That the domain has mixed versions (`lsrpdomain`) is no evidence: its active version was not raised yet.
 */
export function findPeerVersions({ snapshot }: Comparison): Draft[] {
  const views = valuesOf(snapshot, 'peerNodes').flatMap(({ value }) => value);
  const online = new Map(
    views.filter(({ opState }) => opState === 'Online').map(({ name, rsctVersion }) => [name, rsctVersion]),
  );
  const peers = Array.from(online, ([node, text]) => ({ node, text })).sort((a, b) => (a.node < b.node ? -1 : 1));
  return draftsByDivision(
    [answerSubject('peerNodes', peers)],
    ({ value }) => value,
    (division) => `RSCT runs at ${division.groups.map(({ value }) => value).join(' and ')}; ${nameDivision(division)}`,
  );
}

/** Nodes whose AIX is below what their PowerHA asks for, and what the table does not know. */
export function findMinimums({ snapshot, minimums }: Comparison): Draft[] {
  const unknown = new Map<string, string[]>();
  const below = snapshot.nodes.flatMap(({ node, readings: { haLevel, osLevel } }): Draft[] => {
    if (haLevel.kind !== 'data' || osLevel.kind !== 'data') return [];
    const { version } = haLevel.value;
    const verdict = judgeMinimum(version, osLevel.value, minimums);
    if (verdict.kind === 'no-rule') {
      const pair = `PowerHA ${version} on AIX ${osLevel.value.release}`;
      unknown.set(pair, [...(unknown.get(pair) ?? []), node]);
    }
    if (verdict.kind !== 'below') return [];
    return [
      {
        nodes: [node],
        division: null,
        subjects: [
          answerSubject('haLevel', [{ node, text: haLevel.value.text }]),
          answerSubject('osLevel', [{ node, text: osLevel.value.text }]),
        ],
        say: () =>
          `PowerHA ${version} on ${node} asks for AIX ${verdict.rule.osLevel} (${verdict.rule.source}), and it has ${osLevel.value.text}`,
      },
    ];
  });
  const silent = Array.from(
    unknown,
    ([pair, nodes]): Draft => ({
      severity: 'info',
      nodes,
      division: null,
      subjects: [],
      say: () => `no rule is known for ${pair}`,
      remedy: "Look the combination up in IBM's compatibility matrix, and add it to policy.minimums.",
    }),
  );
  return [...below, ...silent];
}
