import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { pagesWithExamples } from './pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each `ts` block that is followed by a `text` block: what it prints. */
async function examplesOf(page: string): Promise<{ line: number; code: string; output: string }[]> {
  const text = await readFile(`${root}${page}`, 'utf8');
  return Array.from(
    text.matchAll(/```ts\n((?:(?!```).*\n)*)```\n(?:(?!```).*\n)*?```text\n((?:(?!```).*\n)*)```/g),
    (found) => ({
      line: text.slice(0, found.index).split('\n').length,
      code: found[1] ?? '',
      output: found[2] ?? '',
    }),
  );
}

describe.each(pagesWithExamples)('the examples of %s', async (page, folder) => {
  const examples = await examplesOf(page);

  it('are there', () => expect(examples).not.toEqual([]));

  it.each(examples)('line $line prints what it says', { timeout: 120_000 }, async ({ code, output }) => {
    const words = ['--conditions=@splitmirror/source', '--input-type=module-typescript', '--eval', code];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: `${root}${folder}` });
    expect(stdout).toBe(output);
  });
});
