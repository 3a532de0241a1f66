import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Commands, fails, type Invocation, prints } from '../command.ts';
import { commandLine, scriptLine } from '../shims.ts';
import { type Translation, translateCpio, translateDd, translateTar } from './archivers.ts';
import { backupCommands } from './backup.ts';
import { crontabCommands } from './crontab.ts';
import { mapPath, realProgram } from './paths.ts';

/** What the programs have to know about the node on which they run. */
export interface Machine {
  /** The node's root directory on this machine. */
  root(node: string): string;
  /** A copy of what a device holds now, as a file of this machine; undefined when there is no such device. */
  device(node: string, path: string): string | undefined;
  /** Brings the content of such a file back to the device; false when it cannot be written. */
  storeDevice(node: string, path: string, file: string): boolean;
  /** The mount of a shared file system that a path lies in. */
  mount(node: string, path: string): { readonly readOnly: boolean; readonly frozen: boolean } | undefined;
  /** Directory of the node's commands on this machine. */
  path(node: string): string;
  readonly shell: string;
  /** File that a shell reads before a command line. */
  profile(node: string): string;
}

/** How often a writer looks whether a file system is still frozen, in milliseconds. */
const frozenPollMs = 20;
/** Command that brings a device's content back after `dd`; no name that anybody types. */
const storeDevice = 'lab_store_device';

/** Programs that read the paths which they are given. */
const readers = 'cat head tail od sort uniq cmp diff gzip test ['.split(' ');
/** Programs that change what their operands name. */
const writers = 'tee mkdir rmdir rm touch mv chmod chown mkfifo'.split(' ');
/** Programs that change what their last operand names. */
const copiers = 'cp ln'.split(' ');
/** Programs that print the paths which they were given. */
const naming = 'ls find grep egrep fgrep wc cksum sum du file'.split(' ');
/** Programs whose operands are not paths, or are left alone. */
const plain =
  'sleep date printf echo true false env kill sed awk tr cut expr basename dirname xargs nohup nice split paste seq yes ps'.split(
    ' ',
  );

/**
 * Programs that a node runs without asking the lab: every script calls them around every step, they read no path, and
 * nothing about them is AIX's.
 */
export const unasked: ReadonlySet<string> = new Set(['sleep', 'date']);

/**
 * Programs that are the machine's real ones, with the absolute paths among their operands mapped below the node's root
 * directory. The archivers are held to AIX's flags.
 */
