import { expect, it } from 'vitest';
import { readSnapshotFile, writeSnapshotFile } from '../src/files.ts';
import { auditLevels, type NodeTranscript } from '../src/index.ts';
import { listing, node, printed } from './nodes.ts';

const nodeCount = 200;
const filesetCount = 1_500;

/** A large cluster in which every seventeenth node was left behind in ten filesets, and one has a fileset of its own. */
function* cluster(): Generator<NodeTranscript> {
  for (let place = 0; place < nodeCount; place += 1) {
    const level = place % 17 === 3 ? '7.2.5.100' : '7.2.5.101';
    const levels = Array.from({ length: filesetCount }, (_, index): [string, string] => [
      `family${index % 40}.product.part${index}`,
      index < 10 ? level : '7.2.5.0',
    ]);
    const own: [string, string][] = place === 42 ? [['cluster.es.server.rte', '7.2.0.4']] : [];
    const name = `node${String(place).padStart(3, '0')}`;
    yield node(name, {}, { listing: printed(listing(Object.fromEntries([...levels, ...own]))) });
  }
}

it('reads and audits 200 nodes of 1,500 filesets in one go', async () => {
  const lines = [...writeSnapshotFile(cluster())];
  const started = process.cpuUsage();
  const findings = auditLevels(await readSnapshotFile(lines));
  // No measurement: the limit only catches what grows with the square of the nodes.
  expect(process.cpuUsage(started).user).toBeLessThan(30e6);
  expect(findings.map(({ rule, nodes, subjects }) => [rule, nodes.length, subjects.length])).toEqual([
    ['HA-MISSING', 1, 1],
    ['FS-OTHER', 12, 10],
  ]);
});
