import { quiesceSeconds, surveyGroup } from '@splitmirror/backup';
import {
  type GroupInstallation,
  type Installation,
  type InstallReport,
  install,
  planEvents,
  planGuard,
  uninstall,
  verifyInstallation,
} from '@splitmirror/hacmp';
import { policyOf, settingsOf } from '../config/policy.ts';
import type { Config } from '../config/schema.ts';
import { EndedError } from '../ended-error.ts';
import { exitCodeOfProblems, exitCodes, isAbort } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { problemText } from './problems.ts';

/** What is done with an installation. */
export const installationActions = ['install', 'verify', 'remove'] as const;

type InstallationAction = (typeof installationActions)[number];

/** Where things lie on the nodes. */
export interface InstallationFlags {
  /** Absolute path of the guard. */
  readonly guardPath: string;
  /** Print what would be on the nodes, and ask none of them. */
  readonly print?: boolean;
}

/** The guard on every node: a script that runs a command only where a group is. */
export async function guard(session: Session, action: InstallationAction, flags: InstallationFlags): Promise<number> {
  const { config } = session;
  const policy = config.minority === 'refuse' ? {} : { minority: config.minority };
  const plans = alike(config).map(({ nodes, commands }) =>
    planGuard({ nodes, path: flags.guardPath, commands, policy }),
  );
  return perform(session, action, plans, flags);
}

/** The event scripts, the crontab switch and the debt scripts of all groups on every node. */
export async function events(session: Session, action: InstallationAction, flags: InstallationFlags): Promise<number> {
  const { config, context, signal } = session;
  const groups: GroupInstallation[] = [];
  // One after another: each of them asks all nodes.
  for (const group of Object.keys(config.groups).sort()) {
    // What is not known for certain must not become a script: a debt would be left unpaid.
    const { standing, notes } = await surveyGroup(context, group, signal);
    const hooks = policyOf(config, group).quiesce;
    groups.push({
      group,
      lines: settingsOf(config, group).jobs,
      volumeGroups: standing.contents.volumeGroups,
      ...(hooks === null || hooks.resume.length === 0
        ? {}
        : {
            debt: {
              notes,
              resume: hooks.resume,
              restart: hooks.restart,
              timeoutSeconds: hooks.timeoutSeconds,
              settleSeconds: settingsOf(config, group).freezeSeconds + quiesceSeconds(hooks),
            },
          }),
    });
  }
  const plans = alike(config).map(({ nodes, commands }) =>
    planEvents({ nodes, groups, guard: flags.guardPath, commands }),
  );
  return perform(session, action, plans, flags);
}

/** Nodes by the PATH that their scripts are to have: one that is told another gets a script of its own. */
function alike({ nodes }: Config): { readonly nodes: string[]; readonly commands: string | undefined }[] {
  const byPath = Map.groupBy(Object.keys(nodes).sort(), (name) => nodes[name]?.path);
  return Array.from(byPath, ([commands, names]) => ({ nodes: names, commands }));
}

async function perform(
  session: Session,
  action: InstallationAction,
  plans: readonly Installation[],
  { print }: InstallationFlags,
): Promise<number> {
  const { context, reporter, signal, mayLeave } = session;
  if (print === true) {
    for (const line of plans.flatMap(planText)) reporter.line(line);
    reporter.result({ plans });
    return exitCodes.OK.code;
  }
  const act = { install, verify: verifyInstallation, remove: uninstall }[action];
  const ended = new EndedError('INTERRUPTED', `interrupted: ${action} may have come to its end on some nodes alone`, {
    remedy: 'Do it again: what is there already is left alone.',
  });
  if (action !== 'verify') mayLeave(ended);
  const reports = await Promise.all(plans.map((plan) => act(plan, context.hosts, { signal }))).catch((error) => {
    throw isAbort(error) && action !== 'verify' ? ended : error;
  });
  for (const line of reports.flatMap(stateLines)) reporter.line(line);
  const problems = reports.flatMap((report) => report.problems);
  for (const line of problemText(problems, session)) reporter.alert(line);
  const instructions = [...new Set(plans.flatMap((plan) => plan.instructions))];
  if (action === 'install') for (const line of instructions) reporter.line(`to do by hand: ${line}`);
  reporter.result({ nodes: reports.flatMap(({ nodes }) => nodes), problems, instructions });
  return exitCodeOfProblems(problems, 'INSTALLATION_INCOMPLETE');
}

function planText({ files, registrations, instructions, nodes }: Installation): string[] {
  return [
    `on ${nodes.join(', ')}:`,
    ...files.map(({ path, mode, sha256 }) => `  ${path}  mode ${mode}  sha256 ${sha256}`),
    ...registrations.flatMap(({ event, place, path, smit }) => [
      `  ${place}-event script of ${event}: ${path}`,
      ...smit.map((line) => `    ${line}`),
    ]),
    ...instructions.map((line) => `to do by hand: ${line}`),
    ...files.flatMap(({ path, text }) => [`--- ${path}`, text.trimEnd()]),
  ];
}

function stateLines({ nodes }: InstallReport): string[] {
  return nodes.flatMap((found) => {
    const { node } = found;
    if (found.kind === 'unreachable') return [`${node}: could not be asked`];
    return [
      ...found.files.map(({ path, state }) => `${node}: ${path}: ${state}`),
      ...found.registrations.map(({ event, state }) => `${node}: ${event}: ${state}`),
    ];
  });
}
