import { members, ParseError, renderCommand, type ScriptOutcome, type Step, type StepResult } from '@splitmirror/host';
import { readCheck } from './fsck.ts';
import { readCopyName, readOurPath } from './marks.ts';
import { parseMounts } from './mounts.ts';
import type { Phase, PhaseOutcome, Problem } from './port.ts';
import { type LogicalVolume, parseLogicalVolume } from './volumes.ts';

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
    court.refuse(
      'CANCELLED',
      `${phase.name} was cancelled`,
      '',
      'Recover: what was frozen or suspended has been let go.',
    );
  }
  judgeSteps(court);
  judgeFreeze(court);
  // What a failed script left half done is not judged further: its own failure tells more.
  if (problems.length === 0) {
    try {
      judgeCopies(court);
      judgeFileSystems(court);
      judgeMounts(court);
      judgeMerge(court);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      court.refuse('PROOF_UNREADABLE', `${phase.name} cannot be proved`, error.message, error.remedy);
    }
  }
  return problems.length > 0 ? { kind: 'failed', problems, transcript } : { kind: 'done', facts, transcript };
}

interface Court {
  readonly phase: Phase;
  readonly results: ReadonlyMap<string, StepResult>;
  readonly facts: Record<string, string>;
  refuse(code: string, message: string, seen: string, remedy: string): void;
}

/** What a failure of this program means for the run. */
const failures: Readonly<Record<string, readonly [code: string, remedy: string]>> = {
  splitlvcopy: ['SPLIT_FAILED', 'Recover; the message tells why LVM refused.'],
  umount: ['UNMOUNT_FAILED', 'See with "fuser -cu" who still reads the copy, end it, and recover.'],
  mount: ['MOUNT_FAILED', 'Recover; a dirty superblock or a missing log is told by the message.'],
  fsck: ['COPY_NOT_CLEAN', 'Recover: the copy is no clean file system, whatever the reason. Then try again.'],
  mklvcopy: ['MERGE_FAILED', 'Look at the free partitions of the disks, then recover.'],
  rmlv: ['REMOVE_FAILED', 'See what holds the copy open, then recover.'],
  syncvg: ['SYNCHRONISE_FAILED', 'Look at the disks with "lsvg -p", then recover.'],
};

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
          ? ['THAW_FAILED', 'The freeze may have ended before; the copy is discarded. Recover.']
          : freeze !== null
            ? ['FREEZE_FAILED', 'See whether another program holds the file system frozen.']
            : (failures[command?.argv[0] ?? ''] ?? ['STEP_FAILED', 'Recover; the message is the one of the command.']);
      refuse(code, `"${typed}" ended with ${result.exitCode}`, said, remedy);
    } else {
      refuse(
        'STEP_TIMED_OUT',
        `"${typed}" did not end within ${step.timeoutSeconds} s`,
        said,
        'Recover, and look for a lock.',
      );
    }
  }
  const skipped = phase.script.steps.find(({ id, onFailure }) => onFailure !== 'continue' && !isDone(results.get(id)));
  if (skipped !== undefined && noted === 0) {
    refuse('STEP_SKIPPED', `"${renderCommand(skipped.run)}" was not run`, skipped.id, 'Recover.');
  }
}

