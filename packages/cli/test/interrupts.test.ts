import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';
import { type Finished, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 400_000, phaseMs: 5 });
}, 60_000);
afterEach(() => stage.lab.clearFaults());
afterAll(() => stage.close());

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ stdout }: Finished): Line[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const endsOf = (finished: Finished) => linesOf(finished).filter(({ type }) => type === 'result' || type === 'error');

/** Opens a pipe for writing as soon as somebody waits to read from it. */
async function writerTo(pipe: string): Promise<number> {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await delay(50);
    }
  }
}

describe('Ctrl-C', { timeout: 240_000 }, () => {
  it.each([
    ['who', 'ledger_rg'],
    ['levels'],
    ['plan', 'ledger_rg'],
    ['check'],
    ['status'],
    ['recover', 'ledger_rg', '--dry-run'],
  ])('at any time of %s is an interrupt, or comes too late', async (...words) => {
    const began = Date.now();
    const undisturbed = await stage.run(...words, '--json');
    const took = Date.now() - began;
    for (const share of [0.35, 0.5, 0.6, 0.7, 0.8, 0.9]) {
      const running = stage.start(...words, '--json');
      await delay(took * share);
      running.child.kill('SIGINT');
      const finished = await running.finished;
      // Before it listens, and when all is closed, it is ended as any process is.
      const told = running.child.signalCode === 'SIGINT' ? [] : [undisturbed.code, exitCodes.INTERRUPTED.code];
      if (told.length > 0) expect(told, `${words} at ${share}: ${finished.stderr}`).toContain(finished.code);
      const ends = endsOf(finished);
      if (finished.code === exitCodes.INTERRUPTED.code) {
        expect(ends).toEqual([expect.objectContaining({ type: 'error', code: 'INTERRUPTED', problems: [] })]);
        expect(finished.stderr).toMatch(/^INTERRUPTED: interrupted before anything was changed\n/);
      } else if (running.child.signalCode === null) {
        expect(ends).toEqual([expect.objectContaining({ type: 'result' })]);
      }
    }
  });
});

describe('a second Ctrl-C', { timeout: 240_000 }, () => {
  /** A backup in the midst of its way back, which hangs. */
  const inTrouble = async (...words: string[]) => {
    stage.lab.fault({ program: 'dd', does: { kind: 'hangs' } });
    stage.lab.fault({ program: 'umount', does: { kind: 'hangs' } });
    const run = stage.start('backup', 'ledger_rg', ...words);
    await run.saw(/ok {2}Check and mount|"archive-start","volume":"auditlv"/);
    run.child.kill('SIGINT');
    await run.saw(/interrupted: going back in order/);
    await run.saw(/take the lock of the group|way back|"way-back"/);
    return run;
  };

  it('says what is left on which node, and the command that takes it back', async () => {
    const run = await inTrouble();
    run.child.kill('SIGINT');
    const { code, stdout } = await run.finished;
    expect(code).toBe(exitCodes.RUN_NEEDS_RECOVERY.code);
    expect(stdout).toMatch(
      / {2}stopping where it stands\n {2}ledger_rg: there is, or may be, on db_node1: lock \S+holder\.\w+, copy sm\S+, .*mount \S+/,
    );
    expect(stdout).toMatch(/STOPPED \(db_node1\): .*copy sm.*\n +Run: splitmirror recover --config \S+ ledger_rg$/m);
    const [, command = ''] = /taken back with: splitmirror (.*)$/m.exec(stdout) ?? [];
    expect(command).toMatch(/^recover --config \S+ ledger_rg$/);
    expect(await stage.leftovers()).not.toEqual([]);
    stage.lab.clearFaults();
    expect(await stage.run(...command.split(' '))).toMatchObject({ code: 0 });
    expect((await stage.leftovers()).filter((line) => !line.includes('.incomplete'))).toEqual([]);
  });

  it('and a third end the process, and the last line says the same', async () => {
    const run = await inTrouble('--json');
    stage.lab.mute('db_node1', 'on');
    run.child.kill('SIGINT');
    await run.saw(/stopping where it stands/);
    run.child.kill('SIGINT');
    const finished = await run.finished;
    stage.lab.mute('db_node1', 'off');
    expect(finished.code).toBe(exitCodes.RUN_NEEDS_RECOVERY.code);
    expect(endsOf(finished)).toEqual([
      expect.objectContaining({
        type: 'error',
        code: 'RUN_NEEDS_RECOVERY',
        message: expect.stringMatching(/^ended where it stood: ledger_rg: there is, or may be, on db_node1: lock /),
        remedy: expect.stringMatching(/^Run: splitmirror recover --config \S+ ledger_rg$/),
      }),
    ]);
    stage.lab.clearFaults();
    await expect.poll(async () => (await stage.run('recover', 'ledger_rg')).code, { timeout: 120_000 }).toBe(0);
  });
});

describe('a Ctrl-C after the last word', { timeout: 240_000 }, () => {
  it('does not change what the command ended as', async () => {
    stage.lab.fault({ program: 'dd', does: { kind: 'hangs' } });
    stage.lab.fault({ program: 'umount', does: { kind: 'hangs' } });
    const run = stage.start('backup', 'ledger_rg');
    await run.saw(/ok {2}Check and mount/);
    run.child.kill('SIGINT');
    await run.saw(/way back/);
    stage.lab.mute('db_node1', 'on');
    run.child.kill('SIGINT');
    await run.saw(/STOPPED \(db_node1\)/);
    // Its link is still being closed: the node is dead.
    await delay(300);
    run.child.kill('SIGINT');
    const finished = await run.finished;
    stage.lab.mute('db_node1', 'off');
    expect([run.child.signalCode, finished.code]).toEqual([null, exitCodes.RUN_NEEDS_RECOVERY.code]);
    stage.lab.clearFaults();
    await expect.poll(async () => (await stage.run('recover', 'ledger_rg')).code, { timeout: 120_000 }).toBe(0);
  });
});

