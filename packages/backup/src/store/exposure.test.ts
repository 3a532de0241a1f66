import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveOf, manifestOf } from '../../test/stored.ts';
import {
  type Exposure,
  endExposures,
  exposedSeconds,
  exposureByMonth,
  exposureOf,
  exposureOfJournal,
  exposuresOf,
  refuseExposure,
} from './exposure.ts';
import { openStore } from './store.ts';

const now = new Date('2026-11-22T12:00:00.000Z');
const exposure = (from: string, to: string | null, changed: Partial<Exposure> = {}): Exposure => ({
  run: 'aaaaaa',
  from,
  to,
  volumes: 2,
  volumesWithoutRedundancy: 1,
  ...changed,
});

it('takes no time from a clock that was set back', () => {
  expect(exposedSeconds('2026-01-02T03:00:00.000Z', '2026-01-02T03:00:01.500Z')).toBe(1.5);
  expect(exposedSeconds('2026-01-02T03:00:00.000Z', '2026-01-02T02:00:00.000Z')).toBe(0);
});

describe('exposureOf', () => {
  it('counts volumes, and those without any second copy', () => {
    const volumes = [
      { volume: 'datalv', copies: 3, copiesLeft: 2 },
      { volume: 'loglv', copies: 2, copiesLeft: 1 },
    ];
    const { redundancy } = manifestOf('aaaaaa');
    expect(exposureOf(manifestOf('aaaaaa', { redundancy: { ...redundancy, volumes } }))).toMatchObject({
      from: '2026-11-22T10:01:00.000Z',
      to: '2026-11-22T10:04:00.000Z',
      volumes: 2,
      volumesWithoutRedundancy: 1,
    });
  });

  it('takes what a manifest of version 1 tells', () => {
    const { redundancy } = manifestOf('aaaaaa');
    const archives = [archiveOf('datalv'), archiveOf('loglv')];
    const first = manifestOf('aaaaaa', { archives, redundancy: { ...redundancy, volumes: [] } });
    expect(exposureOf(first)).toMatchObject({ volumes: 2, volumesWithoutRedundancy: 2 });
  });
});

describe('exposureOfJournal', () => {
  const plan = { run: 'failed', mirror: { volumes: [{ volume: 'datalv', copiesLeft: 1 }] } };
  const lines = [
    { at: '2026-11-22T10:00:00.000Z', kind: 'plan', plan },
    { at: '2026-11-22T10:01:00.000Z', kind: 'intent', effect: { kind: 'perform', phase: { name: 'split' } } },
    { at: '2026-11-22T10:02:00.000Z', kind: 'outcome', of: 'perform', outcome: { kind: 'failed' } },
    { at: '2026-11-22T10:09:00.000Z', kind: 'end', verdict: { kind: 'failed', recovery: { kind: 'whole' } } },
  ];
  const text = (count: number) =>
    lines
      .slice(0, count)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');

  it('lasts from the intent to split until the mirror was whole, and goes on where nobody has seen that', () => {
    expect(exposureOfJournal(text(4))).toMatchObject({
      run: 'failed',
      from: '2026-11-22T10:01:00.000Z',
      to: '2026-11-22T10:09:00.000Z',
      volumesWithoutRedundancy: 1,
    });
    expect(exposureOfJournal(text(3))).toMatchObject({ to: null });
    expect(exposureOfJournal(`${text(3)}{"at":"cut`)).toMatchObject({ to: null });
    expect(exposureOfJournal(text(1))).toBeUndefined();
    expect(exposureOfJournal('')).toBeUndefined();
  });

  it('is found beside the exposure of backups', async () => {
    const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-exposure-')));
    const good = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await good.journal.close();
    await good.commit(manifestOf('aaaaaa'));
    const failed = await store.begin('g', 'failed', '2026-11-22T09:00:00.000Z');
    for (const line of lines) await failed.journal.write(line as Parameters<typeof failed.journal.write>[0]);
    await failed.journal.close();
    const all = await exposuresOf(store, 'g');
    expect(all.map(({ run }) => run)).toEqual(['aaaaaa', 'failed']);
    // A month costs what it costs, whatever is kept of it.
    const { backups, incomplete } = await store.survey('g');
    await store.remove(
      'g',
      [...backups, ...incomplete].map(({ directory }) => directory),
    );
    expect(await exposuresOf(store, 'g')).toEqual(all);
    expect(await store.list('g')).toEqual([]);
  });
});

