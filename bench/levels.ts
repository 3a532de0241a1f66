/*
 * How fast software levels are read, audited and collected on this machine: medians of interleaved rounds, and ratios.
 *
 *   node --conditions=@splitmirror/source bench/levels.ts [--nodes 200] [--rows 1500] [--rounds 5] [--live 2,20,200]
 *     [--slowest 20] [--json FILE]
 *
 * The lists are those of the lab's nodes. `--live` names sizes of clusters that are asked over SSH, each node a lab node in
 * this very process; `oslevel` takes one second on each, and `--slowest` seconds on one. All defaults take two minutes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createHost, type Host } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { auditLevels, collectLevels, collectTranscripts, type NodeTranscript } from '@splitmirror/levels';
import { writeSnapshotFile } from '@splitmirror/levels/files';
import { sshHost } from '@splitmirror/ssh';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '200' },
    rows: { type: 'string', default: '1500' },
    rounds: { type: 'string', default: '5' },
    live: { type: 'string', default: '2,20,200' },
    slowest: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});
const [nodes, rows, rounds, slowest] = [values.nodes, values.rows, values.rounds, values.slowest].map(Number) as [
  number,
  number,
  number,
  number,
];
const sizes = values.live.split(',').filter(Boolean).map(Number);

const directory = mkdtempSync(join(tmpdir(), 'splitmirror-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const quiet = { contentBytes: 100_000, phaseMs: 0, ledger: { intervalMs: 5000, gapMs: 0 } };

/** What one large node answers to every question. */
async function answersOfOne(): Promise<NodeTranscript> {
  const lab = await startLab({ ...quiet, software: { db_node1: { rows } } });
  try {
    const [node] = lab.nodes;
    if (node === undefined) throw new Error('a lab without nodes');
    const host = createHost(node.name, lab.transport(node.name), { path: node.path });
    const [transcript] = await collectTranscripts({ hosts: new Map([[node.name, host]]) });
    if (transcript === undefined) throw new Error('no answer');
    await host.close();
    return transcript;
  } finally {
    await lab.close();
  }
}

/** The node over and over; every seventeenth was left behind, and every fiftieth has another libc. */
function* clusterOf(one: NodeTranscript, count: number): Generator<NodeTranscript> {
  for (let place = 0; place < count; place += 1) {
    const change = (text: string) =>
      place % 17 === 3
        ? text.replaceAll('7.2.3.16', '7.2.3.15')
        : place % 50 === 7
          ? text.replaceAll(/(bos\.rte\.libc):7\.2\.3\.\d+/g, '$1:7.2.3.19')
          : text;
    const answers = Object.fromEntries(
      Object.entries(one.answers).map(([probe, answer]) => [
        probe,
        answer.kind === 'ended' ? { ...answer, stdout: change(answer.stdout) } : answer,
      ]),
    );
    yield { ...one, node: `node${String(place).padStart(3, '0')}`, answers };
  }
}

interface Measurement {
  readonly ms: number;
  readonly rssMiB: number;
  readonly bytes?: number;
  readonly findings?: number;
}

const jobFile = join(import.meta.dirname, 'levels-job.ts');

