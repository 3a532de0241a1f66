import { CommanderError } from 'commander';
import { directionsWith } from './command-line.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { printFailure, tellFailure } from './failure.ts';
import { buildProgram } from './tree.ts';

/**
 * Runs the command line.
 *
 * @param words Arguments without program and script.
 * @returns the exit code, one of {@link exitCodes}.
 */
export async function main(words: readonly string[]): Promise<number> {
  let code: number = exitCodes.OK.code;
  const json = words.includes('--json');
  let config: string | undefined;
  const program = buildProgram((result) => {
    code = result;
  }).hook('preAction', (_, called) => {
    ({ config } = called.opts<{ config?: string }>());
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.OK.code;
    if (error instanceof CommanderError) {
      const message = error.message.replace(/^error: /, '');
      if (json) printFailure({ code: 'USAGE', message, problems: [] });
      return exitCodes.USAGE.code;
    }
    tellFailure(error, directionsWith(config), { json });
    return exitCodeOfError(error);
  }
}
