import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost, type ScriptOutcome } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Holder,
  inheritingScript,
  judgeLocking,
  judgeReading,
  lockingScript,
  notesDirectory,
  printHolder,
  readingScript,
  unlockingScript,
} from './lock.ts';

const host = localHost('a', { path: '/usr/bin:/bin' });

function holder(digit: string, run = 'abc123'): Holder {
  return {
    splitmirror: 1,
    run,
    group: 'ledger_rg',
    token: digit.repeat(32),
    controller: { host: 'ops1', pid: 4711, birth: null },
    since: '2026-11-22T10:00:00.000Z',
    intended: [{ volume: 'datalv', copies: 2 }],
  };
}

let notes: string;
beforeEach(async () => {
  notes = join(await mkdtemp(join(tmpdir(), 'splitmirror-lock-')), '.splitmirror');
});

const take = async (mine: Holder) => judgeLocking(await host.run(lockingScript(notes, mine)), 'a', mine);
const read = async () => judgeReading(await host.run(readingScript(notes)), 'a', notes);
const inherit = async (mine: Holder, from: Holder) =>
  judgeLocking(await host.run(inheritingScript(notes, mine, from)), 'a', mine);

describe('the lock, in a real shell', () => {
  it('is free where nothing is', async () => {
    expect(await read()).toEqual({ kind: 'free', debt: false });
  });

  it('is held by the first who asks, and tells the second whose it is', async () => {
    expect(await take(holder('1'))).toEqual({ kind: 'mine' });
    expect(await take(holder('2'))).toEqual({ kind: 'held', holder: holder('1') });
    expect(await read()).toEqual({ kind: 'held', holder: holder('1'), debt: false });
    expect(await readdir(notes)).toEqual(['lock']);
  });

  it('goes to exactly one of many who ask at once', async () => {
    const results = await Promise.all(['1', '2', '3', '4', '5', '6'].map((digit) => take(holder(digit))));
    expect(results.filter(({ kind }) => kind === 'mine')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'held')).toHaveLength(5);
  });

  it('is taken back by its holder only', async () => {
    await take(holder('1'));
    const foreign = await host.run(unlockingScript(notes, holder('2')));
    expect(foreign.steps.map(({ kind }) => kind)).toEqual(['ended', 'skipped', 'skipped']);
    expect(await read()).toMatchObject({ kind: 'held' });
    await host.run(unlockingScript(notes, holder('1')));
    expect(await read()).toEqual({ kind: 'free', debt: false });
  });

  it('is inherited by one heir of a holder that is gone', async () => {
    await take(holder('1'));
    const results = await Promise.all(['2', '3', '4'].map((digit) => inherit(holder(digit), holder('1'))));
    expect(results.filter(({ kind }) => kind === 'mine')).toHaveLength(1);
    expect(await readdir(notes)).toEqual(['lock']);
  });

  it('shows the note of a suspended application', async () => {
    await take(holder('1'));
    await writeFile(join(notes, 'quiesce'), 'x\n');
    expect(await read()).toMatchObject({ kind: 'held', debt: true });
  });

  it('is unreadable, not free, when something else stands in its place', async () => {
    await take(holder('1'));
    for (const text of ['', '{', 'null\n', printHolder(holder('1')).replace('"splitmirror":1', '"splitmirror":2')]) {
      await writeFile(join(notes, 'lock'), text);
      expect(await read()).toMatchObject({ kind: 'unreadable', problem: { code: 'LOCK_UNREADABLE' } });
    }
  });

  it('says that it failed when the file system takes no files', async () => {
    notes = '/proc/splitmirror';
    expect(await take(holder('1'))).toMatchObject({ kind: 'failed', problem: { code: 'LOCK_FAILED' } });
  });

  it('holds one line of JSON', async () => {
    await take(holder('1'));
    expect(await readFile(join(notes, 'lock'), 'utf8')).toBe(`${JSON.stringify(holder('1'))}\n`);
  });
});

describe('judgeReading', () => {
  it('takes no answer for no lock', () => {
    const lost: ScriptOutcome = { kind: 'unknown', reason: 'connection lost', steps: [] };
    expect(judgeReading(lost, 'a', '/data/.splitmirror')).toMatchObject({
      kind: 'unreadable',
      problem: { seen: 'connection lost' },
    });
  });

  it('takes an I/O error for no free lock', () => {
    const step = {
      kind: 'ended',
      exitCode: 2,
      memberCodes: [2],
      stdout: '',
      durationMs: 1,
      clock: { start: 0, end: 0 },
    } as const;
    const broken: ScriptOutcome = {
      kind: 'completed',
      steps: [
        { ...step, id: 'directory', stderr: 'ls: 0653-341 There is an input or output error.' },
        { ...step, id: 'holder', stderr: '' },
      ],
    };
    expect(judgeReading(broken, 'a', '/data/.splitmirror').kind).toBe('unreadable');
  });
});

it('puts the notes below the first file system', () => {
  expect(notesDirectory(['/data', '/log'])).toBe('/data/.splitmirror');
  expect(notesDirectory(['/'])).toBe('/.splitmirror');
  expect(notesDirectory([])).toBeUndefined();
});
