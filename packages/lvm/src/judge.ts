import { members, ParseError, renderCommand, type ScriptOutcome, type Step } from '@splitmirror/host';
import { argvOf, type Court, commandsOf, findOutWhy, freezeOf, isDone, textOf } from './court.ts';
import { strategies } from './plan/strategies.ts';
import type { Failure } from './plan/strategy.ts';
import type { Phase, PhaseOutcome, Problem } from './port.ts';
import { readCheck } from './readers/fsck.ts';
import { parseMounts } from './readers/mounts.ts';

/**
 * Tells from what a node answered whether a phase did what it says. Pure. What a phase was meant to do is read from its
 * own commands, so that nothing but the script and its answers decides.
 */
export function judge(phase: Phase, transcript: ScriptOutcome): PhaseOutcome {
  if (transcript.kind === 'unknown') return { kind: 'unknown', reason: transcript.reason, transcript };
  const lost = transcript.steps.find(({ kind }) => kind === 'unfinished');
  if (lost !== undefined && transcript.kind === 'completed') {
    return { kind: 'unknown', reason: `nothing was heard of the end of ${lost.id}`, transcript };
  }
  const problems: Problem[] = [];
  const facts: Record<string, string> = {};
  const court: Court = {
    phase,
    results: new Map(transcript.steps.map((step) => [step.id, step])),
    facts,
    refuse(code, message, seen, remedy) {
      problems.push({ code, node: phase.node, message, seen, remedy });
    },
  };
  if (transcript.kind === 'cancelled') {
    court.refuse('CANCELLED', `${phase.name} was cancelled`, '', 'What was frozen or suspended has been let go.');
  }
  judgeSteps(court);
  judgeFreeze(court);
  // What a failed script left half done is not judged further: its own failure tells more.
  if (problems.length === 0) {
    try {
      for (const prove of new Set(strategies.flatMap(({ proofs }) => proofs))) prove(court);
      judgeFileSystems(court);
      judgeMounts(court);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      court.refuse('PROOF_UNREADABLE', `${phase.name} cannot be proved`, error.message, error.remedy);
    }
  }
  return problems.length > 0 ? { kind: 'failed', problems, transcript } : { kind: 'done', facts, transcript };
}

/** What a failure of this program means for the run. */
function failureOf(program: string): Failure {
  const known = strategies.find(({ failures }) => failures[program] !== undefined);
  return (
    known?.failures[program] ?? [
      'STEP_FAILED',
      'The message is the one of the command: mend its cause before the next split.',
    ]
  );
}

function judgeSteps({ phase, results, refuse }: Court): void {
  let noted = 0;
  for (const step of phase.script.steps) {
    const result = results.get(step.id);
    if (step.onFailure === 'continue' || result === undefined || result.kind === 'skipped') continue;
    if (result.kind === 'ended' && result.exitCode === 0) continue;
    noted++;
    const [command] = members(step.run);
    const typed = renderCommand(step.run);
    const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 600);
    if (result.kind === 'ended') {
      const freeze = freezeOf(step);
      const [code, remedy] =
        freeze === 'off'
          ? ['THAW_FAILED', 'The freeze may have ended before; the copy is discarded.']
          : freeze !== null
            ? ['FREEZE_FAILED', 'See whether another program holds the file system frozen.']
            : failureOf(command?.argv[0] ?? '');
      refuse(code, `"${typed}" ended with ${result.exitCode}`, said, remedy);
    } else {
      refuse(
        'STEP_TIMED_OUT',
        `"${typed}" did not end within ${step.timeoutSeconds} s`,
        said,
        'Look on the node for what it waits for: a lock, a hung disk.',
      );
    }
  }
  const skipped = phase.script.steps.find(({ id, onFailure }) => onFailure !== 'continue' && !isDone(results.get(id)));
  if (skipped !== undefined && noted === 0) {
    refuse('STEP_SKIPPED', `"${renderCommand(skipped.run)}" was not run`, skipped.id, findOutWhy);
  }
}

