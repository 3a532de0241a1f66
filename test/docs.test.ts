import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, pages, pagesWithExamples, pagesWithTests } from './pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** What holds a block to the truth. A block that nothing holds is a promise that nobody keeps. */
function holderOf(page: string, { language, text }: Block): string | undefined {
  const lines = text.trim().split('\n');
  if (pagesWithTests.includes(page) && language !== 'js') return 'test/readme.test.ts of the package';
  switch (language) {
    case 'console':
      return page.startsWith('docs/walkthroughs/') ? 'walkthroughs.test.ts types it' : undefined;
    case 'ts':
      return pagesWithExamples.some(([other]) => other === page) ? 'readmes.test.ts runs it' : undefined;
    case 'yaml':
      return 'packages/cli/test/documented.test.ts reads it';
    case 'js':
      return 'a fragment, which cannot run alone: below it is parsed, and what it imports is there';
    case 'sh':
      return lines.every(isKnownLine) ? 'below, and packages/cli/test/documented.test.ts' : undefined;
    case 'text':
      return 'output of the block before it, a table that a test writes, or a line for a crontab';
    default:
      return undefined;
  }
}

/** A line that a reader types: a script of this repository, one of its programs, or the command line itself. */
function isKnownLine(line: string): boolean {
  const [, script] = /^npm (?:run )?([\w:]+)/.exec(line) ?? [];
  if (script === 'install' || script === 'ci') {
    const names = Array.from(line.matchAll(/(?<= )(?:@splitmirror\/(\w+)|splitmirror)\b/g), ([, name = 'cli']) => name);
    return names.every((name) => existsSync(join(root, 'packages', name, 'package.json')));
  }
  if (script !== undefined) return script in scripts;
  const [, program] = /^npx (\w+)/.exec(line) ?? [];
  if (program !== undefined) return existsSync(join(root, 'node_modules/.bin', program));
  const [file = ''] = /^\.[\w/]+/.exec(line) ?? [];
  return /^(?:splitmirror|git push) /.test(line) || (file !== '' && existsSync(join(root, file)));
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  const words = heading.replace(/^#+ /, '').trim().toLowerCase();
  return words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

function isDead(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return true;
  return (
    anchor !== undefined &&
    !textOf(target)
      .split('\n')
      .some((line) => /^#+ /.test(line) && anchorOf(line) === anchor)
  );
}

describe.each(pages)('%s', (page) => {
  const text = textOf(page);

  it('links to what is there', () => {
    const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
    const links = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link);
    expect(links.filter((link) => !/^https?:/.test(link) && isDead(page, link))).toEqual([]);
  });

  it('has no block that nothing holds to the truth', () => {
    const loose = blocksOf(text).filter((block) => holderOf(page, block) === undefined);
    expect(loose.map(({ line, text: block }) => `${page}:${line}: ${block.split('\n')[0]}`)).toEqual([]);
  });
});

const fragmentsOf = (page: string) => blocksOf(textOf(page)).filter(({ language }) => language === 'js');

describe.each(pages.filter((page) => fragmentsOf(page).length > 0))('the fragments of %s', (page) => {
  it.each(fragmentsOf(page))('line $line is JavaScript, and imports what is there', async ({ text }) => {
    const imports = text.split('\n').filter((line) => line.startsWith('import '));
    const parsed = `${imports.join('\n')}\nasync () => { ${text.replace(/^import .*$/gm, '')} };`;
    const flags = ['--conditions=@splitmirror/source', '--input-type=module', '--eval', parsed];
    await expect(
      promisify(execFile)(process.execPath, flags, { cwd: join(root, dirname(page)) }),
    ).resolves.toMatchObject({
      stderr: '',
    });
  });
});
