import type { Holder } from './lock.ts';

/**
 * Tokens of the holders of this process that do no more under their locks, which may still lie on a node. Only what is known
 * to have ended stands here: a run in another thread, or of a second copy of this package, goes on counting as alive.
 */
const ended = new Set<string>();

/** Notes that a holder of this process does no more, however it has ended. */
export function noteEnd({ token }: Pick<Holder, 'token'>): void {
  ended.add(token);
}

/** Whether a lock is one that a run of this process has left: its process lives on, and it is as good as gone. */
export function hasEnded(token: string): boolean {
  return ended.has(token);
}
