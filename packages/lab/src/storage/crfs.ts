import { mkdirSync, rmdirSync } from 'node:fs';
import { type Answer, fails, prints } from '../command.ts';
import {
  atLeast,
  type Call,
  type Command,
  confirmed,
  knownGroup,
  type Refusal,
  writableGroup,
  writableVolume,
} from './commands.ts';
import { controlText } from './control-blocks.ts';
import { formatVolume } from './labfs.ts';
import { bytesOf } from './logical-volumes.ts';
import { formatLog } from './logs.ts';
import { changed, isOpen, realPath } from './machine.ts';
import { cannotAllocate, mustBeClosed, noGroup, notInOdm, usage } from './messages.ts';
import { makeVolume, removeVolume } from './mklv.ts';
import { isTaken, nextName } from './names.ts';
import { readPairs } from './options.ts';
import { sizeInBytes } from './sizes.ts';
import { resyncInBackground, unsplit } from './split-copies.ts';
import type { Stanza } from './stanzas.ts';
import type { LogicalVolume, VolumeGroup } from './volume-groups.ts';

/** `crfs`: formats a volume, new or given, and adds its stanza. */
export const crfs: Command = {
  options: 'v:d:g:m:A:p:a:l:t:u:n:',
  async run(call): Promise<Answer> {
    const { machine, node, options, program } = call;
    const vfs = options.value('v') ?? 'jfs2';
    const mountPoint = options.value('m');
    const attributes = readPairs(options.values('a'));
    if (mountPoint === undefined) return fails(usage(program));
    if (vfs === 'jfs2' && !atLeast(machine.level, '5.1'))
      return fails(`${program}: ${vfs} is not a known file system type.\n`);
    if (!/^\/[^\s,]*$/.test(mountPoint)) return fails(`${program}: ${mountPoint} is not a valid mount point.\n`);
    if (node.stanzas.find(mountPoint) !== undefined) {
      return fails(`crfs: 0506-909 ${mountPoint} file system already exists.\n`);
    }
    const found = await volumeFor(call, vfs, attributes.get('size'));
    if ('refusal' in found) return found.refusal;
    const { group, volume } = found;
    if (isOpen(machine, volume)) return fails(mustBeClosed(program, volume.name));
    const log = attributes.get('logname') ?? attributes.get('log');
    const inlineLog = log === 'INLINE';
    const logDevice = inlineLog
      ? 'INLINE'
      : log === undefined
        ? await sharedLog(call, group, vfs)
        : `/dev/${log.replace(/^\/dev\//, '')}`;
    if (logDevice === undefined) return fails(cannotAllocate);
    const internalSnapshots = attributes.get('isnapshot') === 'yes' && atLeast(machine.level, '6.1');
    formatVolume(bytesOf(group, volume), { inlineLog, mtimeMs: machine.now().getTime(), internalSnapshots });
    const auto = options.value('A');
    const given = attributes.get('options');
    const stanza: Stanza = {
      name: mountPoint,
      attributes: new Map([
        ['dev', `/dev/${volume.name}`],
        ['vfs', vfs],
        ['log', logDevice],
        ['mount', auto === 'yes' || auto === 'y' ? 'true' : 'false'],
        ...(options.has('u') ? ([['type', options.value('u') ?? '']] as const) : []),
        ['options', given ?? options.value('p') ?? 'rw'],
        ['account', options.value('t') === 'yes' ? 'true' : 'false'],
      ]),
    };
    node.stanzas.put(stanza);
    volume.label = mountPoint;
    volume.type = vfs;
    volume.fileSystem = controlText(stanza);
    changed(machine, group, volume);
    mkdirSync(realPath(node, mountPoint), { recursive: true });
    const bytes = volume.map.length * group.partitionBytes;
    return prints(
      `File system created successfully.\n${bytes / 1024 - 64} kilobytes total disk space.\nNew File System size is ${bytes / 512}\n`,
    );
  },
};

type Volume = { readonly group: VolumeGroup; readonly volume: LogicalVolume };

async function volumeFor(call: Call, vfs: string, size: string | undefined): Promise<Refusal | Volume> {
  const device = call.options.value('d')?.replace(/^\/dev\//, '');
  if (device !== undefined) return writableVolume(call, device, notInOdm(call.program, device));
  const name = call.options.value('g') ?? '';
  const known = knownGroup(call, name, noGroup(call.program, name));
  if ('refusal' in known) return known;
  const refused = writableGroup(call, known.group);
  if (refused !== undefined) return refused;
  const bytes = sizeInBytes(size ?? '');
  if (bytes === undefined) return { refusal: fails(usage(call.program)) };
  const rows = Math.ceil(bytes / known.group.partitionBytes);
  const made = nextName(vfs === 'jfs' ? 'lv' : 'fslv', (candidate) => isTaken(call, candidate));
  return makeVolume(call, known.group, made, vfs, rows);
}

/** The log that file systems of the group share; it is made with the first of them. */
async function sharedLog(call: Call, group: VolumeGroup, vfs: string): Promise<string | undefined> {
  const type = vfs === 'jfs' ? 'jfslog' : 'jfs2log';
  const existing = group.volumes.find((volume) => volume.type === type);
  if (existing !== undefined) return `/dev/${existing.name}`;
  const name = nextName('loglv', (candidate) => isTaken(call, candidate));
  const made = await makeVolume(call, group, name, type, 1);
  if ('refusal' in made) return undefined;
  formatLog(group, made.volume);
  return `/dev/${name}`;
}

/** `rmfs`: removes the stanza **and** the volume; `-r` the directory too. */
export const rmfs: Command = {
  options: 'rif',
  async run(call): Promise<Answer> {
    const { node, options, operands, program } = call;
    const [mountPoint = ''] = operands;
    const stanza = node.stanzas.find(mountPoint);
    if (stanza === undefined) return fails(`${program}: 0506-936 ${mountPoint} is not a known file system.\n`);
    if (node.mounts.some((mount) => mount.mountPoint === mountPoint)) {
      return fails(`${program}: 0506-921 ${mountPoint} is currently mounted.\n`);
    }
    const device = (stanza.attributes.get('dev') ?? '').replace(/^\/dev\//, '');
    const found = writableVolume(call, device, notInOdm(program, device));
    if ('refusal' in found) return found.refusal;
    if (isOpen(call.machine, found.volume)) return fails(mustBeClosed('rmlv', device));
    if (options.has('i') && !(await confirmed(call))) return fails('');
    const { parent } = found.volume;
    if (parent !== undefined && found.group.volumes.includes(parent)) {
      unsplit(call.machine, found.group, parent);
      resyncInBackground(call.machine, node, found.group, [parent]);
    } else removeVolume(call, found.group, found.volume);
    node.stanzas.remove(mountPoint);
    if (options.has('r')) rmdirSync(realPath(node, mountPoint));
    return prints(`rmlv: Logical volume ${device} is removed.\n`);
  },
};