export function posixCommands(machine: Machine): Commands {
  const commands: Record<string, (call: Invocation) => Answer | Promise<Answer>> = {
    ...backupCommands(machine.root),
    ...crontabCommands(machine.root),
  };
  const runs = (program: string, args: readonly string[]): Answer => {
    const real = realProgram(program);
    // The shell's own words when a name is not in its PATH.
    return real === undefined ? fails(`ksh: ${program}:  not found.\n`, 127) : { kind: 'run', argv: [real, ...args] };
  };
  const mapped = ({ node, args }: Invocation) =>
    args.map((word) => machine.device(node, word) ?? mapPath(machine.root(node), word));
  const translated = (program: string, translation: Translation): Answer =>
    'refusal' in translation ? translation.refusal : runs(program, translation.args);

  /** Writers wait while a file system is frozen, and are refused by one that is mounted read-only. */
  async function refusedWrite({ node, program }: Invocation, words: readonly string[]): Promise<Answer | undefined> {
    for (const path of words.filter((word) => word.startsWith('/'))) {
      if (machine.mount(node, path)?.readOnly) return fails(`${program}: ${path}: Read-only file system\n`);
      while (machine.mount(node, path)?.frozen) await delay(frozenPollMs);
    }
    return undefined;
  }

  for (const name of readers) commands[name] = (call) => runs(name, mapped(call));
  for (const name of writers) {
    commands[name] = async (call) => (await refusedWrite(call, call.args)) ?? runs(name, mapped(call));
  }
  for (const name of copiers) {
    commands[name] = async (call) => (await refusedWrite(call, call.args.slice(-1))) ?? runs(name, mapped(call));
  }
  for (const name of plain) commands[name] = ({ args }) => runs(name, args);
  for (const name of naming) {
    commands[name] = (call) => {
      const answer = runs(name, mapped(call));
      const root = machine.root(call.node);
      const namesPaths = call.args.some((word) => mapPath(root, word) !== word);
      return answer.kind === 'run' && namesPaths ? { kind: 'run', argv: withoutRoot(root, answer.argv) } : answer;
    };
  }
  for (const name of ['sh', 'ksh', 'ksh93', 'bsh']) {
    commands[name] = (call) => {
      const { node, args, directory = machine.root(node) } = call;
      const [first = '', text, ...rest] = args;
      const [shell, profile] = [machine.shell, machine.profile(node)];
      if (first === '-c' && text !== undefined) {
        return { kind: 'run', argv: [...commandLine(shell, profile, text), ...rest] };
      }
      const words = mapped(call);
      const script = resolve(directory, words[0] ?? '');
      const isThere = statSync(script, { throwIfNoEntry: false })?.isFile() ?? false;
      // Without one, the shell reads its commands from its input, or says that there is none of that name.
      const argv = isThere ? scriptLine(shell, profile, script, words.slice(1)) : ([shell, ...words] as const);
      return { kind: 'run', argv };
    };
  }
  commands.tar = async (call) => {
    const directory = call.args[call.args.indexOf('-C') + 1] ?? '';
    const extracts = /^-?[^-]*x/.test(call.args[0] ?? '');
    const refused = extracts ? await refusedWrite(call, [directory]) : undefined;
    return refused ?? translated('tar', translateTar(machine.root(call.node), call.args));
  };
  commands.cpio = ({ node, args }) => translated('cpio', translateCpio(machine.root(node), args));
  commands.dd = async (call) => {
    const { node, args } = call;
    const target = args.find((word) => word.startsWith('of='))?.slice('of='.length) ?? '';
    const refused = await refusedWrite(call, [target]);
    if (refused !== undefined) return refused;
    const files = new Map<string, string | undefined>();
    const device = (path: string) => {
      if (!files.has(path)) files.set(path, machine.device(node, path));
      return files.get(path);
    };
    const answer = translated('dd', translateDd(machine.root(node), args, device));
    const file = device(target);
    if (answer.kind !== 'run' || file === undefined) return answer;
    const store = join(machine.path(node), storeDevice);
    const script = 'd=$1 p=$2 f=$3; shift 3; "$@"; s=$?; "$d" "$p" "$f" || s=1; exit $s';
    return { kind: 'run', argv: ['/bin/sh', '-c', script, 'sh', store, target, file, ...answer.argv] };
  };
  commands[storeDevice] = ({ node, args: [path = '', file = ''] }) =>
    machine.storeDevice(node, path, file)
      ? prints('')
      : fails(`dd: 0511-053 The write failed.\n: There is an input or output error.\n`);
  commands.id = ({ args }) => {
    if (args.length === 0)
      return prints('uid=0(root) gid=0(system) groups=2(bin),3(sys),7(security),8(cron),10(audit),11(lp)\n');
    if (args.join(' ') === '-u') return prints('0\n');
    if (['-un', '-u -n', '-nu'].includes(args.join(' '))) return prints('root\n');
    if (args[0] === '-g') return prints('0\n');
    return fails(
      'usage: id [user]\n       id -G [-n] [user]\n       id -g [-nr] [user]\n       id -u [-nr] [user]\n',
      2,
    );
  };
  commands.whoami = () => prints('root\n');
  return commands;
}

/**
 * Runs a program and takes the node's root directory out of what it prints, so that a path reads as on the node. The
 * program's own status is kept.
 */
function withoutRoot(root: string, argv: readonly [string, ...string[]]): [string, ...string[]] {
  const filter = `r=$1; shift
exec 4>&1
s=$( { { { "$@" 3>&- 4>&-; echo $? >&3; } 2>&5 | sed "s|$r||g" >&4; } 5>&1 | sed "s|$r||g" >&2; } 3>&1 )
exit "$s"`;
  return ['/bin/sh', '-c', filter, 'sh', root, ...argv];
}
