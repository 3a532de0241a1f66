import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import {
  hasHacmp,
  managerMeaning,
  meaningOf,
  parseAttributes,
  parseClusterManager,
  parseClusterStatus,
  parseConfiguredNodes,
  parseFilesets,
  parseFoundGroups,
  parseGroupFileSystems,
  parseGroupMove,
  parseGroupRows,
  parseGroupTable,
  parseHaLevel,
  parseLocalNodeName,
  parseLogicalVolumes,
  parseMembership,
  parseMounts,
  parseNames,
  parseNodeOutputs,
  parseNodeStates,
  parseOdmObjects,
  parseOdmVersions,
  parsePeerNodes,
  parseRemoteOutput,
  parseReporting,
  parseResources,
  parseShownServices,
  parseSnmpCluster,
  parseSubsystems,
  parseTopology,
  parseVolumeGroup,
  readerOf,
} from '../src/index.ts';
import { textOf } from './fixtures.ts';

/** Where and why a reader refuses. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('parseGroupRows', () => {
  it('keeps state texts whole, and sites', () => {
    expect(
      parseGroupRows(textOf('group-rows-sites')).map(({ node, site, state, role }) => [node, site, state, role]),
    ).toEqual([
      ['north1', 'north', 'ONLINE', 'primary'],
      ['south1', 'south', 'ONLINE SECONDARY', 'secondary'],
    ]);
    expect(parseGroupRows(textOf('group-rows'))[2]).toEqual({
      group: 'webrg',
      node: 'db_node1',
      site: null,
      state: 'ONLINE',
      role: 'primary',
      type: 'concurrent',
      startup: 'OAAN',
      fallover: 'BO',
      fallback: 'NFB',
      sitePolicy: 'ignore',
    });
  });

  it.each([
    ['', 'clRGinfo -s:1:1: no line'],
    ['There is no cluster definition.\n', 'not a line of group'],
    [`${'a:ONLINE:n1:x\n'}cl_rgutils: Error: no answer: b\n`, 'clRGinfo -s:2:1: not a line of group'],
    ['a:ONLINE:n1:x\na:ONLINE\n', 'clRGinfo -s:2:1: not a line'],
    ['a:ONLINE:n1:x\na:OFFLINE:n2:x:y\n', 'clRGinfo -s:2:1: 5 fields where the first line has 4'],
    ['a: ONLINE:n1:x\n', 'not a line of group'],
    [`${`a:ONLINE:n1${':'.repeat(12)}`}\ra:OFFLINE:n2${':'.repeat(12)}\n`, '29 fields, where no level prints more'],
    ['rg1:ONLINE:nod', 'clRGinfo -s:1:1: a line that is cut'],
    ['rg1:OFFLINE:nodeb\nrg1:ONLINE:nod', 'clRGinfo -s:2:1: a line that is cut'],
    ['rg1:ONLINE:nodea:non-conc', 'a line that is cut'],
    ['rg1:ONLINE:nodea:non-concurrent:OHN:FNPN:NFB\n', 'a line that is cut'],
    ['rg1:ONLINE:nodea:non-concurrent:OHN:FNPN:NFB:primary:nor', 'a line that is cut'],
  ])('refuses %j', (text, reason) => {
    expect(refusal(() => parseGroupRows(text))).toContain(reason);
  });
});

describe('meaningOf', () => {
  it.each([
    ['ONLINE', 'online'],
    ['ONLINE SECONDARY', 'secondary'],
    ['ONLINE_SECONDARY', 'unknown'],
    ['online', 'unknown'],
    ['OFFLINE', 'offline'],
    ['OFFLINE due to fallover', 'offline'],
    ['OFFLINE SECONDARY', 'secondary'],
    ['OFFLINEX', 'unknown'],
    ['TEMPORARY ERROR', 'moving'],
    ['UNMANAGED SECONDARY', 'unmanaged'],
    ['', 'unknown'],
    ['constructor', 'unknown'],
  ])('takes %j for %s', (state, meaning) => {
    expect(meaningOf(state)).toBe(meaning);
  });
});

const ruler = '-'.repeat(77);

describe('parseGroupTable', () => {
  it('takes its columns from the heading, and the group from the row above', () => {
    expect(parseGroupTable(textOf('group-table')).map(({ group, state, node }) => [group, state, node])).toEqual([
      ['payrg', 'OFFLINE', 'db_node1'],
      ['payrg', 'ONLINE', 'db_node2'],
      ['webrg', 'TEMPORARY ERROR', 'db_node1'],
      ['webrg', 'OFFLINE due to lack of node', 'db_node2'],
    ]);
  });

  it('reads sites, and two words of which only one blank parts the node', () => {
    expect(parseGroupTable(textOf('group-table-sites'))).toEqual([
      { group: 'payrg', node: 'north1', site: 'north', state: 'ONLINE', role: 'primary' },
      { group: 'payrg', node: 'south1', site: 'south', state: 'ONLINE SECONDARY', role: 'secondary' },
    ]);
  });

  it.each([
    ['a row that fits no column', 'payrg          OFFLINE', 'payrg SLEEPING'],
    ['a message among the rows', 'webrg ', 'cannot reach the cluster manager\nwebrg '],
    ['a node that comes twice', 'webrg          TEMPORARY', 'payrg          TEMPORARY'],
    ['another heading', 'Group Name', 'Name      '],
  ])('refuses %s', (_, from, to) => {
    expect(refusal(() => parseGroupTable(textOf('group-table').replace(from, to)))).not.toBe('accepted');
  });

  it.each([
    ['a state that fills its column', 29, 46, `${' '.repeat(29)}OFFLINE SECONDARYnodeb@siteB`],
    ['a state longer than its column', 29, 46, `${' '.repeat(29)}UNMANAGED SECONDARYnodeb@siteB`],
    ['a reason that fills its column', 15, 44, 'app_rg         OFFLINE due to parent offlinenodea'],
    ['a reason longer than its column', 29, 46, `${'app_rg'.padEnd(29)}OFFLINE due to lack of nodenodea`],
    ['a group that fills its column', 15, 44, 'a_group_of_its_TEMPORARY ERROR              nodea'],
    ['a message in wide gaps', 15, 44, 'NOTE   ERROR  occurred'],
    ['a message in single blanks', 15, 44, 'NOTE           ERROR occurred'],
  ])('refuses %s', (_, stateAt, nodeAt, row) => {
    const table = (last: string) =>
      [ruler, `${'Group Name'.padEnd(stateAt)}${'State'.padEnd(nodeAt - stateAt)}Node`, ruler]
        .concat(`${'web_rg'.padEnd(stateAt)}${'ONLINE'.padEnd(nodeAt - stateAt)}nodex`, last)
        .join('\n');
    expect(refusal(() => parseGroupTable(table(row)))).toContain('clRGinfo:5:1: not a row');
    const unknown = `${'new_rg'.padEnd(stateAt)}${'SLEEPING'.padEnd(nodeAt - stateAt)}nodea`;
    expect(parseGroupTable(table(unknown)).at(-1)).toMatchObject({ group: 'new_rg', state: 'SLEEPING', node: 'nodea' });
  });
});

describe('parseFoundGroups', () => {
  it('knows the words of 4.x', () => {
    expect(parseFoundGroups(textOf('found-groups'))).toEqual([
      { name: 'payrg', type: 'cascading', state: 'UP', location: 'db_node1' },
      { name: 'webrg', type: 'rotating', state: 'DOWN', location: 'db_node2' },
    ]);
  });

  it('refuses a column more', () => {
    const sticky = textOf('found-groups').replace('Location', 'Location Sticky');
    expect(refusal(() => parseFoundGroups(sticky))).toContain('not rows of group, type, state and location');
  });

  it('takes a name on a line of its own', () => {
    const wrapped = textOf('found-groups')
      .replace(/^payrg +/m, 'payrg:\n')
      .replace(/^GroupName +/m, 'GroupName\n');
    expect(parseFoundGroups(wrapped)).toEqual(parseFoundGroups(textOf('found-groups')));
  });

  it.each([
    ['rows that go on without a name', 'UP         db_node1', 'UP db_node1\n UP db_node3\n UP db_node4'],
    ['locations on lines of their own', 'db_node1', 'db_node1\n db_node3\n db_node4'],
    ['a location missing', 'UP         db_node1', 'UP'],
    ['a group twice at one location', /^payrg.*$/m, '$&\n$&'],
  ])('refuses %s', (_, from, to) => {
    expect(refusal(() => parseFoundGroups(textOf('found-groups').replace(from, to)))).not.toBe('accepted');
  });

  it('reads a group that has a row for each of its locations', () => {
    const rows = textOf('found-groups').replace('webrg', 'payrg');
    expect(parseFoundGroups(rows).map(({ name }) => name)).toEqual(['payrg', 'payrg']);
  });

  it('refuses a list of locations, and says so', () => {
    const list = textOf('found-groups').replace('db_node2', 'db_node2 db_node3');
    expect(refusal(() => parseFoundGroups(list))).toMatch(/^clfindres:\d+:1: more than one location/);
  });
});

describe('parseGroupMove', () => {
  it('reads node before state', () => {
    expect(parseGroupMove(textOf('group-move'))).toMatchObject({
      group: 'payrg',
      cluster: 'pay_cluster',
      movedTo: 'db_node2',
      instances: [
        { node: 'db_node2', state: 'ONLINE' },
        { node: 'db_node1', state: 'OFFLINE' },
      ],
    });
  });

  it('refuses a node that comes twice', () => {
    expect(refusal(() => parseGroupMove(textOf('group-move').replace(/^db_node1 /m, 'db_node2 ')))).toContain(
      'a node that comes twice',
    );
  });

  it('refuses a move without its table', () => {
    expect(refusal(() => parseGroupMove('Attempting to move resource group payrg to node db_node2.\n'))).toContain(
      'no table',
    );
  });
});

describe('parseClusterManager', () => {
  it('reads state, queues, levels, nodes and the last event, and keeps the rest', () => {
    const manager = parseClusterManager(textOf('cluster-manager'));
    expect(manager).toMatchObject({
      state: 'ST_BARRIER',
      queuedEvents: { Ibcast: 1, 'RM Ibcast': 0 },
      localNodeId: 1,
      localSiteId: -1,
      clVersion: 16,
      vrmf: '7202',
      fixLevel: '2',
      nodes: { 1: 'db_node1', 2: 'db_node2' },
      lastEvent: { name: 'TE_RG_MOVE', nodeId: 2 },
    });
    expect(manager.other).toContain('There are 4 capabilities');
    expect(managerMeaning(manager.state)).toBe('moving');
    expect(managerMeaning('STABLE')).toBe('unknown');
  });

  it.each([
    ['no state', 'Current state: ST_BARRIER\n', ''],
    ['two states', 'CLversion', 'Current state: ST_STABLE\nCLversion'],
    ['two words for a state', 'ST_BARRIER', 'ST_BARRIER ST_STABLE'],
    ['a queue with another name', 'the Ibcast', 'some other'],
    ['an event without its node', ' on node 2', ''],
    ['a message of AIX', 'CLversion', '0513-056 Timeout waiting for command response.\nCLversion'],
  ])('refuses %s', (_, from, to) => {
    expect(refusal(() => parseClusterManager(textOf('cluster-manager').replace(from, to)))).not.toBe('accepted');
  });
});

describe('parseSubsystems', () => {
  it('tells a process from a group', () => {
    expect(parseSubsystems(textOf('subsystems'))).toEqual([
      { name: 'clstrmgrES', group: 'cluster', pid: 9109590, status: 'active' },
      { name: 'clinfoES', group: 'cluster', pid: null, status: 'inoperative' },
      { name: 'gsclvmd', group: null, pid: 23986188, status: 'active' },
    ]);
  });

  it('refuses a message', () => {
    expect(refusal(() => parseSubsystems('0513-085 The clstrmgrES Subsystem is not on file.\n'))).toContain(
      'lssrc:1:1',
    );
  });
});

describe('parseShownServices', () => {
  it('reads lists of subsystems with the details of the manager', () => {
    const shown = parseShownServices(textOf('shown-services-lists'));
    expect(shown.subsystems.map(({ section, name }) => [section, name])).toEqual([
      ['RSCT subsystems used by PowerHA SystemMirror', 'cthags'],
      ['PowerHA SystemMirror subsystems', 'clstrmgrES'],
    ]);
    expect(shown.manager).toMatchObject({ state: 'ST_STABLE', clVersion: 15 });
  });

  it('reads a block for each node, and knows no manager then', () => {
    expect(parseShownServices(textOf('shown-services-nodes'))).toMatchObject({
      nodes: [
        { node: 'db_node1', local: true, services: 'NORMAL', rawState: 'ST_STABLE', clusterAwareAix: 'UP' },
        { node: 'db_node2', local: false, services: 'OFFLINE', rawState: 'ST_INIT', clusterAwareAix: 'DOWN' },
      ],
      subsystems: [{ name: 'clcomd' }],
      manager: null,
    });
  });

  it('refuses rows without their heading, and half a block', () => {
    const lists = textOf('shown-services-lists').replace(/^Subsystem .*\n/m, '');
    expect(refusal(() => parseShownServices(lists))).toContain('no heading above it');
    const blocks = textOf('shown-services-nodes').replace(/^ +Remote communications.*\n/m, '');
    expect(refusal(() => parseShownServices(blocks))).toContain('no line "Remote communications"');
  });

  it('refuses a last list without a row, and a node that comes twice', () => {
    const cut = textOf('shown-services-lists').replace(/ clstrmgrES[\s\S]*/, '');
    expect(refusal(() => parseShownServices(cut))).toContain('nothing that tells a status');
    const twice = textOf('shown-services-nodes').replaceAll('db_node2', 'db_node1');
    expect(refusal(() => parseShownServices(twice))).toContain('a node that comes twice');
  });
});

