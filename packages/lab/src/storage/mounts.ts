import { isUtf8 } from 'node:buffer';
import {
  type BigIntStats,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  commitEntries,
  type Entry,
  markState,
  type NewEntry,
  readContent,
  readSnapshot,
  readSuperblock,
  sha256,
} from './labfs.ts';
import type { Bytes } from './logical-volumes.ts';
import type { NodeState, Timers } from './machine.ts';
import type { LogicalVolume, VolumeGroup } from './volume-groups.ts';

/** A mounted file system. Its real directory is the node's page cache. */
export interface Mount {
  readonly group: VolumeGroup;
  readonly volume: LogicalVolume;
  /** What is read and written: the volume, or a snapshot of another one. */
  readonly bytes: Bytes;
  readonly mountPoint: string;
  readonly vfs: string;
  readonly readOnly: boolean;
  /** Options as `mount` prints them. */
  readonly options: string;
  readonly since: Date;
  /** A file system of rootvg: files of this machine without bytes of a disk. */
  readonly native: boolean;
  /** What was in the directory before, put aside. */
  readonly covered: string | undefined;
  /** What the volume holds since the last flush, by path. */
  readonly flushed: Map<string, { readonly signature: string; readonly entry: Entry }>;
  freeze: Freeze | undefined;
}

interface Freeze {
  readonly cancel: () => void;
  readonly waiting: (() => void)[];
}

/** One name of a tree and what it is, for comparing contents. */
export interface TruthEntry {
  /** Path below the mount point; one that is no text has a character for each byte. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly size: number;
  /** Of the content of a file; of the target of a symbolic link; empty for a directory. */
  readonly sha256: string;
}

/** Brings a tree of a volume into the real directory. */
export function materialise(node: NodeState, mount: Mount, entries: readonly Entry[]): void {
  const top = join(node.root, mount.mountPoint);
  placeTree(top, mount.bytes, entries);
  mount.flushed.clear();
  for (const entry of entries) {
    mount.flushed.set(entry.path, {
      signature: signatureOf(lstatSync(pathBelow(top, entry.path), { bigint: true })),
      entry,
    });
  }
  placeSnapshots(node, mount);
}

/** Where internal snapshots are read, below the mount point. On AIX no listing of the file system shows it. */
const snapshotDirectory = '.snapshot';

/** Brings the internal snapshots of a mounted file system, and no others, below its `.snapshot`. */
export function placeSnapshots(node: NodeState, mount: Mount): void {
  const top = join(node.root, mount.mountPoint, snapshotDirectory);
  rmSync(top, { recursive: true, force: true });
  for (const snapshot of readSuperblock(mount.bytes)?.snapshots ?? []) {
    placeTree(join(top, snapshot.name), mount.bytes, readSnapshot(mount.bytes, snapshot));
  }
}

function placeTree(top: string, bytes: Bytes, entries: readonly Entry[]): void {
  const directories: Entry[] = [];
  for (const entry of entries) {
    const path = pathBelow(top, entry.path);
    if (entry.kind === 'directory') {
      mkdirSync(path, { recursive: true });
      directories.push(entry);
    } else if (entry.kind === 'symlink') {
      symlinkSync(Buffer.from(entry.target, 'latin1'), path);
    } else if (entry.kind === 'link') {
      linkSync(pathBelow(top, entry.target), path);
    } else {
      writeFileSync(path, readContent(bytes, entry));
    }
    if (entry.kind !== 'link' && entry.kind !== 'directory') setAttributes(path, entry);
  }
  // Deepest first: what is made in a directory changes its time.
  for (const entry of directories.reverse()) setAttributes(pathBelow(top, entry.path), entry);
}

/** Takes the real directory back to what it was before the mount. */
function dematerialise(node: NodeState, mount: Mount): void {
  if (mount.native) return;
  const top = join(node.root, mount.mountPoint);
  rmSync(top, { recursive: true, force: true });
  if (mount.covered !== undefined) renameSync(mount.covered, top);
  mount.freeze?.cancel();
  for (const go of mount.freeze?.waiting ?? []) go();
  mount.freeze = undefined;
}

