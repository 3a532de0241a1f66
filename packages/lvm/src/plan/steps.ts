import { changes, reads, type Step } from '@splitmirror/host';
import { copyPath, markRoot, readOurPath } from '../picture/marks.ts';
import { checkFileSystem, repairFileSystem, thaw } from '../readers/file-systems.ts';
import { listMounts, mountReadOnly, unmount } from '../readers/mounts.ts';
import { describeVolume } from '../readers/volumes.ts';
import { type Resync, synchronise } from './copies.ts';

/** A step and its line for a person. */
export type Explained = readonly [step: Step, explanation: string];

/** Seconds that steps may take. A split that lasts longer than its freeze is judged, not killed halfway. */
export const seconds = {
  query: 60,
  directory: 30,
  freeze: 60,
  thaw: 30,
  split: 300,
  label: 60,
  fsck: 14_400,
  mount: 120,
  remove: 300,
  add: 900,
  synchronise: 172_800,
};

/** What a change of a group that other nodes learn of late does to the next takeover. */
export function lateNews({ lazilyUpdated }: { readonly lazilyUpdated: boolean }): string {
  return lazilyUpdated
    ? ' Other nodes learn of it at the next takeover, which then takes longer, unless "importvg -L" tells them before.'
    : '';
}

/** `lslv`, whose answer is judged. */
export function query(id: string, volume: string, line: string): Explained {
  return [{ id, run: describeVolume(volume), timeoutSeconds: seconds.query }, line];
}

/** `mount`, whose answer is judged. */
export function mountTable(): Explained {
  return [
    { id: 'mounts', run: listMounts(), timeoutSeconds: seconds.query },
    'Prove that what is mounted is the copy, read-only.',
  ];
}

/** `mkdir -p` of the place where a copy is mounted. */
export function copyDirectory(run: string, volume: string): Explained {
  const path = copyPath(run, volume);
  return [
    { id: `directory:${volume}`, run: changes('mkdir', '-p', path), timeoutSeconds: seconds.directory },
    `Make the directory ${path}, on which the copy is mounted.`,
  ];
}

/** `fsck -p`, `fsck -n`: replays the log and proves that the file system is clean. */
export function fileSystemCheck(device: string, name: string): Explained[] {
  return [
    [
      { id: `repair:${name}`, run: repairFileSystem(device), timeoutSeconds: seconds.fsck },
      `Replay the log of ${name}: it was split while mounted.`,
    ],
    [
      { id: `fsck:${name}`, run: checkFileSystem(device), timeoutSeconds: seconds.fsck },
      `Prove that the file system on ${name} is clean.`,
    ],
  ];
}

/** `mount -o ro` of a copy. */
export function copyMount(device: string, name: string, path: string, vfs: string): Explained {
  return [
    { id: `mount:${name}`, run: mountReadOnly(device, path, vfs), timeoutSeconds: seconds.mount },
    `Mount ${name} for reading. No stanza is made: nothing is left that a takeover would mount.`,
  ];
}

/** `umount` of a path of ours. */
export function unmounting(name: string, path: string): Explained {
  return [{ id: `unmount:${name}`, run: unmount(path), timeoutSeconds: seconds.mount }, `Unmount ${path}.`];
}

/** `umount` and `rmdir` of a copy's place. */
export function withdrawal(run: string, volume: string): Explained[] {
  const path = copyPath(run, volume);
  return [unmounting(volume, path), directoryRemoval(volume, path)];
}

/** `syncvg` of one volume. Never while a copy of it is split by `chlvcopy`, `chfs` or `splitvg`. */
export function synchronisation(volume: string, resync: Resync): Explained {
  return [
    { id: `synchronise:${volume}`, run: synchronise(volume, resync), timeoutSeconds: seconds.synchronise },
    `Bring the copies of ${volume} in step.`,
  ];
}

/** `rmdir` of a directory of ours. */
export function directoryRemoval(name: string, path: string): Explained {
  return [
    { id: `rmdir:${name}`, run: changes('rmdir', path), timeoutSeconds: seconds.directory },
    `Remove the directory ${path}.`,
  ];
}

/** The directory that all runs share goes when it is empty, and stays when it is not. */
export function rootRemoval(): Explained {
  return [
    { id: 'rmdir', run: changes('rmdir', markRoot), timeoutSeconds: seconds.directory, onFailure: 'continue' },
    `Remove ${markRoot} if nothing is left in it.`,
  ];
}

/** `chfs -a freeze=off`, where nobody can tell whether it is needed. */
export function possibleThaw(mountPoint: string): Explained {
  return [
    { id: `thaw:${mountPoint}`, run: thaw(mountPoint), timeoutSeconds: seconds.thaw, onFailure: 'continue' },
    `Let the writers of ${mountPoint} go on, should they still be held; a refusal means that they are not.`,
  ];
}

/** Prints /etc/filesystems without the stanza of this name, and changes no other byte. A comment ends no stanza. */
const withoutStanza = '/^[^ \t*]/ { inside = ($1 == name ":") } !inside || /^[*]/ { print }';

/**
 * Removes a stanza of ours whose volume is not here any more, so that rmfs cannot. A new file is written with owner and
 * mode of the old one, and takes its name at once.
 */
export function stanzaRemoval(mountPoint: string): Explained[] {
  const file = '/etc/filesystems';
  const run = `${markRoot}/${readOurPath(mountPoint)?.run}`;
  const next = `${run}/filesystems`;
  const name = mountPoint.slice(markRoot.length);
  return [
    [
      { id: `place:${name}`, run: changes('mkdir', '-p', run), timeoutSeconds: seconds.directory },
      `Make a place for a new ${file}.`,
    ],
    [
      { id: `copy:${name}`, run: changes('cp', '-p', file, next), timeoutSeconds: seconds.directory },
      `Take owner and mode of ${file}.`,
    ],
    [
      {
        id: `drop:${name}`,
        run: {
          pipe: [reads('cat', file), reads('awk', '-v', `name=${mountPoint}`, withoutStanza), changes('tee', next)],
        },
        timeoutSeconds: seconds.directory,
      },
      `Write ${file} without the stanza ${mountPoint}, whose volume is gone.`,
    ],
    [
      { id: `stanza:${name}`, run: changes('mv', '-f', next, file), timeoutSeconds: seconds.directory },
      `Put the new ${file} in its place.`,
    ],
  ];
}
