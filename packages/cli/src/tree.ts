import tab from '@bomb.sh/tab/commander';
import { Command, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { backup, plan } from './commands/backup.ts';
import { capture } from './commands/capture.ts';
import { check } from './commands/check.ts';
import { init } from './commands/init.ts';
import { levels } from './commands/levels.ts';
import { parse } from './commands/parse.ts';
import { recover } from './commands/recover.ts';
import { show } from './commands/show.ts';
import { status } from './commands/status.ts';
import { list, restore, verify } from './commands/store.ts';
import { who } from './commands/who.ts';
import { configSchemaJson } from './config.ts';
import { manPage } from './man-page.ts';
import { type CommonOptions, inReport, inSession, type Session } from './session.ts';

const groups = {
  look: 'Look, change nothing:',
  back: 'Back up and bring back:',
  stored: 'Use what is stored:',
  set: 'Set up:',
  try: 'Try without a cluster:',
};

/**
 * All commands with their options and examples; help, completion and the manual page are made of it.
 *
 * @param done Takes the exit code of the command that was run.
 */
export function buildProgram(done: (code: number) => void): Command {
  const program = new Command('splitmirror')
    .description('Back up the right node of an AIX cluster from a split mirror.')
    .version(manifest.version)
    .showHelpAfterError()
    .exitOverride();
  const plain = (group: keyof typeof groups, name: string, description: string, ...examples: string[]) =>
    program
      .command(name)
      .description(description)
      .helpGroup(groups[group])
      .addHelpText('after', ['', 'Examples:', ...examples.map((line) => `  $ splitmirror ${line}`)].join('\n'));
  const command = (...words: Parameters<typeof plain>) =>
    plain(...words)
      .option('-c, --config <file>', 'configuration file', 'splitmirror.yaml')
      .option('--json', 'print JSON lines and nothing else')
      .addOption(new Option('--quiet', 'print only what needs a person').conflicts('json'));
  const inside = async (options: CommonOptions, work: (session: Session) => Promise<number>) =>
    done(await inSession(options, work));

  command(
    'look',
    'check',
    'look at everything a backup needs, and tell every problem',
    'check',
    'check --json | jq .checks',
  ).action(async (options) => done(await inReport(options, check)));
  command('look', 'who <group>', 'say which node holds a resource group, with the evidence', 'who payroll_rg').action(
    (group, options) => inside(options, (session) => who(session, group)),
  );
  command('look', 'levels', 'compare the software levels of all nodes', 'levels').action((options) =>
    inside(options, levels),
  );
  command('look', 'plan <group>', 'print exactly what a backup would do', 'plan payroll_rg').action((group, options) =>
    inside(options, (session) => plan(session, group)),
  );
  command('look', 'status', 'say what of ours is on which node: copies, locks, debts, resyncs', 'status').action(
    (options) => inside(options, status),
  );
  command(
    'look',
    'capture <directory>',
    'keep what the nodes print, without the names of the site, for a bug report',
    'capture /tmp/for-the-report',
  ).action((directory, options) => inside(options, (session) => capture(session, directory)));

  command(
    'back',
    'backup <group>',
    'split the mirror, archive the copy, merge it back',
    'backup payroll_rg',
    'backup payroll_rg --quiet || mail -s "no backup of payroll" ops < /dev/null',
  ).action((group, options) => inside(options, (session) => backup(session, group)));
  command(
    'back',
    'recover <group>',
    'take back what an interrupted run left, from what the nodes show',
    'recover payroll_rg --dry-run',
    'recover payroll_rg',
  )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--break-lock', 'take a lock whose holder is certainly gone')
    .action((group, options) => inside(options, (session) => recover(session, group, options)));

  command('stored', 'list <group>', 'list the complete backups of a group', 'list payroll_rg').action(
    (group, options) => inside(options, (session) => list(session, group)),
  );
  command(
    'stored',
    'show <group> [run]',
    'the report of a run: timeline, evidence, what was saved; the last one by default',
    'show payroll_rg',
    'show payroll_rg k3f9q2 --html report.html',
  )
    .option('--html <file>', 'write it as a page, too')
    .action((group, run, options) => inside(options, (session) => show(session, group, run, options)));
  command(
    'stored',
    'verify <group> [run]',
    'read a backup again and compare it with its manifest',
    'verify payroll_rg',
  ).action((group, run, options) => inside(options, (session) => verify(session, group, run)));
  command(
    'stored',
    'restore <group> <directory> [run]',
    'restore a backup into a new directory',
    'restore payroll_rg /tmp/restored',
  ).action((group, directory, run, options) => inside(options, (session) => restore(session, group, directory, run)));

  plain(
    'set',
    'init <address...>',
    'ask the machines of a cluster who they are, and write a commented configuration',
    'init db1.example.com db2.example.com --identity ~/.ssh/splitmirror --store /backup',
  )
    .option('-c, --config <file>', 'file to write; it must not exist', 'splitmirror.yaml')
    .option('--user <name>', 'login name', 'root')
    .option('--identity <file...>', 'private keys', [])
    .option('--known-hosts <file...>', 'files with the trusted host keys; default those of OpenSSH', [])
    .option('--store <directory>', 'directory of the backups', '/backup')
    .option('--path <path...>', 'PATH on the nodes, one for all or one each; default the places of AIX', [])
    .action(async (addresses, options) => done(await init(addresses, options)));
  plain(
    'set',
    'schema',
    'print the JSON Schema of the configuration, for an editor',
    'schema > splitmirror.schema.json',
  ).action(() => {
    process.stdout.write(`${JSON.stringify(configSchemaJson(), null, 2)}\n`);
  });
  plain('set', 'man', 'print the manual page', 'man > /usr/local/share/man/man1/splitmirror.1').action(() => {
    process.stdout.write(manPage(program));
  });
  plain(
    'try',
    'parse [file]',
    'read the saved output of a command and print it as JSON',
    "parse --command 'clRGinfo -s' saved.txt",
    "ssh node1 lsvg -M datavg | splitmirror parse --command 'lsvg -M datavg'",
  )
    .requiredOption('--command <command>', 'the command as it was typed, for instance "clRGinfo -s"')
    .action(async (file, options) => done(await parse(options.command, file)));
  plain(
    'try',
    'lab',
    'start a simulated two-node cluster and write a configuration for it',
    'lab --directory /tmp/lab --minutes 60',
  )
    .requiredOption('--directory <directory>', 'where the lab and its splitmirror.yaml live')
    .option('--minutes <minutes>', 'end by itself after so long', Number)
    .action(async (options) => {
      const { lab } = await import('./commands/lab.ts');
      done(await lab(options));
    });
  plain(
    'try',
    'demo',
    'back up a simulated cluster twice, before your eyes, and restore the last backup',
    'demo',
    'demo --keep',
  )
    .option('--keep', 'leave the lab up and say how to reach its nodes')
    .option('--directory <directory>', 'where everything lies; default a new temporary directory')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (options) => {
      const { demo } = await import('./demo/demo.ts');
      done(await demo(options));
    });
  // Adds "completion <shell>", which prints a script for bash, zsh, fish or PowerShell.
  tab(program, { completionCommandName: 'completion' });
  return program;
}
