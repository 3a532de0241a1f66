import { type Answer, type Commands, fails, prints } from '../command.ts';
import type { Cluster, Member } from './cluster.ts';
import type { Generation } from './generation.ts';

/** What a node's PowerHA software says about itself. */
export interface ClusterLevel {
  /** Number of the protocol that all nodes speak (facts hacmp.md 10). */
  readonly protocol: number;
  /** Version, release, modification and fix without dots, as the manager prints it. */
  readonly vrmf: string;
  readonly fix: number;
}

const header = 'Subsystem         Group            PID          Status ';

/** `lssrc` rows and the long listing of the cluster manager, `clshowsrv`. */
export function subsystemCommands(
  cluster: Cluster,
  generation: Generation,
  levelOf: (node: string) => ClusterLevel,
): Commands {
  const software = (node: string): Software => {
    const member = cluster.member(node);
    return { member, generation, level: levelOf(node), subsystems: subsystems(member, generation) };
  };
  return {
    lssrc: ({ node, args }) => lssrc(cluster, software(node), args),
    clshowsrv: ({ node, args }) => clshowsrv(cluster, software(node), args),
  };
}

/** The cluster software of one node. */
interface Software {
  readonly member: Member;
  readonly generation: Generation;
  readonly level: ClusterLevel;
  readonly subsystems: readonly Subsystem[];
}

interface Subsystem {
  readonly name: string;
  readonly group: string;
  readonly pid: number | undefined;
}

/** When a subsystem runs. */
type Runs = 'always' | 'with-services' | 'never';

/** Daemons by generation (facts hacmp.md 2 and 3): from 5.x on the manager runs whether or not cluster services do. */
const rosters: Readonly<Record<Generation, readonly (readonly [name: string, group: string, runs: Runs])[]>> = {
  '4.x': [
    ['clstrmgr', 'cluster', 'with-services'],
    ['clsmuxpd', 'cluster', 'with-services'],
    ['clinfo', 'cluster', 'never'],
  ],
  '5.x': [
    ['topsvcs', 'topsvcs', 'with-services'],
    ['grpsvcs', 'grpsvcs', 'with-services'],
    ['grpglsm', 'grpsvcs', 'never'],
    ['emsvcs', 'emsvcs', 'with-services'],
    ['emaixos', 'emsvcs', 'with-services'],
    ['ctrmc', 'rsct', 'always'],
    ['clcomdES', 'clcomdES', 'always'],
    ['clstrmgrES', 'cluster', 'always'],
    ['clinfoES', 'cluster', 'never'],
  ],
  '7.1': caaRoster(),
  '7.2': caaRoster(),
};

function caaRoster(): readonly (readonly [string, string, Runs])[] {
  return [
    ['cthags', 'cthags', 'always'],
    ['ctrmc', 'rsct', 'always'],
    ['clstrmgrES', 'cluster', 'always'],
    ['clevmgrdES', 'cluster', 'with-services'],
    ['clinfoES', 'cluster', 'never'],
    ['clcomd', 'caa', 'always'],
    ['clconfd', 'caa', 'always'],
    ['gsclvmd', '', 'always'],
  ];
}

function subsystems(member: Member, generation: Generation): Subsystem[] {
  const all = [...rosters[generation], ['inetd', 'tcpip', 'always'] as const, ['sshd', 'ssh', 'always'] as const];
  return all.map(([name, group, runs], index) => {
    const isUp = runs === 'always' || (runs === 'with-services' && member.services !== 'down');
    return { name, group, pid: isUp ? 6_000_000 + member.id * 65_536 + (index + 1) * 1_062 : undefined };
  });
}

function row({ name, group, pid }: Subsystem): string {
  const status = pid === undefined ? 'inoperative' : 'active';
  return ` ${name.padEnd(16)} ${group.padEnd(16)} ${String(pid ?? '').padEnd(12)} ${status}\n`;
}

function lssrc(cluster: Cluster, software: Software, args: readonly string[]): Answer {
  const { subsystems: all } = software;
  const [flag = '', attached] = /^(-[als]+|-g)(.*)$/.exec(args[0] ?? '')?.slice(1) ?? [];
  const name = attached || args[1];
  if (flag === '-a') return prints(`${header}\n${all.map(row).join('')}`);
  if (flag === '-g' && name !== undefined) {
    const found = all.filter(({ group }) => group === name);
    if (found.length === 0) return fails(`0513-086 The ${name} Group is not on file.\n`);
    return prints(`${header}\n${found.map(row).join('')}`);
  }
  if (name === undefined || !['-s', '-ls', '-sl'].includes(flag)) {
    return fails('Usage: lssrc [-h Host] {-a | -g GroupName | [-l] -s SubsystemName}\n');
  }
  const subsystem = all.find((one) => one.name === name);
  if (subsystem === undefined) return fails(`0513-085 The ${name} Subsystem is not on file.\n`);
  if (flag === '-s') return prints(`${header}\n${row(subsystem)}`);
  if (name === 'clstrmgrES') return prints(managerDetails(cluster, software));
  if (name === 'cthags') return prints(groupServices(cluster, software.member, subsystem));
  return fails(`0513-005 The Subsystem, ${name}, only supports signal communication.\n`);
}

