import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('prints what the README says', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const [, code = '', output = ''] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const file = join(import.meta.dirname, `readme-example.${process.pid}.mjs`);
  writeFileSync(file, code);
  try {
    expect(execFileSync(process.execPath, ['--conditions=@splitmirror/source', file], { encoding: 'utf8' })).toBe(
      output,
    );
  } finally {
    rmSync(file);
  }
});
