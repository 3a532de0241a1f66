import { type Command, members, type Pipeline, renderCommand } from './command.ts';
import { requireWhole } from './numbers.ts';

/** One command of a script. */
export interface Step {
  /** Unique within the script: letters, digits and `._:/-`, at most 80 characters. */
  readonly id: string;
  readonly run: Command | Pipeline;
  /** Text that the (first) command reads from its standard input, ending in a line feed; without it the input is empty. */
  readonly stdin?: string | undefined;
  /**
   * Whole seconds, from 1 to 2147483647, after which the command and what it has started are ended: TERM, five seconds
   * later KILL. (Under dash and busybox, which have no job control without a terminal, KILL reaches the command only.)
   * There is no step without a deadline: some AIX queries wait for ever for a lock.
   */
  readonly timeoutSeconds: number;
  /**
   * What follows a non-zero status or a timeout. `stop` (the default) skips the steps after this one, apart from those
   * that pay what is owed; `continue` goes on.
   */
  readonly onFailure?: 'stop' | 'continue' | undefined;
  /**
   * What is owed after the step's own non-zero status. `owes` (the default): it may have had its effect all the same.
   * `owes-nothing`: it has refused and done nothing, as a freeze does where somebody else has frozen, whose freeze is then
   * not ours to end. A deadline, a cancel or a signal leaves the debt in either case.
   */
  readonly onRefusal?: 'owes' | 'owes-nothing' | undefined;
  /**
   * Ids of earlier steps whose effect this step takes back. Such a step runs in its place when one of the named steps was
   * started, whatever has become of the script since: a failure, a deadline or a cancel does not skip it. That the named
   * step failed is no reason either: a freeze that timed out may well have frozen. Otherwise it is skipped.
   */
  readonly pays?: readonly string[] | undefined;
  /**
   * Ids of earlier steps that must have ended with 0, or this step is skipped, debt or not: the note of a suspended
   * application goes only after a confirmed resume.
   */
  readonly needs?: readonly string[] | undefined;
}

/** Steps that travel to the node in one round trip and run there one after another. */
export interface Script {
  readonly steps: readonly Step[];
}

/** AIX's own places of the commands that splitmirror uses, in the order in which they are searched. */
export const AIX_PATH =
  '/usr/bin:/usr/sbin:/sbin:/etc:/usr/es/sbin/cluster/utilities:/usr/es/sbin/cluster:/usr/es/sbin/cluster/cspoc:/usr/sbin/cluster/utilities:/usr/sbin/cluster';

/** The longest time that POSIX lets every utility count; `sleep` and `sudo -T` keep the deadlines. */
const mostSeconds = 2 ** 31 - 1;
const idPattern = /^[\w.:/-]{1,80}$/;

/**
 * Refuses a script that could not be run as it is meant.
 *
 * @throws RangeError with the id of the step at fault.
 */
export function checkScript(script: Script): void {
  const seen = new Set<string>();
  for (const step of script.steps) {
    if (!idPattern.test(step.id)) throw new RangeError(`step id ${JSON.stringify(step.id)} is not allowed`);
    if (seen.has(step.id)) throw new RangeError(`step id ${step.id} is used twice`);
    requireWhole(`step ${step.id}: timeoutSeconds`, step.timeoutSeconds, 1, mostSeconds);
    const { stdin = '\n' } = step;
    if (stdin.includes('\0') || !stdin.endsWith('\n') || !stdin.isWellFormed()) {
      throw new RangeError(`step ${step.id}: stdin must be text that ends in a line feed and holds no NUL byte`);
    }
    for (const { argv } of members(step.run)) {
      // The shell's `exec` would take it for an option of its own.
      if (/^(?:-|$)/.test(argv[0])) throw new RangeError(`step ${step.id}: ${JSON.stringify(argv[0])} is no program`);
    }
    for (const earlier of [...(step.pays ?? []), ...(step.needs ?? [])]) {
      if (!seen.has(earlier)) throw new RangeError(`step ${step.id} names ${earlier}, which does not come before it`);
    }
    seen.add(step.id);
  }
}

/** The script as an operator would read or type it: one line a step, in order. */
export function renderSteps(script: Script): string[] {
  return script.steps.map((step) => renderCommand(step.run));
}
