import { createHost } from '@splitmirror/host';
import { type Lab, type SoftwareOverrides, startLab } from '@splitmirror/lab';
import { afterEach, expect, it } from 'vitest';
import { auditLevels, collectLevels, type Snapshot } from '../src/index.ts';

let lab: Lab | undefined;
afterEach(() => lab?.close());

async function collect(software: Readonly<Record<string, SoftwareOverrides>>): Promise<Snapshot> {
  lab = await startLab({ contentBytes: 100_000, phaseMs: 5, software });
  const running = lab;
  const hosts = new Map(
    running.nodes.map(({ name, path }) => [name, createHost(name, running.transport(name), { path })]),
  );
  return collectLevels({ hosts });
}

/** Commands that the lab's nodes do not have: the audit says so, and goes on. */
const lacking = ['kernel', 'firmware'];
const graver = (snapshot: Snapshot) =>
  auditLevels(snapshot)
    .filter(({ severity, rule }) => severity !== 'info' && rule !== 'NODE-UNREAD')
    .map(({ rule, nodes, subjects }) => [rule, nodes.join(' '), ...subjects.map(({ name }) => name)]);

it('understands everything that the nodes of the lab answer', async () => {
  const snapshot = await collect({});
  const unread = snapshot.nodes.flatMap(({ readings }) =>
    Object.entries(readings).flatMap(([name, { kind }]) => (kind === 'not-assessed' ? [name] : [])),
  );
  expect(unread.filter((name) => !lacking.includes(name))).toEqual([]);
  expect(graver(snapshot)).toEqual([]);
});

it('finds what differs between them', async () => {
  const snapshot = await collect({
    db_node2: {
      halevel: '7.2.2 GA',
      level: '7200-02-02-1810',
      filesets: { 'cluster.es.server.rte': '7.2.2.0', 'cluster.es.cspoc.rte': null },
      fixes: [{ label: 'IJ41234s2a', abstract: 'IJ41234 CAA merge', installed: '03/14/22 09:02:11' }],
    },
  });
  expect(graver(snapshot)).toMatchInlineSnapshot();
});
