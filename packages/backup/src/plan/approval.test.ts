import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import { BackupError } from '../errors.ts';
import { timelineOf } from '../incident/timeline.ts';
import type { Picture } from '../ports.ts';
import { backupGroups } from '../run/groups.ts';
import { runBackup } from '../run/run.ts';
import { runWindow } from '../schedule/scheduled.ts';
import { openWindowLog } from '../schedule/window-log.ts';
import {
  approvalJsonSchema,
  approvalSchema,
  approvePlan,
  checkApproval,
  loadApproval,
  loadPlan,
  saveApproval,
  savePlan,
} from './approval.ts';
import { planBackup } from './plan.ts';
import { runPlanSchema } from './plan-schema.ts';
import { canonical, digestOf, type RunPlan } from './run-plan.ts';

const policy = { ...labPolicy, quiesce: null, rawVolumes: [] };
const at = new Date('2026-11-20T10:00:00.000Z');
const expiresAt = new Date('2026-11-27T10:00:00.000Z');
const refusal = (work: () => unknown): string => {
  try {
    work();
    return 'passed';
  } catch (error) {
    return error instanceof BackupError ? `${error.code}: ${error.message.replace(/^.*?: /, '')}` : String(error);
  }
};

let family: LocalFamily;
let plan: RunPlan;
let directory: string;
beforeAll(async () => {
  family = await localFamily({ a: 'n1' });
  plan = await planBackup(family.context, 'a', policy);
  directory = await mkdtemp(join(tmpdir(), 'splitmirror-approval-'));
});

