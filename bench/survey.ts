/*
 * What asking many nodes costs besides their own time: medians of the rounds, against the slowest single node.
 *
 *   node --conditions=@splitmirror/source bench/survey.ts [--nodes 2,10,100] [--rtt 50] [--slowest 200] [--rounds 5] [--json FILE]
 *
 * Nodes answer in this very process: each after one round trip, and the last one only after `--slowest` milliseconds more.
 * What is left of the time is ours: building scripts, reading answers and weighing them. Every node tells about all nodes.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { haCluster, survey } from '@splitmirror/hacmp';
import type { Host, ScriptOutcome } from '@splitmirror/host';
import { group, healthyWorld, hostsOf } from '../packages/hacmp/test/world.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '2,10,100' },
    rtt: { type: 'string', default: '50' },
    slowest: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const [rtt, slowest, rounds] = [values.rtt, values.slowest, values.rounds].map(Number) as [number, number, number];

/** A cluster whose answers lie ready: only the way and the node's own time are waited for. */
function clusterOf(size: number): ReadonlyMap<string, Host> {
  const names = Array.from({ length: size }, (_, index) => `node${String(index).padStart(3, '0')}`);
  const last = names.at(-1);
  return new Map(
    Array.from(hostsOf(healthyWorld(names)), ([name, host]): [string, Host] => {
      const ready = new Map<number, ScriptOutcome>();
      return [
        name,
        {
          ...host,
          async run(script) {
            const outcome = ready.get(script.steps.length) ?? (await host.run(script));
            ready.set(script.steps.length, outcome);
            await wait(rtt + (name === last ? slowest : 0));
            return outcome;
          },
        },
      ];
    }),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const results = [];
for (const size of values.nodes.split(',').map(Number)) {
  const hosts = clusterOf(size);
  const alone = new Map([...hosts].slice(-1));
  const cluster = haCluster({ hosts, now: () => new Date() });
  const standing = await cluster.locate(group);
  if (standing.kind !== 'held') throw new Error(`expected a holder among ${size} nodes, got ${standing.kind}`);
  const times = { slowest: [] as number[], survey: [] as number[], locate: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.slowest.push(await timed(() => survey(alone)));
    times.survey.push(await timed(() => survey(hosts)));
    times.locate.push(await timed(() => cluster.locate(group)));
  }
  const result = {
    nodes: size,
    slowestMs: Math.round(median(times.slowest)),
    surveyMs: Math.round(median(times.survey)),
    locateMs: Math.round(median(times.locate)),
    ratio: Number((median(times.survey) / median(times.slowest)).toFixed(2)),
  };
  results.push(result);
  console.log(
    `${size} nodes: survey ${result.surveyMs} ms, the slowest node alone ${result.slowestMs} ms (ratio ${result.ratio}); verdict of two rounds ${result.locateMs} ms`,
  );
}
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ rttMs: rtt, slowestMs: slowest, results }, null, 2)}\n`);
