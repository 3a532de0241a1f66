#!/usr/bin/env node
import { main } from './program.ts';

// Whoever read our output may be gone; the run must not end for want of a reader, with a mirror split.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));
