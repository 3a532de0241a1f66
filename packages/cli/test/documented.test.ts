import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readConfig } from '../src/config/read.ts';
import { examplesOf } from '../src/tree/branch.ts';
import { buildProgram } from '../src/tree.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((name) => !name.startsWith('.changeset/'));

/** Every command line that a text names: in blocks, and between backquotes where options or arguments follow. */
function commandLinesIn(markdown: string): string[] {
  const blocks = Array.from(markdown.matchAll(/^ *```(?:sh|text)\n([\s\S]*?)^ *```/gm), ([, body = '']) => body);
  const spans = markdown.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`(splitmirror [a-z][^`\n]*)`/g);
  return [
    ...blocks.flatMap((body) => body.split('\n').filter((line) => /^(?:[*/\d ]+ )?splitmirror [a-z]/.test(line))),
    ...Array.from(spans, ([, line = '']) => line),
  ].map((line) => line.replace(/^[*/\d ]+ (?=splitmirror)/, ''));
}

/** Every command line in a text of a source: behind a colon, to the end of the sentence, or in quotes. What is put in stands for a word. */
function remedyLinesIn(source: string): string[] {
  const texts = Array.from(source.matchAll(/`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'/g), ([text]) => text.slice(1, -1));
  return texts
    .map((text) => text.replace(/\$\{[^}]*\}/g, 'X'))
    .flatMap((text) => [...text.matchAll(/(?:: (splitmirror [a-z][^".;,:)]*)|"(splitmirror [a-z][^"]*)")/g)])
    .map(([, plain, quoted]) => plain ?? quoted ?? '');
}

/** The words behind `splitmirror`, up to what belongs to the shell. */
function wordsOf(line: string): string[] {
  const command = line.replace(/^splitmirror /, '').replace(/\s+(?:#|>|<|\||&&).*$/, '');
  return Array.from(
    command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}

/** A command that is only named. */
function helped(line: string): string {
  return line.replace(/^(splitmirror \w+)$/, '$1 --help');
}

/** What the command line says of words, when no command is run; nothing when it takes them. */
async function objection(words: readonly string[]): Promise<string | undefined> {
  const program = buildProgram(() => {});
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command !== program) command.action(() => {});
  }
  return program.parseAsync([...words], { from: 'user' }).then(
    () => undefined,
    (error: Error) => (error.message === '(outputHelp)' ? undefined : error.message),
  );
}

/** Examples that ask no node and use no store. */
const offlineExamples = buildProgram(() => {})
  .commands.filter((command) => ['parse', 'sudoers', 'schema'].includes(command.name()))
  .flatMap(examplesOf);

describe('what is documented', () => {
  it.each(pages)('%s names no command and no option that is not there', async (page) => {
    const lines = commandLinesIn(await readFile(join(root, page), 'utf8'));
    const wrong = await Promise.all(lines.map(async (line) => [line, await objection(wordsOf(helped(line)))] as const));
    expect(wrong.filter(([, said]) => said !== undefined)).toEqual([]);
  });

  it('is what remedies say, too', async () => {
    const files = execFileSync('git', ['ls-files', 'packages/*/src/*.ts'], { cwd: root, encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter((name) => !name.endsWith('.test.ts'));
    const lines = await Promise.all(files.map(async (name) => remedyLinesIn(await readFile(join(root, name), 'utf8'))));
    const wrong = await Promise.all(
      lines.flat().map(async (line) => [line, await objection(wordsOf(helped(line)))] as const),
    );
    expect(wrong.length).toBeGreaterThan(20);
    expect(wrong.filter(([, said]) => said !== undefined)).toEqual([]);
  });

  it('has examples that each command takes', async () => {
    const program = buildProgram(() => {});
    for (const command of program.commands.filter(({ commands }) => commands.length === 0)) {
      for (const example of examplesOf(command)) {
        expect(example, 'a command line of its own').toMatch(new RegExp(`^${command.name()}\\b`));
        expect(await objection(wordsOf(example)), example).toBeUndefined();
      }
    }
    expect(await objection(['backup', '--no-such-option'])).toMatch(/unknown option/);
  });

  it.each(offlineExamples)('has an example that works as it is typed: splitmirror %s', async (example) => {
    const directory = await mkdtemp(join(tmpdir(), 'splitmirror-examples-'));
    const fixture = await readFile(join(root, 'packages/lvm/test/fixtures/lsvg-M-titled.txt'), 'utf8');
    await writeFile(join(directory, 'datavg.txt'), fixture.replace(/^#.*\n/gm, ''));
    await writeFile(
      join(directory, 'saved.txt'),
      'payroll_rg:ONLINE:db1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n',
    );
    await writeFile(
      join(directory, 'splitmirror.yaml'),
      stringify({ nodes: { db1: { address: 'db1.example.com' } }, store: directory, groups: { payroll_rg: {} } }),
    );
    const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; splitmirror ${example}`], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${root}/bin:${process.env.PATH}` },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('shows configurations that can be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'splitmirror-documented-'));
    const blocks = await Promise.all(
      pages.map(async (page) =>
        Array.from((await readFile(join(root, page), 'utf8')).matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)),
      ),
    );
    expect(blocks.flat()).not.toEqual([]);
    for (const [index, [, indent = '', body = '']] of blocks.flat().entries()) {
      const file = join(directory, `${index}.yaml`);
      await writeFile(file, body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
      await expect(readConfig(file)).resolves.toMatchObject({ store: expect.any(String) });
    }
  });
});