/** A copy is one point in time only if every split ended while every freeze surely held. */
function judgeFreeze({ phase, results, facts, refuse }: Court): void {
  const steps = phase.script.steps;
  const ends = clocks(steps.filter(({ run }) => programOf(run) === 'splitlvcopy')).map(({ end }) => end);
  const freezes = steps.filter((step) => (freezeOf(step) ?? 'off') !== 'off');
  const starts = clocks(freezes).map(({ start }) => start);
  const limit = Math.min(...freezes.map((step) => Number(freezeOf(step))));
  if (starts.length === 0 || ends.length === 0) return;
  // The node counts whole seconds: the interval may be longer by almost one than the difference.
  const longest = Math.max(...ends) - Math.min(...starts) + 1;
  if (longest > limit) {
    refuse(
      'FREEZE_LAPSED',
      `the kernel may have ended the freeze of ${limit} s before the last copy was split`,
      `up to ${Math.ceil(longest)} s from the first freeze to the last split`,
      'The copy is no single point in time and is discarded. Recover, then allow a longer freeze.',
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

/** Every copy of this phase is a volume of its own, whole, and bears our label. */
function judgeCopies(court: Court): void {
  const { phase, facts, refuse } = court;
  for (const { id } of phase.script.steps) {
    const copy = volumeAt(court, id);
    const path = copy?.label ? readOurPath(copy.label) : null;
    if (copy === null || path?.kind !== 'copy') {
      if (readCopyName(id.replace(/^check:/, '')) !== null)
        refuse('COPY_NOT_PROVED', `${id} shows no label of ours`, copy?.label ?? 'None', 'Recover.');
      continue;
    }
    const original = volumeAt(court, `check:${path.volume}`);
    if (original === null || original.identifier === null || original.identifier === copy.identifier) {
      refuse(
        'COPY_NOT_PROVED',
        `${copy.name} is not another volume than ${path.volume}`,
        copy.identifier ?? '?',
        'Recover.',
      );
    } else if (
      copy.logicalPartitions !== original.logicalPartitions ||
      copy.physicalPartitions !== copy.logicalPartitions
    ) {
      const seen = `LPs ${copy.logicalPartitions}, PPs ${copy.physicalPartitions} of ${original.logicalPartitions}`;
      refuse('COPY_INCOMPLETE', `${copy.name} is no whole copy of ${path.volume}`, seen, 'Recover.');
    } else if (copy.stalePartitions !== 0) {
      refuse('COPY_STALE', `${copy.name} has stale partitions`, `STALE PPs ${copy.stalePartitions}`, 'Recover.');
    } else {
      facts[`identifier of ${original.name}`] = original.identifier;
      facts[`identifier of ${copy.name}`] = copy.identifier ?? '';
    }
  }
  for (const { run } of phase.script.steps) {
    const [, , , , volume, keep] = argvOf(run, 'splitlvcopy');
    if (volume === undefined) continue;
    const seen = volumeAt(court, `check:${volume}`)?.copies ?? null;
    if (seen !== Number(keep)) {
      refuse(
        'SPLIT_NOT_PROVED',
        `${volume} has not the ${keep} copies that were to stay`,
        `COPIES ${seen}`,
        'Recover.',
      );
    }
  }
}

/** `fsck -n` says so in words; its status alone proves nothing. */
function judgeFileSystems({ phase, results, facts, refuse }: Court): void {
  for (const { id, run } of phase.script.steps) {
    const argv = argvOf(run, 'fsck');
    const device = argv.at(-1);
    if (device === undefined || !argv.includes('-n')) continue;
    const said = textOf(results.get(id));
    const { clean, dirty, fatal } = readCheck(said);
    if (!clean || dirty || fatal !== null) {
      refuse('COPY_NOT_CLEAN', `fsck does not call ${device} clean`, said.trim().slice(-600), failures.fsck?.[1] ?? '');
    } else {
      facts[`fsck of ${device}`] = 'clean';
    }
  }
}

function judgeMounts({ phase, results, facts, refuse }: Court): void {
  const wanted = phase.script.steps.flatMap(({ run }) => {
    const [, , , , , device, mountPoint] = argvOf(run, 'mount');
    return device !== undefined && mountPoint !== undefined ? [{ device, mountPoint }] : [];
  });
  if (wanted.length === 0) return;
  const mounts = parseMounts(textOf(results.get('mounts')));
  for (const { device, mountPoint } of wanted) {
    const there = mounts.filter((mount) => mount.mountPoint === mountPoint);
    const [mount] = there;
    const seen =
      there.map((row) => `${row.device} ${row.vfs} ${row.options.join(',')}`).join('; ') || 'nothing mounted';
    if (
      mount === undefined ||
      there.length > 1 ||
      mount.device !== device ||
      mount.node !== null ||
      mount.vfs !== 'jfs2'
    ) {
      refuse('MOUNT_NOT_PROVED', `what is mounted on ${mountPoint} is not ${device}`, seen, 'Recover.');
    } else if (!mount.readOnly) {
      refuse('MOUNT_NOT_PROVED', `${device} is mounted for writing`, seen, 'Recover.');
    } else {
      facts[`device of ${mountPoint}`] = device;
    }
  }
}

function judgeMerge(court: Court): void {
  for (const { run } of court.phase.script.steps) {
    const words = argvOf(run, 'mklvcopy').slice(1);
    const [volume, total] = words[0] === '-p' ? words.slice(2) : words;
    if (volume === undefined) continue;
    const merged = volumeAt(court, `check:${volume}`);
    if (merged?.copies !== Number(total)) {
      const seen = `COPIES ${merged?.copies ?? 'unknown'}`;
      court.refuse('MERGE_NOT_PROVED', `${volume} has not its ${total} copies again`, seen, 'Recover.');
    } else {
      court.facts[`stale partitions of ${volume}`] = String(merged.stalePartitions);
    }
  }
}

/** The volume that a step of `lslv` describes; `null` when the step is none or was not run. */
function volumeAt({ phase, results }: Court, id: string): LogicalVolume | null {
  const step = phase.script.steps.find((candidate) => candidate.id === id);
  const result = results.get(id);
  if (step === undefined || programOf(step.run) !== 'lslv' || !isDone(result)) return null;
  return parseLogicalVolume(textOf(result));
}

function isDone(result: StepResult | undefined): boolean {
  return result?.kind === 'ended' && result.exitCode === 0;
}

function textOf(result: StepResult | undefined): string {
  return result === undefined || result.kind === 'skipped' ? '' : result.stdout;
}

function programOf(run: Step['run']): string {
  return members(run)[0]?.argv[0] ?? '';
}

function argvOf(run: Step['run'], program: string): readonly string[] {
  return 'pipe' in run || run.argv[0] !== program ? [] : run.argv;
}

/** Seconds or `off` of a `chfs -a freeze=`; `null` for any other step. */
function freezeOf({ run }: Step): string | null {
  const [, , attribute] = argvOf(run, 'chfs');
  return /^freeze=(\d+|off)$/.exec(attribute ?? '')?.[1] ?? null;
}
