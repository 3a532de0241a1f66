import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localHost, type Script, type ScriptOutcome } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  fileOf,
  givingUpScript,
  type Holder,
  type Liveness,
  livenessOf,
  lockingScript,
  notesDirectory,
  printHolder,
  readLock,
  takeLock,
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
/** Digits of the holders whose process is gone. */
let gone: string[];
beforeEach(async () => {
  notes = join(await mkdtemp(join(tmpdir(), 'splitmirror-lock-')), '.splitmirror');
  gone = [];
});

const run = (script: Script) => host.run(script);
const livesAs = (of: Holder) => livenessOf(of, { isAlive: () => 'alive' });
const lives = ({ token }: Holder): Liveness => (gone.includes(token.charAt(0)) ? 'gone' : 'alive');
const take = (mine: Holder, over: readonly string[] = []) =>
  takeLock(
    run,
    { node: 'a', notes },
    mine,
    over.map((digit) => digit.repeat(32)),
    lives,
  );
const read = () => readLock(run, { node: 'a', notes }, lives);
const held = (digit: string, ...others: string[]) => ({
  kind: 'held',
  holder: holder(digit),
  holders: [digit, ...others].sort().map((each) => holder(each)),
  debt: false,
  strays: [],
});
const free = { kind: 'free', debt: false, strays: [] };

