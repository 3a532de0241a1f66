/*
 * How fast archives are read, side by side with others, on this machine.
 *
 *   node --conditions=@splitmirror/source bench/archive.ts [--quick] [MiB, default 1024] [rounds, default 5]
 *
 * `--quick` is 256 MiB and 3 rounds: about two minutes. Everything is fed through a pipe (`cat FILE | ...`), so that
 * nobody seeks over content. Loading modules is not counted. In each round all candidates run one after another; a ratio is
 * the median of the ratios within the rounds, of the time on the processors: others who use the machine disturb it least.
 * That of the clock is printed beside it. The results are also written to bench/archive.json.
 */
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupEnd, backupMember, pack, volumeHeader } from '../packages/archive/test/backup-builder.ts';
import { member } from '../packages/archive/test/cpio-builder.ts';
import { record } from '../packages/archive/test/tar-builder.ts';

const isQuick = process.argv.includes('--quick');
const [mebibytes, wantedRounds] = process.argv.slice(2).filter((word) => word !== '--quick');
const bytes = Number(mebibytes ?? (isQuick ? 256 : 1024)) * 2 ** 20;
const rounds = Number(wantedRounds ?? (isQuick ? 3 : 5));
const directory = mkdtempSync(join(tmpdir(), 'splitmirror-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const noise = randomFillSync(Buffer.alloc(16 << 20));
const small = (index: number) => noise.subarray((index * 4099) % (8 << 20)).subarray(0, (index * 2654435761) % 7000);
/** Eight files, whatever the size of the archive. */
const big = () => Buffer.alloc(bytes / 8, noise);
const nameOf = (index: number) => `./data/app/directory-${index % 997}/file-number-${index}.dat`;

/** How many small files make an archive of this size: about 250,000 in 1 GiB. */
const smallFiles = (() => {
  let count = 0;
  for (let total = 0; total < bytes; count += 1) total += 512 + Math.ceil(small(count).length / 512) * 512;
  return count;
})();

/** Writes so many members, or as many as make the archive large enough. */
function write(
  name: string,
  first: Buffer,
  make: (index: number) => Buffer,
  last: Buffer,
  count = Number.POSITIVE_INFINITY,
): string {
  const path = join(directory, name);
  const file = openSync(path, 'w');
  const put = (piece: Buffer) => {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    return piece.length;
  };
  let written = put(first);
  const most = count === Number.POSITIVE_INFINITY ? bytes : Number.POSITIVE_INFINITY;
  for (let index = 0; written < most && index < count; ) {
    const batch: Buffer[] = [];
    for (let held = 0; held < 1 << 22 && written + held < most && index < count; index += 1)
      held += batch[batch.push(make(index)) - 1]?.length ?? 0;
    written += put(Buffer.concat(batch));
  }
  written += put(last);
  // Every format may be filled up to a block.
  put(Buffer.alloc((512 - (written % 512)) % 512));
  closeSync(file);
  return path;
}

interface Candidate {
  readonly name: string;
  /** The archive that it reads. */
  readonly path: string;
  /** A command of the system, or a job of archive-job.ts. */
  readonly run: readonly string[] | string;
  /** What its speed is told of, when it is not the archive's size. */
  readonly bytes?: number;
}

/** One run: milliseconds on the clock and on the processors. */
interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMiB: number;
}

const jobFile = join(import.meta.dirname, 'archive-job.ts');
const options = { encoding: 'utf8', maxBuffer: 1 << 30 } as const;

/** `undefined` when the program is not there. */
function once({ path, run }: Candidate): Run | undefined {
  if (typeof run !== 'string') {
    const script = 'TIMEFORMAT="%R %U %S"; set -o pipefail; cat "$0" | { time "$@" > /dev/null 2>&1; }';
    const { status, stderr } = spawnSync('bash', ['-c', script, path, ...run], options);
    const [real = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number);
    return status === 0 ? { ms: real * 1000, cpuMs: (user + system) * 1000, rssMiB: 0 } : undefined;
  }
  const node = [process.execPath, ...process.execArgv, '--conditions=@splitmirror/source', '--no-warnings'];
  const { status, stdout } = spawnSync('sh', ['-c', 'cat "$0" | "$@"', path, ...node, jobFile, run], options);
  return status === 0 ? (JSON.parse(stdout) as Run) : undefined;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Gate {
  readonly name: string;
  readonly measured: string;
  readonly clock: string;
  readonly wanted: string;
  readonly holds: boolean;
}

const speeds: { archive: string; reader: string; cpuMBs: number; clockMBs: number; rssMiB: number }[] = [];
const gates: Gate[] = [];

/** Runs all candidates in each round; gives the runs of each, in the order of the rounds. */
function compare(archive: string, candidates: readonly Candidate[]): Map<string, Run[]> {
  const runs = new Map<string, Run[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const candidate of candidates) {
      const run = once(candidate);
      if (run !== undefined) runs.get(candidate.name)?.push(run);
    }
  }
  console.log(`\n| ${archive} | MB/s of one processor | MB/s on the clock | peak memory |\n|---|---|---|---|`);
  for (const { name, path, bytes: told } of candidates) {
    const all = runs.get(name) ?? [];
    const megabytes = (told ?? statSync(path).size) / 1e6;
    const speed = (of: 'cpuMs' | 'ms') => Math.round((megabytes / median(all.map((run) => run[of]))) * 1000);
    const rssMiB = Math.round(median(all.map((run) => run.rssMiB)));
    const [cpuMBs, clockMBs] = [speed('cpuMs'), speed('ms')];
    if (all.length > 0) speeds.push({ archive, reader: name, cpuMBs, clockMBs, rssMiB });
    const memory = rssMiB > 0 ? `${rssMiB} MiB` : '';
    console.log(
      all.length === 0 ? `| ${name} | not installed | | |` : `| ${name} | ${cpuMBs} | ${clockMBs} | ${memory} |`,
    );
  }
  return runs;
}

/** How many times as fast `name` is as `than`, beside what it has to reach. */
function gate(on: string, runs: ReadonlyMap<string, readonly Run[]>, name: string, than: string, wanted: number): void {
  const [mine = [], others = []] = [runs.get(name), runs.get(than)];
  if (mine.length === 0 || others.length === 0) return;
  const ratio = (of: 'cpuMs' | 'ms') => median(mine.map((run, round) => (others[round]?.[of] ?? Number.NaN) / run[of]));
  const measured = ratio('cpuMs');
  gates.push({
    name: `${on}: ${name} / ${than}`,
    measured: measured.toFixed(2),
    clock: ratio('ms').toFixed(2),
    wanted: `at least ${wanted}`,
    holds: measured >= wanted,
  });
}

const nothing = Buffer.alloc(0);
const tarEnd = Buffer.alloc(10_240);
const counting = 'ours, counting';
const hashing = 'ours, files + stream hashed, catalogue';
const outline = 'ours, each byte hashed once, catalogue';
const openssl = 'openssl dgst -sha256';
const tarCandidates = (path: string): Candidate[] => [
  { name: 'tar tf', path, run: ['tar', 'tf', '-'] },
  { name: 'bsdtar tf', path, run: ['bsdtar', 'tf', '-'] },
  { name: 'tar-stream, counting', path, run: 'tar-stream' },
  { name: 'tar, counting', path, run: 'node-tar' },
  { name: 'modern-tar, counting', path, run: 'modern-tar' },
  { name: counting, path, run: 'count-tar' },
  { name: openssl, path, run: ['openssl', 'dgst', '-sha256'] },
  { name: outline, path, run: 'watch-tar-outline' },
  { name: hashing, path, run: 'watch-tar' },
];

const smallTar = write(
  'small.tar',
  nothing,
  (index) => record({ name: nameOf(index), body: small(index) }),
  tarEnd,
  smallFiles,
);
const smallBackup = write(
  'small.bff',
  volumeHeader(),
  (index) => backupMember({ name: nameOf(index), body: small(index) }),
  backupEnd,
  smallFiles,
);
const onSmall = compare('many small files, tar', [
  ...tarCandidates(smallTar),
  { name: 'ours, counting backup -i', path: smallBackup, run: 'count-backup' },
]);
gate('small', onSmall, counting, 'tar-stream, counting', 1.8);
gate('small', onSmall, counting, 'tar tf', 0.9);
gate('small', onSmall, outline, openssl, 0.6);
gate('the same small files', onSmall, 'ours, counting backup -i', counting, 0.8);
for (const path of [smallTar, smallBackup]) rmSync(path);

const bigBody = big();
const bigTar = write('big.tar', nothing, (index) => record({ name: nameOf(index), body: bigBody }), tarEnd);
const onBig = compare('8 large files, tar', tarCandidates(bigTar));
gate('large', onBig, counting, 'tar tf', 0.9);
gate('large', onBig, outline, openssl, 0.85);
rmSync(bigTar);

const cpio = (form: 'odc' | 'newc') =>
  write(
    `small.${form}`,
    nothing,
    (index) => member(form, { name: nameOf(index), body: small(index) }),
    member(form, { name: 'TRAILER!!!', mode: 0 }),
    smallFiles,
  );
const odc = cpio('odc');
compare('many small files, cpio odc', [
  { name: 'cpio -it', path: odc, run: ['cpio', '-it', '--quiet'] },
  { name: 'bsdtar tf', path: odc, run: ['bsdtar', 'tf', '-'] },
  { name: counting, path: odc, run: 'count-cpio' },
  { name: outline, path: odc, run: 'watch-cpio-outline' },
]);
rmSync(odc);

const text = Buffer.from(
  Array.from({ length: 40_000 }, (_, index) => `record ${index * 7919} of the journal\n`).join(''),
);
const packed = pack(text);
const packedMember = (index: number) => backupMember({ name: nameOf(index), packed, size: text.length });
const packedFile = write('packed.bff', volumeHeader(), packedMember, backupEnd);
const unpackedBytes = Math.ceil(bytes / packedMember(0).length) * text.length;
const onPacked = compare('packed members of backup -i -p, by what comes out', [
  { name: counting, path: packedFile, run: 'count-backup', bytes: unpackedBytes },
]);
const unpacking = (of: 'cpuMs' | 'ms') =>
  unpackedBytes / 1000 / median((onPacked.get(counting) ?? []).map((run) => run[of]));
gates.push({
  name: 'packed members, MB/s of output',
  measured: unpacking('cpuMs').toFixed(0),
  clock: unpacking('ms').toFixed(0),
  wanted: 'at least 150',
  holds: unpacking('cpuMs') >= 150,
});
rmSync(packedFile);

const memory = (run: string) =>
  median(Array.from({ length: rounds }, () => once({ name: run, path: '/dev/null', run })?.rssMiB ?? 0));
const idle = memory('nothing');
const peaks = [
  memory('million-entries'),
  ...speeds.filter(({ reader }) => reader.startsWith('ours')).map((s) => s.rssMiB),
];
const peak = Math.max(...peaks) - idle;
gates.push({
  name: "memory above Node's own, MiB: a million entries, and all of the above",
  measured: peak.toFixed(0),
  clock: '',
  wanted: 'at most 64',
  holds: peak <= 64,
});

console.log('\n| gate | measured | by the clock | wanted | |\n|---|---|---|---|---|');
for (const { name, measured, clock, wanted, holds } of gates) {
  console.log(`| ${name} | ${measured} | ${clock} | ${wanted} | ${holds ? 'ok' : 'BELOW'} |`);
}
const [cpu] = cpus();
const machine = `${cpus().length} x ${cpu?.model.trim()}, shared; Node.js ${process.version}; ${bytes / 2 ** 20} MiB an archive, medians of ${rounds} rounds`;
console.log(`\n${machine}`);
writeFileSync(
  join(import.meta.dirname, 'archive.json'),
  `${JSON.stringify({ machine, at: new Date().toISOString(), speeds, gates }, null, 2)}\n`,
);
if (gates.some(({ holds }) => !holds)) process.exitCode = 1;
