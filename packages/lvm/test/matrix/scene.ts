import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStorage, type Storage, type StorageOptions, type Timers } from '@splitmirror/lab';
import type { GroupContents } from '../../src/index.ts';
import { type Keyboard, keyboardOf } from './node.ts';

/** A volume of a scene. With a mount point it holds a file system. */
export interface SceneVolume {
  readonly name: string;
  readonly type: 'jfs2' | 'jfs' | 'raw';
  readonly copies: number;
  readonly mountPoint?: string;
}

/** What a strategy is tried on. */
export interface SceneWish {
  /** As `lsvg` knows kinds of groups; only enhanced concurrent ones are varied on everywhere. */
  readonly group: 'standard' | 'enhanced concurrent';
  /** As `oslevel -r` prints it. */
  readonly level: string;
  readonly volumes: readonly SceneVolume[];
  readonly disks: readonly string[];
  /** File systems are made for internal snapshots. */
  readonly internalSnapshots?: boolean;
  /** A standard group is concurrent capable, and varied on in the other mode. */
  readonly capable?: boolean;
  /** No partition of the group is free. */
  readonly full?: boolean;
}

/** A volume group on two nodes with an application's data, and things of others that nobody may touch. */
export interface Scene {
  readonly storage: Storage;
  readonly type: Keyboard;
  readonly contents: GroupContents;
  /** The node that has the group online. */
  owner(): string;
  /** The application writes, unless it is held: every file system and raw volume differs from before. */
  write(): Promise<void>;
  /** Takes the group away in good order; false when it is still open there. */
  release(node: string): Promise<boolean>;
  /** Loses the power of a node. */
  crash(node: string): void;
  /** Brings the group online on a node as its cluster manager does. */
  acquire(node: string): Promise<void>;
  /** A node that has no part of the group online is up again, and stands by. */
  boot(node: string): Promise<void>;
  /** What must be the same after a run and its way back. */
  state(): Promise<unknown>;
  remove(): void;
}

export const nodes = ['ada', 'bob'] as const;
const volumeGroup = 'shopvg';
const files = 3;
const partitionBytes = 1 << 20;
/** Where the application writes on a volume without file system. */
const rawOffset = 64 << 10;

/** Resyncs are instant; a freeze never ends by itself, since no time passes. */
const timers: Timers = {
  after(ms, callback) {
    if (ms < 1000) queueMicrotask(callback);
    return () => {};
  },
};

