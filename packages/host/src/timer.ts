/** Most milliseconds that Node.js counts to in one timer. What is longer would go off at once. */
export const longestTimerMs = 2 ** 31 - 1;
/** The same in whole seconds. */
export const longestTimerSeconds = Math.floor(longestTimerMs / 1000);

/**
 * Acts after any time, however long.
 *
 * @returns What takes the timer back.
 */
export function startTimer(seconds: number, act: () => void): () => void {
  let leftMs = seconds * 1000;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const ms = Math.min(leftMs, longestTimerMs);
    leftMs -= ms;
    timer = setTimeout(leftMs > 0 ? wait : act, ms);
  };
  wait();
  return () => clearTimeout(timer);
}
