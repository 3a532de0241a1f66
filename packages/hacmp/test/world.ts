import { type Host, renderCommand, type StepResult, TransportError } from '@splitmirror/host';

/** What a node shows; the situations of the tests change it before it is printed as the commands would print it. */
export interface NodeWorld {
  /** How it can be reached: a dead node, a changed key, a link that is lost on the way. */
  reach: 'ok' | 'HOST_UNREACHABLE' | 'HOST_KEY_CHANGED' | 'HOST_AUTHENTICATION' | 'lost';
  localName: string;
  manager: string;
  lastEvent: string;
  queued: number;
  /** Rows of clRGinfo as this node tells them: group, state, node, type, startup. */
  table: [group: string, state: string, node: string, type?: string | undefined, startup?: string | undefined][];
  /** What `clmgr query node` says: name, state, raw state. `null`: no clmgr on this level. */
  nodeStates: [name: string, state: string, rawState: string][] | null;
  /** What `lscluster -m` says: name, state, points of contact. `null`: no Cluster Aware AIX. */
  membership: [name: string, state: string, contacts: number][] | null;
  /** What `lsrpnode` says, when it is not the same as `lscluster -m`. */
  peers?: [name: string, state: string][];
  /** Level of its cluster software, four digits. */
  vrmf: string;
  /** Whether the group's service address is configured here. */
  serves: boolean;
  /** Whether `cllsnode` lists the service label. */
  labelKnown: boolean;
  /** Configured group: participating nodes, volume groups, file systems. */
  config: { group: string; nodes: string[]; volumeGroups: string[]; fileSystems: string; startup: string };
  clusterNodes: string[];
  /** By volume group: active read/write here, passive as on a standby, or varied off. */
  volumeGroups: Record<string, 'read/write' | 'passive-only' | 'off'>;
  /** Logical volumes by volume group: name, type, mount point, and the state of one that reads a split copy. */
  volumes: Record<string, [name: string, type: string, mountPoint: string, copyState?: string][]>;
  /** Local mounts: device, mount point, date. */
  mounts: [device: string, mountPoint: string, date: string][];
  /** Answers that stand in place of the above, by command as typed. */
  overrides: Record<string, Output>;
}

export type Output = { stdout?: string; stderr?: string; exitCode: number } | 'hang';
export type World = Record<string, NodeWorld>;

export const group = 'payrg';

/** A healthy cluster; the first node holds the group. */
export function healthyWorld(nodes: readonly string[] = ['db1', 'db2']): World {
  const [holder = ''] = nodes;
  return Object.fromEntries(
    nodes.map((node): [string, NodeWorld] => [
      node,
      {
        reach: 'ok',
        localName: node,
        manager: 'ST_STABLE',
        lastEvent: 'TE_RG_MOVE on node 1',
        queued: 0,
        table: nodes.map((other) => [group, other === holder ? 'ONLINE' : 'OFFLINE', other]),
        nodeStates: nodes.map((other) => [other, 'NORMAL', 'ST_STABLE']),
        membership: nodes.map((other) => [other, 'UP', other === node ? 0 : 1]),
        vrmf: '7134',
        serves: node === holder,
        labelKnown: true,
        config: {
          group,
          nodes: [...nodes],
          volumeGroups: ['payvg'],
          fileSystems: '/pay /pay/log',
          startup: 'Online On Home Node Only',
        },
        clusterNodes: [...nodes],
        volumeGroups: { payvg: node === holder ? 'read/write' : 'passive-only' },
        volumes: {
          payvg: [
            ['paylog', 'jfs2log', 'N/A'],
            ['paylv', 'jfs2', '/pay'],
            ['paylglv', 'jfs2', '/pay/log'],
            ['payraw', 'raw', 'N/A'],
          ],
        },
        mounts: node === holder ? payMounts() : [],
        overrides: {},
      },
    ]),
  );
}

export function payMounts(date = 'Nov 20 06:12'): [string, string, string][] {
  return [
    ['/dev/paylv', '/pay', date],
    ['/dev/paylglv', '/pay/log', date],
  ];
}

/** What the node answers to a command as typed; 127 when it does not have it. */
export function answer(world: NodeWorld, line: string): Output {
  const override = world.overrides[line];
  if (override) return override;
  const [program = '', ...args] = line.split(' ');
  switch (program) {
    case 'get_local_nodename':
      return ok(`${world.localName}\n`);
    case 'lssrc':
      return ok(managerText(world));
    case 'clRGinfo':
      return ok(tableText(world));
    case 'clmgr':
      return world.nodeStates ? ok(nodeStatesText(world.nodeStates)) : absent;
    case 'lscluster':
      return world.membership ? ok(membershipText(world)) : absent;
    case 'lsrpnode':
      return peersOf(world) ? ok(peersText(peersOf(world) ?? [])) : absent;
    case 'cllsnode':
      return ok(labelsText(world));
    case 'ifconfig':
      return ok(addressesText(world));
    case 'clshowres':
      return ok(resourcesText(world));
    case 'mount':
      return ok(mountText(world));
    case 'lsvg':
      return volumeGroup(world, args);
    default:
      return absent;
  }
}

