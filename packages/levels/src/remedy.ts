import { valuesOf } from './comparison.ts';
import { familyOf, isOfCluster } from './families.ts';
import type { Finding, Observation } from './finding.ts';
import { compareOsLevels } from './readers/os-level.ts';
import { compareVrmf, parseVrmf } from './readers/vrmf.ts';
import type { RuleId } from './rules.ts';
import { commandOf, type Snapshot } from './snapshot.ts';

/** What a step belongs to; steps come in this order. */
export type RemedyPhase =
  | 'read'
  | 'save'
  | 'repair'
  | 'commit'
  | 'unlock'
  | 'stop'
  | 'update'
  | 'fix'
  | 'start'
  | 'check';

/** One step of the way back to equal levels. It is advice for a person: nothing of it is ever run. */
export interface RemedyStep {
  readonly phase: RemedyPhase;
  /** Cluster node name; `null` for the cluster as a whole. */
  readonly node: string | null;
  /** What to do, in one sentence. */
  readonly text: string;
  /** What it is about, one item each: filesets with their levels, labels. */
  readonly items: readonly string[];
  /** Rules whose findings it answers. */
  readonly rules: readonly RuleId[];
}

/** How the cluster software can be brought to one level. */
type UpdateMethod =
  /** Cluster services down on all nodes, then update. */
  | 'offline'
  /** Node by node, with a takeover each. */
  | 'rolling'
  /** Groups unmanaged, update, manage again; without any change of AIX. */
  | 'nondisruptive';

interface Update {
  readonly node: string;
  readonly aix: readonly string[];
  readonly cluster: readonly string[];
}

/**
 * What to bring to which level, on which node, in which order. The highest level that a node of the cluster has is the
 * target: whether it is the right one is the operator's to say.
 *
 * @param findings As {@link auditLevels} gave them for this snapshot; what is waived is left out.
 * @returns No step when nothing is to be changed.
 */
export function planRemedy(snapshot: Snapshot, findings: readonly Finding[]): RemedyStep[] {
  const standing = findings.filter(({ waiver, severity }) => waiver?.state !== 'open' && severity !== 'info');
  const of = (...rules: readonly RuleId[]) => standing.filter(({ rule }) => rules.includes(rule));
  const read = of('NODE-UNREAD').map((finding) =>
    step('read', finding.nodes[0] ?? null, finding.message, [], [finding]),
  );
  const repair = [
    ...perNode(of('FS-BROKEN'), 'repair', 'Clean up with "installp -C" and install again'),
    ...perNode(of('FS-INCONS', 'FS-PART'), 'repair', 'Install what is missing, until "lppchk -v" says nothing'),
    ...perNode(of('IFIX-STATE'), 'repair', 'Remove the interim fix with "emgr -r -L LABEL" and install it again'),
  ];
  const commit = perNode(
    of('HA-APPLIED'),
    'commit',
    'Commit with "smit install_commit"; this gives up the way back to the earlier level',
  );
  const updates = updatesOf(snapshot, standing);
  const cluster = of('HA-LEVEL', 'HA-MISSING', 'HA-EDITION', 'HA-FIXLEVEL', 'HA-MIXED', 'HA-CLIENT');
  const aix = of('AIX-REL', 'AIX-TL', 'AIX-SP', 'AIX-HELD', 'RSCT', 'CAA', 'HA-MINIMUM');
  const unlock = perNode(
    findings.filter(({ rule }) => rule === 'IFIX-LOCK'),
    'unlock',
    'Remove the interim fixes that lock these filesets ("emgr -P" names them); what the new level contains need not return',
  );
  const fix = [
    ...of('IFIX-ONE', 'IFIX-LABEL').map((finding) =>
      step('fix', null, 'Bring the interim fixes to all nodes, unless their level contains them', itemsOf(finding), [
        finding,
      ]),
    ),
    ...perNode(of('IFIX-REBOOT'), 'fix', 'Move the resource groups away and reboot'),
  ];
  const changed = [...repair, ...commit, ...updates, ...fix].length > 0;
  if (!changed) return read;
  return [
    ...read,
    step(
      'save',
      null,
      'Take a cluster snapshot, clone rootvg or take an mksysb on each node, and save the application scripts',
      [],
      [],
    ),
    ...repair,
    ...commit,
    ...(updates.length > 0 ? unlock : []),
    ...(updates.length > 0 ? updateSteps(updates, methodOf(snapshot, updates), cluster, aix) : []),
    ...fix,
    step('check', null, closing, [], []),
  ];
}

const closing =
  'Compare halevel, the versions in HACMPnode and HACMPcluster, oslevel, lppchk and emgr on all nodes by another audit; then verify and synchronize the cluster';

/** The steps as numbered lines of text. */
export function renderRemedy(steps: readonly RemedyStep[]): string {
  if (steps.length === 0) return 'Nothing to be done.\n';
  const lines = steps.flatMap(({ node, text, items }, index) => [
    `${index + 1}. ${node === null ? '' : `${node}: `}${text}.`,
    ...items.map((item) => `   - ${item}`),
  ]);
  return `${lines.join('\n')}\n`;
}

function step(
  phase: RemedyPhase,
  node: string | null,
  text: string,
  items: readonly string[],
  findings: readonly Finding[],
): RemedyStep {
  return { phase, node, text, items, rules: [...new Set(findings.map(({ rule }) => rule))] };
}

