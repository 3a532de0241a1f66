import type { BackupContext } from '@splitmirror/backup';
import { type Directions, directionsWith } from './command-line.ts';
import { readConfig } from './config/read.ts';
import type { Config } from './config/schema.ts';
import { withContext } from './connect.ts';
import { type Interrupt, type Interrupts, listenForInterrupts } from './interrupts.ts';
import { createReporter, type Reporter, type ReportStyle } from './reporter.ts';

/** What a command gets that opens things by itself. */
export interface BareSession extends Directions, Pick<Interrupts, 'signal' | 'stop' | 'mayLeave'> {
  readonly reporter: Reporter;
}

/** What every other command gets. */
export interface Session extends BareSession {
  readonly config: Config;
  readonly context: BackupContext;
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
  work: (session: Omit<Session, 'context'>) => Promise<number>,
): Promise<number> {
  const config = await readConfig(options.config);
  return interruptible(options, 'looking', (given) => work({ ...given, config }));
}

/** Where a command tells what it does, and what it hears of interrupts, until it has ended. */
export async function interruptible<T>(
  { json, quiet, config }: Partial<CommonOptions>,
  interrupt: Interrupt,
  work: (session: BareSession & Pick<Interrupts, 'conclude'>) => Promise<T>,
): Promise<T> {
  const reporter = createReporter(styleOf(json, quiet), process.stdout);
  const directions = directionsWith(config);
  const { hear, ...interrupts } = listenForInterrupts(interrupt, { reporter, directions, json: json === true });
  try {
    return await work({
      ...interrupts,
      ...directions,
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
