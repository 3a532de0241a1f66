import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { manifestOf } from '../../test/stored.ts';
import type { DrillRecord } from '../store/records.ts';
import { openStore } from '../store/store.ts';
import { measureGroup, renderMetrics } from './metrics.ts';

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
  const text = renderMetrics(
    [{ group: 'g', backups, exposures: [], windows: [], next: null }],
    new Date('2026-11-23T11:00:00.000Z'),
  );
  const at = (day: number) => Date.parse(`2026-11-${day}T10:00:00.000Z`) / 1000;
  expect(text).toContain(`splitmirror_last_good_backup_timestamp_seconds{group="g"} ${at(20)}\n`);
  expect(text).toContain(`splitmirror_last_backup_timestamp_seconds{group="g"} ${at(22)}\n`);
});

it('tells nothing in the file of one group that stands in the file of another', () => {
  const fileOf = (group: string) => {
    const backups = [{ manifest: manifestOf('aaaaaa', { committedAt: '2026-11-20T10:00:00.000Z' }), records: [] }];
    const window = {
      start: '2026-11-20T10:00:00.000Z',
      end: '2026-11-20T14:00:00.000Z',
      kind: 'done',
      node: null,
      run: null,
      detail: '',
      doubles: [],
    } as const;
    const now = new Date('2026-11-23T11:00:00.000Z');
    return renderMetrics([{ group, backups, exposures: [], windows: [window], next: now }], now);
  };
  const samples = (text: string) => text.split('\n').flatMap((line) => /^\w\S*/.exec(line) ?? []);
  const [one, other] = [samples(fileOf('g')), samples(fileOf('h'))];
  expect(one.length).toBeGreaterThan(9);
  expect(one.filter((sample) => other.includes(sample))).toEqual([]);
});

it('counts the exposure of every run of the last 30 days: failed ones, removed ones, and those that are damaged since', async () => {
  const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-metrics-')));
  const at = (day: number, minute: number) => `2026-11-${day}T10:${String(minute).padStart(2, '0')}:00.000Z`;
  const volumes = [{ volume: 'datalv', copies: 2, copiesLeft: 1 }];
  const plan = (run: string, day: number) => ({
    at: at(day, 0),
    kind: 'plan' as const,
    plan: { run, mirror: { volumes } },
  });
  const split = { kind: 'perform', phase: { name: 'split' } };
  const begin = async (run: string, day: number) => {
    const stored = await store.begin('g', run, at(day, 0));
    await stored.journal.write(plan(run, day));
    await stored.journal.write({ at: at(day, 1), kind: 'intent', effect: split });
    return stored;
  };
  const end = async (run: string, day: number, minutes: number) => {
    const stored = await begin(run, day);
    await stored.journal.write({
      at: at(day, 1 + minutes),
      kind: 'outcome',
      of: 'redundancy',
      redundancy: { kind: 'whole' },
    });
    await stored.journal.close();
    const redundancy = {
      splitAt: at(day, 1),
      wholeAt: at(day, 1 + minutes),
      exposedSeconds: 60 * minutes,
      copiesLeft: 1,
      volumes,
    };
    return stored.commit(manifestOf(run, { createdAt: at(day, 0), committedAt: at(day, 30), redundancy }));
  };
  await end('kept00', 20, 2);
  await store.remove('g', [await end('gone00', 21, 4)]);
  await writeFile(join(await end('broken', 22, 8), 'manifest.json'), 'no JSON');
  // Killed, and nobody has brought the mirror back yet.
  await (await begin('killed', 23)).journal.close();
  const now = new Date(at(23, 17));
  const seconds = async (when: Date) =>
    /^splitmirror_exposed_seconds_30d\{group="g"\} (.*)$/m.exec(
      renderMetrics([await measureGroup(store, 'g', when)], when),
    )?.[1];
  expect(await seconds(now)).toBe(String(60 * (2 + 4 + 8 + 16)));
  // Of a run that lies half before the 30 days its later half counts.
  const later = new Date('2026-12-20T10:02:00.000Z');
  const sinceKilled = (later.getTime() - Date.parse(at(23, 1))) / 1000;
  expect(await seconds(later)).toBe(String(60 * (1 + 4 + 8) + sinceKilled));
});
