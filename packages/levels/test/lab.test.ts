import { createHost } from '@splitmirror/host';
import { type Fault, type Lab, type SoftwareOverrides, startLab } from '@splitmirror/lab';
import { afterEach, expect, it } from 'vitest';
import { auditLevels, collectLevels, gate, type Snapshot } from '../src/index.ts';

let lab: Lab | undefined;
afterEach(() => lab?.close());

async function collect(software: Readonly<Record<string, SoftwareOverrides>>, fault?: Fault): Promise<Snapshot> {
  lab = await startLab({ contentBytes: 100_000, phaseMs: 5, software });
  const running = lab;
  if (fault !== undefined) running.fault(fault);
  const hosts = new Map(
    running.nodes.map(({ name, path }) => [name, createHost(name, running.transport(name), { path })]),
  );
  return collectLevels({ hosts, ...(fault === undefined ? {} : { signal: AbortSignal.timeout(5_000) }) });
}

const graver = (snapshot: Snapshot) =>
  auditLevels(snapshot)
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, nodes, subjects }) => [rule, nodes.join(' '), ...subjects.map(({ name }) => name)]);
const messages = (snapshot: Snapshot) =>
  auditLevels(snapshot)
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, rule, message }) => `${severity} ${rule} ${message}`);

it('understands everything that the nodes of the lab answer, and passes the healthy ones', async () => {
  const snapshot = await collect({});
  const unread = snapshot.nodes.flatMap(({ readings }) =>
    Object.entries(readings).flatMap(([name, { kind }]) => (kind === 'not-assessed' ? [name] : [])),
  );
  expect(unread).toEqual([]);
  expect(graver(snapshot)).toEqual([]);
  expect(gate(auditLevels(snapshot))).toEqual({ kind: 'pass' });
});

it('reads the list of a large host, and finds the defects in it', async () => {
  const snapshot = await collect({
    db_node1: { rows: 1_500 },
    db_node2: { rows: 1_500, states: { 'bos.rte.libc': 'B', 'cluster.es.server.events': 'A' } },
  });
  const rows = snapshot.nodes.map(({ readings: { listing } }) => listing.kind === 'data' && listing.value.length);
  expect(rows).toEqual([1_502, 1_502]);
  expect(graver(snapshot)).toEqual([
    ['FS-BROKEN', 'db_node2', 'bos.rte.libc'],
    ['HA-APPLIED', 'db_node2', 'cluster.es.server.events'],
  ]);
});

it('does not take a login without rights for a node without interim fixes', async () => {
  const snapshot = await collect({ db_node2: { login: 'user' } });
  expect(snapshot.nodes.map(({ readings }) => readings.interimFixes.kind)).toEqual(['data', 'not-assessed']);
  expect(messages(snapshot)).toEqual([
    'warning NODE-UNREAD emgr -l was not assessed on db_node2: root only: ended with 127: ksh: emgr:  not found.',
  ]);
});

it('compares levels in another language, and says that states cannot be judged', async () => {
  const french = { language: 'fr_FR', states: { 'bos.rte.libc': 'A' } } as const;
  const snapshot = await collect({ db_node1: french, db_node2: { ...french, filesets: { 'bos.mp64': '7.2.3.16' } } });
  expect(messages(snapshot)).toEqual([
    'warning FS-STATE APPLIQUE and VALIDE: unknown state on db_node1',
    'warning FS-STATE APPLIQUE and VALIDE: unknown state on db_node2',
  ]);
  const others = auditLevels(snapshot).filter(({ rule }) => rule === 'FS-OTHER');
  expect(others.map(({ subjects }) => subjects.map(({ name }) => name))).toEqual([['bos.mp64']]);
});

it('keeps what was answered before a command that is stuck', async () => {
  const snapshot = await collect({}, { node: 'db_node2', program: 'oslevel', does: { kind: 'hangs' } });
  const [first, second] = snapshot.nodes;
  expect(first?.readings.osLevel.kind).toBe('data');
  expect(second?.readings.listing.kind).toBe('data');
  expect(second?.readings.osLevel).toMatchObject({ kind: 'not-assessed' });
  expect(second?.readings.haLevel).toEqual({ kind: 'not-assessed', reason: 'not asked: cancelled' });
  expect(messages(snapshot)[0]).toMatch(/^error NODE-UNREAD oslevel -s was not assessed on db_node2: /);
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
  expect(graver(snapshot)).toMatchInlineSnapshot(`
    [
      [
        "HA-LEVEL",
        "db_node1 db_node2",
        "cluster.es.server.rte",
        "halevel -s",
        "lssrc -ls clstrmgrES (local node vrmf)",
      ],
      [
        "HA-MISSING",
        "db_node1 db_node2",
        "cluster.es.cspoc.rte",
      ],
      [
        "HA-FIXLEVEL",
        "db_node1 db_node2",
        "lssrc -ls clstrmgrES (cluster fix level)",
      ],
      [
        "IFIX-ONE",
        "db_node1 db_node2",
        "IJ41234",
      ],
      [
        "AIX-TL",
        "db_node1 db_node2",
        "oslevel -s",
      ],
      [
        "AIX-HELD",
        "db_node2",
        "bos.mp64",
        "bos.rte.install",
        "oslevel -s",
      ],
      [
        "IFIX-ONE",
        "db_node1 db_node2",
        "IJ17065",
        "IJ20785",
      ],
    ]
  `);
});
