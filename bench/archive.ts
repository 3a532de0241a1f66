/*
 * How fast archives are read, side by side with others, on this machine: medians of interleaved rounds, and ratios.
 *
 *   node --conditions=@splitmirror/source bench/archive.ts [MiB, default 1024] [rounds, default 5]
 *
 * Everything is fed through a pipe (`cat FILE | ...`), so that nobody seeks over content. Loading modules is not counted;
 * tar-stream, tar and modern-tar are development dependencies of the repository root.
 */
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupEnd, backupMember, pack, volumeHeader } from '../packages/archive/test/backup-builder.ts';
import { member } from '../packages/archive/test/cpio-builder.ts';
import { record } from '../packages/archive/test/tar-builder.ts';

const bytes = Number(process.argv[2] ?? 1024) * 2 ** 20;
const rounds = Number(process.argv[3] ?? 5);
const directory = mkdtempSync(join(tmpdir(), 'splitmirror-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const noise = randomFillSync(Buffer.alloc(16 << 20));
const small = (index: number) => noise.subarray((index * 4099) % (8 << 20)).subarray(0, (index * 2654435761) % 7000);
/** Eight files, whatever the size of the archive. */
const big = () => Buffer.alloc(bytes / 8, noise);
const nameOf = (index: number) => `./data/app/directory-${index % 997}/file-number-${index}.dat`;

/** Writes members until the archive is large enough. */
function write(name: string, first: Buffer, make: (index: number) => Buffer, last: Buffer): string {
  const path = join(directory, name);
  const file = openSync(path, 'w');
  const put = (piece: Buffer) => {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    return piece.length;
  };
  let written = put(first);
  for (let index = 0; written < bytes; ) {
    const batch: Buffer[] = [];
    for (let held = 0; held < 1 << 22 && written + held < bytes; index += 1)
      held += batch[batch.push(make(index)) - 1]?.length ?? 0;
    written += put(Buffer.concat(batch));
  }
  written += put(last);
  // Every format may be filled up to a block.
  put(Buffer.alloc((512 - (written % 512)) % 512));
  closeSync(file);
  return path;
}

const nothing = Buffer.alloc(0);
const tarEnd = Buffer.alloc(10_240);
const packedText = Buffer.from(
  Array.from({ length: 40_000 }, (_, index) => `record ${index * 7919} of the journal\n`).join(''),
);
const packedMember = (() => {
  const packed = pack(packedText);
  return (index: number) => backupMember({ name: nameOf(index), packed, size: packedText.length });
})();

interface Candidate {
  readonly name: string;
  /** A command of the system, or a job of archive-job.ts. */
  readonly run: readonly string[] | string;
}

interface Result {
  readonly name: string;
  readonly ms: number;
}

const jobFile = join(import.meta.dirname, 'archive-job.ts');
const here = process.execPath;

/** Milliseconds and peak memory of one run, `undefined` when the program is not there. */
function once(path: string, { run }: Candidate): { ms: number; rssMiB: number } | undefined {
  const options = { encoding: 'utf8', maxBuffer: 1 << 30 } as const;
  if (typeof run !== 'string') {
    const start = performance.now();
    const { status } = spawnSync('sh', ['-c', 'cat "$0" | "$@" > /dev/null', path, ...run], options);
    return status === 0 ? { ms: performance.now() - start, rssMiB: 0 } : undefined;
  }
  const line = 'cat "$0" | "$@"';
  const args = [here, ...process.execArgv, '--conditions=@splitmirror/source', '--no-warnings', jobFile, run];
  const { status, stdout } = spawnSync('sh', ['-c', line, path, ...args], options);
  return status === 0 ? (JSON.parse(stdout) as { ms: number; rssMiB: number }) : undefined;
}

/** Medians of all candidates over one archive, printed as MB/s with the ratio to the first. */
function compare(
  title: string,
  path: string,
  candidates: readonly Candidate[],
  outputBytes = statSync(path).size,
): Result[] {
  const times = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const candidate of candidates) {
      const result = once(path, candidate);
      if (result !== undefined) times.get(candidate.name)?.push(result.ms);
    }
  }
  console.log(`\n${title} (${(statSync(path).size / 1e6).toFixed(0)} MB)`);
  const results: Result[] = [];
  for (const [name, all] of times) {
    const ms = all.sort((a, b) => a - b)[all.length >> 1];
    if (ms === undefined) console.log(`  ${name.padEnd(44)} not installed`);
    else {
      results.push({ name, ms });
      console.log(`  ${name.padEnd(44)} ${(outputBytes / ms / 1000).toFixed(0).padStart(6)} MB/s`);
    }
  }
  return results;
}

