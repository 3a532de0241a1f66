import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { contractOver } from './contract.ts';
import { startNode } from './node.ts';
import { startSshd } from './sshd.ts';

const programs = ['/usr/bin/ssh', '/usr/sbin/sshd'].every(existsSync);

describe.skipIf(!programs)(
  "the host contract, kept with the system's ssh",
  { concurrent: true, timeout: 120_000 },
  () => {
    for (const rule of contractOver(startSshd, 'openssh')) it(rule.name, () => rule.run());
  },
);

describe.skipIf(!programs)(
  "the host contract, kept with the system's ssh against ssh2's server",
  { concurrent: true, timeout: 120_000 },
  () => {
    for (const rule of contractOver(startNode, 'openssh')) it(rule.name, () => rule.run());
  },
);
