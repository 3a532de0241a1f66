/*
 * One measurement of bench/archive.ts, in a process of its own: reads an archive from standard input and prints the
 * milliseconds that it took on the clock and on the processors, modules loaded, and the peak of its memory.
 */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { watchArchive } from '@splitmirror/archive';
import { createBackupReader } from '../packages/archive/src/readers/backup.ts';
import { createCpioReader } from '../packages/archive/src/readers/cpio.ts';
import { createTarReader } from '../packages/archive/src/readers/tar.ts';
import { record } from '../packages/archive/test/tar-builder.ts';
import { peakMiB } from './peak.ts';

const [, , job = 'nothing'] = process.argv;

function pump(take: (chunk: Buffer) => void): void {
  const chunk = Buffer.alloc(1 << 18);
  for (let got = read(chunk); got > 0; got = read(chunk)) take(chunk.subarray(0, got));
}

/** The next bytes of standard input, 0 at its end. */
function read(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk, 0, chunk.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

function count(create: typeof createTarReader): number {
  let entries = 0;
  const reader = create({
    entry() {
      entries += 1;
    },
    data() {},
    attribute() {},
  });
  pump(reader.push);
  reader.end();
  return entries;
}

function watch(format: 'tar' | 'cpio' | 'backup', digest: 'stream' | 'outline'): number {
  // What the backup package does with it is one write a piece.
  let catalogueBytes = 0;
  const watching = watchArchive(format, {
    digest,
    onCatalogue: (lines) => {
      catalogueBytes += lines.length;
    },
  });
  pump(watching.push);
  return watching.end().entries + Math.min(0, catalogueBytes);
}

/** Headers only, made on the way: what a reader keeps of each entry would show in its memory. */
function millionEntries(): number {
  const chunk = Buffer.concat(
    Array.from({ length: 1000 }, (_, index) => record({ name: `./some/directory/file-${index}` })),
  );
  const watching = watchArchive('tar', { onCatalogue: () => {} });
  for (let thousand = 0; thousand < 1000; thousand += 1) watching.push(chunk);
  watching.push(Buffer.alloc(1024));
  return watching.end().entries;
}

const input = () => process.stdin;

const jobs: Record<string, () => number | Promise<number>> = {
  nothing: () => 0,
  'million-entries': millionEntries,
  read: () => {
    pump(() => {});
    return 0;
  },
  sha256: () => {
    const hash = createHash('sha256');
    pump((chunk) => hash.update(chunk));
    return hash.digest().length;
  },
  'count-tar': () => count(createTarReader),
  'count-cpio': () => count(createCpioReader),
  'count-backup': () => count(createBackupReader),
  'watch-tar': () => watch('tar', 'stream'),
  'watch-tar-outline': () => watch('tar', 'outline'),
  'watch-cpio-outline': () => watch('cpio', 'outline'),
  'watch-backup': () => watch('backup', 'stream'),
  'tar-stream': async () => {
    const { extract } = await import('tar-stream');
    let entries = 0;
    const reader = extract();
    reader.on('entry', (_header, stream, next) => {
      entries += 1;
      stream.on('end', () => next());
      stream.resume();
    });
    begin();
    await new Promise<void>((resolve, reject) => {
      input()
        .pipe(reader)
        .on('finish', () => resolve())
        .on('error', reject);
    });
    return entries;
  },
  'node-tar': async () => {
    const { list } = await import('tar');
    let entries = 0;
    begin();
    const reader = list({ onReadEntry: () => (entries += 1) });
    await new Promise((resolve, reject) => input().pipe(reader).on('end', resolve).on('error', reject));
    return entries;
  },
  'modern-tar': async () => {
    const { createTarDecoder } = await import('modern-tar');
    let entries = 0;
    begin();
    for await (const entry of Readable.toWeb(input()).pipeThrough(createTarDecoder())) {
      entries += 1;
      for await (const _ of entry.body) {
        // Read to its end, as a count of whole entries has to.
      }
    }
    return entries;
  },
};

let start = performance.now();
let cpu = process.cpuUsage();
/** Forgets the time until now: that of loading another library. */
function begin(): void {
  start = performance.now();
  cpu = process.cpuUsage();
}

const result = await jobs[job]?.();
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(cpu);
const rssMiB = peakMiB();
console.log(JSON.stringify({ job, ms, cpuMs: (user + system) / 1000, result, rssMiB }));
