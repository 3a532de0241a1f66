import type { BackupEvent } from '@splitmirror/backup';
import type { Directions } from './command-line.ts';
import type { EndedError } from './ended-error.ts';
import { exitCodeOfError } from './exit-codes.ts';
import { tellFailure } from './failure.ts';
import type { Reporter } from './reporter.ts';
import { underWay } from './under-way.ts';

/**
 * What an interrupt does: `in-order` asks the command to end what it has begun, first; `looking` lets it end what it asked of
 * the nodes, briefly, since nothing is to be taken back; `at-once` ends the process, for a command that is on no node.
 */
export type Interrupt = 'in-order' | 'looking' | 'at-once';

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
  /** The last word is told: from now on one ends the process at once, with this exit code. */
  conclude(code: number): void;
  /** Hears no more of them. */
  release(): void;
}

/** How it is told what became of a command that was ended. */
export interface Ending {
  readonly reporter: Reporter;
  readonly directions: Directions;
  readonly json: boolean;
}

/** Signals that ask the process to end. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long the nodes may take to confirm that what was asked there has ended. */
const graceMs = 3_000;

/** Listens for them until it is released, or ends the process. */
export function listenForInterrupts(interrupt: Interrupt, { reporter, directions, json }: Ending): Interrupts {
  const orderly = new AbortController();
  const atOnce = new AbortController();
  const under = underWay(directions);
  let grace: NodeJS.Timeout | undefined;
  let ended: EndedError | undefined;
  let concluded: number | undefined;
  const release = () => {
    clearTimeout(grace);
    for (const name of endingSignals) process.off(name, call);
  };
  const leave = () => {
    // No process ends before a store that does not answer lets its threads go: the next signal must be able to end it.
    release();
    const error = under.endedNow() ?? ended ?? new DOMException('interrupted', 'AbortError');
    reporter.close();
    tellFailure(error, directions, { json });
    process.exit(exitCodeOfError(error));
  };
  const first = () => {
    if (interrupt === 'at-once') leave();
    orderly.abort();
    if (interrupt === 'looking') grace = setTimeout(leave, graceMs).unref();
    else reporter.alert(`  interrupted: ${under.wayOn()}`);
  };
  const call = () => {
    // What has its result must not be told as the end of a signal: a link that is dead is closed for a while.
    if (concluded !== undefined) process.exit(concluded);
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
    conclude(code) {
      clearTimeout(grace);
      concluded = code;
    },
    release,
  };
}
