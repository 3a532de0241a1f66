import { createHash } from 'node:crypto';
import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join, posix } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import type { Commands } from '../command.ts';
import { chfs } from './chfs.ts';
import { bindCommands } from './commands.ts';
import { mklvcopy, rmlvcopy, splitlvcopy } from './copies.ts';
import { crfs, rmfs } from './crfs.ts';
import { makeDisk } from './disks.ts';
import { fsck, logform } from './fsck.ts';
import { fuser } from './fuser.ts';
import { exportvg, importvg } from './importvg.ts';
import { inspect, type MountState, type StorageState, stateOf } from './inspect.ts';
import { bytesOf } from './logical-volumes.ts';
import { df, lsfs } from './lsfs.ts';
import { lslv } from './lslv.ts';
import { lspv } from './lspv.ts';
import { lsvg } from './lsvg.ts';
import {
  type FoundVolume,
  groupOf,
  type Machine,
  type NodeState,
  nodeOf,
  realPath,
  type Timers,
  volumeOf,
} from './machine.ts';
import { chpv, lsmp } from './mirror-pools.ts';
import { chlv, mklv, rmlv } from './mklv.ts';
import { chvg, mkvg, resume } from './mkvg.ts';
import { mount, sync, umount } from './mount.ts';
import { drop, flush, isHeld, type Mount, mountAt, released } from './mounts.ts';
import { getlvcb, lqueryvg, lvmstat, odmget } from './odm.ts';
import { makeRepository } from './repository.ts';
import { makeRootGroup, rootDiskBytes } from './rootvg.ts';
import { snapshot } from './snapshots.ts';
import { chlvcopy, dropVolatileMarks } from './split-copies.ts';
import { joinvg, splitvg } from './splitvg.ts';
import { stanzaFile } from './stanzas.ts';
import { syncvg } from './syncvg.ts';
import { heldBy, type Truth } from './truth.ts';
import { varyoffvg, varyonvg } from './varyonvg.ts';
import { hasMajority } from './volume-groups.ts';

/** A disk that the nodes share. */
export interface SharedDisk {
  /** Name on every node, for instance `hdisk1`; `hdisk0` is each node's own. */
  readonly name: string;
  /** Size in MB; the file is sparse. */
  readonly megabytes: number;
  /** The storage takes freed partitions back from AIX 7.2 on: they read as zeroes. */
  readonly thin?: boolean;
  /** The repository disk of the cluster: in `caavg_private` on every node. */
  readonly repository?: boolean;
}

/** What the storage of a lab consists of. */
export interface StorageOptions {
  /** Directory of this machine in which everything lies. */
  readonly directory: string;
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Default: `hdisk1` and `hdisk2` with 64 MB each. */
  readonly disks?: readonly SharedDisk[];
  /** AIX level that outputs follow, for instance `7.2`, which is the default. */
  readonly level?: string;
  /** What `mount` and control blocks show; default: the clock of this machine. */
  readonly now?: () => Date;
  /** What ends freezes and paces resyncs; default: the timers of this machine. */
  readonly timers?: Timers;
  /** `false`: no program of this machine ever works in the nodes' directories, and `umount` need not look for any. */
  readonly programs?: boolean;
  /** Logical partitions that a resync copies in a second, times those that `-P` lets it copy at once; default 200. */
  readonly resyncPerSecond?: number;
}

/** Why an application or a test could not do what it wanted. */
export class StorageError extends SplitmirrorError {
  readonly code: 'NOT_MOUNTED' | 'READ_ONLY' | 'NO_DEVICE' | 'SUSPENDED';

  constructor(code: StorageError['code'], message: string) {
    const remedy = {
      NOT_MOUNTED: 'Mount the file system on this node first.',
      READ_ONLY: 'Write to the live file system; split copies are mounted for reading.',
      SUSPENDED: 'Resume the volume group with chvg -R.',
      NO_DEVICE: 'Vary the volume group on for writing on this node first.',
    }[code];
    super(message, { remedy });
    this.code = code;
  }
}

