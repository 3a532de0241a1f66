import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const directory = join(import.meta.dirname, '..');

it('prints what the README says', () => {
  const readme = readFileSync(join(directory, 'README.md'), 'utf8');
  const [, example, output] = /```ts\n(.*?)```\n\n```text\n(.*?)```/s.exec(readme) ?? [];
  const run = spawnSync(
    process.execPath,
    ['--conditions=@splitmirror/source', '--input-type=module-typescript', '--eval', example ?? ''],
    { cwd: directory, encoding: 'utf8' },
  );
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe(output);
}, 120_000);
