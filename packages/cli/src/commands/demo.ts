import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BackupContext,
  planBackup,
  type RunPlan,
  restoreBackup,
  runBackup,
  type StoredBackup,
} from '@splitmirror/backup';
import { guardExitCodes, guardScript } from '@splitmirror/hacmp';
import { changes } from '@splitmirror/host';
import { connectLab, type LabControl, type LabStatus, verifyLedger } from '@splitmirror/lab';
import { type Config, policyOf, readConfig } from '../config.ts';
import { withContext } from '../connect.ts';
import { exitCodeOfRun } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';
import { createReporter, type Reporter } from '../reporter.ts';
import { listenForInterrupts } from '../session.ts';
import { bytesText } from '../units.ts';
import { reportText } from './backup.ts';
import { labConfigName } from './lab.ts';
import { standingText } from './who.ts';

/** What the demo may be told. */
export interface DemoFlags {
  readonly keep?: boolean;
  readonly directory?: string;
  readonly json?: boolean;
}

const group = 'ledger_rg';
/** A lab that nobody ends any more, because the demo was killed, ends by itself; until then `recover` can be tried. */
const labMinutes = 60;

/** A check of the demo did not hold. */
class DemoFailure extends Error {}

/**
 * The main job before one's eyes: a cluster, its holder, a plan, a backup, a move, a second backup, a restore. Exit code 0
 * only when every check held.
 */
export async function demo({ keep = false, directory, json = false }: DemoFlags): Promise<number> {
  const base = directory === undefined ? mkdtempSync(join(tmpdir(), 'splitmirror-demo-')) : resolve(directory);
  const reporter = createReporter(json ? 'json' : 'text', process.stdout);
  const interrupts = listenForInterrupts(reporter);
  let control: LabControl | undefined;
  try {
    reporter.heading('1  a lab cluster: two nodes, one group, an application that keeps writing');
    control = await startLabProcess(join(base, 'lab'));
    const config = await readConfig(join(base, 'lab', labConfigName));
    const code = await withContext(config, reporter.event, (context) =>
      perform({ base, keep, config, context, reporter, lab: control as LabControl, ...interrupts }),
    );
    reporter.result({ demo: code === 0 ? 'passed' : 'failed', directory: base });
    return code;
  } catch (error) {
    if (!(error instanceof DemoFailure)) throw error;
    reporter.line(`FAILED: ${error.message}`);
    reporter.result({ demo: 'failed', reason: error.message, directory: base });
    return 1;
  } finally {
    interrupts.release();
    reporter.close();
    if (keep) control?.disconnect();
    else await control?.close();
  }
}

interface Scene {
  readonly base: string;
  readonly keep: boolean;
  readonly config: Config;
  readonly context: BackupContext;
  readonly reporter: Reporter;
  readonly lab: LabControl;
  readonly signal: AbortSignal;
  readonly stop: AbortSignal;
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
  await askGuards(scene, first, second);

  reporter.heading('5  restore the last backup and compare everything');
  const restored = join(base, 'restored');
  const backup = await context.store.find(group);
  await compare(scene, backup, two.plan, restored);
  const after = await lab.status();
  check(after.ledger.bookings > status.ledger.bookings, 'the ledger wrote nothing meanwhile');
  reporter.line(`  the ledger went on: ${after.ledger.bookings} bookings now`);
  reporter.line('');
  reporter.line(`  backups:  ${scene.config.store}/${group}`);
  reporter.line(`  restored: ${restored}`);
  reporter.line(`  lab:      ${join(base, 'lab')}`);
  if (scene.keep) {
    for (const line of reachLines(scene.config, after)) reporter.line(line);
    const { pid } = JSON.parse(await readFile(join(base, 'lab', 'process.json'), 'utf8')) as { pid: number };
    reporter.line(`  the lab ends by itself in ${labMinutes} minutes, or now: kill ${pid}`);
  }
  return 0;
}

async function locate({ context, reporter, signal }: Scene): Promise<string> {
  const standing = await context.cluster.locate(group, { signal });
  for (const line of standingText(group, standing)) reporter.line(`  ${line}`);
  if (standing.kind !== 'held') throw new DemoFailure(`nobody holds ${group}: ${standing.kind}`);
  return standing.node;
}

async function backUp(scene: Scene, { printPlan }: { printPlan: boolean }): Promise<{ plan: RunPlan } | number> {
  const { config, context, reporter, signal, stop } = scene;
  const plan = await planBackup(context, group, policyOf(config, group), { signal });
  if (printPlan) for (const line of planText(plan)) reporter.line(`  ${line}`);
  reporter.line('');
  const report = await runBackup(context, plan, { signal, stop });
  for (const line of reportText(report)) reporter.line(`  ${line}`);
  return report.verdict.kind === 'good' ? { plan } : exitCodeOfRun(report);
}

