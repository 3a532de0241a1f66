import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import { planBackup } from '../plan/plan.ts';
import type { Leftover, Picture } from '../ports.ts';
import { type Holder, newHolder } from './lock.ts';
import { runsWithoutEnd } from './progress.ts';
import { runBackup } from './run.ts';
import { groupStatus } from './status.ts';

class LookError extends SplitmirrorError {
  readonly code = 'MIRROR_LOOK_FAILED';
}

let family: LocalFamily;
let looking: (picture: Picture) => Picture | Promise<Picture>;
const status = () => groupStatus(family.context, 'a');
const copyOf = (run: string): Leftover => ({ run, what: 'copy', name: `sm${run}201` });

beforeEach(async () => {
  looking = (picture) => picture;
  family = await localFamily({ a: 'n1' });
  const { mirror } = family.context;
  const look: typeof mirror.look = async (node, ...rest) => {
    const picture = await mirror.look(node, ...rest);
    return node === 'n1' ? looking(picture) : picture;
  };
  Object.assign(family, { context: { ...family.context, mirror: { ...mirror, look } } });
});

async function lockAs(run: string, controller: Partial<Holder['controller']>): Promise<void> {
  const { surroundings } = family.context;
  const holder = newHolder(
    { ...surroundings, controller: { ...surroundings.controller, ...controller } },
    { run, group: 'a', intended: [] },
  );
  const notes = join(family.directory, 'a', '.splitmirror');
  await mkdir(notes, { recursive: true });
  await writeFile(join(notes, `holder.${holder.token}`), `${JSON.stringify(holder)}\n`);
}
const gone = { pid: 999_999_999, birth: null };

/** What the status says while a phase of a backup is performed. */
async function duringA(phase: string) {
  const plan = await planBackup(family.context, 'a', { ...labPolicy, quiesce: null, rawVolumes: [] });
  let seen: Awaited<ReturnType<typeof status>> | undefined;
  family.onPhase = async (_, { name }) => {
    if (name !== phase) return undefined;
    looking = during(plan.run);
    seen = await status();
    looking = (picture) => picture;
    return undefined;
  };
  await runBackup(family.context, plan);
  return { run: plan.run, seen };
}
let during: (run: string) => typeof looking;

