import { capture } from '../commands/capture.ts';
import { check } from '../commands/check.ts';
import { levels } from '../commands/levels.ts';
import { plan } from '../commands/plan.ts';
import { status } from '../commands/status.ts';
import { who } from '../commands/who.ts';
import { inReport } from '../session.ts';
import type { Branch } from './branch.ts';

/** The commands that look at a cluster and change nothing. */
export function addLooks({ command, inside, done }: Branch): void {
  command(
    'check',
    'look at everything a backup needs, and tell every problem',
    'check',
    `check --json | jq 'select(.type == "result").checks'`,
  ).action(async (options) => done(await inReport(options, check)));
  command('who <group>', 'say which node holds a resource group, with the evidence', 'who payroll_rg').action(
    (group, options) => inside(options, (session) => who(session, group), 'looking'),
  );
  command('levels', 'compare the software levels of all nodes', 'levels', 'levels --html levels.html')
    .option('--html <file>', 'write all of it as a page, too')
    .action((options) => inside(options, (session) => levels(session, options), 'looking'));
  command(
    'plan <group>',
    'print exactly what a backup would do',
    'plan payroll_rg',
    'plan payroll_rg --save tonight.json      # then approve, then backup --plan',
    'plan payroll_rg --run-book tonight.sh    # for a person on the node, where no tool may connect',
  )
    .option('--save <file>', 'save it, for approval and for backup --plan')
    .option('--run-book <file>', 'write it as a shell script that a person runs on the node')
    .action((group, options) => inside(options, (session) => plan(session, group, options), 'looking'));
  command(
    'status',
    'say who is at work, and what of ours is on which node: copies, locks, debts, resyncs',
    'status',
  ).action((options) => inside(options, status, 'looking'));
  command(
    'capture <directory>',
    'keep what the nodes print, without the names of the site, for a bug report',
    'capture /tmp/for-the-report',
  ).action((directory, options) => inside(options, (session) => capture(session, directory), 'looking'));
}
