import { type Answer, fails, prints } from '../command.ts';
import { atLeast, type Call, type Command, writableVolume } from './commands.ts';
import { controlText } from './control-blocks.ts';
import { growToVolume } from './labfs.ts';
import { bytesOf } from './logical-volumes.ts';
import { changed, volumeOf } from './machine.ts';
import { cannotAllocate, notInOdm, unable, usage } from './messages.ts';
import { freeze, thaw } from './mounts.ts';
import { splitOnline } from './online-splits.ts';
import { readPairs } from './options.ts';
import { allocateCopy } from './placement.ts';
import { sizeInBytes } from './sizes.ts';
import type { Stanza } from './stanzas.ts';
import { copyCount, type LogicalVolume } from './volume-groups.ts';

/** `chfs`: freezes and thaws, grows, changes the stanza. What it does not understand goes into the stanza. */
export const chfs: Command = {
  options: 'a:A:d:m:n:p:t:u:',
  run(call): Answer {
    const { machine, node, options, operands, program } = call;
    const [mountPoint = ''] = operands;
    const stanza = node.stanzas.find(mountPoint);
    if (stanza === undefined) return fails(`${program}: 0506-932 ${mountPoint} is not a known file system.\n`);
    const attributes = new Map(stanza.attributes);
    const device = (attributes.get('dev') ?? '').replace(/^\/dev\//, '');
    for (const [key, value] of readPairs(options.values('a'))) {
      // Older levels store it in the stanza, like everything that they do not understand.
      if ((key === 'freeze' || key === 'refreeze') && atLeast(machine.level, '5.2')) {
        const refused = changeFreeze(call, mountPoint, key, value);
        if (refused !== undefined) return refused;
      } else if (key === 'splitcopy' && stanza.attributes.get('vfs') === 'jfs') {
        const mount = node.mounts.find((candidate) => candidate.mountPoint === mountPoint);
        if (mount === undefined) return fails(`${program}: ${mountPoint} is not mounted.\n`);
        return splitOnline(call, mount, stanza, value, readPairs(options.values('a')).get('copy'));
      } else if (key === 'size') {
        return grow(call, device, value);
      } else attributes.set(key, value);
    }
    const auto = options.value('A');
    if (auto !== undefined) attributes.set('mount', auto.startsWith('y') ? 'true' : 'false');
    const permissions = options.value('p');
    if (permissions !== undefined) attributes.set('options', permissions);
    const group = options.value('u');
    if (group !== undefined) attributes.set('type', group);
    const account = options.value('t');
    if (account !== undefined) attributes.set('account', account.startsWith('y') ? 'true' : 'false');
    const name = options.value('m') ?? mountPoint;
    const same = name === mountPoint && JSON.stringify([...attributes]) === JSON.stringify([...stanza.attributes]);
    if (same) return prints('');
    if (name !== mountPoint) {
      if (node.mounts.some((mount) => mount.mountPoint === mountPoint))
        return fails(`${program}: ${mountPoint} is mounted.\n`);
      node.stanzas.remove(mountPoint);
    }
    const next: Stanza = { name, attributes };
    node.stanzas.put(next);
    const found = volumeOf(machine, node, device);
    if (found?.varied !== undefined && found.varied !== 'passive') {
      found.volume.fileSystem = controlText(next);
      if (name !== mountPoint) found.volume.label = name;
      changed(machine, found.group, found.volume);
    }
    return prints('');
  },
};

function changeFreeze(
  { machine, node, program }: Call,
  mountPoint: string,
  key: string,
  value: string,
): Answer | undefined {
  const mount = node.mounts.find((candidate) => candidate.mountPoint === mountPoint);
  if (mount === undefined) return fails(`${program}: ${mountPoint} is not mounted.\n`);
  if (mount.vfs !== 'jfs2') return fails(`${program}: freeze is not supported on ${mount.vfs} file systems.\n`);
  const frozen = mount.freeze !== undefined;
  if (key === 'freeze' && value === 'off') {
    // How AIX reports a thaw after the timeout is not known; the lab takes it for an error.
    if (!frozen) return fails(`${program}: ${mountPoint} is not frozen.\n`);
    thaw(mount);
    return undefined;
  }
  const seconds = Number(value);
  if (!/^\d+$/.test(value) || seconds < 1) return fails(`${program}: ${key}=${value} is not valid.\n`);
  if ((key === 'freeze') === frozen)
    return fails(`${program}: ${mountPoint} is ${frozen ? 'already' : 'not'} frozen.\n`);
  freeze(node, mount, machine.timers, seconds);
  return undefined;
}

function grow(call: Call, device: string, value: string): Answer {
  const found = writableVolume(call, device, notInOdm(call.program, device));
  if ('refusal' in found) return found.refusal;
  const { group, volume } = found;
  const now = volume.map.length * group.partitionBytes;
  const amount = sizeInBytes(value.replace(/^[+-]/, ''));
  if (amount === undefined || value.startsWith('-')) return fails(usage(call.program));
  const bytes = value.startsWith('+') ? now + amount : amount;
  const rows = Math.ceil(bytes / group.partitionBytes) - volume.map.length;
  if (rows < 0) return fails(usage(call.program));
  if (volume.map.length + rows > volume.maxPartitions) {
    return fails(
      unable(
        '0516-787',
        'extendlv',
        `Maximum allocation for logical volume ${device}\n        is ${volume.maxPartitions}.`,
      ),
    );
  }
  const copies = copyCount(volume);
  const added: LogicalVolume['map'] = Array.from({ length: rows }, () => []);
  for (let copy = 0; copy < copies; copy++) {
    const disks = new Set(volume.map.flatMap((row) => row[copy]?.disk ?? []));
    const order = group.disks.toSorted((a, b) => Number(disks.has(b)) - Number(disks.has(a)));
    const placed = allocateCopy(group, added, order, volume.strict);
    if (placed === undefined) return fails(cannotAllocate);
    placed.forEach((partition, row) => {
      added[row]?.push(partition);
    });
  }
  volume.map.push(...added);
  growToVolume(bytesOf(group, volume));
  changed(call.machine, group, volume);
  return prints(`Filesystem size changed to ${(volume.map.length * group.partitionBytes) / 512}\n`);
}
