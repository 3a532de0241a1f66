import { hostContract } from '@splitmirror/host/testing';
import { describe, it } from 'vitest';
import { startNode } from '../test/node.ts';
import { sshHost } from './transport.ts';

describe('the host contract, kept by sshHost', { concurrent: true }, () => {
  const rules = hostContract(
    async () => {
      const node = await startNode();
      return {
        host: sshHost('nodea', node.options, { path: '/usr/bin:/bin' }),
        cut: node.cut,
        dispose: node.stop,
      };
    },
    { cuts: true },
  );
  for (const rule of rules) it(rule.name, () => rule.run());
});
