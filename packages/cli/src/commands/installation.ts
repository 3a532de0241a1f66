import {
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
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { problemText } from './problems.ts';

/** What is done with an installation. */
export type InstallationAction = 'install' | 'verify' | 'remove';

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
  const nodes = Object.keys(config.nodes).sort();
  const plan = planGuard({
    nodes,
    path: flags.guardPath,
    commands: pathOf(config),
    policy: config.minority === 'refuse' ? {} : { minority: config.minority },
  });
  return perform(session, action, plan, flags);
}

/** The event scripts, the crontab switch and the debt scripts of all groups on every node. */
export async function events(
  session: Session,
  action: InstallationAction,
  flags: InstallationFlags & { readonly jobs: Readonly<Record<string, readonly string[]>> },
): Promise<number> {
  const { config, context, signal } = session;
  const names = Object.keys(config.groups).sort();
  const groups = await Promise.all(
    names.map(async (group) => {
      const standing = await context.cluster.locate(group, { signal });
      const contents = standing.kind === 'held' ? standing.contents : { volumeGroups: [], fileSystems: [] };
      const [first] = contents.fileSystems === 'ALL' ? [] : [...contents.fileSystems].sort();
      const hooks = policyOf(config, group).quiesce;
      return {
        group,
        lines: flags.jobs[group] ?? [],
        volumeGroups: contents.volumeGroups,
        ...(hooks === null || first === undefined
          ? {}
          : {
              debt: {
                notes: `${first.replace(/\/$/, '')}/.splitmirror`,
                resume: hooks.resume,
                restart: hooks.restart,
                settleSeconds: settingsOf(config, group).freezeSeconds + hooks.timeoutSeconds,
              },
            }),
      };
    }),
  );
  const plan = planEvents({
    nodes: Object.keys(config.nodes),
    groups,
    guard: flags.guardPath,
    commands: pathOf(config),
  });
  return perform(session, action, plan, flags);
}

/** Nodes are asked with one PATH; the lab's differ, and then the scripts look in all of them. */
function pathOf({ nodes }: Config): string | undefined {
  const paths = Object.values(nodes).flatMap(({ path }) => path ?? []);
  return paths.length === 0 ? undefined : [...new Set(paths)].join(':');
}

async function perform(
  { context, reporter, signal }: Session,
  action: InstallationAction,
  plan: Installation,
  { print }: InstallationFlags,
): Promise<number> {
  if (print === true) {
    for (const line of planText(plan)) reporter.line(line);
    reporter.result({ plan });
    return exitCodes.OK.code;
  }
  const act = { install, verify: verifyInstallation, remove: uninstall }[action];
  const report = await act(plan, context.hosts, { signal });
  for (const line of reportLines(report)) reporter.line(line);
  if (action !== 'remove') for (const line of plan.instructions) reporter.line(`to do by hand: ${line}`);
  reporter.result({ ...report, instructions: plan.instructions });
  return exitCodes[report.kind === 'done' ? 'OK' : 'INSTALLATION_INCOMPLETE'].code;
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

function reportLines({ nodes, problems }: InstallReport): string[] {
  return [
    ...nodes.flatMap(({ node, files, registrations }) => [
      ...files.map(({ path, state }) => `${node}: ${path}: ${state}`),
      ...registrations.map(({ event, state }) => `${node}: ${event}: ${state}`),
    ]),
    ...problems.flatMap(problemText),
  ];
}
