import { changes, reads, type Step } from '@splitmirror/host';
import { paceOf, type Resync } from '../plan/copies.ts';
import { directoryRemoval, type Explained, seconds } from '../plan/steps.ts';
import { listFileSystems } from '../readers/file-systems.ts';
import { prefix } from './separation.ts';

/** Without a resync, which has nothing to do there and must never begin. */
export function variation(group: string, onFailure: Step['onFailure'] = 'stop'): Explained {
  return [
    { id: `vary-on:${group}`, run: changes('varyonvg', '-n', group), timeoutSeconds: seconds.split, onFailure },
    `Vary ${group} on, should it be off.`,
  ];
}

export function joining(group: string, made: string): Explained {
  return [
    { id: `join:${group}`, run: changes('joinvg', group), timeoutSeconds: seconds.add },
    `Take the disks of ${made} back into ${group}; LVM begins to bring its volumes in step.`,
  ];
}

/** What would be left of a split that was not taken back as a whole. */
export function traces(made: readonly string[]): Explained[] {
  return [
    ...made.map(
      (group): Explained => [
        { id: `gone:${group}`, run: reads('lsvg'), timeoutSeconds: seconds.query },
        `See that ${group} is gone.`,
      ],
    ),
    [
      { id: 'stanzas', run: listFileSystems(), timeoutSeconds: seconds.query },
      'See that the stanzas which splitvg made are gone.',
    ],
  ];
}

/** Never while the group is separated. */
export function groupSynchronisation(group: string, resync: Resync): Explained {
  return [
    {
      id: `synchronise:${group}`,
      run: changes('syncvg', ...paceOf(resync), '-v', group),
      timeoutSeconds: seconds.synchronise,
    },
    `Bring all volumes of ${group} in step.`,
  ];
}

/**
 * Directories that AIX makes for the copies' file systems. That they are made is not known for every level, so each is
 * made again before it is removed; those above them go when nothing else is in them.
 */
export function directoryRemovals(mountPoints: readonly (string | null)[]): Explained[] {
  // Nested ones first.
  const paths = mountPoints
    .flatMap((mountPoint) => (mountPoint === null ? [] : [`/${prefix}${mountPoint}`]))
    .toSorted()
    .reverse();
  const above = new Set(paths.flatMap((path) => parentsOf(path)).filter((path) => !paths.includes(path)));
  return [
    ...paths.map(
      (path): Explained => [
        { id: `mkdir:${path}`, run: changes('mkdir', '-p', path), timeoutSeconds: seconds.directory },
        `Make sure of ${path}, which splitvg may have made.`,
      ],
    ),
    ...paths.map((path): Explained => directoryRemoval(path, path)),
    ...[...above]
      .toSorted()
      .reverse()
      .map(
        (path): Explained => [
          {
            id: `rmdir:${path}`,
            run: changes('rmdir', path),
            timeoutSeconds: seconds.directory,
            onFailure: 'continue',
          },
          `Remove ${path} if nothing is left in it.`,
        ],
      ),
  ];
}

function parentsOf(path: string): string[] {
  const above = path.slice(0, path.lastIndexOf('/'));
  return above === '' ? [] : [above, ...parentsOf(above)];
}
