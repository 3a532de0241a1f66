import { hostContract } from '@splitmirror/host/testing';
import { sshHost } from '../src/host.ts';
import type { SshOptions } from '../src/options.ts';

/** A node that runs for one rule. */
interface StartedNode {
  readonly options: SshOptions;
  cut(): void;
  stop(): Promise<void>;
}

/** Less than usual, since a rule floods it, over every client and server. */
const maxOutputBytes = 16 << 20;

/** The host contract over ssh, on nodes that are started one for each rule. */
export function contractOver(
  start: () => Promise<StartedNode>,
  adapter: SshOptions['adapter'] = 'ssh2',
): ReturnType<typeof hostContract> {
  return hostContract(
    async () => {
      const node = await start();
      return {
        host: sshHost('nodea', { ...node.options, adapter }, { path: '/usr/bin:/bin', maxOutputBytes }),
        maxOutputBytes,
        cut: node.cut,
        dispose: node.stop,
      };
    },
    { cuts: true },
  );
}