describe('parseNodeStates', () => {
  it('keeps an empty raw state empty', () => {
    expect(parseNodeStates(textOf('node-states'))).toEqual([
      { name: 'db_node1', state: 'NORMAL', rawState: 'ST_STABLE' },
      { name: 'db_node2', state: 'UNMANAGED', rawState: 'UNMANAGED' },
      { name: 'db_node3', state: 'OFFLINE', rawState: '' },
    ]);
  });

  it.each([
    'ERROR: the cluster is not there\n',
    '# NAME:STATE\na:NORMAL\n',
    '# NAME:STATE:RAW_STATE\n',
    '# NAME:STATE:RAW_STATE\na:NORMAL\n',
    '# NAME:STATE:RAW_STATE\na:NORMAL:ST_STABLE\na:OFFLINE:ST_INIT\n',
  ])('refuses %j', (text) => {
    expect(refusal(() => parseNodeStates(text))).not.toBe('accepted');
  });
});

describe('parseAttributes', () => {
  it('reads several pairs a line, and values with = and ;', () => {
    expect(parseAttributes(textOf('attributes'))).toEqual({
      NAME: 'payrg',
      CURRENT_NODE: 'db_node2',
      STATE: 'ONLINE',
      NODES: 'db_node1 db_node2',
      FILESYSTEM: '/pay;/pay/log',
      MOUNT_OPTIONS: 'rw,log=INLINE',
      APPLICATIONS: '',
    });
  });

  it('refuses two states that differ, and text between pairs', () => {
    expect(refusal(() => parseAttributes('STATE="ONLINE"\nSTATE="OFFLINE"\n'))).toContain('STATE comes twice');
    expect(refusal(() => parseAttributes('NAME="a" and STATE="b"\n'))).toContain('not an attribute');
    expect(parseAttributes('STATE="ONLINE"\nSTATE="ONLINE"\n')).toEqual({ STATE: 'ONLINE' });
  });
});

