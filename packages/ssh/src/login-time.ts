import type { SshOptions } from './options.ts';

/** Seconds for connecting and logging in, all attempts together. */
export function connectSeconds(options: SshOptions): number {
  return options.connectSeconds ?? 20;
}

/** Milliseconds; all of them together fit into the time for connecting. */
const pauses = [200, 400, 800, 1600, 3200];

/**
 * How long to wait before a node that turned us away before any login (MaxStartups) is asked again, in milliseconds;
 * `Infinity` when it was asked often enough. Those who were turned away together must not come back together.
 *
 * @param attempt Attempts that failed before this one.
 */
export function loginPause(attempt: number): number {
  return (pauses[attempt] ?? Number.POSITIVE_INFINITY) * (1 + Math.random());
}