/**
 * The long listing in the order of the one whole capture (7.1.3 SP2), with the lab's own names and numbers. Of 5.x nobody
 * has seen more than the states: lines that came later, and numbers that are not known, are left out.
 */
function managerDetails(cluster: Cluster, { member, generation, level }: Software): string {
  const isIdle = member.manager === 'ST_STABLE' || member.manager === 'ST_INIT';
  const lines = [
    `Current state: ${member.manager}`,
    'sccsid = "@(#)1 lab/hacmprd/main.C, splitmirror.lab, lab"',
    'build = "Nov 02 2026 09:00:00 lab_hacmp"',
    `i_local_nodeid ${member.id - 1}, i_local_siteid -1, my_handle ${member.id}`,
    cluster.members.map(({ id }) => `ml_idx[${id}]=${id - 1}`).join(' '),
    `There are ${isIdle ? 0 : 1} events on the Ibcast queue`,
    'There are 0 events on the RM Ibcast queue',
  ];
  if (level.protocol > 0) {
    lines.push(
      `CLversion: ${level.protocol}`,
      `local node vrmf is ${level.vrmf}`,
      `cluster fix level is "${level.fix}"`,
    );
  }
  if (member.services === 'down') return `${lines.join('\n')}\n`;
  lines.push('The following timer(s) are currently active:', 'Current DNP values');
  for (const other of cluster.active(member).sort((one, two) => two.id - one.id)) {
    lines.push(
      `DNP Values for NodeId - ${other.id}  NodeName - ${other.name}`,
      `    PgSpFree = ${1_040_000 + other.id * 511}  PvPctBusy = 0  PctTotalTimeIdle = ${90 + other.id}.250000`,
    );
  }
  if (generation !== '5.x') {
    lines.push(
      'CAA Cluster Capabilities',
      'CAA Cluster services are active',
      'There are 4 capabilities',
      ...['Hostname Change', 'Unicast', 'IPV6', 'Site'].flatMap((capability, index) => [
        `Capability ${index}`,
        `  id: ${[3, 2, 0, 1][index]}  version: 1  flag: 1`,
        `  ${capability} capability is defined and globally available`,
      ]),
    );
  }
  lines.push(
    'trcOn 0, kTraceOn 0, stopTraceOnExit 0, cdNodeOn 0',
    `Last event run was ${member.lastEvent.name.padEnd(14)}on node ${member.lastEvent.node}`,
  );
  return `${lines.join('\n')}\n`;
}

/** The number of providers is that of joined managers (facts hacmp.md 9). */
function groupServices(cluster: Cluster, member: Member, subsystem: Subsystem): string {
  const providers = cluster.active(member).length;
  const local = member.services === 'down' ? 0 : 1;
  return `${header}\n${row(subsystem)}${providers} locally-connected clients.
HA Group Services domain information:
Domain established by node ${member.id}
Number of groups known locally: 1
                         Number of   Number of local
Group name               providers   providers/subscribers
CLSTRMGR_${String(cluster.topology.clusterId).padEnd(16)}${String(providers).padStart(9)}${String(local).padStart(12)}           0
`;
}

function clshowsrv(cluster: Cluster, software: Software, args: readonly string[]): Answer {
  if (args[0] !== '-v' && args[0] !== '-a') return fails('Usage: clshowsrv { -a | -v | subsystem ...}\n');
  const { subsystems: all, generation } = software;
  const section = (title: string, ...names: string[]) =>
    `Status of the ${title}:\n${header}\n${all
      .filter(({ name }) => names.includes(name))
      .map(row)
      .join('')}`;
  const sections =
    generation === '5.x'
      ? [
          section('RSCT subsystems used by HACMP', 'topsvcs', 'grpsvcs', 'grpglsm', 'emsvcs', 'emaixos', 'ctrmc'),
          section('HACMP subsystems', 'clcomdES', 'clstrmgrES'),
          section('optional HACMP subsystems', 'clinfoES'),
        ]
      : [
          section('RSCT subsystems used by PowerHA SystemMirror', 'cthags', 'ctrmc'),
          section('PowerHA SystemMirror subsystems', 'clstrmgrES', 'clevmgrdES'),
          section('CAA subsystems', 'clcomd', 'clconfd'),
        ];
  if (args[0] === '-v' && generation !== '5.x') {
    sections.push(`Details of PowerHA SystemMirror cluster manager:\n${managerDetails(cluster, software)}`);
  }
  return prints(sections.join('\n'));
}
