import { dd, tar } from '@splitmirror/archive';
import { type Command, members, type Pipeline, quote, renderCommand, type Script, type Step } from '@splitmirror/host';
import type { Phase } from '../ports.ts';
import { leftOutText } from './coverage.ts';
import { lockPhases } from './lock-phases.ts';
import { digestOf, type PlannedArchive, type RunPlan } from './run-plan.ts';

/**
 * A plan as a shell script that a person runs on the node, where no tool may connect: the same commands in the same order,
 * the same debts, and a question wherever splitmirror would judge an answer. Plain POSIX sh that ksh88 understands too.
 *
 * Archives go, as they come, into the directory that is named when it is run. It ends with 0 when all went well, with 1
 * when something failed (what is owed is paid, and what takes the rest back is printed), with 2 when nothing was done.
 */
export function renderRunBook(plan: RunPlan): string {
  const { mirror, node, group, run } = plan;
  const { lock, unlock } = lockPhasesOf(plan);
  const still = `${node} holds ${group}, alone and stably: you asked again (see the top)`;
  return `${[
    ...header(plan),
    functions,
    ...beginning(run),
    `programs ${[...programsOf(plan)].map(quote).join(' ')}`,
    ...title(`${lock.name}: ${lock.title}`),
    `ask ${quote(still)} || exit 2`,
    `[ "$(entries ${quote(plan.notes)})" -eq 0 ] || {`,
    `say ${quote(`another run holds ${group}, or left something there: nothing was changed. See ${plan.notes}`)} >&2`,
    'exit 2',
    '}',
    ...steps(lock.script, lock.explains),
    // Of two that came at once, the one that looks later sees the other.
    `if [ -n "$failed" ] || [ "$(entries ${quote(plan.notes)})" -ne 1 ]; then`,
    `say ${quote(`the lock of ${group} could not be taken: nothing else was changed. See ${plan.notes}`)} >&2`,
    ...steps(unlock.script, unlock.explains),
    'exit 2',
    'fi',
    ...phase(mirror.split, frozenSteps(mirror.split.script)),
    'if [ -n "$failed" ]; then',
    ...giveUp(plan, mirror.split.undo),
    'fi',
    ...freezeCheck(mirror.frozenSecondsAtMost),
    `ask ${quote('each check above shows what its line says')} || bad=1`,
    '',
    'if [ -z "$bad" ]; then',
    'exposed=1',
    ...phase(mirror.expose),
    '[ -z "$failed" ] || bad=1',
    `[ -n "$bad" ] || ask ${quote('what is mounted are the copies, read-only, and their checks were clean')} || bad=1`,
    'fi',
    '',
    ...title('archive: one file for each volume'),
    ...plan.archives.flatMap(archive),
    '',
    `ask ${quote(still)} || {`,
    ...giveUp(plan, [...mirror.expose.undo, ...mirror.split.undo]),
    '}',
    'if [ -n "$exposed" ]; then',
    '# What was never mounted cannot be unmounted: after a failure this goes as far as it can.',
    '[ -z "$bad" ] || forgive=continue',
    ...phase(mirror.withdraw),
    'forgive=',
    '[ -z "$failed" ] || bad=1',
    'fi',
    ...phase(mirror.merge),
    'if [ -n "$failed" ]; then',
    ...giveUp(plan, mirror.split.undo),
    'fi',
    `ask ${quote('every copy is in step: no partition is stale')} || bad=1`,
    ...phase(unlock),
    '',
    'if [ -n "$bad" ]; then',
    `say ${quote(`run ${run} FAILED: the mirror is whole again, and what lies here is no backup`)} >&2`,
    '  exit 1',
    'fi',
    `say ${quote(`run ${run}: good`)}`,
    'cat cksums',
    'exit 0',
  ].join('\n')}\n`;
}

function header(plan: RunPlan): string[] {
  const { group, node, run, estimates, mirror } = plan;
  const lines = [
    `Run-book of run ${run}: back up ${group} on ${node}.`,
    `Plan ${digestOf(plan)}, made ${plan.createdAt} by splitmirror.`,
    '',
    `  sh RUN-BOOK DIRECTORY ${run}     as root, on ${node}`,
    '',
    `DIRECTORY is empty, lies outside ${group}, and has room for ${estimates.storeBytesAtMost} bytes. With the run's name you say`,
    'that you have checked, at this moment:',
    '',
    `1. ${node} holds ${group}, alone and stably. When the plan was made, these told so:`,
    ...plan.evidence.flatMap(({ node: asked, source, says }) => [`     on ${asked}: ${source}`, `       ${says}`]),
    `2. Nothing of the storage of ${group} was changed since the plan was made.`,
    '',
    `Writers are held for at most ${mirror.frozenSecondsAtMost} s. For about ${estimates.minutesWithoutRedundancy} min there are fewer copies than usual`,
    `(${estimates.basis}); ${estimates.partitionsToResync} partitions are copied afterwards.`,
    ...(mirror.takeover ?? []).flatMap(({ text, commands }) => [text, ...commands.map((command) => `     ${command}`)]),
    ...(plan.leftOut === undefined ? [] : [`Left out on purpose: ${plan.leftOut.map(leftOutText).join(', ')}.`]),
    ...((plan.policy.stored?.recipients ?? []).length > 0
      ? ['The archives come as they are: NOT ENCRYPTED, although the policy of the group says so.']
      : []),
    'Questions are answered with yes, and everything else means no. An interrupt (Ctrl-C) ends the step under way; what is',
    'owed is paid all the same.',
  ];
  return ['#!/bin/sh', ...lines.flatMap(comment), ''];
}

const functions = `say() {
  printf '%s\\n' "$1"
}
usage() {
  echo "usage: sh $0 DIRECTORY RUN" >&2
  exit 2
}
# Whether a step is run now: one that pays is, as soon as one of its debts was begun; others as long as nothing failed.
due() {
  step=$1 paying=
  for need in $3; do
    case $good in *" $need "*) ;; *) return 1;; esac
  done
  if [ -n "$2" ]; then
    for debt in $2; do
      case $begun in *" $debt "*) paying=1;; esac
    done
    [ -n "$paying" ] || return 1
  else
    [ -z "$failed" ] || return 1
  fi
  begun="$begun$step "
  echo "== $step"
  return 0
}
ended() {
  if [ "$1" -eq 0 ]; then good="$good$step "; return; fi
  echo "== $step ended with $1" >&2
  case " $2 $3 $forgive " in *' continue '*) ;; *) failed=1;; esac
  # Who has refused owes nothing; whom a signal has ended may.
  case " $2 $3 " in *' owes-nothing '*) [ "$1" -ge 128 ] || begun=\${begun%"$step "};; esac
}
# The first status that is not 0 of a pipeline's members, each of which has left its own in a file.
worst() {
  worst=0
  for member in "$@"; do
    status=$(cat "$member")
    rm -f "$member"
    [ "$worst" -ne 0 ] || worst=\${status:-1}
  done
}
archived() {
  echo "== archive $2"
  if [ "$1" -ne 0 ] || [ ! -s "$2.partial" ]; then
    echo "== archive $2 ended with $1" >&2
    bad=1
  elif [ -n "$3" ] && [ "$(wc -c <"$2.partial")" -ne "$3" ]; then
    echo "== archive $2 has not the $3 bytes of its volume" >&2
    bad=1
  else
    mv "$2.partial" "$2" </dev/null && cksum "$2" </dev/null >>cksums || bad=1
  fi
}
entries() {
  ls -a "$1" 2>/dev/null </dev/null | sed -e '/^\\.$/d' -e '/^\\.\\.$/d' | wc -l
}
clock() {
  now=$SECONDS
  [ -n "$now" ] || now=$(date +%s)
}
ask() {
  printf '?? %s (yes/no) ' "$1"
  read -r answer || answer=
  echo
  [ "$answer" = yes ]
}
programs() {
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "$program is not in PATH: nothing was done" >&2; exit 2; }
  done
}
`;

/** The text before anything is done: who may, where, and what is remembered. */
function beginning(run: string): string[] {
  return [
    `[ $# -eq 2 ] && [ "$2" = ${run} ] || usage`,
    'cd "$1" || exit 2',
    '[ "$(entries .)" -eq 0 ] || { echo "$1 is not empty: nothing was done" >&2; exit 2; }',
    'umask 077',
    'LC_ALL=C LANG=C',
    'export LC_ALL LANG',
    'started=$(date -u +%Y-%m-%dT%H:%M:%SZ)',
    'failed= bad= forgive= exposed= frozen_from= frozen_to=',
    '# A lost terminal must not stop it between a freeze and its thaw; an interrupt ends the step under way.',
    "trap '' 1",
    "trap 'failed=1' 2 15",
  ];
}

function title(line: string): string[] {
  return ['', `# ---- ${line}`, `say ${quote(`---- ${line}`)}`];
}

function comment(line: string): string[] {
  return line.split('\n').map((part) => (part === '' ? '#' : `# ${part}`));
}

interface Frozen {
  /** Ids of the first step that freezes, and of the first that takes a freeze back. */
  readonly from: string;
  readonly to: string;
}

function phase(planned: Phase, frozen?: Frozen): string[] {
  return [
    ...title(`${planned.name}: ${planned.title}`),
    ...steps(planned.script, planned.explains, frozen),
    ...(planned.undo.length === 0
      ? []
      : ['# To take it back:', ...planned.undo.flatMap((line) => comment(`    ${line}`))]),
  ];
}

function steps(script: Script, explains: Readonly<Record<string, string>>, frozen?: Frozen): string[] {
  const rows = script.steps.flatMap((step) => [
    ...(step.id === frozen?.from ? ['clock; frozen_from=$now'] : []),
    ...(step.id === frozen?.to ? ['clock; frozen_to=$now'] : []),
    ...rendered(step, explains[step.id]),
  ]);
  return ["begun=' ' good=' ' failed=", ...rows];
}

function rendered(step: Step, explanation: string | undefined): string[] {
  const words = (ids: readonly string[] | undefined) => quote((ids ?? []).join(' '));
  const { lines, status } = spelled(step.run, step.stdin, '');
  const flags = [step.onFailure, step.onRefusal].filter((flag) => flag === 'continue' || flag === 'owes-nothing');
  return [
    '',
    ...(explanation === undefined ? [] : comment(explanation)),
    `if due ${quote(step.id)} ${words(step.pays)} ${words(step.needs)}; then   # at most ${step.timeoutSeconds} s`,
    ...(explanation === undefined ? [] : [`  say ${quote(`   ${explanation}`)}`]),
    ...indented(lines),
    `  ${['ended', status, ...flags].join(' ')}`,
    'fi',
  ];
}

/** The first line only: what follows may be the input of the command, to the letter. */
function indented([first = '', ...rest]: readonly string[]): string[] {
  return [`  ${first}`, ...rest];
}

/** A command with its input and output, and the word that is its status after it. */
function spelled(
  run: Command | Pipeline,
  stdin: string | undefined,
  output: string,
): { readonly lines: readonly string[]; readonly status: string } {
  const commands = members(run);
  const { input, text } = stdin === undefined ? { input: ' </dev/null', text: [] } : inputOf(stdin);
  if (commands.length === 1) return { lines: [`${renderCommand(run)}${input}${output}`, ...text], status: '$?' };
  const files = commands.map((_, index) => `status.${index}`);
  const piped = commands.map((command, index) => {
    const to = index === commands.length - 1 ? output : '';
    return `{ ${renderCommand(command)}${index === 0 && stdin === undefined ? ' </dev/null' : ''}${to}; echo $? >${files[index]}; }`;
  });
  const [first = '', ...rest] = text;
  const end = stdin === undefined ? '' : input;
  return {
    lines: [`${piped.join(' | ')}${end}`, ...(text.length === 0 ? [] : [first, ...rest]), `worst ${files.join(' ')}`],
    status: '$worst',
  };
}

/** A text as the input of a command: to the letter, but for the time at which the run-book is run. */
function inputOf(stdin: string): { readonly input: string; readonly text: readonly string[] } {
  const end = terminator(stdin);
  if (!stdin.includes(startOfRun)) return { input: ` <<'${end}'`, text: `${stdin}${end}`.split('\n') };
  const spelt = stdin.replaceAll(/[\\$`]/g, '\\$&').replaceAll(startOfRun, '$started');
  return { input: ` <<${end}`, text: `${spelt}${end}`.split('\n') };
}

/** A word that ends the text and is none of its lines. */
function terminator(text: string): string {
  const lines = new Set(text.split('\n'));
  let word = 'end';
  while (lines.has(word)) word += '-end';
  return word;
}

function archive({ volume, tool, source, expectedBytes }: PlannedArchive): string[] {
  // As they come: what compresses and encrypts them is not on the node.
  const adapter = tool === 'tar' ? tar : dd;
  const file = `${volume}${adapter.extension}`;
  const { lines, status } = spelled(source, undefined, ` >${quote(`${file}.partial`)}`);
  const list = adapter.list();
  return [
    'if [ -z "$bad" ]; then',
    ...indented(lines),
    `  archived ${status} ${quote(file)} ${quote(expectedBytes === null ? '' : String(expectedBytes))}`,
    ...(list === null
      ? []
      : [`  [ -n "$bad" ] || ${renderCommand(list)} <${quote(file)} >${quote(`${file}.list`)} || bad=1`]),
    'fi',
  ];
}

/** Stops and says what takes back what was begun; the lock stays, so that no other run begins before. */
function giveUp(plan: RunPlan, undo: readonly string[]): string[] {
  const lines = [
    `run ${plan.run} stops here. What takes it back, as far as what a line names is there:`,
    ...undo.map((line) => `    ${line}`),
    `Then remove what is in ${plan.notes}, or have splitmirror do all of it: splitmirror recover ${plan.group} --break-lock`,
  ];
  return [...lines.map((line) => `say ${quote(line)} >&2`), 'exit 1'];
}

/** The steps between which everything has to be split: from the first freeze to the first thaw. */
function frozenSteps({ steps: all }: Script): Frozen | undefined {
  const isQuiesce = (id: string) => /^(?:note|suspend:\d+)$/.test(id);
  const debts = new Set(all.flatMap(({ pays = [] }) => pays).filter((id) => !isQuiesce(id)));
  const from = all.find(({ id }) => debts.has(id));
  const to = all.find(({ pays = [] }) => pays.some((id) => debts.has(id)));
  return from === undefined || to === undefined ? undefined : { from: from.id, to: to.id };
}

function freezeCheck(seconds: number): string[] {
  if (seconds === 0) return [];
  return [
    '',
    '# The kernel ends a freeze by itself: what was split after that is no picture of one instant.',
    `if [ -n "$frozen_from" ] && [ "$((frozen_to - frozen_from + 1))" -ge ${seconds} ]; then`,
    `say ${quote('the freeze may have ended before the last split: these copies are no backup')} >&2`,
    'bad=1',
    'fi',
  ];
}

function programsOf(plan: RunPlan): ReadonlySet<string> {
  const { split, expose, withdraw, merge } = plan.mirror;
  const { lock, unlock } = lockPhasesOf(plan);
  const sources = [
    ...[lock, split, expose, withdraw, merge, unlock].flatMap(({ script }) => script.steps.map(({ run }) => run)),
    ...plan.archives.map(({ source }) => source),
  ];
  return new Set([...sources.flatMap(members).map(({ argv }) => argv[0]), 'cksum', 'date', 'sed', 'wc']);
}

/** Stands in the lock for the time at which the run-book is run, which its shell puts there. */
const startOfRun = '@startOfRun@';

/** A run-book is written once: its lock is known beforehand, but for the time. */
function lockPhasesOf(plan: RunPlan): ReturnType<typeof lockPhases> {
  return lockPhases(plan, { token: digestOf(plan).slice(0, 32), since: startOfRun });
}