/** The storage of a lab: what its nodes' commands change, and what its tests look at. */
export interface Storage {
  /** AIX's storage commands; each handler finds its node in the invocation. */
  readonly commands: Commands;
  /** A node dies: its mounts vanish with what was not flushed, its groups are off, its freezes are gone. */
  crash(node: string): void;
  /**
   * Writes a file as an application does; waits while the file system is frozen.
   *
   * @throws StorageError `NOT_MOUNTED` or `READ_ONLY`.
   */
  write(node: string, path: string, bytes: Uint8Array | string, options?: { readonly append?: boolean }): Promise<void>;
  /**
   * Settles when a program may write at this path: at once, or when the file system is thawed. Programs that write the real
   * directory ask before they do.
   *
   * @throws StorageError `READ_ONLY`.
   */
  admit(node: string, path: string): Promise<void>;
  /**
   * Writes to a raw volume.
   *
   * @throws StorageError `NO_DEVICE` when its group is not varied on for writing here, `SUSPENDED` after `chvg -S`.
   */
  writeRaw(node: string, volume: string, offset: number, bytes: Uint8Array): void;
  /** Holds a raw volume open, as a database does; the returned function closes it. */
  open(node: string, volume: string): () => void;
  /**
   * Brings what changed to the disks: of one file system at once, as `fsync` does, or of all, one after the other with a
   * little time in between, as the sync daemon does. Frozen file systems are flushed already.
   */
  flush(node: string, mountPoint?: string): void;
  /** The file system that a path lies in, when it is one of a shared disk. */
  mountAt(node: string, path: string): MountState | undefined;
  /** Path of this machine for an AIX path of a node. */
  realPath(node: string, path: string): string;
  /**
   * Bytes of a device (`/dev/datalv`, `/dev/rdatalv`) as a file of this machine, as they are now.
   *
   * @throws StorageError `NO_DEVICE`.
   */
  deviceFile(node: string, device: string): string;
  /**
   * What the volume held at the instant when this copy was split off; undefined for a copy never made. Copies go by the
   * name of the volume that has them, and by `rmlvcopy.datalv` when one was dropped from `datalv`.
   */
  truth(copy: string): Truth | undefined;
  /**
   * What one copy of a volume holds by itself, read from its partitions and from nothing else, whoever calls it fresh.
   *
   * @param copy From 1.
   * @returns undefined when no group has the volume, or not every logical partition has this copy.
   */
  held(volume: string, copy: number): Truth | undefined;
  /** A disk stops answering: writes miss it, its copies go stale. A group that loses its quorum closes on every node. */
  failDisk(name: string): void;
  /** The disk answers again; what it missed stays stale. */
  repairDisk(name: string): void;
  /**
   * The next run of a command is killed when it has changed so many logical partitions; its status is 137.
   *
   * @param program `splitlvcopy`, `mklvcopy` or `rmlvcopy`; `splitvg`, which stops when the disks have moved: at 0 this
   * node's ODM has not the new group, from 1 on it has.
   */
  interrupt(program: 'splitlvcopy' | 'mklvcopy' | 'rmlvcopy' | 'splitvg', partitions: number): void;
  /** Someone takes the lock of a group: queries wait until `chvg -u`. */
  lockGroup(node: string, group: string): void;
  /** The whole model as JSON. */
  inspect(): StorageState;
}

/** Every storage command by its name. */
const handlers = {
  chfs,
  chlv,
  chlvcopy,
  chpv,
  chvg,
  crfs,
  df,
  exportvg,
  fsck,
  fuser,
  getlvcb,
  importvg,
  joinvg,
  logform,
  lqueryvg,
  lsfs,
  lslv,
  lsmp,
  lspv,
  lsvg,
  lvmstat,
  mklv,
  mklvcopy,
  mkvg,
  mount,
  odmget,
  rmfs,
  rmlv,
  rmlvcopy,
  snapshot,
  splitlvcopy,
  splitvg,
  sync,
  syncvg,
  umount,
  unmount: umount,
  varyoffvg,
  varyonvg,
};

/** Between the file systems that the sync daemon flushes, in milliseconds. */
const flushGapMs = 150;

