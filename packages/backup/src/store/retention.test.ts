import { mkdtemp, readdir, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../test/stored.ts';
import { listRecoveries, removeRecoveries } from './recoveries.ts';
import {
  planRetention,
  type RetainedBackup,
  type RetentionPolicy,
  retainBackups,
  retainedBackups,
} from './retention.ts';
import { openStore, type Store } from './store.ts';

const day = 86_400_000;
const now = new Date('2026-11-22T12:00:00.000Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * day).toISOString();
const backup = (run: string, days: number, changed: Partial<RetainedBackup> = {}): RetainedBackup => ({
  run,
  createdAt: daysAgo(days),
  health: 'good',
  proven: null,
  parent: null,
  ...changed,
});
const kept = (backups: readonly RetainedBackup[], policy: RetentionPolicy, at = now) =>
  planRetention(backups, policy, at)
    .decisions.filter(({ action }) => action === 'keep')
    .map(({ run }) => run);

describe('planRetention', () => {
  it('keeps the newest of each period, and says why for each backup', () => {
    const backups = [40, 33, 10, 9, 2, 1.2, 1, 0].map((days, index) => backup(`run00${index}`, days));
    const plan = planRetention(backups, { daily: 2, weekly: 2, monthly: 2 }, now);
    expect(plan.suspended).toBeNull();
    expect(plan.decisions.map(({ run, action, reasons }) => [run, action, ...reasons])).toEqual([
      ['run000', 'remove', 'no rule keeps it'],
      ['run001', 'keep', 'monthly: the newest of 2026-10'],
      ['run002', 'remove', 'no rule keeps it'],
      ['run003', 'keep', 'weekly: the newest of 2026-W46'],
      ['run004', 'remove', 'no rule keeps it'],
      ['run005', 'remove', 'no rule keeps it'],
      ['run006', 'keep', 'daily: the newest of 2026-11-21'],
      [
        'run007',
        'keep',
        'daily: the newest of 2026-11-22',
        'weekly: the newest of 2026-W47',
        'monthly: the newest of 2026-11',
        'the newest good backup',
      ],
    ]);
  });

  it.each([
    ['suspicious', 'the newest backup, newone, is suspicious'],
    ['damaged', 'the newest backup, newone, is damaged'],
    ['incomplete', 'the newest run, newone, did not finish'],
    ['rejected', 'the newest backup, newone, was rejected'],
  ] as const)('removes nothing while the newest run is %s', (health, reason) => {
    const backups = [backup('old001', 9), backup('old002', 8), backup('newone', 1, { health })];
    const plan = planRetention(backups, { last: 1 }, now);
    expect(plan.suspended).toBe(reason);
    expect(plan.decisions.every(({ action }) => action === 'keep')).toBe(true);
    expect(planRetention([...backups, backup('newest', 0)], { last: 1 }, now).suspended).toBeNull();
  });

  it('removes nothing when a backup is from the future: the clock was wrong, then or now', () => {
    const plan = planRetention([backup('old001', 9), backup('ahead0', -2)], { last: 1 }, now);
    expect(plan.suspended).toContain('which is to come');
  });

  it('keeps the last proven backup, and what a kept one builds upon', () => {
    const backups = [
      backup('full00', 30),
      backup('incr01', 29, { parent: 'full00' }),
      backup('proven', 28, { proven: 'contents', parent: 'incr01' }),
      backup('other0', 27),
      backup('newest', 0),
    ];
    expect(kept(backups, { last: 1 })).toEqual(['full00', 'incr01', 'proven', 'newest']);
  });

  it('keeps what the application has opened, whatever newer bytes are right', () => {
    const backups = [
      backup('opened', 9, { proven: 'application' }),
      backup('tried0', 8, { proven: 'contents' }),
      backup('read00', 7, { proven: 'bytes' }),
      backup('newest', 1),
    ];
    expect(kept(backups, { last: 1 })).toEqual(['opened', 'tried0', 'read00', 'newest']);
    expect(kept([...backups, backup('better', 0, { proven: 'application' })], { last: 1 })).toEqual(['better']);
  });

  it('keeps suspicious ones until a person has judged them, and gives no place of a good one to them', () => {
    const backups = [backup('good00', 1.1), backup('odd000', 1, { health: 'suspicious' }), backup('newest', 0)];
    expect(kept(backups, { daily: 2 })).toEqual(['good00', 'odd000', 'newest']);
    const rejected = backups.map((each) => (each.run === 'odd000' ? { ...each, health: 'rejected' as const } : each));
    expect(kept(rejected, { daily: 2 })).toEqual(['good00', 'newest']);
  });

  it('removes the journal of a failed run after its days', () => {
    const backups = [backup('failed', 31, { health: 'incomplete' }), backup('recent', 3, { health: 'incomplete' })];
    expect(kept([...backups, backup('newest', 0)], { last: 1 })).toEqual(['recent', 'newest']);
  });

  it('removes the record of a recovery that is older than a year, and than every backup that stays', () => {
    const recovery = (run: string, days: number, verdict: string | null = 'whole') => ({
      run,
      startedAt: daysAgo(days),
      verdict,
    });
    const expired = (backups: readonly RetainedBackup[], ...recoveries: ReturnType<typeof recovery>[]) =>
      planRetention(backups, { last: 1 }, now, recoveries).recoveries.map(({ run }) => run);
    const records = [recovery('older0', 500), recovery('young0', 365), recovery('newest', 1)];
    expect(expired([backup('run000', 0)], ...records)).toEqual(['older0']);
    expect(expired([], ...records)).toEqual(['older0']);
    // As long as the backup is there that was made before it, somebody may ask.
    expect(expired([backup('run000', 501)], ...records)).toEqual([]);
    expect(expired([backup('run000', 499)], ...records)).toEqual(['older0']);
    // Neither what broke off, nor what nobody has seen whole since, nor the newest one.
    const open = [recovery('older0', 600), recovery('cutoff', 590, null), recovery('stuck0', 580, 'stuck')];
    expect(expired([backup('run000', 0)], ...open)).toEqual(['older0']);
    expect(expired([backup('run000', 0)], ...open, recovery('whole0', 570))).toEqual(['older0', 'stuck0']);
    expect(expired([backup('run000', 1), backup('newone', 0, { health: 'incomplete' })], ...records)).toEqual([]);
  });

  it('refuses a policy that keeps nothing', () => {
    expect(() => planRetention([], {}, now)).toThrow(RangeError);
    expect(() => planRetention([], { daily: 1.5 }, now)).toThrow(RangeError);
  });

  describe('laws', () => {
    const backups = fc
      .array(
        fc.record({
          days: fc.integer({ min: 0, max: 900 }),
          health: fc.constantFrom('good', 'good', 'good', 'suspicious', 'damaged', 'rejected', 'incomplete'),
          proven: fc.constantFrom(null, 'bytes', 'contents', 'application'),
          parent: fc.option(fc.integer({ min: 0, max: 30 })),
        }),
        { maxLength: 40 },
      )
      .map((items) =>
        items
          .sort((a, b) => b.days - a.days)
          .map(
            ({ days, health, proven, parent }, index): RetainedBackup =>
              backup(`r${String(index).padStart(5, '0')}`, days, {
                health: health as RetainedBackup['health'],
                proven: health === 'good' ? (proven as RetainedBackup['proven']) : null,
                parent: parent === null || parent >= index ? null : `r${String(parent).padStart(5, '0')}`,
              }),
          ),
      );
    const count = fc.integer({ min: 0, max: 12 });
    const policy = fc.record({
      last: fc.integer({ min: 1, max: 9 }),
      daily: count,
      weekly: count,
      monthly: count,
      yearly: count,
    });

    it('is idempotent: what is left is kept', () => {
      fc.assert(
        fc.property(backups, policy, (all, rules) => {
          const left = new Set(kept(all, rules));
          const remaining = all.filter(({ run }) => left.has(run));
          expect(kept(remaining, rules)).toEqual(remaining.map(({ run }) => run));
        }),
      );
    });

    it('is monotone: to keep more never removes what was kept', () => {
      fc.assert(
        fc.property(backups, policy, policy, (all, rules, more) => {
          const sum = {
            last: rules.last + more.last,
            daily: rules.daily + more.daily,
            weekly: rules.weekly + more.weekly,
            monthly: rules.monthly + more.monthly,
            yearly: rules.yearly + more.yearly,
          };
          const wider = new Set(kept(all, sum));
          for (const run of kept(all, rules)) expect(wider.has(run)).toBe(true);
        }),
      );
    });

    it('never empties a store, never takes the newest good or the last proven one, nor a parent', () => {
      fc.assert(
        fc.property(backups, policy, (all, rules) => {
          const left = new Set(kept(all, rules));
          const good = all.filter(({ health }) => health === 'good');
          const newest = good.at(-1);
          if (newest !== undefined) expect(left.has(newest.run)).toBe(true);
          for (const levels of [['application'], ['application', 'contents'], ['application', 'contents', 'bytes']]) {
            const proven = good.findLast((each) => each.proven !== null && levels.includes(each.proven));
            if (proven !== undefined) expect(left.has(proven.run)).toBe(true);
          }
          for (const each of all) {
            if (each.health === 'suspicious') expect(left.has(each.run)).toBe(true);
            if (left.has(each.run) && each.parent !== null) expect(left.has(each.parent)).toBe(true);
          }
        }),
      );
    });
  });
});

describe('retainBackups', () => {
  async function storeWith(days: readonly number[]): Promise<Store> {
    const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-retention-')));
    for (const [index, ago] of days.entries()) {
      const run = `run00${index}`;
      const stored = await store.begin('g', run, daysAgo(ago));
      await stored.journal.close();
      await stored.commit(manifestOf(run, { createdAt: daysAgo(ago) }));
    }
    return store;
  }
  const runs = async (store: Store) => (await store.list('g')).map(({ manifest }) => manifest.run);

  it('removes what the plan says, and nothing when the plan is outdated', async () => {
    const store = await storeWith([3, 2, 1]);
    const plan = planRetention([backup('run000', 3), backup('run001', 2)], { last: 1 }, now);
    await expect(retainBackups(store, 'g', { last: 1 }, now, plan)).rejects.toMatchObject({
      code: 'RETENTION_OUTDATED',
    });
    expect(await runs(store)).toEqual(['run000', 'run001', 'run002']);
    expect((await retainBackups(store, 'g', { last: 1 }, now)).removed).toEqual(['run000', 'run001']);
    expect(await runs(store)).toEqual(['run002']);
    expect((await readdir(join(store.root, 'g'))).sort()).toEqual(['20261121T120000Z-run002', 'exposures.ndjson']);
  });

  it('removes records of recoveries with what they hold, and what a crash has left of one', async () => {
    const store = await storeWith([1]);
    const record = async (run: string, days: number) => {
      const { directory, journal } = await store.beginRecovery('g', run, daysAgo(days));
      const controller = { host: 'c', pid: 1 };
      const head = { kind: 'recovery', at: daysAgo(days), run, group: 'g', by: null, controller, breakLock: false };
      await journal.write(head as unknown as Parameters<typeof journal.write>[0]);
      await journal.write({ at: daysAgo(days), kind: 'end', verdict: { kind: 'whole' } });
      await journal.close();
      return directory;
    };
    await record('older0', 500);
    await record('newest', 400);
    expect((await retainBackups(store, 'g', { last: 1 }, now)).recoveries).toMatchObject([{ run: 'older0' }]);
    expect((await listRecoveries(store, 'g')).recoveries).toMatchObject([{ run: 'newest' }]);
    const half = await record('half00', 450);
    await rename(half, half.replace(/\.recovery$/, '.expired'));
    await store.remove('g', []);
    expect((await readdir(join(store.root, 'g'))).sort()).toEqual([
      '20251018T120000Z-newest.recovery',
      '20261121T120000Z-run000',
    ]);
  });

  it('minds no record of a recovery that is gone already, and tells of a store that takes no removal', async () => {
    const { root } = await storeWith([1]);
    const name = '20251018T120000Z-newest.recovery';
    await removeRecoveries([{ directory: join(root, 'g', name) }]);
    await writeFile(join(root, 'file'), '');
    await expect(removeRecoveries([{ directory: join(root, 'file', name) }])).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
    });
  });

  it('goes on where it was killed: what had lost its name is gone in the end', async () => {
    const store = await storeWith([3, 2, 1]);
    const [first] = await store.list('g');
    await rename(first?.directory ?? '', `${first?.directory}.expired`);
    expect(await runs(store)).toEqual(['run001', 'run002']);
    await retainBackups(store, 'g', { last: 2 }, now);
    expect(await readdir(join(store.root, 'g'))).toHaveLength(2);
  });

  it('removes nothing at all while a manifest cannot be read', async () => {
    const store = await storeWith([3, 2, 1]);
    const [, middle] = await store.list('g');
    await writeFile(join(middle?.directory ?? '', 'manifest.json'), '{');
    await expect(retainBackups(store, 'g', { last: 1 }, now)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    // Nor does a plan say that it would.
    const survey = await store.survey('g');
    expect(() => retainedBackups(survey)).toThrow(expect.objectContaining({ code: 'BACKUP_DAMAGED' }));
    expect(await readdir(join(store.root, 'g'))).toHaveLength(3);
  });
});
