import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import {
  type GroupInstance,
  type GroupRow,
  managerMeaning,
  meaningOf,
  parseAddresses,
  parseClusterManager,
  parseClusterStatus,
  parseGroupRows,
  parseGroupServices,
  parseGroupTable,
  parseMembership,
  parseNodeStates,
  parseOdmObjects,
  parsePeerNodes,
  parseSnmpCluster,
  parseVarbinds,
  readerOf,
} from '../src/index.ts';
import { textOf } from './fixtures.ts';

const ruler = '-'.repeat(77);
const brief = (rows: readonly GroupInstance[]) => rows.map(({ group, state, node }) => `${group} ${state} ${node}`);

/** Every state that is documented, and what it means for a backup. */
const states = {
  ONLINE: 'online',
  OFFLINE: 'offline',
  'OFFLINE due to parent offline': 'offline',
  'OFFLINE due to fallover': 'offline',
  'OFFLINE due to lack of node': 'offline',
  ACQUIRING: 'moving',
  RELEASING: 'moving',
  'TEMPORARY ERROR': 'moving',
  ERROR: 'error',
  UNMANAGED: 'unmanaged',
  'ONLINE SECONDARY': 'secondary',
  'OFFLINE SECONDARY': 'secondary',
  'ACQUIRING SECONDARY': 'moving',
  'RELEASING SECONDARY': 'moving',
  'TEMP ERROR SECONDARY': 'moving',
  'ERROR SECONDARY': 'error',
  'UNMANAGED SECONDARY': 'unmanaged',
} as const;

/** The four layouts of the table: where state and node begin, and the word above the state. */
const layouts = [
  [15, 44, 'Group State'],
  [15, 44, 'State'],
  [29, 46, 'Group State'],
  [29, 46, 'State'],
] as const;

describe.each(Object.entries(states))('%s', (state, meaning) => {
  it(`is ${meaning}, and read alike in every layout of clRGinfo`, () => {
    expect(meaningOf(state)).toBe(meaning);
    const colon = [
      `payrg:${state}:n1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n`,
      `payrg:${state}:n1:non-concurrent:OHN:FNPN:NFB:primary:north:: : :::\n`,
      `payrg:${state}:n1\n`,
    ];
    for (const text of colon) {
      const [row] = parseGroupRows(text);
      expect(row).toMatchObject({ group: 'payrg', state, node: 'n1' } satisfies Partial<GroupRow>);
    }
    for (const [stateAt, nodeAt, word] of layouts) {
      for (const node of ['n1', 'n1@north']) {
        const line = (group: string, text: string, name: string) =>
          `${group.padEnd(stateAt - 1)} ${text.padEnd(nodeAt - stateAt - 1)} ${name}\n`;
        const table = `${ruler}\n${line('Group Name', word, 'Node')}${ruler}\n${line('payrg', state, node)}${line('', 'OFFLINE', 'n2')}`;
        expect(brief(parseGroupTable(table))).toEqual([`payrg ${state} n1`, 'payrg OFFLINE n2']);
      }
    }
  });
});

describe.each(['ONLINE_SECONDARY', 'online', 'ONLINE due to fallover', 'OFFLINE?', 'UP', 'SLEEPING'])('%s', (state) => {
  it('is unknown', () => {
    expect(meaningOf(state)).toBe('unknown');
  });
});

describe('words of the cluster manager, 5.x to 7.2', () => {
  it.each([
    ['NOT_CONFIGURED', 'not-configured'],
    ['ST_INIT', 'down'],
    ['ST_JOINING', 'moving'],
    ['ST_VOTING', 'moving'],
    ['ST_RP_RUNNING', 'moving'],
    ['ST_BARRIER', 'moving'],
    ['ST_CBARRIER', 'moving'],
    ['ST_UNSTABLE', 'moving'],
    ['RP_FAILED', 'failed'],
    ['ST_RP_FAILED', 'failed'],
    ['ST_STABLE', 'stable'],
    ['INIT', 'unknown'],
    ['OFFLINE', 'unknown'],
    ['STABLE', 'unknown'],
  ])('%s is %s', (word, meaning) => {
    const text = `Current state: ${word}\nThere are 0 events on the Ibcast queue\n`;
    expect(managerMeaning(parseClusterManager(text).state)).toBe(meaning);
  });

  it('are told without levels by 5.x', () => {
    expect(parseClusterManager(textOf('cluster-manager-5x'))).toMatchObject({
      state: 'ST_RP_RUNNING',
      queuedEvents: { Ibcast: 2, 'RM Ibcast': 1 },
      clVersion: null,
      vrmf: null,
      lastEvent: null,
    });
  });
});

