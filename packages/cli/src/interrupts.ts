import { type BackupEvent, type RecoveryVerdict, type RunVerdict, type Trace, tracesText } from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import { commandLine } from './command-line.ts';
import { exitCodeOfError } from './exit-codes.ts';
import { tellFailure } from './failure.ts';
import type { Reporter } from './reporter.ts';

/**
 * What an interrupt does: `in-order` asks the command to end what it has begun, first; `looking` lets it end what it asked of
 * the nodes, briefly, since nothing is to be taken back; `at-once` ends the process, for a command that is on no node.
 */
export type Interrupt = 'in-order' | 'looking' | 'at-once';

/** A command was ended where it stood; the message says what it has left, the remedy what to do about it. */
export class EndedError extends SplitmirrorError {
  readonly code: 'INTERRUPTED' | 'RUN_NEEDS_RECOVERY' | 'RESTORE_UNSETTLED';

  constructor(code: EndedError['code'], message: string, options: { remedy: string; cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What a command hears of interrupts, and what it lets be known for them. */
export interface Interrupts {
  /** Aborts at the first. */
  readonly signal: AbortSignal;
  /** Aborts at the second, while a run or a recovery is under way. */
  readonly stop: AbortSignal;
  /** Hears from the events what of a run is on the nodes. */
  hear(event: BackupEvent, group?: string): void;
  /** Says as what the command would have ended if it were ended from now on. */
  mayLeave(error: EndedError): void;
  /** Hears no more of them. */
  release(): void;
}

/** How it is told what became of a command that was ended. */
export interface Ending {
  readonly reporter: Reporter;
  readonly json: boolean;
  /** Configuration of the command, where it is not the one that is taken by itself. */
  readonly config?: string | undefined;
}

/** Signals that ask the process to end. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long the nodes may take to confirm that what was asked there has ended. */
const graceMs = 3_000;

/** Listens for them until it is released, or ends the process. */
export function listenForInterrupts(interrupt: Interrupt, { reporter, json, config }: Ending): Interrupts {
  const orderly = new AbortController();
  const atOnce = new AbortController();
  const under = underWay(config);
  let grace: NodeJS.Timeout | undefined;
  let ended: EndedError | undefined;
  const release = () => {
    clearTimeout(grace);
    for (const name of endingSignals) process.off(name, call);
  };
  const leave = () => {
    // No process ends before a store that does not answer lets its threads go: the next signal must be able to end it.
    release();
    const error = under.endedNow() ?? ended ?? new DOMException('interrupted', 'AbortError');
    reporter.close();
    tellFailure(error, { json });
    process.exit(exitCodeOfError(error));
  };
  const first = () => {
    if (interrupt === 'at-once') leave();
    orderly.abort();
    if (interrupt === 'looking') grace = setTimeout(leave, graceMs).unref();
    else reporter.alert(`  interrupted: ${under.wayOn()}`);
  };
  const call = () => {
    if (!orderly.signal.aborted) return first();
    if (atOnce.signal.aborted || !under.isAny()) leave();
    atOnce.abort();
    for (const line of ['stopping where it stands', ...under.text()]) reporter.alert(`  ${line}`);
  };
  for (const name of endingSignals) process.on(name, call);
  return {
    signal: orderly.signal,
    stop: atOnce.signal,
    hear: under.hear,
    mayLeave: (error) => {
      ended = error;
    },
    release,
  };
}

interface Run {
  readonly group: string;
  readonly is: 'run' | 'recovery';
  readonly traces: readonly Trace[];
}

/** The runs and recoveries of this process, under way and over, as their events tell. */
function underWay(config: string | undefined) {
  const runs = new Map<string, Run>();
  const over = new Map<string, Run>();
  const command = (name: 'recover' | 'show', { group }: Run) => commandLine([name, group], config);
  const left = () => [...over.values(), ...runs.values()].filter(({ traces }) => traces.length > 0);
  return {
    isAny: () => runs.size > 0,
    hear(event: BackupEvent, group = '') {
      const run = runs.get(group);
      switch (event.type) {
        case 'run-start':
        case 'recovery-start': {
          const is = event.type === 'run-start' ? 'run' : 'recovery';
          runs.set(group, { group: event.group, is, traces: [] });
          return;
        }
        case 'step-start':
          if (run !== undefined) runs.set(group, { ...run, traces: event.traces });
          return;
        case 'run-end':
        case 'recovery-end':
          if (run !== undefined) over.set(run.group, isWhole(event.verdict) ? { ...run, traces: [] } : run);
          runs.delete(group);
          return;
        default:
          return;
      }
    },
    /** What the first interrupt leads to. */
    wayOn(): string {
      const kinds = [...runs.values()].map(({ is }) => is);
      if (kinds.length === 0) return 'ending what is under way; once more to end it where it stands';
      const way = kinds.includes('run') ? 'going back in order' : 'a recovery is the way back, and goes on to its end';
      return `${way}; once more to stop where it stands`;
    },
    text: (): string[] =>
      left().flatMap((run) => [
        `${run.group}: ${tracesText(run.traces)}`,
        `  what is left there is taken back with: ${command('recover', run)}`,
      ]),
    endedNow(): EndedError | undefined {
      const all = left();
      if (all.length > 0) {
        const what = all.map(({ group, traces }) => `${group}: ${tracesText(traces)}`).join('; ');
        return new EndedError('RUN_NEEDS_RECOVERY', `ended where it stood: ${what}`, {
          remedy: `Run: ${all.map((run) => command('recover', run)).join('; ')}`,
        });
      }
      if (over.size === 0) return undefined;
      const groups = [...over.keys()].join(', ');
      return new EndedError('INTERRUPTED', `ended after the run of ${groups}; not everybody may have been told of it`, {
        remedy: `See what it came to: ${[...over.values()].map((run) => command('show', run)).join('; ')}`,
      });
    },
  };
}

/** Whether nothing is left on the nodes of what has ended so. */
function isWhole(verdict: RunVerdict | RecoveryVerdict): boolean {
  const wayBack = 'recovery' in verdict ? verdict.recovery : verdict;
  return wayBack.kind !== 'stuck' && wayBack.kind !== 'busy';
}