let missed = 0;
/** Prints by how much `name` is faster than `than`, beside what it has to reach. */
function gate(results: readonly Result[], name: string, than: string, atLeast: number): void {
  const [mine, other] = [name, than].map((wanted) => results.find((result) => result.name === wanted)?.ms);
  if (mine === undefined || other === undefined) return;
  const ratio = other / mine;
  if (ratio < atLeast) missed += 1;
  console.log(
    `    ${ratio < atLeast ? 'BELOW' : 'ok   '} ${name} / ${than} = ${ratio.toFixed(2)}, at least ${atLeast}`,
  );
}

const tarCandidates: Candidate[] = [
  { name: 'tar tf', run: ['tar', 'tf', '-'] },
  { name: 'bsdtar tf', run: ['bsdtar', 'tf', '-'] },
  { name: 'tar-stream, counting', run: 'tar-stream' },
  { name: 'tar, counting', run: 'node-tar' },
  { name: 'modern-tar, counting', run: 'modern-tar' },
  { name: 'ours, counting', run: 'count-tar' },
  { name: 'openssl dgst -sha256', run: ['openssl', 'dgst', '-sha256'] },
  { name: 'ours, files + stream hashed, catalogue', run: 'watch-tar' },
  { name: 'ours, each byte hashed once, catalogue', run: 'watch-tar-outline' },
];

const smallTar = write('small.tar', nothing, (index) => record({ name: nameOf(index), body: small(index) }), tarEnd);
const onSmall = compare('tar of many small files', smallTar, tarCandidates);
gate(onSmall, 'ours, counting', 'tar-stream, counting', 1.8);
gate(onSmall, 'ours, counting', 'tar tf', 0.9);
gate(onSmall, 'ours, each byte hashed once, catalogue', 'openssl dgst -sha256', 0.6);

const backupFile = write(
  'small.bff',
  volumeHeader(),
  (index) => backupMember({ name: nameOf(index), body: small(index) }),
  backupEnd,
);
const onBackup = [
  ...compare('the same files in other formats: tar', smallTar, [{ name: 'ours, tar', run: 'count-tar' }]),
  ...compare('backup -i', backupFile, [{ name: 'ours, backup', run: 'count-backup' }]),
];
gate(onBackup, 'ours, backup', 'ours, tar', 0.8);
rmSync(smallTar);
rmSync(backupFile);

const cpioEnd = member('newc', { name: 'TRAILER!!!', mode: 0 });
const cpioFile = write(
  'small.cpio',
  nothing,
  (index) => member('newc', { name: nameOf(index), body: small(index) }),
  cpioEnd,
);
compare('cpio (newc) of many small files', cpioFile, [
  { name: 'cpio -it', run: ['cpio', '-it', '--quiet'] },
  { name: 'bsdtar tf', run: ['bsdtar', 'tf', '-'] },
  { name: 'ours, counting', run: 'count-cpio' },
]);
rmSync(cpioFile);

const bigBody = big();
const bigTar = write('big.tar', nothing, (index) => record({ name: nameOf(index), body: bigBody }), tarEnd);
const onBig = compare('tar of 8 large files', bigTar, tarCandidates);
gate(onBig, 'ours, counting', 'tar tf', 0.9);
gate(onBig, 'ours, each byte hashed once, catalogue', 'openssl dgst -sha256', 0.85);
rmSync(bigTar);

const packedFile = write('packed.bff', volumeHeader(), packedMember, backupEnd);
const unpackedBytes = Math.ceil(bytes / packedMember(0).length) * packedText.length;
const [unpacked] = compare(
  'backup -i -p: packed members, by what comes out',
  packedFile,
  [{ name: 'ours, counting', run: 'count-backup' }],
  unpackedBytes,
);
if (unpacked !== undefined) {
  const speed = unpackedBytes / unpacked.ms / 1000;
  if (speed < 150) missed += 1;
  console.log(`    ${speed < 150 ? 'BELOW' : 'ok   '} ${speed.toFixed(0)} MB/s of output, at least 150`);
}

const idle = once('/dev/null', { name: '', run: 'nothing' })?.rssMiB ?? 0;
const peak = once('/dev/null', { name: '', run: 'million-entries' })?.rssMiB ?? 0;
if (peak - idle > 64) missed += 1;
console.log(`\nmemory for a million entries: ${(peak - idle).toFixed(0)} MiB above Node's own, at most 64`);
console.log(missed === 0 ? '\nall gates reached' : `\n${missed} gates missed`);
