import type { ScriptOutcome, StepResult } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { modelHost, shopModel } from '../test/model.ts';
import { judge } from './judge.ts';
import { look } from './picture/look.ts';
import { planSplit } from './plan/plan.ts';
import { strategies } from './plan/strategies.ts';
import type { MirrorPlan, Phase } from './port.ts';

type Ended = Extract<StepResult, { kind: 'ended' }>;
type Names = 'split' | 'expose' | 'withdraw' | 'merge';

/** Runs the phases of a plan up to the named one on the model, and hands out what came back. */
async function performed(
  name: Names,
): Promise<{ phase: Phase; outcome: Extract<ScriptOutcome, { kind: 'completed' }> }> {
  const host = modelHost('ada', shopModel());
  const picture = await look(host, 'ada', { volumeGroups: ['shopvg'], fileSystems: 'ALL' });
  const answer = planSplit(picture, {
    run: 'k3f9q2',
    fileSystems: ['/shop/data'],
    rawVolumes: [],
    suspend: [],
    resume: [],
    freezeSeconds: 20,
    allowLastCopy: true,
  });
  const plan: MirrorPlan = 'plan' in answer ? answer.plan : expect.unreachable('no plan');
  for (const each of ['split', 'expose', 'withdraw', 'merge'] as const) {
    const outcome = await host.run(plan[each].script);
    if (each === name && outcome.kind === 'completed') return { phase: plan[each], outcome };
  }
  return expect.unreachable('the phase was not completed');
}

/** The same answer with another one for one step. */
async function judged(name: Names, id: string, change: (result: Ended) => StepResult) {
  const { phase, outcome } = await performed(name);
  return judge(phase, {
    ...outcome,
    steps: outcome.steps.map((step) => (step.id === id && step.kind === 'ended' ? change(step) : step)),
  });
}

const failing =
  (stderr: string) =>
  (result: Ended): Ended => ({ ...result, exitCode: 1, stderr });
const saying =
  (from: string | RegExp, to: string) =>
  (result: Ended): Ended => ({ ...result, stdout: result.stdout.replace(from, to) });
const taking =
  (seconds: number) =>
  (result: Ended): Ended => ({ ...result, clock: { ...result.clock, end: result.clock.start + seconds } });

