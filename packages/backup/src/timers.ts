/** Most milliseconds that one timer of Node.js counts: what is longer goes off at once. */
export const longestTimerMs = 2 ** 31 - 1;
/** The same in whole seconds. */
export const longestTimerSeconds = Math.floor(longestTimerMs / 1000);
