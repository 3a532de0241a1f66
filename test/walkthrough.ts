import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One command of a walkthrough, and what the page says that it prints. */
export interface Command {
  readonly line: number;
  readonly typed: string;
  /** `...` stands for anything within a line, or for any lines when it stands alone. */
  readonly expected: readonly string[];
}

/** What was typed, and what came. */
export interface Ran extends Command {
  readonly printed: string;
  readonly status: number;
}

/** The commands of all `console` blocks of a page, in order. */
export function commandsOf(markdown: string): Command[] {
  const commands: { line: number; typed: string; expected: string[] }[] = [];
  let inside = false;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (/^\s*```/.test(text)) {
      inside = text.trim() === '```console';
    } else if (inside && text.startsWith('$ ')) {
      commands.push({ line: index + 1, typed: text.slice(2), expected: [] });
    } else if (inside) {
      const last = commands.at(-1);
      if (last === undefined) throw new Error(`line ${index + 1}: output before any command`);
      if (isOpen(last.typed)) last.typed += `\n${text}`;
      else if (last.typed.endsWith('\\')) last.typed = `${last.typed}\n${text.trim().replace(/^> /, '')}`;
      else last.expected.push(text);
    }
  }
  return commands;
}

/** Whether a here-document has begun and not ended. */
function isOpen(typed: string): boolean {
  const end = /<<'(\w+)'/.exec(typed)?.[1];
  return end !== undefined && !typed.split('\n').slice(1).includes(end);
}

/** Whether what was printed is what the page says. */
export function agrees(printed: string, expected: readonly string[]): boolean {
  const literal = (text: string) =>
    text
      .trimEnd()
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('\\.\\.\\.', '.*');
  const pattern = expected.map((line) => (line.trim() === '...' ? '(?:.*\n)*?' : `${literal(line)} *\n`)).join('');
  return new RegExp(`^${pattern}$`).test(printed === '' || printed.endsWith('\n') ? printed : `${printed}\n`);
}

/** The path without what npm puts before it for the programs that it starts: there a reader's shell has the machine's own. */
export function pathOfTheMachine(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !folder.includes('node_modules')).join(delimiter);
}

/**
 * Types the commands of a page one after another into a real bash, in this checkout and with an empty home, as a reader
 * would, and stops at the first that prints something else than the page says. Whatever runs in the background is ended
 * with it.
 */
export async function follow(page: string): Promise<Ran[]> {
  const home = await mkdtemp(join(tmpdir(), 'splitmirror-walkthrough-'));
  // What npm hands to the programs that it starts is not what a reader's shell has.
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  // A reader has a Node.js that the packages support, which that of this machine need not be.
  const path = [dirname(process.execPath), pathOfTheMachine()].join(delimiter);
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: root,
    env: { ...rest, HOME: home, PATH: path, LC_ALL: 'C.UTF-8', CI: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  shell.stdin.write('exec 2>&1\n');
  const ran: Ran[] = [];
  try {
    for (const command of commandsOf(await readFile(join(root, page), 'utf8'))) {
      const mark = `walkthrough-${ran.length}-ended`;
      output = '';
      // The commands come over the shell's own input, which a command must not read.
      shell.stdin.write(`{ ${command.typed}\n} < /dev/null\nprintf '\\n%s %s\\n' ${mark} "$?"\n`);
      const [printed, status] = await ended(() => output, mark, command.typed);
      ran.push({ ...command, printed, status });
      if (!agrees(printed, command.expected)) break;
    }
    return ran;
  } finally {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function ended(output: () => string, mark: string, typed: string): Promise<[printed: string, status: number]> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    // The line feed before the mark is the harness's own; what was printed may have lacked its last one.
    const [, printed, status] = new RegExp(`^([\\s\\S]*?)\\n${mark} (\\d+)\\n`).exec(output()) ?? [];
    if (printed !== undefined) return [printed, Number(status)];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no end of: ${typed}\n${output()}`);
}
