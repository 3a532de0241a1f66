import { expect, it } from 'vitest';
import { manifestOf } from '../../test/stored.ts';
import type { DrillRecord } from '../store/records.ts';
import { renderMetrics } from './metrics.ts';

it('tells the newest good backup apart from the newest one', () => {
  const committed = (run: string, day: number, more: object = {}) =>
    manifestOf(run, { committedAt: `2026-11-${day}T10:00:00.000Z`, ...more });
  const failed: DrillRecord = {
    kind: 'drill',
    at: '2026-11-23T10:00:00.000Z',
    level: 'bytes',
    outcome: 'failed',
    seconds: 1,
    where: 'here',
    program: null,
    problems: ['damaged'],
  };
  const suspicions = [{ code: 'BYTES', volume: 'datalv', message: 'datalv: 0 bytes', seen: 0, usual: 9 }] as const;
  const backups = [
    { manifest: committed('aaaaaa', 20), records: [] },
    { manifest: committed('bbbbbb', 21), records: [failed] },
    { manifest: committed('cccccc', 22, { suspicions }), records: [] },
  ];
  const text = renderMetrics([{ group: 'g', backups, windows: [], next: null }], new Date('2026-11-23T11:00:00.000Z'));
  const at = (day: number) => Date.parse(`2026-11-${day}T10:00:00.000Z`) / 1000;
  expect(text).toContain(`splitmirror_last_good_backup_timestamp_seconds{group="g"} ${at(20)}\n`);
  expect(text).toContain(`splitmirror_last_backup_timestamp_seconds{group="g"} ${at(22)}\n`);
});