describe('judge', () => {
  it.each(['split', 'expose', 'withdraw', 'merge'] as const)('finds nothing wrong with a good %s', async (name) => {
    const { phase, outcome } = await performed(name);
    expect(judge(phase, outcome).kind).toBe('done');
  });

  it.each<[string, Names, string, (result: Ended) => StepResult]>([
    ['SPLIT_FAILED', 'split', 'split:datalv', failing('splitlvcopy: no such copy')],
    ['FREEZE_FAILED', 'split', 'freeze:/shop/data', failing('chfs: cannot')],
    ['THAW_FAILED', 'split', 'thaw:/shop/data', failing('chfs: not frozen')],
    ['STEP_FAILED', 'split', 'mark:datalv', failing('mkdir: 0653-357 Cannot access directory')],
    ['FREEZE_LAPSED', 'split', 'split:datalv', taking(20)],
    ['FREEZE_LAPSED', 'split', 'split:datalv', taking(-3600)],
    ['SPLIT_NOT_PROVED', 'split', 'check:datalv', saying('COPIES:             1', 'COPIES:             2')],
    ['COPY_INCOMPLETE', 'split', 'check:smk3f9q2201', saying('LPs:                4', 'LPs:                3')],
    ['COPY_STALE', 'split', 'check:smk3f9q2201', saying('STALE PPs:          0', 'STALE PPs:          1')],
    ['COPY_NOT_PROVED', 'split', 'check:smk3f9q2201', saying(/\/splitmirror\/k3f9q2\/datalv/g, '/shop/data')],
    ['COPY_NOT_PROVED', 'expose', 'check:smk3f9q2201', saying(/(3d4e)\.4/, '$1.1')],
    ['PROOF_UNREADABLE', 'expose', 'check:smk3f9q2201', saying(/.*/s, '')],
    ['COPY_NOT_CLEAN', 'expose', 'fsck:smk3f9q2201', saying('File system is clean.', 'File system is dirty.')],
    ['COPY_NOT_CLEAN', 'expose', 'fsck:smk3f9q2201', saying(/.*/s, '')],
    ['COPY_NOT_CLEAN', 'expose', 'repair:smk3f9q2201', failing('fsck: 0507-278 Cannot continue.')],
    ['MOUNT_FAILED', 'expose', 'mount:smk3f9q2201', failing('mount: Device busy')],
    ['MOUNT_NOT_PROVED', 'expose', 'mounts', saying('/dev/smk3f9q2201', '/dev/datalv     ')],
    ['MOUNT_NOT_PROVED', 'expose', 'mounts', saying(/(\/splitmirror.*) ro\b/, '$1 rw')],
    ['MOUNT_NOT_PROVED', 'expose', 'mounts', saying('/splitmirror/k3f9q2/datalv', '/elsewhere')],
    [
      'UNMOUNT_FAILED',
      'withdraw',
      'unmount:datalv',
      failing('umount: 0506-349 Cannot unmount: The requested resource is busy.'),
    ],
    ['REMOVE_FAILED', 'merge', 'remove:smk3f9q2201', failing('0516-1008 rmlv: must be closed')],
    [
      'MERGE_FAILED',
      'merge',
      'add:datalv',
      failing('0516-404 allocp: This system cannot fulfill the allocation request.'),
    ],
    ['SYNCHRONISE_FAILED', 'merge', 'synchronise:datalv', failing('0516-934 syncvg: Unable to synchronize')],
    ['MERGE_NOT_PROVED', 'merge', 'check:datalv', saying('COPIES:             2', 'COPIES:             1')],
    ['STEP_TIMED_OUT', 'merge', 'synchronise:datalv', (result) => ({ ...result, kind: 'timed-out', exitCode: 143 })],
    ['STEP_SKIPPED', 'merge', 'add:datalv', ({ id }) => ({ kind: 'skipped', id })],
  ])('calls it %s', async (code, name, id, change) => {
    const outcome = await judged(name, id, change);
    expect(outcome.kind === 'failed' && outcome.problems.map((problem) => problem.code)).toEqual([code]);
  });

  it('counts one second more than the node’s whole seconds say', async () => {
    expect(await judged('split', 'split:datalv', taking(19))).toMatchObject({ kind: 'done' });
    expect(await judged('split', 'split:datalv', taking(20))).toMatchObject({ kind: 'failed' });
  });

  it('does not mind that the shared directory stays', async () => {
    expect((await judged('merge', 'rmdir', failing('rmdir: not empty'))).kind).toBe('done');
  });

  it('quotes the command and what it said', async () => {
    expect(await judged('split', 'split:datalv', failing('splitlvcopy: no such copy\n'))).toMatchObject({
      problems: [
        {
          node: 'ada',
          message: '"splitlvcopy -f -y smk3f9q2201 datalv 1 hdisk3" ended with 1',
          seen: 'splitlvcopy: no such copy',
        },
      ],
    });
  });

  it('keeps unknown apart from failed', async () => {
    const { phase, outcome } = await performed('split');
    expect(judge(phase, { kind: 'unknown', reason: 'connection lost', steps: outcome.steps })).toMatchObject({
      kind: 'unknown',
      reason: 'connection lost',
    });
    expect(judge(phase, { ...outcome, kind: 'cancelled' })).toMatchObject({
      kind: 'failed',
      problems: [{ code: 'CANCELLED' }],
    });
    const lost = await judged('split', 'label:datalv', ({ id }) => ({
      kind: 'unfinished',
      id,
      stdout: '',
      stderr: '',
    }));
    expect(lost).toMatchObject({ kind: 'unknown', reason: 'nothing was heard of the end of label:datalv' });
  });
});

it('says of a command that failed what to mend: whoever ran it takes back what it did, and tells where that was not possible', () => {
  const remedies = strategies.flatMap(({ failures }) => Object.values(failures).map(([, remedy]) => remedy));
  expect(remedies.length).toBeGreaterThan(10);
  expect(remedies.filter((remedy) => /recover/i.test(remedy))).toEqual([]);
});
