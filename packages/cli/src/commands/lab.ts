import { rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { longestTimerMs } from '@splitmirror/host';
import { connectLab, type Lab, startLab } from '@splitmirror/lab';
import { stringify } from 'yaml';
import { ConfigError } from '../config/read.ts';
import { endingSignals } from '../interrupts.ts';

/** What the lab may be told. */
export interface LabFlags {
  readonly directory: string;
  /** Minutes after which it ends by itself. */
  readonly minutes?: number;
}

/** Name of the file that makes every other command work with the lab. */
export const labConfigName = 'splitmirror.yaml';

/** Starts a lab, writes a configuration for it, and waits until it is told to end. */
export async function lab({ directory, minutes }: LabFlags): Promise<number> {
  await refuseSecondLab(resolve(directory));
  const running = await startLab({ directory });
  // Who started it in the background can find it again.
  await writeFile(join(running.directory, 'process.json'), `${JSON.stringify({ pid: process.pid })}\n`);
  // The demo waits for this file: it appears whole or not at all.
  const config = join(running.directory, labConfigName);
  await writeFile(`${config}.partial`, stringify(labConfig(running)), { mode: 0o600 });
  await rename(`${config}.partial`, config);
  process.stdout.write(`${reachText(running).join('\n')}\n`);
  const ending = new AbortController();
  for (const name of endingSignals) process.once(name, () => ending.abort());
  const lifetime = Math.min((minutes ?? Infinity) * 60_000, longestTimerMs);
  void running.closed.then(() => ending.abort());
  await delay(lifetime, undefined, { signal: ending.signal }).catch(() => {});
  // Nobody shall wait for nodes that are gone, nor take them for the next lab's.
  await rm(config, { force: true });
  await running.close();
  return 0;
}

async function refuseSecondLab(directory: string): Promise<void> {
  const control = await connectLab(directory).catch(() => undefined);
  if (control === undefined) return;
  control.disconnect();
  throw new ConfigError(`a lab already runs in ${directory}`, {
    remedy: `Use it with ${checkLine(directory)}, or name another directory.`,
  });
}

function checkLine(directory: string): string {
  return `splitmirror check --config ${join(directory, labConfigName)}`;
}

/** How to reach the nodes with a stock OpenSSH client. */
function reachText({
  directory,
  nodes,
  identityFile,
  knownHostsFile,
}: Pick<Lab, 'directory' | 'nodes' | 'identityFile' | 'knownHostsFile'>): string[] {
  return [
    `lab in ${directory}`,
    ...nodes.map(({ name, port }) => reachLine(name, port, identityFile, knownHostsFile)),
    // Only the commands of AIX look into a node's own directory: the shell is that of this machine.
    '  mind: a redirection that is typed on a node (> /etc/motd) writes to this machine',
    `  then: ${checkLine(directory)}`,
  ];
}

/** One node, and what to type to ask it something. */
export function reachLine(name: string, port: number, identityFile: string, knownHostsFile: string): string {
  return `  ${name}: ssh -p ${port} -i ${identityFile} -o UserKnownHostsFile=${knownHostsFile} root@127.0.0.1 lsvg -l ledgervg`;
}

/** Configuration with which every other command works on a lab. */
export function labConfig(running: Pick<Lab, 'nodes' | 'identityFile' | 'knownHostsFile'>) {
  return {
    nodes: Object.fromEntries(
      running.nodes.map(({ name, port, path }) => [name, { address: '127.0.0.1', port, path }]),
    ),
    ssh: { user: 'root', identities: [running.identityFile], knownHosts: [running.knownHostsFile] },
    store: '../store',
    stabilitySeconds: 0.5,
    pollSeconds: 0.5,
    groups: {
      ledger_rg: {
        quiesce: { suspend: [['ledgerctl', 'suspend']], resume: [['ledgerctl', 'resume']], timeoutSeconds: 30 },
        freezeSeconds: 30,
        allowLastCopy: true,
        rawVolumes: { auditlv: 'keep' },
      },
    },
  };
}
