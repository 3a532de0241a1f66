import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { configSchemaJson } from './schema.ts';

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
}

/** One row for each setting that says what it is for; those of nodes and groups stand under NAME. */
function rowsOf(node: Node, path: string): string[] {
  const own =
    path === '' || node.description === undefined
      ? []
      : [`| \`${path}\` | ${node.description.replaceAll('|', '\\|')} | ${defaultOf(node)} |`];
  const inside = Object.entries(node.properties ?? {}).flatMap(([name, each]) =>
    rowsOf(each, path === '' ? name : `${path}.${name}`),
  );
  const named = typeof node.additionalProperties === 'object' ? rowsOf(node.additionalProperties, `${path}.NAME`) : [];
  return [...own, ...inside, ...named];
}

function defaultOf({ default: value }: Node): string {
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  return `\`${value}\``;
}

describe('the documented settings', () => {
  const url = new URL('../../README.md', import.meta.url);
  const rows = rowsOf(configSchemaJson() as Node, '');

  it('all say what they are for', () => {
    expect(rows.length).toBeGreaterThan(30);
  });

  it('say so where they refer to a secret, instead of being one', () => {
    const secrets = ['ssh.passphrase', 'archives.restic.repository', 'groups.NAME.ping', 'notify.webhook'];
    for (const name of secrets)
      expect(rows.find((row) => row.startsWith(`| \`${name}\``))).toMatch(/`environment: NAME`/);
  });

  it('are those of the README (UPDATE_README=1 writes them)', async () => {
    const table = ['| setting | meaning | default |', '|---|---|---|', ...rows].join('\n');
    const readme = await readFile(url, 'utf8');
    const wanted = readme.replace(
      /<!-- settings -->[\s\S]*<!-- \/settings -->/,
      () => `<!-- settings -->\n${table}\n<!-- /settings -->`,
    );
    if (process.env.UPDATE_README) await writeFile(url, wanted);
    else expect(readme).toBe(wanted);
  });
});
