import { exitCodes } from './exit-codes.ts';

/**
 * Watches whether what is printed can be written. Whoever read it may be gone, as behind `| head`: no error. A full disk is
 * one, since a script would take half an output for all of it; the work itself goes on to its end.
 *
 * @returns a function that gives the exit code in the end: where the command has one of its own, that tells more.
 */
export function watchOutput({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): (code: number) => number {
  let lost: Error | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error;
  });
  stderr.on('error', () => {});
  return (code) => {
    if (lost === undefined) return code;
    stderr.write(`what was to be printed could not be written: ${lost.message}\n`);
    return code === exitCodes.OK.code ? exitCodes.OUTPUT_LOST.code : code;
  };
}