describe('parseTopology', () => {
  it('reads nodes, networks and groups', () => {
    expect(parseTopology(textOf('topology'))).toMatchObject({
      cluster: 'pay_cluster',
      attributes: { 'Repository Disk': 'hdisk9 (00c0ffee12345678)' },
      nodes: { db_node2: { net_ether_01: { paysvc: '10.1.1.100', dbhost2: '10.1.1.2' } } },
      groups: [{ group: 'payrg', nodes: ['db_node1', 'db_node2'], serviceLabels: ['paysvc'] }],
    });
  });

  it('collects the service labels of a group', () => {
    const text = textOf('topology').replace(/(\tService IP Label +)paysvc\n/, '$1paysvc\n$1websvc\n');
    expect(parseTopology(text).groups[0]?.serviceLabels).toEqual(['paysvc', 'websvc']);
  });

  it('refuses fewer nodes than announced', () => {
    const text = textOf('topology').replace('2 node(s)', '3 node(s)');
    expect(refusal(() => parseTopology(text))).toContain('not the announced nodes');
    const cut = textOf('topology').replace(/(NODE db_node2:\n)[\s\S]*/, '$1');
    expect(refusal(() => parseTopology(cut))).toContain('cltopinfo:13:1: ends before the networks of a node');
    const twice = textOf('topology').replace(/^(Cluster Type.*\n)/m, '$1$1');
    expect(refusal(() => parseTopology(twice))).toContain('told twice');
  });
});

