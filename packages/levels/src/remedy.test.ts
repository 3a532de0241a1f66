import { describe, expect, it } from 'vitest';
import { node, printed, silentNode, snapshotOf } from '../test/nodes.ts';
import { auditLevels } from './audit.ts';
import { planRemedy, renderRemedy } from './remedy.ts';
import { readTranscripts, type Snapshot } from './snapshot.ts';

const remedy = (snapshot: Snapshot) => renderRemedy(planRemedy(snapshot, auditLevels(snapshot)));

describe('planRemedy', () => {
  it('has nothing to say about equal nodes, nor about what is only worth knowing', () => {
    expect(remedy(snapshotOf({ a: {}, b: {} }))).toBe('Nothing to be done.\n');
    expect(remedy(snapshotOf({ a: { 'perl.rte': '5.28.0.1' }, b: { 'perl.rte': '5.28.0.2' } }))).toBe(
      'Nothing to be done.\n',
    );
  });

  it('takes all cluster services down for a cluster before 7.1.1', () => {
    const snapshot = snapshotOf({
      east: { 'cluster.base.server.rte': '4.3.1.2' },
      west: { 'cluster.base.server.rte': '4.3.1.0' },
    });
    expect(
      remedy(snapshot),
    ).toBe(`1. Take a cluster snapshot, clone rootvg or take an mksysb on each node, and save the application scripts.
2. Stop cluster services on all nodes.
3. west: Update the cluster software.
   - cluster.base.server.rte 4.3.1.0 -> 4.3.1.2
4. Check that netmon.cf is not empty on any node, and start cluster services.
5. Compare halevel, the versions in HACMPnode and HACMPcluster, oslevel, lppchk and emgr on all nodes by another audit; then verify and synchronize the cluster.
`);
  });

  it('leaves the groups running where AIX does not change', () => {
    const text = remedy(
      snapshotOf({
        east: { 'cluster.es.server.rte': '7.2.0.10' },
        west: { 'cluster.es.server.rte': '7.2.0.9', 'cluster.es.cspoc.rte': '7.2.0.9' },
      }),
    );
    expect(text).toContain('west: Stop cluster services with "unmanage resource groups".');
    expect(text).toContain('   - cluster.es.cspoc.rte missing -> 7.2.0.9\n');
    expect(text).toContain('   - cluster.es.server.rte 7.2.0.9 -> 7.2.0.10\n');
  });

  it('rolls where AIX changes, AIX first, after repair, commit and the removal of locks', () => {
    const west = node(
      'west',
      { 'cluster.es.server.rte': '7.2.0.3 A', 'bos.acct': '7.2.5.0 B', 'rsct.core.rmc': '3.2.6.0' },
      { osLevel: printed('7200-05-02-2136\n') },
    );
    const steps = planRemedy(
      readTranscripts([
        node('east', { 'cluster.es.server.rte': '7.2.0.4', 'bos.acct': '7.2.5.0', 'rsct.core.rmc': '3.2.6.4' }),
        west,
      ]),
      auditLevels(
        readTranscripts([
          node('east', { 'cluster.es.server.rte': '7.2.0.4', 'bos.acct': '7.2.5.0', 'rsct.core.rmc': '3.2.6.4' }),
          west,
        ]),
      ),
    );
    expect(steps.map(({ phase, node, items }) => [phase, node, ...items])).toEqual([
      ['save', null],
      ['repair', 'west', 'bos.acct'],
      ['commit', 'west', 'cluster.es.server.rte'],
      ['stop', null],
      ['stop', 'west'],
      ['update', 'west', 'AIX 7200-05-02-2136 -> 7200-05-03-2148', 'rsct.core.rmc 3.2.6.0 -> 3.2.6.4'],
      ['update', 'west', 'cluster.es.server.rte 7.2.0.3 -> 7.2.0.4'],
      ['start', 'west'],
      ['check', null],
    ]);
  });

  it('first makes a silent node answer', () => {
    expect(remedy(readTranscripts([node('east', {}), silentNode('west')]))).toBe(
      '1. west: west could not be asked: no route to host.\n',
    );
  });

  it('leaves out what is waived', () => {
    const snapshot = snapshotOf({
      a: { 'cluster.es.server.rte': '7.2.0.4' },
      b: { 'cluster.es.server.rte': '7.2.0.3' },
    });
    const waivers = [{ rule: 'HA-LEVEL', reason: 'known', until: '2026-12-31' } as const];
    expect(planRemedy(snapshot, auditLevels(snapshot, { waivers }))).toEqual([]);
  });
});
