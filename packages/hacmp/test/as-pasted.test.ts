import { ParseError } from '@splitmirror/host';
import { describe, expect, it } from 'vitest';
import { readerOf } from '../src/index.ts';

/** Outputs as different levels print them and as people keep them. Names are made up. */
const whole: readonly (readonly [about: string, command: string, text: string, expected: unknown])[] = [
  [
    'a table whose heading is wide and whose rows begin with the standby',
    'sudo /usr/es/sbin/cluster/utilities/clRGinfo',
    `-----------------------------------------------------------------------------
Group Name                   Group State      Node
-----------------------------------------------------------------------------
pay_rg                       OFFLINE          prd_a
                             ONLINE           prd_b

web_rg                       ERROR            prd_b
                             OFFLINE          prd_a
`,
    [
      { group: 'pay_rg', state: 'OFFLINE', node: 'prd_a', site: null, role: 'primary' },
      { group: 'pay_rg', state: 'ONLINE', node: 'prd_b' },
      { group: 'web_rg', state: 'ERROR', node: 'prd_b' },
      { group: 'web_rg', state: 'OFFLINE', node: 'prd_a' },
    ],
  ],
  [
    'a table with sites, two nodes at each',
    'clRGinfo glvm_rg   (after the failover)',
    `-----------------------------------------------------------------------------
Group Name     State                        Node
-----------------------------------------------------------------------------
glvm_rg        OFFLINE                      n1@east
               ONLINE                       n2@east
               ONLINE SECONDARY             n3@west
               OFFLINE SECONDARY            n4@west
-----------------------------------------------------------------------------`,
    [
      { node: 'n1', site: 'east', state: 'OFFLINE', role: 'primary' },
      { node: 'n2', site: 'east', state: 'ONLINE', role: 'primary' },
      { node: 'n3', site: 'west', state: 'ONLINE SECONDARY', role: 'secondary' },
      { node: 'n4', site: 'west', state: 'OFFLINE SECONDARY', role: 'secondary' },
    ],
  ],
  [
    'a table that went through a spreadsheet, with tabs for its columns',
    'clRGinfo',
    `-----------------------------------------------------------------------------
Group Name\tGroup State\tNode
-----------------------------------------------------------------------------
pay_rg\tTEMPORARY ERROR\tprd_a
\tOFFLINE due to parent offline\tprd_b
`,
    [
      { group: 'pay_rg', state: 'TEMPORARY ERROR', node: 'prd_a' },
      { group: 'pay_rg', state: 'OFFLINE due to parent offline', node: 'prd_b' },
    ],
  ],
  [
    'a prompt and a language before the command',
    '# LANG=C clRGinfo -s 2>/dev/null',
    'pay_rg:UNMANAGED:prd_a:non-concurrent:OFAN:FUDNP:FBHPN:ignore::: : :::\npay_rg:UNMANAGED:prd_b:non-concurrent:OFAN:FUDNP:FBHPN:ignore::: : :::\n',
    [
      { node: 'prd_a', state: 'UNMANAGED', startup: 'OFAN', fallover: 'FUDNP', fallback: 'FBHPN' },
      { node: 'prd_b', state: 'UNMANAGED' },
    ],
  ],
  [
    'a session with the command behind a prompt',
    'clRGinfo -s # on the first node',
    'root@prd_a:/> /usr/es/sbin/cluster/utilities/clRGinfo -s\npay_rg:ONLINE:prd_a:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\npay_rg:OFFLINE:prd_b:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\nroot@prd_a:/>\n',
    [{ node: 'prd_a' }, { node: 'prd_b' }],
  ],
  [
    'a session that ends in the middle of nowhere',
    '[prd_a] /home # clmgr -cv -a name,state,raw_state query node',
    '\n# clmgr -cv -a name,state,raw_state query node\n# NAME:STATE:RAW_STATE\nprd_a:NORMAL:ST_STABLE\n# ',
    [{ name: 'prd_a' }],
  ],
  [
    'the older name of the colon form',
    '/usr/es/sbin/cluster/utilities/clfindres -s pay_rg',
    'pay_rg:ACQUIRING:prd_a:non-concurrent:OUDP:FNPN:NFB:prefer primary:east:: : :::',
    [{ state: 'ACQUIRING', site: 'east', sitePolicy: 'prefer primary' }],
  ],
  [
    'a move between sites',
    'clmgr move rg glvm_rg site=west',
    `The group glvm_rg is to go to site west.

The cluster works on it....

Still at work.....

Resource group movement successful.
Resource group glvm_rg is online on site west.

Cluster Name: glvm_cl

Resource Group Name: glvm_rg
Node                                                            Group State
---------------------------------------------------------------- ---------------
n1@east                                                          ONLINE SECONDARY
n3@west                                                          ONLINE
`,
    {
      group: 'glvm_rg',
      cluster: 'glvm_cl',
      movedTo: null,
      instances: [
        { node: 'n1', site: 'east', state: 'ONLINE SECONDARY', role: 'secondary' },
        { node: 'n3', site: 'west', state: 'ONLINE', role: 'primary' },
      ],
    },
  ],
  [
    'a group that was taken offline',
    'CLMGR_TIMEOUT=120 clmgr offline resource_group pay_rg',
    `The group pay_rg is to go offline.

The cluster works on it....
Resource group movement successful.
Resource group pay_rg is offline on node prd_a.

Cluster Name: pay_cl
Resource Group Name: pay_rg
Node                         State
---------------------------- ---------------
prd_a                        OFFLINE
prd_b                        OFFLINE
`,
    { movedTo: null, instances: [{ state: 'OFFLINE' }, { state: 'OFFLINE' }] },
  ],
  [
    'the services of two nodes, with blank lines between everything',
    'clshowsrv -v',
    `
Local node: "prd_a" ("prd_a.example.com", "prd_a")

    Cluster services status:   "NORMAL" ("ST_STABLE")

    Remote communications:     "UP"

    Cluster-Aware AIX status:  "UP"


Remote node: "prd_b" ("prd_b.example.com", "prd_b")

    Cluster services status:   "UNMANAGED" ("UNMANAGED")

    Remote communications:     "DOWN"

    Cluster-Aware AIX status:  "DOWN"

Status of the RSCT subsystems used by PowerHA SystemMirror:
Subsystem         Group            PID          Status
 cthags           cthags           5243196      active
 ctrmc            rsct             4980986      active

Status of the PowerHA SystemMirror subsystems:
Subsystem         Group            PID          Status
 clstrmgrES       cluster          7405892      active
 clevmgrdES       cluster          7602536      active

Details of PowerHA SystemMirror cluster manager:
Current state: ST_STABLE
CLversion: 16
local node vrmf is 7200
`,
    {
      nodes: [
        {
          node: 'prd_a',
          local: true,
          services: 'NORMAL',
          rawState: 'ST_STABLE',
          hostNames: ['prd_a.example.com', 'prd_a'],
        },
        { node: 'prd_b', local: false, services: 'UNMANAGED', communications: 'DOWN', clusterAwareAix: 'DOWN' },
      ],
      subsystems: [{ name: 'cthags' }, { name: 'ctrmc' }, { name: 'clstrmgrES' }, { name: 'clevmgrdES' }],
      manager: { state: 'ST_STABLE', vrmf: '7200' },
    },
  ],
  [
    'the manager alone, filtered out of the services',
    "clshowsrv -v | grep 'Current state'",
    'Current state: ST_INIT\n',
    { state: 'ST_INIT' },
  ],
  [
    'services of HACMP 5.x that were stopped',
    'clshowsrv -a',
    `Subsystem         Group            PID          Status
 clstrmgrES       cluster          119232       active
 clinfoES         cluster                       inoperative
`,
    { manager: null, subsystems: [{ pid: 119232 }, { pid: null, status: 'inoperative' }] },
  ],
  [
    'a manager in the middle of a migration',
    'lssrc -l -s clstrmgrES',
    `Current state: ST_CBARRIER
sccsid = "@(#)36 1.1 some/source.C, hacmp, 61haes 10/21/"
build = "Oct 27 2014 16:03:01 1433C_hacmp713"
i_local_nodeid 0, i_local_siteid 1, my_handle 1
ml_idx[1]=0 ml_idx[2]=1
There are 0 events on the Ibcast queue
There are 0 events on the RM Ibcast queue
CLversion: 15
local node vrmf is 7200
cluster fix level is "0"
The following timer(s) are currently active:
Current DNP values
DNP Values for NodeId - 1  NodeName - prd_a
    PgSpFree = 1046542  PvPctBusy = 0  PctTotalTimeIdle = 98.8
CAA Cluster Capabilities
CAA Cluster services are active
There are 4 capabilities
trcOn 0, kTraceOn 0, stopTraceOnExit 0, cdNodeOn 0
Last event run was JOIN_NODE_CO  on node 1
`,
    {
      state: 'ST_CBARRIER',
      localSiteId: 1,
      clVersion: 15,
      vrmf: '7200',
      lastEvent: { name: 'JOIN_NODE_CO', nodeId: 1 },
    },
  ],
  [
    'a manager of which only the first lines were kept',
    'lssrc -ls clstrmgrES | head -3',
    'Current state: NOT_CONFIGURED\nsccsid = "$Header: @(#) 61haes $"\nbuild = "today"\n',
    { state: 'NOT_CONFIGURED', vrmf: null, lastEvent: null },
  ],
  [
    'two lists of subsystems, one after the other',
    'lssrc -g cluster; lssrc -g clcomdES',
    `Subsystem         Group            PID          Status
 clstrmgrES       cluster          286904       active
 clsmuxpd         cluster                       inoperative
Subsystem         Group            PID          Status
 clcomdES         clcomdES         155906       active
`,
    [{ name: 'clstrmgrES' }, { name: 'clsmuxpd', pid: null }, { name: 'clcomdES' }],
  ],
  [
    'the answer of all nodes to a query of states',
    'clcmd -n pay_cl /usr/es/sbin/cluster/utilities/clRGinfo -s',
    `
-------------------------------
NODE prd_a
-------------------------------
pay_rg:ONLINE:prd_a:non-concurrent:OHN:FNPN:NFB:ignore::: : :::

-------------------------------
NODE prd_b
-------------------------------
pay_rg:ONLINE:prd_a:non-concurrent:OHN:FNPN:NFB:ignore::: : :::
`,
    [
      { node: 'prd_a', value: [{ node: 'prd_a', state: 'ONLINE' }] },
      { node: 'prd_b', value: [{ node: 'prd_a', state: 'ONLINE' }] },
    ],
  ],
  [
    'subsystems of all nodes, with carriage returns',
    'clcmd lssrc -s clevmgrdES',
    `-------------------------------\r
NODE prd_a\r
-------------------------------\r
Subsystem         Group            PID          Status\r
 clevmgrdES       cluster          7602536      active\r
-------------------------------\r
NODE prd_b\r
-------------------------------\r
Subsystem         Group            PID          Status\r
 clevmgrdES       cluster                       inoperative\r
`,
    [{ value: [{ pid: 7602536 }] }, { value: [{ pid: null }] }],
  ],
  ['the answer of another node', 'clrsh prd_b /usr/es/sbin/cluster/utilities/get_local_nodename', 'prd_b\n', 'prd_b'],
  [
    'attributes in another order of the options',
    'clmgr -v -c -a name,raw_state,state query node',
    '# NAME:RAW_STATE:STATE\nprd_a:ST_STABLE:NORMAL\nprd_b::OFFLINE\n',
    [
      { name: 'prd_a', state: 'NORMAL', rawState: 'ST_STABLE' },
      { name: 'prd_b', state: 'OFFLINE', rawState: '' },
    ],
  ],
  [
    'colon output of another class',
    'clmgr -cva name,current_node,state query rg',
    '# NAME:CURRENT_NODE:STATE\npay_rg:prd_a:ONLINE\n',
    { columns: ['NAME', 'CURRENT_NODE', 'STATE'], rows: [['pay_rg', 'prd_a', 'ONLINE']] },
  ],
  ['the cluster in one attribute', 'clmgr -a STATE query cluster', 'STATE="STABLE"\n', { STATE: 'STABLE' }],
  [
    'a group, abbreviated as people do',
    'clmgr q rg pay_rg | more',
    'NAME="pay_rg"\nCURRENT_NODE="prd_a"\nNODES="prd_a prd_b"\nSTATE="ONLINE"\nVOLUME_GROUP="payvg paylogvg"\nWPAR_NAME=""\n',
    { NODES: 'prd_a prd_b', VOLUME_GROUP: 'payvg paylogvg', WPAR_NAME: '' },
  ],
  [
    'the nodes that are configured',
    '/usr/es/sbin/cluster/utilities/clmgr query node',
    'prd_a\nprd_b\n',
    ['prd_a', 'prd_b'],
  ],
  [
    'a topology without a group',
    'cltopinfo',
    `Cluster Name:    pay_cl
Cluster Type:    Standard
Heartbeat Type:  Multicast
Repository Disk: None
Cluster IP Address: None

There are 2 node(s) and 1 network(s) defined

NODE prd_a:
        Network net_ether_01
                prd_a   10.9.1.1

NODE prd_b:
        Network net_ether_01
                prd_b   10.9.1.2

No resource groups defined
`,
    { cluster: 'pay_cl', nodeCount: 2, groups: [], nodes: { prd_b: { net_ether_01: { prd_b: '10.9.1.2' } } } },
  ],
  [
    'a topology with sites and their repository disks',
    'cltopinfo',
    `Cluster Name:    glvm_cl
Cluster Type:    Linked
Heartbeat Type:  Unicast
Repository Disks:
        Site 1 (east@n1): hdisk2
        Site 2 (west@n3): hdisk7
Cluster Nodes:
        Site 1 (east):
                n1
                n2
        Site 2 (west):
                n3

There are 3 node(s) and 1 network(s) defined
NODE n1:
        Network net_ether_01
                n1      10.9.1.1
NODE n2:
        Network net_ether_01
                n2      10.9.1.2
NODE n3:
        Network net_ether_01
                n3      10.9.2.1
Resource Group glvm_rg
        Startup Policy   Online On Home Node Only
        Fallover Policy  Fallover To Next Priority Node In The List
        Fallback Policy  Never Fallback
        Participating Nodes      n1 n2 n3
`,
    {
      attributes: { 'Site 2 (west@n3)': 'hdisk7', 'Site 1 (east)': 'n1 n2', 'Site 2 (west)': 'n3' },
      groups: [{ group: 'glvm_rg', nodes: ['n1', 'n2', 'n3'], serviceLabels: [] }],
    },
  ],
  [
    'members as AIX 7.1 listed them at first',
    'lscluster -m',
    `Calling node query for all nodes
Node query number of nodes examined: 2

        Node name: prd_a
        Cluster shorthand id for node: 1
        uuid for node: 11111111-2222-3333-4444-555555555555
        State of node:  UP  NODE_LOCAL
        Smoothed rtt to node: 0
        Mean Deviation in network rtt to node: 0
        Number of zones this node is a member in: 0
        Number of clusters node is a member in: 1
        CLUSTER NAME       TYPE  SHID   UUID
        pay_cl             local        11111111-2222-3333-4444-666666666666

        Number of points_of_contact for node: 0
        Point-of-contact interface & contact state
         n/a

------------------------------

        Node name: prd_b
        Cluster shorthand id for node: 2
        uuid for node: 11111111-2222-3333-4444-777777777777
        State of node:  UP
        Smoothed rtt to node: 7
        Mean Deviation in network rtt to node: 3
        Number of zones this node is a member in: 0
        Number of clusters node is a member in: 1
        CLUSTER NAME       TYPE  SHID   UUID
        pay_cl             local        11111111-2222-3333-4444-666666666666

        Number of points_of_contact for node: 2
        Point-of-contact interface & contact state
         dpcom  DOWN  RESTRICTED
         en0  UP
`,
    [
      { name: 'prd_a', state: 'UP', local: true, pointsOfContact: 0 },
      { name: 'prd_b', state: 'UP', local: false, pointsOfContact: 2 },
    ],
  ],
  [
    'members with a storage path, one of them down',
    '/usr/sbin/lscluster -m',
    `Calling node query for all nodes...
Node query number of nodes examined: 2


        Node name: prd_a
        Cluster shorthand id for node: 1
        UUID for node: 11111111-2222-3333-4444-555555555555
        State of node: DOWN STOPPED
        Smoothed rtt to node: 0
        Mean Deviation in network rtt to node: 0
        Number of clusters node is a member in: 1
        CLUSTER NAME       SHID         UUID
        pay_cl             0            11111111-2222-3333-4444-666666666666
        SITE NAME          SHID         UUID
        LOCAL              1            11111111-2222-3333-4444-888888888888

        Points of contact for node: 0

----------------------------------------------------------------------------

        Node name: prd_b
        Cluster shorthand id for node: 2
        UUID for node: 11111111-2222-3333-4444-777777777777
        State of node: UP
        Points of contact for node: 3
        -----------------------------------------------------------------------
        Interface     State  Protocol    Status     SRC_IP->DST_IP
        -----------------------------------------------------------------------
        sfwcom        UP     none        none       none
        dpcom         DOWN   none        RESTRICTED none
        tcpsock->01   UP     IPv4        none       10.9.1.2->10.9.1.1
`,
    [
      { name: 'prd_a', state: 'DOWN STOPPED', local: false, pointsOfContact: 0 },
      { name: 'prd_b', state: 'UP', local: false, pointsOfContact: 3 },
    ],
  ],
  [
    'interfaces at a level that counts no stale nodes',
    'lscluster -i',
    `Network/Storage Interface Query

Cluster Name:  pay_cl
Cluster uuid:  11111111-2222-3333-4444-666666666666
Number of nodes reporting = 2
Number of nodes expected = 2
Node prd_a
Node uuid = 11111111-2222-3333-4444-555555555555
Number of interfaces discovered = 2
`,
    { reporting: 2, stale: null, expected: 2 },
  ],
  [
    'group services with critical clients',
    'lssrc -ls cthags',
    `Subsystem         Group            PID          Status
 cthags           cthags           5243196      active
5 locally-connected clients. Their PIDs:
6881306(clconfd) 5243032(IBM.ConfigRMd) 7143580(rmcd) 7405892(clstrmgr)
HA Group Services domain information:
Domain established by node 2
Number of groups known locally: 3
                              Number of   Number of local
Group name                    providers   providers/subscribers
rmc_peers                          2           1           0
IBM.ConfigRM                       2           1           0
CLSTRMGR_1234567890                2           1           0

Some clients are ended when they hang
`,
    { groups: [{ name: 'rmc_peers' }, { name: 'IBM.ConfigRM' }, { name: 'CLSTRMGR_1234567890', providers: 2 }] },
  ],
  [
    'a screen of clstat with tabs and a group that is being acquired',
    'clstat -o',
    `
\t\tclstat - HACMP Cluster Status Monitor
\t\t-------------------------------------

Cluster: pay_cl\t(1104867217)
Wed Jan  5 10:55:50 EST 2011
\t\tState: UP\t\tNodes: 2
\t\tSubState: UNSTABLE

\tNode: prd_a\t\tState: UP
\t   Interface: prd_a_boot (0)\t\tAddress: 10.9.1.1
\t\t\t\t\t\tState:\tUP
\t   Resource Group: pay_rg\t\tState:\tAcquiring

\tNode: prd_b\t\tState: leaving
\t   Interface: prd_b_boot (0)\t\tAddress: 10.9.1.2
\t\t\t\t\t\tState:\tUP
\t   Resource Group: pay_rg\t\tState:\tOn line
`,
    {
      substate: 'UNSTABLE',
      nodes: [
        { name: 'prd_a', groups: { pay_rg: 'Acquiring' } },
        { name: 'prd_b', state: 'leaving', groups: { pay_rg: 'On line' } },
      ],
    },
  ],
  [
    'the level of the cluster in the ODM',
    'odmget HACMPcluster | grep cluster_version',
    '        cluster_version = 16\n',
    [16],
  ],
  [
    'levels with remarks of whoever upgraded the nodes',
    'odmget HACMPnode | grep -i version',
    '\tversion = 16      (done)\n\tversion = 15  the other one comes next week\n',
    [16, 15],
  ],
  [
    'the cluster in the ODM',
    'odmget HACMPcluster',
    `
HACMPcluster:
        id = 1234567890
        name = "pay_cl"
        nodename = "prd_a"
        sec_level = "Standard"
        last_node_ids = ""
        cluster_version = 16
        reserved1 = 0
`,
    [{ className: 'HACMPcluster', attributes: { id: 1234567890, nodename: 'prd_a', cluster_version: 16 } }],
  ],
  [
    'peers of which one is about to come back',
    'ssh prd_a lsrpnode',
    'Name  OpState        RSCTVersion\nprd_a Online         3.2.3.2\nprd_b Pending online 3.2.3.2\n',
    [{ state: 'Online' }, { name: 'prd_b', state: 'Pending online', rsctVersion: '3.2.3.2' }],
  ],
  [
    'the levels of both nodes',
    'clhaver',
    'Node prd_a has HACMP version 7134 installed\nNode prd_b has HACMP version 7200 installed\n',
    [
      { node: 'prd_a', level: '7134' },
      { node: 'prd_b', level: '7200' },
    ],
  ],
  [
    'the way of a synchronisation through the states',
    'clmgr sync cluster verify=yes fix=no',
    `Changes go to all nodes...
Verified without a finding.

Cluster Manager current state is: ST_RP_RUNNING...........
Cluster Manager current state is: ST_BARRIER..
Cluster Manager current state is: ST_STABLE.....completed.
`,
    { states: ['ST_RP_RUNNING', 'ST_BARRIER', 'ST_STABLE'] },
  ],
  [
    'two groups and their nodes',
    'clshowres',
    ['pay_rg', 'web_rg']
      .map((group) =>
        [
          ['Resource Group Name', group],
          ['Participating Node Name(s)', 'prd_a prd_b'],
          ['Startup Policy', 'Online On All Available Nodes'],
          ['Fallover Policy', 'Bring Offline (On Error Node Only)'],
          ['Fallback Policy', 'Never Fallback'],
          ['Site Relationship', 'ignore'],
          ['Service IP Label', ''],
          ['Filesystems', '/pay /pay/log'],
          ['Volume Groups', ''],
          ['Concurrent Volume Groups', 'payvg logvg'],
          ['Application Servers', 'app1 app2'],
        ]
          .map(([label = '', value = '']) => `${label.padEnd(52)}${value}`)
          .join('\n'),
      )
      .concat(
        'Run Time Parameters:',
        ...['prd_a', 'prd_b'].map(
          (node) =>
            `${'Node Name'.padEnd(52)}${node}\n${'Debug Level'.padEnd(52)}high\n${'Format for hacmp.out'.padEnd(52)}Standard`,
        ),
      )
      .join('\n\n'),
    {
      groups: [
        { group: 'pay_rg', concurrentVolumeGroups: ['payvg', 'logvg'], applications: ['app1', 'app2'] },
        { group: 'web_rg', fallover: 'Bring Offline (On Error Node Only)', serviceLabels: [] },
      ],
      runTimeNodes: ['prd_a', 'prd_b'],
    },
  ],
  [
    'variables of the node table, symbolic names and indices',
    'snmpinfo -v -m dump -o /usr/es/sbin/cluster/hacmp.defs node',
    'nodeId.1 = 1\nnodeState.1 = 2\nnodeNumIf.1 = 2\nnodeName.1 = "prd_a"\nnodeId.2 = 2\nnodeState.2 = 32\nnodeName.2 = "prd_b"\n',
    [{ name: 'nodeId', index: '1', value: 1 }, {}, {}, { value: 'prd_a' }, {}, { value: 32 }, {}],
  ],
];

