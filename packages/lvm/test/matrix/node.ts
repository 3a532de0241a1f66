import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Storage } from '@splitmirror/lab';

/** What a command left behind. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command on a node of the lab's storage, in this process and without a shell. */
export type Keyboard = (node: string, argv: readonly string[], stdin?: string) => Promise<Said>;

const ok = (stdout = ''): Said => ({ code: 0, stdout, stderr: '' });
const no = (stderr: string, code = 1): Said => ({ code, stdout: '', stderr: `${stderr}\n` });

/** A keyboard for a storage whose nodes run this level, such as `7200-05`. */
export function keyboardOf(storage: Storage, level: string): Keyboard {
  const type: Keyboard = async (node, [program = '', ...args], stdin = '') => {
    const command = storage.commands[program];
    if (command !== undefined) {
      const answer = await command({ node, program, args, stdin: () => Promise.resolve(Buffer.from(stdin)) });
      if (answer.kind !== 'exit') throw new Error(`${program} ${args.join(' ')}: ${answer.kind}`);
      return { code: answer.code, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' };
    }
    if (program === 'oslevel') return ok(`${level}\n`);
    if (program === 'xargs') {
      const words = stdin.split(/\s+/).filter(Boolean);
      const answers: Said[] = [];
      for (const word of words) answers.push(await type(node, [...args.slice(2), word]));
      const bad = answers.find(({ code }) => code !== 0);
      return { ...(bad ?? ok()), stdout: answers.map(({ stdout }) => stdout).join('') };
    }
    if (program === 'awk' && args[0] === 'NR > 2 { print $1 }') {
      const rows = stdin.split('\n').slice(2).filter(Boolean);
      return ok(rows.map((line) => `${line.split(/\s+/)[0]}\n`).join(''));
    }
    if (program === 'awk' && args[0]?.includes('"jfs2"')) {
      const rows = stdin
        .split('\n')
        .slice(2)
        .map((line) => line.split(/\s+/));
      return ok(
        rows.flatMap((words) => (words[1] === 'jfs2' && words[5]?.startsWith('open') ? `${words[6]}\n` : [])).join(''),
      );
    }
    const own = programs[program];
    if (own !== undefined) return own(args, (path) => storage.realPath(node, path), stdin);
    const ran = spawnSync(program, args, { input: stdin, encoding: 'utf8' });
    return ran.error ? no(`ksh: ${program}:  not found.`, 127) : { ...ran, code: ran.status ?? 143 };
  };
  return type;
}

type Program = (args: readonly string[], real: (path: string) => string, stdin: string) => Said;

/** The programs beside LVM's that our scripts use, over the node's root directory. */
const programs: Readonly<Record<string, Program>> = {
  mkdir(args, real) {
    mkdirSync(real(args.at(-1) ?? ''), { recursive: args.includes('-p') });
    return ok();
  },
  rmdir(args, real) {
    try {
      rmdirSync(real(args.at(-1) ?? ''));
      return ok();
    } catch (error) {
      return no(`rmdir: 0653-609 Cannot remove ${args.at(-1)}: ${String(error)}`);
    }
  },
  test([flag = '', path = ''], real) {
    const there = existsSync(real(path)) && (flag !== '-d' || statSync(real(path)).isDirectory());
    return there ? ok() : no('');
  },
  find([top = ''], real) {
    const below = (path: string): string[] => [
      path,
      ...readdirSync(real(path), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? below(`${path}/${entry.name}`) : [],
      ),
    ];
    return existsSync(real(top)) ? ok(`${below(top).join('\n')}\n`) : no(`find: bad status-- ${top}`);
  },
  cat(args, real, stdin) {
    const [path] = args;
    if (path === undefined) return ok(stdin);
    return existsSync(real(path)) ? ok(readFileSync(real(path), 'utf8')) : no(`cat: 0652-050 Cannot open ${path}.`);
  },
  tee([path = ''], real, stdin) {
    writeFileSync(real(path), stdin);
    return ok(stdin);
  },
  rm(args, real) {
    for (const path of args.filter((word) => !word.startsWith('-'))) rmSync(real(path), { force: true });
    return ok();
  },
  mv(args, real) {
    const [from = '', to = ''] = args.filter((word) => !word.startsWith('-'));
    renameSync(real(from), real(to));
    return ok();
  },
  cp(args, real) {
    const [from = '', to = ''] = args.filter((word) => !word.startsWith('-'));
    copyFileSync(real(from), real(to));
    return ok();
  },
};
