import type { Phase } from '../ports.ts';
import { lockingScript, unlockingScript } from '../run/lock.ts';
import type { RunPlan } from './run-plan.ts';

/** What a lock holds that is known only when it is taken. */
interface LockDetails {
  /** What it is written with; without it a placeholder, for a person to read. */
  readonly token?: string | undefined;
  /** UTC, ISO 8601; default when the plan was made. */
  readonly since?: string | undefined;
}

/** Stands in commands that are shown for the 32 hex digits that each run makes for its lock, and that nobody can guess. */
const anyToken = 'TOKEN';

/**
 * What takes the lock of a group before a run, and what gives it back at the end: the commands that a plan has beside its
 * phases. They are those of every run; only the token of its lock is the run's own.
 */
export function lockPhases(
  plan: RunPlan,
  { token = anyToken, since = plan.createdAt }: LockDetails = {},
): { readonly lock: Phase; readonly unlock: Phase } {
  const { node, notes, group, run, mirror } = plan;
  const holder = {
    splitmirror: 1,
    run,
    group,
    token,
    // In nobody's name: no machine can tell that a person is gone.
    controller: { host: 'run-book by hand', pid: 1, birth: null },
    since,
    intended: mirror.volumes.map(({ volume, copies, strategy }) => ({ volume, copies, strategy })),
  } as const;
  const [taking, giving] = [lockingScript(notes, holder), unlockingScript(notes, holder)];
  return {
    lock: {
      name: 'lock',
      node,
      title: `Keep every other run away from ${group}`,
      script: taking,
      explains: {
        directory: 'Make the place of the lock, in a file system of the group: it goes where the group goes.',
        write: 'Write who asks for the group, and how many copies its volumes shall have again.',
        lock: 'Ask for the group: from now on the file counts.',
        tidy: 'Take away what a write that failed has left.',
        names: 'See who else asks for the group: whoever sees another takes its own file away again, and does nothing.',
      },
      undo: [],
    },
    unlock: {
      name: 'unlock',
      node,
      title: 'Give the group back',
      script: giving,
      explains: {
        unlock: 'Give the group back.',
        directory: 'Remove the place of the lock, where nothing else lies in it.',
      },
      undo: [],
    },
  };
}
