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

/**
 * What comes of the work, unless the signal aborts first: then its reason, at once. The work itself goes on.
 *
 * @throws the signal's reason.
 */
export async function orAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