/** Time of this machine. A timer alone keeps no process alive. */
const systemTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Builds disks, nodes and their rootvg. Shared groups are made with the commands, as on AIX. */
export function createStorage(options: StorageOptions): Storage {
  const { directory } = options;
  const now = options.now ?? (() => new Date());
  const timers = options.timers ?? systemTimers;
  const truths = new Map<string, Truth>();
  const disks = options.disks ?? [
    { name: 'hdisk1', megabytes: 64 },
    { name: 'hdisk2', megabytes: 64 },
  ];
  const nodes = new Map(options.nodes.map((name) => [name, makeNode(directory, name)]));
  const machine: Machine = {
    directory,
    level: options.level ?? '7.2',
    disks: disks.map(({ name, megabytes, thin = false }) =>
      makeDisk({
        name,
        pvid: pvid(name),
        nodes: options.nodes,
        file: join(directory, 'disks', name),
        bytes: megabytes << 20,
        thin,
      }),
    ),
    groups: [],
    nodes,
    now,
    timers,
    resyncPerSecond: options.resyncPerSecond ?? 200,
    programs: options.programs ?? true,
    serial: 1,
    interruptions: new Map(),
    truth(copy, held) {
      truths.set(copy, held);
      mkdirSync(join(directory, 'truth'), { recursive: true });
      writeFileSync(join(directory, 'truth', `${copy}.json`), `${JSON.stringify(held, null, 2)}\n`);
    },
  };
  for (const node of nodes.values()) {
    const file = join(directory, 'disks', `hdisk0.${node.name}`);
    const disk = makeDisk({
      name: 'hdisk0',
      pvid: pvid(node.name),
      nodes: [node.name],
      file,
      bytes: rootDiskBytes,
      thin: false,
    });
    machine.disks.unshift(disk);
    machine.groups.push(makeRootGroup(node, disk, groupId(`rootvg ${node.name}`), now()));
  }

  for (const { name, repository } of disks) {
    if (repository) makeRepository(machine, name, groupId(`repository ${name}`));
  }

  return {
    commands: bindCommands(machine, handlers),
    crash: (name) => crash(machine, nodeOf(machine, name)),
    async write(name, path, bytes, { append = false } = {}) {
      const node = nodeOf(machine, name);
      if ((await untilWritable(node, path)) === undefined) {
        throw new StorageError('NOT_MOUNTED', `${path}: no shared file system is mounted there`);
      }
      if (append) appendFileSync(realPath(node, path), bytes);
      else writeFileSync(realPath(node, path), bytes);
    },
    async admit(name, path) {
      await untilWritable(nodeOf(machine, name), path);
    },
    writeRaw(name, volumeName, offset, bytes) {
      const { group, volume } = rawVolume(machine, nodeOf(machine, name), volumeName);
      if (group.suspended !== undefined) {
        throw new StorageError('SUSPENDED', `/dev/${volumeName}: ${group.name} is suspended`);
      }
      bytesOf(group, volume).write(offset, bytes);
    },
    open(name, volumeName) {
      const node = nodeOf(machine, name);
      const { volume } = rawVolume(machine, node, volumeName);
      node.opened.push(volume);
      return () => {
        const at = node.opened.indexOf(volume);
        if (at >= 0) node.opened.splice(at, 1);
      };
    },
    flush(name, mountPoint) {
      const node = nodeOf(machine, name);
      const dirty = node.mounts.filter(
        (made) => !made.native && !made.readOnly && (mountPoint === undefined || made.mountPoint === mountPoint),
      );
      dirty.forEach((made, i) => {
        // All at the same instant would make copies consistent that nobody has frozen.
        if (i === 0) flushUnlessHeld(node, made);
        else
          timers.after(i * flushGapMs, () => {
            try {
              flushUnlessHeld(node, made);
            } catch {
              // A full file system or a dead disk: whoever writes next hears of it.
            }
          });
      });
    },
    mountAt(name, path) {
      const made = mountAt(nodeOf(machine, name), posix.normalize(path));
      return made === undefined || made.native ? undefined : stateOf(made);
    },
    realPath: (name, path) => realPath(nodeOf(machine, name), path),
    deviceFile: (name, device) => deviceFile(machine, nodeOf(machine, name), device),
    truth: (copy) => truths.get(copy),
    held: (name, copy) => heldBy(machine, name, copy),
    failDisk: (name) => failDisk(machine, name),
    repairDisk(name) {
      for (const disk of machine.disks) if (disk.name === name) disk.failed = false;
    },
    interrupt(program, partitions) {
      machine.interruptions.set(program, partitions);
    },
    lockGroup(name, groupName) {
      const group = groupOf(machine, nodeOf(machine, name), groupName);
      if (group !== undefined) group.locked = true;
    },
    inspect: () => inspect(machine),
  };
}

