import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contentsOf, decide, survey } from '../src/index.ts';
import { judge } from '../src/node-scripts/guard-judge.ts';
import { round } from './guard-round.ts';
import { answer, group, healthyWorld, hostsOf, type NodeWorld, ok, payMounts, type World } from './world.ts';

/** Raise it for a night's run. */
const runs = Number(process.env.SPLITMIRROR_WORLDS ?? 150);

const managers = ['ST_STABLE', 'ST_INIT', 'ST_RP_RUNNING', 'ST_RP_FAILED', 'NOT_CONFIGURED', 'ST_ODD'];
const groupStates = [
  'ONLINE',
  'OFFLINE',
  'ACQUIRING',
  'ERROR',
  'UNMANAGED',
  'ONLINE SECONDARY',
  'OFFLINE due to fallover',
  'ODD',
];
const nodeStates = [
  'NORMAL:ST_STABLE',
  'OFFLINE:ST_INIT',
  'OFFLINE:',
  'UNMANAGED:UNMANAGED',
  'NORMAL:ST_BARRIER',
  'ODD:ODD',
];

const awk = 'awk';

type Change = (view: NodeWorld, about: string) => void;

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...managers).map(
    (word): Change =>
      (view) =>
        (view.manager = word),
  ),
  fc.constantFrom(...groupStates).map(
    (word): Change =>
      (view, about) => {
        view.table = view.table.map((row) => (row[2] === about ? [row[0], word, row[2], row[3], row[4]] : row));
      },
  ),
  fc.constantFrom(...nodeStates).map(
    (words): Change =>
      (view, about) => {
        const [state = '', raw = ''] = words.split(':');
        view.nodeStates = view.nodeStates?.map((row) => (row[0] === about ? [about, state, raw] : row)) ?? null;
      },
  ),
  fc.tuple(fc.constantFrom('UP', 'DOWN', 'UP  REACHABLE THROUGH REPOS DISK ONLY'), fc.nat(1)).map(
    ([word, contacts]): Change =>
      (view, about) => {
        view.membership = view.membership?.map((row) => (row[0] === about ? [about, word, contacts] : row)) ?? null;
      },
  ),
  fc.constantFrom('read/write', 'passive-only', 'off').map(
    (mode): Change =>
      (view) =>
        (view.volumeGroups = { payvg: mode as 'off' }),
  ),
  fc.constantFrom(0, 1, 2).map(
    (count): Change =>
      (view) =>
        (view.mounts = payMounts().slice(0, count)),
  ),
  fc.constant<Change>((view) => (view.mounts = [['/dev/fslv99', '/pay', 'Nov 20 06:12']])),
  fc.boolean().map(
    (serves): Change =>
      (view) =>
        (view.serves = serves),
  ),
  fc.constant<Change>((view) => (view.labelKnown = false)),
  fc.constantFrom('Online', 'Offline', 'Pending online').map(
    (state): Change =>
      (view, about) =>
        (view.peers = view.clusterNodes.map((name) => [name, name === about ? state : 'Online'])),
  ),
  fc.constant<Change>((view, about) => {
    view.overrides['lscluster -m'] = answer({ ...view, overrides: {}, localName: about }, 'lscluster -m');
  }),
  fc.constant<Change>((view) => (view.nodeStates = null)),
  fc.constant<Change>((view) => (view.vrmf = '6100')),
  fc.constant<Change>((view) => (view.membership = null)),
  fc.constant<Change>((view) => (view.reach = 'HOST_UNREACHABLE')),
  fc.constant<Change>((view) => (view.queued = 1)),
  fc.constant<Change>((view) => (view.lastEvent = 'TE_FAIL_NODE on node 2')),
  fc.constant<Change>((view, about) => (view.table = view.table.filter((row) => row[2] !== about))),
  fc.constant<Change>((view, about) => view.table.push([group, 'OFFLINE', about])),
  fc.constant<Change>(
    (view) => (view.table = view.table.map(([name, state, node]) => [name, state, node, 'concurrent', 'OAAN'])),
  ),
  fc.constant<Change>((view) => (view.config = { ...view.config, fileSystems: 'ALL' })),
  fc.constant<Change>((view) => (view.config = { ...view.config, volumeGroups: [] })),
  fc.constant<Change>((view, about) => (view.clusterNodes = view.clusterNodes.filter((name) => name !== about))),
  fc
    .constantFrom(
      'clRGinfo -s',
      'lssrc -ls clstrmgrES',
      'mount',
      'clshowres',
      'lsvg payvg',
      'lscluster -m',
      'lsrpnode',
      'cllsnode',
      'ifconfig -a',
    )
    .map(
      (command): Change =>
        (view) => {
          view.overrides[command] = ok('no answer from here\n');
        },
    ),
);

/** Which views a change is made to: of one node, or of all; and about which node. */
const changes = fc.array(
  fc.record({ change, view: fc.constantFrom(0, 1, 2, 'all'), about: fc.nat(2), late: fc.boolean() }),
  { maxLength: 5 },
);

function build(
  size: number,
  list: readonly { change: Change; view: number | string; about: number; late: boolean }[],
  second: boolean,
): World {
  const names = Array.from({ length: size }, (_, index) => `db${index + 1}`);
  const world = healthyWorld(names);
  for (const { change, view, about, late } of list) {
    // Most changes are there from the start: what differs between the rounds is moving, and hides the rest.
    if (late && !second && about === 0) continue;
    names.forEach((name, index) => {
      const node = world[name];
      if (node && (view === 'all' || view === index)) change(node, names[about % size] ?? '');
    });
  }
  return world;
}

it('the guard and the verdict agree on any cluster', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 3 }), changes, fc.boolean(), async (size, list, named) => {
      const [early, later] = [build(size, list, false), build(size, list, true)];
      const policy = named
        ? ({ tieBreak: 'first-online-in-priority-order', minority: 'trust-the-survivors' } as const)
        : {};
      const first = await survey(hostsOf(early));
      const volumeGroups = contentsOf(group, first)?.volumeGroups;
      const second = await survey(hostsOf(later), { volumeGroups: volumeGroups ?? [] });
      // A guard always has its own node, and asks about the disks in both rounds.
      fc.pre(
        volumeGroups !== undefined &&
          [first, second].every((reports) => reports.some(({ kind }) => kind === 'answered')),
      );
      const verdict = decide(group, [first, second], policy);
      const settings = [
        `group=${group}`,
        `tie_break=${policy.tieBreak ?? 'none'}`,
        `minority=${policy.minority ?? 'none'}`,
      ];
      const said = execFileSync(awk, [...settings.flatMap((setting) => ['-v', setting]), judge], {
        input: `@round 1\n${round(early, group)}@round 2\n${round(later, group)}`,
        encoding: 'utf8',
      });
      const [line, ...reasons] = said.trimEnd().split('\n');
      // A node that cannot read its configuration does not know which disks to tell about; a controller tells it.
      const blind = verdict.kind !== 'held' && verdict.reasons.some(({ code }) => code === 'CONFIGURATION_UNREADABLE');
      const wanted = verdict.kind === 'held' ? `held ${verdict.node}` : verdict.kind;
      if (blind) expect(line).not.toMatch(/^held/);
      else expect(line).toBe(wanted);
      expect(reasons.length > 0).toBe(verdict.kind !== 'held');
    }),
    { numRuns: runs },
  );
});
