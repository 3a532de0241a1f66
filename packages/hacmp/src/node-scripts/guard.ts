import { AIX_PATH, quote } from '@splitmirror/host';
import type { Policy } from '../verdict/policy.ts';
import { judge } from './guard-judge.ts';
import { checkPath, checkSeconds, deadline } from './shell-deadline.ts';

/** What is fixed in a guard when it is made. */
export interface GuardOptions {
  /** Absolute path under which the guard is installed, the same on every node. */
  readonly path: string;
  /** Value of PATH while it asks; default the places of AIX and HACMP. The guarded command keeps the caller's. */
  readonly commands?: string | undefined;
  readonly policy?: Policy | undefined;
  /** Whole seconds for each question; default 60. */
  readonly timeoutSeconds?: number | undefined;
  /** Whole seconds between the two rounds of questions; default 20, more than the 15 s of an SNMP poll. */
  readonly pauseSeconds?: number | undefined;
}

/** Exit codes of the guard. They never change their meaning. */
export const guardExitCodes = {
  /** This node has the group, and the command ended with 0. */
  succeeded: 0,
  /** This node has the group, and the command failed; its own status is on stderr. */
  failed: 10,
  /** Another node has the group. Nothing was done, and nothing is said. */
  notMine: 20,
  /** Nobody can say for certain who has the group, or nobody has it. Nothing was done; the reasons are on stderr. */
  undecidable: 30,
  /** Called in a wrong way. */
  usage: 64,
} as const;

/**
 * Makes the guard: a script for ksh88 and any POSIX shell that runs a command only on the node which holds a group, for
 * cron jobs on the nodes themselves, without Node.js. It needs awk, sed and sleep, and clcmd or clrsh to ask the others.
 *
 * @throws RangeError for a path that is not absolute or has blanks, and for seconds that are not whole.
 */
