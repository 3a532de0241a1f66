import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type ExampleFile, typeFaults } from './example-types.ts';
import { blocksOf, pagesWithExamples, pagesWithTests } from './pages.ts';

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

describe('every ts example of a README and of docs/embedding.md', () => {
  const folders = [...pagesWithExamples, ...pagesWithTests.map((page) => [page, dirname(page)] as const)];
  const examples = folders.flatMap(([page, folder]) =>
    blocksOf(readFileSync(`${root}${page}`, 'utf8')).flatMap(({ line, language, text }) =>
      language === 'ts' ? [{ page, line, path: `${root}${folder}/example-at-${line}.ts`, text }] : [],
    ),
  );
  /** What some of them import as the reader's own. */
  const imported: ExampleFile[] = [
    {
      path: `${root}packages/hacmp/hosts.ts`,
      text: "import type { Host } from '@splitmirror/host';\nexport declare const hosts: ReadonlyMap<string, Host>;",
    },
    {
      path: `${root}packages/ssh/nodes.ts`,
      text: "import type { SshOptions } from '@splitmirror/ssh';\nexport declare const nodea: SshOptions, stranger: SshOptions;",
    },
  ];
  const faults = typeFaults(root, examples, imported);

  it.each(examples)('compiles as a reader would have it compiled: $page line $line', ({ path }) => {
    expect(faults.get(path)).toEqual([]);
  });

  it('is one that the compiler refuses when it is wrong', () => {
    const wrong = { path: `${root}packages/host/wrong.ts`, text: 'const job = (signal) => signal;\nexport {};' };
    expect(typeFaults(root, [wrong], []).get(wrong.path)).toEqual([
      "line 1: Parameter 'signal' implicitly has an 'any' type.",
    ]);
  });
});
