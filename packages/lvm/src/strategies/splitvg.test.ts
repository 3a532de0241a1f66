import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { SceneWish } from '../../test/matrix/scene.ts';
import { buildStage, type Stage } from '../../test/matrix/stage.ts';

const wish: SceneWish = {
  group: 'standard',
  level: '7200-05',
  disks: ['hdisk2', 'hdisk3'],
  volumes: [
    { name: 'datalv', type: 'jfs2', copies: 2, mountPoint: '/shop/data' },
    { name: 'queuelv', type: 'raw', copies: 2 },
  ],
};
const strategy = 'splitvg';
const asked = { strategy, fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] };

let stage: Stage;
afterEach(() => stage.scene.remove());
const read = (path: string) => readFileSync(stage.scene.storage.realPath(stage.scene.owner(), path), 'utf8');
const device = (path: string) =>
  readFileSync(stage.scene.storage.deviceFile(stage.scene.owner(), path)).toString('latin1');

describe('splitvg', () => {
  it('takes all volumes at one instant, and gives back only what changed', async () => {
    stage = await buildStage(wish);
    const { scene } = stage;
    const before = await scene.state();
    const plan = await stage.plan(asked);
    expect(plan.volumes).toMatchObject([
      {
        volume: 'datalv',
        strategy,
        copy: 'fsdatalv',
        copies: 2,
        copiesLeft: 1,
        source: { path: '/splitmirror/k3f9q2/datalv' },
      },
      { volume: 'queuelv', copy: 'fsqueuelv', source: { kind: 'device', path: '/dev/rfsqueuelv' } },
    ]);
    expect(plan.split.script.steps.flatMap(({ id }) => (id.startsWith('split:') ? [id] : []))).toEqual([
      'split:shopvg',
    ]);
    await stage.perform(plan.split);
    await scene.write();
    await stage.perform(plan.expose);
    expect(read('/splitmirror/k3f9q2/datalv/file0')).toContain('round 1\n');
    expect(read('/shop/data/file0')).toContain('round 2\n');
    expect(device('/dev/fsqueuelv')).toContain('queuelv round 1');
    expect(await stage.mirror.redundancy(plan)).toMatchObject({ kind: 'resyncing' });
    await stage.perform(plan.withdraw, plan.merge);
    expect(await stage.mirror.redundancy(plan)).toEqual({ kind: 'whole' });
    expect(await scene.state()).toEqual(before);
  });

  it('varies the new group on where the old one is concurrent capable', async () => {
    stage = await buildStage({ ...wish, capable: true });
    const plan = await stage.plan(asked);
    expect(plan.split.script.steps.map(({ id }) => id)).toContain('vary-on:smk3f9q2e01');
    await stage.perform(plan.split, plan.expose, plan.withdraw, plan.merge);
  });

  it('refuses what splitvg would refuse', async () => {
    stage = await buildStage({ ...wish, group: 'enhanced concurrent' });
    expect(await stage.problems(asked)).toEqual(['GROUP_NOT_SEPARABLE']);
    stage.scene.remove();
    stage = await buildStage({ ...wish, capable: true }, {}, undefined, (output) =>
      output.replace(/^VG Mode:.*\n/m, ''),
    );
    expect(await stage.problems(asked)).toEqual(['GROUP_NOT_SEPARABLE']);
    stage.scene.remove();
    stage = await buildStage(wish);
    expect(await stage.problems({ ...asked, allowLastCopy: false })).toContain('LAST_COPY');
    await stage.type('mklv -y pagelv -t paging -c 2 shopvg 1 hdisk2 hdisk3');
    expect(await stage.problems(asked)).toEqual(['GROUP_NOT_SEPARABLE']);
    await stage.type('rmlv -f pagelv');
    await stage.type('mklv -y averylongname1 -t raw -c 2 shopvg 1 hdisk2 hdisk3');
    expect(await stage.problems(asked)).toEqual(['GROUP_NOT_SEPARABLE']);
    await stage.type('rmlv -f averylongname1');
    await stage.type('mklv -y fsqueuelv -t raw -c 2 shopvg 1 hdisk2 hdisk3');
    expect(await stage.problems({ strategy, fileSystems: ['/shop/data'] })).toEqual(['GROUP_NOT_SEPARABLE']);
    await stage.type('rmlv -f fsqueuelv');
    expect(await stage.problems(asked)).toEqual([]);
    await stage.type('mklv -y onelv -t raw shopvg 1 hdisk3');
    expect(await stage.problems(asked)).toEqual(['GROUP_NOT_SEPARABLE']);
  });

  it.each([
    [0, 'before this node knew the new group'],
    [1, 'after it'],
  ])('is taken back when splitvg was killed half-way: %i, %s', async (reached) => {
    stage = await buildStage(wish);
    const before = await stage.scene.state();
    stage.scene.storage.interrupt('splitvg', reached);
    expect(await stage.mirror.perform((await stage.plan(asked)).split)).toMatchObject({
      kind: 'failed',
      problems: [{ code: 'SPLIT_FAILED' }],
    });
    await stage.scene.write();
    expect(await stage.recover()).toEqual([]);
    expect(await stage.scene.state()).toEqual(before);
  });

  it('is taken back at a level that says nothing of the relation', async () => {
    stage = await buildStage(wish, {}, undefined, (output) => output.replace(/^(SNAPSHOT|PRIMARY) VG:.*\n/gm, ''));
    const before = await stage.scene.state();
    for (const reached of [0, 1]) {
      stage.scene.storage.interrupt('splitvg', reached);
      expect(await stage.mirror.perform((await stage.plan(asked)).split)).toMatchObject({ kind: 'failed' });
      expect(await stage.recover()).toEqual([]);
      expect(await stage.scene.state()).toEqual(before);
    }
  });

  it('does not believe a command that has done nothing', async () => {
    let lie = /^splitvg /;
    stage = await buildStage(wish, {}, (line) => lie.test(line));
    const plan = await stage.plan(asked);
    expect(await stage.mirror.perform(plan.split)).toMatchObject({ kind: 'failed' });
    lie = /^mount -v/;
    expect(await stage.recover()).toEqual([]);
    await stage.perform(plan.split);
    expect(await stage.mirror.perform(plan.expose)).toMatchObject({ problems: [{ code: 'MOUNT_NOT_PROVED' }] });
    lie = /^nothing/;
    expect(await stage.recover()).toEqual([]);
    await stage.perform(plan.split);
    lie = /^joinvg /;
    const merged = await stage.mirror.perform(plan.merge);
    expect(merged).toMatchObject({
      kind: 'failed',
      problems: expect.arrayContaining([expect.objectContaining({ code: 'MERGE_NOT_PROVED' })]),
    });
    lie = /^nothing/;
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('lsvg')).not.toContain('smk3f9q2e01');
  });

  it('does not take a volume of another group for the copy', async () => {
    const rename = (output: string) => output.replace(/(LOGICAL VOLUME: +fs.*VOLUME GROUP: +)smk3f9q2e01/, '$1rootvg');
    stage = await buildStage(wish, {}, undefined, rename);
    expect(await stage.mirror.perform((await stage.plan(asked)).split)).toMatchObject({
      kind: 'failed',
      problems: [{ code: 'COPY_NOT_PROVED', seen: 'rootvg' }, { code: 'COPY_NOT_PROVED' }],
    });
  });

  it('joins no group that nothing ties to it', async () => {
    stage = await buildStage(wish);
    await stage.type('mkvg -y smzzzzzze01 -s 1 hdisk8');
    expect(await stage.recover()).toEqual(['SNAPSHOT_GROUP_STRAY']);
    expect(await stage.type('lsvg')).toContain('smzzzzzze01');
  });

  it('is left to a person on a node that never heard of the new group, and forgotten where it was', async () => {
    stage = await buildStage(wish);
    const { scene } = stage;
    const before = await scene.state();
    await stage.perform((await stage.plan(asked)).split);
    scene.crash('ada');
    await scene.acquire('bob');
    await scene.write();
    expect(await stage.recover()).toEqual(['SNAPSHOT_GROUP_UNKNOWN']);
    // As the remedy says.
    await stage.type('importvg -n -y smk3f9q2e01 hdisk3');
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('lsvg -l shopvg')).not.toContain('stale');
    await scene.release('bob');
    await scene.acquire('ada');
    expect(await stage.type('lsvg')).toContain('smk3f9q2e01');
    expect(await stage.recover()).toEqual([]);
    expect(await stage.recover('bob')).toEqual([]);
    expect(await scene.state()).toEqual(before);
  });
});
