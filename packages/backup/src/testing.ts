import assert from 'node:assert/strict';
import type {
  ClusterPort,
  GroupContents,
  MirrorPlan,
  MirrorPort,
  Phase,
  Picture,
  Proof,
  RecoveryPlan,
  SplitRequest,
  Standing,
} from './ports.ts';

/** One rule that every family keeps. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with an AssertionError when the rule is broken. */
  run(): Promise<void>;
}

/** A cluster for one case: it runs, and `group` is online on `holder`. */
export interface ClusterSubject {
  readonly port: ClusterPort;
  readonly group: string;
  readonly holder: string;
  /** Brings the group to another node; resolves when it is there. */
  move(): Promise<void>;
  /** Makes a node answer nobody; without it the case that needs it does not exist. */
  silence?: ((node: string) => Promise<void>) | undefined;
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** A mirror for one case: whole, in step, and without anything of ours. */
export interface MirrorSubject {
  readonly port: MirrorPort;
  /** Node that has the group. */
  readonly node: string;
  /** A node of the cluster that does not have it. */
  readonly other: string;
  readonly contents: GroupContents;
  /** A request that this mirror can fulfil; the suite fills in the run. */
  readonly request: Omit<SplitRequest, 'run'>;
  readonly dispose?: (() => Promise<void>) | undefined;
}

/**
 * The rules that a {@link ClusterPort} keeps, as cases for any test runner.
 *
 * @param make Makes a fresh subject for each case.
 * @param options `silences`: the subjects can make a node answer nobody.
 */
export function clusterContract(
  make: () => Promise<ClusterSubject>,
  options: { readonly silences?: boolean | undefined } = {},
): readonly ContractCase[] {
  return casesOf(make, options.silences ? [...clusterRules, ...silentRules] : clusterRules);
}

/**
 * The rules that a {@link MirrorPort} keeps, as cases for any test runner. They split and merge for real.
 *
 * @param make Makes a fresh subject for each case.
 */
export function mirrorContract(make: () => Promise<MirrorSubject>): readonly ContractCase[] {
  return casesOf(make, mirrorRules);
}

type Rule<S> = readonly [name: string, rule: (subject: S) => Promise<void>];

function casesOf<S extends { readonly dispose?: (() => Promise<void>) | undefined }>(
  make: () => Promise<S>,
  rules: readonly Rule<S>[],
): readonly ContractCase[] {
  return rules.map(([name, rule]) => ({
    name,
    async run() {
      const subject = await make();
      try {
        await rule(subject);
      } finally {
        await subject.dispose?.();
      }
    },
  }));
}

/** The same value as it comes out of a file. */
function saved<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function held(standing: Standing): Extract<Standing, { kind: 'held' }> {
  assert.equal(standing.kind, 'held', JSON.stringify(standing));
  return standing as Extract<Standing, { kind: 'held' }>;
}

const proofOf = async ({ port, group }: ClusterSubject): Promise<Proof> => held(await port.locate(group)).proof;

const clusterRules: readonly Rule<ClusterSubject>[] = [
  [
    'names all nodes, and finds the one that has the group, with evidence',
    async ({ port, group, holder }) => {
      assert.ok(port.nodes.length > 1 && port.nodes.includes(holder));
      const { node, proof, evidence, contents } = held(await port.locate(group));
      assert.deepEqual([node, proof.node, proof.group], [holder, holder, group]);
      assert.ok(evidence.length > 0 && contents.volumeGroups.length > 0);
    },
  ],
  [
    'confirms a proof again and again while nothing changes, also one from a file',
    async (subject) => {
      let proof = saved(await proofOf(subject));
      for (let round = 0; round < 3; round++) {
        const confirmation = await subject.port.confirm(proof);
        if (confirmation.kind !== 'holds') assert.fail(JSON.stringify(confirmation));
        proof = saved(confirmation.proof);
      }
    },
  ],
  [
    'says that a proof is lost when the group has moved, and finds the other node',
    async (subject) => {
      const proof = await proofOf(subject);
      await subject.move();
      const confirmation = await subject.port.confirm(proof);
      if (confirmation.kind !== 'lost') assert.fail(JSON.stringify(confirmation));
      assert.ok(confirmation.changed.length > 0);
      assert.notEqual(held(await subject.port.locate(subject.group)).node, subject.holder);
    },
  ],
  [
    'does not take an edited proof for one that holds',
    async (subject) => {
      const proof = await proofOf(subject);
      const facts = Object.fromEntries(Object.keys(proof.facts).map((fact) => [fact, 'edited']));
      assert.notEqual((await subject.port.confirm({ ...proof, facts })).kind, 'holds');
    },
  ],
  [
    'knows a group that it does not know',
    async ({ port, group }) => {
      assert.equal((await port.locate(`no_${group}`)).kind, 'unknown-group');
    },
  ],
];

const silentRules: readonly Rule<ClusterSubject>[] = [
  [
    'says neither yes nor no for a node that does not answer',
    async (subject) => {
      const proof = await proofOf(subject);
      await subject.silence?.(subject.holder);
      assert.equal((await subject.port.confirm(proof)).kind, 'unknown');
      assert.notEqual((await subject.port.locate(subject.group)).kind, 'held');
    },
  ],
];

const run = 'k3f9q2';

function planned(port: MirrorPort, picture: Picture, request: SplitRequest): MirrorPlan {
  const result = port.plan(picture, request);
  if ('problems' in result) assert.fail(JSON.stringify(result.problems));
  return result.plan;
}

async function done(port: MirrorPort, phase: Phase): Promise<void> {
  const outcome = await port.perform(phase);
  assert.equal(outcome.kind, 'done', `${phase.name}: ${JSON.stringify(outcome)}`);
}

/** Follows the way back until nothing is left to do; fails when it does not end. */
async function recovered(
  { port, node, contents }: MirrorSubject,
  intended: Parameters<MirrorPort['recovery']>[1],
): Promise<Picture> {
  for (let round = 0; round < 8; round++) {
    const picture = await port.look(node, contents);
    const { phases, problems } = port.recovery(picture, intended);
    assert.deepEqual(problems, []);
    if (phases.length === 0 && picture.stalePartitions === 0) return picture;
    for (const phase of phases) await done(port, phase);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail('the way back does not end');
}

async function whole(port: MirrorPort, plan: MirrorPlan): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const redundancy = await port.redundancy(plan);
    if (redundancy.kind === 'whole') return;
    assert.equal(redundancy.kind, 'resyncing', JSON.stringify(redundancy));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('the copies do not come into step');
}

const phaseNames = ['split', 'expose', 'withdraw', 'merge'] as const;

const mirrorRules: readonly Rule<MirrorSubject>[] = [
  [
    'shows the same twice while nothing changes, and nothing of ours on a mirror that is whole',
    async ({ port, node, contents }) => {
      const [one, two] = [await port.look(node, contents), await port.look(node, contents)];
      assert.equal(one.digest, two.digest);
      assert.deepEqual([one.node, one.leftovers, one.stalePartitions], [node, [], 0]);
      assert.deepEqual(one.fileSystems, [...one.fileSystems].sort());
      assert.deepEqual(port.recovery(one), { ...port.recovery(one), phases: [], problems: [] } satisfies RecoveryPlan);
    },
  ],
  [
    'plans the same from the same, as plain JSON with commands on the node',
    async ({ port, node, contents, request }) => {
      const picture = await port.look(node, contents);
      const before = saved(picture);
      const plan = planned(port, picture, { ...request, run });
      assert.deepEqual(saved(plan), saved(planned(port, saved(picture), { ...request, run })));
      assert.deepEqual(saved(picture), before, 'the picture is not touched');
      assert.ok(plan.volumes.length > 0 && plan.frozenSecondsAtMost > 0);
      for (const name of phaseNames) assert.deepEqual([plan[name].name, plan[name].node], [name, node]);
      for (const { copy, copies, copiesLeft } of plan.volumes) {
        assert.ok(copy.includes(run), `${copy} carries the run`);
        assert.ok(copies > copiesLeft && copiesLeft > 0);
      }
      const told = picture.dataVolumes.map(({ volume }) => volume);
      assert.deepEqual(told, told.toSorted());
      for (const { volume } of plan.volumes) assert.ok(told.includes(volume), `${volume} is told as a volume of data`);
    },
  ],
  [
    'refuses what it does not know, with every reason and a remedy',
    async ({ port, node, contents, request }) => {
      const picture = await port.look(node, contents);
      const result = port.plan(picture, { ...request, run, fileSystems: ['/no/such'], rawVolumes: ['nosuchlv'] });
      if (!('problems' in result)) assert.fail('was planned');
      assert.ok(result.problems.length >= 2);
      for (const { code, message, remedy } of result.problems) assert.ok(code && message && remedy);
    },
  ],
  [
    'splits, exposes, withdraws and merges, and is then as it was',
    async ({ port, node, contents, request }) => {
      const before = await port.look(node, contents);
      const plan = planned(port, before, { ...request, run });
      await done(port, plan.split);
      const split = await port.look(node, contents);
      assert.notEqual(split.digest, before.digest);
      assert.ok(split.leftovers.length > 0 && split.leftovers.every((leftover) => leftover.run === run));
      assert.equal((await port.redundancy(plan)).kind, 'reduced');
      await done(port, plan.expose);
      await done(port, plan.withdraw);
      await done(port, plan.merge);
      await whole(port, plan);
      assert.equal((await port.look(node, contents)).digest, before.digest);
    },
  ],
  ...phaseNames.map(
    (last): Rule<MirrorSubject> => [
      `finds its way back after ${last}, from what the node shows alone, and then has nothing to do`,
      async (subject) => {
        const { port, node, contents, request } = subject;
        const before = await port.look(node, contents);
        const plan = planned(port, before, { ...request, run });
        for (const name of phaseNames.slice(0, phaseNames.indexOf(last) + 1)) await done(port, plan[name]);
        const after = await recovered(subject, undefined);
        assert.equal(after.digest, before.digest);
        assert.deepEqual(port.recovery(after).phases, []);
      },
    ],
  ),
  [
    'says before it begins how many copies the way back gives back',
    async (subject) => {
      const { port, node, contents, request } = subject;
      const plan = planned(port, await port.look(node, contents), { ...request, run });
      await done(port, plan.split);
      const { intended = [] } = port.recovery(await port.look(node, contents));
      const expected = plan.volumes.map(({ volume, copies }) => `${volume} ${copies}`).sort();
      assert.deepEqual(intended.map(({ volume, copies }) => `${volume} ${copies}`).sort(), expected);
      await recovered(subject, intended);
    },
  ],
  [
    'does nothing to a node that does not have the group',
    async ({ port, other, contents }) => {
      assert.deepEqual(port.recovery(await port.look(other, contents)).phases, []);
    },
  ],
];
