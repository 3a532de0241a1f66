import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { contractOver } from './contract.ts';
import { startSshd } from './sshd.ts';

const sshd = '/usr/sbin/sshd';

describe.skipIf(!existsSync(sshd))(
  `the host contract against OpenSSH's ${sshd}`,
  { concurrent: true, timeout: 120_000 },
  () => {
    for (const rule of contractOver(startSshd)) it(rule.name, () => rule.run());
  },
);
