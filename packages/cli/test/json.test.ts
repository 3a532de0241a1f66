import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../src/tree.ts';
import { openStage, type Stage } from './stage.ts';

const page = await readFile(new URL('../../../docs/events.md', import.meta.url), 'utf8');

/** What stands between backquotes in the rows of a section: that of the first column, and that of the others. */
function rowsOf(heading: string): [names: string[], fields: string[]][] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| `/.test(line));
  const quoted = (cell: string) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, word = '']) => word);
  return rows.map((row) => {
    const [, name = '', ...rest] = row.split('|');
    return [quoted(name), quoted(rest.join('|'))];
  });
}

const types = ['Lines of the command line', 'Events of a run and of a recovery'].flatMap((heading) =>
  rowsOf(heading).flatMap(([names]) => names),
);
const fieldsOf = (command: string) => rowsOf('Results').find(([names]) => names.includes(command))?.[1] ?? [];

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 200_000, phaseMs: 5 });
}, 60_000);
afterAll(() => stage.close());

/** The lines that a command prints, each looked at: version, time, a type that is documented. */
async function linesOf(...words: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await stage.run(...words, '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const { splitmirror, at, type } of lines) {
    expect({ splitmirror, at, type }).toEqual({
      splitmirror: 1,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      type: expect.toBeOneOf(types),
    });
  }
  return lines;
}

describe('--json', () => {
  it('is documented for every command that has it', () => {
    const commands = buildProgram(() => {}).commands.filter(({ options }) =>
      options.some(({ long }) => long === '--json'),
    );
    const documented = rowsOf('Results').flatMap(([names]) => names);
    expect(documented.sort()).toEqual(commands.map((command) => command.name()).sort());
  });

  it('prints lines of this version, and a result with the fields that are documented', {
    timeout: 240_000,
  }, async () => {
    const plan = join(stage.directory, 'plan.json');
    const looks = [
      ['check'],
      ['who', 'ledger_rg'],
      ['who', 'no_rg'],
      ['levels'],
      ['plan', 'ledger_rg', '--save', plan],
      ['backup', 'ledger_rg'],
      ['status'],
      ['recover', 'ledger_rg', '--dry-run'],
      ['recover', 'ledger_rg'],
      ['list', 'ledger_rg'],
      ['show', 'ledger_rg'],
      ['verify', 'ledger_rg'],
      ['restore', 'ledger_rg', '--dry-run'],
      ['restore', 'ledger_rg', join(stage.directory, 'restored')],
      ['drill', 'ledger_rg'],
      ['guard', 'verify'],
      ['guard', 'install', '--print'],
      ['events', 'verify'],
      ['capture', join(stage.directory, 'bundle')],
    ];
    for (const words of looks) {
      const results = (await linesOf(...words)).filter(({ type }) => type === 'result');
      expect(results, words.join(' ')).toHaveLength(1);
      const { splitmirror: _, at: __, type: ___, ...fields } = results[0] ?? {};
      expect(
        Object.keys(fields).filter((name) => !fieldsOf(words[0] ?? '').includes(name)),
        words.join(' '),
      ).toEqual([]);
      expect(Object.keys(fields), words.join(' ')).not.toEqual([]);
    }
    const [run = ''] = await readdir(join(stage.store, 'ledger_rg'));
    const log = join(stage.store, 'ledger_rg', run, 'incident.ndjson');
    const replayed = await stage.bare('replay', log, '--json');
    const [, ...keys] = Object.keys(JSON.parse(replayed.stdout.trimEnd().split('\n').at(-1) ?? '{}'));
    expect(keys.filter((name) => !['at', 'type', ...fieldsOf('replay')].includes(name))).toEqual([]);
  });

  it('ends with a line of type error, where there is no result', async () => {
    const lines = await linesOf('backup', 'no_rg');
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'USAGE', remedy: expect.any(String), problems: [] });
  });
});
