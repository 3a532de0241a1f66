import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(`${folder}README.md`, 'utf8');

it('prints what the README says', () => {
  const [, example = '', output = ''] = /```ts\n(.*?)```\n.*?```text\n(.*?)```/s.exec(readme) ?? [];
  const file = `${folder}test/readme-example-${process.pid}.ts`;
  writeFileSync(file, example);
  try {
    const args = ['--conditions=@splitmirror/source', '--no-warnings', file];
    expect(execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trimEnd()).toBe(output.trimEnd());
  } finally {
    rmSync(file);
  }
});
