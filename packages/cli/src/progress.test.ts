import type { BackupEvent } from '@splitmirror/backup';
import { describe, expect, it } from 'vitest';
import { afterEvent, lineOf, liveLines, noProgress, sparseLineOf } from './progress.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const play = (...events: BackupEvent[]) => events.reduce(afterEvent, noProgress);

const started: BackupEvent = {
  at: at(0),
  type: 'step-start',
  step: 'archive',
  title: 'archive the split copies',
  commands: [],
  traces: [],
};
const flowing: BackupEvent = {
  at: at(0),
  type: 'archive-start',
  volume: 'datalv',
  file: 'datalv.tar',
  bytesAtMost: 100 << 20,
};
const halfway: BackupEvent = { at: at(10), type: 'archive-progress', volume: 'datalv', bytes: 50 << 20, entries: 12 };

const stale = (seconds: number, stalePartitions: number): BackupEvent => ({
  at: at(seconds),
  type: 'resync-progress',
  stalePartitions,
  totalPartitions: 80,
});

describe('liveLines', () => {
  it('shows the step, each flow with its rate, and the resynchronisation', () => {
    const lines = liveLines(play(started, flowing, halfway), Date.parse(at(10)), 120);
    expect(lines).toEqual([
      '  | archive the split copies  10 s',
      '      [##########..........]  datalv: 50.0 MiB of at most 100 MiB, 5.00 MiB/s, 12 entries',
    ]);
  });

  it('measures a resynchronisation by where it began, and tells no time before there is a pace', () => {
    expect(liveLines(play(stale(0, 40), stale(15, 10)), 0, 120)).toEqual([
      '      [###############.....]  resync: 75 %, 10 of 40 partitions to go, pace not known yet',
    ]);
    expect(liveLines(play(stale(0, 40), stale(15, 0)), 0, 120)).toEqual([]);
  });

  it('estimates by the last looks alone, and says so when nothing moves', () => {
    // Fast at first, then one partition a minute: what was fast is forgotten.
    const slow = Array.from({ length: 12 }, (_, minute) => stale(60 * (minute + 1), 400 - minute));
    const [line] = liveLines(play(stale(0, 1000), ...slow), 0, 120);
    expect(line).toContain('389 of 1000 partitions to go, about 6 h 29 min at the pace of the last 7 min');
    const stuck = play(stale(0, 40), stale(60, 40), stale(120, 40));
    expect(liveLines(stuck, 0, 120)[0]).toContain('0 %, 40 of 40 partitions to go, no progress for 2 min');
  });

  it('begins anew when more lags behind than before', () => {
    expect(liveLines(play(stale(0, 40), stale(60, 20), stale(120, 10), stale(180, 90)), 0, 120)[0]).toContain(
      '90 of 90 partitions to go, pace not known yet',
    );
  });

  it('never is wider than the terminal', () => {
    for (const line of liveLines(play(started, flowing, halfway), Date.parse(at(10)), 30))
      expect(line.length).toBeLessThanOrEqual(30);
  });
});

describe('sparseLineOf', () => {
  it('leaves one line in five minutes in a log, of a flow and of a resynchronisation', () => {
    const told: string[] = [];
    const listen = (...events: BackupEvent[]) =>
      events.reduce((before, event) => {
        const line = sparseLineOf(event, before);
        if (line !== undefined) told.push(`${event.at.slice(11, 19)}${line}`);
        return afterEvent(before, event);
      }, noProgress);
    const flow = Array.from({ length: 40 }, (_, minute): BackupEvent => {
      return { at: at(60 * minute), type: 'archive-progress', volume: 'datalv', bytes: minute << 20, entries: minute };
    });
    listen(started, flowing, ...flow.slice(0, 12), stale(0, 40), stale(299, 30), stale(301, 20), stale(302, 0));
    expect(told).toEqual([
      '00:05:00      datalv: 5.00 MiB of at most 100 MiB, 17.1 KiB/s, 5 entries',
      '00:10:00      datalv: 10.0 MiB of at most 100 MiB, 17.1 KiB/s, 10 entries',
      '00:00:00      resync: 0 %, 40 of 40 partitions to go, pace not known yet',
      '00:05:01      resync: 50 %, 20 of 40 partitions to go, about 5 min 1 s at the pace of the last 5 min 1 s',
    ]);
  });
});

describe('lineOf', () => {
  const ended = (step: string, outcome: string): BackupEvent => ({
    at: at(3),
    type: 'step-end',
    step,
    title: 'split',
    outcome,
    facts: { a: 'b' },
  });

  it('says how a step ended, how long it took and what was proved', () => {
    expect(lineOf(ended('perform', 'done'), play({ ...started, title: 'split' }))).toBe('  ok  split  3 s\n      a: b');
    expect(lineOf(ended('perform', 'unknown'), noProgress)).toBe('  NO  split: unknown\n      a: b');
  });

  it('says nothing of proofs and looks that go well again and again', () => {
    expect(lineOf(ended('confirm', 'holds'), noProgress)).toBeUndefined();
  });
});
