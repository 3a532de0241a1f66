import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openJournal } from '../src/run/journal.ts';
import { openSink } from '../src/run/sink.ts';
import { writeDurably } from '../src/store/durable.ts';
import { openStore } from '../src/store/store.ts';
import { manifestOf } from './stored.ts';

/** What was asked of the disk, in order. A power cut cannot be made here; the order that survives it can be seen. */
const { asked } = vi.hoisted(() => ({ asked: [] as string[] }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    async rename(from: string, to: string) {
      asked.push(`rename ${basename(from)}`);
      await real.rename(from, to);
    },
    async writeFile(file: string, text: string, options: object) {
      asked.push('write');
      await real.writeFile(file, text, options);
    },
  };
});

let directory: string;
let restore: () => void;
/** Lets the next of these calls fail. */
let refuse: (name: string) => void;
/** How many syncs of data are under way, and were at most. */
let syncs: { now: number; most: number };
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'splitmirror-durable-'));
  const probe = await open(directory);
  const files = Object.getPrototypeOf(probe);
  await probe.close();
  const refused = new Set<string>();
  refuse = (name) => void refused.add(name);
  const { appendFile, datasync, sync, writev } = files;
  const spy = (name: string, method: (...words: unknown[]) => unknown) =>
    function (this: unknown, ...words: unknown[]) {
      asked.push(name);
      return refused.delete(name) ? Promise.reject(new Error('EIO')) : method.apply(this, words);
    };
  syncs = { now: 0, most: 0 };
  const countedSync = async function (this: unknown) {
    syncs = { now: syncs.now + 1, most: Math.max(syncs.most, syncs.now + 1) };
    await datasync.call(this);
    syncs.now -= 1;
  };
  Object.assign(files, {
    appendFile: spy('append', appendFile),
    datasync: spy('sync data', countedSync),
    sync: spy('sync', sync),
    writev: spy('write', writev),
  });
  restore = () => void Object.assign(files, { appendFile, datasync, sync, writev });
  asked.length = 0;
});
afterEach(async () => {
  restore();
  await rm(directory, { recursive: true });
});

it('has each entry of a journal on the disk before anything else happens', async () => {
  const journal = await openJournal(join(directory, 'journal'));
  await journal.write({ at: '', kind: 'intent' });
  asked.push('the effect');
  await journal.write({ at: '', kind: 'outcome' });
  await journal.close();
  expect(asked).toEqual(['sync', 'append', 'sync data', 'the effect', 'append', 'sync data']);
});

it('gives an archive its name when its bytes are on the disk, and then makes the name durable', async () => {
  const sink = await openSink(join(directory, 'archive'));
  await sink.write(Buffer.from('bytes'));
  await sink.finish();
  expect(asked).toEqual(['write', 'sync', 'rename archive.partial', 'sync']);
});

describe('an archive of many megabytes', () => {
  const chunk = Buffer.alloc(1 << 20);
  const many = Array.from({ length: 80 }, () => chunk);

  it('is on its way to the disk while it still comes, and syncs once more before it has its name', async () => {
    const sink = await openSink(join(directory, 'archive'));
    for (const each of many) await sink.write(each);
    await sink.finish();
    expect(asked.filter((each) => each !== 'write')).toEqual(['sync data', 'sync', 'rename archive.partial', 'sync']);
    expect(asked.indexOf('sync data')).toBeLessThan(asked.lastIndexOf('write'));
    expect((await readFile(join(directory, 'archive'))).equals(Buffer.concat(many))).toBe(true);
  });

  it('holds one thread of Node.js at most, however many come at once', async () => {
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const sink = await openSink(join(directory, name));
        for (const each of [...many, ...many]) await sink.write(each);
        await sink.finish();
      }),
    );
    expect(syncs).toEqual({ now: 0, most: 1 });
  });

  it('stops soon after the disk has refused a part of it', async () => {
    refuse('sync data');
    const sink = await openSink(join(directory, 'archive'));
    const writing = (async () => {
      for (const each of [...many, ...many]) await sink.write(each);
    })();
    await expect(writing).rejects.toThrow('EIO');
    await sink.abandon();
    expect(await readdir(directory)).toEqual(['archive.partial']);
  });

  it.each(['sync data', 'write'])(
    'never has its name when a %s has failed, whatever a later sync says',
    async (name) => {
      const sink = await openSink(join(directory, 'archive'));
      for (const each of many.slice(0, 63)) await sink.write(each);
      refuse(name);
      await sink.write(chunk);
      await expect(sink.finish()).rejects.toThrow('EIO');
      await sink.abandon();
      expect(await readdir(directory)).toEqual(['archive.partial']);
    },
  );
});

it('makes the directory of a run durable before anything is journalled, and its final name before it counts', async () => {
  const store = openStore(join(directory, 'store'));
  asked.length = 0;
  const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
  expect(asked).toEqual(['sync', 'rename .beginning-aaaaaa', 'sync', 'sync']);
  await run.journal.close();
  await run.commit(manifestOf('aaaaaa'));
  expect(asked.slice(-4)).toEqual([
    'rename manifest.json.partial',
    'sync',
    'rename 20261122T100000Z-aaaaaa.incomplete',
    'sync',
  ]);
});

it('gives a manifest its name when its bytes are on the disk, and then makes the name durable', async () => {
  await writeDurably(join(directory, 'manifest.json'), '{}');
  expect(asked).toEqual(['write', 'sync', 'rename manifest.json.partial', 'sync']);
});
