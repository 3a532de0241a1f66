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

/** The same for an encrypted volume, from AIX 7.3 on. `-k`: the copy keeps the key server's method. */
export function splitEncryptedCopy(volume: string, copy: string, keep: number, disks: readonly string[]): Command {
  return changes('splitlvcopy', '-f', '-k', '-y', copy, volume, String(keep), ...disks);
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
  /**
   * Upper bound of the pace, as `syncvg -T` takes it, from AIX 7.2 on; its unit is that of the level's manual page.
   * A plan for an older level is refused, and a recovery there does without.
   */
  readonly rate?: number | undefined;
}

/** Flags of syncvg by which a resync spares the disks. */
export function paceOf({ parallelPartitions = 4, rate }: Resync): string[] {
  return ['-P', String(parallelPartitions), ...(rate === undefined ? [] : ['-T', String(rate)])];
}

/** Brings all copies of a volume in step. Never while a copy is split by `chlvcopy`, `chfs` or `splitvg`. */
export function synchronise(volume: string, resync: Resync): Command {
  return changes('syncvg', ...paceOf(resync), '-l', volume);
}

/** Removes a closed volume. Its stanza in /etc/filesystems, if any, stays. */
export function removeVolume(volume: string): Command {
  return changes('rmlv', '-f', volume);
}

/** Gives a volume a label of its own. */
export function labelVolume(volume: string, label: string): Command {
  return changes('chlv', '-L', label, volume);
}

/**
 * Takes copies away from a volume; their content is lost to LVM.
 *
 * @param keep Copies that stay, not those that go.
 * @param disks All disks of the copy that goes: without them LVM chooses, and may take the good one.
 */
export function removeCopies(volume: string, keep: number, disks: readonly string[]): Command {
  return changes('rmlvcopy', volume, String(keep), ...disks);
}

/** A new volume with one copy, on exactly the partitions of a map file. */
export function makeVolume(volume: {
  readonly name: string;
  readonly group: string;
  readonly type: string;
  readonly logicalPartitions: number;
  readonly mapFile: string;
  readonly label: string;
}): Command {
  const { name, group, type, logicalPartitions, mapFile, label } = volume;
  // Without -x a volume has at most 512 logical partitions.
  const most = logicalPartitions > 512 ? ['-x', String(logicalPartitions)] : [];
  return changes('mklv', '-y', name, '-t', type, '-L', label, '-m', mapFile, ...most, group, String(logicalPartitions));
}

/** Gives a volume one more copy on exactly the partitions of a map file, which lists the new copy only. */
export function addMappedCopy(volume: string, total: number, mapFile: string): Command {
  return changes('mklvcopy', '-m', mapFile, volume, String(total));
}

/**
 * Splits a copy off a volume while it stays a copy: a child volume reads it, LVM notes what changes meanwhile. `-P` and
 * `-l` make the mark outlive a crash.
 *
 * @param copy Number of the copy, from 1.
 * @see https://www.ibm.com/docs/en/aix/7.2?topic=c-chlvcopy-command
 */
export function splitOnline(volume: string, copy: number, child: string): Command {
  return changes('chlvcopy', '-b', '-c', String(copy), '-P', '-l', child, volume);
}

/** Takes the mark of {@link splitOnline} back, and its child volume. What changed meanwhile is stale until synchronised. */
export function joinOnline(volume: string): Command {
  return changes('chlvcopy', '-B', volume);
}

/** Removes a child volume and the mark of its split; LVM begins to bring the copies in step by itself. */
export function removeChild(child: string): Command {
  return changes('rmlv', '-B', '-f', child);
}