export async function buildScene(wish: SceneWish): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'splitmirror-matrix-'));
  const concurrent = wish.group === 'enhanced concurrent';
  const options: StorageOptions = {
    directory,
    nodes,
    disks: [...wish.disks, 'hdisk8', 'hdisk9'].map((name) => ({ name, megabytes: 24 })),
    level: `${wish.level[0]}.${wish.level[1]}`,
    now: () => new Date(Date.UTC(2026, 10, 21, 23, 1)),
    timers,
    resyncPerSecond: 1_000_000,
    programs: false,
  };
  const storage = createStorage(options);
  const type = keyboardOf(storage, wish.level);
  const on = async (node: string, line: string) => {
    const { code, stdout, stderr } = await type(node, line.split(' '));
    if (code !== 0) throw new Error(`${node}: ${line}: ${code} ${stdout}${stderr}`);
    return stdout;
  };
  const [first, second] = nodes;
  const mountPoints = wish.volumes.flatMap(({ mountPoint }) => mountPoint ?? []).sort();
  const held = new Map<string, string>();
  let owner: string = first;
  let round = 0;

  const scene: Scene = {
    storage,
    type,
    contents: { volumeGroups: [volumeGroup], fileSystems: 'ALL' },
    owner: () => owner,
    async write() {
      // Its writers would wait for a thaw.
      if (storage.inspect().mounts[owner]?.some(({ frozen }) => frozen)) return;
      round++;
      for (const { name, mountPoint } of wish.volumes) {
        if (mountPoint === undefined) {
          const text = `${name} round ${round}`.padEnd(64, '.');
          storage.writeRaw(owner, name, rawOffset, Buffer.from(text));
          held.set(name, text);
          continue;
        }
        for (let file = 0; file < files; file++) {
          const path = `${mountPoint}/file${file}`;
          const text = `${path} round ${round}\n`.repeat(400);
          await storage.write(owner, path, text);
          held.set(path, text);
        }
      }
      for (const mountPoint of mountPoints) storage.flush(owner, mountPoint);
    },
    async release(node) {
      for (const mountPoint of mountPoints.toReversed()) await type(node, ['umount', mountPoint]);
      const off = concurrent ? ['varyonvg', '-n', '-c', '-P', volumeGroup] : ['varyoffvg', volumeGroup];
      return (await type(node, off)).code === 0;
    },
    crash: (node) => storage.crash(node),
    async acquire(node) {
      owner = node;
      if (node === first) await type(node, ['varyonvg', 'othervg']);
      if (concurrent) await on(node, `varyonvg -n -c -A ${volumeGroup}`);
      else {
        // Lazy update: what the disks say is learned where it differs from what the node knew.
        const known = await type(node, ['varyonvg', '-n', volumeGroup]);
        if (known.code !== 0) {
          await on(node, `importvg -L ${volumeGroup} ${wish.disks[0]}`);
          await on(node, `varyonvg -n ${volumeGroup}`);
        }
      }
      const mounted = new Set((await on(node, 'mount')).split(/\s+/));
      for (const mountPoint of mountPoints) {
        if (mounted.has(mountPoint)) continue;
        await type(node, ['fsck', '-p', mountPoint]);
        await on(node, `mount ${mountPoint}`);
      }
    },
    async boot(node) {
      if (node === first) await type(node, ['varyonvg', 'othervg']);
      if (concurrent) await on(node, `varyonvg -n -c -P ${volumeGroup}`);
    },
    async state() {
      const { groups, mounts } = storage.inspect();
      return {
        groups: groups.map(({ name, volumes, varied }) => ({
          name,
          varied,
          volumes: volumes.map((volume) => ({
            name: volume.name,
            type: volume.type,
            label: volume.label,
            stale: volume.stale,
            disks: [0, 1, 2].map((copy) => [...new Set(volume.map.flatMap((row) => row[copy]?.split(':')[0] ?? []))]),
            ragged: volume.map.some((row) => row.length !== volume.copies),
          })),
        })),
        mounts,
        live: liveContent(wish, storage, owner, held),
        nodes: await Promise.all(
          nodes.map(async (node) => ({
            node,
            stanzas: readFileSync(storage.realPath(node, '/etc/filesystems'), 'utf8').trimEnd(),
            top: readdirSync(storage.realPath(node, '/'))
              .sort()
              .filter(
                (name) => name !== 'fs' || mountPoints.some((path) => existsSync(storage.realPath(node, `/fs${path}`))),
              ),
            disks: (await on(node, 'lspv')).split('\n').map((row) => row.trim().split(/\s+/).slice(0, 3).join(' ')),
            groups: await on(node, 'lsvg'),
            tmp: readdirSync(storage.realPath(node, '/tmp')).sort(),
          })),
        ),
      };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };

  const disks = wish.disks.join(' ');
  await on(first, `mkvg -y ${volumeGroup} -s 1 -n ${concurrent || wish.capable ? '-C ' : ''}${disks}`);
  if (wish.capable) await on(first, `varyonvg ${volumeGroup}`);
  if (concurrent) await on(first, `varyonvg -n -c -A ${volumeGroup}`);
  const logged = wish.volumes.some(({ type: vfs }) => vfs === 'jfs');
  if (logged) {
    await on(first, `mklv -y loglv00 -t jfslog -c 2 ${volumeGroup} 1 ${disks}`);
    await type(first, ['logform', '/dev/loglv00'], 'y\n');
  }
  for (const { name, type: vfs, copies, mountPoint } of wish.volumes) {
    await on(
      first,
      `mklv -y ${name} -t ${vfs} -c ${copies} ${volumeGroup} ${mountPoint === undefined ? 1 : 2} ${disks}`,
    );
    if (mountPoint === undefined) continue;
    const log = vfs === 'jfs2' ? ' -a logname=INLINE' : '';
    const snapshots = wish.internalSnapshots ? ' -a isnapshot=yes' : '';
    await on(first, `crfs -v ${vfs} -d ${name} -m ${mountPoint} -A no -p rw${log}${snapshots}`);
  }
  // What others have: a volume whose name begins like ours, and a volume group that is none of ours.
  await on(first, `mklv -y smallnotes -t raw -c ${wish.disks.length} ${volumeGroup} 1 ${disks}`);
  if (wish.full) {
    for (const disk of wish.disks) {
      const free =
        /^FREE PPs: +(\d+)/m.exec((await on(first, `lspv ${disk}`)).replace(/^.*?(?=FREE PPs)/gm, ''))?.[1] ?? '0';
      if (free !== '0') await on(first, `mklv -y filler${disk} -t raw ${volumeGroup} ${free} ${disk}`);
    }
  }
  await on(first, 'mkvg -y othervg -s 1 -n hdisk9');
  await on(first, 'mklv -y sm2026archive -t raw othervg 2');
  await on(first, `${concurrent ? 'varyonvg -n -c -P' : 'varyoffvg'} ${volumeGroup}`);
  await on(second, `importvg -y ${volumeGroup} -n ${wish.disks[0]}`);
  await scene.boot(second);
  await scene.acquire(first);
  for (const mountPoint of mountPoints) await on(first, `mkdir -p ${mountPoint}/lost+found`);
  await scene.write();
  return scene;
}

