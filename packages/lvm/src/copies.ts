import { type Command, changes } from '@splitmirror/host';

/**
 * Moves one copy of a volume into a volume of its own. `-f`: without it the command asks when the volume is open.
 *
 * @param keep Copies that stay, not those that go.
 * @param disks All disks of the copy that goes: without them LVM chooses.
 * @see https://www.ibm.com/docs/en/aix/7.3.0?topic=s-splitlvcopy-command
 */
export function splitCopy(volume: string, copy: string, keep: number, disks: readonly string[]): Command {
  return changes('splitlvcopy', '-f', '-y', copy, volume, String(keep), ...disks);
}

/**
 * Gives a volume more copies; they are stale until synchronised.
 *
 * @param total Copies that it has then, not those that are added.
 * @param pool Mirror pool of the last one, where the copies are bound to pools.
 */
export function addCopies(volume: string, total: number, disks: readonly string[], pool: string | null): Command {
  const bound = pool === null ? [] : ['-p', `copy${total}=${pool}`];
  return changes('mklvcopy', ...bound, volume, String(total), ...disks);
}

/** How a resync shares the disks with the application. */
export interface Resync {
  /** Logical partitions that are brought in step side by side, 1 to 32; default 4. Fewer spare the disks. */
  readonly parallelPartitions?: number | undefined;
}

/** Brings all copies of a volume in step. Never while a copy is split by `chlvcopy`, `chfs` or `splitvg`. */
export function synchronise(volume: string, { parallelPartitions = 4 }: Resync): Command {
  return changes('syncvg', '-P', String(parallelPartitions), '-l', volume);
}

/** Removes a closed volume. Its stanza in /etc/filesystems, if any, stays. */
export function removeVolume(volume: string): Command {
  return changes('rmlv', '-f', volume);
}

/** Gives a volume a label of its own. */
export function labelVolume(volume: string, label: string): Command {
  return changes('chlv', '-L', label, volume);
}
