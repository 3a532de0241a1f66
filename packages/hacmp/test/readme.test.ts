import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { situations } from './situations.ts';

const readme = new URL('../README.md', import.meta.url);
const marks = ['<!-- situations -->', '<!-- /situations -->'] as const;

function situationTable(): string {
  const rows = situations.map(({ title, policy, verdict, because, warnings = [], why }) => {
    const named = policy ? ` (policy \`${Object.entries(policy).flat().join(': ')}\`)` : '';
    const told = verdict === 'held' ? `\`held\` by ${because[0]}` : `\`${verdict}\``;
    const listed = verdict === 'held' ? warnings : because;
    const codes = listed.length === 0 ? '' : ` (${[...new Set(listed)].map((code) => `\`${code}\``).join(', ')})`;
    return `| ${title}${named} | ${told} | ${why}${codes} |`;
  });
  return ['| situation | verdict | why |', '|---|---|---|', ...rows].join('\n');
}

describe('README', () => {
  // UPDATE_README=1 writes it anew.
  it('lists the situations that are tested', async () => {
    const text = await readFile(readme, 'utf8');
    const [start, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
    const wanted = `${text.slice(0, start)}${marks[0]}\n${situationTable()}\n${text.slice(end)}`;
    if (process.env.UPDATE_README) await writeFile(readme, wanted);
    else expect(text, 'run with UPDATE_README=1').toBe(wanted);
  });

  it('explains every reason', async () => {
    const text = await readFile(readme, 'utf8');
    const sources = [
      'verdict/verdict',
      'verdict/agreement',
      'verdict/holder',
      'verdict/local-resources',
      'verdict/service-labels',
      'verdict/level-warning',
      'survey/survey',
      'node-scripts/install',
    ];
    const code = await Promise.all(
      sources.map((name) => readFile(new URL(`../src/${name}.ts`, import.meta.url), 'utf8')),
    );
    const found = Array.from(code.join('').matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g), ([, word = '']) => word);
    const states = ['ST_STABLE', 'ST_INIT', 'NOT_CONFIGURED'];
    const reasons = text.slice(text.indexOf('| reason |'));
    expect(found.filter((word) => !states.includes(word) && !reasons.includes(`\`${word}\``))).toEqual([]);
  });

  it.each([0, 1])('shows an example that runs as printed (%i)', async (place) => {
    const text = await readFile(readme, 'utf8');
    const [, example = '', output = ''] = [...text.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)][place] ?? [];
    const folder = await mkdtemp(join(import.meta.dirname, 'readme-'));
    try {
      await writeFile(join(folder, 'example.ts'), example.replace('20_000', '0'));
      const hosts =
        "import { healthyWorld, hostsOf } from '../world.ts';\nexport const hosts = hostsOf(healthyWorld());\n";
      await writeFile(join(folder, 'hosts.ts'), hosts);
      const args = ['--conditions=@splitmirror/source', join(folder, 'example.ts')];
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      if (process.env.UPDATE_README) {
        const updated = text.replace(
          `${example}\`\`\`\n\n\`\`\`text\n${output}\`\`\``,
          () => `${example}\`\`\`\n\n\`\`\`text\n${stdout}\`\`\``,
        );
        await writeFile(readme, updated);
      } else expect(output).toBe(stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names tests that exist', async () => {
    const text = await readFile(readme, 'utf8');
    const files = await Promise.all(
      ['src', 'test'].map(async (name) => {
        const folder = new URL(`../${name}/`, import.meta.url);
        const names = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
        return Promise.all(names.map((file) => readFile(new URL(file, folder), 'utf8')));
      }),
    );
    const tests = files.flat().join('\n').replaceAll("\\'", "'");
    const [, table = ''] = /<!-- rules -->(.*?)<!-- \/rules -->/s.exec(text) ?? [];
    const named = Array.from(table.matchAll(/"([^"]+)"/g), ([, title = '']) => title);
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((title) => !tests.includes(title))).toEqual([]);
  });
});
