import type { Problem } from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import { CommanderError } from 'commander';
import { problemText } from './commands/problems.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { buildProgram } from './tree.ts';

/**
 * Runs the command line.
 *
 * @param words Arguments without program and script.
 * @returns the exit code, one of {@link exitCodes}.
 */
export async function main(words: readonly string[]): Promise<number> {
  let code: number = exitCodes.OK.code;
  const program = buildProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.OK.code;
    if (error instanceof CommanderError) {
      const message = error.message.replace(/^error: /, '');
      if (words.includes('--json')) printError({ code: 'USAGE', message, problems: [] });
      return exitCodes.USAGE.code;
    }
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('interrupted before anything was changed\n');
      return exitCodes.INTERRUPTED.code;
    }
    for (const line of errorText(error)) process.stderr.write(`${line}\n`);
    if (words.includes('--json')) printError(toldOf(error));
    return exitCodeOfError(error);
  }
}

function errorText(error: unknown): string[] {
  if (!SplitmirrorError.is(error)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const { code, message, remedy, problems = [] } = toldOf(error);
  // A remedy that a problem below has, too, is told there.
  const isRepeated = problems.some((problem) => problem.remedy === remedy);
  return [
    `${code}: ${message}`,
    ...(remedy === undefined || isRepeated ? [] : [`  ${remedy}`]),
    ...problems.flatMap(problemText),
  ];
}

/** What a line of type `error` tells. */
interface Told {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly problems?: readonly Problem[];
}

function toldOf(error: unknown): Told {
  if (!SplitmirrorError.is(error)) return { code: 'UNEXPECTED', message: String(error) };
  const { code, message, remedy } = error;
  return { code, message, remedy, problems: 'problems' in error ? (error.problems as readonly Problem[]) : [] };
}

function printError(told: Told): void {
  const line = { splitmirror: 1, at: new Date().toISOString(), type: 'error', ...told };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
