/**
 * The text that a node's shell runs: plain POSIX sh that ksh88 (AIX's /bin/sh) understands too.
 *
 * Every mark that the text prints carries a nonce which no command can know, and stands on a line of its own between two
 * line feeds. All but `member` are printed on stdout and on stderr, so that each stream can be read without the other:
 *
 * | mark                               | means                                                        |
 * |------------------------------------|--------------------------------------------------------------|
 * | `begin PID`                        | process id of the shell; nothing was run before it           |
 * | `start STEP SECONDS`               | output of the step follows; SECONDS is the node's own clock  |
 * | `member STEP MEMBER STATUS`        | exit status of one member of a pipeline                      |
 * | `end STEP STATUS SECONDS [timeout]`| the step ended; `timeout`: by its deadline                   |
 * | `done`, `cancelled`                | the script ended; in both cases all debts are paid           |
 */
import { type Command, members, type Pipeline, quote } from './command.ts';
import { checkScript, type Script, type Step } from './script.ts';

/** Which shell reads the text, and where it finds its commands. */
export interface ShellSettings {
  /** Value of PATH on the node; nothing of the login's own PATH is kept. */
  readonly path: string;
  readonly sudo?: Sudo | undefined;
}

/**
 * How commands get the rights of root where the login has not. Nobody is asked for a password, and sudo keeps the step's
 * deadline (`sudo -n -T seconds`, which takes `Defaults user_command_timeouts`), since no signal of the login reaches what
 * runs as root: a cancel waits for the step under way, at most until its deadline.
 */
export interface Sudo {
  /** `changes`: the commands that change the node. `all`: those that read it, too. */
  readonly commands: 'changes' | 'all';
  /** Path on the node, or a name that its PATH finds; default `sudo`. */
  readonly program?: string | undefined;
}

/** Seconds between TERM and KILL. */
export const graceSeconds = 5;

/**
 * Renders a script. A hang-up of the shell is ignored: a dead link must not stop a script between a freeze and its thaw.
 *
 * @throws RangeError when the script could not be run as it is meant.
 */
export function renderScript(script: Script, nonce: string, settings: ShellSettings): string {
  return renderText(script, nonce, settings, "trap '' 1");
}

/** Renders one command whose output is taken as it comes. It owes nothing, so a hang-up ends it. */
export function renderStream(
  source: Command | Pipeline,
  nonce: string,
  timeoutSeconds: number,
  settings: ShellSettings,
): string {
  return renderText({ steps: [{ id: 'stream', run: source, timeoutSeconds }] }, nonce, settings, 'trap cancel 1');
}

/**
 * Asks the script whose shell has this process id to end: it ends the step under way, pays what is owed, and goes. It is
 * never killed, since then nothing would be paid. The last word printed is `gone` or `alive`.
 */
export function renderCancel(pid: number, waitSeconds: number, settings: ShellSettings): string {
  return `{ exec 2>/dev/null
${environment(settings)}
kill -15 ${pid}
n=0
while kill -0 ${pid} && [ "$n" -lt ${waitSeconds} ]; do
sleep 1
n=$((n + 1))
done
kill -0 ${pid} && echo alive || echo gone
exit 0
}
`;
}

/**
 * The whole text is one brace group: a shell runs nothing of it before the last byte has arrived, so that a link cut
 * during the transfer cannot leave half a script running. Its first line opens the descriptors without which it does not
 * begin, in case a login script has eaten that line.
 */
function renderText(script: Script, nonce: string, settings: ShellSettings, hangUp: string): string {
  checkScript(script);
  // The shell's own remarks about jobs go nowhere (2>/dev/null); commands write to the kept descriptors 3 and 4.
  return `{ exec 3>&1 4>&2 2>/dev/null
N=${nonce}
${environment(settings)}
${handlers}
${hangUp}
${script.steps.map((step, index) => `s${index}() {\n${stepBody(step, index, nonce, settings)}\n}`).join('\n')}
${say('begin %s', '"$$"', 'exit 1')}
${script.steps.length === 0 ? '' : loop(script)}
last=done
[ -z "$cancelled" ] || last=cancelled
${say('%s', '"$last"')}
exit 0
}
`;
}

function environment(settings: ShellSettings): string {
  return `PATH=${quote(settings.path)} LC_ALL=C LANG=C
export PATH LC_ALL LANG
unset ENV BASH_ENV CDPATH`;
}

/** Prints a mark on both streams. When nobody reads any more, what is owed must not fail for want of someone to tell. */
function say(format: string, values: string, unheard?: string): string {
  return [3, 4]
    .map((to) => `printf '\\n%s ${format}\\n' "$N" ${values} >&${to} || ${unheard ?? `exec ${to}>/dev/null`}`)
    .join('\n');
}

/**
 * What is called by signals, and by processes of their own. With `set -m` each step is a process group of its own, so that
 * a deadline or a cancel ends all of it. Shells that refuse job control without a terminal (dash, busybox) keep all in one
 * group; there `strike` ends everything but the shell.
 *
 * In ksh88 the caller's traps do not hold within a function: the signal ends the function instead. So the script itself
 * calls none, and the handlers may be ended and called again at any point.
 */
const handlers = `set -m
begun= cancelled= failed= good= job= killer= overdue= paying= told=
strike() {
told=1
kill -15 "-$job" || {
trap '' 15
kill -15 "-$$" "$job"
trap cancel 15
}
}
expire() {
[ -z "$job" ] || {
overdue=1
strike
}
}
cancel() {
cancelled=1 failed=1
if [ -n "$job" ] && [ -z "$paying$told" ]; then
strike
( set +m; watch '' ) </dev/null >/dev/null 3>&- 4>&- & killer=$!
fi
}
nap() {
sleep "$1" &
wait "$!"
}
watch() {
# $! is still the step itself until the first nap.
trap '[ "$!" = "$child" ] || kill -9 "$!"; exit' USR2
if [ -n "$1" ]; then
nap "$1"
trap '' 15
# Without its shell the step may be long gone and its number another's.
kill -USR1 "$$" || exit
fi
nap ${graceSeconds}
kill -9 "-$child" || kill -9 "$child"
}
trap cancel 2 15
trap expire USR1
trap '' 13`;

