import type { BackupEvent } from '@splitmirror/backup';
import { describe, expect, it } from 'vitest';
import { afterEvent, lineOf, liveLines, noProgress } from './progress.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
const play = (...events: BackupEvent[]) => events.reduce(afterEvent, noProgress);

const started: BackupEvent = {
  at: at(0),
  type: 'step-start',
  step: 'archive',
  title: 'archive the split copies',
  commands: [],
};
const flowing: BackupEvent = {
  at: at(0),
  type: 'archive-start',
  volume: 'datalv',
  file: 'datalv.tar',
  bytesAtMost: 100 << 20,
};
const halfway: BackupEvent = { at: at(10), type: 'archive-progress', volume: 'datalv', bytes: 50 << 20, entries: 12 };

describe('liveLines', () => {
  it('shows the step, each flow with its rate, and the resynchronisation', () => {
    const lines = liveLines(play(started, flowing, halfway), Date.parse(at(10)), 120);
    expect(lines).toEqual([
      '  | archive the split copies  10 s',
      '      datalv  [##########..........]  50.0 MiB  5.00 MiB/s  12 entries',
    ]);
  });

  it('measures a resynchronisation by where it began', () => {
    const stale = (stalePartitions: number): BackupEvent => ({
      at: at(0),
      type: 'resync-progress',
      stalePartitions,
      totalPartitions: 80,
    });
    expect(liveLines(play(stale(40), stale(10)), 0, 120)).toEqual([
      '      resync  [###############.....]  10 of 40 partitions to go',
    ]);
    expect(liveLines(play(stale(40), stale(0)), 0, 120)).toEqual([]);
  });

  it('never is wider than the terminal', () => {
    for (const line of liveLines(play(started, flowing, halfway), Date.parse(at(10)), 30))
      expect(line.length).toBeLessThanOrEqual(30);
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
    expect(lineOf(ended('perform', 'done'), play({ ...started, title: 'split' }))).toBe(
      '  ok  split  3.0 s\n      a: b',
    );
    expect(lineOf(ended('perform', 'unknown'), noProgress)).toBe('  NO  split: unknown\n      a: b');
  });

  it('says nothing of proofs and looks that go well again and again', () => {
    expect(lineOf(ended('confirm', 'holds'), noProgress)).toBeUndefined();
  });
});
