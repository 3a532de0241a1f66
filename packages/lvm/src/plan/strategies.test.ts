import { describe, expect, it } from 'vitest';
import { type Model, mirroredVolume, modelHost, shopModel } from '../../test/model.ts';
import { look } from '../picture/look.ts';
import { weighStrategies } from './strategies.ts';

async function weigh(volume: string, change: (model: Model) => void = () => {}) {
  const model = shopModel();
  change(model);
  const picture = await look(modelHost('ada', model), 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
  const advice = weighStrategies(picture, volume);
  const codes = advice.map(
    ({ strategy, against }) =>
      [strategy, against.map(({ code }) => code).filter((code) => code !== 'NOT_PERFORMED')] as const,
  );
  return {
    fits: codes.flatMap(([strategy, against]) => (against.length === 0 ? [strategy] : [])),
    against: Object.fromEntries(codes),
  };
}

const group = (model: Model) => model.groups[0] ?? expect.unreachable('no group');
const first = (model: Model) => group(model).volumes[0] ?? expect.unreachable('no volume');

/** As an administrator of the nineties left it. */
function jfs(model: Model, logCopies = 2): void {
  first(model).type = 'jfs';
  const disks = ['hdisk2', 'hdisk3'].slice(0, logCopies);
  group(model).volumes.push(mirroredVolume('loglv', 8, disks, 1, 40, { type: 'jfslog' }));
  Object.assign(model.stanzas[0] ?? {}, { vfs: 'jfs' });
  Object.assign(model.mounts[0] ?? {}, { vfs: 'jfs', options: 'rw,log=/dev/loglv' });
}

function unmount(model: Model): void {
  first(model).open = false;
  model.mounts.shift();
}

describe('weighStrategies', () => {
  it.each<[string, string, string[], (model: Model) => void]>([
    ['one copy of a JFS2', 'datalv', ['snapshot'], (model) => first(model).map.forEach((row) => void row.pop())],
    ['stale partitions', 'datalv', [], (model) => void Object.assign(first(model).map[0]?.[1] ?? {}, { stale: true })],
    ['a paging space', 'datalv', [], (model) => void Object.assign(first(model), { type: 'paging' })],
    ['an encrypted JFS2', 'datalv', ['snapshot'], (model) => void Object.assign(first(model), { encrypted: true })],
    ['a mounted JFS', 'datalv', ['splitcopy'], jfs],
    ['a JFS with its log in one copy', 'datalv', [], (model) => jfs(model, 1)],
    ['an unmounted JFS2', 'datalv', ['splitlvcopy'], unmount],
    ['a JFS2 varied on by PowerHA', 'datalv', ['splitlvcopy', 'snapshot'], () => {}],
    [
      'a JFS2 in a standard group',
      'datalv',
      ['splitlvcopy', 'splitvg', 'snapshot'],
      (model) => void Object.assign(group(model), { concurrent: false }),
    ],
    [
      'a JFS2 with its log elsewhere',
      'datalv',
      ['snapshot'],
      (model) => {
        first(model).inline = false;
        Object.assign(model.mounts[0] ?? {}, { options: 'rw,log=/dev/loglv00' });
      },
    ],
    ['an open raw volume', 'queuelv', ['splitlvcopy', 'chlvcopy'], () => {}],
    [
      'a closed raw volume at 7.1',
      'queuelv',
      ['splitlvcopy', 'chlvcopy', 'map-split'],
      (model) => {
        model.level = '7100-05';
        for (const volume of group(model).volumes) volume.open = false;
      },
    ],
    [
      'a group in a snapshot relation',
      'queuelv',
      [],
      (model) => void group(model).extraRows.push('SNAPSHOT VG:        snapvg'),
    ],
    ['a level that is not known', 'datalv', [], (model) => void Object.assign(model, { level: '?' })],
  ])('%s', async (_, volume, fits, change) => {
    expect((await weigh(volume, change)).fits).toEqual(fits);
  });

  it('says why not', async () => {
    const { against } = await weigh('datalv');
    expect(against).toMatchObject({
      splitcopy: ['NOT_JFS'],
      splitlvcopy: [],
      splitvg: ['GROUP_NOT_SEPARABLE'],
      chlvcopy: ['HAS_FILE_SYSTEM'],
      'map-split': ['SPACE_RECLAMATION'],
    });
  });

  it('never splits a group whose copies share disks as a whole', async () => {
    const { against } = await weigh('datalv', (model) => {
      group(model).concurrent = false;
      for (const row of group(model).volumes[2]?.map ?? []) row.reverse();
    });
    expect(against.splitvg).toEqual(['GROUP_NOT_SEPARABLE']);
  });

  it('has nothing to say about a volume that is not here', async () => {
    expect((await weigh('nolv')).against).toEqual({});
  });
});
