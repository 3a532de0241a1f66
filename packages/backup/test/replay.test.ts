import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type Host } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import type { RecordedCall } from '../src/incident/incident-log.ts';
import { createRecorder, type RecorderOptions } from '../src/incident/recorder.ts';
import { hostsOfLog, replay } from '../src/incident/replay.ts';
import { loadPlan, savePlan } from '../src/plan/approval.ts';
import { planBackup } from '../src/plan/plan.ts';
import { type RunOptions, type RunReport, runBackup } from '../src/run/run.ts';
import { openStore } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';
import { localFamily } from './local-family.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const family = (hosts: ReadonlyMap<string, Host>, now: () => Date) => aixFamily({ hosts, now, stabilityMs: 0 });

let lab: Lab;
/** Of a run that went well. */
let good: Awaited<ReturnType<typeof record>>;
beforeAll(async () => {
  lab = await startLab({ contentBytes: 1 << 20, phaseMs: 30, resyncPerSecond: 200 });
  good = await record();
});
afterEach(() => lab.clearFaults());
afterAll(() => lab.close());

/** A run in the lab that a recorder listens to. */
async function record(
  options: RunOptions & RecorderOptions & { readonly onStep?: (title: string) => void } = {},
): Promise<{ readonly log: string; readonly report: RunReport | undefined }> {
  const recorder = createRecorder(options);
  const hosts = recorder.hosts(
    new Map(lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path })])),
  );
  const surroundings = systemSurroundings();
  const context = recorder.context(
    {
      ...aixFamily({ hosts, now: surroundings.now, stabilityMs: 50 }),
      store: openStore(await mkdtemp(join(tmpdir(), 'splitmirror-replay-'))),
      surroundings,
      onEvent: (event) => (event.type === 'step-start' ? options.onStep?.(event.title) : undefined),
    },
    'ledger_rg',
    labPolicy,
  );
  try {
    const plan = await planBackup(context, 'ledger_rg', labPolicy);
    const report = await runBackup(context, plan, options);
    return { log: recorder.text(), report };
  } catch (error) {
    recorder.planned(error);
    return { log: recorder.text(), report: undefined };
  }
}

