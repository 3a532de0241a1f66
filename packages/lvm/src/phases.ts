import { changes, renderCommand, type Step } from '@splitmirror/host';
import { addCopies, labelVolume, type Resync, removeVolume, splitCopy, synchronise } from './copies.ts';
import { checkFileSystem, freeze, repairFileSystem, thaw } from './file-systems.ts';
import { copyPath, markRoot, splitMark } from './marks.ts';
import { listMounts, mountReadOnly, unmount } from './mounts.ts';
import type { Phase, SplitRequest } from './port.ts';
import { describeVolume } from './volumes.ts';

/** What a plan has decided for one volume. */
export interface Split {
  readonly volume: string;
  readonly copy: string;
  /** Copies before, and after the merge. */
  readonly copies: number;
  /** Disks of the copy that is split off. */
  readonly disks: readonly string[];
  /** Mirror pool of that copy, or `null`. */
  readonly pool: string | null;
  /** Its volume group is no enhanced concurrent one: other nodes do not learn at once what is changed. */
  readonly lazilyUpdated: boolean;
  /** Where the volume's JFS2 file system is mounted; `null` for a volume without one. */
  readonly mountPoint: string | null;
}

/** A step and its line for a person. */
export type Explained = readonly [step: Step, explanation: string];

/** Seconds that steps may take. A split that lasts longer than its freeze is judged, not killed halfway. */
const seconds = { query: 60, directory: 30, freeze: 60, thaw: 30, split: 300, label: 60, fsck: 14_400, mount: 120 };
const mergeSeconds = { remove: 300, add: 900, synchronise: 172_800 };

const lateNews =
  ' Other nodes learn of it at the next takeover, which then takes longer, unless "importvg -L" tells them before.';

/** Puts the steps of a phase together. */
export function phase(
  head: { readonly name: string; readonly node: string; readonly title: string; readonly undo: readonly string[] },
  steps: readonly Explained[],
): Phase {
  return {
    name: head.name,
    node: head.node,
    title: head.title,
    script: { steps: steps.map(([step]) => step) },
    explains: Object.fromEntries(steps.map(([step, line]) => [step.id, line])),
    undo: head.undo,
  };
}

/** Suspend, freeze, split, thaw, resume, label: one script, whose debts are paid whatever happens. */
export function splitPhase(node: string, splits: readonly Split[], request: SplitRequest, resync: Resync): Phase {
  const frozen = deepestFirst(splits.flatMap(({ mountPoint }) => mountPoint ?? []));
  const steps: Explained[] = [
    ...splits.map(
      ({ volume, copies }): Explained => [
        {
          id: `mark:${volume}`,
          run: changes('mkdir', '-p', splitMark(request.run, volume, copies)),
          timeoutSeconds: seconds.directory,
        },
        `Note on this node that ${volume} is being split and shall have ${copies} copies again.`,
      ],
    ),
    ...request.suspend.map((step): Explained => [step, `Bring the application to rest: ${renderCommand(step.run)}`]),
    ...frozen.map(
      (mountPoint): Explained => [
        {
          id: `freeze:${mountPoint}`,
          run: freeze(mountPoint, request.freezeSeconds),
          timeoutSeconds: seconds.freeze,
        },
        `Flush ${mountPoint} and hold its writers; the kernel lets them go after ${request.freezeSeconds} s by itself.`,
      ],
    ),
    ...splits.map(
      ({ volume, copy, copies, disks, lazilyUpdated }): Explained => [
        { id: `split:${volume}`, run: splitCopy(volume, copy, copies - 1, disks), timeoutSeconds: seconds.split },
        `Move the copy of ${volume} on ${disks.join(', ')} into the volume ${copy}; ${copies - 1} of ${copies} stay.${lazilyUpdated ? lateNews : ''}`,
      ],
    ),
    ...frozen.toReversed().map(
      (mountPoint): Explained => [
        {
          id: `thaw:${mountPoint}`,
          run: thaw(mountPoint),
          timeoutSeconds: seconds.thaw,
          pays: [`freeze:${mountPoint}`],
        },
        `Let the writers of ${mountPoint} go on.`,
      ],
    ),
    ...request.resume.map((step): Explained => [step, `Let the application go on: ${renderCommand(step.run)}`]),
    ...splits.flatMap(({ volume, copy }): Explained[] => [
      [
        {
          id: `label:${volume}`,
          run: labelVolume(copy, copyPath(request.run, volume)),
          timeoutSeconds: seconds.label,
        },
        `Label ${copy} as ours, so that a takeover cannot mistake it for ${volume}.`,
      ],
      query(`check:${volume}`, volume, `See that ${volume} kept its other copies.`),
      query(`check:${copy}`, copy, `See that ${copy} is a whole copy and a volume of its own.`),
    ]),
  ];
  return phase(
    {
      name: 'split',
      node,
      title: `Split one copy off ${list(splits.map(({ volume }) => volume))}`,
      undo: [...mergeCommands(splits, resync), ...clearing(request.run, splits).map(([{ run }]) => renderCommand(run))],
    },
    steps,
  );
}