/** Hosts that answer as the world says. */
export function hostsOf(world: World, log: string[] = []): Map<string, Host> {
  return new Map(Object.keys(world).map((name) => [name, hostOf(name, () => world[name] ?? null, log)]));
}

function hostOf(name: string, now: () => NodeWorld | null, log: string[]): Host {
  return {
    name,
    async run(script) {
      const world = now();
      log.push(`${name}: ${script.steps.map((step) => renderCommand(step.run)).join('; ')}`);
      if (world?.reach === 'lost') return { kind: 'unknown', reason: 'connection lost', steps: [] };
      if (world?.reach !== 'ok') {
        throw new TransportError(world?.reach ?? 'HOST_UNREACHABLE', name, 'no connection', { remedy: 'Look.' });
      }
      const steps = script.steps.map((step): StepResult => {
        const output = answer(world, renderCommand(step.run));
        const base = { id: step.id, stdout: '', stderr: '', durationMs: 1, clock: { start: 1, end: 1 } };
        if (output === 'hang') return { ...base, kind: 'timed-out', exitCode: 143, memberCodes: [143] };
        return { ...base, kind: 'ended', memberCodes: [output.exitCode], ...output };
      });
      return { kind: 'completed', steps };
    },
    stream() {
      throw new Error('nothing is streamed here');
    },
    async close() {},
  };
}

export function ok(stdout: string): Output {
  return { stdout, exitCode: 0 };
}

export function failed(stderr: string, exitCode = 1): Output {
  return { stderr, exitCode };
}

const absent: Output = { stderr: 'not found', exitCode: 127 };

function managerText({ manager, lastEvent, queued, clusterNodes, vrmf }: NodeWorld): string {
  return [
    `Current state: ${manager}`,
    'sccsid = "@(#) made for the tests of splitmirror"',
    'build = "Jan 01 2020 00:00:00"',
    'i_local_nodeid 1, i_local_siteid -1, my_handle 1',
    'ml_idx[1]=0 ml_idx[2]=1',
    `There are ${queued} events on the Ibcast queue`,
    'There are 0 events on the RM Ibcast queue',
    'CLversion: 15',
    `local node vrmf is ${vrmf}`,
    'cluster fix level is "4"',
    'The following timer(s) are currently active:',
    'Current DNP values',
    ...clusterNodes.flatMap((node, index) => [
      `DNP Values for NodeId - ${index + 1}  NodeName - ${node}`,
      '    PgSpFree = 123456  PvPctBusy = 0  PctTotalTimeIdle = 71.000000',
    ]),
    `Last event run was ${lastEvent}`,
    '',
  ].join('\n');
}

function tableText({ table }: NodeWorld): string {
  return table
    .map(([name, state, node, type = 'non-concurrent', startup = 'OHN']) => {
      return `${name}:${state}:${node}:${type}:${startup}:FNPN:NFB:ignore::: : :::\n`;
    })
    .join('');
}

function nodeStatesText(states: readonly (readonly string[])[]): string {
  return ['# NAME:STATE:RAW_STATE', ...states.map((fields) => fields.join(':')), ''].join('\n');
}

function membershipText({ membership, localName }: NodeWorld): string {
  const ruler = '-'.repeat(76);
  const nodes = (membership ?? []).map(([name, state, contacts], index) =>
    [
      `        Node name: ${name}`,
      `        Cluster shorthand id for node: ${index + 1}`,
      `        UUID for node: 00000000-0000-0000-0000-00000000000${index}`,
      `        State of node: ${state}${name === localName ? '  NODE_LOCAL' : ''}`,
      '        Smoothed rtt to node: 0',
      `        Points of contact for node: ${contacts}`,
      ...(contacts > 0
        ? [
            '        -----------------------------------------------------------------------',
            '        Interface     State  Protocol    Status     SRC_IP->DST_IP',
            '        -----------------------------------------------------------------------',
            ...Array.from(
              { length: contacts },
              (_, i) => `        tcpsock->0${i}   UP     IPv4        none   10.1.1.1->10.1.1.2`,
            ),
          ]
        : []),
      '',
    ].join('\n'),
  );
  return [
    'Calling node query for all nodes...',
    `Node query number of nodes examined: ${nodes.length}`,
    '',
    nodes.join(`\n${ruler}\n\n`),
  ].join('\n');
}

/** RSCT sees what the membership layer sees, if the world does not say otherwise. */
export function peersOf({ peers, membership }: NodeWorld): [name: string, state: string][] | null {
  return peers ?? membership?.map(([name, state]) => [name, state.startsWith('UP') ? 'Online' : 'Offline']) ?? null;
}

function peersText(peers: readonly (readonly [string, string])[]): string {
  return [
    'Name        OpState RSCTVersion ',
    ...peers.map(([name, state]) => `${name.padEnd(11)} ${state.padEnd(7)} 3.2.4.0     `),
    '',
  ].join('\n');
}

