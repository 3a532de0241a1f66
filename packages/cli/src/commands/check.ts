import {
  formProblems,
  leftOutText,
  missingPrograms,
  type PlanningContext,
  type Problem,
  planBackup,
  programSteps,
  quiescePrograms,
  type Store,
} from '@splitmirror/backup';
import { releasePath } from '@splitmirror/hacmp';
import { changes, type Host, reads, type Script, type StepResult } from '@splitmirror/host';
import type { AdapterChoice } from '@splitmirror/ssh';
import type { Directions } from '../command-line.ts';
import { lookForNamed } from '../config/named-here.ts';
import { policyOf, scheduleOf } from '../config/policy.ts';
import { ConfigError, settingError } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import { storeOf, withNodes } from '../connect.ts';
import { exitCodeOfProblems } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { bytesText } from '../units.ts';
import { planningStore } from './planning-store.ts';
import { problemsOf, problemText } from './problems.ts';
import { tellOutcome } from './report-text.ts';

/** One thing that was looked at: what is well, or everything that is wrong with it. */
interface Check {
  readonly subject: string;
  readonly says: string;
  readonly problems: readonly Problem[];
}

interface NodeCheck extends Check {
  readonly node: string;
  /** Whether it has the script that lets split copies go before a group is released; `null` when it does not say. */
  readonly releaseScript: boolean | null;
}

/**
 * Looks at everything that a backup needs and changes nothing: the store, what the settings name on this machine, each node
 * (reached, its host key known, let in, allowed to act, the commands of the quiesce there), and each group up to the plan that
 * a backup would run.
 */
export async function check(session: Omit<Session, 'context'>): Promise<number> {
  const { config, reporter, signal, remedyText } = session;
  const store = storeOf(config);
  const found: Check[] = [];
  const tell = (checked: Check) => {
    // What an interrupt has cut off reads like something that is wrong.
    signal.throwIfAborted();
    tellOutcome(reporter, checkText(checked, found, session), checked.problems.length === 0);
    found.push(checked);
  };
  const stored = await checkStore(store);
  tell(stored);
  const unencrypted = await unusableRecipients(config);
  const settings = await checkSettings(config, unencrypted);
  if (settings !== null) tell(settings);
  const clients = new Map<string, AdapterChoice>();
  const listener = {
    warn: reporter.warn,
    onClient: (node: string, choice: AdapterChoice) => clients.set(node, choice),
  };
  await withNodes(config, listener, async (nodes) => {
    // What is wrong with the store was told, and hides nothing else.
    const context: PlanningContext = { ...nodes, store: await planningStore(store, () => {}) };
    const lacks = [
      ...(stored.problems.length === 0 ? [] : ['the store could be used']),
      ...(unencrypted.length === 0 ? [] : ['its archives could be encrypted']),
    ];
    const programs = programsOf(config);
    const checks = Array.from(context.hosts, ([node, host]) => checkNode(node, host, programs, clients, signal));
    for (const each of checks) tell(await each);
    // One after another: each of them asks all nodes.
    for (const group of Object.keys(config.groups).sort())
      tell(await checkGroup(context, config, group, lacks, signal));
    for (const line of releaseHint(await Promise.all(checks))) reporter.line(remedyText(line));
  });
  reporter.result({ checks: found });
  return exitCodeOfProblems(found.flatMap(({ problems }) => problems));
}

/** A check for a person; what an earlier one has told of a node is not told again. */
function checkText({ subject, says, problems }: Check, before: readonly Check[], directions: Directions): string[] {
  const told = before.flatMap((check) => check.problems);
  const isTold = ({ code, node }: Problem) =>
    node !== null && told.some((other) => other.code === code && other.node === node);
  const fresh = problems.filter((problem) => !isTold(problem));
  const again = [...new Set(problems.filter(isTold).map(({ node }) => node))];
  return [
    `${problems.length === 0 ? 'ok     ' : 'problem'}  ${subject}: ${says}`,
    ...problemText(fresh, directions),
    ...(again.length === 0 ? [] : [`  and what is told above of ${again.join(' and ')}`]),
  ];
}