function perNode(findings: readonly Finding[], phase: RemedyPhase, text: string): RemedyStep[] {
  const nodes = [...new Set(findings.flatMap((finding) => finding.nodes))].sort();
  return nodes.map((node) => {
    const concerned = findings.filter((finding) => finding.nodes.includes(node));
    return step(phase, node, text, [...new Set(concerned.flatMap(itemsOf))], concerned);
  });
}

function itemsOf({ subjects }: Finding): string[] {
  return subjects.map(({ name }) => name);
}

/** What each node lacks of the highest levels in the cluster. */
function updatesOf(snapshot: Snapshot, findings: readonly Finding[]): Update[] {
  const wanted = new Map<string, { aix: Set<string>; cluster: Set<string> }>();
  const want = (node: string, kind: 'aix' | 'cluster', item: string) => {
    const update = wanted.get(node) ?? { aix: new Set(), cluster: new Set() };
    update[kind].add(item);
    wanted.set(node, update);
  };
  for (const { rule, subjects } of findings) {
    const kind = kinds[rule];
    if (kind === undefined) continue;
    for (const { name, observations } of subjects) {
      // Answers of the cluster manager change by themselves when its filesets do.
      if (observations.some(({ command }) => command !== commandOf('listing'))) continue;
      const target = highest(observations);
      for (const { node, value } of observations) {
        if (target !== null && value !== target) want(node, kind, `${name} ${value ?? 'missing'} -> ${target}`);
      }
    }
  }
  const levels = valuesOf(snapshot, 'osLevel');
  const top = levels
    .map(({ value }) => value)
    .sort(compareOsLevels)
    .at(-1);
  for (const { node, value } of levels) {
    if (top !== undefined && compareOsLevels(value, top) < 0) want(node, 'aix', `AIX ${value.text} -> ${top.text}`);
  }
  return Array.from(wanted, ([node, { aix, cluster }]) => ({
    node,
    aix: [...aix].sort(),
    cluster: [...cluster].sort(),
  })).sort((a, b) => (a.node < b.node ? -1 : 1));
}

const kinds: Readonly<Partial<Record<RuleId, 'aix' | 'cluster'>>> = {
  'HA-LEVEL': 'cluster',
  'HA-MISSING': 'cluster',
  'HA-EDITION': 'cluster',
  'HA-CLIENT': 'cluster',
  RSCT: 'aix',
  CAA: 'aix',
};

/** The highest level among the nodes; `null` when levels have no order. */
function highest(observations: readonly Observation[]): string | null {
  const levels = observations.flatMap(({ value }) => (value === null ? [] : [parseVrmf(value)]));
  const known = levels.flatMap((level) => level ?? []);
  if (known.length < levels.length) return null;
  return known.sort(compareVrmf).at(-1)?.text ?? null;
}

/** From 7.1.1 on a cluster can be updated node by node; before, and by the rule of the redbook, only as a whole. */
function methodOf(snapshot: Snapshot, updates: readonly Update[]): UpdateMethod {
  const versions = snapshot.nodes.flatMap(({ readings: { listing } }) =>
    listing.kind === 'data'
      ? listing.value.flatMap(({ fileset, level }) =>
          isOfCluster(fileset) && familyOf(fileset) === 'ha-server' ? (parseVrmf(level) ?? []) : [],
        )
      : [],
  );
  const [lowest] = versions.sort(compareVrmf);
  const threshold = parseVrmf('7.1.1.0');
  if (lowest === undefined || threshold === null || compareVrmf(lowest, threshold) < 0) return 'offline';
  return updates.some(({ aix }) => aix.length > 0) ? 'rolling' : 'nondisruptive';
}

function updateSteps(
  updates: readonly Update[],
  method: UpdateMethod,
  cluster: readonly Finding[],
  aix: readonly Finding[],
): RemedyStep[] {
  const both = [...cluster, ...aix];
  const perNodeSteps = updates.flatMap(({ node, aix: system, cluster: filesets }) => [
    ...(method === 'rolling'
      ? [step('stop', node, 'Stop cluster services with "move resource groups"', [], both)]
      : []),
    ...(method === 'nondisruptive'
      ? [step('stop', node, 'Stop cluster services with "unmanage resource groups"', [], both)]
      : []),
    ...(system.length > 0 ? [step('update', node, 'Update AIX, CAA and RSCT first, then reboot', system, aix)] : []),
    ...(filesets.length > 0 ? [step('update', node, 'Update the cluster software', filesets, cluster)] : []),
    ...(method === 'offline'
      ? []
      : [
          step(
            'start',
            node,
            'Check that netmon.cf is not empty, and start cluster services; only then go to the next node',
            [],
            both,
          ),
        ]),
  ]);
  if (method !== 'offline') {
    const warning =
      'One node at a time, first those that hold no resource group; until the last one is done change no configuration, synchronize nothing and move no group by command';
    return [step('stop', null, warning, [], both), ...perNodeSteps];
  }
  return [
    step('stop', null, 'Stop cluster services on all nodes', [], both),
    ...perNodeSteps,
    step('start', null, 'Check that netmon.cf is not empty on any node, and start cluster services', [], both),
  ];
}
