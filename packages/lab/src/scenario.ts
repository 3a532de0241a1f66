import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Ran } from './cluster/resources.ts';
import type { Policies, Topology } from './cluster/topology.ts';
import type { SharedDisk, Storage } from './storage/index.ts';

/** A node of the lab. */
export interface NodeNames {
  /** Cluster node name. */
  readonly name: string;
  /** Host name: what `hostname` says. */
  readonly host: string;
  /** Name of its site; left out in a cluster without sites. */
  readonly site?: string;
}

/** A group without storage, for what only its states show. */
export interface ExtraGroup {
  readonly name: string;
  /** Participating nodes in priority order; default: all, in the order of the lab. */
  readonly nodes?: readonly string[];
  /** Default: home node only, next node in the list, never back. */
  readonly policies?: Partial<Policies>;
}

/** The nodes of the default lab. Cluster node names and host names differ, as they often do. */
export const defaultNodes: readonly NodeNames[] = [
  { name: 'db_node1', host: 'dbhost1' },
  { name: 'db_node2', host: 'dbhost2' },
];

/** Where the cluster keeps what it knows of itself. */
export const repositoryDisk = 'hdisk1';

/** Disks that all nodes see: the repository disk of the cluster and the two sides of the mirror. */
export const sharedDisks: readonly SharedDisk[] = [
  { name: repositoryDisk, megabytes: 16 },
  { name: 'hdisk2', megabytes: 256 },
  { name: 'hdisk3', megabytes: 256 },
];

/** Partitions of 4 MB. */
const partitionBytes = 4 << 20;
const volumes = { journallv: 16, accountslv: 8, auditlv: 2 };

/** Where the ledger of the default lab lives. */
export const ledgerPlaces = {
  volumeGroup: 'ledgervg',
  journal: '/ledger/journal',
  accounts: '/ledger/accounts',
  auditVolume: 'auditlv',
  /** A file takes a block of 4 KB; a quarter of the volume is left to other content. */
  mostBookings: Math.floor((volumes.journallv * partitionBytes * 0.5) / 4096),
} as const;

/** Cluster with one group that holds the ledger. */
export function ledgerTopology(
  nodes: readonly NodeNames[],
  groups: readonly ExtraGroup[],
  repositoryPvid: string,
): Topology {
  return {
    cluster: 'ledger_cluster',
    clusterId: 1_274_093_551,
    nodes: nodes.map(({ name, host, site }, index) => ({
      name,
      host,
      site,
      address: `10.64.7.${11 + index}`,
      id: index + 1,
    })),
    network: 'net_ether_01',
    serviceAddress: '10.64.7.10',
    repositoryDisk: { name: repositoryDisk, pvid: repositoryPvid },
    groups: [
      {
        name: 'ledger_rg',
        nodes: nodes.map(({ name }) => name),
        policies: { startup: 'OHN', fallover: 'FNPN', fallback: 'NFB' },
        volumeGroups: [ledgerPlaces.volumeGroup],
        fileSystems: [ledgerPlaces.accounts, ledgerPlaces.journal],
        serviceLabel: 'ledger_svc',
        application: { name: 'ledger_app', start: ['ledgerctl', 'start'], stop: ['ledgerctl', 'stop'] },
      },
      ...groups.map(({ name, nodes: members, policies }) => ({
        name,
        nodes: members ?? nodes.map((node) => node.name),
        policies: { startup: 'OHN', fallover: 'FNPN', fallback: 'NFB', ...policies } as const,
        volumeGroups: [],
        fileSystems: [],
        serviceLabel: undefined,
        application: undefined,
      })),
    ],
  };
}

type Run = (node: string, argv: readonly [string, ...string[]]) => Promise<Ran>;

/** Makes the volume group of the ledger as an administrator would: mirrored, on one node, imported on the others. */
export async function buildLedgerStorage(
  nodes: readonly NodeNames[],
  run: Run,
  storage: Storage,
  contentBytes: number,
): Promise<void> {
  const [first, ...others] = nodes.map(({ name }) => name);
  if (first === undefined) throw new RangeError('a lab needs at least one node');
  const { volumeGroup, journal, accounts, auditVolume } = ledgerPlaces;
  const on = async (node: string, ...argv: [string, ...string[]]) => {
    const { code, stderr } = await run(node, argv);
    if (code !== 0) throw new Error(`the lab could not be built: ${argv.join(' ')} on ${node}: ${stderr}`);
  };
  await on(first, 'mkvg', '-C', '-n', '-s', String(partitionBytes >> 20), '-y', volumeGroup, 'hdisk2', 'hdisk3');
  await on(first, 'varyonvg', '-n', '-c', '-A', volumeGroup);
  for (const [volume, mountPoint] of [
    ['journallv', journal],
    ['accountslv', accounts],
  ] as const) {
    await on(
      first,
      'mklv',
      '-y',
      volume,
      '-t',
      'jfs2',
      '-c',
      '2',
      volumeGroup,
      String(volumes[volume]),
      'hdisk2',
      'hdisk3',
    );
    await on(
      first,
      'crfs',
      '-v',
      'jfs2',
      '-d',
      volume,
      '-m',
      mountPoint,
      '-A',
      'no',
      '-p',
      'rw',
      '-a',
      'logname=INLINE',
    );
  }
  await on(
    first,
    'mklv',
    '-y',
    auditVolume,
    '-t',
    'raw',
    '-c',
    '2',
    volumeGroup,
    String(volumes.auditlv),
    'hdisk2',
    'hdisk3',
  );
  for (const node of others) {
    await on(node, 'importvg', '-n', '-y', volumeGroup, 'hdisk2');
    for (const mountPoint of [journal, accounts]) mkdirSync(storage.realPath(node, mountPoint), { recursive: true });
    await on(node, 'varyonvg', '-n', '-c', '-P', volumeGroup);
  }
  for (const mountPoint of [accounts, journal]) await on(first, 'mount', mountPoint);
  await on(first, 'mkdir', '-p', `${accounts}/statements`, `${journal}/closed`);
  for (let written = 0, index = 0; written < contentBytes; index++) {
    const text = statement(index);
    const directory = index % 3 === 0 ? `${accounts}/statements` : `${journal}/closed`;
    await storage.write(first, `${directory}/statement-${String(index).padStart(5, '0')}.txt`, text);
    written += text.length;
  }
  for (const mountPoint of [journal, accounts]) await on(first, 'umount', mountPoint);
  await on(first, 'varyonvg', '-n', '-c', '-P', volumeGroup);
}

const statementLines = 1200;
const digits = createHash('sha512').update('statement').digest('hex').repeat(24);

/** Pages of an account statement: some dozens of KB of text that compresses like text. */
function statement(index: number): string {
  const lines = [`STATEMENT ${index} OF ACCOUNT acct${String(index % 16).padStart(2, '0')}`];
  for (let line = 0; line < statementLines; line++) {
    const at = (index * 131 + line * 17) % (digits.length - 40);
    lines.push(
      `${String(line).padStart(6)}  2026-${String((line % 12) + 1).padStart(2, '0')}-${String((line % 28) + 1).padStart(2, '0')}  ${digits.slice(at, at + 32)}  ${((index * 7919 + line * 104_729) % 99_999_99) / 100} EUR`,
    );
  }
  return `${lines.join('\n')}\n`;
}
