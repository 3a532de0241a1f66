import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listingFixture, node, printed, silentNode, snapshotOf } from '../test/nodes.ts';
import { auditLevels } from './audit.ts';
import type { Finding } from './finding.ts';
import { gate } from './gate.ts';
import { planRemedy } from './remedy.ts';
import { renderTable } from './reports/table.ts';
import { listingTranscript, readTranscripts } from './snapshot.ts';

const said = (findings: readonly Finding[]) =>
  findings.map(({ severity, rule, message }) => `${severity} ${rule} ${message}`);

describe('auditLevels', () => {
  it('finds nothing between equal nodes', () => {
    const levels = { 'cluster.es.server.rte': '7.2.5.2' };
    const findings = auditLevels(snapshotOf({ east: levels, west: levels }));
    expect(findings).toEqual([]);
    expect(gate(findings)).toEqual({ kind: 'pass' });
  });

  it('compares a fileset across nodes, never one fileset with another', () => {
    const levels = {
      'cluster.es.server.rte': '7.2.5.2',
      'cluster.es.cspoc.rte': '7.2.5.1',
      'rsct.core.rmc': '3.2.0.9',
    };
    expect(auditLevels(snapshotOf({ east: levels, west: levels }))).toEqual([]);
  });

  it('compares the higher of two RPMs of one name, whatever their order', () => {
    const rpm = (level: string) =>
      `gcc:gcc-${level}:${level}: : :C:R:Compiler: :/bin/rpm -e gcc: : : : :0: :/opt/freeware:Tue Mar 6 09:30:11 CST 2018\n`;
    const listed = (name: string, ...levels: string[]) =>
      listingTranscript(name, levels.map(rpm).join(''), '2026-01-01T00:00:00.000Z');
    const messages = (...transcripts: ReturnType<typeof listed>[]) =>
      auditLevels(readTranscripts(transcripts)).filter(({ rule }) => rule === 'FS-OTHER');
    expect(messages(listed('east', '8.3.0-10', '8.3.0-9'), listed('west', '8.3.0-9', '8.3.0-10'))).toEqual([]);
    expect(messages(listed('east', '8.3.0-10', '8.3.0-9'), listed('west', '8.3.0-9'))).toHaveLength(1);
  });

  it('names the odd one out, with the line of each node', () => {
    const findings = auditLevels(
      snapshotOf({
        east: { 'cluster.es.server.rte': '7.2.5.10', 'cluster.es.server.diag': '7.2.5.10' },
        west: { 'cluster.es.server.rte': '7.2.5.9', 'cluster.es.server.diag': '7.2.5.9' },
        north: { 'cluster.es.server.rte': '7.2.5.10', 'cluster.es.server.diag': '7.2.5.10' },
      }),
    );
    expect(said(findings)).toEqual([
      'error HA-LEVEL cluster.es.server.diag and cluster.es.server.rte: different levels; west is the odd one out of 3 nodes; lower on west',
    ]);
    expect(findings[0]?.nodes).toEqual(['west']);
    expect(findings[0]?.subjects[1]?.observations[2]).toEqual({
      node: 'west',
      value: '7.2.5.9',
      command: 'lslpp -Lc',
      line: 'cluster.es.server:cluster.es.server.rte:7.2.5.9: : :C:F:cluster.es.server.rte : : : : : : :0:0:/:',
    });
    expect(gate(findings).kind).toBe('stop');
  });

  it('tells a tie from a majority', () => {
    const [old, fresh] = [{ 'cluster.es.server.rte': '7.2.5.1' }, { 'cluster.es.server.rte': '7.2.5.2' }];
    const findings = auditLevels(snapshotOf({ a: old, b: fresh, c: old, d: fresh }));
    expect(findings[0]?.message).toContain('a tie: a, c against b, d');
    expect(findings[0]?.nodes).toEqual(['a', 'b', 'c', 'd']);
  });

  it('reports a missing cluster fileset apart from a level that differs', () => {
    const findings = auditLevels(
      snapshotOf({
        east: { 'cluster.es.cspoc.rte': '7.2.5.2' },
        west: { 'cluster.es.cspoc.rte': '7.2.5.1' },
        north: {},
      }),
    );
    expect(said(findings)).toEqual([
      'error HA-LEVEL cluster.es.cspoc.rte: different levels; east and west differ; lower on west',
      'error HA-MISSING cluster.es.cspoc.rte: missing on north of 3 nodes',
    ]);
  });

  it('takes other spellings of a level for the same level', () => {
    expect(auditLevels(snapshotOf({ a: { 'bos.net': '06.01.0004.0011' }, b: { 'bos.net': '6.1.4.11' } }))).toEqual([]);
  });

  it('compares technology levels only within a release, and service packs only within a technology level', () => {
    const levels = {
      a: '7200-05-03-2148',
      b: '7200-05-02-2136',
      c: '7200-04-06-2110',
      d: '7300-01-01-2246',
      e: '7200-05-03-2149',
    };
    const findings = auditLevels(
      readTranscripts(
        Object.entries(levels).map(([name, level]) => node(name, {}, { osLevel: printed(`${level}\n`) })),
      ),
    );
    expect(said(findings)).toEqual([
      'error AIX-REL oslevel -s: different releases of AIX; d is the odd one out of 5 nodes; lower on a, b, c, e',
      'warning AIX-TL oslevel -s: different technology levels; c is the odd one out of 4 nodes; lower on c',
      'warning AIX-SP oslevel -s: different service packs; b is the odd one out of 3 nodes; lower on b',
      'info HA-MINIMUM no rule is known for PowerHA 7.2.0 on AIX 7300',
      'info AIX-BUILD oslevel -s: different build sequences; a and e differ; lower on a',
    ]);
  });

  it('compares saved lists, and says what they lack', () => {
    const list = (name: string) => listingTranscript(name, listingFixture(name), '2026-11-22T01:00:00Z');
    const findings = auditLevels(readTranscripts([list('east'), list('west')]));
    expect(
      findings.filter(({ severity }) => severity === 'error').map(({ rule, message }) => `${rule} ${message}`),
    ).toEqual([
      'NODE-UNREAD oslevel -s was not assessed on east, west: not asked',
      'HA-LEVEL cluster.es.cspoc.cmds and cluster.es.server.rte: different levels; east and west differ; lower on west',
      'HA-MISSING cluster.es.cspoc.rte: missing on west of 2 nodes',
      'CAA bos.cluster.rte: different levels; east and west differ; lower on west',
    ]);
  });

  it('needs no second node for what is broken or inconsistent', () => {
    const findings = auditLevels(snapshotOf({ east: { 'openssl.base': '1.0.2.1800 ?', 'bos.acct': '7.2.5.0 B' } }));
    expect(said(findings)).toEqual([
      'error FS-BROKEN bos.acct: not completely installed on east',
      'error FS-INCONS openssl.base: inconsistent on east',
    ]);
  });

  it('never takes the readable nodes for the whole cluster', () => {
    const findings = auditLevels(readTranscripts([node('east', {}), silentNode('west')]));
    expect(said(findings)).toEqual(['error NODE-UNREAD west could not be asked: no route to host']);
    expect(gate(findings).kind).toBe('stop');
    expect(said(auditLevels({ nodes: [] }))).toEqual(['error NODE-UNREAD no node was asked']);
  });

  it('says which command was not assessed', () => {
    const findings = auditLevels(
      readTranscripts([
        node(
          'east',
          { 'cluster.es.server.rte': '7.2.0.4' },
          { osLevel: { kind: 'unanswered', reason: 'no answer within 90 s' } },
        ),
        node(
          'west',
          { 'cluster.es.server.rte': '7.2.0.4' },
          { haLevel: { kind: 'ended', exitCode: 127, stdout: '', stderr: 'sh: halevel: not found.\n' } },
        ),
      ]),
    );
    expect(said(findings)).toEqual([
      'error NODE-UNREAD oslevel -s was not assessed on east: no answer within 90 s',
      'warning NODE-UNREAD halevel -s was not assessed on west: ended with 127: sh: halevel: not found.',
    ]);
  });

  it('sorts what is no cluster software by family', () => {
    const findings = auditLevels(
      snapshotOf({
        east: {
          'bos.cluster.rte': '7.2.5.100',
          'devices.fcp.disk': '7.2.5.1',
          'bos.msg.en_US.rte': '7.2.5.0',
          'csm.msg.EN_US.core': '1.0.0.0',
        },
        west: {
          'bos.cluster.rte': '7.2.5.101',
          'devices.fcp.disk': '7.2.5.2',
          'perl.rte': '5.28.0.1',
          'csm.msg.en_US.core': '1.0.0.0',
        },
      }),
    );
    expect(findings.map(({ rule }) => rule)).toEqual(['CAA', 'FS-OTHER', 'FS-DEV', 'FS-LANG', 'FS-LANG']);
    expect(findings.slice(3).map(({ subjects }) => subjects.map(({ name }) => name))).toEqual([
      ['bos.msg.en_US.rte', 'csm.msg.EN_US.core'],
      ['csm.msg.en_US.core'],
    ]);
  });

  it('lets the policy change or silence a rule', () => {
    const snapshot = snapshotOf({
      east: { 'cluster.es.server.rte': '7.2.5.2' },
      west: { 'cluster.es.server.rte': '7.2.5.1' },
    });
    expect(gate(auditLevels(snapshot, { severities: { 'HA-LEVEL': 'warning' } }))).toMatchObject({ kind: 'warn' });
    expect(auditLevels(snapshot, { severities: { 'HA-LEVEL': 'off' } })).toEqual([]);
  });

  it('has findings for whatever nodes answer, and throws nothing', () => {
    const healthy = Object.entries(node('east', { 'cluster.es.server.rte': '7.2.0.4 A' }).answers);
    const damage = fc.record({
      start: fc.nat(400),
      length: fc.nat(60),
      cells: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('\n', ':', '99.99.999.999', 'B', '?', '16', 'E')),
      exitCode: fc.constantFrom(0, 0, 0, 1, 126, 127),
    });
    const damaged = fc.tuple(...healthy.map(() => damage)).map((changes) =>
      Object.fromEntries(
        healthy.map(([name, answer], index) => {
          const change = changes[index];
          if (answer.kind !== 'ended' || change === undefined) return [name, answer];
          const stdout =
            answer.stdout.slice(0, change.start) + change.cells + answer.stdout.slice(change.start + change.length);
          return [name, { ...answer, stdout, exitCode: change.exitCode }];
        }),
      ),
    );
    fc.assert(
      fc.property(fc.array(damaged, { maxLength: 4 }), (nodes) => {
        const transcripts = nodes.map((answers, index) => ({ ...node(`n${index}`, {}), answers }));
        const snapshot = readTranscripts(transcripts);
        const findings = auditLevels(snapshot);
        const unread = snapshot.nodes.some(({ readings }) => readings.osLevel.kind === 'not-assessed');
        expect(gate(findings).kind === 'stop' || !unread).toBe(true);
        expect(renderTable(snapshot, findings)).toContain('oslevel -s');
        expect(Array.isArray(planRemedy(snapshot, findings))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same findings whatever the order of the nodes', () => {
    const nodes = [node('a', { 'x.y': '1.0.0.0' }), node('b', { 'x.y': '1.0.0.1' }), node('c', { 'z.y': '1.0.0.1' })];
    expect(auditLevels(readTranscripts(nodes.toReversed()))).toEqual(auditLevels(readTranscripts(nodes)));
  });
});

describe('renderTable', () => {
  it('shows the differences with the nodes as columns, then the findings', () => {
    const snapshot = readTranscripts([
      node('east', {}, { listing: printed(listingFixture('east')) }),
      node(
        'west',
        {},
        {
          listing: printed(listingFixture('west')),
          osLevel: printed('7200-05-00-0000\n'),
          haLevel: printed('7.2.5 SP1\n'),
        },
      ),
      silentNode('north'),
    ]);
    expect(renderTable(snapshot, auditLevels(snapshot))).toMatchInlineSnapshot(`
      "                       east             north  west
      oslevel -s             7200-05-03-2148  ?      7200-05-00-0000
      halevel -s             7.2.0 SP4        ?      7.2.5 SP1
      cluster.es.cspoc.cmds  7.2.5.2          ?      7.2.5.1
      cluster.es.server.rte  7.2.5.2          ?      7.2.5.1
      cluster.es.cspoc.rte   7.2.5.2          ?      -
      bos.cluster.rte        7.2.5.101        ?      7.2.5.0
      cluster.es.client.rte  7.2.5.2          ?      7.2.5.1
      bos.rte                7.2.5.101        ?      7.2.5.0
      bos.rte.lvm            7.2.5.101        ?      7.2.5.0

      error NODE-UNREAD: north could not be asked: no route to host
        Make the node answer, then audit again; what is said about the other nodes holds only among them.
      error HA-LEVEL: cluster.es.cspoc.cmds and cluster.es.server.rte: different levels; east and west differ; lower on west
        Bring the fileset to the highest of these levels on the other nodes, with cluster services down on all nodes.
      error HA-LEVEL: halevel -s: different levels; east and west differ; lower on east
        Bring the fileset to the highest of these levels on the other nodes, with cluster services down on all nodes.
      error HA-MISSING: cluster.es.cspoc.rte: missing on west of 2 nodes
        Install the fileset on the nodes that lack it, at the level of the others.
      error CAA: bos.cluster.rte: different levels; east and west differ; lower on west
        Bring the nodes to the same service pack of AIX, and check the interim fixes for CAA.
      warning AIX-SP: oslevel -s: different service packs; east and west differ; lower on west
        Finish the update on the nodes that are behind; "oslevel -s -l LEVEL" names the filesets that hold a node back.
      warning HA-APPLIED: cluster.es.server.rte: applied, not committed on west
        Commit it with "smit install_commit" when the update has proved itself; this gives up the way back.
      warning HA-CLIENT: cluster.es.client.rte: different levels; east and west differ; lower on west
        Bring the fileset to the same level when the node is updated next.
      info HA-MINIMUM: no rule is known for PowerHA 7.2.5 on AIX 7200
        Look the combination up in IBM's compatibility matrix, and add it to policy.minimums.
      info IFIX-LOCK: bos.rte.lvm: locked by an interim fix below the level of other nodes on west
        Remove the fix with "emgr -r -L LABEL" first; "emgr -P" names it.
      info FS-OTHER: bos.rte and bos.rte.lvm: different levels; east and west differ; lower on west
        Raise this rule by policy for what your application needs; otherwise align it with the next update.
      "
    `);
  });

  it('says that there is nothing to say', () => {
    expect(renderTable(snapshotOf({ a: {}, b: {} }), [])).toContain('No findings.');
  });
});