describe('outputs as they were pasted', () => {
  it.each(whole)('%s', (_, command, text, expected) => {
    const read = readerOf(command) ?? expect.unreachable(`no reader for ${command}`);
    const seen = read(text);
    if (typeof seen === 'object') expect(seen).toMatchObject(expected as object);
    else expect(seen).toEqual(expected);
  });
});

/** They end with words or empty fields that say nothing more. */
const chatty = [
  'a session with the command behind a prompt',
  'a session that ends in the middle of nowhere',
  'the older name of the colon form',
  'a topology without a group',
  'interfaces at a level that counts no stale nodes',
  'group services with critical clients',
  'levels with remarks of whoever upgraded the nodes',
  'the levels of both nodes',
];

describe('outputs that were cut', () => {
  it.each(whole.filter(([about]) => !chatty.includes(about)))('are not taken for whole: %s', (_, command, text) => {
    const read = readerOf(command) ?? expect.unreachable(`no reader for ${command}`);
    const attempt = (cut: string) => {
      try {
        return JSON.stringify(read(cut));
      } catch (error) {
        if (error instanceof ParseError) return undefined;
        throw error;
      }
    };
    const kept = text.replace(/[\s-]+$/, '');
    const lastWord = kept.length - (kept.split(/[\s:]/).at(-1) ?? '').length;
    const all = attempt(text);
    const taken = Array.from({ length: lastWord }, (_, end) => kept.slice(0, end)).filter(
      (cut) => attempt(cut) === all,
    );
    expect(taken).toEqual([]);
  });
});