function flushUnlessHeld(node: NodeState, mount: Mount): void {
  if (node.mounts.includes(mount) && !isHeld(mount)) flush(node, mount, { checkpoint: false });
}

function makeNode(directory: string, name: string): NodeState {
  const root = join(directory, 'nodes', name, 'root');
  mkdirSync(root, { recursive: true });
  return {
    name,
    root,
    stanzas: stanzaFile(root),
    odm: new Map(),
    varied: new Map(),
    mounts: [],
    opened: [],
    boots: 0,
  };
}

/** A volume group identifier that is the same in every run. */
function groupId(seed: string): string {
  return `00f6000000004c00${pvid(seed)}`;
}

/** A physical volume identifier that is the same in every run. */
function pvid(seed: string): string {
  return `00f6${createHash('sha256').update(seed).digest('hex').slice(0, 12)}`;
}

function crash(machine: Machine, node: NodeState): void {
  node.boots++;
  const deepestFirst = node.mounts.toSorted((a, b) => b.mountPoint.length - a.mountPoint.length);
  for (const mount of deepestFirst) if (!mount.native) drop(node, mount);
  const own = node.odm.get('rootvg');
  const kept = [own?.id, node.odm.get('caavg_private')?.id];
  for (const group of machine.groups) {
    const varied = node.varied.get(group.id);
    if (varied === undefined || kept.includes(group.id)) continue;
    node.varied.delete(group.id);
    if (varied === 'passive') continue;
    dropVolatileMarks(group);
    resume(group);
  }
  const left = node.opened.filter(({ name }) => own?.volumes.some((volume) => volume.name === name));
  node.opened.splice(0, node.opened.length, ...left);
}

/** Without a majority of the VGDA a group with quorum checking closes at once, whatever is mounted. */
function failDisk(machine: Machine, name: string): void {
  for (const disk of machine.disks) if (disk.name === name) disk.failed = true;
  for (const group of machine.groups) {
    if (!group.quorum || hasMajority(group)) continue;
    for (const node of machine.nodes.values()) {
      const lost = node.mounts.filter((mount) => mount.group === group && !mount.native);
      for (const mount of lost.toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)) drop(node, mount);
      const open = node.opened.filter((volume) => !group.volumes.includes(volume));
      node.opened.splice(0, node.opened.length, ...open);
      node.varied.delete(group.id);
    }
  }
}

/** The shared file system that a path lies in, once it takes writes; undefined when there is none. */
async function untilWritable(node: NodeState, path: string): Promise<Mount | undefined> {
  for (;;) {
    const mount = mountAt(node, posix.normalize(path));
    if (mount === undefined || mount.native) return undefined;
    if (mount.readOnly) throw new StorageError('READ_ONLY', `${path}: ${mount.mountPoint} is mounted read-only`);
    if (!isHeld(mount)) return mount;
    // Afterwards the file system may be gone, or held again.
    await released(mount);
  }
}

function rawVolume(machine: Machine, node: NodeState, name: string): FoundVolume {
  const found = volumeOf(machine, node, name);
  if (found?.varied === undefined || found.varied === 'passive') {
    throw new StorageError('NO_DEVICE', `/dev/${name} cannot be opened on ${node.name}`);
  }
  return found;
}

/** Copied piece by piece, since a volume may be larger than what one wants in memory. */
function deviceFile(machine: Machine, node: NodeState, device: string): string {
  const name = /^\/dev\/(.+)$/.exec(device)?.[1] ?? device;
  const plain = volumeOf(machine, node, name) === undefined && name.startsWith('r') ? name.slice(1) : name;
  const { group, volume } = rawVolume(machine, node, plain);
  const bytes = bytesOf(group, volume);
  const path = join(machine.directory, 'nodes', node.name, 'devices', plain);
  mkdirSync(join(path, '..'), { recursive: true });
  const file = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes.size; at += group.partitionBytes) {
      writeSync(file, bytes.read(at, group.partitionBytes), 0, group.partitionBytes, at);
    }
  } finally {
    closeSync(file);
  }
  return path;
}
