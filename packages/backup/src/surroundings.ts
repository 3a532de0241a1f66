import { createHash, randomBytes, randomInt } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Surroundings } from './context.ts';
import { hasEnded } from './run/ended-holders.ts';

/** The real clock, real randomness and this very process. */
export function systemSurroundings(): Surroundings {
  const machine = machineOf();
  const controller = {
    ...{ host: hostname(), pid: process.pid, birth: birthOf(process.pid) },
    ...(machine === undefined ? {} : { machine }),
  };
  return {
    now: () => new Date(),
    sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
    newRunId: () => pick(letters, 1) + pick(letters + digits, 5),
    newToken: () => randomBytes(16).toString('hex'),
    controller,
    isAlive(other, token) {
      if (other.host !== controller.host) return 'unknown';
      // Two clones or containers may bear one name; the process ids of one say nothing of the other's.
      if (other.machine !== undefined && other.machine !== machine) return 'unknown';
      if (!exists(other.pid) || (token !== undefined && hasEnded(token))) return 'gone';
      const birth = birthOf(other.pid);
      return birth === null || other.birth === null || birth === other.birth ? 'alive' : 'gone';
    },
  };
}

/** Sleeps. A clock that rejects when it is aborted, as Node.js's own does, is as good as one that resolves. */
export async function pause({ sleep }: Surroundings, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** This machine and the space in which its process ids count, as a digest: the number of a machine is nobody's business. Linux only. */
function machineOf(): string | undefined {
  try {
    const id = readFileSync('/etc/machine-id', 'latin1').trim();
    return createHash('sha256')
      .update(`splitmirror ${id} ${readlinkSync('/proc/self/ns/pid')}`)
      .digest('hex')
      .slice(0, 16);
  } catch {
    return undefined;
  }
}

/** Start of a process in the system's own count; `dead` for one that has ended and was not collected yet. Linux only. */
function birthOf(pid: number): string | null {
  try {
    // The name in parentheses may hold anything; state and start time are the 1st and 20th word behind it.
    const words = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return words[0] === 'Z' || words[0] === 'X' ? 'dead' : (words[19] ?? null);
  } catch {
    return null;
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

function pick(alphabet: string, count: number): string {
  return Array.from({ length: count }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}
