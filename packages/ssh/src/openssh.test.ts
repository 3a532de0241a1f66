import { existsSync } from 'node:fs';
import { hostContract } from '@splitmirror/host/testing';
import { describe, it } from 'vitest';
import { startSshd } from '../test/sshd.ts';
import { sshHost } from './transport.ts';

const sshd = '/usr/sbin/sshd';

describe.skipIf(!existsSync(sshd))(`the host contract against OpenSSH's ${sshd}`, { concurrent: true }, () => {
  const rules = hostContract(
    async () => {
      const node = await startSshd();
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
