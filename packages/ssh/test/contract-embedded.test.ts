import { describe, it } from 'vitest';
import { contractOver } from './contract.ts';
import { startNode } from './node.ts';

describe('the host contract, kept by sshHost', { concurrent: true, timeout: 120_000 }, () => {
  for (const rule of contractOver(startNode)) it(rule.name, () => rule.run());
});
