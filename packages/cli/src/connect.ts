import { userInfo } from 'node:os';
import {
  type BackupContext,
  type BackupEvent,
  openStore,
  resticVault,
  type Store,
  systemSurroundings,
  type Vault,
  vaultOnDemand,
} from '@splitmirror/backup';
import { aixFamily } from '@splitmirror/backup/aix';
import type { Host, HostOptions } from '@splitmirror/host';
import { type AdapterChoice, configuredOptions, type SshOptions, sshHost, sshTransport } from '@splitmirror/ssh';
import { ConfigError } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { secretOf, secretRemedy } from './config/secrets.ts';

/** Hears what a connection wants to be known although it works. */
export interface Listener {
  readonly warn: (line: string) => void;
  /** Which client a node is reached with, where the configuration leaves that open. */
  readonly onClient?: (node: string, choice: AdapterChoice) => void;
}

/** How a node is reached: what the configuration says, and where it says nothing, what `~/.ssh/config` says. */
async function sshOptionsOf(config: Config, name: string, { warn, onClient }: Listener): Promise<SshOptions> {
  const { ssh } = config;
  const { address = name, port, algorithms } = config.nodes[name] ?? {};
  const said = ssh.config === 'use' ? await configuredOptions(address, { port, user: ssh.user }) : null;
  for (const note of said?.notes ?? []) warn(`${name}: ${note}`);
  const { passphrase } = ssh;
  return {
    ...(said?.options ?? { address }),
    ...(port === undefined ? {} : { port }),
    user: ssh.user ?? loginOf(said?.options.user),
    ...(ssh.identities.length === 0 ? {} : { identities: ssh.identities.map((file) => ({ file })) }),
    ...(ssh.knownHosts === undefined ? {} : { knownHosts: ssh.knownHosts }),
    ...(algorithms === undefined ? {} : { algorithms }),
    ...(passphrase === undefined ? {} : { passphrase: () => secretOf(passphrase, 'ssh.passphrase') }),
    adapter: ssh.adapter,
    ...(onClient === undefined ? {} : { onChoice: (choice) => onClient(name, choice) }),
    ...(ssh.windowMiB === undefined ? {} : { windowBytes: ssh.windowMiB << 20 }),
    onWarning: ({ message }) => warn(`${name}: ${message}`),
  };
}

/** A user that only stands for "whoever asks" is no decision of the ssh configuration. */
function loginOf(user: string | undefined): string {
  return user === undefined || user === userInfo().username ? 'root' : user;
}

function hostOptionsOf(config: Config, name: string): HostOptions {
  const { path, shell } = config.nodes[name] ?? {};
  const { sudo } = config.ssh;
  return { path, shell, ...(sudo === undefined ? {} : { sudo: { commands: sudo } }) };
}

/** Hosts of a configuration, by cluster node name. Nothing is connected before something is asked. */
async function hostsOf(config: Config, listener: Listener): Promise<Map<string, Host>> {
  const names = Object.keys(config.nodes);
  const options = await Promise.all(names.map((name) => sshOptionsOf(config, name, listener)));
  return new Map(
    options.map((ssh, index) => {
      const name = names[index] ?? '';
      return [name, sshHost(name, ssh, hostOptionsOf(config, name))];
    }),
  );
}

/** A node that takes bytes in: what a restore to it is streamed through. Close the transport. */
export async function feedOf(config: Config, name: string, listener: Listener) {
  if (config.ssh.sudo !== undefined) {
    throw new ConfigError('a restore to a node cannot go through sudo', {
      remedy: 'Log in as root for it, with a configuration of its own; or restore here, and copy.',
    });
  }
  const { path, shell } = hostOptionsOf(config, name);
  return { transport: sshTransport(await sshOptionsOf(config, name, listener), name), path, shell };
}

/** The store of a configuration, its archives in a directory or in a repository. Neither is looked at before it is used. */
export function storeOf({ store, storeMountPoint: mountPoint, archives }: Config): Store {
  const { restic } = archives;
  if (restic === undefined) return openStore(store, undefined, { mountPoint });
  const open = (): Promise<Vault> => onRepository(resticVault(restic));
  return openStore(store, vaultOnDemand('the restic repository', open), { mountPoint });
}

/** Work on the repository of a configuration: a reference that leads to nothing is told as the setting that it is. */
export function onRepository<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause) => {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConfigError(`archives.restic.${cause.message}`, { remedy: secretRemedy, cause });
  });
}

/** Everything that a command needs; connections are closed when `work` has ended. */
export function withContext<T>(
  config: Config,
  { onEvent, ...listener }: Listener & { readonly onEvent: (event: BackupEvent) => void },
  work: (context: BackupContext) => Promise<T>,
): Promise<T> {
  return withNodes(config, listener, (nodes) => work({ ...nodes, store: storeOf(config), onEvent }));
}

/** The same without a store. */
export async function withNodes<T>(
  config: Config,
  listener: Listener,
  work: (nodes: Omit<BackupContext, 'store' | 'onEvent'>) => Promise<T>,
): Promise<T> {
  const hosts = await hostsOf(config, listener);
  try {
    return await work(nodesOn(config, hosts));
  } finally {
    await Promise.all([...hosts.values()].map((host) => host.close()));
  }
}

/** A cluster behind hosts, which may be listened to. */
export function nodesOn(
  config: ClusterSettings,
  hosts: ReadonlyMap<string, Host>,
): Omit<BackupContext, 'store' | 'onEvent'> {
  const surroundings = systemSurroundings();
  return { ...familyOn(config, hosts, surroundings.now), surroundings };
}

/** The settings on which decisions rest. */
export type ClusterSettings = Pick<Config, 'stabilitySeconds' | 'minority' | 'mirror'>;

/** Cluster and mirror behind hosts, at any time. */
export function familyOn(
  config: ClusterSettings,
  hosts: ReadonlyMap<string, Host>,
  now: () => Date,
): ReturnType<typeof aixFamily> {
  const { parallelPartitions, rate, spaceReclamation, snapshotPercent, megabytesPerSecond } = config.mirror;
  return aixFamily({
    hosts,
    now,
    stabilityMs: Math.ceil(config.stabilitySeconds * 1000),
    policy: config.minority === 'refuse' ? {} : { minority: config.minority },
    mirror: {
      resync: { parallelPartitions, rate },
      spaceReclamation,
      snapshotPercent,
      resyncMegabytesPerSecond: megabytesPerSecond,
    },
  });
}
