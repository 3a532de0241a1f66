import { renderSteps } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Model, mirroredVolume, modelHost, shopModel } from '../../test/model.ts';
import { aixMirror } from '../mirror.ts';
import { look } from '../picture/look.ts';
import type { MirrorPlan, SplitRequest } from '../port.ts';
import { planSplit } from './plan.ts';
import type { Settings } from './strategy.ts';

const request: SplitRequest = {
  run: 'k3f9q2',
  fileSystems: ['/shop/data', '/shop/data/orders'],
  rawVolumes: [],
  suspend: [],
  resume: [],
  freezeSeconds: 60,
  allowLastCopy: true,
};

async function plan(change: (model: Model) => void = () => {}, asked: Partial<SplitRequest> = {}) {
  const model = shopModel();
  change(model);
  const picture = await look(modelHost('ada', model), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
  return planSplit(picture, { ...request, ...asked });
}

async function codes(change?: (model: Model) => void, asked?: Partial<SplitRequest>): Promise<string[]> {
  const answer = await plan(change, asked);
  return 'problems' in answer ? answer.problems.map(({ code }) => code) : [];
}

const group = (model: Model) => model.groups[0] ?? expect.unreachable('no group');
const volume = (model: Model, at = 0) => group(model).volumes[at] ?? expect.unreachable('no volume');

async function made(change?: (model: Model) => void, asked?: Partial<SplitRequest>): Promise<MirrorPlan> {
  const answer = await plan(change, asked);
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
  return answer.plan;
}

describe('planSplit', () => {
  it('says every command, in order', async () => {
    const { split, expose, withdraw, merge } = await made();
    expect([split, expose, withdraw, merge].map(({ script }) => renderSteps(script))).toEqual([
      [
        'mkdir -p /splitmirror/k3f9q2/datalv:2',
        'mkdir -p /splitmirror/k3f9q2/orderlv:2',
        "chfs -a 'freeze=60' /shop/data/orders",
        "chfs -a 'freeze=60' /shop/data",
        'splitlvcopy -f -y smk3f9q2201 datalv 1 hdisk3',
        'splitlvcopy -f -y smk3f9q2202 orderlv 1 hdisk3',
        "chfs -a 'freeze=off' /shop/data",
        "chfs -a 'freeze=off' /shop/data/orders",
        'chlv -L /splitmirror/k3f9q2/datalv smk3f9q2201',
        'lslv datalv',
        'lslv smk3f9q2201',
        'chlv -L /splitmirror/k3f9q2/orderlv smk3f9q2202',
        'lslv orderlv',
        'lslv smk3f9q2202',
      ],
      [
        'lslv datalv',
        'lslv smk3f9q2201',
        'lslv orderlv',
        'lslv smk3f9q2202',
        'fsck -V jfs2 -p /dev/smk3f9q2201',
        'fsck -V jfs2 -n /dev/smk3f9q2201',
        'mkdir -p /splitmirror/k3f9q2/datalv',
        'mount -v jfs2 -o ro /dev/smk3f9q2201 /splitmirror/k3f9q2/datalv',
        'fsck -V jfs2 -p /dev/smk3f9q2202',
        'fsck -V jfs2 -n /dev/smk3f9q2202',
        'mkdir -p /splitmirror/k3f9q2/orderlv',
        'mount -v jfs2 -o ro /dev/smk3f9q2202 /splitmirror/k3f9q2/orderlv',
        'mount',
      ],
      [
        'umount /splitmirror/k3f9q2/datalv',
        'rmdir /splitmirror/k3f9q2/datalv',
        'umount /splitmirror/k3f9q2/orderlv',
        'rmdir /splitmirror/k3f9q2/orderlv',
      ],
      [
        'rmlv -f smk3f9q2201',
        'mklvcopy datalv 2 hdisk3',
        'rmlv -f smk3f9q2202',
        'mklvcopy orderlv 2 hdisk3',
        'syncvg -P 4 -l datalv',
        'syncvg -P 4 -l orderlv',
        'lslv datalv',
        'lslv orderlv',
        'rmdir /splitmirror/k3f9q2/datalv:2',
        'rmdir /splitmirror/k3f9q2/orderlv:2',
        'rmdir /splitmirror/k3f9q2',
        'rmdir /splitmirror',
      ],
    ]);
  });

  it('owes the thaw of every freeze and the copy of every removal', async () => {
    const { split, merge } = await made();
    expect(split.script.steps.flatMap(({ id, pays }) => (pays ? [`${id} pays ${pays}`] : []))).toEqual([
      'thaw:/shop/data pays freeze:/shop/data',
      'thaw:/shop/data/orders pays freeze:/shop/data/orders',
    ]);
    expect(merge.script.steps.flatMap(({ id, pays }) => (pays ? [`${id} pays ${pays}`] : []))).toEqual([
      'add:datalv pays remove:smk3f9q2201',
      'add:orderlv pays remove:smk3f9q2202',
    ]);
  });

  it('prices the split and explains every step', async () => {
    const planned = await made();
    expect(planned.volumes[0]).toEqual({
      volume: 'datalv',
      strategy: 'splitlvcopy',
      copy: 'smk3f9q2201',
      source: { kind: 'directory', mountPoint: '/shop/data', path: '/splitmirror/k3f9q2/datalv' },
      bytes: 4 * 16 * 2 ** 20,
      copies: 2,
      copiesLeft: 1,
      partitionsToResync: 4,
    });
    expect(planned.frozenSecondsAtMost).toBe(60);
    for (const { script, explains } of [planned.split, planned.expose, planned.withdraw, planned.merge]) {
      expect(Object.keys(explains)).toEqual(script.steps.map(({ id }) => id));
    }
    expect(planned.split.undo.slice(0, 3)).toEqual([
      'rmlv -f smk3f9q2201',
      'mklvcopy datalv 2 hdisk3',
      'syncvg -P 4 -l datalv',
    ]);
  });

  it('needs no permission where two fresh copies stay', async () => {
    const three = (model: Model) => {
      group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
      group(model).volumes[0] = mirroredVolume('datalv', 1, ['hdisk2', 'hdisk3', 'hdisk4'], 4, 1, {
        label: '/shop/data',
      });
    };
    const planned = await made(three, { fileSystems: ['/shop/data'], allowLastCopy: false });
    expect(renderSteps(planned.split.script)).toContain('splitlvcopy -f -y smk3f9q2301 datalv 2 hdisk4');
    expect(renderSteps(planned.merge.script)).toContain('mklvcopy datalv 3 hdisk4');
    expect(planned.volumes[0]?.copiesLeft).toBe(2);
  });

  it('says what a split does to the next takeover where other nodes do not learn of it', async () => {
    const { split } = await made((model) => {
      group(model).concurrent = false;
    });
    expect(split.explains['split:datalv']).toContain('at the next takeover');
    expect((await made()).split.explains['split:datalv']).not.toContain('takeover');
  });

  it.each(['/', '/var', '/tmp'])(
    'never freezes %s, where the commands that split write themselves',
    async (mountPoint) => {
      const moved = (model: Model) => {
        volume(model).label = mountPoint;
        for (const each of [model.stanzas[0], model.mounts[0]]) Object.assign(each ?? {}, { mountPoint });
      };
      expect(await codes(moved, { fileSystems: [mountPoint] })).toEqual(['SYSTEM_FILE_SYSTEM']);
      expect(await codes(moved, { fileSystems: [mountPoint], strategy: 'snapshot' })).toEqual([]);
    },
  );

  it('binds the returned copy to its mirror pool', async () => {
    const pools = (model: Model) => {
      volume(model).pools = ['east', 'west'];
    };
    const planned = await made(pools, { fileSystems: ['/shop/data'] });
    expect(renderSteps(planned.merge.script)[1]).toBe("mklvcopy -p 'copy2=west' datalv 2 hdisk3");
  });

  it('names every disk of a copy that lies on several', async () => {
    const spread = (model: Model) => {
      group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
      volume(model).map[3] = [
        { disk: 'hdisk2', pp: 4, stale: false },
        { disk: 'hdisk4', pp: 1, stale: false },
      ];
    };
    const planned = await made(spread, { fileSystems: ['/shop/data'] });
    expect(renderSteps(planned.split.script)).toContain('splitlvcopy -f -y smk3f9q2201 datalv 1 hdisk3 hdisk4');
  });

  it('takes another copy than the last where only that one has its disks for itself', async () => {
    const mixed = (model: Model) => {
      group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
      const map = [0, 1].map((lp) => [
        { disk: 'hdisk4', pp: 50 + lp, stale: false },
        { disk: lp === 0 ? 'hdisk2' : 'hdisk3', pp: 60, stale: false },
        { disk: lp === 0 ? 'hdisk3' : 'hdisk2', pp: 61, stale: false },
      ]);
      group(model).volumes[0] = mirroredVolume('datalv', 1, [], 0, 1, { label: '/shop/data', map });
    };
    const planned = await made(mixed, { fileSystems: ['/shop/data'] });
    expect(renderSteps(planned.split.script)).toContain('splitlvcopy -f -y smk3f9q2301 datalv 2 hdisk4');
  });

  it('splits what is not mounted without a freeze, and checks only a log that goes with the copy', async () => {
    const closed = (inline: boolean) => (model: Model) => {
      model.mounts = [];
      for (const each of group(model).volumes) Object.assign(each, { open: false, inline });
    };
    const asked = { fileSystems: ['/shop/data'], rawVolumes: ['queuelv'] };
    const within = await made(closed(true), asked);
    expect(within.frozenSecondsAtMost).toBe(0);
    expect(renderSteps(within.split.script).filter((line) => line.startsWith('chfs'))).toEqual([]);
    expect(renderSteps(within.expose.script)).toContain('fsck -V jfs2 -n /dev/smk3f9q2201');
    const elsewhere = renderSteps((await made(closed(false), asked)).expose.script);
    expect(elsewhere.filter((line) => line.startsWith('fsck'))).toEqual([]);
    expect(elsewhere).toContain('mount -v jfs2 -o ro /dev/smk3f9q2201 /splitmirror/k3f9q2/datalv');
  });

  it('tells the price, with the paces that are known', async () => {
    const model = shopModel();
    const picture = await look(modelHost('ada', model), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
    const priced = (settings: Settings) => {
      const answer = planSplit(picture, request, settings);
      return 'plan' in answer ? answer.plan.price : expect.unreachable('no plan');
    };
    expect(priced({})).toEqual({
      unmirroredVolumes: ['datalv', 'orderlv'],
      megabytesToResync: 7 * 16,
      resyncMinutes: null,
      frozenSecondsExpected: 8,
    });
    expect(priced({ resyncMegabytesPerSecond: 0.5, secondsPerSplit: 1 })).toMatchObject({
      resyncMinutes: 4,
      frozenSecondsExpected: 4,
    });
  });

  it('offers importvg -L where other nodes learn late, and says what a takeover meets', async () => {
    const { takeover = [] } = await made((model) => {
      group(model).concurrent = false;
    });
    expect(takeover.map(({ text }) => text.split(':')[0])).toEqual([
      'A takeover while datalv, orderlv is split',
      expect.stringContaining('Other nodes learn at the next takeover'),
      'An import in the middle makes stanzas of the labels in shopvg',
    ]);
    expect(takeover.flatMap(({ commands }) => commands)).toEqual(['importvg -L shopvg -n hdisk2']);
    expect((await made()).takeover).toHaveLength(1);
  });

  it('bounds the pace of the resync where the level can', async () => {
    const picture = async (level: string) => {
      const model = shopModel();
      model.level = level;
      return look(modelHost('ada', model), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
    };
    const settings = { resync: { parallelPartitions: 2, rate: 40 } };
    const answer = planSplit(await picture('7200-05'), request, settings);
    expect('plan' in answer && renderSteps(answer.plan.merge.script)).toContain('syncvg -P 2 -T 40 -l datalv');
    expect(planSplit(await picture('7100-05'), request, settings)).toMatchObject({
      problems: [{ code: 'RATE_UNKNOWN' }],
    });
  });

  it.each<Settings>([
    { resync: { parallelPartitions: 33 } },
    { resync: { parallelPartitions: 0 } },
    { resync: { rate: Number.NaN } },
    { resync: { rate: 1.5 } },
    { snapshotPercent: 101 },
    { resyncMegabytesPerSecond: 0 },
    { secondsPerSplit: Number.NaN },
  ])('refuses settings that say nothing: %j', async (settings) => {
    const picture = await look(modelHost('ada', shopModel()), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
    expect(() => planSplit(picture, request, settings)).toThrow(RangeError);
    expect(() => aixMirror({ hosts: new Map(), ...settings })).toThrow(RangeError);
  });

  it('keeps the key server of an encrypted volume', async () => {
    const encrypted = (model: Model) => {
      model.level = '7300-02';
      volume(model).encrypted = true;
    };
    const { split } = await made(encrypted, { fileSystems: ['/shop/data'] });
    expect(renderSteps(split.script)).toContain('splitlvcopy -f -k -y smk3f9q2201 datalv 1 hdisk3');
  });

  it.each<[string, (model: Model) => void, Partial<SplitRequest>?]>([
    [
      'LEVEL_TOO_OLD',
      (model) => {
        model.level = '5200-10';
      },
    ],
    [
      'LEVEL_TOO_OLD',
      (model) => {
        model.level = 'oslevel: not found';
      },
    ],
    ['BAD_RUN_ID', () => {}, { run: '9bad' }],
    ['BAD_FREEZE_TIME', () => {}, { freezeSeconds: 0 }],
    ['NOTHING_TO_SPLIT', () => {}, { fileSystems: [] }],
    ['NAMED_TWICE', () => {}, { fileSystems: ['/shop/data', '/shop/data'] }],
    ['UNKNOWN_FILE_SYSTEM', () => {}, { fileSystems: ['/elsewhere'] }],
    ['UNKNOWN_VOLUME', () => {}, { rawVolumes: ['nolv'] }],
    ['HAS_FILE_SYSTEM', () => {}, { fileSystems: [], rawVolumes: ['datalv'] }],
    ['RAW_VOLUME_IN_USE', () => {}, { rawVolumes: ['queuelv'] }],
    [
      'SYSTEM_VOLUME',
      (model) => {
        volume(model, 2).type = 'paging';
      },
      { rawVolumes: ['queuelv'], suspend: [{ id: 's', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 9 }] },
    ],
    ['LAST_COPY', () => {}, { allowLastCopy: false, fileSystems: ['/shop/data'] }],
    [
      'GROUP_NOT_ACTIVE',
      (model) => {
        group(model).permission = 'passive-only';
      },
    ],
    [
      'GROUP_NOT_ACTIVE',
      (model) => {
        group(model).state = 'off';
      },
    ],
    ['DISK_NOT_ACTIVE', (model) => void Object.assign(group(model).disks[1] ?? {}, { state: 'missing' })],
    ['SNAPSHOT_RELATION', (model) => void group(model).extraRows.push('SNAPSHOT VG:        snapvg')],
    [
      'NO_VOLUME_SLOT',
      (model) => {
        group(model).maxVolumes = 4;
      },
    ],
    [
      'LOG_NOT_MIRRORED',
      (model) => void Object.assign(model.mounts[0] ?? {}, { vfs: 'jfs', options: 'rw,log=/dev/l' }),
    ],
    ['APPLICATION_ACTIVE', (model) => void Object.assign(model.mounts[0] ?? {}, { vfs: 'jfs' })],
    [
      'NOT_JFS2',
      (model) => void Object.assign(model.mounts[0] ?? {}, { vfs: 'jfs' }),
      { strategy: 'splitlvcopy', fileSystems: ['/shop/data'] },
    ],
    ['NOT_JFS', () => {}, { strategy: 'splitcopy' }],
    ['HAS_FILE_SYSTEM', () => {}, { strategy: 'chlvcopy' }],
    ['SPACE_RECLAMATION', () => {}, { strategy: 'map-split' }],
    [
      'FIRST_BLOCK',
      (model) => void Object.assign(group(model), { maxDisks: 128 }),
      { strategy: 'map-split', fileSystems: [], rawVolumes: ['queuelv'] },
    ],
    ['UNKNOWN_STRATEGY', () => {}, { strategy: 'flashcopy' }],
    ['NOT_MOUNTED', (model) => void model.mounts.shift()],
    ['MOUNTED_READ_ONLY', (model) => void Object.assign(model.mounts[0] ?? {}, { options: 'ro,log=INLINE' })],
    [
      'EXTERNAL_LOG',
      (model) => {
        volume(model).inline = false;
        Object.assign(model.mounts[0] ?? {}, { options: 'rw,log=/dev/loglv00' });
      },
    ],
    ['LOG_UNKNOWN', (model) => void Object.assign(model.mounts[0] ?? {}, { options: 'rw,log=/dev/loglv00' })],
    [
      'ENCRYPTED',
      (model) => {
        volume(model).encrypted = true;
      },
    ],
    ['ONE_COPY', (model) => volume(model).map.forEach((row) => void row.pop())],
    ['STALE', (model) => void Object.assign(volume(model).map[0]?.[1] ?? {}, { stale: true })],
    ['RAGGED', (model) => void volume(model).map[0]?.pop()],
    ['COPIES_SHARE_DISKS', (model) => void volume(model).map[0]?.reverse()],
    [
      'STRIPED',
      (model) => {
        volume(model).stripeWidth = 2;
      },
    ],
    ['STRIPED', (model) => void Object.assign(volume(model), { schedule: 'striped' })],
    [
      'MIRROR_POOLS',
      (model) => {
        group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
        volume(model).pools = ['east', 'west', 'north'];
        volume(model).map = [0, 1].map((lp) => [
          { disk: 'hdisk4', pp: 50 + lp, stale: false },
          { disk: lp === 0 ? 'hdisk2' : 'hdisk3', pp: 60, stale: false },
          { disk: lp === 0 ? 'hdisk3' : 'hdisk2', pp: 61, stale: false },
        ]);
      },
    ],
    ['LEFTOVERS', (model) => void ['/splitmirror', '/splitmirror/a1b2c3'].map((path) => model.directories.add(path))],
    [
      'NAME_NOT_PLAIN',
      (model) => {
        for (const list of [model.stanzas, model.mounts]) Object.assign(list[0] ?? {}, { mountPoint: '/shop/dätä' });
      },
      { fileSystems: ['/shop/dätä'] },
    ],
    [
      'BAD_STEPS',
      () => {},
      { suspend: [{ id: 'freeze:/shop/data', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 9 }] },
    ],
  ])('refuses with %s', async (code, change, asked) => {
    expect(await codes(change, asked)).toContain(code);
  });

  it('lists all problems, not only the first', async () => {
    const found = await codes(
      (model) => {
        Object.assign(volume(model).map[0]?.[1] ?? {}, { stale: true });
        for (const row of volume(model, 1).map) row.pop();
      },
      { allowLastCopy: false },
    );
    expect(found.sort()).toEqual(['GROUP_STALE', 'LAST_COPY', 'ONE_COPY', 'STALE']);
  });

  it('names what would fit instead', async () => {
    const suspend = [{ id: 's', run: { argv: ['sync'], effect: 'reads' }, timeoutSeconds: 9 }] as const;
    const answer = await plan((model) => void volume(model, 2).map[0]?.reverse(), {
      fileSystems: [],
      rawVolumes: ['queuelv'],
      suspend,
    });
    expect('problems' in answer && answer.problems.map(({ remedy }) => remedy)).toEqual([
      'Move the copies to disks of their own; otherwise naming disks does not say which copy goes. Strategy chlvcopy would fit.',
    ]);
  });

  it('says what was seen and what to do about it', async () => {
    const answer = await plan((model) => void Object.assign(volume(model).map[0]?.[1] ?? {}, { stale: true }));
    expect('problems' in answer && answer.problems.find(({ code }) => code === 'STALE')).toEqual({
      code: 'STALE',
      node: 'ada',
      message: 'datalv has stale partitions',
      seen: 'STALE PPs: 1',
      remedy: 'Run "syncvg -l datalv" first, unless a copy of it is split: that would be overwritten.',
    });
  });
});
