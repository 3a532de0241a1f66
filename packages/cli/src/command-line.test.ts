import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configuredCommands, directionsWith } from './command-line.ts';
import { buildProgram } from './tree.ts';

const { commandLine, remedyText } = directionsWith('/etc/x.yaml');

describe('remedyText', () => {
  it.each([
    ['Run: splitmirror recover a', 'Run: splitmirror recover --config /etc/x.yaml a'],
    [
      'Make sure on n1 of that, then run: splitmirror recover a-b.c --break-lock.',
      'Make sure on n1 of that, then run: splitmirror recover --config /etc/x.yaml a-b.c --break-lock.',
    ],
    [
      'Wait; when it is gone, run: splitmirror recover a. When that is certain, run: splitmirror recover a --break-lock',
      'Wait; when it is gone, run: splitmirror recover --config /etc/x.yaml a. When that is certain, run: splitmirror recover --config /etc/x.yaml a --break-lock',
    ],
    [
      'Use another backup: "splitmirror list a" tells which are good, --run names one.',
      'Use another backup: "splitmirror list --config /etc/x.yaml a" tells which are good, --run names one.',
    ],
    [
      'Name another run; "splitmirror list" has them all.',
      'Name another run; "splitmirror list --config /etc/x.yaml" has them all.',
    ],
    [
      'with the rules that "splitmirror sudoers" prints.',
      'with the rules that "splitmirror sudoers --config /etc/x.yaml" prints.',
    ],
    [
      '  "splitmirror events install" puts it there, and says what calls it.',
      '  "splitmirror events --config /etc/x.yaml install" puts it there, and says what calls it.',
    ],
    [
      'Run approved plans: splitmirror plan a --save FILE. Or say approval: none.',
      'Run approved plans: splitmirror plan --config /etc/x.yaml a --save FILE. Or say approval: none.',
    ],
    [
      'It is a copy that splitmirror mounted: "umount /splitmirror/k3/lv" on n1 frees it. Then "splitmirror recover a" clears away the rest.',
      'It is a copy that splitmirror mounted: "umount /splitmirror/k3/lv" on n1 frees it. Then "splitmirror recover --config /etc/x.yaml a" clears away the rest.',
    ],
    [
      'Ask again when a node holds the group: splitmirror status',
      'Ask again when a node holds the group: splitmirror status --config /etc/x.yaml',
    ],
    [
      'Name the configuration with --config FILE; "splitmirror init" makes one.',
      'Name the configuration with --config FILE; "splitmirror init --config /etc/x.yaml" makes one.',
    ],
    ['splitmirror who a', 'splitmirror who --config /etc/x.yaml a'],
  ])('names the configuration in each command of: %s', (remedy, told) => {
    expect(remedyText(remedy)).toBe(told);
    expect(remedyText(told)).toBe(told);
    for (const config of [undefined, 'splitmirror.yaml'])
      expect(directionsWith(config).remedyText(remedy)).toBe(remedy);
  });

  it.each([
    'Run: splitmirror recover a --config /etc/y.yaml; splitmirror recover b --config /etc/y.yaml',
    'Run: splitmirror recover a -c y.yaml',
    'Correct the file; "splitmirror schema" tells an editor, "splitmirror parse" reads an output.',
    'Use the version of splitmirror that wrote the file; splitmirror backup is no name of a program.',
    'Compare them with @splitmirror/levels, or: /opt/splitmirror recover a, splitmirror-guard recover, mysplitmirror recover',
    'Remove /tmp/splitmirror-drill-k3; look into "/splitmirror recover", and run recover with --break-lock.',
    'Run: splitmirror recovered',
    'Run: splitmirror list-all',
  ])('leaves alone: %s', (remedy) => {
    expect(remedyText(remedy)).toBe(remedy);
  });

  it('quotes a name that a shell would take apart', () => {
    const { remedyText: told } = directionsWith("/etc/a $& b's.yaml");
    expect(told('Run: splitmirror recover a')).toBe(`Run: splitmirror recover --config '/etc/a $& b'\\''s.yaml' a`);
  });

  it('hears of every command that a library names', () => {
    const packages = fileURLToPath(new URL('../../', import.meta.url));
    const files = globSync('{archive,backup,hacmp,host,levels,lvm,ssh}/src/**/*.ts', { cwd: packages });
    const strings = files
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => readFileSync(join(packages, file), 'utf8').split('\n'))
      .filter((line) => !/^\s*(?:#|\/?\*|\/\/)/.test(line))
      .flatMap((line) => line.split(/['`]/));
    const named = strings.filter((text) => configuredCommands.some((name) => text.includes(`splitmirror ${name}`)));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((text) => remedyText(text) === text)).toEqual([]);
  });
});

describe('commandLine', () => {
  it('names the configuration, unless it is taken by itself', () => {
    expect(commandLine('recover', 'a')).toBe('splitmirror recover --config /etc/x.yaml a');
    expect(directionsWith('splitmirror.yaml').commandLine('recover', 'a b')).toBe("splitmirror recover 'a b'");
    expect(remedyText(`Run: ${commandLine('retain', 'a')}`)).toBe('Run: splitmirror retain --config /etc/x.yaml a');
  });
});

it('knows which commands have a configuration', () => {
  const having = buildProgram(() => {}).commands.filter(({ options }) =>
    options.some(({ long }) => long === '--config'),
  );
  expect(having.map((each) => each.name()).sort()).toEqual([...configuredCommands]);
});
