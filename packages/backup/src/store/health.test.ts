import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../test/stored.ts';
import { healthOf } from './health.ts';
import type { BackupRecord, DrillRecord } from './records.ts';

const at = '2026-11-22T10:00:00.000Z';
const drill = (level: DrillRecord['level'], outcome: DrillRecord['outcome']): DrillRecord => ({
  ...{ kind: 'drill', at, level, outcome, seconds: 1, where: 'a', program: null },
  problems: outcome === 'failed' ? [`${level} differ`] : [],
});
const judged = (verdict: 'accepted' | 'rejected'): BackupRecord => ({
  ...{ kind: 'judgement', at, verdict, by: 'anna', reason: 'moved' },
});
const whole = manifestOf('aaaaaa');
const odd = manifestOf('bbbbbb', {
  suspicions: [{ code: 'BYTES', volume: 'datalv', message: 'half its size', seen: 1, usual: 2 }],
});

describe('healthOf', () => {
  it.each<[string, typeof whole, BackupRecord[], string, string[]]>([
    ['a usual one', whole, [], 'good', []],
    ['one off its history', odd, [], 'suspicious', ['half its size']],
    ['one that a person has accepted', odd, [judged('rejected'), judged('accepted')], 'good', []],
    [
      'one that a person has given up',
      odd,
      [judged('rejected')],
      'rejected',
      ['half its size', 'rejected by anna: moved'],
    ],
    ['one that failed', whole, [drill('bytes', 'failed')], 'damaged', ['bytes differ']],
    ['one that failed, and passed since', whole, [drill('bytes', 'failed'), drill('bytes', 'passed')], 'good', []],
    [
      'one that passed less since',
      whole,
      [drill('contents', 'failed'), drill('bytes', 'passed')],
      'damaged',
      ['contents differ'],
    ],
    [
      'one that failed after it was accepted',
      odd,
      [judged('accepted'), drill('bytes', 'failed')],
      'damaged',
      ['bytes differ', 'half its size', 'accepted by anna: moved'],
    ],
    ['one that was accepted although it failed', whole, [drill('bytes', 'failed'), judged('accepted')], 'good', []],
    [
      'a failure that is over',
      odd,
      [drill('bytes', 'failed'), drill('bytes', 'passed')],
      'suspicious',
      ['half its size'],
    ],
  ])('judges %s', (_, manifest, records, health, reasons) => {
    expect(healthOf({ manifest, records })).toMatchObject({ health, reasons });
  });

  it.each<[string, BackupRecord[], string | undefined]>([
    ['nothing', [], undefined],
    ['the highest level', [drill('application', 'passed'), drill('bytes', 'passed')], 'application'],
    [
      'nothing before a failure',
      [drill('application', 'passed'), drill('contents', 'failed'), drill('bytes', 'passed'), judged('accepted')],
      'bytes',
    ],
    ['nothing of what is damaged', [drill('contents', 'failed'), drill('bytes', 'passed')], undefined],
  ])('takes for proven: %s', (_, records, level) => {
    expect(healthOf({ manifest: whole, records }).proven?.level).toBe(level);
  });
});
