import { orAborted } from '@splitmirror/host';

/**
 * What comes of work with a file of this machine, which may take for ever: a pipe that nobody fills, a file system whose
 * server is gone.
 */
export async function inTime<T>(seconds: number, work: Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(seconds * 1000);
  try {
    return await orAborted(late, work);
  } catch (error) {
    if (error !== late.reason) throw error;
    throw new Error(`nothing came of it within ${seconds} seconds`);
  }
}