describe('parseResources', () => {
  it('keeps labels that only some levels print, whether they are empty or not', () => {
    const text = textOf('resources')
      .replace(/^Node Priority/m, 'Dynamic Node Priority')
      .replace(/^(Volume Groups.*\n)/m, 'Filesystems to be NFS mounted\n$1')
      .replace(/^(Concurrent Volume Groups.*\n)/m, '$1Disks\nGMVG Replicated Resources\n')
      .replace(/^(Application Servers.*\n)/m, '$1Highly Available Communication Links\nWPAR Name\n');
    expect(parseResources(text).groups[0]?.attributes).toMatchObject({ 'WPAR Name': '', 'Dynamic Node Priority': '' });
  });

  it('reads a group and the nodes of the run-time parameters', () => {
    expect(parseResources(textOf('resources'))).toMatchObject({
      groups: [
        {
          group: 'payrg',
          nodes: ['db_node1', 'db_node2'],
          fileSystems: ['/pay', '/pay/log'],
          volumeGroups: ['payvg'],
          concurrentVolumeGroups: [],
          serviceLabels: ['paysvc'],
        },
      ],
      runTimeNodes: ['db_node1', 'db_node2'],
    });
  });

  it.each([
    ['a value in the wrong column', /^(Filesystems {10})/m, '$1x'],
    ['a volume group that is an option', 'payvg', '-f'],
    ['a group without file systems', /^Filesystems {41}.*\n/m, ''],
    ['a label that comes twice', /^(Startup Policy.*\n)/m, '$1$1'],
    ['nodes that were wrapped', 'db_node1 db_node2\n', 'db_node1 db_node2\nBoston\n'],
    ['a policy that was wrapped', 'In The List', 'In\nThe List'],
    ['file systems that were wrapped', '/pay /pay/log', '/pay /pay/log\nALL'],
    ['volume groups that were wrapped', 'payvg', 'payvg\nLOGVG'],
    ['applications that were wrapped', 'payapp', 'payapp\nWEBAPP'],
    ['a message before the groups', /^/, 'ERROR: no odm\n'],
    ['a participating node without run-time parameters', /^Node Name +db_node2\n.*\n.*\n/m, ''],
  ])('refuses %s', (_, from, to) => {
    expect(refusal(() => parseResources(textOf('resources').replace(from, to)))).not.toBe('accepted');
  });
});

