import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { labPolicy } from '../../test/lab-policy.ts';
import { type LocalFamily, localFamily } from '../../test/local-family.ts';
import type { BackupContext } from '../context.ts';
import { BackupError } from '../errors.ts';
import { createRecorder } from '../incident/recorder.ts';
import { replay } from '../incident/replay.ts';
import { newHolder } from '../run/lock.ts';
import type { DeadMansPing, NoticeResult } from './notices.ts';
import { judgeWindows, type Schedule, type WindowRecord, type WindowVerdict } from './schedule.ts';
import { keepSchedule, runWindow, type ScheduledJob, type ScheduleEvent } from './scheduled.ts';
import { openWindowLog, type WindowLog } from './window-log.ts';

const policy = { ...labPolicy, quiesce: null, rawVolumes: [] };
const schedule: Schedule = { since: '2026-01-01T00:00:00.000Z', windowMinutes: 30, starts: { everyMinutes: 60 } };

let family: LocalFamily;
let file: string;
let context: BackupContext;
let clock: Date;
beforeEach(async () => {
  family = await localFamily({ a: 'n1' });
  file = join(await mkdtemp(join(tmpdir(), 'splitmirror-windows-')), 'windows.ndjson');
  clock = new Date('2026-01-01T00:05:00.000Z');
  context = { ...family.context, surroundings: { ...family.context.surroundings, now: () => clock } };
});

const job = async (more: Partial<ScheduledJob> = {}): Promise<ScheduledJob> => ({
  group: 'a',
  policy,
  schedule,
  log: openWindowLog(file),
  ...more,
});
const records = async () => (await openWindowLog(file).read('a')).records;
const verdicts = async () => judgeWindows(schedule, await records(), clock).map(({ kind }) => kind);

/** A monitor that keeps what it is told. */
function listening(told: string[]): DeadMansPing {
  const note = async (text: string): Promise<NoticeResult> => {
    told.push(text.trim());
    return { kind: 'sent', attempts: 1, detail: '' };
  };
  return {
    start: () => note('start'),
    success: (text) => note(`success ${text}`),
    fail: (text) => note(`fail ${text}`),
  };
}

