import { type Answer, fails, prints } from '../command.ts';
import { type Call, type Command, writableGroup } from './commands.ts';
import { ctime } from './dates.ts';
import { dropSnapshots, keepSnapshot, readSuperblock } from './labfs.ts';
import { changed, isOpen } from './machine.ts';
import { mustBeClosed } from './messages.ts';
import { makeVolume, removeVolume } from './mklv.ts';
import { flush, type Mount, placeSnapshots } from './mounts.ts';
import { isTaken, nextName } from './names.ts';
import { readPairs } from './options.ts';
import { sizeInBytes } from './sizes.ts';
import { truthNow } from './truth.ts';
import type { LogicalVolume, Snapshot, VolumeGroup } from './volume-groups.ts';

/** Most external snapshots of a file system. */
const most = 15;
/** Most internal ones. */
const mostInternal = 64;

/** `snapshot`: points in time of mounted JFS2 file systems, on volumes of their own or within a file system made for it. */
export const snapshot: Command = {
  since: '5.2',
  newer: { n: '6.1' },
  options: 'o:dqc:n:s',
  async run(call): Promise<Answer> {
    const { machine, node, options, operands, program } = call;
    const name = options.value('n');
    if (options.has('d')) {
      const [target = ''] = operands;
      return name === undefined ? remove(call, target) : removeInternal(call, target, name);
    }
    if (options.has('q')) return list(call, options.value('c') ?? operands[0] ?? '');
    const wishes = readPairs(options.values('o').flatMap((words) => words.split(',')));
    const mountPoint = wishes.get('snapfrom') ?? '';
    const says = (text: string) => fails(`${program}: ${mountPoint} ${text}\n`);
    const mount = mountedAt(call, mountPoint);
    if (mount === undefined || mount.vfs !== 'jfs2') return says('is not a mounted JFS2 file system.');
    const { group, volume } = mount;
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    const inside = readSuperblock(mount.bytes)?.snapshots;
    if (name !== undefined) {
      if (inside === undefined) return says('does not support internal snapshots.');
      if (volume.snapshots.length > 0) return says('has external snapshots.');
      if (!/^[^/\s]{1,31}$/.test(name)) return fails(`${program}: ${name} is not a valid name.\n`);
      if (inside.some((snapshot) => snapshot.name === name)) return says(`has a snapshot ${name} already.`);
      if (inside.length >= mostInternal) return says(`has ${mostInternal} snapshots already.`);
      flush(node, mount, { checkpoint: true });
      machine.truth(name, truthNow(machine, group, volume));
      keepSnapshot(mount.bytes, name, machine.now().getTime());
      placeSnapshots(node, mount);
      return prints(`Snapshot for file system ${mountPoint} created as ${name}\n`);
    }
    if (inside !== undefined && inside.length > 0) return says('has internal snapshots.');
    if (volume.snapshots.length >= most) return says(`has ${most} snapshots already.`);
    const place = await placeOf(call, group, operands[0], wishes.get('size'));
    if ('answer' in place) return place.answer;
    flush(node, mount, { checkpoint: true });
    machine.truth(place.volume.name, truthNow(machine, group, volume));
    volume.snapshots.push({ volume: place.volume, taken: machine.now(), saved: new Map(), invalid: false });
    changed(machine, group, volume);
    return prints(`Snapshot for file system ${mountPoint} created on /dev/${place.volume.name}\n`);
  },
};

function mountedAt({ node }: Call, mountPoint: string): Mount | undefined {
  return node.mounts.find((mount) => mount.mountPoint === mountPoint && !mount.native);
}

/** Removes an internal snapshot **and all earlier ones**. */
function removeInternal(call: Call, mountPoint: string, name: string): Answer {
  const mount = mountedAt(call, mountPoint);
  const known = mount === undefined ? [] : (readSuperblock(mount.bytes)?.snapshots ?? []);
  if (mount === undefined || !known.some((snapshot) => snapshot.name === name)) {
    return fails(`${call.program}: ${mountPoint} has no snapshot ${name}.\n`);
  }
  const refused = writableGroup(call, mount.group);
  if (refused !== undefined) return refused.refusal;
  const gone = dropSnapshots(mount.bytes, name);
  placeSnapshots(call.node, mount);
  return prints(gone.map((each) => `Snapshot ${each} for file system ${mountPoint} is removed.\n`).join(''));
}