describe('dialects', () => {
  it('keep a long name apart by the state behind it', () => {
    expect(brief(parseGroupTable(textOf('group-table-narrow-heading')))).toEqual([
      'payrg UNMANAGED db_node1',
      'payrg UNMANAGED db_node2',
      'a_group_with_a_name_as_long_as_this_one_is ONLINE db_node2',
      'a_group_with_a_name_as_long_as_this_one_is OFFLINE SECONDARY db_node1',
    ]);
    const odd = textOf('group-table-narrow-heading').replace('is ONLINE db_node2', 'is SLEEPING db_node2');
    expect(() => parseGroupTable(odd)).toThrow(ParseError);
  });

  it('show a forced stop, and a raw state that is empty', () => {
    expect(parseNodeStates(textOf('node-states-unmanaged'))).toEqual([
      { name: 'db_node1', state: 'UNMANAGED', rawState: 'UNMANAGED' },
      { name: 'db_node2', state: 'NORMAL', rawState: 'ST_STABLE' },
      { name: 'db_node3', state: 'OFFLINE', rawState: '' },
    ]);
  });

  it('list sites, and nodes that are down', () => {
    expect(
      parseMembership(textOf('membership-sites')).map(({ name, state, pointsOfContact }) => [
        name,
        state,
        pointsOfContact,
      ]),
    ).toEqual([
      ['north1', 'UP', 0],
      ['north2', 'UP', 2],
      ['south1', 'DOWN REACHABLE_DIRECT', 0],
    ]);
    expect(() => parseMembership('Cluster services are not active.\n')).toThrow(ParseError);
  });

  it('know no groups in clstat of 4.x', () => {
    const { substate, nodes } = parseClusterStatus(textOf('cluster-status-4x'));
    expect(substate).toBe('UNSTABLE');
    expect(nodes.map(({ name, state, groups }) => [name, state, groups])).toEqual([
      ['db_node1', 'UP', {}],
      ['db_node2', 'joining', {}],
    ]);
  });

  it('count the cluster managers that have joined', () => {
    const { subsystem, groups } = parseGroupServices(textOf('group-services'));
    expect(subsystem).toMatchObject({ name: 'cthags', status: 'active' });
    expect(groups.at(-1)).toEqual({
      name: 'CLSTRMGR_1274093551',
      providers: 2,
      localProviders: 1,
      localSubscribers: 0,
    });
    const cut = textOf('group-services').replace('known locally: 3', 'known locally: 8');
    for (const text of ['', 'lssrc: 0513-036 no\n', textOf('group-services').split('HA Group')[0] ?? '', cut]) {
      expect(() => parseGroupServices(text)).toThrow(ParseError);
    }
  });

  it('tell addresses, aliases among them', () => {
    expect(parseAddresses(textOf('addresses')).map((found) => `${found.interface} ${found.address}`)).toEqual([
      'en0 10.1.1.1',
      'en0 10.1.1.200',
      'lo0 127.0.0.1',
      'lo0 ::1',
    ]);
    for (const text of ['', 'ifconfig: no\n', '\tinet 10.1.1.1\n', 'en0: flags=1\n\tinet here\n', 'en0: flags=1\n']) {
      expect(() => parseAddresses(text)).toThrow(ParseError);
    }
  });

  it('hold addresses in the MIB', () => {
    expect(parseSnmpCluster(textOf('snmp-nodes'))).toMatchObject({ state: 'up', substate: 'reconfig', nodeCount: 2 });
    expect(parseVarbinds(textOf('snmp-nodes')).find(({ name }) => name === 'addrAddr')?.value).toBe('10.1.1.10');
  });

  it('keep what is registered at an event', () => {
    expect(parseOdmObjects(textOf('odm-events'))).toMatchObject([
      { className: 'HACMPevent', attributes: { post: 'site_hook splitmirror_event', count: 0 } },
    ]);
  });

  it('refuse a node that comes twice', () => {
    const row = 'db_node1  Online  3.2.1.4\n';
    expect(() => parsePeerNodes(`Name        OpState     RSCTVersion\n${row}${row}`)).toThrow(ParseError);
  });

  it('have a reader for every command that is asked or documented, by any of its names', () => {
    const commands = [
      '/usr/es/sbin/cluster/utilities/clRGinfo -s payrg',
      '/usr/es/sbin/cluster/utilities/clRGinfo',
      'clfindres',
      'clfindres -s',
      'lssrc -ls clstrmgrES',
      'lssrc -g cluster',
      'lssrc -s clstrmgrES',
      'lssrc -ls cthags',
      'clshowsrv -v',
      'clmgr -cv -a name,state,raw_state query node',
      'clmgr query cluster',
      'clmgr query resource_group payrg',
      'clmgr move rg payrg node=db1',
      'clRGmove -g payrg -n db1 -m',
      'cltopinfo',
      'clshowres -g payrg',
      'cllsfs -g payrg',
      'cllsgrp',
      'cllsnode',
      'clgetactivenodes -n db1',
      'lscluster -m',
      'lscluster -i',
      'lscluster -d',
      'lsrpnode',
      'clcmd -n c1 lssrc -ls clstrmgrES',
      'clrsh db1 date',
      'odmget HACMPnode',
      'odmget -q name=rg_move HACMPevent',
      'clstat -a -o',
      'snmpinfo -v -m dump -o /usr/es/sbin/cluster/hacmp.defs cluster',
      'halevel -s',
      'lslpp -c -l',
      'get_local_nodename',
      'ifconfig -a',
    ];
    expect(commands.filter((command) => readerOf(command) === undefined)).toEqual([]);
  });
});
