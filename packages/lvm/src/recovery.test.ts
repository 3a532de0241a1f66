import { renderSteps } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Model, mirroredVolume, modelHost, shopModel } from '../test/model.ts';
import { look } from './picture/look.ts';
import type { IntendedCopies } from './port.ts';
import { planRecovery } from './recovery.ts';

const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;

async function recovery(change: (model: Model) => void, intended?: readonly IntendedCopies[]) {
  const model = shopModel();
  change(model);
  const plan = planRecovery(await look(modelHost('ada', model), 'ada', contents), intended);
  return { ...plan, commands: plan.phases.flatMap(({ script }) => renderSteps(script)) };
}

const group = (model: Model) => model.groups[0] ?? expect.unreachable('no group');
const volume = (model: Model, at = 0) => group(model).volumes[at] ?? expect.unreachable('no volume');

/** `datalv` with its second copy in a volume of its own. */
function split(model: Model, copy = 'smk3f9q2201', label: string | null = '/splitmirror/k3f9q2/datalv'): void {
  const original = volume(model);
  const map = original.map.map((row) => row.slice(1));
  original.map = original.map.map((row) => row.slice(0, 1));
  group(model).volumes.push(mirroredVolume(copy, 9, [], 0, 1, { label, open: false, map }));
}

function mark(model: Model, ...paths: string[]): void {
  for (const path of ['/splitmirror', '/splitmirror/k3f9q2', ...paths]) model.directories.add(path);
}

