import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, renderSteps } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import type { BackupContext } from '../src/context.ts';
import type { BackupError } from '../src/errors.ts';
import { parseIncidentLog } from '../src/incident/incident-log.ts';
import { createRecorder } from '../src/incident/recorder.ts';
import { lockPhases } from '../src/plan/lock-phases.ts';
import { planBackup } from '../src/plan/plan.ts';
import { runPlanJsonSchema, runPlanSchema } from '../src/plan/plan-schema.ts';
import { renderRunBook } from '../src/plan/run-book.ts';
import { canonical, type GroupPolicy } from '../src/plan/run-plan.ts';
import { runBackup } from '../src/run/run.ts';
import { openStore } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let lab: Lab;
let log: () => string;
let context: BackupContext;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 1 << 20, phaseMs: 30, resyncPerSecond: 200 });
  const recorder = createRecorder();
  log = recorder.text;
  const hosts = recorder.hosts(
    new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })])),
  );
  const surroundings = systemSurroundings();
  const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-plan-')));
  const family = aixFamily({ hosts, now: surroundings.now, stabilityMs: 50 });
  context = recorder.context({ ...family, store, surroundings }, 'ledger_rg', labPolicy);
});
afterAll(() => lab.close());

const problems = async (policy: Partial<GroupPolicy>) =>
  planBackup(context, 'ledger_rg', { ...labPolicy, ...policy }).then(
    () => [],
    (error: BackupError) => error.problems.map(({ code }) => code),
  );

