#!/usr/bin/env node
import { refusalOfNode } from './node-version.ts';

const refusal = refusalOfNode(process.versions.node);
if (refusal === null) {
  // What an older Node.js does not know would already fail to load.
  const { watchOutput } = await import('./lost-output.ts');
  const conclude = watchOutput(process);
  const { main } = await import('./program.ts');
  const code = await main(process.argv.slice(2));
  // A stream tells of a failed write later.
  await new Promise((resolve) => setImmediate(resolve));
  process.exitCode = conclude(code);
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}