/** A copy is one point in time only if every split ended while every freeze surely held. */
function judgeFreeze({ phase, results, facts, refuse }: Court): void {
  const steps = phase.script.steps;
  const ends = clocks(steps.filter((step) => strategies.some(({ takes }) => takes(argvOf(step))))).map(
    ({ end }) => end,
  );
  const freezes = steps.filter((step) => (freezeOf(step) ?? 'off') !== 'off');
  const starts = clocks(freezes).map(({ start }) => start);
  const limit = Math.min(...freezes.map((step) => Number(freezeOf(step))));
  if (starts.length === 0 || ends.length === 0) return;
  // The node counts whole seconds: the interval may be longer by almost one than the difference.
  const longest = Math.max(...ends) - Math.min(...starts) + 1;
  // A clock that was set back meanwhile tells nothing.
  if (longest > limit || Math.min(...ends) < Math.max(...starts)) {
    refuse(
      'FREEZE_LAPSED',
      `the kernel may have ended the freeze of ${limit} s before the last copy was split`,
      `up to ${Math.ceil(longest)} s from the first freeze to the last split`,
      'The copy is no single point in time and is discarded. Allow a longer freeze.',
    );
  }
  const thaws = clocks(steps.filter((step) => freezeOf(step) === 'off')).map(({ end }) => end);
  if (thaws.length > 0) {
    facts.frozenSeconds = String(Math.min(limit, Math.ceil(Math.max(...thaws) - Math.min(...starts) + 1)));
  }

  function clocks(of: readonly Step[]): { start: number; end: number }[] {
    return of.flatMap(({ id }) => {
      const result = results.get(id);
      return result?.kind === 'ended' || result?.kind === 'timed-out' ? [result.clock] : [];
    });
  }
}

/** `fsck -n` says so in words; its status alone proves nothing. */
function judgeFileSystems({ phase, results, facts, refuse }: Court): void {
  for (const step of phase.script.steps) {
    const argv = argvOf(step);
    const device = argv.at(-1);
    if (argv[0] !== 'fsck' || device === undefined || !argv.includes('-n')) continue;
    const said = textOf(results.get(step.id));
    const { clean, dirty, fatal } = readCheck(said);
    if (!clean || dirty || fatal !== null) {
      refuse('COPY_NOT_CLEAN', `fsck does not call ${device} clean`, said.trim().slice(-600), failureOf('fsck')[1]);
    } else {
      facts[`fsck of ${device}`] = 'clean';
    }
  }
}

/** What `mount -v VFS -o ro DEVICE PATH` did is told by the mount table alone. */
function judgeMounts(court: Court): void {
  const { results, facts, refuse } = court;
  const wanted = commandsOf(court, 'mount').flatMap(([, , vfs, , options, device, mountPoint]) =>
    device !== undefined && mountPoint !== undefined ? [{ vfs, options, device, mountPoint }] : [],
  );
  if (wanted.length === 0) return;
  const mounts = parseMounts(textOf(results.get('mounts')));
  for (const { vfs, options, device, mountPoint } of wanted) {
    const there = mounts.filter((mount) => mount.mountPoint === mountPoint);
    const [mount] = there;
    const seen =
      there.map((row) => `${row.device} ${row.vfs} ${row.options.join(',')}`).join('; ') || 'nothing mounted';
    if (
      mount === undefined ||
      there.length > 1 ||
      mount.device !== device ||
      mount.node !== null ||
      mount.vfs !== vfs
    ) {
      refuse('MOUNT_NOT_PROVED', `what is mounted on ${mountPoint} is not ${device}`, seen, findOutWhy);
      // A snapshot cannot be written, whatever the table says of it.
    } else if (!mount.readOnly && options !== 'snapshot') {
      refuse('MOUNT_NOT_PROVED', `${device} is mounted for writing`, seen, findOutWhy);
    } else {
      facts[`device of ${mountPoint}`] = device;
    }
  }
}
