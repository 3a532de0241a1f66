/**
 * The text that a node's shell runs: plain POSIX sh that ksh88 (AIX's /bin/sh) understands too.
 *
 * Every mark that the text prints carries a nonce which no command can know, and stands on a line of its own between two
 * line feeds:
 *
 * | mark                             | on             | means                                                        |
 * |----------------------------------|----------------|--------------------------------------------------------------|
 * | `begin PID`                      | both           | process id of the shell, leader of the session's group       |
 * | `start STEP SECONDS`             | both           | output of the step follows; SECONDS is the node's own clock  |
 * | `member STEP MEMBER STATUS`      | stderr         | exit status of one member of a pipeline                      |
 * | `end STEP STATUS SECONDS [timeout]` | both        | the step ended; `timeout`: by its deadline                   |
 * | `done`, `cancelled`              | both           | the script ended; after `cancelled` all debts are paid       |
 *
 * For a stream all marks go to stderr, and stdout holds nothing but what the command wrote.
 */
import { type Command, members, type Pipeline, quote } from './command.ts';
import { checkScript, type Script, type Step } from './script.ts';

/** Which shell reads the text, and where it finds its commands. */
export interface ShellSettings {
  /** Value of PATH on the node; nothing of the login's own PATH is kept. */
  readonly path: string;
}

/** Seconds between TERM and KILL. */
const graceSeconds = 5;

/**
 * Renders a script. The whole text is one brace group: a shell runs nothing of it before the last byte has arrived, so
 * that a link cut during the transfer cannot leave half a script running.
 */
export function renderScript(script: Script, nonce: string, settings: ShellSettings): string {
  checkScript(script);
  // HUP and PIPE are ignored: a dead link must not stop a script between a freeze and its thaw.
  return `{
${prologue(nonce, settings)}
trap '' 1 13
mark() { printf '\\n%s %s\\n' "$N" "$*" >&3; emark "$@"; }
${runner}
${script.steps.map((step, index) => `s${index}() {\n${stepBody(step, index, nonce)}\n}`).join('\n')}
mark begin "$$"
${script.steps.map((step, index) => stepCall(script, step, index)).join('\n')}
[ -n "$C" ] && mark cancelled || mark "done"
exit 0
}
`;
}

/** Renders one command whose stdout is the bare stream; ended by a broken pipe, a hang-up or its deadline. */
export function renderStream(
  source: Command | Pipeline,
  nonce: string,
  timeoutSeconds: number,
  settings: ShellSettings,
): string {
  const step: Step = { id: 'stream', run: source, timeoutSeconds };
  checkScript({ steps: [step] });
  return `{
${prologue(nonce, settings)}
mark() { emark "$@"; }
${runner}
s0() {
${stepBody(step, 0, nonce)}
}
trap 'cancel' 1
mark begin "$$"
step 0 ${timeoutSeconds} stop
[ -n "$C" ] && mark cancelled || mark "done"
exit 0
}
`;
}

/**
 * Ends the script whose shell has this process id: TERM, so that it pays what is owed, and KILL for its whole group when
 * it is still there after `waitSeconds`. The last word printed is `gone` or `alive`.
 */
export function renderCancel(pid: number, waitSeconds: number): string {
  return `kill -15 ${pid} 2>/dev/null
n=0
while kill -0 ${pid} 2>/dev/null && [ "$n" -lt ${waitSeconds} ]; do
sleep 1
n=$((n + 1))
done
kill -0 ${pid} 2>/dev/null && { kill -9 -${pid} 2>/dev/null; kill -9 ${pid} 2>/dev/null; sleep 1; }
kill -0 ${pid} 2>/dev/null && echo alive || echo gone
exit 0
`;
}

function prologue(nonce: string, settings: ShellSettings): string {
  // The shell's own remarks about jobs go nowhere (2>/dev/null); commands write to the kept descriptors 3 and 4.
  // With -m each step is a process group of its own, so that a deadline ends all of it.
  return `N=${nonce} PATH=${quote(settings.path)} LC_ALL=C LANG=C
export PATH LC_ALL LANG
unset ENV BASH_ENV CDPATH
exec 3>&1 4>&2 2>/dev/null
set -m
emark() { printf '\\n%s %s\\n' "$N" "$*" >&4; }`;
}

