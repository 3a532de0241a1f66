import { hostContract } from '@splitmirror/host/testing';
import type { SshOptions } from '../src/options.ts';
import { sshHost } from '../src/transport.ts';

/** A node that runs for one rule. */
interface StartedNode {
  readonly options: SshOptions;
  cut(): void;
  stop(): Promise<void>;
}

/** The host contract over ssh, on nodes that are started one for each rule. */
export function contractOver(start: () => Promise<StartedNode>): ReturnType<typeof hostContract> {
  return hostContract(
    async () => {
      const node = await start();
      return {
        host: sshHost('nodea', node.options, { path: '/usr/bin:/bin' }),
        cut: node.cut,
        dispose: node.stop,
      };
    },
    { cuts: true },
  );
}
