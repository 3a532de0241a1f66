import { Argument, type Command, Option } from 'commander';
import { init } from '../commands/init.ts';
import { events, guard, type InstallationFlags, installationActions } from '../commands/installation.ts';
import { sudoers } from '../commands/sudoers.ts';
import { defaultConfig } from '../config/read.ts';
import { configSchemaJson } from '../config/schema.ts';
import type { Interrupt } from '../interrupts.ts';
import { manPage } from '../man-page.ts';
import { type Branch, refusing } from './branch.ts';

/** The commands that set things up: here, on the nodes, in an editor. */
export function addSetUp(program: Command, { bare, command, inside, done }: Branch): void {
  bare(
    'init <address...>',
    'ask the machines of a cluster who they are, and write a commented configuration',
    'init db1.example.com db2.example.com --identity ~/.ssh/splitmirror --store /backup',
  )
    .option('-c, --config <file>', 'file to write; it must not exist', defaultConfig)
    .option('--user <name>', 'login name', 'root')
    .option('--identity <file...>', 'private keys')
    .option('--known-hosts <file...>', 'files with the trusted host keys; default those of OpenSSH')
    .option('--store <directory>', 'directory of the backups', '/backup')
    .option('--path <path...>', 'PATH on the nodes, one for all or one each; default the places of AIX')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (addresses, { identity = [], knownHosts = [], path = [], ...options }) =>
      done(await init(addresses, { identity, knownHosts, path, ...options })),
    );

  const installed = (name: string, description: string, ...examples: string[]) =>
    command(name, description, ...examples)
      .addArgument(new Argument('<action>').choices(installationActions))
      .option('--guard-path <path>', 'where the guard lies on the nodes', '/usr/local/bin/splitmirror-guard')
      .option('--print', 'with install: print the scripts and what to enter, and change nothing')
      .hook(
        'preAction',
        refusing<{ print?: true }>(([action], { print }) =>
          print && action !== 'install' ? "option '--print' is for install" : undefined,
        ),
      );
  installed(
    'guard',
    'install, verify or remove the script that runs a command only on the node that holds a group',
    'guard install --print',
    'guard install',
  ).action((action, options) =>
    inside(options, (session) => guard(session, action, options), interruptOf(action, options)),
  );
  installed(
    'events',
    'install, verify or remove the scripts that follow takeovers',
    'events install --print',
    'events verify',
  ).action((action, options) =>
    inside(options, (session) => events(session, action, options), interruptOf(action, options)),
  );

  bare(
    'sudoers',
    'print the rules of sudo that let a login do its work, and nothing else',
    'sudoers --user backup > splitmirror.sudoers',
    'sudoers --user backup --also installation',
  )
    .option('-c, --config <file>', 'configuration file', defaultConfig)
    .option('--user <name>', 'login name; default that of the configuration')
    .addOption(new Option('--also <purpose...>', 'what it may do beside backups').choices(['installation']))
    .action(async ({ also = [], ...options }) => done(await sudoers({ also, ...options })));
  bare(
    'schema',
    'print the JSON Schema of the configuration, for an editor',
    'schema > splitmirror.schema.json',
  ).action(() => {
    process.stdout.write(`${JSON.stringify(configSchemaJson(), null, 2)}\n`);
  });
  bare('man', 'print the manual page', 'man | man -l -', 'man > /usr/local/share/man/man1/splitmirror.1').action(() => {
    process.stdout.write(manPage(program));
  });
}

function interruptOf(action: string, { print }: Pick<InstallationFlags, 'print'>): Interrupt {
  return action === 'verify' || print === true ? 'looking' : 'in-order';
}