describe('planRecovery', () => {
  it('brings a labelled copy back to the disks that it was on', async () => {
    const { commands, volumes, problems } = await recovery(split);
    expect(commands).toEqual([
      'rmlv -f smk3f9q2201',
      'mklvcopy datalv 2 hdisk3',
      'syncvg -P 4 -l datalv',
      'lslv datalv',
    ]);
    expect({ volumes, problems }).toEqual({ volumes: ['datalv'], problems: [] });
  });

  it('thaws only what may still be held: the copy has no label yet', async () => {
    const { commands } = await recovery((model) => split(model, 'smk3f9q2201', '/shop/data'));
    expect(commands[0]).toBe("chfs -a 'freeze=off' /shop/data");
  });

  it('restores three copies where there were three', async () => {
    const { commands } = await recovery((model) => {
      group(model).disks.push({ name: 'hdisk4', state: 'active', total: 100 });
      group(model).volumes[0] = mirroredVolume('datalv', 1, ['hdisk4', 'hdisk2', 'hdisk3'], 4, 1, {
        label: '/shop/data',
      });
      const original = volume(model);
      const map = original.map.map((row) => row.slice(2));
      original.map = original.map.map((row) => row.slice(0, 2));
      group(model).volumes.push(
        mirroredVolume('smk3f9q2301', 9, [], 0, 1, { label: '/splitmirror/k3f9q2/datalv', open: false, map }),
      );
    });
    expect(commands).toContain('mklvcopy datalv 3 hdisk3');
  });

  it('only removes a copy whose volume has all its copies', async () => {
    const { commands } = await recovery((model) => {
      group(model).volumes.push(
        mirroredVolume('smk3f9q2201', 9, ['hdisk3'], 4, 50, { label: '/splitmirror/k3f9q2/datalv', open: false }),
      );
    });
    expect(commands).toEqual(['rmlv -f smk3f9q2201']);
  });

  it('fills up a volume whose split died halfway', async () => {
    const { commands, problems } = await recovery((model) => {
      const original = volume(model);
      const map = original.map.slice(0, 2).map((row) => row.slice(1));
      original.map = original.map.map((row, lp) => (lp < 2 ? row.slice(0, 1) : row));
      group(model).volumes.push(mirroredVolume('smk3f9q2201', 9, [], 0, 1, { label: '/shop/data', open: false, map }));
    });
    expect(problems).toEqual([]);
    expect(commands).toEqual([
      "chfs -a 'freeze=off' /shop/data",
      'rmlv -f smk3f9q2201',
      'mklvcopy datalv 2 hdisk3',
      'syncvg -P 4 -l datalv',
      'lslv datalv',
    ]);
  });

  it('knows from the mark alone what a copy between removal and return was', async () => {
    const { commands } = await recovery((model) => {
      mark(model, '/splitmirror/k3f9q2/queuelv:2');
      volume(model, 2).map = volume(model, 2).map.map((row) => row.slice(0, 1));
    });
    expect(commands).toEqual([
      'mklvcopy queuelv 2',
      'syncvg -P 4 -l queuelv',
      'lslv queuelv',
      'rmdir /splitmirror/k3f9q2/queuelv:2',
      'rmdir /splitmirror/k3f9q2',
      'rmdir /splitmirror',
    ]);
  });

  it('knows from the note alone what no node shows any more', async () => {
    const lacking = (model: Model) => {
      volume(model, 2).map = volume(model, 2).map.map((row) => row.slice(0, 1));
    };
    expect((await recovery(lacking)).phases).toEqual([]);
    const { commands } = await recovery(lacking, [
      { volume: 'queuelv', copies: 2 },
      { volume: 'datalv', copies: 2 },
    ]);
    expect(commands).toEqual(['mklvcopy queuelv 2', 'syncvg -P 4 -l queuelv', 'lslv queuelv']);
    expect(await recovery(lacking, [{ volume: 'gonelv', copies: 2 }])).toMatchObject({
      phases: [],
      problems: [{ code: 'VOLUME_MISSING' }],
    });
  });

  it('only clears directories on a node that does not hold the group', async () => {
    const { commands, problems } = await recovery((model) => {
      group(model).permission = 'passive-only';
      mark(model, '/splitmirror/k3f9q2/datalv', '/splitmirror/k3f9q2/datalv:2');
    });
    expect(problems).toEqual([]);
    expect(commands).toEqual([
      'rmdir /splitmirror/k3f9q2/datalv',
      'rmdir /splitmirror/k3f9q2/datalv:2',
      'rmdir /splitmirror/k3f9q2',
      'rmdir /splitmirror',
    ]);
  });

  it('touches nothing that does not bear our mark', async () => {
    const { phases, problems } = await recovery((model) => {
      for (const [minor, name] of [
        'smk3f9q2',
        'smk3f9q2401',
        'sm0f9q2201',
        'smk3f9q22011',
        'xsmk3f9q2201',
        'smdata',
      ].entries()) {
        group(model).volumes.push(
          mirroredVolume(name, 20 + minor, ['hdisk2'], 1, 60 + minor, { label: `/other${minor}`, open: false }),
        );
      }
      for (const path of ['/splitmirror', '/splitmirror/notes', '/splitmirror/a1/x']) model.directories.add(path);
      model.mounts.push({ device: '/dev/smdata', mountPoint: '/splitmirror/k3f9q2/other', vfs: 'jfs2', options: 'rw' });
      model.mounts.push({ device: '/dev/smdata', mountPoint: '/splitmirrored/k3f9q2/x', vfs: 'jfs2', options: 'rw' });
      volume(model).map = volume(model).map.map((row) => row.slice(0, 1));
    });
    expect(problems).toEqual([]);
    expect(phases.flatMap(({ script }) => renderSteps(script))).toEqual(['rmdir /splitmirror']); // which fails, and may
  });

  it('does not remove the only good copy', async () => {
    const { commands, problems } = await recovery((model) => {
      split(model);
      mark(model, '/splitmirror/k3f9q2/datalv:2');
      Object.assign(volume(model).map[2]?.[0] ?? {}, { stale: true });
    });
    expect(commands).toEqual([]);
    expect(problems).toMatchObject([{ code: 'ORIGINAL_DAMAGED', seen: '3 of 4 partitions are fresh' }]);
  });

  it('does not remove a copy that someone has mounted elsewhere', async () => {
    const { commands, problems } = await recovery((model) => {
      split(model);
      model.mounts.push({ device: '/dev/smk3f9q2201', mountPoint: '/mnt', vfs: 'jfs2', options: 'ro' });
    });
    expect(commands).toEqual([]);
    expect(problems).toMatchObject([{ code: 'COPY_IN_USE', seen: '/mnt' }]);
  });

  it('does not guess of which volume an unlabelled copy was taken', async () => {
    const twins = (model: Model) => {
      split(model, 'smk3f9q2201', null);
      group(model).volumes.push(mirroredVolume('twinlv', 5, ['hdisk2'], 4, 70, { label: null }));
      volume(model).label = null;
    };
    const { commands, problems } = await recovery(twins);
    expect(commands).toEqual([]);
    expect(problems).toMatchObject([{ code: 'ORIGINAL_UNKNOWN' }]);
    expect((await recovery(twins, [{ volume: 'datalv', copies: 2 }])).commands).toContain('mklvcopy datalv 2 hdisk3');
  });

  it('does not let LVM choose disks where copies may share one', async () => {
    const { commands, problems } = await recovery((model) => {
      mark(model, '/splitmirror/k3f9q2/queuelv:2');
      volume(model, 2).map = volume(model, 2).map.map((row) => row.slice(0, 1));
      volume(model, 2).separate = 'no';
    });
    expect(commands).toEqual([]);
    expect(problems).toMatchObject([{ code: 'DISKS_UNKNOWN' }]);
  });

  it('binds the copy to its pool again, and leaves a lost one to a person', async () => {
    const pools = (model: Model) => {
      split(model);
      volume(model).pools = ['east'];
      volume(model, 3).pools = ['west'];
    };
    expect((await recovery(pools)).commands).toContain("mklvcopy -p 'copy2=west' datalv 2 hdisk3");
    const lost = await recovery((model) => {
      pools(model);
      group(model).volumes.pop();
      mark(model, '/splitmirror/k3f9q2/datalv:2');
    });
    expect(lost).toMatchObject({ commands: [], problems: [{ code: 'POOL_UNKNOWN' }] });
  });

  it('does not trust a copy that is labelled for another run', async () => {
    const { problems } = await recovery((model) => split(model, 'smk3f9q2201', '/splitmirror/zzzzzz/datalv'));
    expect(problems).toMatchObject([{ code: 'ORIGINAL_UNKNOWN' }]);
  });
});