/** The application's content, as its node reads it and as each copy has it by itself; only what differs is told. */
function liveContent(wish: SceneWish, storage: Storage, owner: string, held: ReadonlyMap<string, string>): unknown {
  for (const mountPoint of wish.volumes.flatMap((volume) => volume.mountPoint ?? [])) storage.flush(owner, mountPoint);
  const wrong: string[] = [];
  for (const [path, text] of held) {
    if (!path.startsWith('/')) continue;
    if (readFileSync(storage.realPath(owner, path), 'utf8') !== text) wrong.push(`${path} is not what was written`);
  }
  for (const { name, copies, mountPoint } of wish.volumes) {
    for (let copy = 0; copy < copies; copy++) {
      const fault = mountPoint === undefined ? rawFault(storage, name, copy, held) : fileFault(storage, name, copy);
      if (fault) wrong.push(`copy ${copy + 1} of ${name} ${fault}`);
    }
  }
  return wrong;
}

/** What a copy of a file system has otherwise than the first one. */
function fileFault(storage: Storage, name: string, copy: number): string | undefined {
  const [first, other] = [1, copy + 1].map((number) => JSON.stringify(storage.held(name, number)));
  return first !== undefined && first === other ? undefined : 'is not as the first';
}

/** What a copy of a volume without file system has otherwise than it was written; its only partition is read from the disk. */
function rawFault(storage: Storage, name: string, copy: number, held: ReadonlyMap<string, string>): string | undefined {
  const { groups } = storage.inspect();
  const volume = groups.flatMap(({ volumes }) => volumes).find((each) => each.name === name);
  const [disk, number] = volume?.map[0]?.[copy]?.split(':') ?? [];
  if (disk === undefined) return 'is not there';
  const text = held.get(name) ?? '';
  const bytes = Buffer.alloc(text.length);
  const file = openSync(join(storage.realPath(nodes[0], '/'), '../../../disks', disk), 'r');
  readSync(file, bytes, 0, bytes.length, (Number(number) - 1) * partitionBytes + rawOffset);
  closeSync(file);
  return bytes.toString() === text ? undefined : 'is not what was written';
}
