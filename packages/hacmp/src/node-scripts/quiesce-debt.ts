import { AIX_PATH, quote } from '@splitmirror/host';
import { checkPath, checkSeconds, deadline } from './shell-deadline.ts';

/** A command of a hook: its words alone, or with what it reads. As the note of a run has it. */
export type HookCommand =
  | readonly [string, ...string[]]
  | {
      readonly argv: readonly [string, ...string[]];
      /** What it reads from its standard input; a last line feed is added where it lacks. */
      readonly stdin?: string | undefined;
      /** Whole seconds that it may take. */
      readonly timeoutSeconds?: number | undefined;
    };

/** What is fixed in a debt script when it is made. */
export interface DebtScriptOptions {
  /** Absolute path under which it is installed, the same on every node. */
  readonly path: string;
  /** Directory of the group's notes: `.splitmirror` in the first (sorted) of its file systems. */
  readonly notes: string;
  /** The `resume` hooks of the backup, exactly as they are configured there. Safe to repeat, also when nothing is suspended. */
  readonly resume: readonly HookCommand[];
  /** What is run in their place when the application does not run yet; without it `resume`. */
  readonly restart?: readonly HookCommand[] | undefined;
  /** Most whole seconds for which a run that is at work keeps the application suspended, its own deadlines included. */
  readonly settleSeconds: number;
  /** Whole seconds for each command; default 60. */
  readonly timeoutSeconds?: number | undefined;
  /** Value of PATH, for the hooks too; default the places of AIX and HACMP. */
  readonly commands?: string | undefined;
}

/** Exit codes of the debt script. They never change their meaning. */
export const debtExitCodes = {
  /** Nothing is owed any more, or nothing was. */
  settled: 0,
  /** The application may still be suspended, and the note stays; the reason is on stderr. */
  owed: 1,
} as const;

/**
 * Makes the script that pays a quiesce debt: a run that suspends an application leaves a note in the application's own
 * file system, and takes it away after the resume. A note that is found at the start of the application was left by a run
 * that was cut off, mostly by a takeover. It never runs what the note says, which others may be able to write: only what
 * was fixed when it was made.
 *
 * @throws RangeError for paths that are not absolute or not plain, seconds that are not whole, and without a command.
 */
export function debtScript({
  path,
  notes,
  resume,
  restart = resume,
  settleSeconds,
  timeoutSeconds = 60,
  commands = AIX_PATH,
}: DebtScriptOptions): string {
  checkPath(path);
  checkPath(notes);
  checkSeconds(settleSeconds, 0);
  checkSeconds(timeoutSeconds, 1);
  if (resume.length === 0 || restart.length === 0) throw new RangeError('no command that resumes');
  const steps = restart.map((command) => payment(command, timeoutSeconds));
  return String.raw`#!/bin/sh
# splitmirror debt, made by @splitmirror/hacmp: lets an application go that a backup has suspended and could not resume,
# because its node or its controller died. For the start script of the application:
#
#   ${path}
#
#   ${debtExitCodes.settled}  nothing is owed any more, or nothing was
#   ${debtExitCodes.owed}  the application may still be suspended, and the note stays; the reason is on stderr

self=${quote(path)}
notes=${quote(notes)}
settle=${settleSeconds}
limit=${timeoutSeconds}
hooks=${quote(`"resume":${JSON.stringify(resume)}}`)}
PATH=${quote(commands)} LC_ALL=C
export PATH LC_ALL

[ -f "$notes/quiesce" ] || exit ${debtExitCodes.settled}

${deadline}
owed() {
  echo "$self: $1" >&2
  exit ${debtExitCodes.owed}
}

# The value of a member of one of our one-line notes.
member() {
  sed -n -e 1s'/.*"'"$1"'":"\{0,1\}\([A-Za-z0-9_.-]*\).*/\1/p' "$2"
}

# Whether the run that left the note is gone for certain: nobody holds the lock, it was at work on another node than this,
# on which the file system now is, or the controllers that hold the lock were processes of this machine and have ended.
is_gone() {
  set -- "$notes"/holder.*
  [ -f "$1" ] || return 0
  node=$(member node "$work/note")
  if [ -n "$node" ]; then
    run "$limit" get_local_nodename
    here=$(cat "$work/out")
    [ "$status" != 0 ] || [ -z "$here" ] || [ "$here" = "$node" ] || return 0
  fi
  for holder in "$@"; do
    [ -f "$holder" ] && cat "$holder" >"$work/holder" 2>/dev/null || continue
    pid=$(member pid "$work/holder")
    [ -n "$pid" ] && [ "$(member host "$work/holder")" = "$(uname -n)" ] || return 1
    if kill -0 "$pid" 2>/dev/null; then return 1; fi
  done
}

# pay SECONDS COMMAND...
pay() {
  run "$@"
  shift
  [ "$status" = 0 ] || owed "\"$*\" ended with $status: $(cat "$work/err")"
}

[ -n "$TMPDIR" ] || TMPDIR=/tmp
work=$TMPDIR/splitmirror-debt.$$
( umask 077 && mkdir "$work" ) || exit ${debtExitCodes.owed}
trap 'rm -rf "$work"' 0
trap 'exit ${debtExitCodes.owed}' 1 2 15

# A run that is at work pays by itself within its deadlines: whoever resumes earlier spoils its copy.
n=0
while :; do
  cat "$notes/quiesce" >"$work/note" 2>/dev/null || {
    [ -f "$notes/quiesce" ] || exit ${debtExitCodes.settled}
    owed "$notes/quiesce cannot be read"
  }
  IFS= read -r note <"$work/note"
  case $note in
  '{"splitmirror":1,"run":"'*"$hooks") ;;
  '{"splitmirror":1,"run":"'*) owed "$notes/quiesce wants other commands than this script was made with: make it anew, or resume by hand" ;;
  *) owed "$notes/quiesce is none of our notes" ;;
  esac
  [ "$n" -lt "$settle" ] || break
  if is_gone; then break; fi
  sleep 1
  n=$((n + 1))
done

${steps.join('\n')}
# Another run may have suspended the application since.
cat "$notes/quiesce" 2>/dev/null | cmp -s - "$work/note" || owed "$notes/quiesce has changed meanwhile"
rm -f "$notes/quiesce"
[ ! -f "$notes/quiesce" ] || owed "$notes/quiesce cannot be removed"
echo "$self: an application that was left suspended by run $(member run "$work/note") was resumed" >&2
exit ${debtExitCodes.settled}
`;
}

/** A command with its deadline, and with its input where it has one. */
function payment(command: HookCommand, otherwise: number): string {
  const { argv, stdin, timeoutSeconds = otherwise } = 'argv' in command ? command : { argv: command };
  checkSeconds(timeoutSeconds, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a word
  if (argv.some((word) => /[\x00-\x1f]/.test(word))) throw new RangeError('a word with a control character');
  const paid = `pay ${timeoutSeconds} ${argv.map(quote).join(' ')}`;
  if (stdin === undefined) return paid;
  if (stdin.includes('\0') || stdin.split('\n').includes('splitmirror-end')) {
    throw new RangeError('the input of a command must not hold NUL bytes, nor what ends it here');
  }
  const lines = stdin.endsWith('\n') ? stdin : `${stdin}\n`;
  return `input=$work/in\ncat >"$input" <<'splitmirror-end'\n${lines}splitmirror-end\n${paid}\ninput=/dev/null`;
}
