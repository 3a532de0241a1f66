import { Option } from 'commander';
import { adopt } from '../commands/adopt.ts';
import { drill } from '../commands/drill.ts';
import { judge } from '../commands/judge.ts';
import { list } from '../commands/list.ts';
import { restore } from '../commands/restore.ts';
import { retain } from '../commands/retain.ts';
import { show } from '../commands/show.ts';
import { verify } from '../commands/verify.ts';
import { type Branch, refusing } from './branch.ts';

/** The commands that use what is stored. */
export function addStored({ command, inside }: Branch): void {
  command(
    'list <group>',
    'list the backups of a group, with the health of each, and its recoveries',
    'list payroll_rg',
  ).action((group, options) => inside(options, (session) => list(session, group), 'at-once'));
  command(
    'show <group> [run]',
    'the report of a run or a recovery: timeline, evidence, what was saved or taken back; the last run by default',
    'show payroll_rg',
    'show payroll_rg k3f9q2 --html report.html',
  )
    .option('--html <file>', 'write it as a page, too')
    .action((group, run, options) => inside(options, (session) => show(session, group, run, options), 'at-once'));
  command(
    'verify <group> [run]',
    'read a backup again, compare it with its manifest, and record what was found',
    'verify payroll_rg',
  ).action((group, run, options) => inside(options, (session) => verify(session, group, run), 'at-once'));
  command(
    'restore <group> [directory]',
    'restore a backup, or a part of it: here, to a node, or back into the group',
    "restore payroll_rg /tmp/restored --path '/payroll/2026/**'",
    'restore payroll_rg /scratch/restored --node db2 --mount-point /scratch',
    'restore payroll_rg --into-group --path /payroll/lost.dat --dry-run',
  )
    .option('--run <run>', 'the backup of this run; default the newest')
    .option('--path <pattern...>', 'only these, as they were called on the live system')
    .option('--dry-run', 'show what would come, and do nothing')
    .option('--owners', 'give each file its owner and group by number, as root')
    .option('--node <node>', 'to this cluster node, through its own tools')
    .option('--mount-point <directory>', 'with --node: file system that has to hold the directory')
    .option('--into-group', 'over the live files, on the node that holds the group')
    .action((group, directory, { path = [], ...options }) =>
      inside(
        options,
        (session) => restore(session, group, directory, { path, ...options }),
        options.dryRun ? 'looking' : 'in-order',
      ),
    );
  command(
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
    .addOption(new Option('--due', 'say which drills are overdue, and do none').conflicts('level'))
    .hook(
      'preAction',
      refusing<{ due?: true }>(([, run], { due }) =>
        due && run !== undefined ? "argument 'run' cannot be used with option '--due'" : undefined,
      ),
    )
    .action((group, run, options) => inside(options, (session) => drill(session, group, run, options), 'in-order'));
  command(
    'judge <group> <run>',
    'record what a person decided about a suspicious backup',
    'judge payroll_rg k3f9q2 --accept --because "archive was purged on purpose"',
  )
    .addOption(new Option('--accept', 'it counts as good').conflicts('reject'))
    .option('--reject', 'retention may remove it')
    .requiredOption('--because <reason>', 'why')
    .action((group, run, options) => inside(options, (session) => judge(session, group, run, options), 'at-once'));
  command('retain <group>', 'remove backups that the retention does not keep', 'retain payroll_rg --dry-run')
    .option('--dry-run', 'say what would go, and why, and remove nothing')
    .action((group, options) => inside(options, (session) => retain(session, group, options), 'at-once'));
  command('adopt', 'bring back from the restic repository what a lost store knew of its backups', 'adopt').action(
    (options) => inside(options, adopt, 'at-once'),
  );
}
