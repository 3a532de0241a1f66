/**
 * What a source hands out until the signal aborts. After that the source is asked to stop, and not waited for: it may be
 * hanging in the very piece that nobody wants any more.
 *
 * @throws the signal's reason, even when the next piece never comes.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const pieces = source[Symbol.asyncIterator]();
  let abort = () => {};
  const heard = () => abort();
  signal.addEventListener('abort', heard);
  let isOver = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      // A promise for each piece: one for all would keep something of each until the end.
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        abort = () => reject(signal.reason);
        pieces.next().then(resolve, (error) => {
          isOver = true;
          reject(error);
        });
      });
      isOver = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', heard);
    const stopped = isOver ? undefined : pieces.return?.();
    if (signal.aborted) stopped?.catch(() => {});
    else await stopped;
  }
}
