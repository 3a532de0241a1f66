import { randomUUID } from 'node:crypto';
import { type Answer, type Commands, fails, type Invocation, prints } from '../command.ts';
import type { Cluster } from './cluster.ts';
import type { Events } from './events.ts';
import type { Ran } from './resources.ts';

/** Which nodes count each other in: `lscluster`, `lsrpnode`, `lsrpdomain`; and `clcmd` and `clrsh`, which ask them. */
export function membershipCommands(
  cluster: Cluster,
  events: Events,
  run: (node: string, argv: readonly [string, ...string[]]) => Promise<Ran>,
): Commands {
  const uuids = new Map(cluster.members.map(({ name }) => [name, randomUUID()]));
  return {
    lscluster: ({ node, args }) =>
      args[0] === '-m'
        ? prints(nodeQuery(cluster, node, uuids))
        : fails('Usage: lscluster { -i | -d | -c [ -n clustername ] | -m [nodename] }\n'),
    lsrpnode: ({ node }) => {
      const from = cluster.member(node);
      const rows = cluster.members.map((member) => {
        const state = cluster.reaches(from, member) ? 'Online' : 'Offline';
        return `${member.name.padEnd(Math.max(10, member.name.length))}  ${state.padEnd(8)}3.2.4.0     \n`;
      });
      return prints(`Name        OpState RSCTVersion \n${rows.join('')}`);
    },
    ifconfig: ({ node, args }) =>
      args[0] === '-a' ? prints(interfaces(cluster, node)) : fails('ifconfig: only -a is known to the lab\n'),
    lsrpdomain: () =>
      prints(
        `Name       OpState RSCTActiveVersion MixedVersions TSPort GSPort \n${cluster.topology.cluster} Online  3.2.4.0           No            12347  12348  \n`,
      ),
    clcmd: (call) => clcmd(cluster, run, call),
    clrsh: (call) => clrsh(cluster, run, call),
    clruncmd: ({ args }) => {
      const member = cluster.members.find(({ name }) => name === args[0]);
      if (member === undefined) return fails('Usage: clruncmd nodename\n');
      events.recover(member.name);
      return prints('');
    },
  };
}

/** `ifconfig -a`, as remembered: the node's own address and those of the service labels that it has. */
function interfaces({ topology, member }: Cluster, node: string): string {
  const { address, labels } = member(node);
  const inet = (each: string) => `\tinet ${each} netmask 0xffffff00 broadcast 10.64.7.255\n`;
  const service = labels.size > 0 ? inet(topology.serviceAddress) : '';
  return `en0: flags=1e084863,480<UP,BROADCAST,NOTRAILERS,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,CHECKSUM_OFFLOAD(ACTIVE),CHAIN>
${inet(address)}${service}\t tcp_sendspace 262144 tcp_recvspace 262144 rfc1323 1
lo0: flags=e08084b,1c0<UP,BROADCAST,LOOPBACK,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,LARGESEND,CHAIN>
\tinet 127.0.0.1 netmask 0xff000000 broadcast 127.255.255.255
\tinet6 ::1%1/64
\t tcp_sendspace 131072 tcp_recvspace 131072 rfc1323 1
`;
}

const rule = '-'.repeat(31);

/** Per node a ruler, `NODE name`, a ruler, and what the command printed there (facts hacmp.md 9). */
async function clcmd(
  cluster: Cluster,
  run: (node: string, argv: readonly [string, ...string[]]) => Promise<Ran>,
  { node, args }: Invocation,
): Promise<Answer> {
  const words = args[0] === '-n' ? args.slice(2) : args[0] === '-m' ? args.slice(2) : args;
  const [program, ...rest] = words;
  if (program === undefined) return fails('Usage: clcmd [ -n clustername ] | [ -m node[,node]... ] Command\n');
  const from = cluster.member(node);
  const asked = cluster.members.filter((member) => cluster.reaches(from, member));
  const answers = await Promise.all(
    asked.map(async ({ name }) => ({ name, ...(await run(name, [program, ...rest])) })),
  );
  return {
    kind: 'exit',
    code: Math.max(0, ...answers.map(({ code }) => code)),
    stdout: answers.map(({ name, stdout }) => `${rule}\nNODE ${name}\n${rule}\n${stdout}`).join('\n'),
    stderr: answers.map(({ stderr }) => stderr).join(''),
  };
}

/**
 * What a command prints on another node, or the notice that it was not reached (facts hacmp.md 9). Nobody has told with
 * which status clrsh ends: it is always 0, so that nothing can be built on it.
 */
async function clrsh(
  cluster: Cluster,
  run: (node: string, argv: readonly [string, ...string[]]) => Promise<Ran>,
  { node, args: [target, program, ...rest] }: Invocation,
): Promise<Answer> {
  const to = cluster.members.find(({ name }) => name === target);
  if (program === undefined || to === undefined || !cluster.reaches(cluster.member(node), to)) {
    return prints('Communication error, see logfile\n');
  }
  const { stdout, stderr } = await run(to.name, [program, ...rest]);
  return { kind: 'exit', code: 0, stdout, stderr };
}

function nodeQuery(cluster: Cluster, node: string, uuids: ReadonlyMap<string, string>): string {
  const from = cluster.member(node);
  const blocks = cluster.members.map((member) => {
    const up = cluster.reaches(from, member);
    const remote = member !== from;
    const state = up ? `UP${remote ? '' : '  NODE_LOCAL'}` : 'DOWN';
    const contacts = up && remote ? 1 : 0;
    const path = `${from.address}->${member.address}`;
    return `\tNode name: ${member.name}
\tCluster shorthand id for node: ${member.id}
\tUUID for node: ${uuids.get(member.name)}
\tState of node: ${state}
\tSmoothed rtt to node: ${remote ? 7 : 0}
\tMean Deviation in network rtt to node: ${remote ? 3 : 0}
\tNumber of clusters node is a member in: 1
\tCLUSTER NAME       SHID         UUID
\t${cluster.topology.cluster.padEnd(18)} 0            ${uuids.get(cluster.members[0]?.name ?? '')}
\tSITE NAME          SHID         UUID
\tLOCAL              1            51735173-5173-5173-5173-517351735173

\tPoints of contact for node: ${contacts}
${
  contacts === 0
    ? ''
    : `\t-----------------------------------------------------------------------
\tInterface     State  Protocol    Status     SRC_IP->DST_IP
\t-----------------------------------------------------------------------
\ttcpsock->${String(member.id).padStart(2, '0')}   UP     IPv4         none   ${path}
`
}`;
  });
  return `Calling node query for all nodes...
Node query number of nodes examined: ${cluster.members.length}

${blocks.join(`\n${'-'.repeat(76)}\n\n`)}`;
}