describe('the lock, in a real shell', () => {
  it.each([
    ['settled', 'gone'],
    ['unsettled', 'unknown'],
  ] as const)(
    'is marked as given up, %s, where it still is, and not made again where it is not',
    async (how, liveness) => {
      expect(livesAs(holder('1'))).toBe('alive');
      await run(givingUpScript(notes, holder('1'), how));
      expect(await read()).toEqual(free);
      await take(holder('1'));
      await run(givingUpScript(notes, holder('1'), how));
      const reading = await read();
      expect(reading).toMatchObject({ kind: 'held', holder: { ...holder('1'), givenUp: how }, strays: [] });
      expect(reading.kind === 'held' && livesAs(reading.holder)).toBe(liveness);
    },
  );

  it('is not free because the process of a restore is gone, but once it is settled', () => {
    const gone = { isAlive: () => 'gone' as const };
    expect(livenessOf(holder('1'), gone)).toBe('gone');
    expect(livenessOf({ ...holder('1'), writes: true }, gone)).toBe('unknown');
    expect(livenessOf({ ...holder('1'), writes: true, givenUp: 'settled' }, gone)).toBe('gone');
    expect(livesAs({ ...holder('1'), writes: true })).toBe('alive');
  });

  it('is free where nothing is', async () => {
    expect(await read()).toEqual(free);
  });

  it('is held by the first who asks, and tells the second whose it is', async () => {
    expect(await take(holder('1'))).toEqual({ kind: 'mine' });
    expect(await take(holder('2'))).toEqual({ kind: 'held', holder: holder('1') });
    expect(await read()).toEqual(held('1'));
    expect(await readdir(notes)).toEqual([fileOf('1'.repeat(32))]);
  });

  it('goes to one at most of many who ask at once', async () => {
    for (let round = 0; round < 5; round++) {
      const digits = ['1', '2', '3', '4', '5', '6'];
      const results = await Promise.all(digits.map((digit) => take(holder(digit))));
      const winners = digits.filter((_, index) => results[index]?.kind === 'mine');
      expect(winners.length).toBeLessThanOrEqual(1);
      expect(await read()).toEqual(winners[0] === undefined ? free : held(winners[0]));
      for (const digit of winners) await host.run(unlockingScript(notes, holder(digit)));
    }
  });

  it('is taken back by its holder only, as often as it likes', async () => {
    await take(holder('1'));
    await host.run(unlockingScript(notes, holder('2')));
    expect(await read()).toEqual(held('1'));
    await host.run(unlockingScript(notes, holder('1')));
    expect(await read()).toEqual(free);
    await take(holder('3'));
    await host.run(unlockingScript(notes, holder('1')));
    expect(await read(), 'a command that comes too late').toEqual(held('3'));
  });

  it('is taken over from a holder that is gone, whose file goes at the end', async () => {
    await take(holder('1'));
    gone = ['1'];
    expect(await take(holder('2')), 'a run does not step over anybody').toEqual({ kind: 'held', holder: holder('1') });
    expect(await take(holder('3'), ['1'])).toEqual({ kind: 'mine' });
    expect(await take(holder('4'), ['1'])).toEqual({ kind: 'held', holder: holder('3') });
    expect(await read()).toEqual(held('3', '1'));
    await host.run(unlockingScript(notes, holder('3'), [fileOf('1'.repeat(32))]));
    expect(await read()).toEqual(free);
  });

  it('is not won by one that acts on an old reading', async () => {
    await take(holder('1'));
    gone = ['1'];
    await take(holder('2'), ['1']);
    await host.run(unlockingScript(notes, holder('2'), [fileOf('1'.repeat(32))]));
    await take(holder('4'));
    expect(await take(holder('3'), ['1'])).toEqual({ kind: 'held', holder: holder('4') });
    expect(await read()).toEqual(held('4'));
  });

  it('is not hidden by a writer that was cut off, nor held by it', async () => {
    const { steps } = lockingScript(notes, holder('1'));
    await host.run({ steps: steps.slice(0, 2) });
    const draft = `new.${'1'.repeat(32)}`;
    expect(await read()).toEqual({ ...free, strays: [draft] });
    expect(await take(holder('2'))).toEqual({ kind: 'mine' });
    await host.run(unlockingScript(notes, holder('2'), [draft]));
    expect(await read()).toEqual(free);
  });

  it('shows the note of a suspended application', async () => {
    await take(holder('1'));
    await writeFile(join(notes, 'quiesce'), 'x\n');
    expect(await read()).toMatchObject({ kind: 'held', debt: true });
  });

  it('is unreadable, not free, when something else stands in its place', async () => {
    const name = fileOf('1'.repeat(32));
    await mkdir(notes);
    for (const text of ['', '{', 'null\n', printHolder(holder('1')).replace('"splitmirror":1', '"splitmirror":2')]) {
      await writeFile(join(notes, name), text);
      expect(await read()).toMatchObject({ kind: 'unreadable', problem: { code: 'LOCK_UNREADABLE' }, names: [name] });
    }
  });

  it('says that it failed when the file system takes no files', async () => {
    notes = '/proc/splitmirror';
    expect(await take(holder('1'))).toMatchObject({ kind: 'failed', problem: { code: 'LOCK_FAILED' } });
  });

  describe('asked for by two at the same moment', () => {
    /** The second one stands there when the first looks, and has changed by the time that the first looks again. */
    const beside = (then: (file: string) => Promise<void>) => {
      const file = join(notes, fileOf('2'.repeat(32)));
      let scripts = 0;
      const both = async (script: Script) => {
        scripts += 1;
        if (scripts === 1) await mkdir(notes).then(() => writeFile(file, printHolder(holder('2', 'def456'))));
        if (scripts === 3) await then(file);
        return host.run(script);
      };
      return takeLock(both, { node: 'a', notes }, holder('1'), [], lives);
    };

    it('may be left by both, which is no fault of the file system', async () => {
      expect(await beside((file) => rm(file))).toMatchObject({
        kind: 'failed',
        problem: {
          code: 'LOCK_FAILED',
          message: 'another asked for the lock at the same moment, and both gave way',
          remedy: 'Try again; "splitmirror status" tells whether the other one holds the group by now.',
        },
      });
    });

    it('is not known where the other one cannot be read', async () => {
      const result = await beside((file) => writeFile(file, 'x'));
      expect(result).toMatchObject({ kind: 'failed', problem: { code: 'LOCK_UNREADABLE' } });
    });
  });

  it('holds one line of JSON', async () => {
    await take(holder('1'));
    expect(await readFile(join(notes, fileOf('1'.repeat(32))), 'utf8')).toBe(`${JSON.stringify(holder('1'))}\n`);
  });
});

describe('readLock', () => {
  const answers = (outcome: ScriptOutcome) => readLock(async () => outcome, { node: 'a', notes: '/data' }, lives);

  it('takes no answer for no lock', async () => {
    const lost: ScriptOutcome = { kind: 'unknown', reason: 'connection lost', steps: [] };
    expect(await answers(lost)).toMatchObject({ kind: 'unreadable', problem: { seen: 'connection lost' }, names: [] });
  });

  it('takes an I/O error for no free lock', async () => {
    const stderr = 'ls: 0653-341 There is an input or output error.';
    const clock = { start: 0, end: 0 };
    const step = {
      id: 'names',
      kind: 'ended',
      exitCode: 2,
      memberCodes: [2],
      stdout: '',
      stderr,
      durationMs: 1,
      clock,
    } as const;
    expect((await answers({ kind: 'completed', steps: [step] })).kind).toBe('unreadable');
  });
});

it('puts the notes below the first file system', () => {
  expect(notesDirectory(['/data', '/log'])).toBe('/data/.splitmirror');
  expect(notesDirectory(['/'])).toBe('/.splitmirror');
  expect(notesDirectory([])).toBeUndefined();
});
