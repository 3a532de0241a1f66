import type { Problem } from '../ports.ts';
import type { Holder } from './lock.ts';

/** Somebody else holds the group: who, since when, from where, and what can be done. */
export function groupLocked(holder: Holder, node: string, seen = 'the lock of the group'): Problem {
  const { run, group, since, controller, givenUp, writes } = holder;
  const process = `process ${controller.pid} on ${controller.host}`;
  const message = `run ${run} holds ${group} since ${since}, ${process}`;
  if (givenUp === 'unsettled') {
    return {
      ...{ code: 'GROUP_LOCKED', node, message },
      seen: 'a restore that could not learn whether its last command has ended, and may still write',
      remedy: `Make sure on ${node} that nothing of this restore writes any more, then run: splitmirror recover ${group} --break-lock`,
    };
  }
  if (writes === true && givenUp === undefined) {
    return {
      ...{ code: 'GROUP_LOCKED', node, message },
      seen: 'a restore into the group, whose commands may outlive its process',
      remedy: `Wait for that restore. When ${process} is gone, make sure on ${node} that nothing of it writes any more, then run: splitmirror recover ${group} --break-lock`,
    };
  }
  return {
    ...{ code: 'GROUP_LOCKED', node, message, seen },
    remedy: `Wait for that run; when its process is gone, run: splitmirror recover ${group}. When that cannot be told from here and it is certain that ${process} is gone, run: splitmirror recover ${group} --break-lock`,
  };
}
