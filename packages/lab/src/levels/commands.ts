import { type Answer, type Commands, fails, prints } from '../command.ts';
import type { Fileset, InterimFix, Language, Software } from './filesets.ts';

/** Commands that tell levels: `lslpp`, `oslevel`, `emgr`, `halevel`, `lppchk`, `lsmcode`, `getconf`, `uname`, `hostname`. */
export function levelCommands(softwareOf: (node: string) => Software, hostOf: (node: string) => string): Commands {
  return {
    lslpp: ({ node, args }) => lslpp(softwareOf(node), args),
    oslevel: ({ node, args }) => oslevel(softwareOf(node).level, args),
    emgr: ({ node, args }) => {
      const { fixes, login } = softwareOf(node);
      // Its mode is 500: the shell of another user does not find it (facts levels.md 1.0).
      return login === 'root' ? emgr(fixes, args) : fails('ksh: emgr:  not found.\n', 127);
    },
    halevel: ({ node, args }) => {
      const { halevel } = softwareOf(node);
      if (args.length === 0) return prints(`${halevel.split(' ')[0]}\n`);
      return args[0] === '-s' ? prints(`${halevel}\n`) : fails('Usage: halevel [-h|-?] [-s] [-x]\n');
    },
    lppchk: ({ args }) =>
      args.some((word) => /^-[cflv]/.test(word))
        ? prints('')
        : fails('Usage: lppchk {-c|-f|-l|-v} [-O {[r][s][u]}] [-m[1|2|3]]\n'),
    // Older firmware's form, the only one of which the words are known (facts levels.md 1.8).
    lsmcode: ({ node, args }) =>
      args[0] === '-c'
        ? prints(`System Firmware level is ${softwareOf(node).firmware}\n`)
        : fails('Usage: lsmcode [-c] [-A | -d Name] [-r]\n'),
    getconf: ({ args }) =>
      args[0] === 'KERNEL_BITMODE' ? prints('64\n') : fails('usage: getconf [-v specification] system_var\n'),
    uname: ({ node, args }) => uname(softwareOf(node), hostOf(node), args),
    hostname: ({ node }) => prints(`${hostOf(node)}\n`),
  };
}

/** 18 columns; cells without a value hold one blank, and the state letter is in the sixth (facts levels.md 1.1.3). */
const listHeader =
  '#Package Name:Fileset:Level:State:PTF Id:Fix State:Type:Description:Destination Dir.:Uninstaller:Message Catalog:Message Set:Message Number:Parent:Automatic:EFIX Locked:Install Path:Build Date';

/**
 * The long form by language. Of the French one the header and the word for committed were seen (facts levels.md 1.0);
 * the other two words are the lab's.
 */
const longForms: Readonly<Record<Language, { header: string; states: Readonly<Record<Fileset['state'], string>> }>> = {
  C: {
    header: '#Fileset:Level:PTF Id:State:Type:Description:EFIX Locked',
    states: { A: 'APPLIED', B: 'BROKEN', C: 'COMMITTED' },
  },
  fr_FR: {
    header: "#Ens. fich.:Niveau:ID cor:Etat:Type:Description:CORRECTIF D'URGENCE verrouillé",
    states: { A: 'APPLIQUE', B: 'ENDOMMAGE', C: 'VALIDE' },
  },
};

function lslpp(software: Software, args: readonly string[]): Answer {
  const flags = new Set(args.filter((word) => word.startsWith('-')).flatMap((word) => [...word.slice(1)]));
  const patterns = args.filter((word) => !word.startsWith('-'));
  const matches = patterns.map(globPattern);
  const chosen = software.filesets.filter(
    ({ name }) => matches.length === 0 || matches.some((pattern) => pattern.test(name)),
  );
  const missing = patterns.filter((_, index) => !chosen.some(({ name }) => matches[index]?.test(name)));
  const stderr = missing.map((name) => `lslpp: 0504-132  Fileset ${name} not installed.\n`).join('');
  const code = missing.length > 0 ? 1 : 0;
  const answer = (header: string, rows: readonly string[]): Answer => ({
    kind: 'exit',
    code,
    stdout: rows.length === 0 ? '' : `${flags.has('q') ? '' : `${header}\n`}${rows.join('')}`,
    stderr,
  });
  if (flags.has('L') && flags.has('c')) {
    const fixes = patterns.length === 0 && software.login === 'root' ? software.fixes.map(fixRow) : [];
    return answer(listHeader, [...chosen.map(listRow), ...fixes]);
  }
  if (flags.has('l')) {
    const filesets = chosen.filter(({ kind }) => kind === 'fileset');
    const { header, states } = longForms[software.language];
    const parts: [string, [Fileset, string][]][] = [
      ['/usr/lib/objrepos', filesets.map((one) => [one, one.level])],
      ['/etc/objrepos', filesets.flatMap((one) => (one.rootLevel === undefined ? [] : [[one, one.rootLevel]]))],
    ];
    if (flags.has('c')) {
      return answer(
        header,
        parts.flatMap(([path, list]) =>
          list.map(
            ([{ name, state, description, locked }, level]) =>
              `${path}:${name}:${level}::${states[state]}:I:${description}:${locked ? 'EFIXLOCKED' : ''}\n`,
          ),
        ),
      );
    }
    const blocks = parts
      .filter(([, list]) => list.length > 0)
      .map(
        ([path, list]) =>
          `Path: ${path}\n${list.map(([{ name, state, description }, level]) => tableRow(name, level, states[state], description)).join('')}`,
      );
    return answer(`  Fileset                      Level  State      Description         \n  ${'-'.repeat(76)}`, blocks);
  }
  return fails('Usage: lslpp {-d|-f|-h|-i|-l|-L|-p|-w} [-a] [-c] [-J] [-q] [-O{[r][s][u]}] [FilesetName ... | all]\n');
}

