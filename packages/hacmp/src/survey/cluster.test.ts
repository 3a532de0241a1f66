import type { Host } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { failed, group, healthyWorld, hostsOf, payMounts, type World } from '../../test/world.ts';
import { haCluster, type Proof } from '../index.ts';

const now = () => new Date('2026-11-22T10:00:00Z');

function cluster(world: World, log: string[] = []) {
  return haCluster({ hosts: hostsOf(world, log), now });
}

async function proofIn(world: World): Promise<Proof> {
  const standing = await cluster(world).locate(group);
  if (standing.kind !== 'held') throw new Error(`expected a holder, got ${standing.kind}`);
  return standing.proof;
}

function node(world: World, name: string) {
  const found = world[name];
  if (!found) throw new Error(`no node ${name}`);
  return found;
}

describe('haCluster', () => {
  it('names the nodes, sorted', () => {
    expect(cluster(healthyWorld(['db2', 'db1'])).nodes).toEqual(['db1', 'db2']);
  });

  it('tells who holds a group, what it consists of, and on what evidence', async () => {
    const standing = await cluster(healthyWorld()).locate(group);
    expect(standing).toMatchObject({
      kind: 'held',
      node: 'db1',
      contents: { volumeGroups: ['payvg'], fileSystems: ['/pay', '/pay/log'] },
      proof: {
        group,
        node: 'db1',
        takenAt: '2026-11-22T10:00:00.000Z',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        facts: {
          'node name': 'db1',
          'cluster manager': 'ST_STABLE',
          'resource group': 'db1 ONLINE, db2 OFFLINE',
          'node states': 'db1 NORMAL ST_STABLE, db2 NORMAL ST_STABLE',
          'volume group payvg': 'active read/write',
          'file system /pay': '/dev/paylv since Nov 20 06:12',
          'file system /pay/log': '/dev/paylglv since Nov 20 06:12',
        },
      },
    });
    expect(standing.evidence).toContainEqual({ node: 'db2', source: 'clRGinfo -s', says: 'db1 ONLINE, db2 OFFLINE' });
    expect(standing.evidence).toContainEqual({
      node: 'db1',
      source: 'lsvg payvg',
      says: 'payvg is active read/write here',
    });
  });

  it('warns of levels that differ, its own or those it is given', async () => {
    const warned = async (world: World, levels?: ReadonlyMap<string, string>) => {
      const standing = await haCluster({ hosts: hostsOf(world), now, levels }).locate(group);
      return standing.kind === 'held' ? standing.warnings.map(({ code, seen }) => `${code} ${seen}`) : standing.kind;
    };
    const mixed = healthyWorld();
    node(mixed, 'db2').vrmf = '7200';
    const given = (second: string) =>
      new Map([
        ['db1', '7.1.3 SP4'],
        ['db2', second],
      ]);
    expect(await warned(healthyWorld())).toEqual([]);
    expect(await warned(mixed)).toEqual(['LEVELS_DIFFER db1 7134 fix 4, db2 7200 fix 4']);
    expect(await warned(mixed, given('7.1.3 SP4'))).toEqual([]);
    expect(await warned(healthyWorld(), given('7.1.3 SP5'))).toEqual(['LEVELS_DIFFER db1 7.1.3 SP4, db2 7.1.3 SP5']);
  });

  it('gives every reason with what was seen and what would settle it', async () => {
    const world = healthyWorld();
    node(world, 'db2').reach = 'HOST_KEY_CHANGED';
    const standing = await cluster(world).locate(group);
    expect(standing).toMatchObject({
      kind: 'undecidable',
      reasons: [
        {
          code: 'HOST_KEY_CHANGED',
          node: 'db2',
          message: 'db2 could not be asked and is not surely out of the cluster',
          seen: 'db2: no connection; db1 counts it in',
          remedy: 'Look.',
        },
        { code: 'NO_MAJORITY', node: null },
      ],
    });
  });

  const trust = 'Make sure that the silent nodes are off, then name the policy minority: trust-the-survivors.';
  const ask = 'First see to it that db2 can be asked: what may be up must not be left out.';
  it.each([
    ['HOST_UNREACHABLE', trust],
    ['HOST_KEY_CHANGED', ask],
    ['HOST_AUTHENTICATION', ask],
    [undefined, ask],
  ] as const)('advises to trust the survivors only of nodes that may be off: %s', async (reach, remedy) => {
    const world = healthyWorld();
    if (reach !== undefined) node(world, 'db2').reach = reach;
    const hosts = hostsOf(world);
    if (reach === undefined) hosts.delete('db2');
    const standing = await haCluster({ hosts, now }).locate(group);
    const told = standing.kind === 'held' ? [] : standing.reasons;
    expect(told.find(({ code }) => code === 'NO_MAJORITY')?.remedy).toBe(remedy);
    const down = reach === 'HOST_UNREACHABLE' ? /bring db2 down for certain/ : /^(?!.*bring db2 down)/;
    expect(told.find((reason) => reason.node === 'db2')?.remedy).toMatch(down);
  });

  it('asks each node twice, in one round trip each, and pauses between the rounds', async () => {
    const log: string[] = [];
    const stability = {
      pauseMs: 20_000,
      async sleep(ms: number) {
        log.push(`pause ${ms}`);
      },
    };
    await haCluster({ hosts: hostsOf(healthyWorld(), log), now, stability }).locate(group);
    const questions =
      'get_local_nodename; lssrc -ls clstrmgrES; clRGinfo -s; clmgr -cv -a name,state,raw_state query node; lscluster -m; lsrpnode; cllsnode; ifconfig -a; clshowres; mount';
    expect(log).toEqual([
      `db1: ${questions}`,
      `db2: ${questions}`,
      'pause 20000',
      `db1: ${questions}; lsvg payvg; lsvg -l payvg`,
      `db2: ${questions}; lsvg payvg; lsvg -l payvg`,
    ]);
  });

  it.each([Number.NaN, -1, 0.5, 3e9])('refuses a pause of %s ms, which would be none', (pauseMs) => {
    const hosts = hostsOf(healthyWorld());
    expect(() => haCluster({ hosts, now, stability: { pauseMs } })).toThrow(RangeError);
  });

  it('asks all nodes at once', async () => {
    let under = 0;
    let most = 0;
    const hosts = hostsOf(healthyWorld(Array.from({ length: 20 }, (_, index) => `n${index}`)));
    const slow = new Map(
      Array.from(hosts, ([name, host]): [string, Host] => [
        name,
        {
          ...host,
          async run(script) {
            most = Math.max(most, ++under);
            await new Promise((resolve) => setTimeout(resolve, 5));
            under--;
            return host.run(script);
          },
        },
      ]),
    );
    expect(await haCluster({ hosts: slow, now }).locate(group)).toMatchObject({ kind: 'held', node: 'n0' });
    expect(most).toBe(20);
  });

  it('turns whatever a host throws into a silent node', async () => {
    const hosts = hostsOf(healthyWorld());
    const broken = { ...hosts.get('db2'), run: () => Promise.reject('no words') } as unknown as Host;
    const standing = await haCluster({ hosts: hosts.set('db2', broken), now }).locate(group);
    expect(standing).toMatchObject({ kind: 'undecidable', reasons: [{ seen: 'no words; db1 counts it in' }, {}] });
  });

  it('rejects with the reason of an abort, and with nothing else', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const asked = cluster(healthyWorld());
    const proof = await proofIn(healthyWorld());
    await expect(asked.locate(group, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(asked.confirm(proof, { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('has nobody to ask without hosts', async () => {
    expect(await cluster({}).locate(group)).toMatchObject({ kind: 'undecidable', reasons: [{ code: 'NO_HOST' }] });
  });
});

describe('haCluster confirm', () => {
  it('takes the proof again in one round trip to the holder', async () => {
    const log: string[] = [];
    const proof = await proofIn(healthyWorld());
    const confirmation = await cluster(healthyWorld(), log).confirm(proof);
    expect(confirmation).toMatchObject({ kind: 'holds', proof: { digest: proof.digest } });
    expect(log).toEqual([
      'db1: get_local_nodename; lssrc -ls clstrmgrES; clRGinfo -s; clmgr -cv -a name,state,raw_state query node; mount; lsvg payvg',
    ]);
  });

  it('holds while other groups move and our own copies come and go', async () => {
    const proof = await proofIn(healthyWorld());
    const world = healthyWorld();
    node(world, 'db1').table.push(['webrg', 'ONLINE', 'db2'], ['webrg', 'OFFLINE', 'db1']);
    node(world, 'db1').lastEvent = 'TE_RG_MOVE on node 2';
    node(world, 'db1').mounts.push(['/dev/smk3f9q2201', '/splitmirror/k3f9q2/paylv', 'Nov 22 10:01']);
    expect(await cluster(world).confirm(proof)).toMatchObject({ kind: 'holds' });
  });

  it('is lost when the group went away and came back', async () => {
    const proof = await proofIn(healthyWorld());
    const world = healthyWorld();
    node(world, 'db1').mounts = payMounts('Nov 22 10:03');
    expect(await cluster(world).confirm(proof)).toEqual({
      kind: 'lost',
      changed: [
        { fact: 'file system /pay', before: '/dev/paylv since Nov 20 06:12', after: '/dev/paylv since Nov 22 10:03' },
        {
          fact: 'file system /pay/log',
          before: '/dev/paylglv since Nov 20 06:12',
          after: '/dev/paylglv since Nov 22 10:03',
        },
      ],
    });
  });

  it.each<[string, (world: World) => void, string, string]>([
    ['the manager is busy', (w) => (node(w, 'db1').manager = 'ST_RP_RUNNING'), 'cluster manager', 'ST_RP_RUNNING'],
    ['the disks are gone', (w) => (node(w, 'db1').volumeGroups.payvg = 'off'), 'volume group payvg', 'varied off'],
    ['a mount is gone', (w) => node(w, 'db1').mounts.pop(), 'file system /pay/log', 'not mounted'],
    ['another machine answers', (w) => (node(w, 'db1').localName = 'db9'), 'node name', 'db9'],
    [
      'the node was forced down',
      (w) => (node(w, 'db1').nodeStates = [['db1', 'UNMANAGED', 'UNMANAGED']]),
      'node states',
      'db1 UNMANAGED UNMANAGED',
    ],
  ])('is lost when %s', async (_, change, fact, after) => {
    const proof = await proofIn(healthyWorld());
    const world = healthyWorld();
    change(world);
    const confirmation = await cluster(world).confirm(proof);
    expect(confirmation).toEqual({ kind: 'lost', changed: [{ fact, before: proof.facts[fact], after }] });
  });

  it('is unknown when the node does not answer', async () => {
    const proof = await proofIn(healthyWorld());
    const world = healthyWorld();
    node(world, 'db1').reach = 'lost';
    expect(await cluster(world).confirm(proof)).toEqual({ kind: 'unknown', reason: 'connection lost' });
  });

  it('is unknown when a question stays without usable answer', async () => {
    const proof = await proofIn(healthyWorld());
    const world = healthyWorld();
    node(world, 'db1').overrides['clRGinfo -s'] = failed('Communication error, see logfile');
    const reason = 'no usable answer on db1 about: node states, resource group';
    expect(await cluster(world).confirm(proof)).toEqual({ kind: 'unknown', reason });
  });

  it('is unknown for a proof that was edited, and for a node without a host', async () => {
    const proof = await proofIn(healthyWorld());
    const edited = { ...proof, facts: { ...proof.facts, 'node name': 'db2' } };
    expect(await cluster(healthyWorld()).confirm(edited)).toMatchObject({ kind: 'unknown' });
    expect(await cluster(healthyWorld()).confirm({ ...proof, node: 'db7' })).toMatchObject({ kind: 'unknown' });
  });
});