describe('an interrupt', { timeout: 240_000 }, () => {
  it('of a restore into the group names a recovery that can be pasted', async () => {
    const config = await stage.configure((base) => ({ ...base, store: 'restored' }));
    expect((await stage.run('backup', 'ledger_rg', '--quiet', '--config', config)).code).toBe(0);
    stage.lab.fault({ program: 'tar', does: { kind: 'hangs' } });
    const run = stage.start('restore', 'ledger_rg', '--into-group', '--config', config);
    await run.saw(/run \w{6} of /);
    const lock = expect.stringMatching(/:\/ledger\/\w+\/\.splitmirror$/);
    await expect.poll(() => stage.leftovers(), { timeout: 60_000 }).toContainEqual(lock);
    stage.lab.mute('db_node1', 'on');
    run.child.kill('SIGINT');
    await run.saw(/interrupted: /);
    run.child.kill('SIGINT');
    const { code, stderr } = await run.finished;
    stage.lab.mute('db_node1', 'off');
    stage.lab.clearFaults();
    expect(code).toBe(exitCodes.RESTORE_UNSETTLED.code);
    const [, command = ''] = /then run: splitmirror (.*)$/m.exec(stderr) ?? [];
    expect(command).toBe(`recover --config ${config} ledger_rg --break-lock`);
    await expect.poll(async () => (await stage.run(...command.split(' '))).code, { timeout: 120_000 }).toBe(0);
  });

  it.each([
    { words: ['ledger_rg'], more: {} },
    { words: ['--all'], more: { lost_rg: {} } },
  ])('while $words is being told names the run, which has ended', async ({ words, more }) => {
    const config = await stage.configure((base) => ({
      ...base,
      store: `told-${words}`,
      notify: { on: ['good'], command: ['sleep', '15'] },
      groups: { ...base.groups, ...more },
    }));
    const run = stage.start('backup', ...words, '--json', '--config', config);
    await run.saw(/"type":"run-end".*\n(.*\n)*.*"text":"good: /);
    run.child.kill('SIGINT');
    await run.saw(/interrupted: ending what is under way/);
    run.child.kill('SIGINT');
    const finished = await run.finished;
    expect(finished.code).toBe(exitCodes.INTERRUPTED.code);
    expect(endsOf(finished)).toEqual([
      expect.objectContaining({
        type: 'error',
        code: 'INTERRUPTED',
        message: 'ended after the run of ledger_rg; not everybody may have been told of it',
        remedy: `See what it came to: splitmirror show --config ${config} ledger_rg`,
      }),
    ]);
  });

  it('of a schedule is told of each group, also of those that it kept from being looked at', async () => {
    const schedule = {
      cron: '0 0 * * *',
      windowMinutes: 1440,
      since: `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
    };
    const config = await stage.configure((base) => ({
      ...base,
      store: 'scheduled',
      stabilitySeconds: 60,
      groups: { ledger_rg: { ...base.groups.ledger_rg, schedule }, other_rg: { schedule } },
    }));
    const run = stage.start('schedule', '--run', '--json', '--config', config);
    const windows = () => readFile(join(stage.directory, 'scheduled/windows.ndjson'), 'utf8').catch(() => '');
    await expect.poll(windows, { timeout: 60_000 }).toContain('"begun"');
    run.child.kill('SIGTERM');
    const finished = await run.finished;
    expect(finished.code).toBe(exitCodes.INTERRUPTED.code);
    expect(endsOf(finished)).toEqual([
      expect.objectContaining({ type: 'result', group: 'ledger_rg', kind: 'yielded', exitCode: 130 }),
      expect.objectContaining({ type: 'result', group: 'other_rg', code: 'INTERRUPTED', exitCode: 130 }),
    ]);
    expect(finished.stdout).toContain('"other_rg: INTERRUPTED: interrupted before anything was changed"');
  });

  it('ends a command whose store does not answer, at the second where the first cannot', async () => {
    const store = join(stage.directory, 'silent');
    const run = join(store, 'ledger_rg', '20261122T010000Z-k3f9q2');
    await mkdir(run, { recursive: true });
    // Whoever opens it waits, as for a mount whose server is gone.
    execFileSync('mkfifo', [join(run, 'manifest.json')]);
    const config = await stage.configure((base) => ({ ...base, store }));
    const listing = stage.start('list', 'ledger_rg', '--json', '--config', config);
    await delay(3000);
    listing.child.kill('SIGINT');
    await listing.saw(/"type":"error".*"code":"INTERRUPTED"/);
    await delay(500);
    listing.child.kill('SIGINT');
    const late = delay(10_000).then(() => listing.child.kill('SIGKILL'));
    const finished = await listing.finished;
    expect(listing.child.signalCode ?? finished.code).toBe('SIGINT');
    expect(endsOf(finished)).toHaveLength(1);
    await late;
  });

  it.each([
    ['replay', (file: string) => ['replay', file]],
    ['approve', (file: string) => ['approve', file, `${file}.approval`, '--by', 'J. Doe']],
  ])('of %s is told as one', async (name, words) => {
    const file = join(stage.directory, `${name}.fifo`);
    execFileSync('mkfifo', [file]);
    const waiting = stage.startBare(...words(file), '--json');
    const writer = await writerTo(file);
    waiting.child.kill('SIGTERM');
    await waiting.saw(/"type":"error".*"code":"INTERRUPTED"/);
    waiting.child.kill('SIGKILL');
    expect(endsOf(await waiting.finished)).toHaveLength(1);
    closeSync(writer);
  });
});
