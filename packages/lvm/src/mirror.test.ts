import { renderSteps, type Step } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Mishap, type Model, modelHost, shopModel, wholeness } from '../test/model.ts';
import { aixMirror } from './mirror.ts';
import type { MirrorPlan, Phase, SplitRequest } from './port.ts';

const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;
const suspend: Step[] = [
  { id: 'suspend', run: { argv: ['mkdir', '-p', '/tmp/held'], effect: 'changes' }, timeoutSeconds: 30 },
];
const resume: Step[] = [
  { id: 'resume', run: { argv: ['rmdir', '/tmp/held'], effect: 'changes' }, timeoutSeconds: 30, pays: ['suspend'] },
  { id: 'resume-tmp', run: { argv: ['rmdir', '/tmp'], effect: 'changes' }, timeoutSeconds: 30, pays: ['suspend'] },
];
const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: ['/shop/data', '/shop/data/orders'],
  rawVolumes: ['queuelv'],
  suspend,
  resume,
  freezeSeconds: 60,
  allowLastCopy: true,
};

function cluster(model: Model = shopModel()) {
  const luck: { mishap?: Mishap | undefined } = {};
  return { model, luck, mirror: aixMirror({ hosts: new Map([['ada', modelHost('ada', model, luck)]]) }) };
}

async function planned(mirror: ReturnType<typeof aixMirror>): Promise<MirrorPlan> {
  const answer = mirror.plan(await mirror.look('ada', contents), request);
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
  return answer.plan;
}

describe('aixMirror', () => {
  it('splits, exposes, withdraws and merges, and leaves nothing', async () => {
    const { model, mirror } = cluster();
    const before = wholeness(model);
    const plan = await planned(mirror);

    expect(await mirror.perform(plan.split)).toMatchObject({
      kind: 'done',
      facts: { 'identifier of smk3f9q2201': '00f6a1b200004c000000018a1b2c3d4e.4', frozenSeconds: '1' },
    });
    expect(await mirror.redundancy(plan)).toMatchObject({
      kind: 'reduced',
      problems: [{ code: 'COPIES_REDUCED' }, {}, {}],
    });
    expect(await mirror.perform(plan.expose)).toMatchObject({
      kind: 'done',
      facts: { 'device of /splitmirror/k3f9q2/datalv': '/dev/smk3f9q2201', 'fsck of /dev/smk3f9q2202': 'clean' },
    });
    expect(await mirror.perform(plan.withdraw)).toMatchObject({ kind: 'done' });
    expect(await mirror.perform(plan.merge)).toMatchObject({
      kind: 'done',
      facts: { 'stale partitions of datalv': '0' },
    });
    expect(await mirror.redundancy(plan)).toEqual({ kind: 'whole' });
    expect(wholeness(model)).toEqual(before);
  });

  it('runs exactly what the plan says', async () => {
    const { model, mirror } = cluster();
    const plan = await planned(mirror);
    model.transcript.length = 0;
    const phases = [plan.split, plan.expose, plan.withdraw, plan.merge];
    for (const phase of phases) await mirror.perform(phase);
    expect(model.transcript).toEqual(
      phases.flatMap(({ script }) => script.steps.map(({ run }) => ('pipe' in run ? [] : run.argv))),
    );
  });

  it('gives the same digest again, and another one when a copy is gone', async () => {
    const { model, mirror } = cluster();
    const first = await mirror.look('ada', contents);
    const queue = model.groups[0]?.volumes[2];
    if (queue) queue.open = false;
    expect((await mirror.look('ada', contents)).digest).toBe(first.digest);
    await mirror.perform((await planned(mirror)).split);
    expect((await mirror.look('ada', contents)).digest).not.toBe(first.digest);
  });

  it('tells in parts what its digest rests on, so that what has changed can be named', async () => {
    const { model, mirror } = cluster();
    const first = await mirror.look('ada', contents);
    const [data] = model.groups[0]?.volumes ?? [];
    if (data) data.label = '/another';
    const second = await mirror.look('ada', contents);
    const changed = Object.keys(first.parts).filter((name) => first.parts[name] !== second.parts[name]);
    expect(changed).toEqual([`volume ${data?.name}`]);
    expect(Object.values(first.parts).every((digest) => /^[0-9a-f]{12}$/.test(digest))).toBe(true);
    expect(Object.keys(first.parts)).toContain(`partitions of ${data?.name}`);
    expect(second.digest).not.toBe(first.digest);
  });

  it('spares the disks when it is told to', async () => {
    const model = shopModel();
    const slow = aixMirror({ hosts: new Map([['ada', modelHost('ada', model)]]), resync: { parallelPartitions: 1 } });
    const { split, merge } = await planned(slow);
    expect(renderSteps(merge.script)).toContain('syncvg -P 1 -l datalv');
    await slow.perform(split);
    const { phases } = slow.recovery(await slow.look('ada', contents));
    expect(phases.flatMap(({ script }) => renderSteps(script))).toContain('syncvg -P 1 -l datalv');
  });

  it('refuses a node that nobody configured', async () => {
    await expect(cluster().mirror.look('bob', contents)).rejects.toMatchObject({ code: 'MIRROR_NODE_UNKNOWN' });
  });
});

