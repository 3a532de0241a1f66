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
 * What an interrupt does: `in-order` asks the command for its way back first; `at-once` ends the process, for a command that
 * has nothing to take back.
 */
export type Interrupt = 'in-order' | 'at-once';

/** Opens what a command needs, runs it, and closes everything again. Resolves to the exit code. */
export async function inSession(
  options: CommonOptions,
  work: (session: Session) => Promise<number>,
  interrupt: Interrupt = 'in-order',
): Promise<number> {
  const config = await readConfig(options.config);
  const reporter = createReporter(styleOf(options), process.stdout);
  const { signal, stop, release } = interrupt === 'in-order' ? listenForInterrupts(reporter) : neverInterrupted();
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
  const { signal, release } = listenForInterrupts(reporter);
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

function neverInterrupted(): ReturnType<typeof listenForInterrupts> {
  const { signal } = new AbortController();
  return { signal, stop: signal, release() {} };
}

/** First signal: go back in order. Second: stop at once. Third: end, whoever still waits for what. */
export function listenForInterrupts(reporter: Reporter): { signal: AbortSignal; stop: AbortSignal; release(): void } {
  const orderly = new AbortController();
  const atOnce = new AbortController();
  const onSignal = () => {
    if (atOnce.signal.aborted) process.exit(exitCodes.RUN_NEEDS_RECOVERY.code);
    if (orderly.signal.aborted) atOnce.abort();
    else {
      orderly.abort();
      reporter.alert('  interrupted: going back in order; once more to stop at once (then run recover)');
    }
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: orderly.signal,
    stop: atOnce.signal,
    release() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
