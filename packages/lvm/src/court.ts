import { members, type Step, type StepResult } from '@splitmirror/host';
import type { Phase } from './port.ts';
import { type LogicalVolume, parseLogicalVolume } from './readers/volumes.ts';

/** A phase, what its steps answered, and what is found. */
export interface Court {
  readonly phase: Phase;
  readonly results: ReadonlyMap<string, StepResult>;
  /** What was proved, by name. */
  readonly facts: Record<string, string>;
  refuse(code: string, message: string, seen: string, remedy: string): void;
}

/** What to do where a command said that it was done and the storage does not show it; what it did is taken back all the same. */
export const findOutWhy = 'Find out why on the node, before the next split.';

/** The volume that a step of `lslv` describes; `null` when the step is none or was not run. */
export function volumeAt({ phase, results }: Court, id: string): LogicalVolume | null {
  const step = phase.script.steps.find((candidate) => candidate.id === id);
  const result = results.get(id);
  if (step === undefined || argvOf(step).length !== 2 || programOf(step) !== 'lslv' || !isDone(result)) return null;
  return parseLogicalVolume(textOf(result));
}

/** A volume whose copy was given back while it was one of its copies all the time has all of them again. */
export function proveJoined(court: Court, volume: string): boolean {
  const merged = volumeAt(court, `check:${volume}`);
  const total = (merged?.copies ?? 0) * (merged?.logicalPartitions ?? 0);
  if (merged !== null && merged.physicalPartitions === total) {
    court.facts[`stale partitions of ${volume}`] = String(merged.stalePartitions);
    return true;
  }
  const seen = `COPIES ${merged?.copies ?? 'unknown'}, PPs ${merged?.physicalPartitions ?? 'unknown'}`;
  court.refuse('MERGE_NOT_PROVED', `${volume} has not all its copies again`, seen, findOutWhy);
  return false;
}

/** Words of every command of a phase that runs this program. */
export function commandsOf({ phase }: Court, program: string): (readonly string[])[] {
  return phase.script.steps.filter((step) => programOf(step) === program).map(argvOf);
}

/** Words of a step's command; none for a pipeline. */
export function argvOf({ run }: Step): readonly string[] {
  return 'pipe' in run ? [] : run.argv;
}

function programOf({ run }: Step): string {
  return members(run)[0]?.argv[0] ?? '';
}

export function isDone(result: StepResult | undefined): boolean {
  return result?.kind === 'ended' && result.exitCode === 0;
}

export function textOf(result: StepResult | undefined): string {
  return result === undefined || result.kind === 'skipped' ? '' : result.stdout;
}

/** Seconds or `off` of a `chfs -a freeze=`; `null` for any other step. */
export function freezeOf(step: Step): string | null {
  const [program, , attribute] = argvOf(step);
  return program === 'chfs' ? (/^freeze=(\d+|off)$/.exec(attribute ?? '')?.[1] ?? null) : null;
}