function once(job: string, file = ''): Measurement {
  const args = ['--conditions=@splitmirror/source', '--no-warnings', jobFile, job, file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measurement;
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

let missed = 0;
const results: Record<string, number> = {};
/** Prints a value, beside what it has to reach if there is such a thing. */
function report(name: string, value: number, unit: string, gate?: { least: number } | { most: number }): void {
  results[name] = value;
  const number = value.toFixed(value < 10 ? 2 : 0).padStart(8);
  const line = `${name.padEnd(46)} ${number} ${unit.padEnd(5)}`;
  if (gate === undefined) {
    console.log(`        ${line}`);
    return;
  }
  const [limit, isMissed] =
    'least' in gate ? [`at least ${gate.least}`, value < gate.least] : [`at most ${gate.most}`, value > gate.most];
  if (isMissed) missed += 1;
  console.log(`  ${isMissed ? 'MISSED' : 'ok    '}${line} ${limit}`);
}

const one = await answersOfOne();
const listing = one.answers.listing;
if (listing?.kind !== 'ended') throw new Error('no list');
const listFile = join(directory, 'lslpp-Lc.txt');
writeFileSync(listFile, listing.stdout);
const wholeFile = join(directory, 'whole.ndjson');
writeFileSync(wholeFile, [...writeSnapshotFile(clusterOf(one, nodes))].join(''));
const listsOnly: NodeTranscript = { ...one, answers: { listing, osLevel: one.answers.osLevel ?? listing } };
const listsFile = join(directory, 'lists.ndjson');
writeFileSync(listsFile, [...writeSnapshotFile(clusterOf(listsOnly, nodes))].join(''));

const measured = { parse: [] as Measurement[], lists: [] as Measurement[], whole: [] as Measurement[] };
for (let round = 0; round < rounds; round += 1) {
  measured.parse.push(once('parse', listFile));
  measured.lists.push(once('audit', listsFile));
  measured.whole.push(once('audit', wholeFile));
}
const ms = (of: readonly Measurement[]) => median(of.map((each) => each.ms));
const rss = (of: readonly Measurement[]) => median(of.map((each) => each.rssMiB));
const textMB = (nodes * listing.stdout.length) / 1e6;

console.log(
  `${nodes} nodes of ${listing.stdout.split('\n').length - 2} rows: ${textMB.toFixed(0)} MB of lslpp -Lc; medians of ${rounds}`,
);
report('one list, as if it were the first', (measured.parse[0]?.bytes ?? 0) / ms(measured.parse) / 1000, 'MB/s', {
  least: 100,
});
report('lists of all nodes: read and audit', textMB / (ms(measured.lists) / 1000), 'MB/s', { least: 100 });
report('lists of all nodes: read and audit, time', ms(measured.lists) / 1000, 's', { most: 2 });
report('lists of all nodes: peak memory', rss(measured.lists), 'MiB', { most: 256 });
report('every answer: read and audit, time', ms(measured.whole) / 1000, 's', { most: 2 });
report('every answer: peak memory', rss(measured.whole), 'MiB');
report('Node.js and the modules alone: peak memory', once('idle').rssMiB, 'MiB');

/** A host that tells how long its last script took. */
function timed(host: Host, took: (ms: number) => void): Host {
  return {
    ...host,
    run: async (...call) => {
      const start = performance.now();
      const outcome = await host.run(...call);
      took(performance.now() - start);
      return outcome;
    },
  };
}

function hostsOf(lab: Lab, took: (ms: number) => void): Map<string, Host> {
  return new Map(
    lab.nodes.map(({ name, port, path }) => [
      name,
      timed(
        sshHost(
          name,
          {
            address: '127.0.0.1',
            port,
            user: 'root',
            agent: false,
            identities: [{ file: lab.identityFile }],
            knownHosts: [lab.knownHostsFile],
          },
          { path },
        ),
        took,
      ),
    ]),
  );
}

if (sizes.length > 0) {
  console.log(`\nasked over SSH, one node's oslevel takes ${slowest} s, the others' 1 s`);
  console.log('   nodes    all at once    slowest node    one after the other    all / slowest    all / sum');
}
for (const size of sizes) {
  const names = Array.from({ length: size }, (_, index) => ({ name: `node${index}`, host: `host${index}` }));
  const lab = await startLab({ ...quiet, nodes: names });
  lab.fault({ node: 'node1', program: 'oslevel', does: { kind: 'delays', milliseconds: slowest * 1000 } });
  for (const { name } of names.filter(({ name }) => name !== 'node1')) {
    lab.fault({ node: name, program: 'oslevel', does: { kind: 'delays', milliseconds: 1000 } });
  }
  const each: number[] = [];
  const hosts = hostsOf(lab, (took) => each.push(took / 1000));
  const start = performance.now();
  const snapshot = await collectLevels({ hosts });
  const all = (performance.now() - start) / 1000;
  const grave = auditLevels(snapshot).filter(({ severity }) => severity !== 'info');
  await Promise.all([...hosts.values()].map((host) => host.close()));
  await lab.close();
  if (grave.length > 0) throw new Error(grave[0]?.message);
  const [longest, sum] = [Math.max(...each), each.reduce((total, took) => total + took, 0)];
  const cells: [string, number][] = [
    [all.toFixed(1), 15],
    [longest.toFixed(1), 16],
    [sum.toFixed(0), 23],
    [(all / longest).toFixed(2), 17],
    [(all / sum).toFixed(3), 13],
  ];
  console.log(`${String(size).padStart(8)}${cells.map(([text, width]) => text.padStart(width)).join('')}`);
  Object.assign(results, {
    [`live ${size}: s`]: all,
    [`live ${size}: slowest node, s`]: longest,
    [`live ${size}: sum, s`]: sum,
  });
  if (all > 1.2 * longest) missed += 1;
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
console.log(missed === 0 ? '\nall gates reached' : `\n${missed} gates missed`);
process.exitCode = missed === 0 ? 0 : 1;
