import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { SceneWish } from '../../test/matrix/scene.ts';
import { buildStage, type Stage } from '../../test/matrix/stage.ts';

const wish: SceneWish = {
  group: 'enhanced concurrent',
  level: '7200-05',
  disks: ['hdisk2', 'hdisk3'],
  volumes: [
    { name: 'datalv', type: 'jfs2', copies: 1, mountPoint: '/shop/data' },
    { name: 'orderlv', type: 'jfs2', copies: 2, mountPoint: '/shop/orders' },
    { name: 'queuelv', type: 'raw', copies: 2 },
  ],
};
const strategy = 'snapshot';
const asked = { strategy, fileSystems: ['/shop/data'] };
const both = {
  strategy,
  fileSystems: ['/shop/data', '/shop/orders'],
  suspend: [{ id: 'suspend', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 9 }],
} as const;

let stage: Stage;
afterEach(() => stage.scene.remove());
const real = (path: string) => stage.scene.storage.realPath(stage.scene.owner(), path);
const read = (path: string) => readFileSync(real(path), 'utf8');

describe('snapshot', () => {
  it('shows on a volume of its own what file systems held, mirrored or not', async () => {
    stage = await buildStage(wish);
    const { scene } = stage;
    const before = await scene.state();
    const plan = await stage.plan(both);
    expect(plan.volumes).toMatchObject([
      { volume: 'datalv', strategy, copy: 'smk3f9q2101f', copies: 1, copiesLeft: 1, partitionsToResync: 0 },
      { volume: 'orderlv', copy: 'smk3f9q2202f', copies: 2, copiesLeft: 2 },
    ]);
    expect(plan.frozenSecondsAtMost).toBe(0);
    await stage.perform(plan.split);
    await scene.write();
    await stage.perform(plan.expose);
    for (const name of ['datalv', 'orderlv']) expect(read(`/splitmirror/k3f9q2/${name}/file0`)).toContain('round 1\n');
    await stage.perform(plan.withdraw, plan.merge);
    expect(await stage.mirror.redundancy(plan)).toEqual({ kind: 'whole' });
    expect(await scene.state()).toEqual(before);
  });

  it('is kept within a file system made for it, where the group has no room', async () => {
    stage = await buildStage({ ...wish, internalSnapshots: true, full: true });
    const { scene } = stage;
    const before = await scene.state();
    const plan = await stage.plan(asked);
    expect(plan.volumes).toMatchObject([{ source: { path: '/shop/data/.snapshot/smk3f9q2101f' } }]);
    await stage.perform(plan.split);
    await scene.write();
    await stage.perform(plan.expose);
    expect(read('/shop/data/.snapshot/smk3f9q2101f/file0')).toContain('round 1\n');
    await stage.perform(plan.withdraw, plan.merge);
    expect(await scene.state()).toEqual(before);
  });

  it('tells no other node of a snapshot within the file system: the volume group stays as it is', async () => {
    stage = await buildStage({ ...wish, group: 'standard', internalSnapshots: true, full: true });
    expect((await stage.plan(asked)).takeover).toMatchObject([{ commands: [] }]);
    stage.scene.remove();
    stage = await buildStage({ ...wish, group: 'standard' });
    expect((await stage.plan(asked)).takeover?.flatMap(({ commands }) => commands)).toEqual([
      'importvg -L shopvg -n hdisk2',
    ]);
  });

  it('fails the run when it ran out of room while it was read', async () => {
    stage = await buildStage(wish, { snapshotPercent: 1 });
    const plan = await stage.plan(asked);
    await stage.perform(plan.split, plan.expose);
    for (let round = 0; round < 6; round++) {
      await stage.scene.storage.write('ada', '/shop/data/big', Buffer.alloc(600_000, round));
      stage.scene.storage.flush('ada', '/shop/data');
    }
    expect(existsSync(real('/splitmirror/k3f9q2/datalv/file0'))).toBe(false);
    expect(await stage.mirror.perform(plan.withdraw)).toMatchObject({
      kind: 'failed',
      problems: [{ code: 'SNAPSHOT_LOST' }],
    });
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('snapshot -q /shop/data')).toContain('no snapshots');
  });

  it('refuses where it would be no point in time, or no way back', async () => {
    stage = await buildStage(wish);
    expect(await stage.problems({ ...both, suspend: [] })).toEqual(['NOT_ONE_INSTANT']);
    expect(await stage.problems({ strategy, rawVolumes: ['queuelv'] })).toEqual(['NOT_JFS2']);
    await stage.type('snapshot -o snapfrom=/shop/data -o size=1M');
    expect(await stage.problems(asked)).toEqual(['EARLIER_SNAPSHOTS']);
    await stage.type('umount /shop/orders');
    expect(await stage.problems({ strategy, fileSystems: ['/shop/orders'] })).toEqual(['NOT_MOUNTED']);
    stage.scene.remove();
    stage = await buildStage({ ...wish, full: true });
    expect(await stage.problems(asked)).toEqual(['NO_ROOM']);
  });

  it('does not believe a command that has done nothing', async () => {
    let lie = /^snapshot -o/;
    stage = await buildStage(wish, {}, (line) => lie.test(line));
    const plan = await stage.plan(asked);
    expect(await stage.mirror.perform(plan.split)).toMatchObject({ problems: [{ code: 'SPLIT_NOT_PROVED' }] });
    lie = /^mount -v/;
    expect(await stage.recover()).toEqual([]);
    await stage.perform(plan.split);
    expect(await stage.mirror.perform(plan.expose)).toMatchObject({ problems: [{ code: 'MOUNT_NOT_PROVED' }] });
    lie = /^nothing/;
    expect(await stage.recover()).toEqual([]);
    await stage.perform(plan.split);
    lie = /^snapshot -d/;
    expect(await stage.mirror.perform(plan.merge)).toMatchObject({ problems: [{ code: 'MERGE_NOT_PROVED' }] });
    lie = /^nothing/;
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('lsvg -l shopvg')).not.toContain('smk3f9q2');
  });

  it('removes a bare volume only where it is sure that it holds no snapshot', async () => {
    stage = await buildStage(wish);
    await stage.type('mklv -y smk3f9q2101f -t jfs2 shopvg 1');
    await stage.type('umount /shop/orders');
    expect(await stage.recover()).toEqual(['SNAPSHOTS_UNKNOWN']);
    await stage.type('mkdir -p /splitmirror/k3f9q2/datalv:1f');
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('lsvg -l shopvg')).not.toContain('smk3f9q2');
  });

  it('takes no snapshot of others along', async () => {
    stage = await buildStage(wish);
    await stage.perform((await stage.plan(asked)).split);
    await stage.type('snapshot -o snapfrom=/shop/data -o size=1M');
    expect(await stage.recover()).toEqual([]);
    expect(await stage.type('snapshot -q /shop/data')).toMatch(/\/dev\/fslv00 /);
    // One of ours behind another's: both would go.
    await stage.type('mklv -y smzzzzzz101f -t jfs2 shopvg 1');
    await stage.type('snapshot -o snapfrom=/shop/data /dev/smzzzzzz101f');
    expect(await stage.recover()).toEqual(['EARLIER_SNAPSHOTS']);
    expect(await stage.type('snapshot -q /shop/data')).toMatch(/\/dev\/fslv00 [\s\S]*\/dev\/smzzzzzz101f /);
  });
});
