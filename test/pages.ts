import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every page of documentation, by its path in the repository. */
export const pages: readonly string[] = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((page) => !page.startsWith('.changeset/'));

/** Pages whose `ts` blocks are run by `readmes.test.ts`, each from the folder of a package that has what they import. */
export const pagesWithExamples: readonly (readonly [page: string, folder: string])[] = [
  ['packages/backup/README.md', 'packages/backup'],
  ['packages/host/README.md', 'packages/host'],
  ['packages/lab/README.md', 'packages/lab'],
  ['packages/levels/README.md', 'packages/levels'],
  ['packages/lvm/README.md', 'packages/lvm'],
  ['docs/embedding.md', 'packages/cli'],
];

/** Pages whose blocks a test of their own package runs, since they need more than to be printed: `test/readme.test.ts` there. */
export const pagesWithTests: readonly string[] = ['archive', 'hacmp', 'ssh'].map(
  (name) => `packages/${name}/README.md`,
);

/** A fenced block: where it begins, its language, and its text without the indentation of its fence. */
export interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export function blocksOf(markdown: string): Block[] {
  return Array.from(markdown.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm), (found) => {
    const [, indent = '', language = '', text = ''] = found;
    const line = markdown.slice(0, found.index).split('\n').length;
    return { line, language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '') };
  });
}
