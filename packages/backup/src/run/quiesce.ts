import { type Command, changes, renderCommand, type Script, type Step, type StepResult } from '@splitmirror/host';
import type { Problem } from '../ports.ts';

/** A command of a hook: its words alone, or with what it reads. Neither is a place for a secret: both are in the plan. */
export type QuiesceCommand = Command['argv'] | SpelledCommand;

/** A command of a hook with what it reads, or with seconds of its own. */
export interface SpelledCommand {
  readonly argv: Command['argv'];
  /** What it reads from its standard input; a last line feed is added where it lacks. */
  readonly stdin?: string | undefined;
  /** Seconds that it may take, when not those of the hooks. */
  readonly timeoutSeconds?: number | undefined;
}

/** How the application is brought to rest and let go again. */
export interface QuiesceHooks {
  /** Commands in order that nobody has to take back, for instance a checkpoint; they run first. */
  readonly before?: readonly QuiesceCommand[] | undefined;
  /** Commands in order; each must end with 0 before the split. */
  readonly suspend: readonly QuiesceCommand[];
  /**
   * Commands in order that undo the whole of `suspend`; safe to repeat, also when nothing is suspended. They run as soon as
   * one command of `suspend` was started, whatever else fails.
   */
  readonly resume: readonly QuiesceCommand[];
  /** Commands in order after a confirmed resume; one that fails, fails the backup. */
  readonly after?: readonly QuiesceCommand[] | undefined;
  /** What `resume` is when the node died meanwhile and the application does not run yet; without it `resume`. */
  readonly restart?: readonly QuiesceCommand[] | undefined;
  /** Seconds that each single command may take. */
  readonly timeoutSeconds: number;
  /**
   * What the split copies then are: `application` (the default) what the application itself calls a backup, `file-system`
   * what it would find after a power cut.
   */
  readonly consistency?: 'application' | 'file-system' | undefined;
}

/** Steps around a split, with one line for a person for each of them, by step id. */
interface QuiesceSteps {
  readonly suspend: readonly Step[];
  readonly resume: readonly Step[];
  readonly explains: Readonly<Record<string, string>>;
}

/**
 * Steps around the split. A note is written first and removed only after a confirmed resume: wherever the group is by
 * then, the note tells that somebody owes the application a resume (the quiesce debt).
 *
 * @param node Cluster node on which it is suspended: on another one the note is a debt for certain.
 */
export function quiesceSteps(hooks: QuiesceHooks | null, notes: string, run: string, node: string): QuiesceSteps {
  if (hooks === null) return { suspend: [], resume: [], explains: {} };
  const before = stepsOf('before', hooks.before, hooks);
  const suspensions = stepsOf('suspend', hooks.suspend, hooks);
  const after = stepsOf('after', hooks.after, hooks);
  if (suspensions.length === 0) return explained(before, after);
  const note: Step = {
    id: 'note',
    run: changes('tee', `${notes}/quiesce`),
    stdin: `${JSON.stringify({ splitmirror: 1, run, node, resume: hooks.resume })}\n`,
    timeoutSeconds: 30,
  };
  const debts = [note, ...suspensions].map(({ id }) => id);
  return explained([...before, note, ...suspensions], [...payingSteps(hooks, notes, debts), ...after]);
}

/** What each kind of step is for: the first part of its id. */
const purposes: Readonly<Record<string, string>> = {
  before: 'While the application still works',
  note: 'Note in a file system of the group that this run is about to suspend the application, and what resumes it',
  suspend: 'Bring the application to rest',
  resume: 'Let the application go on',
  settle: 'Take the note away: the application goes on for certain',
  after: 'Once the application works again',
};

function explained(suspend: readonly Step[], resume: readonly Step[]): QuiesceSteps {
  const lineOf = ({ id, run }: Step): string => {
    const purpose = purposes[id.split(':')[0] ?? ''] ?? id;
    // A command of the hooks has a number; ours say it all.
    return id.includes(':') ? `${purpose}: ${renderCommand(run)}` : `${purpose}.`;
  };
  return {
    suspend,
    resume,
    explains: Object.fromEntries([...suspend, ...resume].map((step) => [step.id, lineOf(step)])),
  };
}

/** Pays a quiesce debt that an earlier run left: resume, then remove the note. */
export function debtScript(hooks: QuiesceHooks, notes: string): Script {
  return { steps: payingSteps(hooks, notes, []) };
}

/** Lets the application go on, and leaves the note. */
export function resumeScript(hooks: QuiesceHooks): Script {
  return { steps: stepsOf('resume', hooks.resume, hooks) };
}

/**
 * Whether a suspension was cut off, by its deadline or by a signal: its command is gone, and what that has asked of the
 * application may still come into effect, at any time. Pure.
 */
