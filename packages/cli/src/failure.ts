import type { Problem } from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import type { Directions } from './command-line.ts';
import { problemText } from './commands/problems.ts';
import { isAbort } from './exit-codes.ts';
import { terminalText } from './terminal-text.ts';

/** What a line of type `error` tells. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly problems?: readonly Problem[];
}

/** Tells what ended a command: on stderr for a person, and as the last line of stdout where JSON is asked for. */
export function tellFailure(error: unknown, directions: Directions, { json }: { readonly json: boolean }): void {
  for (const line of failureText(error, directions)) process.stderr.write(`${terminalText(line)}\n`);
  if (json) printFailure(failureOf(error));
}

/** The last line of a command that has no result. */
export function printFailure(failure: Failure): void {
  const line = { splitmirror: 1, at: new Date().toISOString(), type: 'error', ...failure };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function failureText(error: unknown, directions: Directions): string[] {
  if (!SplitmirrorError.is(error) && !isAbort(error)) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  const { code, message, remedy, problems = [] } = failureOf(error);
  // A remedy that a problem below has, too, is told there.
  const isRepeated = problems.some((problem) => problem.remedy === remedy);
  return [
    `${code}: ${message}`,
    ...(remedy === undefined || isRepeated ? [] : [`  ${directions.remedyText(remedy)}`]),
    ...problemText(problems, directions),
  ];
}

/** An error as a program reads it. */
export function failureOf(error: unknown): Failure {
  // Whatever has begun to change something tells an interrupt as an error of its own.
  if (isAbort(error)) {
    const message = 'interrupted before anything was changed';
    return { code: 'INTERRUPTED', message, remedy: 'Nothing has to be taken back.', problems: [] };
  }
  if (!SplitmirrorError.is(error)) {
    return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, remedy } = error;
  return { code, message, remedy, problems: 'problems' in error ? (error.problems as readonly Problem[]) : [] };
}