describe('readers of nodes', () => {
  it('read configured, active and peer nodes', () => {
    expect(parseConfiguredNodes(textOf('configured-nodes'))).toMatchObject([
      { name: 'db_node1', interfaces: [{ name: 'dbhost1' }, { name: 'paysvc', address: '10.1.1.100' }] },
      { name: 'db_node2', interfaces: [{ network: 'net_ether_01', attribute: 'public' }] },
    ]);
    expect(parseNames(textOf('names'))).toEqual(['payrg', 'webrg']);
    expect(parsePeerNodes(textOf('peer-nodes'))).toEqual([
      { name: 'db_node1', state: 'Online', rsctVersion: '3.2.1.4' },
      { name: 'db_node2', state: 'Offline', rsctVersion: '3.2.1.4' },
    ]);
    expect(parseLocalNodeName(textOf('local-node-name'))).toBe('db_node1');
  });

  it('refuse messages', () => {
    expect(refusal(() => parseNames('Communication error, see logfile\n'))).toContain('not one name');
    expect(refusal(() => parseLocalNodeName('no node\n'))).toContain('not one node name');
    expect(refusal(() => parsePeerNodes('Name OpState RSCTVersion\n'))).toContain('no node');
    expect(refusal(() => parseConfiguredNodes('NODE a:\nNODE a:\n'))).toContain('comes twice');
  });
});

