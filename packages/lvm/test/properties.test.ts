import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aixMirror, type MirrorPlan, type SplitRequest } from '../src/index.ts';
import { type Mishap, type Model, type ModelVolume, modelHost, shopModel } from './model.ts';

const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;
const diskNames = ['hdisk2', 'hdisk3', 'EMC_0DEF_4', 'hdisk50'];

interface Wish {
  readonly copies: number;
  readonly size: number;
  /** For each copy, where its partitions lie. */
  readonly places: readonly (readonly number[])[];
  readonly type: string;
  readonly mounted: boolean;
  readonly inline: boolean;
  readonly encrypted: boolean;
  readonly separate: string;
  readonly blemish: 'none' | 'stale' | 'ragged';
}

/** Mostly healthy volumes, since those are the ones that get as far as a split. */
function mostly<T>(usual: readonly T[], ...odd: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom(...usual) },
    { weight: odd.length === 0 ? 0 : 1, arbitrary: fc.constantFrom(...odd, ...usual) },
  );
}

const wish: fc.Arbitrary<Wish> = fc.record({
  copies: mostly([2, 3], 1),
  size: fc.integer({ min: 2, max: 5 }), // with one partition nothing can be ragged
  places: fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .shuffledSubarray([0, 1, 2, 3], { minLength: 3, maxLength: 3 })
        .map((disks) => disks.map((disk) => [disk])),
    },
    {
      weight: 1,
      arbitrary: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 3 }),
    },
  ),
  type: mostly(['jfs2', 'raw'], 'jfs', 'paging', 'jfs2log'),
  mounted: mostly([true], false),
  inline: mostly([true], false),
  encrypted: mostly([false], true),
  separate: mostly(['yes', 'yes (superstrict)'], 'no'),
  blemish: mostly<Wish['blemish']>(['none'], 'stale', 'ragged'),
});

function build(wishes: readonly Wish[]): Model {
  const model = shopModel();
  const [group] = model.groups;
  if (group === undefined) throw new Error('no group');
  const free = new Map(diskNames.map((name) => [name, 1]));
  group.disks = diskNames.map((name) => ({ name, state: 'active', total: 200 }));
  model.stanzas = [];
  model.mounts = [];
  group.volumes = wishes.map((asked, index): ModelVolume => {
    const name = `vol${index}lv`;
    const mountPoint = `/shop/${'deep/'.repeat(index % 3)}fs${index}`;
    const hasFileSystem = /^jfs2?$/.test(asked.type);
    const map = Array.from({ length: asked.size }, (_, lp) =>
      asked.places.slice(0, asked.copies).map((places) => {
        const disk = diskNames[places[lp % places.length] ?? 0] ?? 'hdisk2';
        const pp = free.get(disk) ?? 1;
        free.set(disk, pp + 1);
        return { disk, pp, stale: false };
      }),
    );
    if (asked.blemish === 'stale') Object.assign(map[0]?.at(-1) ?? {}, { stale: true });
    if (asked.blemish === 'ragged' && asked.copies > 1) map[0]?.pop();
    if (hasFileSystem) {
      model.stanzas.push({ mountPoint, device: `/dev/${name}`, vfs: asked.type });
      if (asked.mounted) {
        const log = asked.inline ? `/dev/${name}` : '/dev/loglv00';
        model.mounts.push({ device: `/dev/${name}`, mountPoint, vfs: asked.type, options: `rw,log=${log}` });
      }
    }
    const { inline, encrypted, separate } = asked;
    return {
      name,
      minor: index + 1,
      type: asked.type,
      label: hasFileSystem ? mountPoint : null,
      open: asked.mounted,
      map,
      inline,
      encrypted,
      separate,
    };
  });
  return model;
}

/** Copies of each partition, what is stale, and everything that is not LVM's choice. */
function shape(model: Model) {
  return structuredClone({
    volumes: model.groups.flatMap(({ volumes }) =>
      volumes.map(({ name, label, map }) => ({
        name,
        label,
        copies: map.map((row) => row.length),
        stale: map.flat().filter(({ stale }) => stale).length,
      })),
    ),
    mounts: model.mounts,
    directories: [...model.directories],
    frozen: [...model.frozen],
  });
}

/** Closed JFS beside a mounted JFS2: few scenes hold one that gets as far as a mount. */
const closedJfs: Scene = {
  wishes: [
    { copies: 2, places: [[3], [0], [1]], type: 'jfs', mounted: false },
    { copies: 2, places: [[2], [3], [0]], type: 'jfs2', mounted: true },
  ].map((each) => ({ ...each, size: 2, inline: true, encrypted: false, separate: 'yes', blemish: 'none' })),
  pick: [true, false, false, false, false],
  allowLastCopy: true,
};

interface Scene {
  readonly wishes: readonly Wish[];
  readonly pick: readonly boolean[];
  readonly allowLastCopy: boolean;
}

const scene: fc.Arbitrary<Scene> = fc.record({
  wishes: fc.array(wish, { minLength: 1, maxLength: 5 }),
  pick: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  allowLastCopy: fc.constantFrom(true, true, true, false),
});