/** What stands in place of an answer. */
const messages = [
  'Cluster services are not active.',
  'cl_rsh: Communication error, see logfile',
  'Communication error, see logfile',
  'There is no cluster definition in place.',
  '0513-085 The clstrmgrES Subsystem is not on file.',
  '0513-036 The request could not be passed to the clstrmgrES subsystem.\nStart the subsystem and try your command again.',
  'ksh: clRGinfo:  not found.',
  'The request requires more privilege than you have: permission denied',
  'ERROR: unable to establish communication with node "prd_b".',
  'Nothing was retrieved.\n\nMaybe clinfoES or snmpd does not run.',
  'odmget: Could not retrieve object for HACMPnode, odm errno 5904 ODM_UNLINKCLASS_PERM',
];

/** Each reader once, by a command that has it. */
const commands = [
  ...new Set([
    ...whole.map(([, command]) => command),
    'cllsfs',
    'cllsnode',
    'cllsgrp',
    'lsrpnode',
    'halevel -s',
    'clfindres',
  ]),
].filter((command) => !command.includes('lssrc -l'));

describe.each(messages)('a message in place of an answer: %s', (message) => {
  it.each(commands)('is refused by the reader of %s', (command) => {
    const read = readerOf(command) ?? expect.unreachable(`no reader for ${command}`);
    for (const text of [message, `${message}\n`]) expect(() => read(text)).toThrow(ParseError);
  });
});
