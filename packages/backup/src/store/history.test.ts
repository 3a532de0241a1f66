import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveOf, manifestOf } from '../../test/stored.ts';
import { historyOf, judgeAgainstHistory, type RunSample } from './history.ts';

const sample = (bytes: number, entries = 100, seconds: number | null = 100): RunSample => [
  archiveOf('datalv', { bytes, entries, seconds }),
];
const steady = [1000, 1010, 990, 1005, 995, 1020].map((bytes) => sample(bytes));

describe('judgeAgainstHistory', () => {
  it('takes a usual run for good', () => {
    expect(judgeAgainstHistory(sample(1100), steady)).toEqual([]);
    expect(judgeAgainstHistory(sample(1900), steady)).toEqual([]);
  });

  it.each([
    ['half its size', sample(500), 'BYTES', 'datalv: 500 bytes, usually 1003'],
    ['three times its size', sample(3000), 'BYTES', 'datalv: 3000 bytes, usually 1003'],
    ['a tenth of the entries', sample(1000, 10), 'ENTRIES', 'datalv: 10 entries, usually 100'],
    ['four times the time', sample(1000, 100, 400), 'SECONDS', 'datalv: archived in 400 s, usually in 100 s'],
  ] as const)('is suspicious of %s', (_, run, code, message) => {
    expect(judgeAgainstHistory(run, steady)).toMatchObject([{ code, volume: 'datalv', message }]);
  });

  it('says nothing about sizes while the history is short', () => {
    expect(judgeAgainstHistory(sample(1), steady.slice(0, 4))).toEqual([]);
    expect(judgeAgainstHistory(sample(1), steady.slice(0, 5))).toHaveLength(1);
  });

  it('needs no history to miss a volume, or all of its content', () => {
    const [last] = steady;
    expect(judgeAgainstHistory([], [last ?? []])).toMatchObject([{ code: 'VOLUME_MISSING', volume: 'datalv' }]);
    expect(judgeAgainstHistory(sample(0, 0), [last ?? []])).toMatchObject([{ code: 'VOLUME_EMPTY' }]);
    expect(judgeAgainstHistory(sample(1000), [])).toEqual([]);
  });

  it('is patient with what scatters by itself, and with short runs', () => {
    const wild = [100, 900, 250, 1800, 40, 700].map((bytes) => sample(bytes));
    expect(judgeAgainstHistory(sample(30), wild)).toEqual([]);
    const short = [1, 1, 1, 1, 1, 1].map((seconds) => sample(1000, 100, seconds));
    expect(judgeAgainstHistory(sample(1000, 100, 50), short)).toEqual([]);
    expect(judgeAgainstHistory(sample(1000, 100, 90), short)).toMatchObject([{ code: 'SECONDS' }]);
  });

  it('is not misled by one outlier, nor by durations that nobody measured', () => {
    expect(judgeAgainstHistory(sample(1000), [...steady.slice(0, 5), sample(1_000_000)])).toEqual([]);
    const unmeasured = steady.map(() => sample(1000, 100, null));
    expect(judgeAgainstHistory(sample(1000, 100, 1e6), unmeasured)).toEqual([]);
  });

  it('never finds a fault with a run that repeats its history', () => {
    const run = fc
      .tuple(fc.nat(), fc.nat(), fc.nat())
      .map(([bytes, entries, seconds]) => sample(bytes, entries, seconds));
    fc.assert(
      fc.property(run, fc.integer({ min: 0, max: 40 }), (one, length) => {
        expect(
          judgeAgainstHistory(
            one,
            Array.from({ length }, () => one),
          ),
        ).toEqual([]);
      }),
    );
  });
});

describe('historyOf', () => {
  it('counts what is good, also by the word of a person', () => {
    const suspicions = [{ code: 'BYTES', volume: 'datalv', message: 'm', seen: 1, usual: 2 }] as const;
    const judgement = { kind: 'judgement', at: '', by: 'anna', reason: 'moved' } as const;
    const backups = [
      { manifest: manifestOf('bbbbbb'), records: [] },
      { manifest: manifestOf('aaaaaa', { suspicions: [...suspicions] }), records: [] },
      {
        manifest: manifestOf('dddddd', { suspicions: [...suspicions] }),
        records: [{ ...judgement, verdict: 'accepted' as const }],
      },
      { manifest: manifestOf('cccccc'), records: [{ ...judgement, verdict: 'rejected' as const }] },
    ];
    expect(historyOf(backups)).toHaveLength(2);
  });
});