async function checkStore(store: Store): Promise<Check> {
  const subject = `store ${store.root}`;
  try {
    await store.require('write');
    const free = await store.freeBytes();
    const says = (await store.exists()) ? 'can be written' : 'not there yet: the first backup makes it';
    return { subject, says: `${says}, ${roomText(store, free)}`, problems: [] };
  } catch (error) {
    return { subject, says: 'cannot be used', problems: problemsOf(error, null) };
  }
}

/** Room for archives, and of what: a repository lies elsewhere. */
function roomText({ root, archivesIn }: Store, free: number): string {
  if (archivesIn === root) return `with ${bytesText(free)} free`;
  return free === Number.POSITIVE_INFINITY
    ? `and how much room ${archivesIn} has cannot be told`
    : `and ${archivesIn} has ${bytesText(free)} free`;
}

/** Whether everything is here that the settings name, and whether they agree; `null` where there is nothing to look at. */
async function checkSettings(config: Config, unencrypted: readonly ConfigError[]): Promise<Check | null> {
  const { count, errors } = await lookForNamed(config);
  const problems = [...errors, ...unencrypted, ...unapprovable(config)].flatMap((error) => problemsOf(error, null));
  if (count === 0 && problems.length === 0) return null;
  const says = problems.length === 0 ? `what they name on this machine is here (${count})` : 'cannot all be followed';
  return { subject: 'settings', says, problems };
}

/** Recipients to which nothing can be encrypted; none is quoted, since it might be a secret. */
async function unusableRecipients(config: Config): Promise<ConfigError[]> {
  const { recipients } = config.archives;
  const problems = await formProblems({ recipients });
  return problems.map(({ seen, remedy }) => settingError(config, ['archives', 'recipients'], seen, { remedy }));
}

/** Schedules that nobody can follow: a plan is approved before it runs, and a window makes its own. */
function unapprovable(config: Config): ConfigError[] {
  return Object.entries(config.groups)
    .filter(([, { schedule, approval }]) => schedule !== undefined && approval === 'required')
    .map(([name]) =>
      settingError(
        config,
        ['groups', name, 'approval'],
        'a schedule makes a plan for each window, which nobody can have approved: every window would be refused',
        {
          remedy: `Remove groups.${name}.schedule, and run approved plans: splitmirror plan ${name} --save FILE. Or say approval: none.`,
        },
      ),
    );
}

async function checkNode(
  node: string,
  host: Host,
  programs: readonly string[],
  clients: ReadonlyMap<string, AdapterChoice>,
  signal: AbortSignal,
): Promise<NodeCheck> {
  const subject = `node ${node}`;
  const silent = { subject, node, releaseScript: null };
  try {
    const outcome = await host.run(nodeScript(programs), { signal });
    if (outcome.kind !== 'completed') {
      const seen = outcome.kind === 'unknown' ? outcome.reason : outcome.kind;
      return { ...silent, says: 'did not answer to the end', problems: [problem('HOST_LOST', node, seen)] };
    }
    const user = outcome.steps.find(({ id }) => id === 'user');
    const seen = user?.kind === 'ended' ? user.stdout.trim() || user.stderr.trim() : 'no answer';
    const isRoot = user?.kind === 'ended' && user.exitCode === 0 && seen === '0';
    const problems = [
      ...(isRoot ? [] : [problem('NOT_ROOT', node, seen)]),
      ...missingPrograms(node, programs, outcome.steps),
    ];
    const client = clients.get(node);
    // The embedded client is the rule; why it is another one is what an operator asks.
    const reached = client?.adapter === 'openssh' ? `reached with OpenSSH (${client.because})` : 'reached';
    const says = problems.length === 0 ? `${reached}, may act as root` : reached;
    return { subject, node, releaseScript: hasReleaseScript(outcome.steps), says, problems };
  } catch (error) {
    return { ...silent, says: 'cannot be asked', problems: problemsOf(error, node) };
  }
}