describe('replay', () => {
  it('comes to the same decisions as a run that went well, whose log lies in its directory', async () => {
    const { log, report } = good;
    expect(report?.verdict).toEqual({ kind: 'good' });
    expect(await readFile(join(report?.directory ?? '', 'incident.ndjson'), 'utf8')).toBe(log);
    const { decisions, difference, unanswered } = await replay(log, { family });
    expect(difference).toBeNull();
    expect(unanswered).toEqual([]);
    expect(decisions[0]).toMatch(/^plan on db_node1: Split/);
    expect(decisions.at(-1)).toBe('end: good');
    expect(decisions.length).toBeGreaterThan(15);
  });

  it('comes to the same decisions as one that failed and went back', async () => {
    lab.fault({ program: 'mount', arguments: '-o', does: { kind: 'fails-after', code: 1 } });
    const { log, report } = await record();
    expect(report?.verdict).toMatchObject({ kind: 'failed', recovery: { kind: 'whole' } });
    const { decisions, difference } = await replay(log, { family });
    expect(difference).toBeNull();
    expect(decisions.at(-1)).toMatch(/^end: failed/);
  });

  it('comes to the same decisions as one whose archive failed', async () => {
    lab.fault({
      program: 'tar',
      does: { kind: 'fails-before', code: 1, stderr: 'tar: 0511-169 A directory checksum error\n' },
    });
    const failed = await record();
    expect(failed.report?.verdict.kind).toBe('failed');
    expect((await replay(failed.log, { family })).difference).toBeNull();
  });

  it('comes to the same decisions as one that was interrupted, and one that was refused', async () => {
    const ending = new AbortController();
    const { log, report } = await record({
      signal: ending.signal,
      onStep: (title) => (/^Check and mount/.test(title) ? ending.abort() : undefined),
    });
    expect(report?.verdict.kind).toBe('interrupted');
    expect((await replay(log, { family })).difference).toBeNull();
    await lab.move('ledger_rg', 'db_node2');
    lab.fault({ program: 'lsvg', times: 0, does: { kind: 'fails-before' } });
    const refused = await record();
    const { decisions, difference } = await replay(refused.log, { family });
    expect(difference).toBeNull();
    expect(decisions).toEqual(['plan refused: GROUP_UNDECIDABLE']);
  });

  it('goes as far as the log of a run that was killed', async () => {
    const { log } = good;
    const torn = log.slice(0, log.indexOf('"step":"archive"') + 10);
    const { decisions, difference, isWhole } = await replay(torn, { family });
    expect({ difference, isWhole }).toEqual({ difference: null, isWhole: false });
    expect(decisions.at(-1)).toMatch(/before: archive$/);
    expect((await replay(log, { family })).isWhole).toBe(true);
  });

  it('takes a log that breaks off before its first decision for none', async () => {
    const { log } = good;
    const torn = log.slice(0, log.indexOf('"kind":"plan"'));
    await expect(replay(torn, { family })).rejects.toMatchObject({
      code: 'LOG_UNREADABLE',
      message: 'the log breaks off before its first decision: there is nothing to compare',
    });
  });

  it('shows what one changed fact would have changed', async () => {
    const { log } = good;
    const failing = (call: RecordedCall): RecordedCall => {
      if (call.outcome.kind !== 'completed') return call;
      const steps = call.outcome.steps.map((step) =>
        step.id.startsWith('mount:') && step.kind === 'ended' ? { ...step, exitCode: 1, memberCodes: [1] } : step,
      );
      return { ...call, outcome: { ...call.outcome, steps } };
    };
    const { difference, decisions } = await replay(log, { family, change: failing });
    expect(difference?.recorded).toMatch(/archive$/);
    expect(difference?.replayed).toMatch(/^locate/);
    expect(decisions.at(-1)).toMatch(/^end: failed/);
  });

  it('needs none of the words that were taken out', async () => {
    const words = ['db_node1', 'db_node2', 'dbhost1', 'dbhost2', '10.64.7.11', '10.64.7.12', 'ledger_rg'];
    const { log, report } = await record({ redact: words });
    expect(report?.verdict).toEqual({ kind: 'good' });
    for (const word of words) expect(log).not.toContain(word);
    const { decisions, difference } = await replay(log, { family });
    expect(difference).toBeNull();
    expect(decisions.at(-1)).toBe('end: good');
  });

  it('keeps its size, and its decisions', async () => {
    const { log, report } = await record({ logBytes: 20_000, signal: AbortSignal.abort() });
    expect(report?.verdict).toMatchObject({ kind: 'refused', code: 'INTERRUPTED' });
    expect(log).toContain('"kind":"full"');
    expect(log).toContain('"kind":"end"');
    expect((await replay(log, { family })).difference).not.toBeNull();
  });
});

describe('hostsOfLog', () => {
  it('answers as the nodes did', async () => {
    const { log } = good;
    const hosts = hostsOfLog(log);
    const now = () => new Date();
    const standing = await family(hosts, now).cluster.locate('ledger_rg');
    expect(standing).toMatchObject({ kind: 'held', node: 'db_node1' });
  });
});

it('replays a plan that was made elsewhere', async () => {
  const { context, directory } = await localFamily({ a: 'n1' });
  const policy = { ...labPolicy, quiesce: null, rawVolumes: [] };
  const file = join(directory, 'plan.json');
  await savePlan(file, await planBackup(context, 'a', policy));
  const recorder = createRecorder();
  const recorded = recorder.context({ ...context, hosts: recorder.hosts(context.hosts) }, 'a', policy);
  const plan = await loadPlan(file);
  expect((await runBackup(recorded, plan)).verdict).toEqual({ kind: 'good' });
  const { difference, decisions } = await replay(recorder.text(), { family: (hosts) => ({ ...context, hosts }) });
  expect(difference).toBeNull();
  expect(decisions.at(-1)).toBe('end: good');
});
