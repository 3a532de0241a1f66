import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, renderCommand, type Step } from '@splitmirror/host';
import { type Lab, startLab, verifyLedger } from '@splitmirror/lab';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aixFamily } from '../src/aix.ts';
import { planBackup } from '../src/plan/plan.ts';
import { renderRunBook } from '../src/plan/run-book.ts';
import type { PlannedArchive, RunPlan } from '../src/plan/run-plan.ts';
import { openStore } from '../src/store/store.ts';
import { systemSurroundings } from '../src/surroundings.ts';
import { labPolicy } from './lab-policy.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const shells = ['/bin/dash', '/usr/bin/ksh93', '/usr/bin/mksh'];

describe.each(shells)('a run-book in %s', (shell) => {
  let lab: Lab;
  let plan: RunPlan;
  beforeEach(async () => {
    lab = await startLab({ contentBytes: 1 << 20, phaseMs: 30, shell, resyncPerSecond: 200 });
    const hosts = new Map(
      lab.nodes.map(({ name, path }) => [name, createHost(name, lab.transport(name), { path, shell })]),
    );
    const surroundings = systemSurroundings();
    const store = openStore(await mkdtemp(join(tmpdir(), 'splitmirror-run-book-')));
    const context = { ...aixFamily({ hosts, now: surroundings.now, stabilityMs: 50 }), store, surroundings };
    plan = await planBackup(context, 'ledger_rg', labPolicy);
  });
  afterEach(() => lab.close());

  /** A person who types yes to every question, but to those that match `no`. */
  async function follow(text: string, options: { no?: RegExp; words?: string[] } = {}) {
    const [node] = lab.nodes;
    if (node === undefined) throw new Error('no node');
    await writeFile(join(node.root, 'run-book.sh'), text);
    await mkdir(join(node.root, 'saved'), { recursive: true });
    const words = options.words ?? ['/saved', plan.run];
    const child = await lab.transport(node.name).open(`sh /run-book.sh ${words.join(' ')}`);
    let said = '';
    let answered = 0;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        const questions = said.match(/^\?\? .* \(yes\/no\) $/gm) ?? [];
        for (; answered < questions.length; answered++) {
          child.stdin.write(options.no?.test(questions[answered] ?? '') ? 'no\n' : 'yes\n');
        }
      });
    }
    const exit = await child.exit;
    return { code: exit.kind === 'exited' ? exit.code : -1, said, saved: join(node.root, 'saved') };
  }

  const leftovers = async (): Promise<string[]> => {
    const { stdout } = await lab.run('db_node1', ['lsvg', '-l', 'ledgervg']);
    const { stdout: mounts } = await lab.run('db_node1', ['mount']);
    const { stdout: status } = await lab.run('db_node1', ['ledgerctl', 'status']);
    const root = lab.nodes[0]?.root ?? '';
    const notes = await readdir(join(root, 'ledger/accounts'));
    return [
      ...`${stdout}\n${mounts}`.split('\n').filter((line) => /^sm[a-z]|stale|\/splitmirror/.test(line)),
      ...status.split('\n').filter((line) => /suspended/.test(line)),
      ...[...notes, ...(await readdir(root))].filter((name) => /^\.?splitmirror$/.test(name)),
    ];
  };

  it('does the backup by hand, and leaves nothing behind', async () => {
    const { code, said, saved } = await follow(renderRunBook(plan));
    expect(said).toContain(`run ${plan.run}: good`);
    expect(code).toBe(0);
    expect(await leftovers()).toEqual([]);
    const into = await mkdtemp(join(tmpdir(), 'splitmirror-by-hand-'));
    for (const volume of ['accountslv', 'journallv']) {
      await mkdir(join(into, volume));
      execFileSync('tar', ['-xf', join(saved, `${volume}.tar`), '-C', join(into, volume)]);
    }
    expect(
      verifyLedger({
        journal: join(into, 'journallv'),
        accounts: join(into, 'accountslv'),
        audit: join(saved, 'auditlv.dd'),
      }),
    ).toMatchObject({ kind: 'consistent' });
    const sums = await readFile(join(saved, 'cksums'), 'utf8');
    expect(sums).toBe(
      execFileSync('cksum', ['accountslv.tar', 'journallv.tar', 'auditlv.dd'], { cwd: saved }).toString(),
    );
    expect((await readdir(saved)).filter((name) => /partial|status/.test(name))).toEqual([]);
  });

  // What a shell makes of the text is told by the one above; the rest is the same in all.
  const once = it.runIf(shell === '/bin/dash');

  once('runs exactly the commands of the plan', () => {
    const text = renderRunBook(plan);
    for (const phase of [plan.mirror.split, plan.mirror.expose, plan.mirror.withdraw, plan.mirror.merge]) {
      const from = text.indexOf(`# ---- ${phase.name}:`);
      expect(from).toBeGreaterThan(0);
      let at = from;
      for (const { run } of phase.script.steps) {
        at = text.indexOf(`\n  ${renderCommand(run)}`, at + 1);
        expect(at, renderCommand(run)).toBeGreaterThan(from);
      }
    }
  });

  once('does nothing without the name of the run, in a directory with something in it, or when told no', async () => {
    const text = renderRunBook(plan);
    expect((await follow(text, { words: ['/saved', 'zzzzzz'] })).code).toBe(2);
    expect((await follow(text, { words: ['/ledger', plan.run] })).code).toBe(2);
    expect((await follow(text, { no: /holds ledger_rg/ })).code).toBe(2);
    expect(await leftovers()).toEqual([]);
  });

  once('merges again when the person sees something wrong, and does not call that a backup', async () => {
    const { code, said } = await follow(renderRunBook(plan), { no: /what is mounted/ });
    expect(code).toBe(1);
    expect(said).toContain('FAILED');
    expect(await leftovers()).toEqual([]);
  });

  once('lets the application go on when the split fails, and says what takes it back', async () => {
    lab.fault({ program: 'splitlvcopy', arguments: 'journallv', does: { kind: 'fails-before' } });
    const { code, said } = await follow(renderRunBook(plan));
    expect(code).toBe(1);
    expect(said).toMatch(/stops here[\s\S]*rmlv/);
    expect((await lab.run('db_node1', ['ledgerctl', 'status'])).stdout).toContain('running');
  });
});