describe('groupStatus', () => {
  it('says of a run at work who it is and what it does, and raises no alarm', async () => {
    during = (run) => (picture) => ({ ...picture, leftovers: [copyOf(run)], stalePartitions: 3 });
    const { run, seen } = await duringA('expose');
    const { host, pid } = family.context.surroundings.controller;
    expect(seen).toEqual({
      node: 'n1',
      underWay: {
        ...{ run, kind: 'backup', step: 'expose of a', since: expect.stringMatching(/^2/), controller: { host, pid } },
        liveness: 'alive',
        holds: [`n1: copy sm${run}201 of run ${run}`, 'n1: 3 partitions are stale'],
      },
      findings: [],
      problems: [],
    });
    expect(await status()).toEqual({ node: 'n1', underWay: null, findings: [], problems: [] });
  });

  it('says that its commands keep others from looking, on the node that holds the group', async () => {
    during = () => () => {
      throw new LookError('lsvg is locked out', { remedy: 'Look again.' });
    };
    const { run, seen } = await duringA('split');
    expect(seen).toMatchObject({
      node: 'n1',
      underWay: { run, liveness: 'alive', holds: ['n1: the storage cannot be looked at now: lsvg is locked out'] },
      problems: [],
    });
  });

  it('alarms for storage that cannot be looked at while nobody is at work', async () => {
    looking = () => {
      throw new LookError('no such disk', { remedy: 'Look at it.' });
    };
    expect(await status()).toMatchObject({
      underWay: null,
      problems: [{ code: 'STORAGE_UNREADABLE', node: 'n1', seen: 'MIRROR_LOOK_FAILED', remedy: 'Look at it.' }],
    });
  });

  it('alarms where nothing is mounted that could hold the lock', async () => {
    looking = (picture) => ({ ...picture, fileSystems: [] });
    expect(await status()).toMatchObject({ problems: [{ code: 'PLAN_REFUSED', node: 'n1' }] });
  });

  it('alarms for what a dead run has left', async () => {
    await lockAs('dead00', gone);
    looking = (picture) => ({ ...picture, leftovers: [copyOf('dead00')] });
    expect(await status()).toMatchObject({
      underWay: null,
      findings: ['n1: copy smdead00201 of run dead00', expect.stringMatching(/^lock of run dead00 since /)],
    });
  });

  it('alarms for what is not of the run at work, unless that takes it back', async () => {
    await lockAs('lives0', {});
    looking = (picture) => ({ ...picture, leftovers: [copyOf('dead00')] });
    expect(await status()).toMatchObject({ findings: ['n1: copy smdead00201 of run dead00'] });
    await lockAs('dead00', gone);
    expect(await status()).toMatchObject({
      underWay: { run: 'lives0', kind: null, step: null, holds: ['n1: copy smdead00201 of run dead00'] },
      findings: [],
    });
  });

  it('cannot tell of a run on another machine whether it lives', async () => {
    await lockAs('other0', { host: 'elsewhere' });
    expect(await status()).toMatchObject({
      underWay: { run: 'other0', liveness: 'unknown', controller: { host: 'elsewhere' } },
      problems: [
        {
          code: 'GROUP_LOCKED',
          message: expect.stringContaining('on elsewhere'),
          remedy: expect.stringMatching(/run: splitmirror recover a\. .* run: splitmirror recover a --break-lock$/),
        },
      ],
    });
  });

  it('looks again where a run has ended meanwhile', async () => {
    const found = [copyOf('ended0')];
    looking = (picture) => ({ ...picture, leftovers: found.splice(0) });
    expect(await status()).toMatchObject({ findings: [] });
  });

  describe('where nobody provably holds the group', () => {
    const offline = { code: 'X', message: 'nobody has it' };
    const unheld = () => {
      family.holders.set('a', null);
      return status();
    };
    const killed = async () => {
      const plan = await planBackup(family.context, 'a', { ...labPolicy, quiesce: null, rawVolumes: [] });
      family.onPhase = async () => {
        throw new Error('no link');
      };
      await runBackup(family.context, plan);
    };

    it('finds what lies on any node, in the volume groups that the newest run in the store tells', async () => {
      await killed();
      looking = (picture) => ({ ...picture, leftovers: [copyOf('dead00')], stalePartitions: 3 });
      expect(await unheld()).toMatchObject({
        node: null,
        underWay: null,
        findings: ['n1: copy smdead00201 of run dead00', 'n1: 3 partitions are stale'],
        problems: [offline],
      });
    });

    it('looks only at what can still be looked at, and says what cannot', async () => {
      await killed();
      looking = () => {
        throw new LookError('no link', { remedy: 'Mend it.' });
      };
      expect(await unheld()).toMatchObject({
        node: null,
        findings: [],
        problems: [offline, { node: 'n1', message: 'no link', seen: '' }],
      });
    });

    it('says who is at work, by the lock where its file systems are mounted', async () => {
      await killed();
      await lockAs('lives0', {});
      looking = (picture) => ({ ...picture, leftovers: [copyOf('lives0')] });
      expect(await unheld()).toMatchObject({
        node: null,
        underWay: { run: 'lives0', liveness: 'alive', holds: ['n1: copy smlives0201 of run lives0'] },
        findings: [],
      });
    });

    it('finds nothing where no node can be looked at, and does not call that an empty list', async () => {
      await killed();
      const look = async () => {
        throw new LookError('no link', { remedy: 'Mend it.' });
      };
      Object.assign(family, { context: { ...family.context, mirror: { ...family.context.mirror, look } } });
      expect(await unheld()).toMatchObject({ findings: null, problems: [offline, { node: 'n1' }, { node: 'spare' }] });
    });

    it('says that nothing could be looked at, and why, where no run in the store tells where to look', async () => {
      expect(await unheld()).toMatchObject({
        node: null,
        underWay: null,
        findings: null,
        problems: [offline, { code: 'LEFTOVERS_UNSEEN', seen: expect.stringContaining('no run of a in ') }],
      });
    });
  });

  it('counts no run as at work that has written down its end', async () => {
    const plan = await planBackup(family.context, 'a', { ...labPolicy, quiesce: null, rawVolumes: [] });
    let seen: Awaited<ReturnType<typeof runsWithoutEnd>> = [];
    family.onPhase = async () => {
      seen = await runsWithoutEnd(family.context.store, 'a');
      throw new Error('no link');
    };
    await runBackup(family.context, plan);
    const { controller } = family.context.surroundings;
    expect(seen).toMatchObject([{ run: plan.run, kind: 'backup', controller }]);
    expect((await family.context.store.survey('a')).incomplete).toMatchObject([{ run: plan.run }]);
    expect(await runsWithoutEnd(family.context.store, 'a')).toEqual([]);
  });

  it('tells of the others where a journal is damaged', async () => {
    const { store } = family.context;
    const known = { step: null, notes: null, controller: null };
    for (const [run, at, text] of [
      ['aaaaaa', '2026-11-22T10:00:00.000Z', '{"kind":"intent"\n'],
      ['cccccc', '2026-11-22T12:00:00.000Z', '{"kind":"intent","effect":{"kind":"locate"}}\n'],
    ] as const) {
      const { directory, journal } = await store.begin('a', run, at);
      await journal.close();
      await writeFile(join(directory, 'journal.ndjson'), text);
    }
    expect(await runsWithoutEnd(store, 'a')).toEqual([
      { run: 'aaaaaa', kind: 'backup', ...known },
      { run: 'cccccc', kind: 'backup', ...known, step: 'ask all nodes who holds the group' },
    ]);
  });
});
