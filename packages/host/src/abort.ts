/**
 * Work that only looks. Once the signal has aborted, its reason is all there is to tell: a question that was cut off reads
 * like a node that failed, and what follows from such an answer is about nothing.
 *
 * @throws the signal's reason when it has aborted, whatever came of the work.
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    signal?.throwIfAborted();
  }
}