function requestOf(model: Model, pick: readonly boolean[], allowLastCopy: boolean): SplitRequest {
  const volumes = model.groups.flatMap((group) => group.volumes).filter((_, index) => pick[index]);
  return {
    run: 'k3f9q2',
    fileSystems: volumes.flatMap(({ label }) => label ?? []),
    rawVolumes: volumes.flatMap(({ label, name }) => (label === null ? [name] : [])),
    suspend: [{ id: 'suspend', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9 }],
    resume: [{ id: 'resume', run: { argv: ['mount'], effect: 'reads' }, timeoutSeconds: 9, pays: ['suspend'] }],
    freezeSeconds: 60,
    allowLastCopy,
  };
}

it('a plan that passes its checks performs, and leaves everything as it was', async () => {
  let plans = 0;
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(scene, async ({ wishes, pick, allowLastCopy }) => {
      const model = build(wishes);
      const before = shape(model);
      const mirror = aixMirror({ hosts: new Map([['ada', modelHost('ada', model)]]) });
      const answer = mirror.plan(await mirror.look('ada', contents), requestOf(model, pick, allowLastCopy));
      if ('problems' in answer) {
        refusals++;
        expect(answer.problems.length).toBeGreaterThan(0);
        for (const problem of answer.problems)
          expect(Object.values(problem).every((word) => word !== undefined)).toBe(true);
        expect(shape(model)).toEqual(before);
        return;
      }
      plans++;
      const { plan } = answer;
      for (const phase of [plan.split, plan.expose, plan.withdraw, plan.merge]) {
        expect(await mirror.perform(phase)).toMatchObject({ kind: 'done' });
        // Whatever is split, one whole fresh copy stays with the volume.
        const { groups } = await mirror.look('ada', contents);
        for (const view of groups) {
          if (view.kind !== 'active') continue;
          for (const volume of view.volumes) expect(volume.freshPartitions).toBe(volume.logicalPartitions);
        }
      }
      expect(await mirror.redundancy(plan)).toEqual({ kind: 'whole' });
      expect(shape(model)).toEqual(before);
    }),
    { numRuns: 400, examples: [[closedJfs]] },
  );
  // A property that refuses everything, or nothing, would prove nothing.
  expect(Math.min(plans, refusals)).toBeGreaterThan(20);
});

it('no volume with a fault is ever given away', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ wishes, pick, allowLastCopy }) => {
      const model = build(wishes);
      const mirror = aixMirror({ hosts: new Map([['ada', modelHost('ada', model)]]) });
      const request = requestOf(model, pick, allowLastCopy);
      const answer = mirror.plan(await mirror.look('ada', contents), request);
      if ('problems' in answer) return;
      for (const { volume } of answer.plan.volumes) {
        const asked = wishes[Number(/\d+/.exec(volume)?.[0])];
        expect(asked).toMatchObject({ blemish: 'none', encrypted: false });
        expect(asked?.type).toMatch(/^(jfs2?|raw)$/);
        expect(asked?.copies).toBeGreaterThan(allowLastCopy ? 1 : 2);
        if (asked?.type === 'jfs2' && asked.mounted) expect(asked).toMatchObject({ inline: true });
        if (asked?.type === 'jfs') expect(asked).toMatchObject({ mounted: false });
      }
    }),
    { numRuns: 300 },
  );
});

it('whatever happens at any step, recovery makes every volume whole and leaves nothing', async () => {
  const accident = fc.record({
    phase: fc.nat(3),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    kind: fc.constantFrom<Mishap['kind']>('stops', 'refuses', 'fails', 'cut off'),
  });
  let recovered = 0;
  await fc.assert(
    fc.asyncProperty(scene, accident, accident, async ({ wishes: asked, pick }, first, second) => {
      // Where copies may share a disk, the disks of a lost copy are left to a person.
      const wishes = asked.map((each) => (each.separate === 'no' ? { ...each, separate: 'yes' } : each));
      const model = build(wishes);
      const before = shape(model);
      const luck: { mishap?: Mishap | undefined } = {};
      const mirror = aixMirror({ hosts: new Map([['ada', modelHost('ada', model, luck)]]) });
      const answer = mirror.plan(await mirror.look('ada', contents), requestOf(model, pick, true));
      if ('problems' in answer) return;
      const note = answer.plan.volumes.map(({ volume, copies }) => ({ volume, copies }));
      const phases = (plan: MirrorPlan) => [plan.split, plan.expose, plan.withdraw, plan.merge];
      for (const [index, phase] of phases(answer.plan)
        .slice(0, first.phase + 1)
        .entries()) {
        if (index === first.phase)
          luck.mishap = { step: Math.floor(first.at * phase.script.steps.length), kind: first.kind };
        await mirror.perform(phase);
        luck.mishap = undefined;
      }
      for (const mishap of [second, undefined]) {
        for (const phase of mirror.recovery(await mirror.look('ada', contents), note).phases) {
          luck.mishap = mishap && { step: Math.floor(mishap.at * phase.script.steps.length), kind: mishap.kind };
          const outcome = await mirror.perform(phase);
          luck.mishap = undefined;
          if (mishap === undefined) expect(outcome).toMatchObject({ kind: 'done' });
        }
      }
      expect(mirror.recovery(await mirror.look('ada', contents), note)).toEqual({
        phases: [],
        volumes: [],
        problems: [],
      });
      expect(shape(model)).toEqual(before);
      recovered++;
    }),
    { numRuns: 400 },
  );
  expect(recovered).toBeGreaterThan(20);
});