describe('parseMembership', () => {
  it('reads states and points of contact', () => {
    expect(
      parseMembership(textOf('membership')).map(({ name, state, local, pointsOfContact }) => [
        name,
        state,
        local,
        pointsOfContact,
      ]),
    ).toEqual([
      ['db_node1', 'UP', true, 0],
      ['db_node2', 'UP', false, 1],
    ]);
  });

  it('keeps all words of a state', () => {
    const text = textOf('membership').replace(/UP$/m, 'UP  REACHABLE THROUGH REPOS DISK ONLY');
    expect(parseMembership(text).map(({ state }) => state)).toEqual(['UP', 'UP REACHABLE THROUGH REPOS DISK ONLY']);
  });

  it.each([
    ['in front', /^/],
    ['after the number of nodes', /\n\s+Node name: db_node1/],
    ['between two nodes', /\n-{76}/],
  ])('refuses a warning %s', (_, before) => {
    const text = textOf('membership').replace(before, '\nlscluster: WARNING: no access to the repository disk.$&');
    expect(refusal(() => parseMembership(text))).not.toBe('accepted');
  });

  it('refuses a node that is told twice', () => {
    const text = textOf('membership').replace('name: db_node2', 'name: db_node1');
    expect(refusal(() => parseMembership(text))).toContain('a node is told twice');
  });

  it('refuses a message, and fewer nodes than examined', () => {
    expect(refusal(() => parseMembership('Cluster services are not active.\n'))).toContain('0 nodes where no number');
    const text = textOf('membership').replace('examined: 2', 'examined: 3');
    expect(refusal(() => parseMembership(text))).toContain('2 nodes where 3 was announced');
  });
});

describe('parseReporting', () => {
  it('tells how many nodes an answer rests on', () => {
    expect(parseReporting(textOf('reporting'))).toEqual({
      reporting: 1,
      stale: 1,
      expected: 2,
      other: ['Network/Storage Interface Query', 'Cluster Name:  pay_cluster'],
    });
    expect(refusal(() => parseReporting('Cluster services are not active.\n'))).toContain(
      'not one number of nodes reporting',
    );
  });
});