it.each([...shells, '/bin/busybox'])('is good syntax for %s, whatever the names and texts', async (shell) => {
  const { plan } = await import('./model.ts');
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-syntax-'));
  const odd = `it's $(odd) \\n "quoted" \`x\``;
  const step = { id: 'a', run: { argv: ['echo', odd], effect: 'changes' } as const, timeoutSeconds: 1 };
  const piped = { ...step, id: 'b', run: { pipe: [step.run, step.run] as const }, stdin: `end\n${odd}\n` };
  const phase = {
    name: 'split',
    node: 'a',
    title: odd,
    script: { steps: [step, piped] },
    explains: { a: odd, b: odd },
    undo: [odd],
  };
  const takeover = [{ text: odd, commands: [odd] }];
  const strange: RunPlan = { ...plan, mirror: { ...plan.mirror, split: phase, takeover } };
  const file = join(directory, 'run-book.sh');
  await writeFile(file, renderRunBook(strange));
  await chmod(file, 0o755);
  const words = shell.endsWith('busybox') ? ['sh', '-n', file] : ['-n', file];
  expect(execFileSync(shell, words, { stdio: 'pipe' }).toString()).toBe('');
  expect(
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  ).toHaveLength(64);
});

it.each(shells)('believes an archive only when every member of its pipeline ended well, in %s', async (shell) => {
  const { plan } = await import('./model.ts');
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-members-'));
  const outcomes = [];
  for (const first of ['true', 'false']) {
    const member = (...argv: [string, ...string[]]) => ({ argv, effect: 'reads' }) as const;
    const source = { pipe: [member('sh', '-c', `echo x; ${first}`), member('cat')] as const };
    const empty = { name: 'x', node: 'a', title: 'x', script: { steps: [] }, explains: {}, undo: [] };
    const mirror = { ...plan.mirror, split: empty, expose: empty, withdraw: empty, merge: empty };
    const archive: PlannedArchive = {
      ...{
        volume: 'rawlv',
        mountPoint: null,
        tool: 'dd',
        file: 'rawlv.dd',
        source,
        expectedBytes: 2,
        timeoutSeconds: 5,
      },
    };
    const file = join(directory, `${first}.sh`);
    await writeFile(file, renderRunBook({ ...plan, mirror, archives: [archive], notes: join(directory, 'notes') }));
    const saved = join(directory, `saved-${first}`);
    await mkdir(saved);
    const done = spawnSync(shell, [file, saved, plan.run], { input: 'yes\n'.repeat(9), encoding: 'utf8' });
    outcomes.push([done.status, /FAILED/.test(done.stderr), (await readdir(saved)).sort().join()]);
  }
  expect(outcomes).toEqual([
    [0, false, 'cksums,rawlv.dd'],
    [1, true, 'rawlv.dd.partial'],
  ]);
});

