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
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.USAGE.code;
    if (error instanceof Error && error.name === 'AbortError') {
      process.stderr.write('interrupted before anything was changed\n');
      return exitCodes.INTERRUPTED.code;
    }
    for (const line of errorText(error)) process.stderr.write(`${line}\n`);
    if (words.includes('--json')) process.stdout.write(`${JSON.stringify(errorResult(error))}\n`);
    return exitCodeOfError(error);
  }
}

function errorText(error: unknown): string[] {
  if (!SplitmirrorError.is(error)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const problems = 'problems' in error ? (error.problems as Parameters<typeof problemText>[0][]) : [];
  return [
    `${error.code}: ${error.message}`,
    ...(error.remedy === undefined ? [] : [`  ${error.remedy}`]),
    ...problems.flatMap(problemText),
  ];
}

function errorResult(error: unknown): Readonly<Record<string, unknown>> {
  const head = { splitmirror: 1, at: new Date().toISOString() };
  if (!SplitmirrorError.is(error)) return { ...head, type: 'error', code: 'UNEXPECTED', message: String(error) };
  const problems = 'problems' in error ? error.problems : [];
  return { ...head, type: 'error', code: error.code, message: error.message, remedy: error.remedy, problems };
}