function hasReleaseScript(steps: readonly StepResult[]): boolean | null {
  const listed = steps.find(({ id }) => id === 'release');
  if (listed?.kind !== 'ended') return null;
  if (listed.exitCode === 0) return true;
  return /not exist|No such file/i.test(listed.stderr) ? false : null;
}

/** What a planned move of a group meets on the nodes that were asked; no problem of a backup, and told once. */
function releaseHint(checks: readonly NodeCheck[]): string[] {
  const bare = checks.filter(({ releaseScript }) => releaseScript === false).map(({ node }) => node);
  if (bare.length === 0) return [];
  return [
    `hint     release script: not on ${bare.join(', ')}; without it a planned move of a group fails while its copies are mounted`,
    '  "splitmirror events install" puts it there, and says what calls it.',
  ];
}

/** What a node is asked: as whom commands that change something are run there, whether it has these programs, and the release script. */
export function nodeScript(programs: readonly string[]): Script {
  // It goes the way of a change, through sudo where changes do, and changes nothing.
  const user = { id: 'user', run: changes('id', '-u'), timeoutSeconds: 30, onFailure: 'continue' } as const;
  const release = {
    id: 'release',
    run: reads('ls', '-ld', releasePath),
    timeoutSeconds: 30,
    onFailure: 'continue',
  } as const;
  return { steps: [user, release, ...programSteps(programs)] };
}

const known: Readonly<Record<string, Pick<Problem, 'message' | 'remedy'>>> = {
  HOST_LOST: { message: 'the link was lost', remedy: 'Check again; a backup needs a link that lasts.' },
  NOT_ROOT: {
    message: 'what changes something would not be run as root, and only root may split a mirror',
    remedy: 'Set ssh.user to root, or ssh.sudo to let this user act, with the rules that "splitmirror sudoers" prints.',
  },
};

function problem(code: keyof typeof known & string, node: string, seen: string): Problem {
  return { code, node, message: '', remedy: '', seen, ...known[code] };
}

async function checkGroup(
  context: PlanningContext,
  config: Config,
  group: string,
  lacks: readonly string[],
  signal: AbortSignal,
): Promise<Check> {
  const subject = `group ${group}`;
  try {
    if (config.groups[group]?.schedule !== undefined) scheduleOf(config, group);
    const { stored, ...policy } = policyOf(config, group);
    // What is wrong with recipients was told of the settings, and hides nothing else.
    const planned = { ...policy, stored: { ...stored, recipients: [] } };
    const { node, mirror, leftOut = [] } = await planBackup(context, group, planned, { signal });
    const volumes = mirror.volumes.map(({ volume, strategy }) => `${volume} by ${strategy}`).join(', ');
    const without = leftOut.length === 0 ? '' : `; left out on purpose: ${leftOut.map(leftOutText).join(', ')}`;
    const could = lacks.length === 0 ? 'could be backed up now' : `could be backed up if ${lacks.join(' and ')}`;
    return { subject, says: `held by ${node}, ${could}: ${volumes}${without}`, problems: [] };
  } catch (error) {
    signal.throwIfAborted();
    return { subject, says: 'could not be backed up now', problems: problemsOf(error, null) };
  }
}

/** Programs of all quiesce commands, each once. Settings that bring none, since they are wrong, are told with their group. */
function programsOf(config: Config): string[] {
  const hooks = Object.keys(config.groups).flatMap((group) => {
    try {
      return policyOf(config, group).quiesce ?? [];
    } catch (error) {
      if (error instanceof ConfigError) return [];
      throw error;
    }
  });
  return [...new Set(hooks.flatMap(quiescePrograms))].sort();
}
