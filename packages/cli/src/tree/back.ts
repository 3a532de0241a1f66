import { approve } from '../commands/approve.ts';
import { backup } from '../commands/backup.ts';
import { recover } from '../commands/recover.ts';
import { schedule } from '../commands/schedule.ts';
import { type Branch, positiveNumber, refusing } from './branch.ts';

/** The commands that make backups, and take back what one has left. */
export function addBackups({ bare, command, inside, done }: Branch): void {
  bare(
    'approve <plan> <approval>',
    'allow a saved plan, for a time',
    'approve tonight.json tonight.approval.json --by "J. Doe, change 4711" --hours 12',
  )
    .requiredOption('--by <name>', 'who allows it')
    .option('--hours <hours>', 'how long it may be run', positiveNumber, 24)
    .option('--json', 'print JSON lines and nothing else')
    .action(async (planFile, approvalFile, options) => done(await approve(planFile, approvalFile, options)));
  command(
    'backup [groups...]',
    'split the mirror, archive the copy, merge it back',
    'backup payroll_rg',
    'backup --all --quiet || mail -s "no backup" ops < /dev/null',
    'backup payroll_rg --plan tonight.json --approval tonight.approval.json',
  )
    .option('--all', 'every group of the configuration')
    .option('--plan <file>', 'run this saved plan and no other')
    .option('--approval <file>', 'the leave to run it')
    .hook(
      'preAction',
      refusing<{ all?: true }>(([groups], { all }) =>
        all && Array.isArray(groups) && groups.length > 0
          ? "argument 'groups' cannot be used with option '--all'"
          : undefined,
      ),
    )
    .action((names, options) => inside(options, (session) => backup(session, names, options), 'in-order'));
  command(
    'schedule',
    'what became of each window; with --run, back up what is due',
    'schedule',
    'schedule --run --quiet      # every few minutes, from cron',
  )
    .option('--run', 'back up what is due')
    .option('--only-node <node>', 'with --run: only what this cluster node holds itself')
    .hook(
      'preAction',
      refusing<{ run?: true; onlyNode?: string }>((_, { run, onlyNode }) =>
        onlyNode !== undefined && !run ? "option '--only-node <node>' needs option '--run'" : undefined,
      ),
    )
    .action((options) =>
      inside(options, (session) => schedule(session, options), options.run ? 'in-order' : 'at-once'),
    );
  command(
    'recover <group>',
    'take back what an interrupted run left, from what the nodes show',
    'recover payroll_rg --dry-run',
    'recover payroll_rg',
  )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--break-lock', 'take a lock whose holder is certainly gone')
    .action((group, options) =>
      inside(options, (session) => recover(session, group, options), options.dryRun ? 'looking' : 'in-order'),
    );
}
