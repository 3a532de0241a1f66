import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { output, scratch } from './tools.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const block = (language: string) => new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(readme)?.[1] ?? '';

it('the README shows what its example prints', () => {
  using directory = scratch();
  writeFileSync(join(directory.path, 'redo.log'), 'hello');
  // Beside the test, so that it finds the packages that it imports.
  const script = join(import.meta.dirname, `readme-example-${process.pid}.mts`);
  writeFileSync(script, block('ts'));
  try {
    const printed = output(process.execPath, ['--conditions=@splitmirror/source', script], { cwd: directory.path });
    expect(printed.toString()).toBe(block('text'));
  } finally {
    rmSync(script);
  }
});

it('the README lists every code of an error', () => {
  const sources = ['errors', 'extract', 'catalogue'].map((name) =>
    readFileSync(join(import.meta.dirname, `../src/${name}.ts`), 'utf8'),
  );
  const codes = new Set(sources.flatMap((text) => text.match(/'(?:ARCHIVE|EXTRACT|CATALOGUE)_\w+'/g) ?? []));
  for (const code of codes) expect(readme).toContain(`| \`${code.slice(1, -1)}\` |`);
});
