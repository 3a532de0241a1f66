import { type FileHandle, mkdtemp, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, it, vi } from 'vitest';
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

it('releases a chunk when it is written, and not before, however little the system takes at once', async () => {
  const probe = await open(join(directory, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { writev } = prototype;
  let calls = 0;
  const short = vi.spyOn(prototype, 'writev').mockImplementation(function (this: FileHandle, [first]: Buffer[]) {
    calls += 1;
    return writev.call(this, first === undefined ? [] : [first.subarray(0, 1 + ((calls * 7919) % 30_000))]);
  } as unknown as FileHandle['writev']);
  const sink = await openSink(join(directory, 'a.tar'));
  const released: number[] = [];
  const contents = Array.from({ length: 40 }, (_, index) => Buffer.alloc(20_000, index + 1));
  for (const [index, content] of contents.entries()) {
    const chunk = Buffer.from(content);
    await sink.write(chunk, () => {
      released.push(index);
      chunk.fill(0);
    });
    if (index === 0) await delay(50);
    if (index === 0) expect(released).toEqual([]);
  }
  await sink.finish();
  short.mockRestore();
  expect(calls).toBeGreaterThan(contents.length);
  expect(released).toEqual([...contents.keys()]);
  expect(Buffer.concat(contents).equals(await readFile(join(directory, 'a.tar')))).toBe(true);
});

it('fails, and ends, when a chunk was emptied before it was written', async () => {
  const sink = await openSink(join(directory, 'a.tar'));
  const chunk = Buffer.from(new ArrayBuffer(20_000));
  await sink.write(chunk);
  (chunk.buffer as ArrayBuffer).transfer(0);
  await expect(sink.finish()).rejects.toThrow('20000 bytes were gone before they could be written');
  await sink.abandon();
  expect(await readdir(directory)).toEqual(['a.tar.partial']);
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
