import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { configSchemaJson } from './schema.ts';

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
}

/** What stands directly below a setting: its own settings, those of each form that it may have, and of what has a name. */
function below(node: Node, path: string): [path: string, node: Node][] {
  // Where a secret is, is told by the setting itself.
  if (node.description?.includes('`environment: NAME`')) return [];
  const own = Object.entries(node.properties ?? {}).map(([name, each]): [string, Node] => [
    path === '' ? name : `${path}.${name}`,
    each,
  ]);
  const named = typeof node.additionalProperties === 'object' ? below(node.additionalProperties, `${path}.NAME`) : [];
  return [...own, ...(node.anyOf ?? []).flatMap((form) => below(form, path)), ...named];
}

/** Settings that do not say what they are for. */
function silent(node: Node, path: string): string[] {
  const own = path !== '' && node.description === undefined ? [path] : [];
  return [...own, ...below(node, path).flatMap(([name, each]) => silent(each, name))];
}

/** One row for each setting that says what it is for; those of nodes and groups stand under NAME. */
function rowsOf(node: Node, path: string): string[] {
  const own =
    path === '' || node.description === undefined
      ? []
      : [`| \`${path}\` | ${node.description.replaceAll('|', '\\|')} | ${defaultOf(node)} |`];
  return [...own, ...below(node, path).flatMap(([name, each]) => rowsOf(each, name))];
}

function defaultOf({ default: value }: Node): string {
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  return `\`${value}\``;
}

describe('the documented settings', () => {
  const url = new URL('../../README.md', import.meta.url);
  const rows = rowsOf(configSchemaJson() as Node, '');

  it('all say what they are for', () => {
    expect(silent(configSchemaJson() as Node, '')).toEqual([]);
    for (const name of ['keep.daily', 'drills.probeMinutes', 'application.stopStart.stop', 'application.db2.instance'])
      expect(
        rows.some((row) => row.startsWith(`| \`groups.NAME.${name}\` |`)),
        name,
      ).toBe(true);
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