function loop(script: Script): string {
  const cases = script.steps.map((step, index) => {
    const { timeoutSeconds, onFailure = 'stop', onRefusal = 'owes' } = step;
    return `${index}) seconds=${timeoutSeconds} failure=${onFailure} refusal=${onRefusal}\n${condition(script, step)};;`;
  });
  return `for step in ${[...script.steps.keys()].join(' ')}
do
go= paying=
case $step in
${cases.join('\n')}
esac
[ -n "$go" ] || continue
begun="$begun:$step:" overdue= told=
${readClock}
${say('start %s %s', '"$step" "$clock"')}
( set +m; trap - 1 2 15 USR1; "s$step" ) </dev/null >&3 2>&4 & child=$!
( set +m; watch "$seconds" ) </dev/null >/dev/null 3>&- 4>&- & dog=$!
# Only now: a handler which starts a process would change $! under our hands.
job=$child
[ -z "$cancelled" ] || cancel
wait "$job"
status=$?
# A trapped signal ends a wait early.
while kill -0 "$job"; do sleep 1; done
if [ -n "$told" ]; then
n=0
while kill -0 "-$job" && [ "$n" -lt ${graceSeconds} ]; do
sleep 1
n=$((n + 1))
done
[ "$n" -lt ${graceSeconds} ] || kill -9 "-$job"
fi
job=
for helper in $dog $killer
do
# Not a signal that this shell traps: dash loses such a one when the new process has just begun.
kill -9 "-$helper" || kill -USR2 "$helper"
while kill -0 "$helper"; do wait "$helper"; done
done
# An early end of the first wait may have hidden the status. Only here, with no other process left, since bash forgets now
# and then that the process has ended, and would wait for another.
wait "$child"
again=$?
[ "$again" -eq 127 ] || status=$again
killer=
${readClock}
late=
if [ -n "$overdue" ]; then
late=' timeout'
[ "$status" -ne 0 ] || status=143
fi
${say('end %s %s %s%s', '"$step" "$status" "$clock" "$late"')}
if [ "$status" -eq 0 ]; then good="$good:$step:"
else
[ "$failure" != stop ] || failed=1
# Only a status of its own is a refusal.
if [ "$refusal" = owes-nothing ] && [ -z "$told$overdue" ] && [ "$status" -lt 128 ]; then begun=\${begun%:$step:}; fi
fi
done`;
}

/** AIX's ksh88 counts the seconds itself; a shell that does not asks the system. */
const readClock = `clock=$SECONDS
[ -n "$clock" ] || clock=$(date +%s)`;

/** Shell text that sets `go` when the step is to be run now. */
function condition(script: Script, step: Step): string {
  const among = (list: string, ids: readonly string[], then: string) => {
    const patterns = ids.map((id) => `*:${script.steps.findIndex((other) => other.id === id)}:*`);
    return `case $${list} in ${patterns.join('|')}) ${then};; esac`;
  };
  const run = step.pays?.length ? among('begun', step.pays, 'go=1 paying=1') : '[ -n "$failed" ] || go=1';
  return (step.needs ?? []).reduceRight((inner, id) => among('good', [id], inner), run);
}

/** The function that a step's own process runs; it ends with the step's status. */
function stepBody(step: Step, index: number, nonce: string, { sudo }: ShellSettings): string {
  const input = step.stdin === undefined ? '' : ` <<'${nonce}'\n${step.stdin}${nonce}`;
  const commands = members(step.run);
  const [first] = commands;
  if (first !== undefined && commands.length === 1) {
    // A broken pipe kills what only reads. What changes the node is not killed half-way because nobody listens any more.
    const brokenPipe = first.effect === 'changes' ? '' : 'trap - 13\n';
    return `${brokenPipe}exec ${words(first, step, sudo)} 3>&- 4>&-${input}`;
  }
  // Every member reports its status over descriptor 5, into the command substitution; ksh88 has no pipefail. `exec` keeps
  // functions and reserved words of the shell from being taken for the program.
  const piped = commands.map((command, member) => {
    const output = member === commands.length - 1 ? ' >&3' : '';
    return `{ (exec ${words(command, step, sudo)}${output} 3>&- 4>&- 5>&-); echo "${member}:$?" >&5; }`;
  });
  // ksh88 cannot read every here-document inside $( ), so it stands outside.
  return `trap - 13
{
M=$( { ${piped.join(' |\n')}; } 5>&1 )
R=0
for m in $M; do
printf '\\n%s member ${index} %s %s\\n' "$N" "\${m%%:*}" "\${m#*:}" >&4
case $m in *:0) ;; *) [ "$R" -ne 0 ] || R=\${m#*:};; esac
done
# ksh93 counts signals from 256, and an exit cannot say so.
[ "$R" -le 256 ] || R=$((R - 128))
exit "$R"
}${input}`;
}

function words(command: Command, { timeoutSeconds }: Step, sudo: Sudo | undefined): string {
  const text = command.argv.map(quote).join(' ');
  if (sudo === undefined || (sudo.commands === 'changes' && command.effect !== 'changes')) return text;
  // Whoever is not root cannot end what runs as root: sudo keeps the deadline itself.
  return `${quote(sudo.program ?? 'sudo')} -n -T ${timeoutSeconds} -- ${text}`;
}
