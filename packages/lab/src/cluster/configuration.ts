import { type Commands, fails, prints } from '../command.ts';
import type { Cluster } from './cluster.ts';
import { policyWords, type ResourceGroup, spansSites } from './topology.ts';

/** Reports of what is configured, which tell nothing of states (facts hacmp.md 9 to 11). */
export function configurationCommands(
  cluster: Cluster,
  fileSystemsOf: (node: string, volumeGroup: string) => Promise<readonly string[]>,
): Commands {
  const { topology } = cluster;
  const chosen = (args: readonly string[]): readonly ResourceGroup[] => {
    const name = args.includes('-g') ? args[args.indexOf('-g') + 1] : undefined;
    return topology.groups.filter((group) => name === undefined || group.name === name);
  };
  return {
    get_local_nodename: ({ node }) => prints(`${node}\n`),
    cllsgrp: () => prints(topology.groups.map(({ name }) => `${name}\n`).join('')),
    cllsvg: ({ args }) =>
      prints(
        chosen(args)
          .flatMap(({ name, volumeGroups }) => volumeGroups.map((group) => `${name} ${group}\n`))
          .join(''),
      ),
    async cllsfs({ node, args }) {
      const rows: string[] = [];
      for (const group of chosen(args)) {
        const lists =
          group.fileSystems === 'ALL'
            ? await Promise.all(group.volumeGroups.map((name) => fileSystemsOf(node, name)))
            : [group.fileSystems];
        rows.push(...lists.flat().map((mountPoint) => `${group.name} ${mountPoint}\n`));
      }
      return prints(rows.join(''));
    },
    cllsnode: () => prints(topology.nodes.map((node) => nodeBlock(cluster, node.name)).join('\n')),
    clgetactivenodes: ({ node, args }) => {
      const asked = args.includes('-n') ? args[args.indexOf('-n') + 1] : node;
      const from = cluster.members.find(({ name }) => name === asked);
      if (from === undefined || !cluster.reaches(cluster.member(node), from)) return fails('');
      return prints(
        cluster
          .active(from)
          .map(({ name }) => `${name}\n`)
          .sort()
          .join(''),
      );
    },
    cltopinfo: () => prints(topologyReport(cluster)),
    clshowres: ({ args }) => {
      const groups = chosen(args);
      const blocks = groups.map((group) => resources(cluster, group));
      return prints(blocks.join('\n') + runTimeParameters(cluster));
    },
  };
}

function nodeBlock({ topology }: Cluster, name: string): string {
  const node = topology.nodes.find((one) => one.name === name);
  const interfaces = [
    [node?.host ?? name, node?.address ?? ''],
    ...topology.groups.flatMap(({ serviceLabel }) =>
      serviceLabel === undefined ? [] : [[serviceLabel, topology.serviceAddress]],
    ),
  ];
  return `NODE ${name}:
    Interfaces to network ${topology.network}
${interfaces.map(([label, address]) => `        Communication Interface: Name ${label}, Attribute public, IP address ${address}\n`).join('')}`;
}

function topologyReport({ topology }: Cluster): string {
  const { name, pvid } = topology.repositoryDisk;
  const nodes = topology.nodes.map(({ name: node, host, address }) => {
    const service = topology.groups.flatMap(({ serviceLabel }) =>
      serviceLabel === undefined ? [] : [`\t\t${serviceLabel}\t${topology.serviceAddress}\n`],
    );
    return `NODE ${node}:\n\tNetwork ${topology.network}\n${service.join('')}\t\t${host}\t${address}\n\n`;
  });
  const groups = topology.groups.map(
    ({ name: group, policies, nodes: members, serviceLabel }) => `Resource Group ${group}
\tStartup Policy   ${policyWords[policies.startup]}
\tFallover Policy  ${policyWords[policies.fallover]}
\tFallback Policy  ${policyWords[policies.fallback]}
\tParticipating Nodes      ${members.join(' ')}
${serviceLabel === undefined ? '' : `\tService IP Label                 ${serviceLabel}\n`}`,
  );
  return `Cluster Name:    ${topology.cluster}
Cluster Type:    Standard
Heartbeat Type:  Unicast
Repository Disk: ${name} (${pvid})

There are ${topology.nodes.length} node(s) and 1 network(s) defined

${nodes.join('')}${groups.join('')}`;
}

/** Label and value, the value from column 53 (facts hacmp.md 11). */
function labelled(label: string, value = ''): string {
  return value === '' ? `${label}\n` : `${label.padEnd(52)}${value}\n`;
}

function resources({ topology }: Cluster, group: ResourceGroup): string {
  const { startup, fallover, fallback } = group.policies;
  const concurrent = startup === 'OAAN' ? group.volumeGroups.join(' ') : '';
  return [
    labelled('Resource Group Name', group.name),
    labelled('Participating Node Name(s)', group.nodes.join(' ')),
    labelled('Startup Policy', policyWords[startup]),
    labelled('Fallover Policy', policyWords[fallover]),
    labelled('Fallback Policy', policyWords[fallback]),
    labelled('Site Relationship', spansSites(topology, group) ? 'Prefer Primary Site' : 'ignore'),
    labelled('Node Priority'),
    labelled('Service IP Label', group.serviceLabel),
    labelled('Filesystems', group.fileSystems === 'ALL' ? 'ALL' : group.fileSystems.join(' ')),
    labelled('Filesystems Consistency Check', 'fsck'),
    labelled('Filesystems Recovery Method', 'sequential'),
    labelled('Filesystems/Directories to be exported (NFSv3)'),
    labelled('Filesystems/Directories to be exported (NFSv4)'),
    labelled('Filesystems to be NFS mounted'),
    labelled('Network For NFS Mount'),
    labelled('Filesystem/Directory for NFSv4 Stable Storage'),
    labelled('Volume Groups', concurrent === '' ? group.volumeGroups.join(' ') : ''),
    labelled('Concurrent Volume Groups', concurrent),
    labelled('Use forced varyon for volume groups, if necessary', 'false'),
    labelled('Disks'),
    labelled('Raw Disks'),
    labelled('Disk Error Management?', 'no'),
    labelled('GMVG Replicated Resources'),
    labelled('AIX Connections Services'),
    labelled('AIX Fast Connect Services'),
    labelled('Shared Tape Resources'),
    labelled('Application Servers', group.application?.name),
    labelled('Highly Available Communication Links'),
    labelled('Primary Workload Manager Class'),
    labelled('Secondary Workload Manager Class'),
    labelled('Delayed Fallback Timer'),
    labelled('Miscellaneous Data'),
    labelled('Automatically Import Volume Groups', 'false'),
    labelled('Inactive Takeover'),
    labelled('SSA Disk Fencing', 'false'),
    labelled('Filesystems mounted before IP configured', 'false'),
    labelled('WPAR Name'),
  ].join('');
}

function runTimeParameters({ topology }: Cluster): string {
  const blocks = topology.nodes.map(
    ({ name }) =>
      labelled('Node Name', name) + labelled('Debug Level', 'high') + labelled('Format for hacmp.out', 'Standard'),
  );
  return `Run Time Parameters:\n\n${blocks.join('\n')}`;
}
