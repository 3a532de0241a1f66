import { rmSync } from 'node:fs';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import type { BackupContext, Surroundings } from '../context.ts';
import type { BackupError } from '../errors.ts';
import type { BackupEvent } from '../events.ts';
import { createRecorder } from '../incident/recorder.ts';
import { replay } from '../incident/replay.ts';
import { timelineOf } from '../incident/timeline.ts';
import { planBackup } from '../plan/plan.ts';
import { systemSurroundings } from '../surroundings.ts';
import { recoverGroup } from './recover.ts';
import { runBackup } from './run.ts';

const policy = { ...labPolicy, quiesce: null, rawVolumes: [] };

let family: LocalFamily;
/** Which write of a journal finds the disk full, counted from 1; it writes half of its line. */
let fullAt: number;
let restore: () => void;
beforeEach(async () => {
  family = await localFamily({ a: 'n1' });
  const probe = await open(family.directory);
  const files = Object.getPrototypeOf(probe);
  await probe.close();
  const { appendFile } = files;
  let writes = 0;
  files.appendFile = async function (this: unknown, text: string) {
    if (++writes !== fullAt) return appendFile.call(this, text);
    await appendFile.call(this, text.slice(0, text.length >> 1));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  restore = () => void Object.assign(files, { appendFile });
});
afterEach(() => restore());

it('ends its watch over the resync also when the merge throws', async () => {
  let looks = 0;
  const { mirror } = family.context;
  const redundancy: typeof mirror.redundancy = async () => {
    looks += 1;
    return { kind: 'whole' };
  };
  family.onPhase = async (_, { name }) => {
    if (name === 'merge') throw new Error('torn');
    return undefined;
  };
  const context = { ...family.context, mirror: { ...mirror, redundancy } };
  const { verdict } = await runBackup(context, await planBackup(context, 'a', { ...policy, pollMs: 1 }));
  expect(verdict.kind).toBe('failed');
  const then = looks;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(looks).toBe(then);
});

it('goes on with a listener that fails later, and a clock that rejects when it is ended', async () => {
  const warned: string[] = [];
  const onWarning = ({ message }: Error) => void warned.push(message);
  process.on('warning', onWarning);
  const surroundings: Surroundings = {
    ...family.context.surroundings,
    sleep: (ms, signal) => delay(ms, undefined, signal && { signal }),
  };
  const onEvent = async ({ type }: BackupEvent) => {
    if (type === 'run-start') throw new Error('the listener is out');
  };
  const context = { ...family.context, surroundings, onEvent };
  const { verdict } = await runBackup(context, await planBackup(context, 'a', { ...policy, pollMs: 1 }));
  await delay(0);
  process.off('warning', onWarning);
  expect(verdict.kind).toBe('good');
  expect(warned).toEqual(['the listener is out']);
});

it('leaves the note where a suspension was cut off, and says so, until somebody recovers', async () => {
  const resumed = join(family.directory, 'resumed');
  const quiesce = { suspend: [['true']], resume: [['sh', '-c', `echo on >>${resumed}`]], timeoutSeconds: 5 } as const;
  const end = { exitCode: 143, memberCodes: [143], stdout: '', stderr: '', durationMs: 0, clock: { start: 0, end: 0 } };
  const notes = join(family.directory, 'a', '.splitmirror');
  family.onPhase = async (_, { name }) => {
    if (name !== 'split') return undefined;
    await writeFile(join(notes, 'quiesce'), '{}\n');
    const steps = [{ kind: 'timed-out', id: 'suspend:0', ...end }] as const;
    return { kind: 'failed', problems: [], transcript: { kind: 'completed', steps } };
  };
  const hooked = { ...policy, quiesce };
  const { verdict } = await runBackup(family.context, await planBackup(family.context, 'a', hooked));
  const seen = `${notes}/quiesce, which is left there so that a takeover resumes the application`;
  const left = { code: 'LEFT_BEHIND', seen: `there is, or may be, on n1: suspended application ${notes}/quiesce` };
  const problems = [{ code: 'SUSPENSION_CUT_OFF', node: 'n1', seen }, left];
  expect(verdict).toMatchObject({ kind: 'failed', recovery: { kind: 'stuck', problems } });
  expect(await readFile(resumed, 'utf8')).toBe('on\n');
  expect(await readdir(notes)).toEqual(['quiesce']);
  await expect(planBackup(family.context, 'a', hooked)).rejects.toMatchObject({
    code: 'NEEDS_RECOVERY',
    remedy: 'Run: splitmirror recover a',
  });
  expect(await recoverGroup(family.context, 'a', hooked)).toMatchObject({ kind: 'whole' });
  expect(await readFile(resumed, 'utf8')).toBe('on\non\n');
  await expect(readdir(notes)).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each([
  ['has gone on to its end, and is whole', true],
  ['may still be at work, and leaves the note to it', false],
])('finds out whether a split script that outlived its link %s', async (_, ended) => {
  const quiesce = { suspend: [['true']], resume: [['true']], timeoutSeconds: 5 } as const;
  const notes = join(family.directory, 'a', '.splitmirror');
  family.onPhase = async (_group, { name }) => {
    if (name === 'split') await writeFile(join(notes, 'quiesce'), '{}\n');
    return name === 'split'
      ? { kind: 'unknown', reason: 'link lost', transcript: { kind: 'unknown', reason: '', steps: [] } }
      : undefined;
  };
  const onEvent = (event: BackupEvent) => {
    if (ended && event.type === 'step-end' && event.step === 'resume') rmSync(join(notes, 'quiesce'));
  };
  const hooked = { ...policy, quiesce };
  const context = { ...family.context, onEvent };
  const { verdict } = await runBackup(context, await planBackup(context, 'a', hooked));
  const left = { kind: 'stuck', problems: [{ code: 'SUSPENSION_CUT_OFF' }, { code: 'LEFT_BEHIND' }] };
  expect(verdict).toMatchObject({ kind: 'failed', recovery: ended ? { kind: 'whole' } : left });
});

it('says what it leaves on which node, and the command that takes it back, where its way back is stuck', async () => {
  const { mirror } = family.context;
  const recovery: typeof mirror.recovery = ({ node }) => ({
    phases: [],
    problems: [{ code: 'COPY_IN_USE', node, message: 'it is mounted', seen: '/mnt', remedy: 'Unmount it.' }],
  });
  const context = { ...family.context, mirror: { ...mirror, recovery } };
  family.onPhase = async (_, { name }) => {
    if (name === 'withdraw') throw new Error('no link');
    return undefined;
  };
  const plan = await planBackup(context, 'a', policy);
  const { verdict } = await runBackup(context, plan);
  const notes = join(family.directory, 'a', '.splitmirror');
  const [lock = ''] = await readdir(notes);
  expect(verdict).toMatchObject({
    kind: 'failed',
    recovery: {
      kind: 'stuck',
      problems: [
        { code: 'COPY_IN_USE' },
        {
          code: 'LEFT_BEHIND',
          seen: `there is, or may be, on n1: lock ${notes}/${lock}, copy sm${plan.run}201, mount ${family.directory}/a`,
          remedy: 'Run: splitmirror recover a',
        },
      ],
    },
  });
});

describe('a stop', () => {
  /** Ends everything when the phase of this name begins. */
  const stopAt = (phase: string, within: AbortController) => {
    family.onPhase = async (_, { name }) => {
      if (name === phase) within.abort();
      return undefined;
    };
  };
  const notes = () => join(family.directory, 'a', '.splitmirror');

  it('of a run says what is left on which node, and the command that takes it back', async () => {
    const stopping = new AbortController();
    stopAt('withdraw', stopping);
    const plan = await planBackup(family.context, 'a', policy);
    const { verdict } = await runBackup(family.context, plan, { stop: stopping.signal });
    const [lock = ''] = await readdir(notes());
    expect(verdict).toMatchObject({
      kind: 'interrupted',
      recovery: {
        kind: 'stuck',
        problems: [
          {
            code: 'STOPPED',
            seen: `there is, or may be, on n1: lock ${notes()}/${lock}, copy sm${plan.run}201, mount ${family.directory}/a`,
            remedy: 'Run: splitmirror recover a',
          },
        ],
      },
    });
    const last = family.events.findLast(({ type }) => type === 'step-start');
    expect(last).toMatchObject({ traces: [{ node: 'n1', run: plan.run, what: 'lock' }, { what: 'copy' }, {}] });
  });

  it('of a recovery says what it has found and not yet taken back, its own lock too', async () => {
    const stopping = new AbortController();
    const { mirror } = family.context;
    const leftover = { run: 'k3f9q2', what: 'copy', name: 'smk3f9q2201' };
    const torn: typeof mirror = {
      ...mirror,
      look: async (...words) => ({ ...(await mirror.look(...words)), leftovers: [leftover] }),
      recovery: ({ node }) => ({
        phases: [{ name: 'merge', node, title: 'merge of a', script: { steps: [] }, explains: {}, undo: [] }],
        problems: [],
      }),
    };
    stopAt('merge', stopping);
    const context = { ...family.context, mirror: torn };
    const verdict = await recoverGroup(context, 'a', policy, { stop: stopping.signal });
    const [lock = ''] = await readdir(notes());
    const seen = `there is, or may be, on n1: lock ${notes()}/${lock}, copy smk3f9q2201`;
    expect(verdict).toMatchObject({ kind: 'stuck', problems: [{ seen, remedy: 'Run: splitmirror recover a' }] });
    expect(await recoverGroup(family.context, 'a', policy), 'its own lock').toMatchObject({ kind: 'whole' });
    expect(await readdir(join(family.directory, 'a'))).toEqual(['data']);
  });

  it('of a run lets the same process recover, which may not while the run goes on', async () => {
    const stopping = new AbortController();
    const meanwhile: unknown[] = [];
    family.onPhase = async (_, { name }) => {
      if (name !== 'withdraw') return undefined;
      for (const breakLock of [false, true]) {
        meanwhile.push(await recoverGroup(family.context, 'a', policy, { breakLock }));
      }
      stopping.abort();
      return undefined;
    };
    const plan = await planBackup(family.context, 'a', policy);
    await runBackup(family.context, plan, { stop: stopping.signal });
    const busy = { kind: 'busy', problem: { code: 'GROUP_LOCKED' } };
    expect(meanwhile).toMatchObject([busy, busy]);
    const next = planBackup(family.context, 'a', policy);
    await expect(next).rejects.toMatchObject({ code: 'NEEDS_RECOVERY' });
    // Another surroundings of this process knows it as well.
    const context = { ...family.context, surroundings: systemSurroundings() };
    expect(await recoverGroup(context, 'a', policy)).toMatchObject({ kind: 'whole' });
    expect(await readdir(join(family.directory, 'a'))).toEqual(['data']);
    const { verdict } = await runBackup(context, await planBackup(context, 'a', policy));
    expect(verdict.kind).toBe('good');
  });

  it('is found by a recovery whose log is replayed to the same decisions', async () => {
    const stopping = new AbortController();
    stopAt('withdraw', stopping);
    const plan = await planBackup(family.context, 'a', policy);
    await runBackup(family.context, plan, { stop: stopping.signal });
    const recorder = createRecorder();
    const { context } = family;
    const recorded = recorder.context({ ...context, hosts: recorder.hosts(context.hosts) }, 'a', policy);
    expect(await recoverGroup(recorded, 'a', policy)).toMatchObject({ kind: 'whole' });
    const { difference } = await replay(recorder.text(), { family: (hosts) => ({ ...context, hosts }) });
    expect(difference).toBeNull();
  });
});

describe('two runs of one plan at once', () => {
  const at = (now: string): BackupContext => {
    const { surroundings } = family.context;
    return { ...family.context, surroundings: { ...surroundings, now: () => new Date(now) } };
  };

  it.each([
    ['in the same second', '2026-11-22T10:00:00.900Z'],
    ['in different seconds', '2026-11-22T10:00:01.000Z'],
  ])('are told apart, %s: one is good, and the other changes nothing', async (_, then) => {
    const plan = await planBackup(family.context, 'a', policy);
    const run = (now: string) =>
      runBackup(at(now), plan).then(
        ({ verdict }) => (verdict.kind === 'refused' ? verdict.code : verdict.kind),
        (error: BackupError) => error.code,
      );
    const runs = ['2026-11-22T10:00:00.000Z', then].map(run);
    // Whichever comes first is at work until it is known what has become of the other.
    const other = Promise.race(runs);
    family.onPhase = async (_, { name }) => {
      if (name === 'split') await other;
      return undefined;
    };
    expect((await Promise.all(runs)).sort()).toEqual(['PLAN_OUTDATED', 'good']);
    const { backups, incomplete } = await family.context.store.survey('a');
    expect([backups.map(({ manifest }) => manifest.run), incomplete]).toEqual([[plan.run], []]);
    const journal = await readFile(join(backups[0]?.directory ?? '', 'journal.ndjson'), 'utf8');
    expect(timelineOf(journal).verdict).toBe('good');
  });
});

describe('runBackup, where the store is full', () => {
  it('changes nothing when it cannot even write the plan down', async () => {
    fullAt = 1;
    const plan = await planBackup(family.context, 'a', policy);
    await expect(runBackup(family.context, plan)).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await readdir(join(family.context.store.root, 'a'))).toEqual([]);
  });

  it('refuses before the lock', async () => {
    fullAt = 2;
    const plan = await planBackup(family.context, 'a', policy);
    const { verdict } = await runBackup(family.context, plan);
    expect(verdict).toMatchObject({ kind: 'refused', code: 'STORE_FULL', problems: [{ code: 'STORE_FULL' }] });
  });

  it('goes back later on, and leaves a journal that can be read, with its end', async () => {
    fullAt = 12;
    const plan = await planBackup(family.context, 'a', policy);
    const { verdict, directory } = await runBackup(family.context, plan);
    expect(verdict).toMatchObject({ kind: 'failed', problems: [{ code: 'STORE_FULL' }], recovery: { kind: 'whole' } });
    expect(timelineOf(await readFile(join(directory ?? '', 'journal.ndjson'), 'utf8')).verdict).toBe('failed');
  });
});