describe('approvePlan', () => {
  it('allows this plan and no other, until it expires', () => {
    const approval = approvePlan(plan, { by: ' M. Weber, change 4711 ', at, expiresAt });
    expect(approval).toMatchObject({ plan: digestOf(plan), by: 'M. Weber, change 4711', group: 'a', run: plan.run });
    const check = (checked: RunPlan, now: string) => refusal(() => checkApproval(checked, approval, new Date(now)));
    expect(check(plan, '2026-11-21T00:00:00.000Z')).toBe('passed');
    expect(check(plan, '2026-11-28T00:00:00.000Z')).toBe(
      'PLAN_NOT_APPROVED: the approval of M. Weber, change 4711 expired at 2026-11-27T10:00:00.000Z',
    );
    expect(check(plan, '2026-11-01T00:00:00.000Z')).toMatch(/^PLAN_NOT_APPROVED: .* begins at/);
    expect(check({ ...plan, policy: { ...plan.policy, freezeSeconds: 31 } }, '2026-11-21T00:00:00.000Z')).toMatch(
      /^PLAN_NOT_APPROVED: .* approved [0-9a-f]{12}, and this one is [0-9a-f]{12}$/,
    );
    expect(() => approvePlan(plan, { by: ' ', at, expiresAt })).toThrow(RangeError);
    expect(() => approvePlan(plan, { by: 'x', at: expiresAt, expiresAt: at })).toThrow(RangeError);
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('leaves no part of itself on a disk that is full (needs root, for a small tmpfs)', async () => {
    const full = await mkdtemp(join(tmpdir(), 'splitmirror-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', full]);
    try {
      await writeFile(join(full, 'others'), Buffer.alloc(16_384));
      await expect(savePlan(join(full, 'plan.json'), plan)).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(await readdir(full)).toEqual(['others']);
    } finally {
      execFileSync('umount', [full]);
    }
  });

  it('survives the disk, whatever the order of keys', async () => {
    const file = join(directory, 'plan.json');
    const digest = await savePlan(file, plan);
    const approval = approvePlan(plan, { by: 'x', at, expiresAt });
    await saveApproval(`${file}.approval`, approval);
    expect(await loadPlan(file)).toEqual(JSON.parse(JSON.stringify(plan)));
    expect(digestOf(await loadPlan(file))).toBe(digest);
    expect(await loadApproval(`${file}.approval`)).toEqual(approval);
    expect(approvalJsonSchema()).toMatchObject({ $id: 'urn:splitmirror:approval:1', additionalProperties: false });
    expect(approvalSchema.safeParse({ ...approval, plan: 'another' }).success).toBe(false);
    const backwards = Object.fromEntries(Object.entries(plan).toReversed());
    await writeFile(file, JSON.stringify(backwards, null, 2));
    expect(digestOf(await loadPlan(file))).toBe(digest);
    expect(canonical({ b: 1, a: [{ d: undefined, c: 2 }] })).toBe('{"a":[{"c":2}],"b":1}');
  });

  it('refuses what is no plan, and says where', async () => {
    const file = join(directory, 'bad.json');
    for (const [text, reason] of [
      ['{', /cannot be read as a plan/],
      [canonical({ ...plan, run: '-rf' }), /run: /],
      [canonical({ ...plan, extra: 1 }), /extra/],
    ] as const) {
      await writeFile(file, text);
      await expect(loadPlan(file)).rejects.toThrow(reason);
    }
    await expect(loadPlan(join(directory, 'none'))).rejects.toMatchObject({ code: 'PLAN_UNREADABLE' });
  });
});

describe('runBackup with an approval', () => {
  const running = (approval: ReturnType<typeof approvePlan>, now: Date, chosen = plan) =>
    runBackup({ ...family.context, surroundings: { ...family.context.surroundings, now: () => now } }, chosen, {
      approval,
    });

  it('runs a saved plan once, in the name of the process that runs it', async () => {
    const file = join(directory, 'once.json');
    await savePlan(file, plan);
    const approval = approvePlan(plan, { by: 'x', at, expiresAt });
    await expect(running(approval, new Date('2026-12-01T00:00:00.000Z'))).rejects.toMatchObject({
      code: 'PLAN_NOT_APPROVED',
    });
    let lock = '';
    family.onPhase = async (group, { name }) => {
      const notes = join(family.directory, group, '.splitmirror');
      const { readdir } = await import('node:fs/promises');
      const [first = ''] = await readdir(notes);
      if (name === 'split') lock = await readFile(join(notes, first), 'utf8');
      return undefined;
    };
    const now = new Date('2026-11-21T00:00:00.000Z');
    const report = await running(approval, now, await loadPlan(file));
    expect(report.verdict).toEqual({ kind: 'good' });
    expect(JSON.parse(lock)).toMatchObject({
      run: plan.run,
      since: now.toISOString(),
      controller: { pid: process.pid },
    });
    const { manifest } = await family.context.store.find('a', plan.run);
    expect(manifest).toMatchObject({
      createdAt: now.toISOString(),
      planDigest: digestOf(plan),
      consistency: {
        level: 'file-system',
        groups: [{ volumes: ['alv'], level: 'file-system', evidence: { frozenSeconds: '2' } }],
      },
    });
    await expect(running(approval, now)).rejects.toMatchObject({ code: 'PLAN_OUTDATED' });
    // Nor again where its backup cannot be read any more.
    const kept = join(report.directory ?? '', 'manifest.json');
    await rename(kept, `${kept}.away`);
    await expect(running(approval, now)).rejects.toMatchObject({ code: 'PLAN_OUTDATED' });
    await rename(`${kept}.away`, kept);
  });

  it('refuses when the storage or the holder is not what it was made for', async () => {
    const { mirror } = family.context;
    const looking = (more: Partial<Picture>): typeof mirror => ({
      ...mirror,
      look: async (...given) => ({ ...(await mirror.look(...given)), ...more }),
    });
    const before = looking({ parts: { 'volume alv': '1', 'partitions of alv': '2', 'volume old': '3' } });
    const made = await planBackup({ ...family.context, mirror: before }, 'a', policy);
    expect(runPlanSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
    const run = async (more: Partial<Picture>) =>
      (await runBackup({ ...family.context, mirror: looking({ digest: 'x', ...more }) }, made)).verdict;
    const verdict = { kind: 'refused', code: 'PLAN_OUTDATED' };
    const message = 'the storage of the group is not what the plan was made for';
    expect(await run({})).toMatchObject({
      ...verdict,
      problems: [{ message, seen: expect.stringMatching(/^digest x instead of /) }],
    });
    const parts = { 'volume alv': '1', 'partitions of alv': '9', 'volume new': '3' };
    const changes = 'partitions of alv, volume new (new), volume old (gone)';
    expect(await run({ parts })).toMatchObject({ ...verdict, problems: [{ message: `${message}: ${changes}` }] });
    const leftovers = [{ run: 'k3f9q2', what: 'copy', name: 'smk3f9q2201' }];
    expect(await run({ parts, leftovers })).toMatchObject({
      ...verdict,
      problems: [
        {
          message: expect.stringMatching(/: run k3f9q2 is at work there, or has left something; partitions of alv, /),
          remedy: 'See who is at work: splitmirror status. Then make a new plan.',
        },
      ],
    });
    family.holders.set('a', 'spare');
    expect((await runBackup(family.context, made)).verdict).toMatchObject(verdict);
    family.holders.set('a', 'n1');
  });

  it('refuses without a leave where the policy demands one, also a plan from before that', async () => {
    const strict = await localFamily({ s: 'n1' });
    const refusal = { code: 'PLAN_NOT_APPROVED', remedy: expect.stringMatching(/have that plan approved/) };
    const old = await planBackup(strict.context, 's', policy);
    await expect(runBackup(strict.context, old, { approvalPolicy: 'required' })).rejects.toMatchObject(refusal);
    const made = await planBackup(strict.context, 's', { ...policy, approval: 'required' });
    await expect(runBackup(strict.context, made)).rejects.toMatchObject(refusal);
    // Taking the demand out of the plan makes another plan of it.
    const { approval: _, ...lax } = made.policy;
    const leave = approvePlan(made, { by: 'M. Weber', at: new Date(), expiresAt: new Date(Date.now() + 60_000) });
    const forged = runBackup(strict.context, { ...made, policy: lax }, { approval: leave });
    await expect(forged).rejects.toMatchObject({ code: 'PLAN_NOT_APPROVED' });
    expect(await strict.context.store.survey('s')).toEqual({ backups: [], damaged: [], incomplete: [] });
    const { verdict, directory: stored } = await runBackup(strict.context, made, { approval: leave });
    expect(verdict).toEqual({ kind: 'good' });
    const journal = await readFile(join(stored ?? '', 'journal.ndjson'), 'utf8');
    expect(timelineOf(journal).approval).toEqual(leave);
  });

  it('lets neither side by side nor a window begin without a leave', async () => {
    const strict = await localFamily({ s: 'n1' });
    const jobs = [{ group: 's', policy: { ...policy, approval: 'required' as const } }];
    expect(await backupGroups(strict.context, jobs)).toMatchObject([{ kind: 'refused', code: 'PLAN_NOT_APPROVED' }]);
    const log = openWindowLog(join(strict.directory, 'windows.ndjson'));
    const schedule = { since: new Date().toISOString(), windowMinutes: 30, starts: { everyMinutes: 60 } };
    const [job] = jobs;
    const outcome = await runWindow(strict.context, { ...(job as (typeof jobs)[0]), schedule, log });
    expect(outcome).toMatchObject({ kind: 'refused', problems: [{ code: 'PLAN_NOT_APPROVED' }] });
    const { records } = await log.read('s');
    expect(records.at(-1)).toMatchObject({ what: 'failed', detail: expect.stringMatching(/^PLAN_NOT_APPROVED: /) });
  });

  it('estimates the next run from the last', async () => {
    const next = await planBackup(family.context, 'a', policy);
    expect(plan.estimates).toMatchObject({
      frozenMs: null,
      frozenMsAtMost: 30_000,
      basis: expect.stringMatching(/assumed/),
    });
    expect(next.estimates).toMatchObject({ frozenMs: 2000, basis: expect.stringMatching(`run ${plan.run} of`) });
  });
});