/** The nodes' own guard, as a cron job would call it: it runs the job on the node that has the group, and nowhere else. */
async function askGuards({ context, config, reporter }: Scene, first: string, second: string): Promise<void> {
  const path = '/usr/local/bin/splitmirror-guard';
  for (const [name, host] of context.hosts) {
    const text = guardScript({ path, commands: config.nodes[name]?.path, pauseSeconds: 1 });
    const installed = await host.run({
      steps: [
        { id: 'directory', run: changes('mkdir', '-p', '/usr/local/bin'), timeoutSeconds: 30 },
        { id: 'guard', run: changes('tee', path), stdin: text, timeoutSeconds: 30 },
        { id: 'mode', run: changes('chmod', '755', path), timeoutSeconds: 30 },
      ],
    });
    check(
      installed.steps.every((step) => step.kind === 'ended' && step.exitCode === 0),
      `no guard on ${name}`,
    );
  }
  const answers = { [first]: guardExitCodes.notMine, [second]: guardExitCodes.succeeded };
  for (const [name, expected] of Object.entries(answers)) {
    const run = changes('sh', path, group, 'hostname');
    const asked = await context.hosts.get(name)?.run({ steps: [{ id: 'guard', run, timeoutSeconds: 60 }] });
    const [step] = asked?.steps ?? [];
    const code = step?.kind === 'ended' ? step.exitCode : undefined;
    check(code === expected, `the guard on ${name} ended with ${code}, not ${expected}`);
    const said = step?.kind === 'ended' ? step.stdout.trim() : '';
    reporter.line(
      `  guard on ${name}: ${expected === 0 ? `mine, and the job ran: ${said}` : 'not mine (20), nothing done'}`,
    );
  }
}

/** Every file of the restored trees against what the lab saw at the instant of the split, and the ledger's own books. */
async function compare(scene: Scene, backup: StoredBackup, plan: RunPlan, restored: string): Promise<void> {
  const { base, reporter } = scene;
  const { volumes } = await restoreBackup(backup, restored);
  let compared = 0;
  for (const { volume, path } of volumes) {
    const copy = plan.mirror.volumes.find((planned) => planned.volume === volume)?.copy ?? '';
    const truth = JSON.parse(await readFile(join(base, 'lab', 'truth', `${copy}.json`), 'utf8')) as Truth;
    if (truth.kind === 'raw') {
      check((await digestOf(path)) === truth.sha256, `${volume}: the bytes differ from those at the split`);
      compared += 1;
      continue;
    }
    const files = truth.files.filter(({ path: name, kind }) => kind === 'file' && !isNote(name));
    const expected = new Map(files.map((entry) => [entry.path, entry.sha256]));
    const found = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const entry of found) {
      const full = join(entry.parentPath, entry.name);
      const name = full.slice(path.length + 1);
      check(
        expected.get(name) === (await digestOf(full)),
        `${volume}: ${name} differs from what stood there at the split`,
      );
      expected.delete(name);
      compared += 1;
    }
    check(expected.size === 0, `${volume}: ${[...expected.keys()][0]} is missing`);
  }
  const bytes = volumes.reduce((sum, volume) => sum + volume.bytes, 0);
  reporter.line(`  ${compared} files, ${bytesText(bytes)}: each is byte for byte what stood there at the split`);
  const parts = (volume: string) => join(restored, volume);
  const books = verifyLedger({ journal: parts('journallv'), accounts: parts('accountslv'), audit: parts('auditlv') });
  check(books.kind === 'consistent', `the ledger is torn: ${books.kind === 'torn' ? books.problems.join('; ') : ''}`);
  if (books.kind === 'consistent')
    reporter.line(`  the ledger agrees across both file systems and the raw volume: ${books.records} bookings`);
}

/** What the lab writes down when a copy is split. */
type Truth =
  | {
      readonly kind: 'files';
      readonly files: readonly { readonly path: string; readonly kind: string; readonly sha256: string }[];
    }
  | { readonly kind: 'raw'; readonly sha256: string };

function isNote(path: string): boolean {
  return /^(?:\.\/)?\.splitmirror(?:\/|$)/.test(path);
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

function check(holds: boolean, failure: string): void {
  if (!holds) throw new DemoFailure(failure);
}

function reachLines(config: Config, status: LabStatus): string[] {
  const [identity] = config.ssh.identities;
  const [knownHosts] = config.ssh.knownHosts ?? [];
  return status.nodes.map(
    ({ name }) =>
      `  ${name}: ssh -p ${config.nodes[name]?.port} -i ${identity} -o UserKnownHostsFile=${knownHosts} root@127.0.0.1 lsvg -l ledgervg`,
  );
}

/** The lab is a process of its own: killing the controller must leave the cluster standing. */
async function startLabProcess(directory: string): Promise<LabControl> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = openSync(join(directory, 'lab.log'), 'a', 0o600);
  const script = process.argv[1] ?? '';
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, 'lab', '--directory', directory, '--minutes', String(labMinutes)],
    {
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  child.unref();
  const ended = new Promise<number>((resolveExit) => child.once('exit', (code) => resolveExit(code ?? 1)));
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (existsSync(join(directory, labConfigName))) return connectLab(directory);
    const code = await Promise.race([ended, delay(50, undefined)]);
    if (code !== undefined) throw new DemoFailure(`the lab ended with ${code}: see ${join(directory, 'lab.log')}`);
  }
  throw new DemoFailure(`the lab does not start: see ${join(directory, 'lab.log')}`);
}