describe('runWindow', () => {
  it('backs up once in a window, and tells monitor and metrics', async () => {
    const told: string[] = [];
    const ping = listening(told);
    const metricsFile = join(family.directory, 'splitmirror-a.prom');
    const events: ScheduleEvent[] = [];
    const mine = await job({ ping, metricsFile });
    const outcome = await runWindow(context, mine, { onEvent: (event) => void events.push(event) });
    expect(outcome).toMatchObject({ kind: 'ran', report: { verdict: { kind: 'good' } } });
    expect(await runWindow(context, mine)).toEqual({ kind: 'nothing-due', next: new Date('2026-01-01T01:00:00.000Z') });
    const [{ run } = { run: null }] = (await records()).filter(({ what }) => what === 'done');
    expect(told).toEqual(['start', `success run ${run} is good`]);
    expect(events.map(({ type }) => type)).toEqual([
      'window-start',
      'notice-end',
      'window-end',
      'notice-end',
      'notice-end',
    ]);
    expect(await verdicts()).toEqual(['done']);
    const metrics = await readFile(metricsFile, 'utf8');
    expect(metrics).toContain('splitmirror_windows_30d{group="a",verdict="done"} 1\n');
    expect(metrics).toContain('splitmirror_windows_30d{group="a",verdict="undecided"} 0\n');
    expect(metrics).toContain('splitmirror_last_window_ok{group="a"} 1\n');
    expect(metrics).toContain(`splitmirror_last_backup_timestamp_seconds{group="a"} ${clock.getTime() / 1000}\n`);
    for (const line of metrics.trimEnd().split('\n'))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{.*\})? [\d.]+)$/);
    expect((await stat(metricsFile)).mode & 0o777).toBe(0o644);
  });

  it('tries again while nobody holds the group, and follows it where it turns up', async () => {
    family.holders.set('a', null);
    expect(await runWindow(context, await job())).toMatchObject({
      kind: 'unheld',
      problems: [{ code: 'GROUP_OFFLINE' }],
    });
    family.holders.set('a', 'spare');
    expect(await runWindow(context, await job())).toMatchObject({ kind: 'ran' });
    expect(await verdicts()).toEqual(['done']);
    family.holders.set('a', null);
    clock = new Date('2026-01-01T01:29:00.000Z');
    await runWindow(context, await job());
    clock = new Date('2026-01-01T02:31:00.000Z');
    expect(await runWindow(context, await job())).toMatchObject({ kind: 'nothing-due' });
    expect(await verdicts()).toEqual(['done', 'unheld', 'missed']);
  });

  it('leaves to each node what it holds itself', async () => {
    expect(await runWindow(context, await job(), { onlyNode: 'spare' })).toMatchObject({ kind: 'elsewhere' });
    expect(await runWindow(context, await job(), { onlyNode: 'n1' })).toMatchObject({ kind: 'ran' });
    expect(await verdicts()).toEqual(['done']);
  });

  it('writes down a failed run and a refused one, and does not try them again', async () => {
    family.onPhase = async () => ({ kind: 'failed', problems: [], transcript: { kind: 'completed', steps: [] } });
    expect(await runWindow(context, await job())).toMatchObject({
      kind: 'ran',
      report: { verdict: { kind: 'failed' } },
    });
    clock = new Date('2026-01-01T01:00:00.000Z');
    const none = await job({ policy: { ...policy, levels: 'stop' } });
    const levels = { kind: 'stop', findings: [] } as const;
    expect(await runWindow({ ...context, audit: async () => levels }, none)).toMatchObject({ kind: 'refused' });
    expect(await runWindow(context, none)).toMatchObject({ kind: 'nothing-due' });
    expect(await verdicts()).toEqual(['failed', 'failed']);
  });

  it('lets exactly one of many initiators begin', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, async () => runWindow(context, await job())));
    expect(outcomes.filter(({ kind }) => kind === 'ran')).toHaveLength(1);
    expect(await verdicts()).toEqual(['done']);
    expect(judgeWindows(schedule, await records(), clock)[0]?.doubles).toEqual([]);
  });

  it('tells of one that was killed on this machine, and leaves alone what runs elsewhere', async () => {
    const log = openWindowLog(file);
    const { host } = context.surroundings.controller;
    const begun = (window: string, by: string): WindowRecord => ({
      ...{ group: 'a', window, at: window, by, what: 'begun', node: null, run: null, detail: '' },
    });
    await log.add(begun('2026-01-01T00:00:00.000Z', `${host}:999999999:0a1b2c3d`));
    expect(await runWindow(context, await job())).toMatchObject({ kind: 'nothing-due' });
    clock = new Date('2026-01-01T01:00:00.000Z');
    await log.add(begun('2026-01-01T01:00:00.000Z', 'elsewhere:999999999:0a1b2c3d'));
    expect(await runWindow(context, await job())).toMatchObject({ kind: 'nothing-due' });
    expect(await verdicts()).toEqual(['failed', 'running']);
    expect((await records())[1]).toMatchObject({
      what: 'died',
      detail: `process 999999999 on ${host} ended and told nothing`,
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'knows who began by more than host and process id, which come again',
    async () => {
      const log = openWindowLog(file);
      const { controller } = context.surroundings;
      const { host, pid } = controller;
      const begun = (window: string, by: Pick<WindowRecord, 'by' | 'controller'>): WindowRecord => ({
        ...{ group: 'a', window, at: window, what: 'begun', node: null, run: null, detail: '', ...by },
      });
      // A process that has this one's id now, from before a reboot; and one in a container of the same name.
      const rebooted = { ...controller, birth: '1' };
      const container = { ...controller, pid: 999999999, machine: 'another' };
      await log.add(begun('2026-01-01T00:00:00.000Z', { by: `${host}:${pid}:0a1b2c3d`, controller: rebooted }));
      await log.add(begun('2026-01-01T01:00:00.000Z', { by: `${host}:999999999:0a1b2c3d`, controller: container }));
      clock = new Date('2026-01-01T01:05:00.000Z');
      expect(await runWindow(context, await job())).toMatchObject({ kind: 'nothing-due' });
      expect(await verdicts()).toEqual(['failed', 'running']);
      clock = new Date('2026-01-01T02:05:00.000Z');
      expect(await runWindow(context, await job())).toMatchObject({ kind: 'ran' });
      const written = (await records()).slice(2).filter(({ what }) => what !== 'died');
      expect(written.map(({ what }) => what)).toEqual(['telling', 'told', 'begun', 'done']);
      for (const each of written) expect(each.controller).toEqual(controller);
    },
  );

  it('tells once, and before anything else, of what passed while nobody was there', async () => {
    const told: string[] = [];
    const log = openWindowLog(file);
    const { host } = context.surroundings.controller;
    const mine = await job({ ping: listening(told) });
    const passed: string[][] = [];
    const call = () =>
      runWindow(context, mine, {
        onEvent: (event) => {
          if (event.type === 'windows-passed') passed.push(event.windows.map(({ kind }) => kind));
        },
      });
    const window = '2026-01-01T01:00:00.000Z';
    const begun = { group: 'a', window, at: window, what: 'begun', node: null, run: null, detail: '' } as const;
    await log.add({ ...begun, by: `${host}:999999999:0a1b2c3d` });
    clock = new Date('2026-01-01T01:10:00.000Z');
    expect(await call()).toMatchObject({ kind: 'nothing-due' });
    expect(await call()).toMatchObject({ kind: 'nothing-due' });
    expect(passed).toEqual([['missed', 'failed']]);
    expect(told).toEqual([
      'fail window 2026-01-01T00:00:00.000Z has no backup: missed, no initiator did anything\n' +
        `window 2026-01-01T01:00:00.000Z has no backup: failed, process 999999999 on ${host} ended and told nothing`,
    ]);
    // What is due now is seen to all the same.
    clock = new Date('2026-01-01T03:10:00.000Z');
    expect(await call()).toMatchObject({ kind: 'ran' });
    expect(passed).toEqual([['missed', 'failed'], ['missed']]);
    expect(told.slice(1).map((text) => text.split(' ')[0])).toEqual(['fail', 'start', 'success']);
    // What failed in front of an initiator was told by him.
    family.onPhase = async () => ({ kind: 'failed', problems: [], transcript: { kind: 'completed', steps: [] } });
    clock = new Date('2026-01-01T04:10:00.000Z');
    expect(await call()).toMatchObject({ kind: 'ran' });
    clock = new Date('2026-01-01T04:50:00.000Z');
    expect(await call()).toMatchObject({ kind: 'nothing-due' });
    expect(passed).toHaveLength(2);
  });

  it('lets exactly one of many initiators tell of what passed', async () => {
    clock = new Date('2026-01-01T00:45:00.000Z');
    const events: ScheduleEvent[] = [];
    const onEvent = (event: ScheduleEvent) => void events.push(event);
    await Promise.all(Array.from({ length: 8 }, async () => runWindow(context, await job(), { onEvent })));
    expect(events).toMatchObject([{ type: 'windows-passed', windows: [{ kind: 'missed' }] }]);
  });

  it('tells again of what a killed initiator was about to tell', async () => {
    clock = new Date('2026-01-01T00:45:00.000Z');
    const told: string[] = [];
    const mine = await job({ ping: listening(told) });
    const { surroundings } = context;
    const controller = { ...surroundings.controller, pid: 999999999 };
    const dying: WindowLog = {
      ...mine.log,
      async add(record) {
        await mine.log.add(record);
        throw new Error('killed');
      },
    };
    const killed = runWindow(
      { ...context, surroundings: { ...surroundings, controller } },
      { ...mine, ping: undefined, log: dying },
    );
    await expect(killed).rejects.toThrow('killed');
    await runWindow(context, mine);
    await runWindow(context, mine);
    expect(told).toEqual([expect.stringMatching(/^fail window 2026-01-01T00:00:00.000Z has no backup: missed/)]);
    expect((await records()).map(({ what }) => what)).toEqual(['telling', 'telling', 'told']);
  });

  it('leaves to another initiator what that one is about to tell, but not for long', async () => {
    clock = new Date('2026-01-01T00:45:00.000Z');
    const told: string[] = [];
    const mine = await job({ ping: listening(told) });
    const window = '2026-01-01T00:00:00.000Z';
    const telling = { group: 'a', window, what: 'telling', node: null, run: null, detail: '' } as const;
    await mine.log.add({ ...telling, at: clock.toISOString(), by: 'elsewhere:4711:0a1b2c3d' });
    clock = new Date('2026-01-01T00:50:00.000Z');
    await runWindow(context, mine);
    expect(told).toEqual([]);
    clock = new Date('2026-01-01T00:56:00.000Z');
    await runWindow(context, mine);
    expect(told).toHaveLength(1);
  });

  it('has not told what the embedder could not pass on, and sees to the window that is due', async () => {
    clock = new Date('2026-01-01T01:05:00.000Z');
    const heard: string[][] = [];
    let refuses = true;
    const tellPassed = async (group: string, windows: readonly WindowVerdict[]) => {
      heard.push([group, ...windows.map(({ start }) => start)]);
      if (refuses) throw new Error('the pager is down');
    };
    const warned = new Promise<Error>((resolve) => void process.once('warning', resolve));
    expect(await runWindow(context, await job(), { tellPassed })).toMatchObject({ kind: 'ran' });
    expect((await warned).message).toBe('the pager is down');
    refuses = false;
    await runWindow(context, await job(), { tellPassed });
    expect(heard).toHaveLength(1);
    clock = new Date('2026-01-01T01:16:00.000Z');
    await runWindow(context, await job(), { tellPassed });
    await runWindow(context, await job(), { tellPassed });
    const passed = ['a', '2026-01-01T00:00:00.000Z'];
    expect(heard).toEqual([passed, passed]);
  });

  it.each([
    ['undecidable', 'GROUP_UNDECIDABLE'],
    ['contested', 'GROUP_CONTESTED'],
  ] as const)('raises the alarm once while the group is %s, and tries again', async (kind, code) => {
    const told: string[] = [];
    const reason = { code: 'HOST_UNREACHABLE', node: 'n1', message: 'no answer', seen: '', remedy: 'Look at it.' };
    const locate = async () => ({ kind, reasons: [reason], evidence: [] });
    const silent = { ...context, cluster: { ...context.cluster, locate } };
    const mine = await job({ ping: listening(told) });
    const problems = [{ code }, { code: 'HOST_UNREACHABLE', node: 'n1' }];
    expect(await runWindow(silent, mine)).toMatchObject({ kind: 'undecided', problems, isNews: true });
    expect(await runWindow(silent, mine)).toMatchObject({ kind: 'undecided', problems, isNews: false });
    expect(told).toEqual([`fail ${code}: a: no answer (HOST_UNREACHABLE of n1)`]);
    expect(await verdicts()).toEqual(['due']);
    expect(await runWindow(context, mine)).toMatchObject({ kind: 'ran' });
    expect(await verdicts()).toEqual(['done']);
  });

  it('raises the alarm once while the storage cannot be read, and tries again', async () => {
    const told: string[] = [];
    const look = async () => {
      throw new BackupError('PLAN_REFUSED', 'the volume group is locked', { remedy: 'Wait.' });
    };
    const locked = { ...context, mirror: { ...context.mirror, look } };
    const mine = await job({ ping: listening(told) });
    const problems = [{ code: 'STORAGE_UNREADABLE' }, { code: 'PLAN_REFUSED' }];
    expect(await runWindow(locked, mine)).toMatchObject({ kind: 'undecided', problems, isNews: true });
    expect(await runWindow(locked, mine)).toMatchObject({ kind: 'undecided', problems, isNews: false });
    expect(told).toHaveLength(1);
    expect(await runWindow(context, mine)).toMatchObject({ kind: 'ran' });
  });

  it('raises it again when the same refusal has another cause', async () => {
    const told: string[] = [];
    let cause = 'HOST_UNREACHABLE';
    const reason = () => ({ code: cause, node: 'n1', message: 'no answer', seen: '', remedy: 'Look at it.' });
    const locate = async () => ({ kind: 'undecidable' as const, reasons: [reason()], evidence: [] });
    const silent = { ...context, cluster: { ...context.cluster, locate } };
    const mine = await job({ ping: listening(told) });
    expect(await runWindow(silent, mine)).toMatchObject({ kind: 'undecided', isNews: true });
    cause = 'HOST_KEY_CHANGED';
    expect(await runWindow(silent, mine)).toMatchObject({ kind: 'undecided', isNews: true });
    expect(await runWindow(silent, mine)).toMatchObject({ kind: 'undecided', isNews: false });
    expect(told).toHaveLength(2);
  });

  it('raises no alarm while the group is offline or moves, before the window has passed', async () => {
    const told: string[] = [];
    const mine = await job({ ping: listening(told) });
    family.holders.set('a', null);
    expect(await runWindow(context, mine)).toMatchObject({ kind: 'unheld' });
    const moving = async () => ({ kind: 'moving' as const, reasons: [], evidence: [] });
    const away = { ...context, cluster: { ...context.cluster, locate: moving } };
    expect(await runWindow(away, mine)).toMatchObject({ kind: 'unheld' });
    expect(told).toEqual([]);
    clock = new Date('2026-01-01T00:31:00.000Z');
    await runWindow(context, mine);
    expect(told).toEqual([expect.stringMatching(/^fail window .* has no backup: unheld, GROUP_MOVING/)]);
  });

  it('plans and runs in a context of its own, whose log tells of that one run', async () => {
    const recorder = createRecorder();
    const contextOf = () => recorder.context({ ...context, hosts: recorder.hosts(context.hosts) }, 'a', policy);
    const outcome = await runWindow(context, await job(), { contextOf });
    if (outcome.kind !== 'ran') throw new Error(outcome.kind);
    const log = await readFile(join(outcome.report.directory ?? '', 'incident.ndjson'), 'utf8');
    const { difference, decisions } = await replay(log, { family: (hosts) => ({ ...context, hosts }) });
    expect(difference).toBeNull();
    expect(decisions.at(-1)).toBe('end: good');
  });

  it('leaves the window open for a run that was refused for what passes', async () => {
    const lock = async (what: string) => {
      await mkdir(join(family.directory, 'a', '.splitmirror'), { recursive: true });
      await writeFile(join(family.directory, 'a', '.splitmirror', `holder.${'0'.repeat(32)}`), what);
    };
    const { surroundings } = context;
    const holder = newHolder(surroundings, { run: 'other0', group: 'a', intended: [] });
    const { mirror } = context;
    // Somebody takes the lock, or the group goes away, after the plan was made.
    let looks = 0;
    const late = (then: () => Promise<void>): BackupContext => ({
      ...context,
      mirror: {
        ...mirror,
        async look(...given) {
          if (++looks === 2) await then();
          return mirror.look(...given);
        },
      },
    });
    const held = late(() => lock(JSON.stringify({ ...holder, token: '0'.repeat(32) })));
    expect(await runWindow(held, await job())).toMatchObject({ kind: 'yielded', problems: [{ code: 'GROUP_LOCKED' }] });
    await rm(join(family.directory, 'a', '.splitmirror'), { recursive: true });
    looks = 0;
    const moved = late(async () => void family.holders.set('a', 'spare'));
    expect(await runWindow(moved, await job())).toMatchObject({
      kind: 'yielded',
      problems: [{ code: 'OWNERSHIP_LOST' }],
    });
    expect(await verdicts()).toEqual(['due']);
    expect(await runWindow(context, await job())).toMatchObject({ kind: 'ran' });
    expect(await verdicts()).toEqual(['done']);
  });

  it('tells the monitor when it cannot be written down what became of a window', async () => {
    const told: string[] = [];
    const ping = listening(told);
    const log = openWindowLog(file);
    const full = async () => {
      throw new Error('no space left');
    };
    await expect(runWindow(context, await job({ ping, log: { ...log, claim: full } }))).rejects.toThrow(
      'no space left',
    );
    await expect(runWindow(context, await job({ ping, log: { ...log, add: full } }))).rejects.toThrow('no space left');
    const sentence = expect.stringMatching(/^fail what becomes of the windows cannot be written down: no space left$/);
    expect(told).toEqual([sentence, 'start', sentence]);
  });

  it('leaves the window open that was interrupted before anything was changed', async () => {
    const told: string[] = [];
    const ending = new AbortController();
    const locate: typeof context.cluster.locate = async (...given) => {
      ending.abort();
      ending.signal.throwIfAborted();
      return context.cluster.locate(...given);
    };
    const interrupted = { ...context, cluster: { ...context.cluster, locate } };
    const mine = await job({ ping: listening(told) });
    expect(await runWindow(interrupted, mine, { signal: ending.signal })).toMatchObject({
      kind: 'yielded',
      problems: [{ code: 'INTERRUPTED' }],
    });
    expect(told).toEqual([]);
    expect(await verdicts()).toEqual(['due']);
    expect(await runWindow(context, mine)).toMatchObject({ kind: 'ran' });
  });

  it('is not kept from its work by metrics that cannot be written', async () => {
    const events: ScheduleEvent[] = [];
    const mine = await job({ metricsFile: '/no/such/directory/a.prom' });
    expect(await runWindow(context, mine, { onEvent: (event) => void events.push(event) })).toMatchObject({
      kind: 'ran',
    });
    expect(events.at(-1)).toMatchObject({ type: 'notice-end', result: { kind: 'failed' } });
  });
});

describe('keepSchedule', () => {
  it('backs up in each window until it is ended', async () => {
    const ending = new AbortController();
    const kinds: string[] = [];
    await keepSchedule(context, [await job()], {
      signal: ending.signal,
      everyMs: 1,
      onOutcome: (_, outcome) => {
        kinds.push('kind' in outcome ? outcome.kind : outcome.message);
        clock = new Date(clock.getTime() + 40 * 60_000);
        if (kinds.length === 4) ending.abort();
        // Whoever listens ends no schedule.
        throw new Error('the listener is out');
      },
    });
    expect(kinds).toEqual(['ran', 'nothing-due', 'ran', 'ran']);
  });
});

describe('openWindowLog', () => {
  const record = (by: string, what: WindowRecord['what']): WindowRecord => ({
    group: 'a',
    window: '2026-01-01T00:00:00.000Z',
    at: '2026-01-01T00:00:00.000Z',
    by,
    what,
    node: null,
    run: null,
    detail: '',
  });

  it('goes on after a line that a power cut has torn, and shows it', async () => {
    const log = openWindowLog(file);
    await log.add(record('c1', 'done'));
    await appendFile(file, '{"group":"a","wind');
    await log.add(record('c2', 'done'));
    const { records: kept, unreadable } = await log.read('a');
    expect(kept.map(({ by }) => by)).toEqual(['c1', 'c2']);
    expect(unreadable).toEqual(['{"group":"a","wind']);
  });

  it('says what is wrong with its file, and what to do', async () => {
    const log = openWindowLog(file);
    await mkdir(file);
    const unusable = { code: 'STORE_UNUSABLE', remedy: `Make ${file} a file that this user can read and write.` };
    await expect(log.read('a')).rejects.toMatchObject(unusable);
    await expect(log.add(record('c1', 'done'))).rejects.toMatchObject(unusable);
    const nowhere = openWindowLog(join('/dev/null', 'windows.ndjson'));
    await expect(nowhere.read('a')).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
  });

  it('knows the end of a beginning whatever the clock did in between', async () => {
    const log = openWindowLog(file);
    await log.add({ ...record('c1', 'begun'), at: '2026-01-01T00:10:00.000Z' });
    await log.add({ ...record('c1', 'unheld'), at: '2026-01-01T00:05:00.000Z' });
    const { records: kept } = await log.read('a');
    expect(judgeWindows(schedule, kept, clock).map(({ kind }) => kind)).toEqual(['due']);
    expect(await log.claim(record('c2', 'begun'))).toBe(true);
  });

  it('lets the first in the file begin, and the next when that one has not come to an end', async () => {
    const log = openWindowLog(file);
    expect(await log.claim(record('c1', 'begun'))).toBe(true);
    expect(await log.claim(record('c2', 'begun'))).toBe(false);
    await log.add(record('c1', 'unheld'));
    expect(await log.claim(record('c2', 'begun'))).toBe(true);
    await log.add(record('c2', 'done'));
    expect(await log.claim(record('c3', 'begun'))).toBe(false);
  });
});
