import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startNode } from './node.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, code = '', output = '']) => [code.split('\n')[0] ?? '', code, output] as const,
);

describe('README', () => {
  it.each(examples)('shows an example that prints what it says: %s', async (_first, code, output) => {
    const folder = await mkdtemp(join(import.meta.dirname, 'readme-'));
    const node = await startNode();
    try {
      const nodes = { nodea: node.options, stranger: { ...node.options, knownHosts: [join(folder, 'none')] } };
      const text = Object.entries(nodes).map(
        ([name, options]) => `export const ${name} = ${JSON.stringify(options)};\n`,
      );
      await writeFile(join(folder, 'nodes.ts'), text.join(''));
      await writeFile(join(folder, 'example.ts'), code);
      // A process of its own: Node reads CommonJS packages such as ssh2 otherwise than the test runner does.
      const args = ['--conditions=@splitmirror/source', join(folder, 'example.ts')];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(stdout).toBe(output);
    } finally {
      await node.stop();
      await rm(folder, { recursive: true });
    }
  });
});
