import tab from '@bomb.sh/tab/commander';
import { Command, InvalidArgumentError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { approve } from './commands/approve.ts';
import { backup } from './commands/backup.ts';
import { capture } from './commands/capture.ts';
import { check } from './commands/check.ts';
import { drill } from './commands/drill.ts';
import { init } from './commands/init.ts';
import { events, guard, type InstallationAction } from './commands/installation.ts';
import { judge } from './commands/judge.ts';
import { levels } from './commands/levels.ts';
import { list } from './commands/list.ts';
import { parse } from './commands/parse.ts';
import { plan } from './commands/plan.ts';
import { recover } from './commands/recover.ts';
import { replay } from './commands/replay.ts';
import { restore } from './commands/restore.ts';
import { retain } from './commands/retain.ts';
import { schedule } from './commands/schedule.ts';
import { show } from './commands/show.ts';
import { status } from './commands/status.ts';
import { sudoers } from './commands/sudoers.ts';
import { verify } from './commands/verify.ts';
import { who } from './commands/who.ts';
import { ConfigError } from './config/read.ts';
import { configSchemaJson } from './config/schema.ts';
import { manPage } from './man-page.ts';
import { type CommonOptions, type Interrupt, inReport, inSession, type Session } from './session.ts';

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
  const inside = async (options: CommonOptions, work: (session: Session) => Promise<number>, interrupt?: Interrupt) =>
    done(await inSession(options, work, interrupt));
  const reading = (options: CommonOptions, work: (session: Session) => Promise<number>) =>
    inside(options, work, 'at-once');

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
  command('look', 'levels', 'compare the software levels of all nodes', 'levels', 'levels --html levels.html')
    .option('--html <file>', 'write all of it as a page, too')
    .action((options) => inside(options, (session) => levels(session, options)));
  command(
    'look',
    'plan <group>',
    'print exactly what a backup would do',
    'plan payroll_rg',
    'plan payroll_rg --save tonight.json      # then approve, then backup --plan',
    'plan payroll_rg --run-book tonight.sh    # for a person on the node, where no tool may connect',
  )
    .option('--save <file>', 'save it, for approval and for backup --plan')
    .option('--run-book <file>', 'write it as a shell script that a person runs on the node')
    .action((group, options) => inside(options, (session) => plan(session, group, options)));
  command('look', 'status', 'say what of ours is on which node: copies, locks, debts, resyncs', 'status').action(
    (options) => inside(options, status),
  );
  command(
    'look',
    'capture <directory>',
    'keep what the nodes print, without the names of the site, for a bug report',
    'capture /tmp/for-the-report',
  ).action((directory, options) => inside(options, (session) => capture(session, directory)));

  plain(
    'back',
    'approve <plan> <approval>',
    'allow a saved plan, for a time',
    'approve tonight.json tonight.approval.json --by "J. Doe, change 4711" --hours 12',
  )
    .requiredOption('--by <name>', 'who allows it')
    .option('--hours <hours>', 'how long it may be run', positiveNumber, 24)
    .option('--json', 'print JSON lines and nothing else')
    .action(async (planFile, approvalFile, options) => done(await approve(planFile, approvalFile, options)));
  command(
    'back',
    'backup [groups...]',
    'split the mirror, archive the copy, merge it back',
    'backup payroll_rg',
    'backup --all --quiet || mail -s "no backup" ops < /dev/null',
    'backup payroll_rg --plan tonight.json --approval tonight.approval.json',
  )
    .option('--all', 'every group of the configuration')
    .option('--plan <file>', 'run this saved plan and no other')
    .addOption(new Option('--approval <file>', 'the leave to run it'))
    .action((names, options) => inside(options, (session) => backup(session, names, options)));
  command(
    'back',
    'schedule',
    'what became of each window; with --run, back up what is due',
    'schedule',
    'schedule --run --quiet      # every few minutes, from cron',
  )
    .option('--run', 'back up what is due')
    .option('--only-node <node>', 'with --run: only what this cluster node holds itself')
    .action((options) => inside(options, (session) => schedule(session, options)));
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
    (group, options) => reading(options, (session) => list(session, group)),
  );
  command(
    'stored',
    'show <group> [run]',
    'the report of a run: timeline, evidence, what was saved; the last one by default',
    'show payroll_rg',
    'show payroll_rg k3f9q2 --html report.html',
  )
    .option('--html <file>', 'write it as a page, too')
    .action((group, run, options) => reading(options, (session) => show(session, group, run, options)));
  command(
    'stored',
    'verify <group> [run]',
    'read a backup again and compare it with its manifest',
    'verify payroll_rg',
  ).action((group, run, options) => reading(options, (session) => verify(session, group, run)));
  command(
    'stored',
    'restore <group> [directory]',
    'restore a backup, or a part of it: here, to a node, or back into the group',
    "restore payroll_rg /tmp/restored --path '/payroll/2026/**'",
    'restore payroll_rg /scratch/restored --node db2 --mount-point /scratch',
    'restore payroll_rg --into-group --path /payroll/lost.dat --dry-run',
  )
    .option('--run <run>', 'the backup of this run; default the newest')
    .option('--path <pattern...>', 'only these, as they were called on the live system', [])
    .option('--dry-run', 'show what would come, and do nothing')
    .option('--owners', 'give each file its owner and group by number, as root')
    .option('--node <node>', 'to this cluster node, through its own tools')
    .option('--mount-point <directory>', 'with --node: file system that has to hold the directory')
    .option('--into-group', 'over the live files, on the node that holds the group')
    .action((group, directory, options) => inside(options, (session) => restore(session, group, directory, options)));
  command(
    'stored',
    'drill <group> [run]',
    'try whether a backup can be restored, and record it',
    'drill payroll_rg --level application',
    'drill payroll_rg --due      # exit code 53 when a drill is overdue',
  )
    .addOption(
      new Option('--level <level>', 'how far it goes')
        .choices(['bytes', 'contents', 'application'])
        .default('contents'),
    )
    .option('--due', 'say which drills are overdue, and do none')
    .action((group, run, options) => reading(options, (session) => drill(session, group, run, options)));
  command(
    'stored',
    'judge <group> <run>',
    'record what a person decided about a suspicious backup',
    'judge payroll_rg k3f9q2 --accept --because "archive was purged on purpose"',
  )
    .option('--accept', 'it counts as good')
    .option('--reject', 'retention may remove it')
    .requiredOption('--because <reason>', 'why')
    .action((group, run, options) => reading(options, (session) => judge(session, group, run, options)));
  command('stored', 'retain <group>', 'remove backups that the retention does not keep', 'retain payroll_rg --dry-run')
    .option('--dry-run', 'say what would go, and why, and remove nothing')
    .action((group, options) => reading(options, (session) => retain(session, group, options)));

  const installed = (name: string, description: string, ...examples: string[]) =>
    command('set', `${name} <action>`, description, ...examples)
      .option('--guard-path <path>', 'where the guard lies on the nodes', '/usr/local/bin/splitmirror-guard')
      .option('--print', 'print the scripts and what to enter, and change nothing');
  installed(
    'guard',
    'install, verify or remove the script that runs a command only on the node that holds a group',
    'guard install --print',
    'guard install',
  ).action((action, options) => inside(options, (session) => guard(session, actionOf(action), options)));
  installed(
    'events',
    'install, verify or remove the scripts that follow takeovers',
    "events install --print --job 'payroll_rg=0 1 * * * /usr/local/bin/splitmirror-guard payroll_rg /usr/local/bin/backup'",
    'events verify',
  )
    .option('--job <group=line...>', 'crontab lines that a node has while it holds the group', [])
    .action((action, options) =>
      inside(options, (session) => events(session, actionOf(action), { ...options, jobs: jobsOf(options.job) })),
    );

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
    .option('--json', 'print JSON lines and nothing else')
    .action(async (addresses, options) => done(await init(addresses, options)));
  plain(
    'set',
    'sudoers',
    'print the rules of sudo that let a login do its work, and nothing else',
    'sudoers --user backup > splitmirror.sudoers',
    'sudoers --user backup --also installation',
  )
    .option('-c, --config <file>', 'configuration file', 'splitmirror.yaml')
    .option('--user <name>', 'login name; default that of the configuration')
    .addOption(new Option('--also <purpose...>', 'what it may do beside backups').choices(['installation']).default([]))
    .action(async (options) => done(await sudoers(options)));
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
    'replay <log>',
    'run a recorded run again without its cluster, also with one fact changed',
    'replay /backup/payroll_rg/20261122T010000Z-k3f9q2/incident.ndjson',
    "replay incident.ndjson --change 'db1:ONLINE' 'db1:ERROR'",
  )
    .option('--change <pattern-and-replacement...>', 'change one fact in what the nodes answered')
    .option('-c, --config <file>', 'configuration with which it was recorded; without it every setting has its default')
    .option('--json', 'print JSON lines and nothing else')
    .action(async (log, options) => done(await replay(log, options)));
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
    .option('--minutes <minutes>', 'end by itself after so long', positiveNumber)
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

function positiveNumber(word: string): number {
  const value = Number(word);
  if (word.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Say a number above zero.');
}

/** The word behind `guard` and `events`. */
function actionOf(word: string): InstallationAction {
  if (word === 'install' || word === 'verify' || word === 'remove') return word;
  throw new ConfigError(`${word} is no action`, { remedy: 'Say install, verify or remove.' });
}

/** `GROUP=crontab line`, several of one group in their order. */
function jobsOf(words: readonly string[]): Record<string, string[]> {
  const jobs: Record<string, string[]> = {};
  for (const word of words) {
    const [, group, line] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    if (group === undefined || line === undefined) {
      throw new ConfigError(`${word} is no job`, { remedy: 'Say GROUP=CRONTAB-LINE.' });
    }
    jobs[group] = [...(jobs[group] ?? []), line];
  }
  return jobs;
}
