import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, fails, prints } from '../command.ts';
import type { Call, Command } from './commands.ts';
import { shortDate } from './dates.ts';
import { usersOf } from './fuser.ts';
import { markState, readEntries, readNewestEntries, readSuperblock } from './labfs.ts';
import { bytesOf, bytesOfSnapshot } from './logical-volumes.ts';
import { isFormattedLog } from './logs.ts';
import { type NodeState, realPath, volumeOf } from './machine.ts';
import { deviceBusy, dirtySuperblock, incompatibleMedia, usage } from './messages.ts';
import { cover, flush, isBelow, isHeld, type Mount, materialise, unmount } from './mounts.ts';
import { snapshotIn } from './snapshots.ts';
import type { Stanza } from './stanzas.ts';

/** `mount`: the list of mounts, or one more. */
export const mount: Command = {
  options: 'o:v:V:n:rapt:F:',
  run(call): Answer {
    const { node, options, operands } = call;
    if (operands.length === 0 && !options.has('a') && !options.has('t')) return prints(printMounts(node));
    if (options.has('a') || options.has('t')) return mountMany(call);
    const [first = '', second] = operands;
    const stanza =
      second === undefined ? (node.stanzas.find(first) ?? node.stanzas.ofDevice(first)) : node.stanzas.find(second);
    const device = second === undefined ? stanza?.attributes.get('dev') : first;
    const mountPoint = second ?? stanza?.name;
    if (device === undefined || mountPoint === undefined) {
      return fails(`mount: 0506-334 ${first} is not a known file system.\n`);
    }
    return mountOne(call, device, mountPoint, stanza);
  },
};

function mountMany(call: Call): Answer {
  const group = call.options.value('t');
  const wanted = call.node.stanzas
    .read()
    .filter(({ attributes }) =>
      group === undefined ? attributes.get('mount') === 'true' : attributes.get('type') === group,
    );
  const answers = wanted.map((stanza) => mountOne(call, stanza.attributes.get('dev') ?? '', stanza.name, stanza));
  const said = answers.map((answer) => (answer.kind === 'exit' ? (answer.stderr ?? '') : '')).join('');
  return said === '' ? prints('') : fails(said);
}

