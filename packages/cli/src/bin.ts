#!/usr/bin/env node
import { refusalOfNode } from './node-version.ts';

// Whoever read our output may be gone; the run must not end for want of a reader, with a mirror split.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const refusal = refusalOfNode(process.versions.node);
if (refusal === null) {
  // What an older Node.js does not know would already fail to load.
  const { main } = await import('./program.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}
