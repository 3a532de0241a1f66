import { type BackupContext, type BackupEvent, openStore, systemSurroundings } from '@splitmirror/backup';
import { aixFamily } from '@splitmirror/backup/aix';
import type { Host } from '@splitmirror/host';
import { sshHost } from '@splitmirror/ssh';
import type { Config } from './config.ts';

/** Hosts of a configuration, by cluster node name. Nothing is connected before something is asked. */
function hostsOf(config: Config): Map<string, Host> {
  const { user, identities, knownHosts } = config.ssh;
  return new Map(
    Object.entries(config.nodes).map(([name, node]) => [
      name,
      sshHost(
        name,
        { address: node.address, port: node.port, user, knownHosts, identities: identities.map((file) => ({ file })) },
        { path: node.path, shell: node.shell },
      ),
    ]),
  );
}

/** Everything that a command needs; connections are closed when `work` has ended. */
export async function withContext<T>(
  config: Config,
  onEvent: (event: BackupEvent) => void,
  work: (context: BackupContext) => Promise<T>,
): Promise<T> {
  const store = await openStore(config.store);
  return withNodes(config, (nodes) => work({ ...nodes, store, onEvent }));
}

/** The same without a store. */
export async function withNodes<T>(
  config: Config,
  work: (nodes: Omit<BackupContext, 'store' | 'onEvent'>) => Promise<T>,
): Promise<T> {
  const surroundings = systemSurroundings();
  const hosts = hostsOf(config);
  try {
    const family = aixFamily({
      hosts,
      now: surroundings.now,
      stabilityMs: config.stabilitySeconds * 1000,
      policy: config.minority === 'refuse' ? {} : { minority: config.minority },
    });
    return await work({ ...family, surroundings });
  } finally {
    await Promise.all([...hosts.values()].map((host) => host.close()));
  }
}
