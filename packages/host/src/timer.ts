/** Most milliseconds that Node.js counts to in one timer. What is longer would go off at once. */
const longestMs = 2 ** 31 - 1;

/**
 * Acts after any time, however long.
 *
 * @returns What takes the timer back.
 */
export function startTimer(seconds: number, act: () => void): () => void {
  let leftMs = seconds * 1000;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const ms = Math.min(leftMs, longestMs);
    leftMs -= ms;
    timer = setTimeout(leftMs > 0 ? wait : act, ms);
  };
  wait();
  return () => clearTimeout(timer);
}