describe('endExposures', () => {
  it('ends what a run that died has left open, when a recovery has seen the mirror whole', async () => {
    const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-exposure-')));
    const plan = { run: 'killed', mirror: { volumes: [{ volume: 'datalv', copiesLeft: 1 }] } };
    const split = { kind: 'perform', phase: { name: 'split' } };
    const killed = await store.begin('g', 'killed', '2026-11-22T09:00:00.000Z');
    await killed.journal.write({ at: '2026-11-22T09:00:00.000Z', kind: 'plan', plan });
    await killed.journal.write({ at: '2026-11-22T09:01:00.000Z', kind: 'intent', effect: split });
    await killed.journal.close();
    expect(await exposuresOf(store, 'g')).toMatchObject([{ run: 'killed', to: null }]);
    await endExposures(store, 'g', '2026-11-22T09:30:00.000Z');
    await endExposures(store, 'g', '2026-11-22T09:45:00.000Z');
    expect(await exposuresOf(store, 'g')).toMatchObject([{ run: 'killed', to: '2026-11-22T09:30:00.000Z' }]);
    await store.remove('g', [killed.directory]);
    expect(await exposuresOf(store, 'g')).toMatchObject([{ run: 'killed', to: '2026-11-22T09:30:00.000Z' }]);
  });

  it('is done by the next split where no recovery has told', async () => {
    const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-exposure-')));
    const killed = await store.begin('g', 'killed', '2026-11-22T09:00:00.000Z');
    const split = { kind: 'perform', phase: { name: 'split' } };
    await killed.journal.write({ at: '2026-11-22T09:01:00.000Z', kind: 'intent', effect: split });
    await killed.journal.close();
    const good = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
    await good.journal.close();
    await good.commit(manifestOf('aaaaaa'));
    expect((await exposuresOf(store, 'g'))[0]).toMatchObject({ to: '2026-11-22T10:01:00.000Z' });
  });
});

describe('exposureByMonth', () => {
  it('adds up minutes, and minutes of volumes, and splits a night at the end of a month', () => {
    const months = exposureByMonth(
      [
        exposure('2026-10-31T23:30:00.000Z', '2026-11-01T00:15:00.000Z'),
        exposure('2026-11-21T10:00:00.000Z', '2026-11-21T10:30:00.000Z', { volumes: 3, volumesWithoutRedundancy: 0 }),
        exposure('2026-11-22T11:50:00.000Z', null),
      ],
      now,
    );
    expect(months).toEqual([
      { month: '2026-10', runs: 1, minutes: 30, volumeMinutes: 60, minutesWithoutRedundancy: 30 },
      { month: '2026-11', runs: 3, minutes: 55, volumeMinutes: 140, minutesWithoutRedundancy: 25 },
    ]);
  });

  it('loses no minute, wherever the months end', () => {
    const instant = fc.integer({ min: Date.UTC(2025, 0, 1), max: now.getTime() });
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const one = exposure(new Date(from).toISOString(), new Date(to).toISOString());
        const sum = exposureByMonth([one], now).reduce((total, { minutes }) => total + minutes, 0);
        expect(sum).toBeCloseTo((to - from) / 60_000, 6);
      }),
    );
  });
});

describe('refuseExposure', () => {
  const volumes = [
    { volume: 'datalv', copiesLeft: 2 },
    { volume: 'loglv', copiesLeft: 1 },
  ];
  const spent = [20, 10, 15].map((minutes, day) =>
    exposure(`2026-11-1${day}T10:00:00.000Z`, `2026-11-1${day}T10:${minutes}:00.000Z`),
  );

  it('allows a run that is expected to stay within the limit', () => {
    expect(refuseExposure(volumes, spent, { minutesPerMonth: 60 }, now)).toBeNull();
    expect(refuseExposure(volumes, [], { minutesPerMonth: 1 }, now)).toBeNull();
    expect(refuseExposure(volumes, spent, undefined, now)).toBeNull();
    expect(refuseExposure([{ volume: 'datalv', copiesLeft: 2 }], spent, { minutesPerMonth: 0 }, now)).toBeNull();
  });

  it('refuses one that is expected to exceed it, and any once it is spent', () => {
    expect(refuseExposure(volumes, spent, { minutesPerMonth: 59 }, now)).toMatchObject({
      code: 'EXPOSURE_LIMIT',
      message: expect.stringContaining('loglv'),
      seen: '45 minutes spent, about 15 more, of 59',
    });
    expect(refuseExposure(volumes, [], { minutesPerMonth: 0 }, now)).toMatchObject({ code: 'EXPOSURE_LIMIT' });
    expect(refuseExposure(volumes, spent, { minutesPerMonth: 59 }, new Date('2026-12-01T00:00:00.000Z'))).toBeNull();
  });
});
