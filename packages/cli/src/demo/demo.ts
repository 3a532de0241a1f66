import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { planBackup, type RunPlan, runBackup } from '@splitmirror/backup';
import type { LabControl, LabStatus } from '@splitmirror/lab';
import { labConfigName, reachLine } from '../commands/lab.ts';
import { reportText } from '../commands/report-text.ts';
import { standingText } from '../commands/who.ts';
import { policyOf } from '../config/policy.ts';
import { readConfig } from '../config/read.ts';
import type { Config } from '../config/schema.ts';
import { withContext } from '../connect.ts';
import { exitCodeOfRun } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import { interruptible, type Session } from '../session.ts';
import { check, DemoFailure } from './check.ts';
import { compare } from './comparison.ts';
import { askGuards } from './guards.ts';
import { labMinutes, startLabProcess } from './lab-process.ts';

/** What the demo may be told. */
export interface DemoFlags {
  readonly keep?: boolean;
  readonly directory?: string;
  readonly json?: boolean;
}

const group = 'ledger_rg';
/**
 * The main job before one's eyes: a cluster, its holder, a plan, a backup, a move, a second backup, a restore. Exit code 0
 * only when every check held.
 */
export async function demo({ keep = false, directory, json = false }: DemoFlags): Promise<number> {
  const base = directory === undefined ? mkdtempSync(join(tmpdir(), 'splitmirror-demo-')) : resolve(directory);
  const file = join(base, 'lab', labConfigName);
  return interruptible({ json, config: file }, 'in-order', async (given) => {
    const { reporter } = given;
    let control: LabControl | undefined;
    try {
      reporter.heading('1  a lab cluster: two nodes, one group, an application that keeps writing');
      control = await startLabProcess(join(base, 'lab'));
      const config = await readConfig(file);
      const code = await withContext(config, { onEvent: reporter.event, warn: reporter.warn }, (context) =>
        perform({ base, keep, config, context, lab: control as LabControl, ...given }),
      );
      reporter.result({ demo: code === 0 ? 'passed' : 'failed', directory: base });
      return code;
    } catch (error) {
      if (!(error instanceof DemoFailure)) throw error;
      reporter.line(`FAILED: ${error.message}`);
      reporter.result({ demo: 'failed', reason: error.message, directory: base });
      return 1;
    } finally {
      reporter.close();
      if (keep) control?.disconnect();
      else await control?.close();
    }
  });
}

interface Scene extends Session {
  readonly base: string;
  readonly keep: boolean;
  readonly lab: LabControl;
}

async function perform(scene: Scene): Promise<number> {
  const { base, context, reporter, lab } = scene;
  const status = await lab.status();
  reporter.line(`  ${status.nodes.map(({ name, manager }) => `${name} ${manager}`).join(', ')}`);
  reporter.line(`  the ledger runs on ${status.ledger.node} and has ${status.ledger.bookings} bookings`);

  reporter.heading('2  who holds the group, and are the nodes at the same levels?');
  const first = await locate(scene);
  const gate = await context.audit({});
  reporter.line(`  levels: ${gate.kind}`);
  check(gate.kind !== 'stop', 'the levels forbid a backup');

  reporter.heading('3  the plan, and the run');
  const one = await backUp(scene, { printPlan: true });
  if (typeof one === 'number') return one;
  check(one.plan.node === first, `the backup ran on ${one.plan.node}, and ${first} held the group`);

  const second = status.nodes.find(({ name }) => name !== first)?.name ?? '';
  reporter.heading(`4  the group moves to ${second}; the next backup follows it`);
  await lab.move(group, second);
  const now = await locate(scene);
  check(now === second, `${second} was told to take the group, and ${now} has it`);
  const two = await backUp(scene, { printPlan: false });
  if (typeof two === 'number') return two;
  check(two.plan.node === second, `the second backup ran on ${two.plan.node}`);
  await askGuards(
    context.hosts,
    (node) => scene.config.nodes[node]?.path,
    group,
    { without: first, holder: second },
    (line) => reporter.line(line),
  );

  reporter.heading('5  restore the last backup and compare everything');
  const restored = join(base, 'restored');
  const backup = await context.store.find(group);
  await compare(backup, two.plan, { lab: join(base, 'lab'), restored }, (line) => reporter.line(line));
  const after = await lab.status();
  check(after.ledger.bookings > status.ledger.bookings, 'the ledger wrote nothing meanwhile');
  reporter.line(`  the ledger went on: ${after.ledger.bookings} bookings now`);
  reporter.line('');
  reporter.line(`  backups:  ${scene.config.store}/${group}`);
  reporter.line(`  restored: ${restored}`);
  reporter.line(`  lab:      ${join(base, 'lab')}`);
  if (!scene.keep) reporter.line('  to play with it yourself: docs/walkthroughs/first-backup.md');
  else {
    for (const line of reachLines(scene.config, after)) reporter.line(line);
    const { pid } = JSON.parse(await readFile(join(base, 'lab', 'process.json'), 'utf8')) as { pid: number };
    reporter.line(`  the lab ends by itself in ${labMinutes} minutes, or now: kill ${pid}`);
  }
  return 0;
}

async function locate(scene: Scene): Promise<string> {
  const { context, reporter, signal } = scene;
  const standing = await context.cluster.locate(group, { signal });
  for (const line of standingText(group, standing, scene)) reporter.line(`  ${line}`);
  if (standing.kind !== 'held') throw new DemoFailure(`nobody holds ${group}: ${standing.kind}`);
  return standing.node;
}

async function backUp(scene: Scene, { printPlan }: { printPlan: boolean }): Promise<{ plan: RunPlan } | number> {
  const { config, context, reporter, signal, stop } = scene;
  const plan = await planBackup(context, group, policyOf(config, group), { signal });
  if (printPlan) for (const line of planText(plan)) reporter.line(`  ${line}`);
  reporter.line('');
  const report = await runBackup(context, plan, { signal, stop });
  for (const line of reportText(report, scene)) reporter.line(`  ${line}`);
  return report.verdict.kind === 'good' ? { plan } : exitCodeOfRun(report);
}

function reachLines(config: Config, status: LabStatus): string[] {
  const [identity = ''] = config.ssh.identities;
  const [knownHosts = ''] = config.ssh.knownHosts ?? [];
  return status.nodes.map(({ name }) => reachLine(name, config.nodes[name]?.port ?? 22, identity, knownHosts));
}
