import { mkdtemp, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'splitmirror-durable-'));
  const probe = await open(directory);
  const files = Object.getPrototypeOf(probe);
  await probe.close();
  const { appendFile, datasync, sync, writev } = files;
  const spy = (name: string, method: (...words: unknown[]) => unknown) =>
    function (this: unknown, ...words: unknown[]) {
      asked.push(name);
      return method.apply(this, words);
    };
  Object.assign(files, {
    appendFile: spy('append', appendFile),
    datasync: spy('sync data', datasync),
    sync: spy('sync', sync),
    writev: spy('write', writev),
  });
  restore = () => void Object.assign(files, { appendFile, datasync, sync, writev });
  asked.length = 0;
});
afterEach(() => restore());

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

it('makes the directory of a run durable before anything is journalled, and its final name before it counts', async () => {
  const store = await openStore(join(directory, 'store'));
  asked.length = 0;
  const run = await store.begin('g', 'aaaaaa', '2026-11-22T10:00:00.000Z');
  expect(asked).toEqual(['sync', 'sync', 'sync']);
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
