import { AIX_PATH, quote } from '@splitmirror/host';
import { checkPath } from './shell-deadline.ts';

/** The crontab entries that a node has while a group is there. */
export interface GroupEntries {
  readonly group: string;
  /** Whole crontab lines, without their line feed; each should run its job through the guard. */
  readonly lines: readonly string[];
}

/** What is fixed in a crontab switch when it is made. */
export interface CrontabScriptOptions {
  /** Absolute path under which it is installed, the same on every node. */
  readonly path: string;
  /** Absolute path of the guard, which says what is here. */
  readonly guard: string;
  /** Directory of this node for the lock and for what a failure leaves; made by the script, for root only. */
  readonly state: string;
  /** Where {@link eventScript} leaves its markers. */
  readonly spool: string;
  readonly groups: readonly GroupEntries[];
  /** Name of the section of the crontab that is ours; default `backup`. Sections with other names are left alone. */
  readonly section?: string | undefined;
  /** Value of PATH; default the places of AIX and HACMP. */
  readonly commands?: string | undefined;
}

/** Exit codes of the crontab switch. They never change their meaning. */
export const crontabExitCodes = {
  /** The crontab is as wanted, and was read back. */
  done: 0,
  /** Refused or failed: the crontab is what it was, and the reason is on stderr. */
  unchanged: 1,
  /** Failed, and what was there before could not be put back: stderr names the file that holds it. */
  damaged: 2,
  /** Some group is undecidable: its entries were left as they were, the others were switched. */
  undecidable: 30,
  /** Called in a wrong way. */
  usage: 64,
} as const;

/**
 * Makes the crontab switch of the redbook: the entries of the groups that a node has, and no others, between two markers
 * of root's crontab. Every byte outside of them stays as it is.
 *
 * @throws RangeError for names, paths and lines that a crontab or a shell would take apart.
 */
