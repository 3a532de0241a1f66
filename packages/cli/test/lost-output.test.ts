import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';

const program = join(import.meta.dirname, '../src/bin.ts');
const argv = (...words: string[]) => ['--conditions=@splitmirror/source', program, ...words];

it.each([['schema'], ['man']])('%s on a full disk does not end with 0', (...words) => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, argv(...words), {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^what was to be printed could not be written: .*ENOSPC/);
    expect(status).toBe(exitCodes.OUTPUT_LOST.code);
  } finally {
    closeSync(full);
  }
});

it('a reader that has seen enough is no error', () => {
  const words = argv('schema').map((word) => `'${word}'`);
  const script = `set -o pipefail; '${process.execPath}' ${words.join(' ')} | head -c 3`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '{\n ', stderr: '' });
});

it('a command that fails keeps its own exit code', () => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status } = spawnSync(process.execPath, argv('check', '--json', '--config', '/no/such.yaml'), {
      stdio: ['ignore', full, 'ignore'],
    });
    expect(status).toBe(exitCodes.USAGE.code);
  } finally {
    closeSync(full);
  }
});
