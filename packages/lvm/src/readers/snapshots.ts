import { type Command, changes, linesOf, ParseError, reads } from '@splitmirror/host';

/** Snapshots of one file system, as `snapshot -q` lists them. */
export interface SnapshotList {
  readonly mountPoint: string;
  /** `internal`: within the file system; `external`: each on a volume of its own. `null` where there is none. */
  readonly kind: 'internal' | 'external' | null;
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[];
}

/** A point in time of a JFS2 file system. */
interface Snapshot {
  /** Name of an internal one, device of an external one. */
  readonly name: string;
  /** Free 512-byte blocks for what is saved; `null` for an internal one, and for one that has run out of room. */
  readonly freeBlocks: number | null;
}

/** How a snapshot is named to AIX: an external one by its device, an internal one within its file system. */
export type SnapshotAddress = { readonly device: string } | { readonly name: string };

const none = /^(\S+) has no snapshots\.?$/;
const title = /^Snapshots for (\S+)$/;
const externalHeading = /^Current\s+Location\s+512-blocks\s+Free\s+Time$/;
const internalHeading = /^Current\s+Name\s+Time$/;
const externalRow = /^\*?\s+(\/dev\/\S+)\s+\d+\s+(\d+|-)\s+\S.*$/;
const internalRow = /^\*?\s+(\S+)\s+[A-Z][a-z]{2} .*$/;

/** `snapshot -q` of one file system. */
export function listSnapshots(mountPoint: string): Command {
  return reads('snapshot', '-q', mountPoint);
}

/**
 * Reads what `snapshot -q` prints, of one file system or of several after each other. The layout is remembered, not
 * seen: whoever gets a ParseError knows nothing of the snapshots.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseSnapshots(text: string): SnapshotList[] {
  const found: { mountPoint: string; kind: SnapshotList['kind']; snapshots: Snapshot[] }[] = [];
  for (const at of linesOf(text)) {
    const open = found.at(-1);
    const empty = none.exec(at.text)?.[1];
    const next = title.exec(at.text)?.[1];
    const external = externalRow.exec(at.text);
    const internal = internalRow.exec(at.text);
    if (empty !== undefined) found.push({ mountPoint: empty, kind: null, snapshots: [] });
    else if (next !== undefined) found.push({ mountPoint: next, kind: null, snapshots: [] });
    else if (open !== undefined && open.kind === null && externalHeading.test(at.text)) open.kind = 'external';
    else if (open !== undefined && open.kind === null && internalHeading.test(at.text)) open.kind = 'internal';
    else if (open?.kind === 'external' && external?.[1] !== undefined) {
      open.snapshots.push({ name: external[1], freeBlocks: external[2] === '-' ? null : Number(external[2]) });
    } else if (open?.kind === 'internal' && internal?.[1] !== undefined) {
      open.snapshots.push({ name: internal[1], freeBlocks: null });
    } else throw new ParseError('snapshot -q', 'not a snapshot', at);
  }
  return found;
}

/** Takes a snapshot of a mounted file system: on this device, or within the file system under this name. */
export function takeSnapshot(mountPoint: string, place: SnapshotAddress): Command {
  const from = `snapfrom=${mountPoint}`;
  return 'device' in place
    ? changes('snapshot', '-o', from, place.device)
    : changes('snapshot', '-o', from, '-n', place.name);
}

/** Removes a snapshot, **and all earlier ones** of its file system; of an external one the volume too. */
export function dropSnapshot(mountPoint: string, place: SnapshotAddress): Command {
  return 'device' in place
    ? changes('snapshot', '-d', place.device)
    : changes('snapshot', '-d', '-n', place.name, mountPoint);
}

/** Name of a listed snapshot as its maker gave it: of an external one that of its volume. */
export function nameOf(listed: string): string {
  return listed.replace(/^\/dev\//, '');
}