async function placeOf(
  call: Call,
  group: VolumeGroup,
  device: string | undefined,
  size: string | undefined,
): Promise<{ readonly volume: LogicalVolume } | { readonly answer: Answer }> {
  if (device !== undefined) {
    const volume = group.volumes.find(({ name }) => `/dev/${name}` === device || name === device);
    if (volume === undefined) return { answer: fails(`${call.program}: ${device} is not in ${group.name}.\n`) };
    if (isOpen(call.machine, volume)) return { answer: fails(mustBeClosed(call.program, device)) };
    return { volume };
  }
  const bytes = sizeInBytes(size ?? '');
  if (bytes === undefined)
    return { answer: fails(`Usage: ${call.program} -o snapfrom=FileSystem { -o size=Size | Device }\n`, 2) };
  const name = nextName('fslv', (candidate) => isTaken(call, candidate));
  const made = await makeVolume(call, group, name, 'jfs2', Math.ceil(bytes / group.partitionBytes));
  return 'refusal' in made ? { answer: made.refusal } : { volume: made.volume };
}

/** The snapshot that a volume holds, with the volume that it was taken of. */
export function snapshotIn(
  group: VolumeGroup,
  place: LogicalVolume,
): { readonly of: LogicalVolume; readonly snapshot: Snapshot } | undefined {
  for (const volume of group.volumes) {
    const found = volume.snapshots.find((candidate) => candidate.volume === place);
    if (found !== undefined) return { of: volume, snapshot: found };
  }
  return undefined;
}

/** Removes a snapshot **and all earlier ones**, with their volumes unless `-s`. */
function remove(call: Call, device: string): Answer {
  for (const group of call.machine.groups) {
    if (!call.node.varied.has(group.id)) continue;
    const place = group.volumes.find(({ name }) => `/dev/${name}` === device);
    const found = place === undefined ? undefined : snapshotIn(group, place);
    if (found === undefined) continue;
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    const gone = found.of.snapshots.slice(0, found.of.snapshots.indexOf(found.snapshot) + 1);
    const open = gone.find(({ volume }) => isOpen(call.machine, volume));
    if (open !== undefined) return fails(mustBeClosed(call.program, open.volume.name));
    found.of.snapshots.splice(0, gone.length);
    const lines = gone.map(({ volume }) => {
      if (call.options.has('s')) return '';
      removeVolume(call, group, volume);
      return `rmlv: Logical volume ${volume.name} is removed.\n`;
    });
    changed(call.machine, group);
    return prints(lines.join(''));
  }
  return fails(`${call.program}: ${device} is not a snapshot.\n`);
}

function list(call: Call, target: string): Answer {
  const mount = call.node.mounts.find(
    (candidate: Mount) => candidate.mountPoint === target || `/dev/${candidate.volume.name}` === target,
  );
  if (mount === undefined) return fails(`${call.program}: ${target} is not mounted.\n`);
  const { snapshots } = mount.volume;
  const inside = readSuperblock(mount.bytes)?.snapshots ?? [];
  if (inside.length > 0) {
    const rows = inside.map(({ name, takenMs }, i) => {
      const current = i === inside.length - 1 ? '*' : '';
      return `${current.padEnd(8)} ${name.padEnd(12)} ${ctime(new Date(takenMs))}`;
    });
    return prints([`Snapshots for ${mount.mountPoint}`, 'Current  Name         Time', ...rows, ''].join('\n'));
  }
  if (snapshots.length === 0) return prints(`${mount.mountPoint} has no snapshots.\n`);
  const rows = snapshots.map(({ volume, saved, invalid, taken }, i) => {
    const blocks = (volume.map.length * mount.group.partitionBytes) / 512;
    const free = invalid ? '-' : String(blocks - (saved.size > 0 ? saved.size + 1 : 0) * 8);
    const current = i === snapshots.length - 1 ? '*' : '';
    return `${current.padEnd(8)} ${`/dev/${volume.name}`.padEnd(13)} ${String(blocks).padStart(10)} ${free.padStart(11)} ${ctime(taken)}`;
  });
  return prints(
    [`Snapshots for ${mount.mountPoint}`, 'Current  Location      512-blocks        Free Time', ...rows, ''].join('\n'),
  );
}
