import type { BackupContext } from '@splitmirror/backup';
import { readConfig } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { withContext } from './connect.ts';
import { exitCodes } from './exit-codes.ts';
import { createReporter, type Reporter, type ReportStyle } from './reporter.ts';

/** What every command gets. */
export interface Session {
  readonly config: Config;
  readonly context: BackupContext;
  readonly reporter: Reporter;
  /** Aborts at the first Ctrl-C: an orderly way back. */
  readonly signal: AbortSignal;
  /** Aborts at the second: stop where it stands. */
  readonly stop: AbortSignal;
}

/** Options that every command knows. */
export interface CommonOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * What an interrupt does: `in-order` asks the command for its way back first; `looking` lets it end what it started on the
 * nodes, briefly, since nothing is to be taken back; `at-once` ends the process, for a command that is on no node.
 */
export type Interrupt = 'in-order' | 'looking' | 'at-once';

/** Opens what a command needs, runs it, and closes everything again. Resolves to the exit code. */
export async function inSession(
  options: CommonOptions,
  work: (session: Session) => Promise<number>,
  interrupt: Interrupt,
): Promise<number> {
  const config = await readConfig(options.config);
  const reporter = createReporter(styleOf(options), process.stdout);
  const { signal, stop, release } = listening(interrupt, reporter);
  try {
    return await withContext(config, { onEvent: reporter.event, warn: reporter.warn }, (context) =>
      work({ config, context, reporter, signal, stop }),
    );
  } finally {
    release();
    reporter.close();
  }
}

/** The same for a command that opens things by itself, because it tells what cannot be opened. */
export async function inReport(
  options: CommonOptions,
  work: (config: Config, reporter: Reporter, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const config = await readConfig(options.config);
  const reporter = createReporter(styleOf(options), process.stdout);
  const { signal, release } = listening('looking', reporter);
  try {
    return await work(config, reporter, signal);
  } finally {
    release();
    reporter.close();
  }
}

function styleOf({ json, quiet }: Pick<CommonOptions, 'json' | 'quiet'>): ReportStyle {
  if (json) return 'json';
  return quiet ? 'quiet' : 'text';
}

/** What a command hears of interrupts, until it has ended. */
interface Interrupts {
  readonly signal: AbortSignal;
  readonly stop: AbortSignal;
  release(): void;
}

function listening(interrupt: Interrupt, reporter: Reporter): Interrupts {
  switch (interrupt) {
    case 'in-order':
      return listenForInterrupts(reporter);
    case 'looking':
      return endWhenInterrupted();
    case 'at-once': {
      const { signal } = new AbortController();
      return { signal, stop: signal, release() {} };
    }
  }
}

/** First signal: go back in order. Second: stop at once. Third: end, whoever still waits for what. */
export function listenForInterrupts(reporter: Reporter): Interrupts {
  const orderly = new AbortController();
  const atOnce = new AbortController();
  const release = onInterrupt(() => {
    if (atOnce.signal.aborted) process.exit(exitCodes.RUN_NEEDS_RECOVERY.code);
    if (orderly.signal.aborted) atOnce.abort();
    else {
      orderly.abort();
      reporter.alert('  interrupted: going back in order; once more to stop at once (then run recover)');
    }
  });
  return { signal: orderly.signal, stop: atOnce.signal, release };
}

/** How long the nodes may take to confirm that what was asked there has ended. */
const graceMs = 3_000;

/** First signal: end what was asked of the nodes, and then the process; a node that does not answer is not waited for. */
function endWhenInterrupted(): Interrupts {
  const ending = new AbortController();
  const exit = () => process.exit(exitCodes.INTERRUPTED.code);
  const release = onInterrupt(() => {
    if (ending.signal.aborted) exit();
    ending.abort();
    setTimeout(exit, graceMs).unref();
  });
  return { signal: ending.signal, stop: ending.signal, release };
}

/** Calls back at each signal that asks the process to end, until the returned function is called. */
function onInterrupt(call: () => void): () => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, call);
  return () => {
    for (const name of names) process.off(name, call);
  };
}