function mountOne(call: Call, device: string, mountPoint: string, stanza: Stanza | undefined): Answer {
  const { machine, node, options } = call;
  const cannot = (reason: string) => fails(`mount: 0506-324 Cannot mount ${device} on ${mountPoint}: ${reason}\n`);
  const name = /^\/dev\/([^/]+)$/.exec(device)?.[1];
  const found = name === undefined ? undefined : volumeOf(machine, node, name);
  if (found === undefined) return cannot('A file or directory in the path name does not exist.');
  const { group, volume, varied } = found;
  if (varied === undefined || varied === 'passive') {
    return cannot('There is a request to a device or address that does not exist.');
  }
  const asked = [...options.values('o').flatMap((list) => list.split(',')), ...(options.has('r') ? ['ro'] : [])];
  const configured = (stanza?.attributes.get('options') ?? '').split(',').filter((word) => word !== '');
  const words = [...configured, ...asked];
  const readOnly = words.findLast((word) => word === 'ro' || word === 'rw') === 'ro';
  const real = realPath(node, mountPoint);
  if (!existsSync(real) || !lstatSync(real).isDirectory()) {
    return cannot('A file or directory in the path name does not exist.');
  }
  if (node.mounts.some((other) => other.volume === volume || other.mountPoint === mountPoint)) {
    return fails(deviceBusy(device, mountPoint));
  }
  const taken = snapshotIn(group, volume);
  if (words.includes('snapshot') !== (taken !== undefined) || taken?.snapshot.invalid) {
    return fails(incompatibleMedia(device, mountPoint));
  }
  const bytes = taken === undefined ? bytesOf(group, volume) : bytesOfSnapshot(group, taken.of, taken.snapshot);
  const superblock = readSuperblock(bytes);
  if (superblock === undefined) return fails(incompatibleMedia(device, mountPoint));
  // A split copy that cannot be written is mounted as it is, and so is a snapshot.
  const fixed = taken !== undefined || volume.readOnly === true;
  if (fixed && !readOnly && taken === undefined) return cannot('The file system is read only.');
  // What cannot be written has no fsck: its log is read instead.
  const entries = fixed ? readNewestEntries(bytes) : readEntries(bytes);
  if (entries === undefined || (!fixed && superblock.state !== 'clean')) {
    const replay = superblock.state === 'in-use' ? `Replaying log for ${device}.\n` : '';
    return fails(`${replay}${incompatibleMedia(device, mountPoint)}${dirtySuperblock(device)}`);
  }
  const logName = stanza?.attributes.get('log');
  const log = superblock.inlineLog || logName === 'INLINE' ? device : logName;
  const logVolume =
    log?.startsWith('/dev/') && log !== device ? volumeOf(machine, node, log.slice('/dev/'.length)) : undefined;
  if (log !== device && log !== undefined && !readOnly && !fixed) {
    if (logVolume?.varied === undefined || !isFormattedLog(logVolume.group, logVolume.volume)) {
      return cannot(`${log} is not a log that can be used.`);
    }
  }
  const others = words.filter((word) => word !== 'ro' && word !== 'rw' && !word.startsWith('log='));
  const showLog = log !== undefined && (!readOnly || stanza !== undefined);
  const made: Mount = {
    group,
    volume,
    bytes,
    mountPoint,
    vfs: options.value('v') ?? options.value('V') ?? stanza?.attributes.get('vfs') ?? volume.type,
    readOnly: readOnly || fixed,
    options: [readOnly || fixed ? 'ro' : 'rw', ...others, ...(showLog ? [`log=${log}`] : [])].join(','),
    since: machine.now(),
    native: false,
    covered: cover(node, mountPoint, join(machine.directory, 'nodes', node.name, 'covered', String(machine.serial++))),
    flushed: new Map(),
    freeze: undefined,
  };
  if (!made.readOnly) markState(bytes, 'in-use');
  node.mounts.push(made);
  materialise(node, made, entries);
  return prints('');
}

function printMounts(node: NodeState): string {
  const rows = node.mounts.map((made) => {
    const cells = [
      `/dev/${made.volume.name}`.padEnd(16),
      made.mountPoint.padEnd(16),
      made.vfs.padEnd(6),
      shortDate(made.since),
      made.options.padEnd(15),
    ];
    return `         ${cells.join(' ')} `;
  });
  const head = [
    '  node       mounted        mounted over    vfs       date        options      ',
    '-------- ---------------  ---------------  ------ ------------ --------------- ',
  ];
  return [...head, ...rows, ''].join('\n');
}

/** `umount`, also `unmount`: by mount point or device. */
export const umount: Command = {
  options: 'fst:n:a',
  run(call): Answer {
    const { machine, node } = call;
    const [target] = call.operands;
    if (target === undefined) return fails(usage(call.program));
    const made = node.mounts.find(
      ({ mountPoint, volume }) => mountPoint === target || `/dev/${volume.name}` === target,
    );
    if (made === undefined) return fails('umount: 0506-347 Cannot find anything to unmount.\n');
    const nested = node.mounts.some((other) => other !== made && isBelow(other.mountPoint, made.mountPoint));
    const used = machine.programs && !made.native && usersOf(realPath(node, made.mountPoint)).length > 0;
    if (made.native || nested || used) {
      return fails(`umount: 0506-349 Cannot unmount /dev/${made.volume.name}: The requested resource is busy.\n`);
    }
    unmount(node, made);
    return prints('');
  },
};

/** `sync`: what is changed reaches the disks; the superblocks still point where they did. */
export const sync: Command = {
  options: '',
  run({ node }): Answer {
    for (const made of node.mounts) if (!isHeld(made)) flush(node, made, { checkpoint: false });
    return prints('');
  },
};
