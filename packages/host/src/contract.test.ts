import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { shells } from '../test/shells.ts';
import { createHost } from './host.ts';
import { localTransport } from './local.ts';
import { hostContract, type Subject } from './testing.ts';
import type { RemoteProcess } from './transport.ts';

/**
 * In ksh88 every function is one of Korn's own: within it the caller's traps do not hold. ksh93 does the same for
 * functions that are written so.
 */
function asInKsh88(text: string): string {
  return text.replace(/^(\w+)\(\) \{/gm, 'function $1 {');
}

/** Less than usual, since a rule floods it, for every shell. */
const maxOutputBytes = 16 << 20;

function subject(shell: string, rewrite: (text: string) => string): Subject {
  const local = localTransport('here');
  const running = new Set<RemoteProcess>();
  const transport = {
    async open(commandLine: string): Promise<RemoteProcess> {
      const child = await local.open(commandLine);
      running.add(child);
      const write = child.stdin.write.bind(child.stdin);
      child.stdin.write = (text: string) => write(rewrite(text));
      void child.exit.then(() => running.delete(child));
      return child;
    },
    close: () => local.close(),
  };
  return {
    host: createHost('here', transport, { shell, path: '/usr/bin:/bin', maxOutputBytes }),
    maxOutputBytes,
    cut() {
      for (const child of running) child.destroy();
    },
  };
}

const variants = Object.entries(shells).map(([name, shell]) => ({ name, shell, rewrite: (text: string) => text }));
if (shells.ksh93) variants.push({ name: 'ksh93 as ksh88', shell: shells.ksh93, rewrite: asInKsh88 });

for (const { name, shell, rewrite } of variants) {
  describe.skipIf(!existsSync(shell))(
    `the host contract, kept by localHost under ${name}`,
    { concurrent: true, timeout: 120_000 },
    () => {
      for (const rule of hostContract(async () => subject(shell, rewrite), { cuts: true }))
        it(rule.name, () => rule.run());
    },
  );
}
