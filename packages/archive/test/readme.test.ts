import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { watchArchive } from '../src/index.ts';
import { archive, record } from './tar-builder.ts';
import { output, scratch } from './tools.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(readme)?.[1] ?? '';

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

it('the README tells how the digest of an outline is checked', () => {
  using directory = scratch();
  const bytes = archive(
    record({ name: 'a "b"', body: 'abc' }),
    record({ name: 'c' }),
    record({ name: 'd', body: 'abcd' }),
  );
  const pieces: Buffer[] = [];
  const watch = watchArchive('tar', { digest: 'outline', onCatalogue: (lines) => pieces.push(lines) });
  watch.push(bytes);
  const { sha256, catalogueSha256 } = watch.end();
  writeFileSync(join(directory.path, 'datalv.tar'), bytes);
  writeFileSync(join(directory.path, 'datalv.catalogue'), Buffer.concat(pieces));
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const run = (marker: string) =>
    output('sh', ['-c', blocks.find((text) => text.includes(marker)) ?? ''], { cwd: directory.path }).toString();
  expect(run('outline()')).toBe(`${sha256}  -\n`);
  expect(run('head -c -87')).toBe(`${catalogueSha256}  -\n${catalogueSha256}"}\n`);
});

it('the README lists every code of an error', () => {
  const sources = ['errors', 'extract/errors', 'catalogue/catalogue', 'stored', 'age'].map((name) =>
    readFileSync(join(import.meta.dirname, `../src/${name}.ts`), 'utf8'),
  );
  const codes = new Set(sources.flatMap((text) => text.match(/'(?:ARCHIVE|EXTRACT|CATALOGUE|STORED)_\w+'/g) ?? []));
  for (const code of codes) expect(readme).toContain(`| \`${code.slice(1, -1)}\` |`);
});
