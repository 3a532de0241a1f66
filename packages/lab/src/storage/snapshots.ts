import { type Answer, fails, prints } from '../command.ts';
import { type Call, type Command, writableGroup } from './commands.ts';
import { ctime } from './dates.ts';
import { changed, isOpen } from './machine.ts';
import { mustBeClosed } from './messages.ts';
import { makeVolume, removeVolume } from './mklv.ts';
import { flush, type Mount } from './mounts.ts';
import { isTaken, nextName } from './names.ts';
import { readPairs } from './options.ts';
import { sizeInBytes } from './sizes.ts';
import { truthNow } from './truth.ts';
import type { LogicalVolume, Snapshot, VolumeGroup } from './volume-groups.ts';

/** Most external snapshots of a file system. */
const most = 15;

/** `snapshot`: external snapshots of mounted JFS2 file systems. Internal ones need a file system made for them. */
export const snapshot: Command = {
  since: '5.2',
  newer: { n: '6.1' },
  options: 'o:d:qc:n:s',
  async run(call): Promise<Answer> {
    const { machine, node, options, operands, program } = call;
    if (options.has('d')) return remove(call, options.value('d') ?? '');
    if (options.has('q')) return list(call, options.value('c') ?? operands[0] ?? '');
    const wishes = readPairs(options.values('o').flatMap((words) => words.split(',')));
    const mountPoint = wishes.get('snapfrom') ?? '';
    const mount = node.mounts.find((candidate) => candidate.mountPoint === mountPoint && !candidate.native);
    if (mount === undefined || mount.vfs !== 'jfs2')
      return fails(`${program}: ${mountPoint} is not a mounted JFS2 file system.\n`);
    const { group, volume } = mount;
    const refused = writableGroup(call, group);
    if (refused !== undefined) return refused.refusal;
    if (options.has('n')) return fails(`${program}: ${mountPoint} does not support internal snapshots.\n`);
    if (volume.snapshots.length >= most) return fails(`${program}: ${mountPoint} has ${most} snapshots already.\n`);
    const place = await placeOf(call, group, operands[0], wishes.get('size'));
    if ('answer' in place) return place.answer;
    flush(node, mount, { checkpoint: true });
    machine.truth(place.volume.name, truthNow(machine, group, volume));
    volume.snapshots.push({ volume: place.volume, taken: machine.now(), saved: new Map(), invalid: false });
    changed(machine, group, volume);
    return prints(`Snapshot for file system ${mountPoint} created on /dev/${place.volume.name}\n`);
  },
};

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
  if (snapshots.length === 0) return prints(`${mount.mountPoint} has no snapshots.\n`);
  const rows = snapshots.map(({ volume, saved, invalid, taken }, i) => {
    const blocks = (volume.map.length * mount.group.partitionBytes) / 512;
    const free = invalid ? '-' : String(blocks - saved.size * 8);
    const current = i === snapshots.length - 1 ? '*' : '';
    return `${current.padEnd(8)} ${`/dev/${volume.name}`.padEnd(13)} ${String(blocks).padStart(10)} ${free.padStart(11)} ${ctime(taken)}`;
  });
  return prints(
    [`Snapshots for ${mount.mountPoint}`, 'Current  Location      512-blocks        Free Time', ...rows, ''].join('\n'),
  );
}
