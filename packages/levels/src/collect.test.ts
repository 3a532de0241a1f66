import { fileURLToPath } from 'node:url';
import { type Host, type StepResult, TransportError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { ended, listingFixture, node, scriptedNode, shellNode, timedOut } from '../test/nodes.ts';
import { auditLevels } from './audit.ts';
import { collectLevels, collectTranscripts, gateProbes } from './collect.ts';
import { gate } from './gate.ts';

const now = () => new Date('2026-11-22T01:00:00Z');
/** What every healthy node leaves behind, by step. */
const healthy = Object.fromEntries(
  Object.entries(node('east', {}).answers).map(([id, answer]): [string, StepResult] => {
    if (answer.kind !== 'ended') throw new Error(`${id} is not healthy`);
    return [id, ended(id, answer.exitCode, answer.stdout, answer.stderr)];
  }),
);

/** A node that answers as a healthy one, apart from these steps. */
function answering(name: string, other: Readonly<Record<string, StepResult>> = {}): Host {
  const results = { ...healthy, ...other };
  return scriptedNode(name, ({ steps }) => ({
    kind: 'completed',
    steps: steps.map(({ id }) => results[id] ?? { kind: 'skipped', id }),
  }));
}

const dead = scriptedNode('north', () => {
  throw new TransportError('HOST_UNREACHABLE', 'north', 'no route to host', { remedy: 'Start the node.' });
});

function hosts(...list: readonly Host[]): ReadonlyMap<string, Host> {
  return new Map(list.map((host) => [host.name, host]));
}

describe('collectLevels', () => {
  it('keeps a node that cannot be asked as a result', async () => {
    const snapshot = await collectLevels({ hosts: hosts(answering('west'), dead, answering('east')), now });
    expect(snapshot.nodes.map(({ node, unreachable }) => [node, unreachable])).toEqual([
      ['east', null],
      ['north', 'north: no route to host'],
      ['west', null],
    ]);
    const [east, north] = snapshot.nodes;
    expect(east?.askedAt).toBe('2026-11-22T01:00:00.000Z');
    expect(east?.readings).toMatchObject({
      osLevel: { kind: 'data', value: { text: '7200-05-03-2148' } },
      haLevel: { kind: 'data', value: { text: '7.2.0 SP4' } },
      listing: { kind: 'data', value: [{ fileset: 'bos.rte' }] },
      interimFixes: { kind: 'empty', says: 'There is no efix data on this system.' },
    });
    expect(north?.readings.listing).toEqual({ kind: 'not-assessed', reason: 'north: no route to host' });
  });

  it.each([
    [
      'it fails',
      'osLevel',
      ended('osLevel', 1, '', 'oslevel: 0504-001 no memory\n'),
      'ended with 1: oslevel: 0504-001 no memory',
    ],
    ['it fails in silence', 'osLevel', ended('osLevel', 3, ''), 'ended with 3 and said nothing'],
    [
      'it is not there',
      'haLevel',
      ended('haLevel', 127, '', 'sh: halevel: not found.\n'),
      'ended with 127: sh: halevel: not found.',
    ],
    ['it answers nothing', 'listing', ended('listing', 0, ''), 'ended with 0 and listed nothing'],
    ['its answer was cut', 'listing', ended('listing', 0, 'bos.rte:bos.rte:7.2'), 'cut: the last line does not end'],
    ['it never answers', 'osLevel', timedOut('osLevel'), 'no answer within 90 s'],
  ] as const)('keeps the other answers of a node when one is lacking because %s', async (_, id, result, reason) => {
    const { nodes } = await collectLevels({ hosts: hosts(answering('east', { [id]: result })) });
    const readings = Object.entries(nodes[0]?.readings ?? {});
    expect(readings.filter(([, { kind }]) => kind === 'not-assessed').map(([name]) => name)).toEqual([id]);
    expect(nodes[0]?.readings[id]).toEqual({ kind: 'not-assessed', reason: expect.stringContaining(reason) });
  });

  it('keeps what was answered before the link was lost, and before an abort', async () => {
    const steps: StepResult[] = [
      ended('listing', 0, listingFixture('east')),
      { kind: 'unfinished', id: 'osLevel', stdout: '', stderr: '' },
      { kind: 'skipped', id: 'haLevel' },
    ];
    const { nodes } = await collectLevels({
      hosts: hosts(
        scriptedNode('east', () => ({ kind: 'unknown', reason: 'link lost', steps })),
        scriptedNode('west', () => ({ kind: 'cancelled', steps })),
      ),
    });
    expect(nodes.map(({ readings: { listing, osLevel, haLevel } }) => [listing.kind, osLevel, haLevel])).toEqual([
      [
        'data',
        { kind: 'not-assessed', reason: 'no end was seen: link lost' },
        { kind: 'not-assessed', reason: 'not asked: link lost' },
      ],
      [
        'data',
        { kind: 'not-assessed', reason: 'no end was seen: cancelled' },
        { kind: 'not-assessed', reason: 'not asked: cancelled' },
      ],
    ]);
  });

  it('leaves out of a quick audit only what takes minutes or decides nothing', async () => {
    const snapshot = await collectLevels({ hosts: hosts(answering('east')), probes: gateProbes });
    const findings = auditLevels(snapshot);
    expect(findings.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'info: not asked on east: lppchk -v, lsmcode -c',
    ]);
    expect(gate(findings)).toEqual({ kind: 'pass' });
  });

  it('asks less on request, and says so', async () => {
    const snapshot = await collectLevels({ hosts: hosts(answering('east')), probes: ['listing', 'osLevel'], now });
    expect(auditLevels(snapshot).map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'info: not asked on east: lslpp -lc, halevel -s, lssrc -ls clstrmgrES, odmget HACMPcluster, odmget HACMPnode, lsrpnode, emgr -l, lppchk -v, getconf KERNEL_BITMODE, lsmcode -c',
    ]);
  });

  it('asks a real shell', async () => {
    const list = fileURLToPath(new URL('../test/fixtures/east.lslpp-Lc.txt', import.meta.url));
    const east = shellNode('east', {
      lslpp: `cat ${list}`,
      oslevel: 'echo 7200-05-03-2148',
      halevel: 'echo 7.2.5 SP2',
    });
    const { nodes } = await collectLevels({ hosts: hosts(east) });
    expect(nodes[0]?.readings).toMatchObject({
      listing: { kind: 'data' },
      osLevel: { kind: 'data' },
      haLevel: { kind: 'data' },
      interimFixes: { kind: 'not-assessed', reason: expect.stringMatching(/^root only: ended with 127/) },
    });
  });
});

describe('collectTranscripts', () => {
  it('asks all nodes at once, but no more than it may', async () => {
    const most = async (concurrency?: number) => {
      let [running, peak] = [0, 0];
      const slow = (name: string) =>
        scriptedNode(name, async () => {
          running += 1;
          peak = Math.max(peak, running);
          await new Promise((resolve) => setTimeout(resolve, 20));
          running -= 1;
          return { kind: 'completed', steps: [] };
        });
      const transcripts = await collectTranscripts({
        hosts: hosts(...['a', 'b', 'c', 'd', 'e'].map(slow)),
        concurrency,
      });
      return [transcripts.length, peak];
    };
    expect([await most(), await most(2)]).toEqual([
      [5, 5],
      [5, 2],
    ]);
  });
});