const serviceAddress = '10.1.1.200';

function labelsText({ clusterNodes, labelKnown }: NodeWorld): string {
  const line = (name: string, address: string) =>
    `        Communication Interface: Name ${name}, Attribute public, IP address ${address}`;
  return clusterNodes
    .map((node, index) =>
      [
        `NODE ${node}:`,
        '    Interfaces to network net_ether_01',
        line(`${node}-boot`, `10.1.1.${index + 1}`),
        ...(labelKnown ? [line('paysvc', serviceAddress)] : []),
        '',
      ].join('\n'),
    )
    .join('\n');
}

function addressesText({ clusterNodes, localName, serves }: NodeWorld): string {
  const inet = (address: string) => `        inet ${address} netmask 0xffffff00 broadcast 10.1.1.255`;
  return [
    'en0: flags=1e084863,480<UP,BROADCAST,NOTRAILERS,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,CHECKSUM_OFFLOAD(ACTIVE),CHAIN>',
    inet(`10.1.1.${clusterNodes.indexOf(localName) + 1}`),
    ...(serves ? [inet(serviceAddress)] : []),
    '         tcp_sendspace 262144 tcp_recvspace 262144 rfc1323 1',
    'lo0: flags=e08084b,1c0<UP,BROADCAST,LOOPBACK,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,LARGESEND,CHAIN>',
    '        inet 127.0.0.1 netmask 0xff000000 broadcast 127.255.255.255',
    '        inet6 ::1%1/64',
    '         tcp_sendspace 131072 tcp_recvspace 131072 rfc1323 1',
    '',
  ].join('\n');
}

function resourcesText({ config, clusterNodes }: NodeWorld): string {
  const line = (label: string, value = '') => `${label.padEnd(52)}${value}`.trimEnd();
  return [
    '',
    line('Resource Group Name', config.group),
    line('Participating Node Name(s)', config.nodes.join(' ')),
    line('Startup Policy', config.startup),
    line('Fallover Policy', 'Fallover To Next Priority Node In The List'),
    line('Fallback Policy', 'Never Fallback'),
    line('Site Relationship', 'ignore'),
    line('Node Priority'),
    line('Service IP Label', 'paysvc'),
    line('Filesystems', config.fileSystems),
    line('Filesystems Consistency Check', 'fsck'),
    line('Volume Groups', config.volumeGroups.join(' ')),
    line('Concurrent Volume Groups'),
    line('Use forced varyon for volume groups, if necessary', 'false'),
    line('Application Servers', 'payapp'),
    'Run Time Parameters:',
    '',
    ...clusterNodes.flatMap((node) => [
      line('Node Name', node),
      line('Debug Level', 'high'),
      line('Format for hacmp.out', 'Standard'),
      '',
    ]),
  ].join('\n');
}

function mountText({ mounts }: NodeWorld): string {
  const row = ([device, mountPoint, date]: readonly string[]) =>
    `         ${device?.padEnd(16)} ${mountPoint?.padEnd(16)} jfs2   ${date} rw,log=INLINE `;
  return [
    '  node       mounted        mounted over    vfs       date        options      ',
    '-------- ---------------  ---------------  ------ ------------ --------------- ',
    row(['/dev/hd4', '/', 'Nov 19 22:01']),
    '         /proc            /proc            procfs Nov 19 22:01 rw              ',
    'nfsbox   /export/tools    /tools           nfs3   Nov 19 22:02 bg,hard,intr',
    ...mounts.map(row),
    '',
  ].join('\n');
}

function volumeGroup({ volumeGroups, volumes }: NodeWorld, args: readonly string[]): Output {
  const name = args.at(-1) ?? '';
  const state = volumeGroups[name];
  if (state === undefined)
    return failed(`0516-306 lsvg: Unable to find volume group ${name} in the Device\n\tConfiguration Database.\n`);
  if (state === 'off') return failed('0516-010 : Volume group must be varied on; use varyonvg command.\n');
  if (args[0] === '-l') {
    const rows = (volumes[name] ?? []).map(([volume, type, mountPoint, copyState]) => {
      const columns = copyState ? `0       0       0    ${copyState.padEnd(13)}` : '10      20      2    open/syncd   ';
      return `${volume.padEnd(19)} ${type.padEnd(10)} ${columns} ${mountPoint}\n`;
    });
    return ok(
      `${name}:\nLV NAME             TYPE       LPs     PPs     PVs  LV STATE      MOUNT POINT\n${rows.join('')}`,
    );
  }
  return ok(
    [
      `VOLUME GROUP:       ${name.padEnd(24)} VG IDENTIFIER:  00c0ffee00004c000000017000000001`,
      'VG STATE:           active                   PP SIZE:        64 megabyte(s)',
      `VG PERMISSION:      ${state.padEnd(24)} TOTAL PPs:      510 (32640 megabytes)`,
      'Concurrent:         Enhanced-Capable         Auto-Concurrent: Disabled',
      'VG Mode:            Concurrent                               ',
      '',
    ].join('\n'),
  );
}