/** Check the copies, mount them for reading, and prove what is mounted. */
export function exposePhase(node: string, run: string, splits: readonly Split[]): Phase {
  const mounted = withFileSystem(splits);
  const steps: Explained[] = [
    ...splits.flatMap(({ volume, copy }): Explained[] => [
      query(`check:${volume}`, volume, `Read the identifier of ${volume}.`),
      query(`check:${copy}`, copy, `Read identifier and label of ${copy}, which must be ours.`),
    ]),
    ...mounted.flatMap(({ volume, copy }): Explained[] => [
      [
        { id: `repair:${copy}`, run: repairFileSystem(`/dev/${copy}`), timeoutSeconds: seconds.fsck },
        `Replay the log of ${copy}: it was split while mounted.`,
      ],
      [
        { id: `fsck:${copy}`, run: checkFileSystem(`/dev/${copy}`), timeoutSeconds: seconds.fsck },
        `Prove that the file system on ${copy} is clean.`,
      ],
      [
        {
          id: `directory:${volume}`,
          run: changes('mkdir', '-p', copyPath(run, volume)),
          timeoutSeconds: seconds.directory,
        },
        `Make the directory on which ${copy} is mounted.`,
      ],
      [
        {
          id: `mount:${copy}`,
          run: mountReadOnly(`/dev/${copy}`, copyPath(run, volume)),
          timeoutSeconds: seconds.mount,
        },
        `Mount ${copy} for reading. No stanza is made: nothing is left that a takeover would mount.`,
      ],
    ]),
    [
      { id: 'mounts', run: listMounts(), timeoutSeconds: seconds.query },
      'Prove that what is mounted is the copy, read-only.',
    ],
  ];
  return phase(
    {
      name: 'expose',
      node,
      title: `Check and mount ${list(splits.map(({ copy }) => copy))}`,
      undo: withdrawing(run, splits).map(([{ run: command }]) => renderCommand(command)),
    },
    steps,
  );
}

/** Unmount the copies. They stay, with their names, until the merge. */
export function withdrawPhase(node: string, run: string, splits: readonly Split[]): Phase {
  return phase(
    {
      name: 'withdraw',
      node,
      title: `Unmount ${list(splits.map(({ copy }) => copy))}`,
      undo: withFileSystem(splits).flatMap(({ volume, copy }) => [
        renderCommand(changes('mkdir', '-p', copyPath(run, volume))),
        renderCommand(mountReadOnly(`/dev/${copy}`, copyPath(run, volume))),
      ]),
    },
    withdrawing(run, splits),
  );
}

/**
 * Remove each copy and give its partitions back to its volume at once, then synchronise. Removal and return travel in
 * one script and the return is a debt, so that no dead controller can come between them.
 */
export function mergePhase(node: string, run: string, splits: readonly Split[], resync: Resync): Phase {
  const steps: Explained[] = [
    ...splits.flatMap((split): Explained[] => [removal(split.copy), addition(split, [split.copy])]),
    ...splits.map(({ volume }) => synchronisation(volume, resync)),
    ...splits.map(({ volume }) => query(`check:${volume}`, volume, `See that ${volume} has all its copies again.`)),
    ...clearing(run, splits),
  ];
  return phase(
    { name: 'merge', node, title: `Merge the copies back into ${list(splits.map(({ volume }) => volume))}`, undo: [] },
    steps,
  );
}

/** `rmlv` of a split copy. */
export function removal(copy: string): Explained {
  return [
    { id: `remove:${copy}`, run: removeVolume(copy), timeoutSeconds: mergeSeconds.remove },
    `Remove the volume ${copy}.`,
  ];
}

/** `mklvcopy` back to the intended total. After the removal of split copies it is owed. */
export function addition(
  { volume, copies, disks, pool }: Pick<Split, 'volume' | 'copies' | 'disks' | 'pool'>,
  removed: readonly string[],
): Explained {
  const where = disks.length > 0 ? ` on ${disks.join(', ')}` : '';
  const run = addCopies(volume, copies, disks, pool);
  const step: Step = { id: `add:${volume}`, run, timeoutSeconds: mergeSeconds.add };
  const removals = removed.map((copy) => `remove:${copy}`);
  return [
    // A removal that failed leaves the copy where it is: then there is no room for another one.
    removals.length === 0 ? step : { ...step, pays: removals, needs: removals },
    `Give ${volume} its ${copies} copies again${where}; the new one is stale at first.`,
  ];
}

/** `syncvg` of one volume. */
export function synchronisation(volume: string, resync: Resync): Explained {
  return [
    { id: `synchronise:${volume}`, run: synchronise(volume, resync), timeoutSeconds: mergeSeconds.synchronise },
    `Bring the copies of ${volume} in step.`,
  ];
}

/** `umount` of a path of ours. */
export function unmounting(name: string, path: string): Explained {
  return [{ id: `unmount:${name}`, run: unmount(path), timeoutSeconds: seconds.mount }, `Unmount ${path}.`];
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

/** `lslv`, whose answer is judged. */
export function query(id: string, volume: string, line: string): Explained {
  return [{ id, run: describeVolume(volume), timeoutSeconds: seconds.query }, line];
}

function withdrawing(run: string, splits: readonly Split[]): Explained[] {
  return withFileSystem(splits).flatMap(({ volume }) => [
    unmounting(volume, copyPath(run, volume)),
    directoryRemoval(volume, copyPath(run, volume)),
  ]);
}

function clearing(run: string, splits: readonly Split[]): Explained[] {
  return [
    ...splits.map(({ volume, copies }) => directoryRemoval(`mark:${volume}`, splitMark(run, volume, copies))),
    directoryRemoval(run, `${markRoot}/${run}`),
    rootRemoval(),
  ];
}

function mergeCommands(splits: readonly Split[], resync: Resync): string[] {
  return splits.flatMap(({ volume, copy, copies, disks, pool }) =>
    [removeVolume(copy), addCopies(volume, copies, disks, pool), synchronise(volume, resync)].map(renderCommand),
  );
}

function withFileSystem(splits: readonly Split[]): readonly Split[] {
  return splits.filter(({ mountPoint }) => mountPoint !== null);
}

function deepestFirst(mountPoints: readonly string[]): string[] {
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return mountPoints.toSorted((a, b) => depth(b) - depth(a) || (a < b ? -1 : 1));
}

function list(names: readonly string[]): string {
  return names.join(', ');
}