describe('parseNodeOutputs', () => {
  it('does not take a line of the output for a node', () => {
    const [first, second] = parseNodeOutputs(textOf('node-outputs'));
    expect(parseNodeStates(first?.output.trimEnd() ?? '')).toHaveLength(1);
    expect(second).toEqual({ node: 'db_node2', output: 'NODE db_node1:\n    this line belongs to the output\n' });
  });

  it('refuses an answer of all nodes but one', () => {
    const text = 'NODE a\nCurrent state: ST_STABLE\nNODE b\nCommunication error, see logfile\n';
    expect(refusal(() => parseNodeOutputs(text))).toContain('clcmd on b:1:1: the node was not reached');
    expect(refusal(() => parseNodeOutputs('error\nNODE a\n'))).toContain('no node before it');
    expect(refusal(() => parseRemoteOutput('Communication error, see logfile\n'))).toContain('clrsh:1:1');
    expect(parseRemoteOutput('Thu\n')).toBe('Thu\n');
  });
});

describe('readers of ODM, SNMP, clstat and levels', () => {
  it('read objects, quotes included', () => {
    const [log, node] = parseOdmObjects(textOf('odm-objects'));
    expect(log?.attributes).toMatchObject({
      description: 'Generated by event scripts, "verbose"',
      value: '/logs/hacmp',
      rfs: '',
    });
    expect(node).toEqual({ className: 'HACMPnode', attributes: { name: 'db_node1', node_id: 1, version: 16 } });
    expect(parseOdmVersions(textOf('odm-versions'))).toEqual([16, 15]);
    expect(refusal(() => parseOdmObjects('name = "x"\n'))).toContain('not a class or an attribute');
  });

  it('read the cluster branch, and no holder from it', () => {
    const cluster = parseSnmpCluster(textOf('snmp'));
    expect(cluster).toEqual({
      name: 'pay_cluster',
      id: 4711,
      state: 'up',
      substate: 'reconfig',
      lastChange: 1386133818,
      answeringNode: 'db_node2',
      nodeCount: 2,
    });
    expect(refusal(() => parseSnmpCluster('clusterId.0 = 1\n'))).toContain('no clusterName.0');
  });

  it('read a snapshot of clstat', () => {
    expect(parseClusterStatus(textOf('cluster-status'))).toMatchObject({
      cluster: 'pay_cluster',
      id: 4711,
      nodes: [
        { name: 'db_node1', state: 'UP', groups: { payrg: 'online' } },
        { name: 'db_node2', state: 'DOWN', interfaces: [{ name: 'dbhost2', state: 'DOWN' }], groups: {} },
      ],
    });
    const lost = textOf('cluster-status').replace('Nodes: 2', 'Nodes: 3');
    expect(refusal(() => parseClusterStatus(lost))).toContain('not the announced nodes');
  });

  it('read levels, and tell HACMP from RSCT', () => {
    expect(parseHaLevel(textOf('ha-level'))).toEqual({ version: '7.2.2', servicePack: 'SP1' });
    const filesets = parseFilesets(textOf('filesets'));
    expect(hasHacmp(filesets)).toBe(true);
    expect(hasHacmp(filesets.map((fileset) => ({ ...fileset, name: 'rsct.basic.hacmp' })))).toBe(false);
  });

  it('read the file systems of groups', () => {
    expect(parseGroupFileSystems(textOf('group-file-systems'))).toContainEqual({ group: 'webrg', mountPoint: 'ALL' });
  });
});

