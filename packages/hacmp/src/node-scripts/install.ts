import { changes, type Host, type Script, type ScriptOutcome, type Step } from '@splitmirror/host';
import { ask, runOn, type Signalled } from '../survey/ask.ts';
import type { Silence } from '../survey/silence.ts';
import type { Problem } from '../verdict/finding.ts';
import {
  type FileFinding,
  type Inspected,
  inspectionScript,
  judgeInspection,
  type NodeInspection,
} from './inspection.ts';
import type { Installation, ScriptFile } from './installation.ts';

/** What became of an installation, or what was found of it. */
export interface InstallReport {
  /** `done`: everything is as planned on all nodes, apart from what only a person can enter. */
  readonly kind: 'done' | 'incomplete';
  /** What each node has now, in the order of the plan. */
  readonly nodes: readonly NodeInspection[];
  readonly problems: readonly Problem[];
}

type Hosts = ReadonlyMap<string, Host>;

/** Reads everything back on all nodes at once, and changes nothing. Rejects only when aborted. */
export async function verifyInstallation(
  plan: Installation,
  hosts: Hosts,
  { signal }: Signalled = {},
): Promise<InstallReport> {
  const nodes = await Promise.all(plan.nodes.map((node) => inspect(plan, node, hosts, signal)));
  const problems = nodes.flatMap((found) =>
    found.kind === 'unreachable' ? silence(found) : [...fileProblems(found), ...registrationProblems(plan, found)],
  );
  return { kind: problems.length === 0 ? 'done' : 'incomplete', nodes, problems };
}

/**
 * Writes the files that are missing or outdated, each under another name first, and starts what has to be started. A file
 * that is not ours is never written over. Registers nothing: the report says what is left to be entered.
 */
export async function install(plan: Installation, hosts: Hosts, { signal }: Signalled = {}): Promise<InstallReport> {
  const failed = await Promise.all(
    plan.nodes.map(async (node) => {
      const found = await inspect(plan, node, hosts, signal);
      if (found.kind === 'unreachable') return [];
      const { files } = found;
      if (files.some(({ state }) => state === 'foreign' || state === 'unreadable')) return [];
      const wanted = plan.files.filter((_, index) => files[index]?.state !== 'installed');
      return run(
        'install',
        node,
        hosts,
        { steps: [...wanted.flatMap(writing), ...scripts('start', plan.start)] },
        signal,
      );
    }),
  );
  return withProblems(await verifyInstallation(plan, hosts, { signal }), failed.flat());
}

/**
 * Stops what was started and removes the files that are ours. Refuses on a node whose ODM still has one of them, or does
 * not say: an event whose script is gone fails.
 */
export async function uninstall(plan: Installation, hosts: Hosts, { signal }: Signalled = {}): Promise<InstallReport> {
  const problems = await Promise.all(
    plan.nodes.map(async (node) => {
      const found = await inspect(plan, node, hosts, signal);
      if (found.kind === 'unreachable') return [];
      const named = found.registrations.filter(({ state }) => state === 'registered' || state === 'unknown');
      if (named.length > 0) {
        return named.map(({ event, state, seen }): Problem => {
          return {
            code: 'EVENT_STILL_REGISTERED',
            node,
            message: `${event} may still run our script on ${node} (${state})`,
            seen,
            remedy: `Take it out in SMIT, synchronise, look at "odmget -q name=${event} HACMPevent", then remove again.`,
          };
        });
      }
      const ours = plan.files.filter((_, index) => isRemovable(found.files[index]?.state));
      const stops = plan.stop.filter(([program]) => ours.some(({ path }) => path === program));
      const steps = [
        ...scripts('stop', stops),
        ...ours.map(({ path }, index) => change(`remove:${index}`, 'rm', '-f', path)),
      ];
      return run('remove', node, hosts, { steps }, signal);
    }),
  );
  const nodes = await Promise.all(plan.nodes.map((node) => inspect(plan, node, hosts, signal)));
  const left = nodes.flatMap((found) =>
    found.kind === 'unreachable'
      ? silence(found)
      : found.files.filter(({ state }) => state !== 'missing').map((file) => fileLeft(found.node, file)),
  );
  const all = [...problems.flat(), ...left];
  return { kind: all.length === 0 ? 'done' : 'incomplete', nodes, problems: all };
}

function isRemovable(state: string | undefined): boolean {
  return state === 'installed' || state === 'outdated' || state === 'wrong-mode';
}

/** A file appears whole or not at all, and with its permissions. */
function writing({ path, mode, text }: ScriptFile, index: number): Step[] {
  const fresh = `${path}.new`;
  const directory = path.slice(0, path.lastIndexOf('/'));
  return [
    change(`directory:${index}`, 'mkdir', '-p', directory || '/'),
    { ...change(`write:${index}`, 'tee', fresh), stdin: text },
    change(`mode:${index}`, 'chmod', mode, fresh),
    change(`name:${index}`, 'mv', '-f', fresh, path),
  ];
}

