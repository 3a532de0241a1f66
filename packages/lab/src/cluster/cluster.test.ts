import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Generation, type Lab, startLab } from '../index.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await startLab({ contentBytes: 50_000, phaseMs: 10 });
});
afterEach(() => lab.close());

const out = async (node: string, ...argv: [string, ...string[]]) => (await lab.run(node, argv)).stdout;
const manager = async (node: string) => (await out(node, 'lssrc', '-ls', 'clstrmgrES')).split('\n')[0];
const groups = async (node: string) =>
  (await out(node, 'clRGinfo', '-s'))
    .trim()
    .split('\n')
    .map((line) => line.split(':').slice(0, 3).join(' '));
const nodes = async (node: string) =>
  (await out(node, 'clmgr', '-cv', '-a', 'name,state,raw_state', 'query', 'node')).trim().split('\n').slice(1);
const permission = async (node: string) => /VG PERMISSION:\s+(\S+)/.exec(await out(node, 'lsvg', 'ledgervg'))?.[1];
const mounted = async (node: string) =>
  (await out(node, 'mount')).split('\n').flatMap((line) => /\s(\/ledger\S*)\s/.exec(line)?.[1] ?? []);

const both = ['db_node1', 'db_node2'];

describe('the cluster of the lab', () => {
  it('holds the group on its home node, and stands by on the other', async () => {
    for (const node of both) {
      expect(await manager(node)).toBe('Current state: ST_STABLE');
      expect(await groups(node)).toEqual(['ledger_rg ONLINE db_node1', 'ledger_rg OFFLINE db_node2']);
      expect(await nodes(node)).toEqual(['db_node1:NORMAL:ST_STABLE', 'db_node2:NORMAL:ST_STABLE']);
    }
    expect(await permission('db_node1')).toBe('read/write');
    expect(await permission('db_node2')).toBe('passive-only');
    expect(await mounted('db_node1')).toEqual(['/ledger/accounts', '/ledger/journal']);
    expect(await mounted('db_node2')).toEqual([]);
    expect(await out('db_node2', 'clRGinfo')).toBe(`${'-'.repeat(77)}
Group Name     Group State                  Node
${'-'.repeat(77)}
ledger_rg      ONLINE                       db_node1
               OFFLINE                      db_node2
`);
  });

  it('moves the group through releasing and acquiring, with the application', async () => {
    const seen = new Set<string>();
    const states = new Set<string>();
    const move = lab.run('db_node1', ['clmgr', 'move', 'resource_group', 'ledger_rg', 'node=db_node2']);
    let moving = true;
    void move.then(() => {
      moving = false;
    });
    while (moving) {
      for (const row of await groups('db_node2')) seen.add(row);
      states.add((await manager('db_node1')) ?? '');
      await delay(1);
    }
    expect((await move).stdout).toMatch(
      /Resource group movement successful\.\nResource group ledger_rg is online on node db_node2\./,
    );
    expect([...seen]).toEqual(expect.arrayContaining(['ledger_rg RELEASING db_node1', 'ledger_rg ACQUIRING db_node2']));
    expect([...states]).toEqual(
      expect.arrayContaining([
        'Current state: ST_RP_RUNNING',
        'Current state: ST_BARRIER',
        'Current state: ST_CBARRIER',
      ]),
    );
    expect(await groups('db_node1')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ONLINE db_node2']);
    expect([await permission('db_node1'), await permission('db_node2')]).toEqual(['passive-only', 'read/write']);
    expect([await mounted('db_node1'), await mounted('db_node2')]).toEqual([
      [],
      ['/ledger/accounts', '/ledger/journal'],
    ]);
    expect((await lab.run('db_node1', ['ledgerctl', 'status'])).code).toBe(1);
    expect(await out('db_node2', 'ledgerctl', 'status')).toMatch(/^ledger is running/);
    expect(await out('db_node1', 'lssrc', '-ls', 'clstrmgrES')).toContain(
      'Last event run was TE_RG_MOVE    on node 2\n',
    );
  });

  it('refuses a move to where the group is, and to a node that is not there', async () => {
    expect(await lab.run('db_node1', ['clRGmove', '-m', '-g', 'ledger_rg', '-n', 'db_node1'])).toMatchObject({
      code: 1,
    });
    expect(await lab.run('db_node1', ['clRGmove', '-m', '-g', 'ledger_rg', '-n', 'dbhost2'])).toMatchObject({
      code: 1,
    });
    await expect(lab.move('no_rg', 'db_node2')).rejects.toThrow(/no resource group/);
  });

  it('takes over from a node that dies, and lets it join again', async () => {
    await lab.crash('db_node1');
    expect(await groups('db_node2')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ONLINE db_node2']);
    expect(await nodes('db_node2')).toEqual(['db_node1:OFFLINE:ST_INIT', 'db_node2:NORMAL:ST_STABLE']);
    expect(await out('db_node2', 'lscluster', '-m')).toMatch(
      /Node name: db_node1[\s\S]*State of node: DOWN[\s\S]*Node name: db_node2[\s\S]*State of node: UP {2}NODE_LOCAL/,
    );
    expect(await out('db_node2', 'lsrpnode')).toMatch(/^db_node1 +Offline/m);
    await expect(lab.transport('db_node1').open('true')).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' });
    await lab.recover('db_node1');
    expect(await groups('db_node1')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ONLINE db_node2']);
    expect(await nodes('db_node1')).toEqual(['db_node1:NORMAL:ST_STABLE', 'db_node2:NORMAL:ST_STABLE']);
    expect(await permission('db_node1')).toBe('passive-only');
  });

  it('takes over a group whose node dies while it acquires or releases', async () => {
    lab.fault({
      node: 'db_node2',
      program: 'mount',
      arguments: '/ledger/journal',
      does: { kind: 'crashes', when: 'before' },
    });
    await expect(lab.move('ledger_rg', 'db_node2')).rejects.toThrow(/did not come online/);
    await lab.settled();
    expect(await groups('db_node1')).toEqual(['ledger_rg ONLINE db_node1', 'ledger_rg OFFLINE db_node2']);
    expect(await manager('db_node1')).toBe('Current state: ST_STABLE');
    await lab.recover('db_node2');
    lab.fault({ node: 'db_node1', program: 'umount', does: { kind: 'crashes', when: 'after' } });
    await expect(lab.move('ledger_rg', 'db_node2')).rejects.toThrow(/did not come online/);
    await lab.settled();
    expect(await groups('db_node2')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ONLINE db_node2']);
    expect(await out('db_node2', 'ledgerctl', 'status')).toMatch(/^ledger is running/);
  });

  it('hides an unmanaged node from clRGinfo and lssrc, not from clmgr', async () => {
    await lab.run('db_node1', ['clmgr', 'offline', 'node', 'db_node1', 'WHEN=now', 'MANAGE=unmanage']);
    for (const node of both) {
      expect(await manager(node)).toBe('Current state: ST_STABLE');
      expect(await groups(node)).toEqual(['ledger_rg UNMANAGED db_node1', 'ledger_rg UNMANAGED db_node2']);
      expect(await nodes(node)).toEqual(['db_node1:UNMANAGED:UNMANAGED', 'db_node2:NORMAL:ST_STABLE']);
    }
    expect(await mounted('db_node1')).toHaveLength(2);
    await lab.run('db_node1', ['clmgr', 'online', 'node', 'db_node1']);
    expect(await groups('db_node2')).toEqual(['ledger_rg ONLINE db_node1', 'ledger_rg OFFLINE db_node2']);

    await lab.run('db_node1', ['clmgr', 'offline', 'node', 'db_node2', 'MANAGE=unmanage']);
    expect(await groups('db_node1')).toEqual(['ledger_rg ONLINE db_node1', 'ledger_rg OFFLINE db_node2']);
    expect(await nodes('db_node1')).toContain('db_node2:UNMANAGED:UNMANAGED');
  });

  it('answers from a node that is itself out of the cluster', async () => {
    await lab.run('db_node1', ['clmgr', 'stop', 'node', 'db_node1', 'MANAGE=move']);
    expect(await manager('db_node1')).toBe('Current state: ST_INIT');
    expect(await groups('db_node1')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ONLINE db_node2']);
    expect(await nodes('db_node1')).toEqual(['db_node1:OFFLINE:ST_INIT', 'db_node2:NORMAL:ST_STABLE']);
    const rows = await out('db_node1', 'lssrc', '-g', 'cluster');
    expect(rows).toMatch(/^ clstrmgrES +cluster +\d+ +active$/m);
    expect(rows).toMatch(/^ clevmgrdES +cluster +inoperative$/m);
    await lab.run('db_node2', ['clmgr', 'stop', 'node', 'db_node2', 'MANAGE=offline']);
    expect(await lab.run('db_node1', ['clRGinfo', '-s'])).toMatchObject({ code: 1, stdout: '' });
  });

  it('lets each side of a partition hold the group', async () => {
    await lab.partition();
    expect(await groups('db_node1')).toEqual(['ledger_rg ONLINE db_node1', 'ledger_rg OFFLINE db_node2']);
    // It tries to; whether it can mount depends on what the other side does to the disks at that moment.
    expect(await groups('db_node2')).toEqual([
      'ledger_rg OFFLINE db_node1',
      expect.stringMatching(/^ledger_rg (ONLINE|ERROR) db_node2$/),
    ]);
    expect(await permission('db_node2')).toBe('read/write');
    expect(await out('db_node1', 'lsrpnode')).toMatch(/^db_node2 +Offline/m);
    expect(await out('db_node2', 'lsrpnode')).toMatch(/^db_node1 +Offline/m);
    lab.heal();
    expect(await out('db_node2', 'lsrpnode')).toMatch(/^db_node1 +Online/m);
  });

  it('stops at an event script that fails, until an operator repairs it', async () => {
    lab.fault({
      node: 'db_node2',
      program: 'mount',
      arguments: '/ledger/journal',
      does: { kind: 'fails-before', stderr: 'no\n' },
    });
    await expect(lab.move('ledger_rg', 'db_node2')).rejects.toThrow(/did not come online/);
    expect(await manager('db_node2')).toBe('Current state: ST_RP_FAILED');
    expect(await groups('db_node1')).toEqual(['ledger_rg OFFLINE db_node1', 'ledger_rg ERROR db_node2']);
    await lab.run('db_node1', ['clruncmd', 'db_node2']);
    expect(await manager('db_node2')).toBe('Current state: ST_STABLE');
  });

  it('has the service address where the group is', async () => {
    const serves = async (node: string) => (await out(node, 'ifconfig', '-a')).includes('inet 10.64.7.10 ');
    expect([await serves('db_node1'), await serves('db_node2')]).toEqual([true, false]);
    await lab.move('ledger_rg', 'db_node2');
    expect([await serves('db_node1'), await serves('db_node2')]).toEqual([false, true]);
    await lab.crash('db_node2');
    await lab.recover('db_node2');
    expect([await serves('db_node1'), await serves('db_node2')]).toEqual([true, false]);
  });

  it('runs what is registered at its events, on every node, and shows it in the ODM', async () => {
    const path = '/usr/local/bin/hook';
    for (const { name, root } of lab.nodes) {
      await lab.run(name, ['mkdir', '-p', '/usr/local/bin']);
      await lab.run(name, ['tee', path], `echo "$1 $2" >>${root}/tmp/seen; exit 7\n`);
    }
    expect(() => lab.registerEvent({ event: 'node_sleeps', place: 'post', name: 'hook', path })).toThrow(RangeError);
    const back = (['node_down_remote', 'node_up_remote_complete', 'rg_move_complete'] as const).map((event) =>
      lab.registerEvent({ event, place: 'post', name: 'hook', path }),
    );
    expect(await out('db_node2', 'odmget', '-q', 'name=node_down_remote', 'HACMPevent')).toMatch(
      /^\nHACMPevent:\n\tname = "node_down_remote"\n[\s\S]*\tpost = "hook"\n/,
    );
    await lab.crash('db_node1');
    await lab.recover('db_node1');
    await lab.move('ledger_rg', 'db_node1');
    const moved = 'rg_move_complete db_node1\n';
    expect(await out('db_node1', 'cat', '/tmp/seen')).toBe(moved);
    expect(await out('db_node2', 'cat', '/tmp/seen')).toBe(
      `node_down_remote db_node1\nnode_up_remote_complete db_node1\n${moved}`,
    );
    for (const undo of back) undo();
    expect(await out('db_node2', 'odmget', 'HACMPevent')).not.toContain('hook');
  });

  it('reports its configuration', async () => {
    expect(await out('db_node2', 'cllsgrp')).toBe('ledger_rg\n');
    expect(await out('db_node2', 'cllsvg', '-g', 'ledger_rg')).toBe('ledger_rg ledgervg\n');
    expect(await out('db_node2', 'cllsfs', '-g', 'ledger_rg')).toBe(
      'ledger_rg /ledger/accounts\nledger_rg /ledger/journal\n',
    );
    expect(await out('db_node2', 'clshowres', '-g', 'ledger_rg')).toMatch(/^Volume Groups {39}ledgervg$/m);
    expect(await out('db_node2', 'cllsnode')).toMatch(
      /^NODE db_node1:\n {4}Interfaces to network net_ether_01\n {8}Communication Interface: Name dbhost1, /,
    );
    expect(await out('db_node1', 'odmget', 'HACMPnode')).toMatch(
      /\nHACMPnode:\n\tname = "db_node1"\n[\s\S]*\tversion = 18\n/,
    );
    expect(await out('db_node1', 'odmget', '-q', 'name=db_node2 and object=IPADDRESS', 'HACMPnode')).toMatch(
      /^\nHACMPnode:\n(?!.*HACMPnode)[\s\S]*value = "10\.64\.7\.12"/,
    );
    expect(await out('db_node1', 'clmgr', 'query', 'resource_group', 'ledger_rg')).toMatch(
      /^NAME="ledger_rg"\nCURRENT_NODE="db_node1"\nNODES="db_node1 db_node2"\nSTATE="ONLINE"\n/,
    );
    expect(await out('db_node1', 'clmgr', 'query', 'cluster')).toContain('STATE="STABLE"\n');
    const asked = await out('db_node1', 'clcmd', 'lssrc', '-ls', 'clstrmgrES');
    expect(asked.match(/^Current state: ST_STABLE$/gm)).toHaveLength(2);
    expect(asked).toMatch(/^-{31}\nNODE db_node1\n-{31}\nCurrent state/);
    expect(await out('db_node1', 'clrsh', 'db_node2', 'get_local_nodename')).toBe('db_node2\n');
    expect(await out('db_node1', 'clrsh', 'nobody', 'date')).toBe('Communication error, see logfile\n');
  });
});

describe('the generations', () => {
  const labs = new Map<Generation, Lab>();
  beforeAll(async () => {
    for (const generation of ['4.x', '5.x', '7.1'] as const) {
      labs.set(generation, await startLab({ generation, contentBytes: 10_000, phaseMs: 0 }));
    }
  });
  afterAll(async () => {
    for (const old of labs.values()) await old.close();
  });
  const answers = async (generation: Generation, node: string, ...argv: [string, ...string[]]) => {
    const ran = await labs.get(generation)?.run(node, argv);
    return [ran?.code, ran?.stdout];
  };

  it('lack the commands of later ones', async () => {
    const lacking = (generation: Generation) => answers(generation, 'db_node1', 'clmgr', 'query', 'node');
    expect((await lacking('4.x'))[0]).toBe(127);
    expect((await lacking('5.x'))[0]).toBe(127);
    expect(await lacking('7.1')).toEqual([0, 'db_node1\ndb_node2\n']);
    expect((await answers('4.x', 'db_node1', 'clRGinfo'))[0]).toBe(127);
  });

  it('tell the holder of a group in their own words', async () => {
    expect(await answers('4.x', 'db_node2', 'clfindres')).toEqual([
      0,
      expect.stringMatching(/^GroupName +Type +State +Location\n[- ]+\nledger_rg +rotating +UP +db_node1\n$/),
    ]);
    expect((await answers('5.x', 'db_node2', 'clfindres', '-s'))[1]).toMatch(/^ledger_rg:ONLINE:db_node1:/);
  });

  it('run their own daemons at their own levels', async () => {
    expect((await answers('4.x', 'db_node1', 'lssrc', '-g', 'cluster'))[1]).toMatch(
      /^ clstrmgr +cluster +\d+ +active\n clsmuxpd /m,
    );
    expect((await answers('5.x', 'db_node1', 'lssrc', '-ls', 'clstrmgrES'))[1]).not.toContain('CLversion');
    expect((await answers('5.x', 'db_node1', 'clshowsrv', '-a'))[1]).toMatch(
      /^Status of the optional HACMP subsystems:$/m,
    );
    expect((await answers('7.1', 'db_node1', 'lssrc', '-ls', 'clstrmgrES'))[1]).toMatch(
      /^CLversion: 15\nlocal node vrmf is 7132\n/m,
    );
    expect((await answers('7.1', 'db_node1', 'lslpp', '-qLc', 'cluster.es.server.rte'))[1]).toMatch(/:7\.1\.3\.1:/);
    expect((await answers('4.x', 'db_node1', 'lslpp', '-qLc', 'cluster.base.server.rte'))[1]).toMatch(/:4\.5\.0\.1:/);
  });
});

describe('sites', () => {
  it('give a group a secondary instance on the other one', async () => {
    const nodes = [
      { name: 'north1', host: 'n1', site: 'north' },
      { name: 'north2', host: 'n2', site: 'north' },
      { name: 'south1', host: 's1', site: 'south' },
    ];
    const far = await startLab({ nodes, contentBytes: 10_000, phaseMs: 0 });
    try {
      expect((await far.run('south1', ['clRGinfo'])).stdout.split('\n').slice(3, 6)).toEqual([
        'ledger_rg      ONLINE                       north1@north',
        '               OFFLINE                      north2@north',
        '               ONLINE SECONDARY             south1@south',
      ]);
      expect((await far.run('north2', ['clRGinfo', '-s'])).stdout).toMatch(
        /^ledger_rg:ONLINE SECONDARY:south1:non-concurrent:OHN:FNPN:NFB:primary:south:: : :::$/m,
      );
      await far.crash('north1');
      await far.crash('north2');
      expect((await far.run('south1', ['clRGinfo', '-s'])).stdout).toMatch(/^ledger_rg:ONLINE:south1:/m);
    } finally {
      await far.close();
    }
  });
});

describe('groups besides the ledger', () => {
  it('follow their own policies', async () => {
    const many = await startLab({
      contentBytes: 10_000,
      phaseMs: 0,
      groups: [
        { name: 'all_rg', policies: { startup: 'OAAN' } },
        { name: 'back_rg', nodes: ['db_node2', 'db_node1'], policies: { startup: 'OFAN', fallback: 'FBHPN' } },
        { name: 'stay_rg', nodes: ['db_node2', 'db_node1'], policies: { fallover: 'BO' } },
      ],
    });
    const states = async () =>
      Object.fromEntries(
        (await many.run('db_node1', ['clRGinfo', '-s'])).stdout
          .trim()
          .split('\n')
          .map((line) => line.split(':').slice(0, 3))
          .map(([group, state, node]) => [`${group} ${node?.slice(-1)}`, state]),
      );
    try {
      expect(await states()).toMatchObject({
        'all_rg 1': 'ONLINE',
        'all_rg 2': 'ONLINE',
        'back_rg 2': 'ONLINE',
        'stay_rg 2': 'ONLINE',
      });
      expect((await many.run('db_node1', ['clRGinfo', '-s', 'all_rg'])).stdout).toMatch(
        /^all_rg:ONLINE:db_node1:concurrent:OAAN:/,
      );
      await many.crash('db_node2');
      expect(await states()).toMatchObject({
        'all_rg 1': 'ONLINE',
        'all_rg 2': 'OFFLINE',
        'back_rg 1': 'ONLINE',
        'stay_rg 1': 'OFFLINE',
      });
      await many.recover('db_node2');
      expect(await states()).toMatchObject({
        'all_rg 2': 'ONLINE',
        'back_rg 1': 'OFFLINE',
        'back_rg 2': 'ONLINE',
        'stay_rg 2': 'ONLINE',
      });
      await expect(many.move('all_rg', 'db_node1')).rejects.toThrow(/concurrent/);
    } finally {
      await many.close();
    }
  });
});
