import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '@splitmirror/host';

/**
 * What stands behind every command name of a node. It hands its arguments to the lab process and does what comes back:
 *
 * 1. the arguments go, separated by NUL, into `PID.q`, and a FIFO `PID.a` is made for the answers;
 * 2. the process id is written into the FIFO `requests`, which the lab keeps open;
 * 3. an answer is a number of lines and that many lines of sh, which are evaluated: print and exit, become a real
 *    program, or store standard input and wait for the next answer.
 *
 * The answer FIFO is opened for both directions, so that opening it never blocks and an answer that was written stays
 * there until it is read; the lab removes it as soon as it has opened its end. Nobody waits in `open` for anybody.
 */
function shimText(shell: string): string {
  return `#!${shell}
n=\${0##*/} d=\${0%/bin/*}/exchange o=$PATH
PATH=/usr/bin:/bin
[ -p "$d/requests" ] || { echo "$n: this node is down" >&2; exit 255; }
[ -p "$d/$$.a" ] || mkfifo "$d/$$.a" || exit 255
exec 9<>"$d/$$.a" || exit 255
printf '%s\\0' "$n" "$@" >"$d/$$.q"
echo "$$" >"$d/requests"
while IFS= read -r c <&9; do
s=
while [ "$c" -gt 0 ]; do
IFS= read -r l <&9 || exit 255
s="$s$l
"
c=$((c - 1))
done
eval "$s"
done
`;
}

/**
 * Writes the commands that all nodes share: one script, and a link to it for every name. A node's own `bin` is a link to
 * this directory, and the script finds the node's `exchange` beside the `bin` by which it was called.
 *
 * @param shell Absolute path of the shell that interprets the script; any POSIX shell.
 */
export function writeShims(directory: string, names: readonly string[], shell: string): void {
  mkdirSync(directory, { recursive: true });
  const [first = '', ...others] = names;
  writeFileSync(join(directory, first), shimText(shell));
  chmodSync(join(directory, first), 0o755);
  for (const name of others) symlinkSync(first, join(directory, name));
}

/**
 * What a command line or a script finds in its shell: `cd` and `pwd`, which a shell does by itself, see the node's root
 * directory as `/`. Redirections cannot be taught so: they go where this machine has the path, or where `cd` has led.
 */
export function writeProfile(file: string, root: string): void {
  writeFileSync(
    file,
    `LAB_ROOT=${quote(root)}
cd() {
case \${1-/} in
"$LAB_ROOT"*|[!/]*) command cd "$1" ;;
*) command cd "$LAB_ROOT\${1-/}" ;;
esac
}
pwd() { set -- "$(command pwd)" && set -- "\${1#"$LAB_ROOT"}" && echo "\${1:-/}"; }
`,
  );
}

/** What runs a command line on a node. */
export function commandLine(shell: string, profile: string, text: string): [string, ...string[]] {
  return [shell, '-c', `. ${quote(profile)}\n${text}`];
}

/** What runs a script of the node: `$0` is its path on this machine. */
export function scriptLine(
  shell: string,
  profile: string,
  path: string,
  args: readonly string[],
): [string, ...string[]] {
  return [...commandLine(shell, profile, '. "$0"'), path, ...args];
}

/** Prints and ends; sh text for a shim. Written in pieces, since printf is a program of its own in some shells. */
export function printAndExit(code: number, stdout: string, stderr: string): string {
  return `${printed(stdout, '')}${printed(stderr, ' >&2')}exit ${code}\n`;
}

/** Prints on stderr and goes on waiting; sh text for a shim. */
export function complain(stderr: string): string {
  return printed(stderr, ' >&2');
}

/** Becomes another program, with the caller's own PATH and streams; sh text for a shim. */
export function becomeProgram(argv: readonly string[]): string {
  return `PATH=$o\nexec 9<&-\nexec ${argv.map(quote).join(' ')}\n`;
}

/** Stores standard input in `PID.i`, then asks again; sh text for a shim. */
export const storeInput = 'cat >"$d/$$.i"\necho "$$" >"$d/requests"\n';

const pieceLength = 8192;

function printed(text: string, where: string): string {
  let lines = '';
  for (let at = 0; at < text.length; at += pieceLength) {
    lines += `printf %s '${text.slice(at, at + pieceLength).replaceAll("'", "'\\''")}'${where}\n`;
  }
  return lines;
}
