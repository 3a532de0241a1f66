import tab from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addBackups } from './tree/back.ts';
import { branchOf } from './tree/branch.ts';
import { addLooks } from './tree/look.ts';
import { addSetUp } from './tree/set-up.ts';
import { addStored } from './tree/stored.ts';
import { addTries } from './tree/try.ts';

const first = `
Start here:
  $ splitmirror demo                             see all of it, against a simulated cluster
  $ splitmirror init db1.example.com db2...      write a configuration for a cluster of your own
  $ splitmirror check                            is everything there that a backup needs?

"splitmirror COMMAND --help" has options and examples, "splitmirror man" the exit codes.`;

/**
 * All commands with their options and examples; help, completion and the manual page are made of it.
 *
 * @param done Takes the exit code of the command that was run.
 */
export function buildProgram(done: (code: number) => void): Command {
  const program = new Command('splitmirror')
    .description('Back up the right node of an AIX cluster from a split mirror.')
    .usage('COMMAND [arguments] [options]')
    .version(manifest.version)
    .configureHelp({ subcommandTerm })
    .addHelpText('after', first)
    .exitOverride();
  const branch = (heading: string) => branchOf(program, heading, done);
  addLooks(branch('Look, change nothing:'));
  addBackups(branch('Back up and bring back:'));
  addStored(branch('Use what is stored:'));
  addSetUp(program, branch('Set up:'));
  addTries(branch('Try without a cluster:'));
  // Adds "completion <shell>", which prints a script for bash, zsh, fish or PowerShell.
  tab(program, { completionCommandName: 'completion' });
  program.commands.find((command) => command.name() === 'completion')?.helpGroup('Set up:');
  // The whole help would carry the error off the screen.
  program.showHelpAfterError('See "splitmirror --help".');
  for (const command of program.commands) {
    command.showHelpAfterError(
      `usage: splitmirror ${command.name()} ${command.usage()}\nSee "splitmirror ${command.name()} --help".`,
    );
  }
  return program;
}

/** A command with its arguments; that each has options goes without saying. */
function subcommandTerm(command: Command): string {
  return [command.name(), command.usage().replace(/^\[options\] ?/, '')].join(' ').trimEnd();
}
