import type { BackupContext } from '@splitmirror/backup';
import { commandLine } from './command-line.ts';
import { defaultConfig, readConfig } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { withContext } from './connect.ts';
import { type Interrupt, type Interrupts, listenForInterrupts } from './interrupts.ts';
import { createReporter, type Reporter, type ReportStyle } from './reporter.ts';

/** What every command gets. */
export interface Session extends Pick<Interrupts, 'signal' | 'stop' | 'mayLeave'> {
  readonly config: Config;
  readonly context: BackupContext;
  readonly reporter: Reporter;
  /** A command line that goes on from here, with the configuration of this one. */
  readonly commandLine: (...words: string[]) => string;
}

/** Options that every command knows. */
export interface CommonOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Opens what a command needs, runs it, and closes everything again. Resolves to the exit code. */
export async function inSession(
  options: CommonOptions,
  work: (session: Session) => Promise<number>,
  interrupt: Interrupt,
): Promise<number> {
  const config = await readConfig(options.config);
  return interruptible(options, interrupt, (given) =>
    withContext(config, { onEvent: given.reporter.event, warn: given.reporter.warn }, async (context) => {
      const code = await work({ config, context, ...given });
      given.conclude(code);
      return code;
    }),
  );
}

/** The same for a command that opens things by itself, because it tells what cannot be opened. */
export async function inReport(
  options: CommonOptions,
  work: (config: Config, reporter: Reporter, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const config = await readConfig(options.config);
  return interruptible(options, 'looking', ({ reporter, signal }) => work(config, reporter, signal));
}

/** Where a command tells what it does, and what it hears of interrupts, until it has ended. */
export async function interruptible<T>(
  { json, quiet, config }: Partial<CommonOptions>,
  interrupt: Interrupt,
  work: (given: Omit<Interrupts, 'hear'> & Pick<Session, 'reporter' | 'commandLine'>) => Promise<T>,
): Promise<T> {
  const reporter = createReporter(styleOf(json, quiet), process.stdout);
  const named = config === defaultConfig ? undefined : config;
  const { hear, ...interrupts } = listenForInterrupts(interrupt, { reporter, json: json === true, config: named });
  try {
    return await work({
      ...interrupts,
      commandLine: (...words) => commandLine(words, named),
      reporter: {
        ...reporter,
        event(event, group) {
          hear(event, group);
          reporter.event(event, group);
        },
      },
    });
  } finally {
    interrupts.release();
    reporter.close();
  }
}

function styleOf(json: boolean | undefined, quiet: boolean | undefined): ReportStyle {
  if (json) return 'json';
  return quiet ? 'quiet' : 'text';
}
