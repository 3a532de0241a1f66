import { randomBytes, randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Surroundings } from './context.ts';

/** The real clock, real randomness and this very process. */
export function systemSurroundings(): Surroundings {
  const controller = { host: hostname(), pid: process.pid };
  return {
    now: () => new Date(),
    sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
    newRunId: () => pick(letters, 1) + pick(letters + digits, 5),
    newToken: () => randomBytes(16).toString('hex'),
    controller,
    isAlive(other) {
      if (other.host !== controller.host) return 'unknown';
      if (other.pid === controller.pid) return 'alive';
      try {
        process.kill(other.pid, 0);
        return 'alive';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'alive';
      }
    },
  };
}

const letters = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

function pick(alphabet: string, count: number): string {
  return Array.from({ length: count }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}