export function wasCutOff(steps: readonly StepResult[]): boolean {
  return steps.some(
    (step) =>
      step.id.startsWith('suspend:') && (step.kind === 'timed-out' || (step.kind === 'ended' && step.exitCode > 128)),
  );
}

/**
 * Several applications of one group: brought to rest in this order, let go in the opposite one.
 *
 * @throws RangeError without any.
 */
export function quiesceInOrder(...applications: readonly QuiesceHooks[]): QuiesceHooks {
  if (applications.length === 0) throw new RangeError('name at least one application');
  const backwards = applications.toReversed();
  const timed = (of: readonly QuiesceHooks[], pick: (hooks: QuiesceHooks) => readonly QuiesceCommand[] | undefined) =>
    of.flatMap((hooks) => (pick(hooks) ?? []).map((command) => withTimeout(command, hooks.timeoutSeconds)));
  return {
    before: timed(applications, ({ before }) => before),
    suspend: timed(applications, ({ suspend }) => suspend),
    resume: timed(backwards, ({ resume }) => resume),
    after: timed(backwards, ({ after }) => after),
    restart: timed(applications, ({ restart, resume }) => restart ?? resume),
    timeoutSeconds: Math.max(...applications.map(({ timeoutSeconds }) => timeoutSeconds)),
    consistency: applications.some(({ consistency }) => consistency === 'file-system') ? 'file-system' : 'application',
  };
}

/** All commands of hooks, spelled out. */
export function commandsOf({ before = [], suspend, resume, after = [], restart = [] }: QuiesceHooks): SpelledCommand[] {
  return [...before, ...suspend, ...resume, ...after, ...restart].map(spelled);
}

/** Seconds that all commands of hooks may take together, restarts left out: as long as a run at work can hold the application, beside its freeze. */
export function quiesceSeconds(hooks: QuiesceHooks): number {
  return commandsOf({ ...hooks, restart: [] })
    .map(({ timeoutSeconds = hooks.timeoutSeconds }) => timeoutSeconds)
    .reduce((sum, seconds) => sum + seconds, 0);
}

/** Words that look like a secret are refused: a plan is shown, saved, signed and kept. */
export function secretProblems(hooks: QuiesceHooks | null, node: string): readonly Problem[] {
  if (hooks === null) return [];
  return commandsOf(hooks).flatMap(({ argv, stdin = '' }): Problem[] => {
    if (![...argv, argv.join(' '), stdin].some((text) => secret.test(text))) return [];
    return [
      {
        code: 'SECRET_IN_COMMAND',
        node,
        message: 'a quiesce command seems to hold a password',
        seen: argv[0],
        remedy:
          'Let the command use the authentication of the operating system, or read a file that only its user can.',
      },
    ];
  });
}

const secret = new RegExp(
  [
    /(?:pass(?:word|wd|phrase)?|pwd|secret|token)\s*[=:]\s*\S/, // password=x
    /--(?:password|token|secret)\b/,
    /\b\w+\/[^\s/@]+@\w/, // sqlplus user/password@service
    /:\/\/[^\s/:@]*:[^\s/@]+@/, // https://user:password@host
    /\buser\s+\S+\s+using\s+\S/, // db2 connect to books user x using password
    /\bidentified\s+by\s+\S/,
    /\bauthorization\s*:\s*\S/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

function payingSteps(hooks: QuiesceHooks, notes: string, debts: readonly string[]): Step[] {
  const resumes = stepsOf('resume', hooks.resume, hooks);
  return [
    ...resumes.map((step) => ({ ...step, pays: debts })),
    {
      id: 'settle',
      run: changes('rm', '-f', `${notes}/quiesce`),
      timeoutSeconds: 30,
      pays: debts.slice(0, 1),
      // A suspension that did not succeed may still come into effect: the way back resumes once more before the note goes.
      needs: [...debts.slice(1), ...resumes.map(({ id }) => id)],
    },
  ];
}

function stepsOf(name: string, commands: readonly QuiesceCommand[] | undefined, hooks: QuiesceHooks): Step[] {
  return (commands ?? []).map((command, index) => {
    const { argv, stdin, timeoutSeconds = hooks.timeoutSeconds } = spelled(command);
    const run: Command = { argv, effect: 'changes' };
    return { id: `${name}:${index}`, run, timeoutSeconds, ...(stdin === undefined ? {} : { stdin }) };
  });
}

function withTimeout(command: QuiesceCommand, timeoutSeconds: number): QuiesceCommand {
  return { timeoutSeconds, ...spelled(command) };
}

function spelled(command: QuiesceCommand): SpelledCommand {
  if (!('argv' in command)) return { argv: command };
  const { stdin } = command;
  // What ends a here-document has to stand on a line of its own.
  return stdin === undefined || stdin.endsWith('\n') ? command : { ...command, stdin: `${stdin}\n` };
}