it.each(shells)('pays what was begun, but not what was refused, in %s', async (shell) => {
  const { plan } = await import('./model.ts');
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-debts-'));
  const sh = (id: string, text: string, more: Partial<Step> = {}): Step => ({
    ...{
      id,
      run: { argv: ['sh', '-c', `echo ${id} >>${directory}/log; ${text}`], effect: 'changes' },
      timeoutSeconds: 5,
    },
    ...more,
  });
  const steps = [
    sh('suspend', 'true'),
    sh('freeze', 'exit 1', { onRefusal: 'owes-nothing' }),
    sh('split', 'true'),
    sh('thaw', 'true', { pays: ['freeze'] }),
    sh('resume', 'true', { pays: ['suspend'] }),
    sh('settle', 'true', { pays: ['suspend'], needs: ['resume'] }),
  ];
  const split = { name: 'split', node: 'a', title: 'x', script: { steps }, explains: {}, undo: ['merge it'] };
  const file = join(directory, 'run-book.sh');
  const mirror = { ...plan.mirror, split };
  await writeFile(file, renderRunBook({ ...plan, mirror, notes: join(directory, 'notes') }));
  await mkdir(join(directory, 'saved'));
  const words = [file, join(directory, 'saved'), plan.run];
  const done = spawnSync(shell, words, { input: 'yes\n'.repeat(9), encoding: 'utf8' });
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('merge it');
  expect(await readFile(join(directory, 'log'), 'utf8')).toBe('suspend\nfreeze\nresume\nsettle\n');
});

it.each(shells)('writes into its lock since when it runs, and every name to the letter, in %s', async (shell) => {
  const { plan } = await import('./model.ts');
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-since-'));
  const group = `it's $(odd) \\n "quoted" \`x\``;
  const fails: Step = { id: 'a', run: { argv: ['false'], effect: 'changes' }, timeoutSeconds: 5 };
  const split = { name: 'split', node: 'a', title: 'x', script: { steps: [fails] }, explains: {}, undo: [] };
  const notes = join(directory, 'notes');
  const file = join(directory, 'run-book.sh');
  await writeFile(file, renderRunBook({ ...plan, group, notes, mirror: { ...plan.mirror, split } }));
  await mkdir(join(directory, 'saved'));
  const from = Math.floor(Date.now() / 1000) * 1000;
  const env = { ...process.env, TZ: 'America/New_York' };
  spawnSync(shell, [file, join(directory, 'saved'), plan.run], { input: 'yes\n'.repeat(9), env });
  const [holder = ''] = await readdir(notes);
  const written = JSON.parse(await readFile(join(notes, holder), 'utf8')) as { group: string; since: string };
  expect(written.group).toBe(group);
  expect(written.since).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(Date.parse(written.since)).toBeGreaterThanOrEqual(from);
  expect(Date.parse(written.since)).toBeLessThanOrEqual(Date.now());
});
