import type { ScriptOutcome, StepResult } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { type Model, mirroredVolume, modelHost, shopModel } from '../../test/model.ts';
import { MirrorError } from '../errors.ts';
import { lookScript, readLook } from './look.ts';

const contents = { volumeGroups: ['shopvg'], fileSystems: 'ALL' } as const;

type Ended = Extract<StepResult, { kind: 'ended' }>;

async function answers(change: (model: Model) => void = () => {}): Promise<readonly StepResult[]> {
  const model = shopModel();
  change(model);
  const outcome = await modelHost('ada', model).run(lookScript(contents));
  return outcome.steps;
}

function read(steps: readonly StepResult[]) {
  return readLook('ada', contents, { kind: 'completed', steps });
}

/** The look with another answer to one of its queries. */
async function lookWith(id: string, change: (step: Ended) => StepResult) {
  const steps = await answers();
  return read(steps.map((step) => (step.id === id && step.kind === 'ended' ? change(step) : step)));
}

const saying =
  (stdout: string, stderr = '', exitCode = 0) =>
  (step: Ended): Ended => ({ ...step, stdout, stderr, exitCode });

describe('readLook', () => {
  it('puts volumes, copies, disks, file systems and logs together', async () => {
    const picture = read(await answers());
    expect(picture).toMatchObject({
      node: 'ada',
      level: { release: 702, technologyLevel: 5 },
      leftovers: [],
      stalePartitions: 0,
      fileSystems: ['/shop/data', '/shop/data/orders'],
      dataVolumes: [
        { volume: 'datalv', holds: 'file-system', mountPoint: '/shop/data' },
        { volume: 'orderlv', holds: 'file-system', mountPoint: '/shop/data/orders' },
        { volume: 'queuelv', holds: 'raw', mountPoint: null },
      ],
      rawDevices: [{ volume: 'queuelv', device: '/dev/rqueuelv', bytes: 2 * 16 * 2 ** 20, open: true }],
      directories: [],
    });
    const [group] = picture.groups;
    expect(group?.kind === 'active' && group.volumes[0]).toEqual({
      name: 'datalv',
      group: 'shopvg',
      identifier: '00f6a1b200004c000000018a1b2c3d4e.1',
      type: 'jfs2',
      label: '/shop/data',
      open: true,
      copies: 2,
      logicalPartitions: 4,
      stalePartitions: 0,
      separateDisks: 'yes',
      encrypted: false,
      striped: false,
      child: false,
      map: [
        {
          copy: 1,
          disks: ['hdisk2'],
          partitions: 4,
          stale: 0,
          pool: null,
          extents: [{ disk: 'hdisk2', first: 1, last: 4 }],
        },
        {
          copy: 2,
          disks: ['hdisk3'],
          partitions: 4,
          stale: 0,
          pool: null,
          extents: [{ disk: 'hdisk3', first: 1, last: 4 }],
        },
      ],
      freshPartitions: 4,
      fileSystem: {
        mountPoint: '/shop/data',
        vfs: 'jfs2',
        configured: true,
        mounted: true,
        readOnly: false,
        log: 'inline',
        internalSnapshots: false,
        logDevice: 'INLINE',
      },
    });
    expect(picture.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps the file systems that were asked for', async () => {
    const steps = await answers();
    const asked = { volumeGroups: ['shopvg'], fileSystems: ['/b', '/a'] };
    expect(readLook('ada', asked, { kind: 'completed', steps }).fileSystems).toEqual(['/a', '/b']);
  });

  it('is plain JSON', async () => {
    const picture = read(await answers());
    expect(JSON.parse(JSON.stringify(picture))).toEqual(picture);
  });

  it.each(['group', 'disks', 'volumes', 'map', 'details'])(
    'does not believe the rows of %s beside a message of a failure, whatever the status',
    async (query) => {
      const failure = '0516-932 lsvg: Unable to synchronize volume group shopvg.';
      const onStderr = await lookWith(`${query}:shopvg`, (step) => ({ ...step, stderr: failure }));
      const onStdout = await lookWith(`${query}:shopvg`, (step) => ({ ...step, stdout: `${failure}\n${step.stdout}` }));
      for (const { groups } of [onStderr, onStdout]) {
        expect(groups).toMatchObject([{ kind: 'unreadable', seen: expect.stringContaining(failure) }]);
      }
    },
  );

  it('tells every volume that may hold data, also one that no file system or policy knows', async () => {
    const disks = ['hdisk2', 'hdisk3'];
    const steps = await answers(({ groups: [group], stanzas }) => {
      group?.volumes.push(
        mirroredVolume('loglv', 4, disks, 1, 31, { type: 'jfs2log' }),
        mirroredVolume('pagelv', 5, disks, 1, 32, { type: 'paging' }),
        mirroredVolume('snaplv', 6, disks, 1, 33),
        mirroredVolume('lostlv', 7, disks, 1, 34),
        mirroredVolume('oldlv', 8, disks, 1, 35),
      );
      stanzas.push({ mountPoint: '/shop/old', device: '/dev/oldlv', vfs: 'jfs2' });
    });
    const snapshots =
      'Snapshots for /shop/data\nCurrent  Location      512-blocks        Free Time\n*        /dev/snaplv        65536       64768 Mon Nov  9 03:02:11 2026\n';
    const { dataVolumes } = read(
      steps.map((step) =>
        step.id === 'snapshots:shopvg' && step.kind === 'ended' ? { ...step, stdout: snapshots } : step,
      ),
    );
    expect(dataVolumes).toEqual([
      { volume: 'datalv', holds: 'file-system', mountPoint: '/shop/data' },
      { volume: 'lostlv', holds: 'file-system', mountPoint: null },
      { volume: 'oldlv', holds: 'file-system', mountPoint: '/shop/old' },
      { volume: 'orderlv', holds: 'file-system', mountPoint: '/shop/data/orders' },
      { volume: 'queuelv', holds: 'raw', mountPoint: null },
    ]);
  });

  it('does not take a standby node for the owner', async () => {
    const steps = await answers((model) => {
      for (const group of model.groups) group.permission = 'passive-only';
    });
    expect(read(steps).groups).toMatchObject([
      { kind: 'passive', name: 'shopvg', group: { permission: 'passive-only' } },
    ]);
  });

  it.each([
    ['varied-off', '0516-010 : Volume group must be varied on; use varyonvg command.'],
    ['not-found', '0516-306 lsvg: Unable to find volume group shopvg in the Device\n\tConfiguration Database.'],
    ['unreadable', 'lsvg: something else'],
  ])('tells a group that is %s', async (kind, stderr) => {
    const picture = await lookWith('group:shopvg', saying('', stderr, 1));
    expect(picture.groups).toMatchObject([{ kind, name: 'shopvg', seen: stderr }]);
  });

  it('tells a locked group by its warning, when the query never ended', async () => {
    const stderr =
      '0516-1201 lsvg: Warning: Volume group shopvg is locked. This command\n        will continue retries until lock is free.';
    const picture = await lookWith('volumes:shopvg', (step) => ({
      ...step,
      kind: 'timed-out',
      exitCode: 143,
      stdout: '',
      stderr,
    }));
    expect(picture.groups).toMatchObject([{ kind: 'locked', seen: expect.stringContaining('no end after 60 s') }]);
  });

  it('says nothing about a query that was not asked', async () => {
    expect((await lookWith('map:shopvg', ({ id }) => ({ kind: 'skipped', id }))).groups).toMatchObject([
      { kind: 'unreadable', seen: 'not asked' },
    ]);
  });

  it('reads a group without volumes, although lslv then has no operand', async () => {
    const steps = await answers((model) => {
      for (const group of model.groups) group.volumes = [];
    });
    const picture = read(
      steps.map((step) => (step.id === 'details:shopvg' && step.kind === 'ended' ? { ...step, exitCode: 255 } : step)),
    );
    expect(picture.groups).toMatchObject([{ kind: 'active', volumes: [] }]);
  });

  it.each(['group', 'disks', 'volumes', 'map', 'details'])(
    'never takes a cut answer of %s for a whole one',
    async (part) => {
      const whole = (await answers()).find(({ id }) => id === `${part}:shopvg`) as Ended;
      const wrong: number[] = [];
      for (let length = 0; length < whole.stdout.length - 1; length++) {
        try {
          const picture = await lookWith(`${part}:shopvg`, (step) => ({
            ...step,
            stdout: step.stdout.slice(0, length),
          }));
          if (picture.digest === read(await answers()).digest) continue;
          wrong.push(length);
        } catch (error) {
          if (!(error instanceof MirrorError)) throw error;
        }
      }
      expect(wrong.map((length) => whole.stdout.slice(Math.max(0, length - 40), length))).toEqual([]);
    },
  );

  it.each<[string, string, (step: Ended) => StepResult]>([
    ['the file systems cannot be listed', 'file-systems', saying('', 'lsfs: no', 1)],
    ['the mounts cannot be listed', 'mounts', saying('', 'mount: no', 1)],
    ['a line is not understood', 'mounts', saying('something else\n')],
    [
      'a volume is not described',
      'details:shopvg',
      (step) => ({ ...step, stdout: step.stdout.slice(step.stdout.indexOf('LOGICAL VOLUME:     orderlv')) }),
    ],
    [
      'a volume is gone before it is described',
      'details:shopvg',
      saying('', '0516-306 lslv: Unable to find  orderlv in the Device\n\tConfiguration Database.', 1),
    ],
    [
      'values are unknown',
      'details:shopvg',
      (step) => ({ ...step, stdout: step.stdout.replace('COPIES:             2', 'COPIES:             ?') }),
    ],
  ])('fails when %s', async (_, id, change) => {
    await expect(lookWith(id, change)).rejects.toMatchObject({ code: 'MIRROR_LOOK_FAILED' });
  });

  it('tolerates a status of lsfs, which also asks for groups that are off', async () => {
    const picture = await lookWith('file-systems', (step) => ({
      ...step,
      exitCode: 1,
      stderr: 'lsfs: cannot open /dev/oldlv',
    }));
    expect(picture.fileSystems).toEqual(['/shop/data', '/shop/data/orders']);
  });

  it.each<ScriptOutcome>([
    { kind: 'cancelled', steps: [] },
    { kind: 'unknown', reason: 'connection lost', steps: [] },
  ])('throws when the look was $kind', (outcome) => {
    expect(() => readLook('ada', contents, outcome)).toThrow(
      expect.objectContaining({ code: 'MIRROR_LOOK_UNFINISHED' }),
    );
  });
});