/**
 * B: steps that were started. C: cancelled. F: a step failed, the rest is skipped. G: steps that ended with 0.
 * J: process of the step under way. K: what ends it after a cancel. P: it pays a debt and is not to be disturbed.
 * R: its status. W: its watchdog, which leaves 0 when it has fired.
 */
const runner = `B= C= F= G= J= K= P= R= T= W=
now() { if [ -n "$SECONDS" ]; then T=$SECONDS; else T=$(date +%s); fi; }
signal() { kill "-$1" "-$2" || kill "-$1" "$2"; }
cancel() {
C=1 F=1
if [ -n "$J" ] && [ -z "$P" ]; then
( watch "$J" 0 ) </dev/null >/dev/null 3>&- 4>&- & K=$!
fi
}
watch() {
trap 'kill "$S"; exit 1' 15
sleep "$2" & S=$!
wait "$S"
trap 'kill "$S"; exit 0' 15
signal 15 "$1"
sleep ${graceSeconds} & S=$!
wait "$S"
signal 9 "$1"
exit 0
}
perform() {
B="$B:$1:"
now
mark start "$1" "$T"
( trap - 1 2 13 15; "s$1" ) </dev/null >&3 2>&4 & J=$!
( watch "$J" "$2" ) </dev/null >/dev/null 3>&- 4>&- & W=$!
while :; do
wait "$J"
R=$?
kill -0 "$J" || break
done
J=
[ -z "$K" ] || kill -15 "$K"
kill -15 "$W"
while :; do
wait "$W"
X=$?
kill -0 "$W" || break
done
now
if [ "$X" -eq 0 ]; then
[ "$R" -ne 0 ] || R=143
mark end "$1" "$R" "$T" timeout
else
[ "$R" -ne 0 ] || G="$G:$1:"
mark end "$1" "$R" "$T"
fi
}
step() {
[ -z "$F" ] || return 0
perform "$1" "$2"
[ "$R" -eq 0 ] || [ "$3" = continue ] || F=1
}
pay() {
P=1
perform "$1" "$2"
P=
[ "$R" -eq 0 ] || F=1
}
trap 'cancel' 2 15`;

function stepCall(script: Script, step: Step, index: number): string {
  const at = (id: string) => `*:${script.steps.findIndex((other) => other.id === id)}:*`;
  const call = `${index} ${step.timeoutSeconds}`;
  const run = step.pays?.length
    ? `case "$B" in ${step.pays.map(at).join('|')}) pay ${call};; esac`
    : `step ${call} ${step.onFailure ?? 'stop'}`;
  return (step.needs ?? []).reduceRight((inner, id) => `case "$G" in ${at(id)}) ${inner};; esac`, run);
}

function stepBody(step: Step, index: number, nonce: string): string {
  const [first, ...rest] = members(step.run).map(words);
  const input = step.stdin === undefined ? ['', ''] : [` <<'${nonce}'`, `\n${step.stdin}${nonce}`];
  if (rest.length === 0) return `exec ${first} 3>&- 4>&-${input[0]}${input[1]}`;
  // Every member reports its status over descriptor 5, into the command substitution; ksh88 has no pipefail.
  const piped = [first, ...rest].map((text, member) => {
    const output = member === rest.length ? ' >&3' : '';
    const stdin = member === 0 ? input[0] : '';
    return `{ ${text}${output} 3>&- 4>&- 5>&-${stdin}${member === 0 ? input[1] : ''}\necho "${member}:$?" >&5; }`;
  });
  return `M=$( { ${piped.join(' |\n')}; } 5>&1 )
R=0
for m in $M; do
emark member ${index} "\${m%%:*}" "\${m#*:}"
case $m in *:0) ;; *) [ "$R" -ne 0 ] || R=\${m#*:};; esac
done
exit "$R"`;
}

function words(command: Command): string {
  return command.argv.map(quote).join(' ');
}
