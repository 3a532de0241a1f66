import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { openSink } from './sink.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'splitmirror-sink-'));
});

it('gives the file its name only when it is complete', async () => {
  const sink = await openSink(join(directory, 'a.tar'));
  const chunks = Array.from({ length: 300 }, (_, index) => Buffer.alloc(10_000 + index, index));
  for (const chunk of chunks) await sink.write(chunk);
  expect(await readdir(directory)).toEqual(['a.tar.partial']);
  await sink.finish();
  expect(await readdir(directory)).toEqual(['a.tar']);
  expect(Buffer.concat(chunks).equals(await readFile(join(directory, 'a.tar')))).toBe(true);
});

it('gives the memory of a chunk back when it is written, and not before', async () => {
  const sink = await openSink(join(directory, 'a.tar'));
  const given: number[] = [];
  const chunks = Array.from({ length: 40 }, (_, index) =>
    Object.assign(Buffer.alloc(20_000, index + 1), {
      [Symbol.dispose](this: Buffer) {
        given.push(index);
        this.fill(0);
      },
    }),
  );
  await sink.write(chunks[0] as Buffer);
  await delay(50);
  expect(given).toEqual([]);
  for (const chunk of chunks.slice(1)) await sink.write(chunk);
  await sink.finish();
  expect(given).toEqual([...chunks.keys()]);
  const written = await readFile(join(directory, 'a.tar'));
  expect(written.equals(Buffer.concat([...chunks.keys()].map((index) => Buffer.alloc(20_000, index + 1))))).toBe(true);
});

it('leaves a partial file when it is abandoned', async () => {
  const sink = await openSink(join(directory, 'a.tar'));
  await sink.write(Buffer.from('x'));
  await sink.abandon();
  expect(await readdir(directory)).toEqual(['a.tar.partial']);
});

it('never continues what another run has begun', async () => {
  await writeFile(join(directory, 'a.tar.partial'), 'old');
  await expect(openSink(join(directory, 'a.tar'))).rejects.toMatchObject({ code: 'EEXIST' });
});