function listRow({ name, level, description, kind, state, build, locked }: Fileset): string {
  const rpm = kind === 'rpm';
  const title = rpm || name.split('.').length < 3 ? name : name.slice(0, name.lastIndexOf('.'));
  const fileset = rpm ? `${name}-${level}` : name;
  const type = rpm ? 'R' : level.endsWith('.0') ? ' ' : 'F';
  const tail = rpm
    ? `${state}:R:${description}: :/bin/rpm -e ${name}: : : : :0: :/opt/freeware:${build}`
    : `${state}:${type}:${description}: : : : : : :0:${locked ? 1 : 0}:/:${build}`;
  return `${title}:${fileset}:${level}: : :${tail}\n`;
}

/** A row of type E: the label as fileset and the packaging time as level. */
function fixRow({ label, abstract, installed }: InterimFix): string {
  const [, month, day, year, time = ''] = /^(\d+)\/(\d+)\/(\d+) (\S+)$/.exec(installed) ?? [];
  return `${label}:${label}:${year}.${month}.${day}.${time.replaceAll(':', '')}: : :C:E:${abstract}: :/usr/sbin/emgr -r -L ${label}: : : : :0: :/:\n`;
}

function tableRow(name: string, level: string, state: string, description: string): string {
  const first = name.length > 24 ? `  ${name}\n${' '.repeat(27)}` : `  ${name.padEnd(25)}`;
  return `${first}${level.padStart(9)}  ${state.padEnd(9)}  ${description}\n`;
}

/** lslpp knows `*` and `?` by itself. */
function globPattern(name: string): RegExp {
  const source = name
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

function oslevel(level: string, args: readonly string[]): Answer {
  const [release = '', technology] = level.split('-');
  if (args.length === 0) return prints(`${[...release].join('.')}\n`);
  if (args[0] === '-r') return prints(`${release}-${technology}\n`);
  if (args[0] === '-s') return prints(`${level}\n`);
  return fails('Usage: oslevel [-r | -s] [-f | -g | -l Level | -q]\n');
}

function emgr(fixes: readonly InterimFix[], args: readonly string[]): Answer {
  if (args[0] !== '-l') return fails('Usage: emgr -l [ -L <Label> | -n <efix number> | -u <VUID> ] [ -v {1|2|3} ]\n');
  // No fixes: words on stderr, status 0 (facts levels.md 1.5).
  if (fixes.length === 0) return { kind: 'exit', code: 0, stderr: 'There is no efix data on this system.\n' };
  const rows = fixes.map(
    ({ label, abstract, installed }, index) =>
      `${String(index + 1).padEnd(4)} S    ${label.padEnd(10)} ${installed.padEnd(17)} ${' '.repeat(10)} ${abstract.padEnd(38)}\n`,
  );
  const codes: [string, string][] = [
    ['S', 'STABLE'],
    ['M', 'MOUNTED'],
    ['U', 'UNMOUNTED'],
    ['Q', 'REBOOT REQUIRED'],
    ['B', 'BROKEN'],
    ['I', 'INSTALLING'],
    ['R', 'REMOVING'],
    ['T', 'TESTED'],
    ['P', 'PATCHED'],
    ['N', 'NOT PATCHED'],
    ['SP', 'STABLE + PATCHED'],
    ['SN', 'STABLE + NOT PATCHED'],
    ['QP', 'BOOT IMAGE MODIFIED + PATCHED'],
    ['QN', 'BOOT IMAGE MODIFIED + NOT PATCHED'],
    ['RQ', 'REMOVING + REBOOT REQUIRED'],
  ];
  const rulers = [3, 5, 10, 17, 10, 38].map((width) => '='.repeat(width)).join(' ');
  return prints(
    `\nID  STATE LABEL      INSTALL TIME      UPDATED BY ABSTRACT\n${rulers}\n${rows.join('')}\nSTATE codes:\n${codes.map(([code, words]) => ` ${code} = ${words}\n`).join('')}`,
  );
}

/** AIX has the release in `-r` and the version in `-v` (facts levels.md 1.0). */
function uname({ level }: Software, host: string, args: readonly string[]): Answer {
  const words: Record<string, string> = {
    s: 'AIX',
    n: host,
    r: level[1] ?? '',
    v: level[0] ?? '',
    m: '00F6F5D04C00',
    p: 'powerpc',
    M: 'IBM,9009-42A',
    L: '4 lab',
  };
  const letters = args.length === 0 ? ['s'] : args.flatMap((word) => [...word.replace(/^-/, '')]);
  const wanted = letters.includes('a')
    ? ['s', 'n', 'r', 'v', 'm']
    : ['s', 'n', 'r', 'v', 'm', 'p', 'M', 'L'].filter((letter) => letters.includes(letter));
  if (letters.some((letter) => letter !== 'a' && words[letter] === undefined)) {
    return fails('Usage: uname [-S Name] [-x] [-F] [-f] [-a] [-l] [-M] [-m] [-n] [-p] [-r] [-s] [-v] [-L] [-u]\n');
  }
  return prints(`${wanted.map((letter) => words[letter]).join(' ')}\n`);
}