describe('readers of the disks', () => {
  it('tell a standby by the permission', () => {
    expect(parseVolumeGroup(textOf('volume-group'))).toEqual({
      name: 'payvg',
      state: 'active',
      permission: 'passive-only',
    });
  });

  it('read volumes and mounts', () => {
    expect(parseLogicalVolumes(textOf('logical-volumes'))).toEqual([
      { name: 'paylog', type: 'jfs2log', mountPoint: null, splitCopy: false },
      { name: 'paylv', type: 'jfs2', mountPoint: '/pay', splitCopy: false },
      { name: 'paylvcopy00', type: 'jfs', mountPoint: '/splitmirror/k3f9q2/paylv', splitCopy: true },
      { name: 'payrawcopy00', type: 'raw', mountPoint: null, splitCopy: true },
    ]);
    expect(
      parseMounts(textOf('mounts')).map(({ host, device, mountPoint, since }) => [host, device, mountPoint, since]),
    ).toEqual([
      [null, '/dev/hd4', '/', 'Nov 19 22:01'],
      [null, '/dev/paylv', '/pay', 'Nov 20 06:12'],
      ['nfsbox', '/export/tools', '/tools', 'Nov 19 22:02'],
      [null, '-hosts', '/net', 'Nov 19 22:02'],
    ]);
  });

  it('refuse a locked volume group and rows of another shape', () => {
    expect(refusal(() => parseVolumeGroup('0516-1201 lsvg: Warning: Volume group payvg is locked.\n'))).not.toBe(
      'accepted',
    );
    expect(
      refusal(() => parseLogicalVolumes('0516-010 : Volume group must be varied on; use varyonvg command.\n')),
    ).not.toBe('accepted');
    const volumes = textOf('logical-volumes');
    expect(refusal(() => parseLogicalVolumes(volumes.replace('open/stale', 'open???????')))).not.toBe('accepted');
    expect(refusal(() => parseLogicalVolumes(volumes.replace('open???????', 'op????????')))).not.toBe('accepted');
    expect(refusal(() => parseMounts(`${textOf('mounts')}/dev/x /y jfs2 yesterday rw\n`))).toContain('mount:7:1');
  });
});

describe('readerOf', () => {
  it('finds readers by name and options, whatever the directory', () => {
    const pairs = 'NAME="payrg"\n';
    expect(readerOf('/usr/es/sbin/cluster/utilities/clRGinfo  -s')?.(textOf('group-rows'))).toHaveLength(4);
    expect(readerOf('clRGinfo payrg')?.(textOf('group-table'))).toHaveLength(4);
    expect(readerOf('lssrc -ls clstrmgrES')?.(textOf('cluster-manager'))).toMatchObject({ state: 'ST_BARRIER' });
    expect(readerOf('lssrc -a | grep -i cl')?.(textOf('subsystems'))).toHaveLength(3);
    expect(readerOf('clmgr query node')?.('payrg\n')).toEqual(['payrg']);
    for (const command of ['clmgr query node db_node1', 'clmgr -a state query cluster', 'clmgr query cluster']) {
      expect(readerOf(command)?.(pairs)).toEqual({ NAME: 'payrg' });
    }
  });

  it('takes whichever form clfindres prints, with -s and without', () => {
    const found = parseFoundGroups(textOf('found-groups'));
    for (const command of ['clfindres', 'clfindres -s', 'clfindres -s payrg']) {
      expect(readerOf(command)?.(textOf('found-groups'))).toEqual(found);
    }
    expect(readerOf('clfindres')?.(textOf('group-table'))).toHaveLength(4);
    expect(readerOf('clfindres -s')?.(textOf('group-rows'))).toHaveLength(4);
  });

  it('does not take the session of another command for an answer', () => {
    const session = `# uname -n\ndb1\n# clRGinfo -s\n${textOf('group-rows')}`;
    expect(refusal(() => readerOf('clRGinfo -s')?.(session))).toContain('not a line of group');
  });

  it.each(['clRGinfo -p', 'clRGinfo -m payrg', 'clRGinfo -v', 'clmgr -x query node', 'cldump', 'cldisp', 'ls'])(
    'has none for %s, whose layout is not known',
    (command) => {
      expect(readerOf(command)).toBeUndefined();
    },
  );
});