/**
 * Writes what changed in the real directory since the last flush into the volume.
 *
 * @throws NoSpaceError when it does not fit.
 */
export function flush(node: NodeState, mount: Mount, options: { readonly checkpoint: boolean }): void {
  if (mount.native || mount.readOnly) return;
  const top = join(node.root, mount.mountPoint);
  const bytes = mount.bytes;
  const found = scan(node, mount);
  let same = found.length === mount.flushed.size;
  const fresh = found.map(({ entry, signature }): NewEntry => {
    const before = mount.flushed.get(entry.path);
    if (before?.signature === signature) return { entry: before.entry };
    same = false;
    if (entry.kind !== 'file') return { entry };
    return { entry, content: readFileSync(pathBelow(top, entry.path)) };
  });
  // Without an inline log there is no record ahead of the superblock.
  const checkpoint = options.checkpoint || readSuperblock(bytes)?.inlineLog === false;
  if (same && !options.checkpoint) return;
  const written = commitEntries(bytes, fresh, { checkpoint });
  loseFullSnapshots(node, mount);
  mount.flushed.clear();
  written.forEach((entry, i) => {
    mount.flushed.set(entry.path, { signature: found[i]?.signature ?? '', entry });
  });
}

/** Who reads a snapshot that has run out of room finds nothing any more. */
function loseFullSnapshots(node: NodeState, { volume }: Mount): void {
  for (const { volume: place, invalid } of volume.snapshots) {
    const mounted = invalid ? node.mounts.find((other) => other.volume === place) : undefined;
    if (mounted === undefined) continue;
    const top = join(node.root, mounted.mountPoint);
    for (const name of namesIn(top)) rmSync(pathBelow(top, name), { recursive: true, force: true });
  }
}

/** What the file system holds now, flushed or not. */
export function truthOf(node: NodeState, mount: Mount): TruthEntry[] {
  const top = join(node.root, mount.mountPoint);
  const entries = scan(node, mount).map(({ entry, signature }): Entry => {
    const before = mount.flushed.get(entry.path);
    if (before?.signature === signature) return before.entry;
    return entry.kind === 'file' ? { ...entry, sha256: sha256(readFileSync(pathBelow(top, entry.path))) } : entry;
  });
  return truthOfEntries(entries);
}

/** The same of a tree that is not mounted. */
export function truthOfEntries(entries: readonly Entry[]): TruthEntry[] {
  const files = new Map(entries.map((entry) => [entry.path, entry]));
  return entries.map((entry): TruthEntry => {
    const file = entry.kind === 'link' ? files.get(entry.target) : entry;
    const path = shownPath(entry.path);
    if (entry.kind === 'directory') return { path, kind: 'directory', size: 0, sha256: '' };
    if (entry.kind === 'symlink') {
      return { path, kind: 'symlink', size: 0, sha256: sha256(Buffer.from(entry.target, 'latin1')) };
    }
    return { path, kind: 'file', size: file?.size ?? 0, sha256: file?.sha256 ?? '' };
  });
}

/** Below this directory of the machine, as bytes: a path of an entry has a character for each. */
function pathBelow(top: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')]);
}

/** Names in a directory, with a character for each of their bytes, sorted. */
function namesIn(directory: string | Buffer): string[] {
  return readdirSync(directory, 'latin1').sort();
}

/** The same path as a person writes it, where it is text. */
function shownPath(path: string): string {
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : path;
}

/** The innermost mount that a path lies in. */
export function mountAt(node: NodeState, path: string): Mount | undefined {
  const inside = node.mounts.filter(({ mountPoint }) => isBelow(path, mountPoint));
  return inside.toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
}

/** Whether a path is this directory or lies below it. */
export function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Flushes and holds writers until thawed or until the time is over. */
export function freeze(node: NodeState, mount: Mount, timers: Timers, seconds: number): void {
  flush(node, mount, { checkpoint: true });
  const waiting = mount.freeze?.waiting ?? [];
  mount.freeze?.cancel();
  mount.freeze = { cancel: timers.after(seconds * 1000, () => thaw(mount)), waiting };
}

