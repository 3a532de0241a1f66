import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  judgeWindows,
  nextWindow,
  type Schedule,
  tellerOf,
  type WindowRecord,
  windowsDue,
  windowsUntold,
} from './schedule.ts';

const nightly = (timeZone: string, ...dailyAt: string[]): Schedule => ({
  since: '2026-03-27T00:00:00.000Z',
  windowMinutes: 60,
  starts: { dailyAt, timeZone },
});
const starts = (schedule: Schedule, now: string) => judgeWindows(schedule, [], new Date(now)).map(({ start }) => start);
const record = (window: string, what: WindowRecord['what'], more: Partial<WindowRecord> = {}): WindowRecord => ({
  group: 'g',
  window,
  at: window,
  by: 'c1',
  what,
  node: null,
  run: null,
  detail: what,
  ...more,
});

describe('windows', () => {
  it('begin at the wall clock of their zone, also over a change of clocks, once a day', () => {
    expect(starts(nightly('Europe/Berlin', '02:30'), '2026-03-31T00:00:00Z')).toEqual([
      '2026-03-27T01:30:00.000Z',
      '2026-03-28T01:30:00.000Z',
      // 02:30 does not exist: the clocks go from 02:00 to 03:00.
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    const autumn = { ...nightly('Europe/Berlin', '02:30'), since: '2026-10-24T12:00:00.000Z' };
    expect(starts(autumn, '2026-10-26T12:00:00Z')).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
    expect(starts(nightly('Asia/Kolkata', '00:10', '12:10'), '2026-03-28T00:00:00Z')).toEqual([
      '2026-03-27T06:40:00.000Z',
      '2026-03-27T18:40:00.000Z',
    ]);
  });

  it('begin every so many minutes, or where a site says', () => {
    const every: Schedule = { since: '2026-01-01T00:10:00.000Z', windowMinutes: 5, starts: { everyMinutes: 20 } };
    expect(starts(every, '2026-01-01T00:50:00Z')).toEqual([
      '2026-01-01T00:10:00.000Z',
      '2026-01-01T00:30:00.000Z',
      '2026-01-01T00:50:00.000Z',
    ]);
    const given = ['2025-12-31T00:00:00Z', '2026-01-01T00:20:00Z', '2026-01-02T00:00:00Z'].map((at) => new Date(at));
    expect(starts({ ...every, starts: () => given }, '2026-01-01T00:50:00Z')).toEqual(['2026-01-01T00:20:00.000Z']);
    expect(nextWindow(every, new Date('2026-01-01T00:50:00Z'))).toEqual(new Date('2026-01-01T01:10:00Z'));
    expect(nextWindow(nightly('UTC', '02:30'), new Date('2026-04-01T02:30:00Z'))).toEqual(
      new Date('2026-04-02T02:30:00Z'),
    );
    // None is a duty before the schedule counts.
    const later = { ...nightly('UTC', '02:30'), since: '2029-04-01T12:00:00Z' };
    expect(nextWindow(later, new Date('2026-04-01T02:30:00Z'))).toEqual(new Date('2029-04-02T02:30:00Z'));
  });

  it('are looked for from the newest one back, however long a site has had its schedule', () => {
    let asked = 0;
    const minutely: Schedule = {
      since: '2016-01-01T00:00:00.000Z',
      windowMinutes: 1,
      *starts(from, to) {
        for (let at = Math.ceil(from.getTime() / 60_000) * 60_000; at < to.getTime(); at += 60_000) {
          asked += 1;
          yield new Date(at);
        }
      },
    };
    const found = starts(minutely, '2026-01-01T00:00:30Z');
    expect(found).toEqual(
      Array.from({ length: 10_000 }, (_, index) =>
        new Date(Date.UTC(2026, 0, 1) - (9_999 - index) * 60_000).toISOString(),
      ),
    );
    expect(asked).toBeLessThan(30_000);
    expect(nextWindow(minutely, new Date('2026-01-01T00:00:30Z'))).toEqual(new Date('2026-01-01T00:01:00Z'));
  });

  it('are all found where a site has few', () => {
    const given = ['2016-02-29T01:00:00.000Z', '2020-02-29T01:00:00.000Z', '2024-02-29T01:00:00.000Z'];
    const rare: Schedule = {
      since: '2016-01-01T00:00:00.000Z',
      windowMinutes: 60,
      starts: () => given.map((each) => new Date(each)),
    };
    expect(starts(rare, '2026-01-01T00:00:00Z')).toEqual(given);
  });

  it('cannot be made from what is no schedule', () => {
    const bad: Schedule['starts'][] = [
      { everyMinutes: 0 },
      { dailyAt: ['24:00'], timeZone: 'UTC' },
      { dailyAt: ['1:00'], timeZone: 'UTC' },
    ];
    for (const each of bad)
      expect(() => starts({ ...nightly('UTC'), starts: each }, '2026-04-01T00:00:00Z')).toThrow(RangeError);
    expect(() => starts({ ...nightly('UTC', '01:00'), windowMinutes: 0 }, '2026-04-01T00:00:00Z')).toThrow(RangeError);
  });

  it('are one for each local day, whatever the zone, and never before the one asked for (law)', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 0, max: 700 }),
        (timeZone, hour, minute, day) => {
          const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
          const since = new Date(Date.UTC(2025, 0, 1 + day)).toISOString();
          const schedule: Schedule = { since, windowMinutes: 1, starts: { dailyAt: [time], timeZone } };
          const found = judgeWindows(schedule, [], new Date(Date.UTC(2025, 0, 11 + day)));
          const gaps = found
            .slice(1)
            .map(({ start }, index) => Date.parse(start) - Date.parse(found[index]?.start ?? ''));
          return (
            found.length >= 9 &&
            found.length <= 11 &&
            gaps.every((gap) => gap >= 22 * 3_600_000 && gap <= 26 * 3_600_000)
          );
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('judgeWindows', () => {
  const schedule: Schedule = { since: '2026-01-01T00:00:00.000Z', windowMinutes: 30, starts: { everyMinutes: 60 } };
  const at = (hour: number) => `2026-01-01T0${hour}:00:00.000Z`;
  const kinds = (records: WindowRecord[], now: string) =>
    judgeWindows(schedule, records, new Date(now)).map(({ kind }) => kind);

  it('has exactly one verdict for each window, and shows gaps and doubles', () => {
    const records = [
      record(at(0), 'done', { node: 'n1', run: 'r1' }),
      record(at(0), 'done', { node: 'n2', run: 'r2', by: 'c2' }),
      record(at(2), 'failed'),
      record(at(3), 'unheld'),
      record(at(4), 'elsewhere', { by: 'n1' }),
      record(at(4), 'elsewhere', { by: 'n2' }),
      record(at(5), 'begun'),
    ];
    const verdicts = judgeWindows(schedule, records, new Date('2026-01-01T06:10:00Z'));
    expect(verdicts.map(({ kind }) => kind)).toEqual([
      'done',
      'missed',
      'failed',
      'unheld',
      'unheld',
      'running',
      'due',
    ]);
    expect(verdicts[0]).toMatchObject({ node: 'n1', run: 'r1', detail: 'done', doubles: ['r2'] });
    expect(kinds(records, '2026-01-09T00:00:00Z').slice(5, 6)).toEqual(['missed']);
  });

  it('is due as long as the window is open and nobody came to an end', () => {
    const due = (...records: WindowRecord[]) => windowsDue(schedule, records, new Date('2026-01-01T03:10:00Z'))?.start;
    expect(due()).toBe(at(3));
    expect(due(record(at(3), 'begun'), record(at(3), 'unheld'))).toBe(at(3));
    expect(due(record(at(3), 'begun'))).toBeUndefined();
    expect(due(record(at(3), 'done'))).toBeUndefined();
    expect(due(record(at(3), 'failed'))).toBeUndefined();
    expect(windowsDue(schedule, [], new Date('2026-01-01T03:40:00Z'))).toBeUndefined();
  });
});

describe('windowsUntold', () => {
  const schedule: Schedule = { since: '2026-01-01T00:00:00.000Z', windowMinutes: 30, starts: { everyMinutes: 60 } };
  const at = (hour: number) => `2026-01-01T0${hour}:00:00.000Z`;

  it('is everything that ended without a backup while nobody was there to tell, until it was told', () => {
    const records = [
      record(at(0), 'done', { node: 'n1', run: 'r1' }),
      record(at(2), 'failed'),
      record(at(3), 'unheld'),
      record(at(4), 'unheld', { by: 'n1' }),
      record(at(4), 'undecided', { by: 'n1', at: '2026-01-01T04:05:00.000Z' }),
      record(at(4), 'elsewhere', { by: 'n1', at: '2026-01-01T04:10:00.000Z' }),
      record(at(5), 'begun'),
      record(at(5), 'died'),
      record(at(6), 'undecided'),
      record(at(7), 'yielded'),
      record(at(8), 'undecided'),
    ];
    const untold = (...more: WindowRecord[]) =>
      windowsUntold(schedule, [...records, ...more], new Date('2026-01-01T08:10:00Z'), () => false).map(
        ({ start, kind }) => `${start} ${kind}`,
      );
    expect(untold()).toEqual([
      `${at(1)} missed`,
      `${at(3)} unheld`,
      `${at(5)} failed`,
      `${at(6)} undecided`,
      `${at(7)} missed`,
    ]);
    const told = [1, 3, 5, 6, 7].map((hour) => record(at(hour), 'told', { by: 'c2' }));
    expect(untold(...told)).toEqual([]);
    expect(judgeWindows(schedule, [...records, ...told], new Date('2026-01-01T08:10:00Z'))).toEqual(
      judgeWindows(schedule, records, new Date('2026-01-01T08:10:00Z')),
    );
  });

  it('is not what somebody is about to tell, unless he is gone or it has taken too long', () => {
    const records = [record(at(0), 'telling', { by: 'c2', at: '2026-01-01T01:00:00.000Z' })];
    const untold = (now: string, gone: readonly string[] = []) =>
      windowsUntold(schedule, records, new Date(now), ({ by }) => gone.includes(by)).length;
    expect(untold('2026-01-01T01:09:00Z')).toBe(0);
    expect(untold('2026-01-01T01:09:00Z', ['c2'])).toBe(1);
    expect(untold('2026-01-01T01:11:00Z')).toBe(1);
    // Its clock was wrong: nobody waits until then.
    expect(untold('2026-01-01T00:40:00Z')).toBe(1);
  });
});

describe('tellerOf', () => {
  const window = '2026-01-01T00:00:00.000Z';
  const now = new Date('2026-01-01T01:01:00Z');
  const telling = (by: string, minute = '00') =>
    record(window, 'telling', { by, at: `2026-01-01T01:${minute}:00.000Z` });
  const teller = (records: WindowRecord[], ...gone: string[]) => tellerOf(records, now, ({ by }) => gone.includes(by));

  it('is the first in the log whose claim holds, whatever the clocks say', () => {
    expect(teller([])).toBeUndefined();
    expect(teller([telling('c2', '01'), telling('c1')])).toBe('c2');
    expect(teller([telling('c2'), telling('c1')], 'c2')).toBe('c1');
    expect(teller([telling('c2')], 'c2')).toBeUndefined();
  });

  it('is who has told, for ever', () => {
    const told = record(window, 'told', { by: 'c1', at: '2026-01-01T00:31:00.000Z' });
    expect(teller([telling('c2'), telling('c1'), told], 'c1')).toBe('c1');
  });
});
