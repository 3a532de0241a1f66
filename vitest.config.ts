import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@splitmirror/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Most of the time goes by waiting for shells, locks and pauses of labs: more workers than processors.
    maxWorkers: Math.max(4, availableParallelism()),
    // Processes that tests start read the same sources again and again.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url)) },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Never for a law: its next try would take other values, and hide the counterexample (docs/decisions/0011).
    retry: process.env.CI ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    reporters: ['default', fileURLToPath(new URL('test/second-tries.ts', import.meta.url))],
  },
});