/** Lets writers go on. */
export function thaw(mount: Mount): void {
  const held = mount.freeze;
  mount.freeze = undefined;
  held?.cancel();
  for (const go of held?.waiting ?? []) go();
}

/** Whether writers have to wait: the file system is frozen, or its group suspended. */
export function isHeld(mount: Mount): boolean {
  return mount.freeze !== undefined || mount.group.suspended !== undefined;
}

/** Resolves when what holds the writers now is over. */
export async function released(mount: Mount): Promise<void> {
  const waiting = mount.freeze?.waiting ?? mount.group.suspended;
  if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve));
}

/** Ends a mount in good order: everything is on the disks and the superblock is clean. */
export function unmount(node: NodeState, mount: Mount): void {
  if (!mount.native && !mount.readOnly) {
    flush(node, mount, { checkpoint: true });
    if (readSuperblock(mount.bytes)?.state !== 'dirty') markState(mount.bytes, 'clean');
  }
  drop(node, mount);
}

/** Ends a mount as a crash does: what was not flushed is lost, the superblock stays in use. */
export function drop(node: NodeState, mount: Mount): void {
  node.mounts.splice(node.mounts.indexOf(mount), 1);
  dematerialise(node, mount);
}

/** Moves what a directory holds out of the way of a mount; undefined when the directory does not exist. */
export function cover(node: NodeState, mountPoint: string, aside: string): string | undefined {
  const top = join(node.root, mountPoint);
  const { mode } = lstatSync(top);
  mkdirSync(join(aside, '..'), { recursive: true });
  renameSync(top, aside);
  mkdirSync(top);
  chmodSync(top, mode & 0o7777);
  return aside;
}

function scan(node: NodeState, mount: Mount): { readonly entry: Entry; readonly signature: string }[] {
  const top = join(node.root, mount.mountPoint);
  const nested = new Set(
    node.mounts.flatMap((other) =>
      other !== mount && isBelow(other.mountPoint, mount.mountPoint) ? [other.mountPoint] : [],
    ),
  );
  const found: { entry: Entry; signature: string }[] = [];
  const names = new Map<bigint, string>();
  const visit = (path: string) => {
    const real = pathBelow(top, path);
    const stat = lstatSync(real, { bigint: true });
    const kind = kindOf(stat);
    // Sockets and FIFOs hold nothing that a backup could tell.
    if (kind === undefined) return;
    const first = kind === 'file' && stat.nlink > 1n ? names.get(stat.ino) : undefined;
    if (kind === 'file' && first === undefined) names.set(stat.ino, path);
    found.push({
      signature: signatureOf(stat),
      entry: {
        path,
        kind: first === undefined ? kind : 'link',
        mode: Number(stat.mode & 0o7777n),
        uid: Number(stat.uid),
        gid: Number(stat.gid),
        mtimeMs: Number(stat.mtimeNs / 1_000_000n),
        size: kind === 'file' && first === undefined ? Number(stat.size) : 0,
        sha256: '',
        extents: [],
        target: first ?? (kind === 'symlink' ? readlinkSync(real, 'latin1') : ''),
      },
    });
    if (kind !== 'directory' || nested.has(join(mount.mountPoint, shownPath(path)))) return;
    for (const name of namesIn(real)) {
      if (path !== '' || name !== snapshotDirectory) visit(path === '' ? name : `${path}/${name}`);
    }
  };
  visit('');
  return found;
}

function kindOf(stat: BigIntStats): 'file' | 'directory' | 'symlink' | undefined {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  return stat.isFile() ? 'file' : undefined;
}

/** Differs when content or attributes of a file may differ. */
function signatureOf({ ino, size, mode, nlink, uid, gid, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mode, nlink, uid, gid, mtimeNs, ctimeNs].join(':');
}

function setAttributes(path: Buffer, entry: Entry): void {
  // Only root may give files away; elsewhere the owner is whoever runs the lab. It comes first, since it clears set-id bits.
  if (process.getuid?.() === 0) lchownSync(path, entry.uid, entry.gid);
  if (entry.kind !== 'symlink') chmodSync(path, entry.mode);
  lutimesSync(path, entry.mtimeMs / 1000, entry.mtimeMs / 1000);
}