export function crontabScript({
  path,
  guard,
  state,
  spool,
  groups,
  section = 'backup',
  commands = AIX_PATH,
}: CrontabScriptOptions): string {
  for (const each of [path, guard, state, spool]) checkPath(each);
  if (!/^[\w.-]+$/.test(section)) throw new RangeError(`not a name of a section: ${section}`);
  for (const { group, lines } of groups) {
    if (!/^[A-Za-z0-9_][\w.-]*$/.test(group)) throw new RangeError(`not a resource group: ${group}`);
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a line
      if (line.trim() === '' || /[\x00-\x08\x0a-\x1f]|splitmirror section|^splitmirror-end$/.test(line)) {
        throw new RangeError(`not a crontab line: ${JSON.stringify(line)}`);
      }
    }
  }
  if (new Set(groups.map(({ group }) => group)).size < groups.length) throw new RangeError('a group comes twice');
  const entries = groups.map(
    ({ group, lines }) => `  ${group}) cat <<'splitmirror-end'
# resource group ${group}
${lines.map((line) => `${line}\n`).join('')}splitmirror-end
    ;;
`,
  );
  return `#!/bin/sh
# splitmirror crontab, made by @splitmirror/hacmp: keeps the entries of the resource groups that this node has in root's
# crontab, between two markers. Everything outside of the markers stays as it is, byte for byte.
#
#   ${path} follow        asks the guard which groups are here, and switches to their entries
#   ${path} pick-up       the same, when a cluster event has left a marker; for cron
#   ${path} set GROUP...  switches to the entries of these groups: own data, both nodes' data, or none
#   ${path} refresh       writes the entries of the groups that are there anew
#   ${path} remove        takes the markers and what is between them out, and forgets the events
#
#   ${crontabExitCodes.done}   the crontab is as wanted, and was read back
#   ${crontabExitCodes.unchanged}   refused or failed: the crontab is what it was; the reason is on stderr
#   ${crontabExitCodes.damaged}   failed, and what was there before could not be put back: stderr names the file that holds it
#   ${crontabExitCodes.undecidable}  some group is undecidable: its entries were left as they were
#   ${crontabExitCodes.usage}  called in a wrong way

self=${quote(path)}
guard=${quote(guard)}
state=${quote(state)}
spool=${quote(spool)}
groups=${quote(groups.map(({ group }) => group).join(' '))}
mark='# splitmirror section ${section} '
begin="$mark""begins: everything up to its end is replaced"
end="$mark""ends"
PATH=${quote(commands)} LC_ALL=C
export PATH LC_ALL
umask 077

entries() {
  case $1 in
${entries.join('')}  esac
}

# The whole section with the entries of these groups.
section() {
  echo "$begin"
  echo "0,5,10,15,20,25,30,35,40,45,50,55 * * * * $self pick-up"
  for group in "$@"; do entries "$group"; done
  echo "$end"
}

fail() {
  echo "$self: $1" >&2
  exit ${crontabExitCodes.unchanged}
}

# One switch at a time. A lock is a file with the number of its process, made by a hard link; that of a process which is
# gone is inherited by one heir only, since the link to the name made from the old number succeeds once.
lock() {
  n=0
  echo "$$" >"lock.$$" || fail "$state cannot be written"
  until ln "lock.$$" lock 2>/dev/null; do
    owner=$(cat lock 2>/dev/null)
    case $owner in
    '' | *[!0-9]*) ;;
    *)
      if ! kill -0 "$owner" 2>/dev/null && ln "lock.$$" "heir.$owner" 2>/dev/null; then
        if [ "$(cat lock 2>/dev/null)" = "$owner" ]; then
          mv -f "heir.$owner" lock
          break
        fi
        rm -f "heir.$owner"
      fi
      ;;
    esac
    [ "$n" -lt 60 ] || fail "process $owner holds $state/lock for a minute"
    sleep 1
    n=$((n + 1))
  done
  [ "$(cat lock 2>/dev/null)" = "$$" ] || fail "$state/lock was taken away"
  locked=yes
}

# Reads the crontab into a file. That there is none is an answer; any other failure is not.
list() {
  crontab -l >"$1" 2>"$work/err" && return
  [ ! -s "$1" ] || fail "crontab -l failed half way: $(cat "$work/err")"
  grep -i -e 'no crontab for' -e 'does not exist' "$work/err" >/dev/null ||
    fail "crontab -l failed, and nobody knows whether there is a crontab: $(cat "$work/err")"
  none=yes
}

# Takes the crontab apart: before, between and after the markers, which come once each, or not at all.
take_apart() {
  : >"$work/before"
  : >"$work/between"
  cp "$work/old" "$work/after"
  awk -v mark="$mark" -v begin="$begin" -v end="$end" '
    index($0, mark) == 0 { next }
    $0 == begin { from = NR; begins++; next }
    $0 == end { to = NR; ends++; next }
    { torn = NR }
    END {
      if (torn) print "line " torn " is a damaged marker"
      else if (begins + 0 != ends + 0 || begins > 1 || begins && to < from) print "the markers are torn, or come twice"
      else print from + 0, to + 0
    }' "$work/old" >"$work/place"
  read from to <"$work/place"
  case "$from$to" in
  '' | *[!0-9]*) fail "the crontab is left alone: $(cat "$work/place")" ;;
  esac
  [ "$from" -ne 0 ] || return 0
  : >"$work/after"
  [ "$from" -eq 1 ] || head -n $((from - 1)) "$work/old" >"$work/before"
  tail -n +"$from" "$work/old" | head -n $((to - from + 1)) >"$work/between"
  tail -n +$((to + 1)) "$work/old" >"$work/after"
  cat "$work/before" "$work/between" "$work/after" | cmp -s - "$work/old" ||
    fail 'the crontab is left alone: its lines cannot be told apart'
}

# Installs what was made, reads it back, and puts the old one back when it is not the same.
install_new() {
  if cmp -s "$work/old" "$work/new"; then return; fi
  was=$none
  none=no
  list "$work/again"
  [ "$none" = "$was" ] && cmp -s "$work/old" "$work/again" || fail 'somebody else has changed the crontab meanwhile'
  crontab "$state/$work/new" >"$work/said" 2>&1
  crontab -l >"$work/back" 2>/dev/null
  if cmp -s "$work/new" "$work/back"; then return; fi
  if [ "$was" = yes ]; then crontab -r; else crontab "$state/$work/old"; fi >/dev/null 2>&1
  crontab -l >"$work/back" 2>/dev/null
  cmp -s "$work/old" "$work/back" && fail "the new crontab was not taken: $(cat "$work/said")"
  cp "$work/old" "crontab.before.$$"
  echo "$self: the crontab is damaged; what it was is in $state/crontab.before.$$: $(cat "$work/said")" >&2
  exit ${crontabExitCodes.damaged}
}

# Puts the section with the entries of these groups in the place of the old one, or first.
change() {
  take_apart
  { cat "$work/before" && section "$@" && cat "$work/after"; } >"$work/new" || fail "$work cannot be written"
  install_new
}

# Groups of which the section has entries now.
present() {
  awk '/^# resource group / { print $4 }' "$work/between"
}

# What the guard says about each group: sets held and unsure.
ask_guard() {
  held= unsure=
  for group in $groups; do
    sh "$guard" "$group" true >/dev/null 2>"$work/reasons"
    case $? in
    0 | 10) held="$held $group" ;;
    20) ;;
    *)
      # Nobody has it: an answer, too.
      if grep "$group: offline: " "$work/reasons" >/dev/null; then continue; fi
      unsure="$unsure $group"
      cat "$work/reasons" >>"$work/doubts"
      ;;
    esac
  done
}

# Names of what events have left in the spool: whole markers, or new ones that were never finished.
left() {
  ls "$spool" 2>/dev/null | grep "^$1[.]"
}

forget() {
  for marker in "$@"; do rm -f "$spool/$marker"; done
}

# An undecidable group keeps what it has.
follow() {
  ask_guard
  begin_change
  take_apart
  set --
  for group in $groups; do
    case " $held " in
    *" $group "*) set -- "$@" "$group" ;;
    *) case " $unsure " in *" $group "*) ! present | grep -Fx "$group" >/dev/null || set -- "$@" "$group" ;; esac ;;
    esac
  done
  change "$@"
  [ -z "$unsure" ]
}

begin_change() {
  lock
  none=no
  list "$work/old"
}

usage() {
  echo "usage: $self follow | pick-up | set GROUP... | refresh | remove" >&2
  exit ${crontabExitCodes.usage}
}

[ $# -ge 1 ] || usage
mode=$1
shift
[ $# -eq 0 ] || [ "$mode" = set ] || usage
for group in "$@"; do
  case " $groups " in *" $group "*) ;; *) usage ;; esac
done
locked=no
# Everything below lies in this directory, and is named from there.
work=work.$$
mkdir -p "$state/$work" && cd "$state" || fail "$state cannot be written"
trap 'rm -rf "$work" "lock.$$"; [ "$locked" = no ] || rm -f lock; [ "$mode" != remove ] || { cd / && rmdir "$state" 2>/dev/null; }' 0
trap 'exit ${crontabExitCodes.unchanged}' 1 2 15
: >"$work/doubts"

case $mode in
set)
  begin_change
  change "$@"
  ;;
refresh)
  begin_change
  take_apart
  change $(present)
  ;;
remove)
  begin_change
  take_apart
  cat "$work/before" "$work/after" >"$work/new" || fail "$work cannot be written"
  install_new
  forget $(left event) $(left new)
  rm -f tries
  rmdir "$spool" 2>/dev/null
  ;;
follow)
  follow && exit ${crontabExitCodes.done}
  cat "$work/doubts" >&2
  exit ${crontabExitCodes.undecidable}
  ;;
pick-up)
  markers=$(left event)
  [ -n "$markers" ] || exit ${crontabExitCodes.done}
  if follow; then
    forget $markers
    rm -f tries
    exit ${crontabExitCodes.done}
  fi
  # A cluster takes its time, and cron sends a letter for every word: quiet at first, and not too often later.
  echo >>tries
  tries=$(wc -l <tries)
  [ $((tries)) -ne 3 ] && [ $((tries % 36)) -ne 0 ] || cat "$work/doubts" >&2
  exit ${crontabExitCodes.undecidable}
  ;;
*) usage ;;
esac
exit ${crontabExitCodes.done}
`;
}
