import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { verifyBackup } from '../src/restore/restore.ts';
import { retainBackups } from '../src/store/retention.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { archiveOf, manifestOf } from './stored.ts';

/** The process dies at one call that changes a file system: that one, or half of it, is done, and none after it. */
const { crash } = vi.hoisted(() => ({ crash: { left: Number.POSITIVE_INFINITY, half: false } }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const dead = () => Object.assign(new Error('killed'), { code: 'EKILLED' });
  const mortal =
    <A extends unknown[], R>(act: (...words: A) => Promise<R>, half?: (...words: A) => Promise<unknown>) =>
    async (...words: A): Promise<R> => {
      crash.left -= 1;
      if (crash.left === 0 && crash.half) await half?.(...words);
      if (crash.left <= 0) throw dead();
      return act(...words);
    };
  return {
    ...real,
    mkdir: mortal(real.mkdir as (...words: unknown[]) => Promise<unknown>),
    rename: mortal(real.rename),
    open: mortal(real.open),
    // Half of a file, half of a directory.
    writeFile: mortal(real.writeFile as (...words: unknown[]) => Promise<void>, (file, text) =>
      real.writeFile(String(file), String(text).slice(0, String(text).length >> 1)),
    ),
    rm: mortal(real.rm, async (directory) => {
      const names = await real.readdir(directory).catch(() => [] as string[]);
      for (const name of names.slice(names.length >> 1)) await real.rm(join(String(directory), name));
    }),
  };
});

afterEach(revive);
function revive(): void {
  crash.left = Number.POSITIVE_INFINITY;
  crash.half = false;
}

const newStore = async () => openStore(join(await mkdtemp(join(tmpdir(), 'splitmirror-crashes-')), 'store'));
const now = new Date('2026-11-22T12:00:00.000Z');

async function storeRun(store: Store, run: string, day: number): Promise<void> {
  const createdAt = `2026-11-${day}T10:00:00.000Z`;
  const bytes = Buffer.alloc(2_500_000, run);
  const digest = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  const stored = await store.begin('g', run, createdAt);
  try {
    const sink = await stored.openArchive('rawlv.dd');
    for (let at = 0; at < bytes.length; at += 500_000) await sink.write(bytes.subarray(at, at + 500_000));
    await sink.finish();
    const raw = { tool: 'dd', mountPoint: null, file: 'rawlv.dd', catalogue: null, stored: digest, ...digest } as const;
    await stored.commit(manifestOf(run, { createdAt, archives: [archiveOf('rawlv', raw)] }));
  } finally {
    await stored.journal.close();
  }
}

/** Every backup that a store lists is whole. */
async function listed(store: Store): Promise<string[]> {
  const { backups, damaged } = await store.survey('g');
  expect(damaged).toEqual([]);
  for (const backup of backups) await verifyBackup(backup);
  return backups.map(({ manifest }) => manifest.run);
}

/** Lets the process die at each call in turn, whole and half, until it lives. */
async function atEachCall(
  prepare: () => Promise<Store>,
  act: (store: Store) => Promise<unknown>,
  after: (store: Store) => Promise<void>,
) {
  let calls = 0;
  for (const half of [false, true]) {
    for (let at = 1, lived = false; !lived; at += 1) {
      const store = await prepare();
      Object.assign(crash, { left: at, half });
      lived = await act(store).then(
        () => true,
        () => false,
      );
      revive();
      await after(openStore(store.root));
      calls = Math.max(calls, at - 1);
    }
  }
  return calls;
}

describe('a store whose process is killed', { timeout: 60_000 }, () => {
  it('at any call of a run lists the backup whole or not at all', async () => {
    const calls = await atEachCall(
      async () => {
        const store = await newStore();
        await storeRun(store, 'before', 20);
        return store;
      },
      (store) => storeRun(store, 'during', 21),
      async (store) => {
        expect(['before', 'before,during']).toContain((await listed(store)).join());
        // Another run is not in the way of what is left.
        await storeRun(store, 'afterr', 22);
        expect((await listed(store)).at(-1)).toBe('afterr');
      },
    );
    expect(calls).toBeGreaterThanOrEqual(12);
  });

  it('at any call of a retention lists what is kept, and nothing half removed; the next one finishes', async () => {
    const calls = await atEachCall(
      async () => {
        const store = await newStore();
        for (const [index, run] of ['aaaaaa', 'bbbbbb', 'cccccc'].entries()) await storeRun(store, run, 19 + index);
        return store;
      },
      (store) => retainBackups(store, 'g', { last: 1 }, now),
      async (store) => {
        expect((await listed(store)).at(-1)).toBe('cccccc');
        await retainBackups(store, 'g', { last: 1 }, now);
        expect(await listed(store)).toEqual(['cccccc']);
        const { incomplete } = await store.survey('g');
        expect(incomplete).toEqual([]);
      },
    );
    expect(calls).toBeGreaterThanOrEqual(6);
  });
});