function scripts(id: 'start' | 'stop', commands: Installation['start']): Step[] {
  // Read by a shell, whatever the file system of the scripts allows to be executed.
  return commands.map((argv, index) => ({ ...change(`${id}:${index}`, 'sh', ...argv), timeoutSeconds: 120 }));
}

function change(id: string, program: string, ...args: string[]): Step {
  return { id, run: changes(program, ...args), timeoutSeconds: 30 };
}

async function inspect(
  plan: Installation,
  node: string,
  hosts: Hosts,
  signal: AbortSignal | undefined,
): Promise<NodeInspection> {
  const answer = await ask(node, hosts.get(node), inspectionScript(plan), { signal });
  return answer.kind === 'unreachable' ? answer : judgeInspection(plan, node, answer.steps);
}

/** What a failed change is called, and what to do then. */
const failures = {
  install: [
    'INSTALL_FAILED',
    'not everything could be installed on',
    'See to what is said, then install again: what is there already is left alone.',
  ],
  remove: [
    'REMOVE_FAILED',
    'not everything could be removed from',
    'See to what is said, then remove again: what is gone already is left alone.',
  ],
} as const;

async function run(
  action: keyof typeof failures,
  node: string,
  hosts: Hosts,
  script: Script,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  if (script.steps.length === 0) return [];
  const outcome = await runOn(node, hosts.get(node), script, { signal });
  if (outcome.kind === 'unreachable') return silence(outcome);
  const seen = complaint(outcome);
  if (seen === undefined) return [];
  const [code, message, remedy] = failures[action];
  return [{ code, node, message: `${message} ${node}`, seen, remedy }];
}

function complaint(outcome: ScriptOutcome): string | undefined {
  for (const step of outcome.steps) {
    if (step.kind === 'ended' && step.exitCode === 0) continue;
    const said = 'stderr' in step ? step.stderr.trim() : '';
    return `${step.id}: ${step.kind}${step.kind === 'ended' ? ` with ${step.exitCode}` : ''} ${said}`.trim();
  }
  return outcome.kind === 'unknown' ? outcome.reason : undefined;
}

function silence({ node, code, reason, remedy }: Silence): [Problem] {
  return [{ code, node, message: reason, seen: '', remedy }];
}

function withProblems(report: InstallReport, more: readonly Problem[]): InstallReport {
  const problems = [...more, ...report.problems];
  return { ...report, kind: problems.length === 0 ? 'done' : 'incomplete', problems };
}

const fileCodes = {
  missing: ['FILE_MISSING', 'is not there'],
  outdated: ['FILE_OUTDATED', 'has another text than planned'],
  'wrong-mode': ['FILE_MODE', 'has other permissions or another owner than planned'],
  foreign: ['FILE_FOREIGN', 'is there and was not made by splitmirror'],
  unreadable: ['FILE_UNREADABLE', 'could not be read back'],
} as const;

function fileProblems({ node, files }: Inspected): Problem[] {
  return files.flatMap(({ path, state, seen }) => {
    if (state === 'installed') return [];
    const [code, what] = fileCodes[state];
    const remedy =
      state === 'foreign'
        ? `Move ${path} away, or choose another path.`
        : `Look at ${path} on ${node}, then install again.`;
    return [{ code, node, message: `${path} ${what}`, seen, remedy }];
  });
}

function fileLeft(node: string, { path, state, seen }: FileFinding): Problem {
  const remedy =
    state === 'foreign'
      ? `It is none of ours: leave it, or look at ${path} on ${node} and remove it by hand.`
      : `See to what kept ${path} on ${node}, then remove again.`;
  return { code: 'FILE_LEFT', node, message: `${path} is still there (${state})`, seen, remedy };
}

function registrationProblems(plan: Installation, { node, registrations }: Inspected): Problem[] {
  return registrations.flatMap(({ event, state, seen }) => {
    const entry = plan.registrations.find((registration) => registration.event === event);
    if (state === 'registered' || !entry) return [];
    const codes = {
      'not-registered': ['EVENT_NOT_REGISTERED', entry.smit.join('; ')],
      'no-such-event': ['EVENT_UNKNOWN', `Leave ${event} out of the plan: this level of HACMP does not have it.`],
      unknown: [
        'EVENT_UNVERIFIED',
        `Report what "odmget -q name=${event} HACMPevent" prints, with the level of HACMP.`,
      ],
    } as const;
    const [code, remedy] = codes[state];
    return [{ code, node, message: `${event} is not known to run ${entry.name} on ${node}`, seen, remedy }];
  });
}