export function guardScript({
  path,
  commands = AIX_PATH,
  policy = {},
  timeoutSeconds = 60,
  pauseSeconds = 20,
}: GuardOptions): string {
  checkPath(path);
  checkSeconds(timeoutSeconds, 1);
  checkSeconds(pauseSeconds, 0);
  return String.raw`#!/bin/sh
# splitmirror guard, made by @splitmirror/hacmp: runs a command only on the node that has a resource group online,
# stably and alone.
#
#   ${path} GROUP COMMAND [ARGUMENT...]
#
#   ${guardExitCodes.succeeded}   this node has the group, and the command ended with 0
#   ${guardExitCodes.failed}  this node has the group, and the command failed; its own status is on stderr
#   ${guardExitCodes.notMine}  another node has the group: nothing was done, nothing is said
#   ${guardExitCodes.undecidable}  nobody can say for certain who has it, or nobody has it: nothing was done, the reasons are on stderr
#   ${guardExitCodes.usage}  called in a wrong way
#
# The same file must be installed under the same name on every node: the others are asked with "clcmd" (or "clrsh") to run
# "${path} --report GROUP", which only reads. To change an option, make the guard anew.

self=${quote(path)}
places=${quote(commands)}
tie_break=${quote(policy.tieBreak ?? 'none')}
minority=${quote(policy.minority ?? 'none')}
limit=${timeoutSeconds}
pause=${pauseSeconds}

${deadline}
# One question with its answer, marked so that no line of an answer can be taken for a mark.
ask() {
  question=$1
  shift
  run "$limit" "$@"
  echo "@ask $question $status"
  awk '{ print (FILENAME == ARGV[1] ? "|" : "!") $0 }' "$work/out" "$work/err"
}

# Everything that this node says about the group.
report() {
  ask name get_local_nodename
  ask manager lssrc -ls clstrmgrES
  ask groups clRGinfo -s
  ask states clmgr -cv -a name,state,raw_state query node
  ask membership lscluster -m
  ask peers lsrpnode
  ask labels cllsnode
  ask addresses ifconfig -a
  ask resources clshowres
  for vg in $(volume_groups); do
    ask "vg:$vg" lsvg "$vg"
    ask "lvs:$vg" lsvg -l "$vg"
  done
  ask mounts mount
  echo "@end"
}

# The group's volume groups, from the answer of clshowres that was just given: values start at column 53.
volume_groups() {
  awk -v group="$group" '
    { label = substr($0, 1, 52); sub(/[ \t]+$/, "", label); text = substr($0, 53) }
    label == "Resource Group Name" { sub(/[ \t]+$/, "", text); here = (text == group) }
    /^Run Time Parameters:/ { here = 0 }
    here && (label == "Volume Groups" || label == "Concurrent Volume Groups") {
      count = split(text, names, " ")
      for (i = 1; i <= count; i++) if (names[i] ~ /^[A-Za-z_][A-Za-z0-9_.-]*$/) print names[i]
    }' "$work/out"
}

# The reports of all nodes: of this one directly, of the others through clcmd, or through clrsh where there is none.
round() {
  echo "@round $1"
  echo "NODE $me"
  report >"$work/own"
  cat "$work/own"
  run $((limit * 15 + 10)) clcmd "$self" --report "$group"
  if [ "$status" != 127 ]; then
    cat "$work/out"
    return
  fi
  for node in $(awk '/^@ask/ { here = ($2 == "resources") } here && /^[|]Node Name / { print $3 }' "$work/own"); do
    [ "$node" != "$me" ] || continue
    run $((limit * 15 + 10)) clrsh "$node" "$self" --report "$group"
    echo "NODE $node"
    cat "$work/out"
  done
}

# Weighs two rounds: the verdict on the first line, then a line for each reason.
judge() {
  awk -v group="$group" -v tie_break="$tie_break" -v minority="$minority" '${judge}' "$work/rounds"
}

usage() {
  echo "usage: $self GROUP COMMAND [ARGUMENT...]" >&2
  exit ${guardExitCodes.usage}
}

[ $# -ge 2 ] || usage
mode=guard
if [ "$1" = --report ]; then
  mode=report
  shift
fi
group=$1
shift
case $group in
'' | -* | *[!A-Za-z0-9_.-]*) usage ;;
esac
[ -n "$TMPDIR" ] || TMPDIR=/tmp
work=$TMPDIR/splitmirror-guard.$$
( umask 077 && mkdir "$work" ) || exit ${guardExitCodes.undecidable}
trap 'rm -rf "$work"' 0
trap 'exit ${guardExitCodes.undecidable}' 1 2 15

if [ "$mode" = report ]; then
  PATH=$places LC_ALL=C
  export PATH LC_ALL
  report
  exit 0
fi

# In a process of its own, so that the command finds the environment of its caller.
(
  trap - 0 1 2 15
  PATH=$places LC_ALL=C
  export PATH LC_ALL
  run "$limit" get_local_nodename
  cat "$work/out" >"$work/me"
  me=$(cat "$work/me")
  round 1 >"$work/rounds"
  sleep "$pause"
  round 2 >>"$work/rounds"
  judge >"$work/verdict"
)
read verdict holder <"$work/verdict"
read me <"$work/me"
[ -n "$me" ] || verdict=undecidable
case $verdict in
held)
  [ "$holder" = "$me" ] || exit ${guardExitCodes.notMine}
  # From here on a signal must not end in a code that says that nothing was done.
  rm -rf "$work"
  trap - 0 1 2 15
  "$@"
  status=$?
  [ "$status" -ne 0 ] || exit ${guardExitCodes.succeeded}
  echo "$self: $group is here, and the command ended with $status" >&2
  exit ${guardExitCodes.failed}
  ;;
*)
  echo "$self: $group: $verdict: nothing was done" >&2
  sed -e 1d -e 's/^/  /' "$work/verdict" >&2
  exit ${guardExitCodes.undecidable}
  ;;
esac
`;
}
