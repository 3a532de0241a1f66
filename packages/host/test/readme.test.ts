import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

describe('README', () => {
  it('shows an example that prints what it says', async () => {
    const [, example = '', output = ''] = /```ts\n(.*?)```\n\n```text\n(.*?)```/s.exec(readme) ?? [];
    const folder = await mkdtemp(join(import.meta.dirname, 'readme-'));
    try {
      await writeFile(join(folder, 'example.ts'), example);
      const args = ['--conditions=@splitmirror/source', join(folder, 'example.ts')];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(stdout).toBe(output);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('explains every code of TransportError and ParseError', async () => {
    const errors = await readFile(new URL('../src/errors.ts', import.meta.url), 'utf8');
    const codes = new Set(errors.match(/'(HOST|PARSE)_[A-Z_]+'/g)?.map((code) => code.slice(1, -1)));
    expect(codes.size).toBe(7);
    for (const code of codes) expect(readme).toContain(`| \`${code}\` |`);
  });
});