describe('recovery', () => {
  const phasesOf = (plan: MirrorPlan) => [plan.split, plan.expose, plan.withdraw, plan.merge];

  /** Recovers as often as it takes, as an operator would. */
  async function recover(mirror: ReturnType<typeof aixMirror>, intended?: { volume: string; copies: number }[]) {
    const plan = mirror.recovery(await mirror.look('ada', contents), intended);
    for (const phase of plan.phases) {
      const outcome = await mirror.perform(phase);
      if (outcome.kind !== 'done') throw new Error(`${phase.name}: ${JSON.stringify(outcome)}`);
    }
    return plan;
  }

  it('has nothing to do where nothing of ours is', async () => {
    const { mirror } = cluster();
    expect(mirror.recovery(await mirror.look('ada', contents))).toEqual({ phases: [], volumes: [], problems: [] });
  });

  /** Everything that can go wrong at a step, and what the world looks like when recovery begins. */
  const mishaps: readonly { name: string; kind: Mishap['kind']; after?: (model: Model) => void; note?: boolean }[] = [
    { name: 'the controller dies', kind: 'cut off' },
    { name: 'the script dies', kind: 'stops' },
    { name: 'the command refuses', kind: 'refuses' },
    { name: 'the command fails after its effect', kind: 'fails' },
    { name: 'the node dies and comes back', kind: 'stops', after: restart },
    { name: 'the group moves', kind: 'stops', after: takeOver, note: true },
  ];
  const note = ['datalv', 'orderlv', 'queuelv'].map((volume) => ({ volume, copies: 2 }));

  function restart(model: Model): void {
    model.frozen.clear();
    model.mounts = model.mounts.filter(({ mountPoint }) => !mountPoint.startsWith('/splitmirror/'));
  }

  function takeOver(model: Model): void {
    restart(model);
    model.directories.clear();
  }

  /** What the application's own steps leave is not ours to clear. */
  function clearHeld(model: Model): void {
    for (const path of ['/tmp/held', '/tmp']) model.directories.delete(path);
  }

  it.each(mishaps)(
    'makes the mirror whole when $name, at any step of any phase',
    async ({ kind, after, note: noted }) => {
      const lengths = phasesOf(await planned(cluster().mirror)).map(({ script }) => script.steps.length);
      for (const [which, length] of lengths.entries()) {
        for (let step = 0; step < length; step++) {
          const { model, mirror, luck } = cluster();
          const before = wholeness(model);
          const phases = phasesOf(await planned(mirror));
          for (const phase of phases.slice(0, which)) await mirror.perform(phase);
          luck.mishap = { step, kind };
          const outcome = await mirror.perform(phases[which] as Phase);
          luck.mishap = undefined;
          const where = `${kind} at ${phases[which]?.script.steps[step]?.id}`;
          if (phases[which]?.script.steps[step]?.onFailure !== 'continue') expect(outcome.kind, where).not.toBe('done');
          after?.(model);
          clearHeld(model);
          const recovery = await recover(mirror, noted ? note : undefined);
          expect(recovery.problems, where).toEqual([]);
          expect(wholeness(model), where).toEqual(before);
          expect((await recover(mirror)).phases, where).toEqual([]);
        }
      }
    },
  );

  it.each(mishaps)(
    'makes the mirror whole when $name, at any step of the recovery itself',
    async ({ kind, after, note: noted }) => {
      const split = async () => {
        const all = cluster();
        const before = wholeness(all.model);
        const plan = await planned(all.mirror);
        for (const phase of [plan.split, plan.expose]) await all.mirror.perform(phase);
        clearHeld(all.model);
        return { ...all, before, phases: all.mirror.recovery(await all.mirror.look('ada', contents)).phases };
      };
      for (const [which, { script }] of (await split()).phases.entries()) {
        for (let step = 0; step < script.steps.length; step++) {
          const { model, mirror, luck, before, phases } = await split();
          for (const phase of phases.slice(0, which)) await mirror.perform(phase);
          luck.mishap = { step, kind };
          await mirror.perform(phases[which] as Phase);
          luck.mishap = undefined;
          after?.(model);
          await recover(mirror, noted ? note : undefined);
          expect(wholeness(model), `${kind} at ${script.steps[step]?.id}`).toEqual(before);
        }
      }
    },
  );
});