describe('a plan', () => {
  it('is JSON of its own schema, which other tools can read too', async () => {
    const plan = await planBackup(context, 'ledger_rg', labPolicy);
    const text = canonical(plan);
    expect(canonical(runPlanSchema.parse(JSON.parse(text)))).toBe(text);
    expect(runPlanJsonSchema()).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
      properties: { version: { const: 1 }, mirror: { type: 'object' } },
    });
    const { note, 'suspend:0': suspend, settle } = plan.mirror.split.explains;
    expect(note).toMatch(/^Note in a file system/);
    expect(suspend).toBe('Bring the application to rest: ledgerctl suspend');
    expect(settle).toMatch(/^Take the note away/);
    expect(plan.mirror.takeover?.at(-1)?.text).toMatch(/^A planned move .* "splitmirror events install"/);
    for (const { undo } of [plan.mirror.split, plan.mirror.expose]) expect(undo.length).toBeGreaterThan(0);
  });

  it('is exactly what runs', async () => {
    const plan = await planBackup(context, 'ledger_rg', labPolicy);
    const before = parseIncidentLog(log()).length;
    expect((await runBackup(context, plan)).verdict).toEqual({ kind: 'good' });
    const entries = parseIncidentLog(log()).slice(before);
    const steps = new Map(
      entries.flatMap((entry) => (entry.kind === 'decision' ? [[entry.number, entry.step] as const] : [])),
    );
    const { split, expose, withdraw, merge } = plan.mirror;
    const watched = new Set(['lsvg', 'lslv']);
    const ran = entries.flatMap((entry) => {
      if (entry.kind === 'stream') return [];
      if (entry.kind !== 'call' || !['lock', 'perform', 'unlock'].includes(steps.get(entry.during) ?? '')) return [];
      // While the merge runs, others only watch how it comes along.
      const isWatch = entry.commands.every((command) => watched.has(command.split(' ')[0] ?? ''));
      // The token of a lock is made when it runs.
      return isWatch ? [] : [entry.commands.map((command) => command.replaceAll(/\b[0-9a-f]{32}\b/g, 'TOKEN'))];
    });
    const { lock, unlock } = lockPhases(plan);
    const phases = [lock, split, expose, withdraw, merge, unlock];
    expect(ran).toEqual(phases.map(({ script }) => renderSteps(script)));
    for (const { script, explains } of phases) {
      expect(Object.keys(explains)).toEqual(script.steps.map(({ id }) => id));
    }
    const streamed = entries.flatMap((entry) => (entry.kind === 'stream' ? [entry.command] : []));
    const planned = plan.archives.map(
      ({ source }) => renderSteps({ steps: [{ id: 'a', run: source, timeoutSeconds: 1 }] })[0],
    );
    expect(streamed.sort()).toEqual(planned.sort());
  });

  it('is refused while nobody has decided about a volume of the group, and holds what is left out', async () => {
    expect(await problems({ rawVolumes: [] })).toEqual(['VOLUME_UNDECIDED']);
    expect(await problems({ leaveOut: ['adutilv'] })).toEqual(['LEAVE_OUT_UNKNOWN']);
    const plan = await planBackup(context, 'ledger_rg', { ...labPolicy, rawVolumes: [], leaveOut: ['auditlv'] });
    expect(runPlanSchema.parse(plan).leftOut).toEqual([{ volume: 'auditlv', mountPoint: null }]);
    expect(renderRunBook(plan)).toContain('# Left out on purpose: auditlv.');
    // The run before has saved it: what is left out on purpose is not missed.
    expect((await runBackup(context, plan)).verdict).toEqual({ kind: 'good' });
    const { manifest, directory } = await openStore(context.store.root).find('ledger_rg');
    expect(manifest).toMatchObject({ run: plan.run, leftOut: plan.leftOut, suspicions: [] });
    expect(await readFile(join(directory, 'README.txt'), 'utf8')).toContain('left out on purpose: auditlv');
  });

  it('is refused where a file system of the volume groups is none of the group', async () => {
    const [node] = lab.nodes;
    await lab.run(node?.name ?? '', ['mklv', '-y', 'lostlv', '-t', 'jfs2', 'ledgervg', '1']);
    expect(await problems({})).toEqual(['FILE_SYSTEM_UNDECIDED']);
    expect(await problems({ leaveOut: ['lostlv'] })).toEqual([]);
    await lab.run(node?.name ?? '', ['rmlv', '-f', 'lostlv']);
  });

  it('is refused for what the archive tool would not carry, together with everything else', async () => {
    const node = lab.nodes[0];
    const directory = `/ledger/journal/${'d'.repeat(120)}/${'e'.repeat(120)}`;
    await lab.run(node?.name ?? '', ['mkdir', '-p', directory]);
    await writeFile(join(node?.root ?? '', directory, 'f'.repeat(60)), '');
    const password: GroupPolicy['quiesce'] = {
      suspend: [['appctl', 'password=x']],
      resume: [['true']],
      timeoutSeconds: 5,
    };
    expect(await problems({ quiesce: password, allowLastCopy: false })).toEqual(
      expect.arrayContaining(['SECRET_IN_COMMAND', 'NAME_TOO_LONG']),
    );
    await lab.run(node?.name ?? '', ['rm', '-r', `/ledger/journal/${'d'.repeat(120)}`]);
    expect(await problems({})).toEqual([]);
  });

  it('is refused for each name and link that the archive tool would fail at, with what to do about it', async () => {
    const root = join(lab.nodes[0]?.root ?? '', '/ledger/journal');
    await writeFile(join(root, 'm'.repeat(101)), '');
    await symlink('t'.repeat(101), join(root, 'link'));
    const refusal = await planBackup(context, 'ledger_rg', labPolicy).catch((error: BackupError) => error);
    const remedy = expect.stringMatching(/leaveOut/);
    expect(refusal).toMatchObject({
      code: 'PLAN_REFUSED',
      problems: [
        { code: 'NAME_TOO_LONG', seen: `/ledger/journal/${'m'.repeat(101)}`, remedy },
        { code: 'LINK_TOO_LONG', seen: '/ledger/journal/link', remedy: expect.stringContaining('journallv') },
      ],
    });
    for (const name of ['m'.repeat(101), 'link']) await rm(join(root, name));
    expect(await problems({})).toEqual([]);
  });

  it('needs no store, unless the policy limits what only the store knows', async () => {
    const without = { ...context, store: null };
    const { estimates } = await planBackup(without, 'ledger_rg', labPolicy);
    expect(estimates.basis).toBe('assumed 50 MB/s');
    const limited = { ...labPolicy, exposure: { minutesPerMonth: 60 } };
    await expect(planBackup(without, 'ledger_rg', limited)).rejects.toMatchObject({
      code: 'PLAN_REFUSED',
      problems: [{ code: 'EXPOSURE_UNKNOWN' }],
    });
    await planBackup(context, 'ledger_rg', limited);
  });

  it('is refused where the node does not answer for a file system', async () => {
    lab.fault({ program: 'find', does: { kind: 'fails-after', code: 1, stderr: 'find: 0652-081 cannot read\n' } });
    expect(await problems({})).toEqual(['PREFLIGHT_UNANSWERED']);
  });
});
