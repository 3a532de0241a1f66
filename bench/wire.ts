/*
 * How fast a backup comes over the wire, side by side with what an operator would type, on this machine.
 *
 *   npx node bench/wire.ts [--quick] [MiB, default 1024] [rounds, default 5]
 *
 * `--quick` is 256 MiB and 3 rounds. Needs OpenSSH's server and client; zstd and restic are left out where they are not
 * installed. The server runs on loopback, for one part behind a relay of ours: 50 ms round trip, 1 Gbit/s for all
 * connections together, 4 MiB under way in each at most. Our side counts from the first byte of the connection to the
 * fsynced file under its final name, with hash and catalogue; loading Node.js and its modules is not counted. The rivals
 * count as typed, with their login and without fsync. In each round all candidates run one after another, and what each
 * has written is removed before the next one: memory that a virtual machine has never touched is ten times as slow to
 * write, and whoever comes last would pay for it. A ratio is the median of the ratios within the rounds. Server and
 * client share the processors, so a rival's server costs it, too. The results are also written to bench/wire.json.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DigestKind } from '@splitmirror/archive';
import { record } from '../packages/archive/test/tar-builder.ts';
import { startSshd } from '../packages/ssh/test/sshd.ts';
import type { Job, SurveyNode } from './wire-job.ts';

const isQuick = process.argv.includes('--quick');
const [mebibytes, wantedRounds] = process.argv.slice(2).filter((word) => word !== '--quick');
const size = Number(mebibytes ?? (isQuick ? 256 : 1024)) * 2 ** 20;
const rounds = Number(wantedRounds ?? (isQuick ? 3 : 5));
const roundTripMs = 50;
/** A part of the whole, since the long link is slow. */
const farSize = size / 4;
const directory = mkdtempSync(join(tmpdir(), 'splitmirror-wire-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of children) child.kill();
  rmSync(directory, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

/** A tar of a few large files that nothing compresses. */
function writeTar(name: string, bytes: number): string {
  const path = join(directory, name);
  const file = openSync(path, 'w');
  const body = randomFillSync(Buffer.alloc(Math.floor(bytes / 8)));
  const put = (piece: Buffer) => {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
  };
  for (let index = 0; index < 8; index += 1) put(record({ name: `data/file-${index}`, body }));
  put(Buffer.alloc(10_240));
  closeSync(file);
  return path;
}

const node = (job: Job) => [
  '--conditions=@splitmirror/source',
  '--no-warnings',
  join(import.meta.dirname, 'wire-job.ts'),
  JSON.stringify(job),
];

/** One run: milliseconds on the clock and on the client's processors. */
interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  readonly rssMiB?: number;
  readonly slowestMs?: number;
}

function runJob(job: Job): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, node(job), { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Run;
}

/** A job that stands by; what it has told first. */
async function standBy(job: Job): Promise<unknown> {
  const child = spawn(process.execPath, node(job), { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  let told = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    told += piece;
    if (told.endsWith('\n')) break;
  }
  return JSON.parse(told);
}

/** `undefined` when the line failed. */
function runLine(line: string): Run | undefined {
  const script = 'TIMEFORMAT="%R %U %S"; set -o pipefail; time { eval "$0" > /dev/null 2>&1; }';
  const { status, stderr } = spawnSync('bash', ['-c', script, line], { encoding: 'utf8' });
  const [real = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number);
  return status === 0 ? { ms: real * 1000, cpuMs: (user + system) * 1000 } : undefined;
}

interface Candidate {
  readonly name: string;
  run(): Run | undefined;
  /** Removes what a run has left, on nobody's time. */
  tidy?(): void;
}

/** A name in a table of Markdown. */
const cell = (name: string) => name.replaceAll('|', '\\|');

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Gate {
  readonly name: string;
  readonly measured: string;
  /** The same by the time on the client's processors, which others who use the machine disturb less. */
  readonly cpu: string;
  readonly wanted: string;
  readonly holds: boolean;
}

const gates: Gate[] = [];
const rows: { part: string; name: string; ms: number; cpuMs: number; MBs: number | null; rssMiB: number | null }[] = [];

/** Runs all candidates in each round; gives the runs of each, in the order of the rounds. */
function compare(part: string, bytes: number | null, candidates: readonly Candidate[]): Map<string, Run[]> {
  const runs = new Map<string, Run[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run, tidy } of candidates) {
      const done = run();
      if (done !== undefined) runs.get(name)?.push(done);
      tidy?.();
    }
  }
  console.log(
    `\n| ${part} | ${bytes === null ? 'ms' : 'MB/s'} | CPU ${bytes === null ? 'ms' : 's/GiB'} |\n|---|---|---|`,
  );
  for (const { name } of candidates) {
    const all = runs.get(name) ?? [];
    if (all.length === 0) {
      console.log(`| ${cell(name)} | not installed | |`);
      continue;
    }
    const [ms, cpuMs] = [median(all.map((run) => run.ms)), median(all.map((run) => run.cpuMs))];
    const MBs = bytes === null ? null : Math.round((bytes / 1000 / ms) * 10) / 10;
    const rss = all.flatMap((run) => run.rssMiB ?? []);
    rows.push({ part, name, ms, cpuMs, MBs, rssMiB: rss.length === 0 ? null : Math.max(...rss) });
    const cpu = bytes === null ? cpuMs.toFixed(0) : ((cpuMs / 1000 / bytes) * 2 ** 30).toFixed(2);
    console.log(`| ${cell(name)} | ${MBs ?? ms.toFixed(0)} | ${cpu} |`);
  }
  return runs;
}

function check(
  name: string,
  value: number,
  limit: { readonly least: number } | { readonly most: number },
  cpu?: number,
): void {
  const [wanted, holds] =
    'least' in limit
      ? [`at least ${limit.least}`, value >= limit.least]
      : [`at most ${limit.most}`, value <= limit.most];
  gates.push({ name, measured: value.toFixed(value < 0.1 ? 3 : 2), cpu: cpu?.toFixed(2) ?? '', wanted, holds });
}

/** How many times as fast `mine` is as `other`. */
function ratio(
  runs: ReadonlyMap<string, readonly Run[]>,
  mine: string,
  other: string,
  of: 'ms' | 'cpuMs' = 'ms',
): number {
  const others = runs.get(other) ?? [];
  return median((runs.get(mine) ?? []).map((run, round) => (others[round]?.[of] ?? Number.NaN) / run[of]));
}

const sshd = await startSshd(['MaxSessions 100', 'MaxStartups 100']);
const { direct } = sshd;
const [identity] = direct.identities ?? [];
const [knownHosts = ''] = direct.knownHosts ?? [];
if (identity === undefined || !('key' in identity)) throw new Error('the test server has a key');
const keyFile = join(directory, 'key');
writeFileSync(keyFile, identity.key, { mode: 0o600 });
const link = { delayMs: roundTripMs / 2, bytesPerSecond: 125e6, bufferBytes: 4 << 20 };
const { port: farPort } = (await standBy({ job: 'relay', target: direct.port ?? 22, link })) as { port: number };
const [, ...key] = (readFileSync(knownHosts, 'utf8').split('\n')[0] ?? '').split(' ');
appendFileSync(knownHosts, `[127.0.0.1]:${farPort} ${key.join(' ')}\n`);
const options = { ...direct, knownHosts: [knownHosts] };
const farOptions = { ...options, port: farPort };
const gcm = '-c aes128-gcm@openssh.com';
const sshTo = (port: number | undefined, more = '') =>
  `ssh -F none -i ${keyFile} -o IdentitiesOnly=yes -o UserKnownHostsFile=${knownHosts} -p ${port} ${more} ${direct.user}@127.0.0.1`;
const near = (more = '') => sshTo(direct.port, more);
const far = (more = '') => sshTo(farPort, more);
const out = join(directory, 'out');
const backupOf =
  (to: typeof options, files: readonly string[], digest: DigestKind = 'outline') =>
  () =>
    runJob({ job: 'backup', options: to, files, directory: join(directory, 'store'), digest });
const line = (name: string, text: string): Candidate => ({
  name,
  run: () => runLine(text),
  tidy: () => rmSync(out, { force: true }),
});

const ours = 'splitmirror: hash, catalogue, fsync';
/** What `@splitmirror/backup` does: a plain `sha256sum` checks the archive, and its files have digests, too. */
const twice = 'splitmirror: the same, archive and files hashed';
const oneLiner = 'ssh | tee file | openssl dgst -sha256';
const bare = 'ssh -c aes128-gcm > file';
/** Writes nothing: what a hash alone costs whoever has it beside ssh. */
const hashOnly = 'ssh -c aes128-gcm | openssl dgst -sha256, no file';
const big = writeTar('big.tar', size);
const repository = join(directory, 'restic');
const restic = `restic -q -r ${repository} --no-cache`;
process.env.RESTIC_PASSWORD = 'bench';
/** An empty one for each run: restic saves nothing twice. */
function renewRepository(): void {
  rmSync(repository, { recursive: true, force: true });
  runLine(`${restic} init`);
}
renewRepository();
const onNear = compare('large files on loopback', size, [
  line(bare, `${near(gcm)} cat ${big} > ${out}`),
  line('ssh -c aes128-gcm > file; sync file', `${near(gcm)} cat ${big} > ${out} && sync ${out}`),
  line(oneLiner, `${near()} cat ${big} | tee ${out} | openssl dgst -sha256`),
  line('the same with aes128-gcm', `${near(gcm)} cat ${big} | tee ${out} | openssl dgst -sha256`),
  line(hashOnly, `${near(gcm)} cat ${big} | openssl dgst -sha256`),
  line('ssh | zstd > file', `${near()} cat ${big} | zstd -q > ${out}`),
  {
    name: 'ssh | restic backup --stdin',
    run: () => runLine(`${near()} cat ${big} | ${restic} backup --stdin`),
    tidy: renewRepository,
  },
  { name: ours, run: backupOf(options, [big]) },
  { name: twice, run: backupOf(options, [big], 'stream') },
]);
rmSync(repository, { recursive: true, force: true });
const cpu = (other: string) => ratio(onNear, ours, other, 'cpuMs');
check(`large files: ours / ${oneLiner}`, ratio(onNear, ours, oneLiner), { least: 1.5 }, cpu(oneLiner));
check(`the same, without ssh2's native add-on`, ratio(onNear, ours, oneLiner), { least: 1.2 }, cpu(oneLiner));
const cpuTwice = ratio(onNear, twice, oneLiner, 'cpuMs');
check(`the same, archive and files hashed`, ratio(onNear, twice, oneLiner), { least: 1.2 }, cpuTwice);
check(`large files: ours / ${bare}`, ratio(onNear, ours, bare), { least: 0.8 }, cpu(bare));

const small = Array.from({ length: 4 }, (_, index) => writeTar(`far-${index}.tar`, farSize));
const [first = ''] = small;
const four = 'splitmirror, four file systems side by side';
const onFar = compare(`${roundTripMs} ms round trip, 1 Gbit/s`, farSize, [
  line(oneLiner, `${far()} cat ${first} | tee ${out} | openssl dgst -sha256`),
  line(bare, `${far(gcm)} cat ${first} > ${out}`),
  { name: ours, run: backupOf(farOptions, [first]) },
  {
    name: four,
    run() {
      const { ms, ...run } = backupOf(farOptions, small)();
      // As if each took its part of the time.
      return { ...run, ms: ms / small.length, cpuMs: run.cpuMs / small.length };
    },
  },
]);
check(`one stream at ${roundTripMs} ms: ours / ${oneLiner}`, ratio(onFar, ours, oneLiner), { least: 1.25 });
check(`four file systems at ${roundTripMs} ms: ours / one OpenSSH stream`, ratio(onFar, four, bare), { least: 3 });

compare('connect and first answer, loopback', null, [
  line('ssh echo hi', `${near()} echo hi`),
  { name: 'splitmirror', run: () => runJob({ job: 'answer', options }) },
]);
compare(`connect and first answer, ${roundTripMs} ms`, null, [
  line('ssh echo hi', `${far()} echo hi`),
  { name: 'splitmirror', run: () => runJob({ job: 'answer', options: farOptions }) },
]);

/** What each command of the split does here: it writes down when it ran. */
const stamps = join(directory, 'stamps');
const mark = (name: string) => `echo ${name} $(date +%s%N) >> ${stamps}`;
const volumes = Array.from({ length: 8 }, (_, index) => index);
const commands = [
  mark('quiesce'),
  ...volumes.map(() => mark('freeze')),
  ...volumes.map(() => mark('split')),
  ...volumes.map(() => mark('thaw')),
  mark('resume'),
];
/** Milliseconds from the first freeze to the last thaw, by the node's own clock. */
function frozen(): number {
  const seen = readFileSync(stamps, 'utf8').trim().split('\n');
  rmSync(stamps);
  const at = (found: string | undefined) => Number(found?.split(' ')[1]) / 1e6;
  return at(seen.findLast((each) => each.startsWith('thaw'))) - at(seen.find((each) => each.startsWith('freeze')));
}
const control = `-o ControlMaster=auto -o ControlPersist=60 -o ControlPath=${join(directory, 'control')}`;
const kept = 'one by one over a kept OpenSSH connection';
const script = 'splitmirror, one script';
runLine(`${far(control)} true`);
const onSplit = compare(`quiesce, freeze, split, thaw, resume of 8 volumes at ${roundTripMs} ms: time frozen`, null, [
  {
    name: kept,
    run() {
      for (const command of commands) runLine(`${far(control)} '${command}'`);
      return { ms: frozen(), cpuMs: 0 };
    },
  },
  {
    name: script,
    run() {
      const { cpuMs } = runJob({ job: 'freeze', options: farOptions, commands });
      return { ms: frozen(), cpuMs };
    },
  },
]);
runLine(`${far(control)} -O exit`);
check(`time frozen: ${script} / ${kept}`, 1 / ratio(onSplit, script, kept), { most: 1 / 8 });

const slowestMs = 5000;
const lab = (await standBy({ job: 'lab', nodes: 200, slowestMs, othersMs: 1000 })) as { nodes: SurveyNode[] };
const survey = runJob({ job: 'survey', nodes: lab.nodes });
const alone = runJob({ job: 'survey', nodes: lab.nodes.filter(({ name }) => name === 'node1') });
console.log(`\n200 lab nodes: ${survey.ms.toFixed(0)} ms; the slowest of them alone: ${alone.ms.toFixed(0)} ms`);
rows.push({ part: 'survey', name: '200 lab nodes', MBs: null, rssMiB: survey.rssMiB ?? null, ...survey });
check('survey of 200 lab nodes / slowest single node', survey.ms / alone.ms, { most: 3 });

const idle = median(Array.from({ length: rounds }, () => runJob({ job: 'nothing' }).rssMiB ?? Number.NaN));
const peak = Math.max(...rows.filter(({ name }) => name === ours || name === four).map(({ rssMiB }) => rssMiB ?? 0));
console.log(`\npeak memory: ${peak.toFixed(0)} MiB; Node.js and the modules alone: ${idle.toFixed(0)} MiB`);
check("peak memory of a whole backup above Node's own, MiB", peak - idle, { most: 96 });

console.log('\n| what | measured | by CPU | wanted | |\n|---|---|---|---|---|');
for (const { name, measured, cpu, wanted, holds } of gates) {
  console.log(`| ${cell(name)} | ${measured} | ${cpu} | ${wanted} | ${holds ? 'ok' : 'MISSED'} |`);
}
const [processor] = cpus();
const openssh = spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim();
const load = loadavg()
  .map((each) => each.toFixed(1))
  .join(' ');
const machine = `${cpus().length} x ${processor?.model.trim()}, load average ${load}; Node.js ${process.version}; ${openssh}; ${size / 2 ** 20} MiB, medians of ${rounds} rounds`;
console.log(`\n${machine}`);
writeFileSync(
  join(import.meta.dirname, 'wire.json'),
  `${JSON.stringify({ machine, at: new Date().toISOString(), rows, gates }, null, 2)}\n`,
);
await sshd.stop();
process.exit(gates.every(({ holds }) => holds) ? 0 : 1);
