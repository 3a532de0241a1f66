import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, fails, prints } from '../command.ts';
import type { Call } from './commands.ts';
import { readNewestEntries } from './labfs.ts';
import { bytesOf } from './logical-volumes.ts';
import { type NodeState, realPath, volumeOf } from './machine.ts';
import { cover, flush, type Mount, materialise } from './mounts.ts';
import { nextName } from './names.ts';
import { splitOff } from './split-copies.ts';
import type { Stanza } from './stanzas.ts';
import { copyCount } from './volume-groups.ts';

/**
 * `chfs -a splitcopy=CMP [-a copy=N] MP` of a JFS: splits a copy off, makes a device for it, and mounts that for
 * reading. Only JFS can do it, and only with its log mirrored.
 */
export function splitOnline(
  call: Call,
  mount: Mount,
  stanza: Stanza,
  target: string,
  copy: string | undefined,
): Answer {
  const { machine, node, program } = call;
  const invalid = fails('jfs_syscall: A system call received a parameter that is not valid.\n');
  const log = volumeOf(machine, node, (stanza.attributes.get('log') ?? '').replace(/^\/dev\//, ''));
  if (log === undefined || copyCount(log.volume) < 2 || copyCount(mount.volume) < 2) return invalid;
  if (node.stanzas.find(target) !== undefined) return fails(`${program}: ${target} file system already exists.\n`);
  if (!isEmpty(node, target)) return fails(`${program}: ${target} is not an empty directory.\n`);
  flush(node, mount, { checkpoint: true });
  const { group, volume } = mount;
  const name = nextName(`${volume.name.slice(0, 9)}copy`, (candidate) =>
    group.volumes.some((other) => other.name === candidate),
  );
  const done = splitOff(call, group, volume, {
    copy: Number(copy ?? 2),
    persistent: true,
    child: name,
    writable: false,
    force: false,
  });
  if ('refusal' in done) return done.refusal;
  const { child } = done;
  if (child === undefined) return invalid;
  child.label = target;
  const attributes = new Map(stanza.attributes).set('dev', `/dev/${name}`).set('mount', 'false').set('options', 'ro');
  node.stanzas.put({ name: target, attributes });
  mkdirSync(realPath(node, target), { recursive: true });
  const made: Mount = {
    ...mount,
    volume: child,
    bytes: bytesOf(group, child),
    mountPoint: target,
    readOnly: true,
    options: 'ro',
    since: machine.now(),
    covered: cover(node, target, join(machine.directory, 'nodes', node.name, 'covered', String(machine.serial++))),
    flushed: new Map(),
    freeze: undefined,
  };
  node.mounts.push(made);
  materialise(node, made, readNewestEntries(made.bytes) ?? []);
  return prints('');
}

function isEmpty(node: NodeState, path: string): boolean {
  const directory = realPath(node, path);
  return !existsSync(directory) || readdirSync(directory).length === 0;
}
