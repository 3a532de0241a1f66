import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { manPage } from '../src/man-page.ts';
import { examplesOf } from '../src/tree/branch.ts';
import { buildProgram } from '../src/tree.ts';

const program = buildProgram(() => {});
const commands = program.commands.filter((command) => examplesOf(command).length > 0);

/** The page as a terminal of 400 columns shows it, without bold and underline. */
function rendered(): { text: string; complaints: string } {
  const flags = ['-man', '-Tutf8', '-P-cbou', '-ww', '-rLL=400n', '-rLT=400n', '-rHY=0'];
  const { stdout, stderr } = spawnSync('groff', flags, { input: manPage(program), encoding: 'utf8' });
  return { text: stdout, complaints: stderr };
}

const hasGroff = spawnSync('groff', ['--version']).status === 0;

it('the manual page has every quote by its name, so that no typesetter makes another of it', () => {
  expect(manPage(program).replace(/^\.TH .*$/m, '')).not.toMatch(/["'`^~]/);
});

describe.skipIf(!hasGroff)('the manual page, as groff shows it (needs groff)', () => {
  const { text, complaints } = hasGroff ? rendered() : { text: '', complaints: '' };
  const lines = text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));

  it('is roff without a fault', () => {
    expect(complaints).toBe('');
  });

  it.each(commands.map((command) => [command.name(), command] as const))(
    'says of %s what --help says',
    (_, command) => {
      const help = command.createHelp();
      const terms = [
        ...help.visibleArguments(command).map((each) => [help.argumentTerm(each), help.argumentDescription(each)]),
        ...command.options.map((each) => [help.optionTerm(each), help.optionDescription(each)]),
      ];
      const wanted = [
        `splitmirror ${command.name()} ${command.usage()}`,
        `${command.description()}.`,
        ...terms.flatMap(([term = '', description = '']) => (description === '' ? [] : [term, description])),
        ...examplesOf(command).map((example) => `splitmirror ${example}`),
      ].map((line) => line.replace(/ +/g, ' '));
      // A short term stands before its description on the same line.
      const has = (line: string) =>
        lines.some((shown) => shown === line || shown.endsWith(` ${line}`) || shown.startsWith(`${line} `));
      expect(wanted.filter((line) => !has(line))).toEqual([]);
    },
  );
});
