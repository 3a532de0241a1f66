import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';
import { type Finished, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 400_000, phaseMs: 5 });
}, 60_000);
afterEach(() => stage.lab.clearFaults());
afterAll(() => stage.close());

const code = (name: keyof typeof exitCodes) => exitCodes[name].code;
const resultOf = ({ stdout }: Finished) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ type }) => type === 'result');

/** A configuration whose store is a link to nothing, as where a mount is gone. */
async function gone(change: object = {}): Promise<string[]> {
  const store = join(stage.directory, `gone-${crypto.randomUUID()}`);
  await symlink(join(stage.directory, 'nowhere', 'at', 'all'), store);
  return [
    '--config',
    await stage.configure((base) => ({
      ...base,
      store,
      groups: { ledger_rg: { ...base.groups.ledger_rg, ...change } },
    })),
  ];
}

describe('a store that is gone', { timeout: 240_000 }, () => {
  it('is in the way of nobody who does not need it', async () => {
    const store = await gone();
    const run = (...words: string[]) => stage.run(...words, ...store);
    expect((await run('who', 'ledger_rg')).code).toBe(0);
    expect((await run('levels')).code).toBe(0);
    expect((await run('capture', join(stage.directory, 'bundle'))).code).toBe(0);
    expect((await run('guard', 'verify')).code).toBe(code('INSTALLATION_INCOMPLETE'));
    const plan = await run('plan', 'ledger_rg');
    expect(plan).toMatchObject({ code: 0, stdout: expect.stringMatching(/\$ splitlvcopy/) });
    expect(plan.stdout).toMatch(/^warning: the store cannot be used: .*leads nowhere: a backup would be refused$/m);
    expect(plan.stdout).toMatch(/^warning: the plan knows no earlier backup/m);
    const status = await run('status');
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ledger_rg: on db_node1$/m) });
    expect(status.stdout).toMatch(/^warning: ledger_rg: its last backup and recovery are not known: the store /m);
    expect(resultOf(await run('status', '--json')).groups).toMatchObject([
      { node: 'db_node1', lastBackup: null, unread: { code: 'STORE_UNUSABLE' } },
    ]);
  });

  it('is told by everybody who does, and a backup changes nothing', async () => {
    const store = await gone({ schedule: { cron: '0 1 * * *', since: '2026-01-01T00:00:00Z' } });
    for (const words of [
      ['list', 'ledger_rg'],
      ['show', 'ledger_rg'],
      ['verify', 'ledger_rg'],
      ['restore', 'ledger_rg', join(stage.directory, 'restored')],
      ['schedule'],
      ['backup', 'ledger_rg'],
      ['check'],
    ]) {
      const { code: got, stdout, stderr } = await stage.run(...words, ...store);
      expect(`${words}: ${got}: ${stdout}${stderr}`).toMatch(new RegExp(`: ${code('STORE_UNUSABLE')}: `));
    }
    expect(await stage.leftovers()).toEqual([]);
  });

  it('hides from a check nothing else', async () => {
    const { stdout } = await stage.run('check', ...(await gone()));
    expect(stdout).toMatch(/^problem {2}store .*: cannot be used$/m);
    expect(stdout).toMatch(/^ok .*ledger_rg: held by db_node1, could be backed up if the store could be used: acc/m);
  });

  it('refuses a plan whose policy limits what only the store knows', async () => {
    const { code: got, stderr } = await stage.run(
      'plan',
      'ledger_rg',
      ...(await gone({ exposureMinutesPerMonth: 60 })),
    );
    expect(got).toBe(code('PLAN_REFUSED'));
    expect(stderr).toMatch(/EXPOSURE_UNKNOWN: .*the store, which knows what was spent, cannot be read/);
  });

  it('keeps nobody from taking back what a killed run has left', async () => {
    await stage.killBackup();
    expect(await stage.leftovers()).not.toEqual([]);
    const store = await gone();
    expect((await stage.run('status', ...store)).code).toBe(code('NEEDS_RECOVERY'));
    expect((await stage.run('recover', 'ledger_rg', '--dry-run', ...store)).stdout).toMatch(/\$ rmlv -f sm/);
    const recovered = await stage.run('recover', 'ledger_rg', '--json', ...store);
    expect(recovered.code).toBe(0);
    expect(resultOf(recovered)).toMatchObject({
      kind: 'whole',
      directory: null,
      unrecorded: { code: 'STORE_UNUSABLE' },
    });
    expect(recovered.stdout).toMatch(/"type":"warning","text":"what was taken back is not recorded/);
    expect((await stage.leftovers()).filter((line) => !line.includes('.incomplete'))).toEqual([]);
  });
});

describe('a store whose file system is not mounted', { timeout: 240_000 }, () => {
  it('is told by everybody who would take the directory below for it, and nothing is written there', async () => {
    const storeMountPoint = join(stage.directory, 'unmounted');
    await mkdir(storeMountPoint);
    const store = join(storeMountPoint, 'shop');
    const schedule = { cron: '* * * * *', since: new Date(Date.now() - 600_000).toISOString() };
    const config = await stage.configure((base) => ({
      ...base,
      store,
      storeMountPoint,
      groups: { ledger_rg: { ...base.groups.ledger_rg, schedule } },
    }));
    for (const words of [
      ['list', 'ledger_rg'],
      ['schedule'],
      ['schedule', '--run'],
      ['backup', 'ledger_rg'],
      ['check'],
    ]) {
      const { code: got, stdout, stderr } = await stage.run(...words, '--config', config);
      expect({ words, got }).toEqual({ words, got: code('STORE_UNUSABLE') });
      expect(`${stdout}${stderr}`).toContain(`no file system is mounted on ${storeMountPoint}`);
    }
    expect(await readdir(storeMountPoint)).toEqual([]);
  });
});

describe('a store whose directory does not exist', { timeout: 240_000 }, () => {
  it('does not pass for an empty one', async () => {
    const store = join(stage.directory, 'mistyped');
    const schedule = { cron: '0 1 * * *', since: new Date().toISOString() };
    const config = await stage.configure((base) => ({ ...base, store, groups: { ledger_rg: { schedule } } }));
    const run = (...words: string[]) => stage.run(...words, '--config', config);
    const absent = { code: 'STORE_ABSENT', message: `the directory ${store} does not exist` };
    const warning = new RegExp(`^warning: .*the directory ${store} does not exist`, 'm');
    for (const words of [['list', 'ledger_rg'], ['schedule']]) {
      const { code: got, stdout } = await run(...words, '--quiet');
      expect({ words, got, stdout }).toEqual({ words, got: 0, stdout: expect.stringMatching(warning) });
      expect(resultOf(await run(...words, '--json'))).toMatchObject({ unread: absent });
    }
    const status = await run('status');
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(warning) });
    expect(status.stdout).not.toMatch(/last backup: none/);
    expect(resultOf(await run('status', '--json')).groups).toMatchObject([{ lastBackup: null, unread: absent }]);
    expect((await run('check')).stdout).toMatch(
      /^ok {6} store .*mistyped: not there yet: the first backup makes it, with .* free$/m,
    );
    expect(await run('verify', 'ledger_rg')).toMatchObject({
      code: code('BACKUP_UNKNOWN'),
      stderr: expect.stringMatching(/^BACKUP_UNKNOWN: .*mistyped holds .*: the directory does not exist\n {2}Mount/),
    });
    expect(await readdir(stage.directory)).not.toContain('mistyped');
  });
});

const canMount = process.getuid?.() === 0 && process.platform === 'linux';
describe.skipIf(!canMount)('a store that is read-only (needs root, for a mount)', { timeout: 240_000 }, () => {
  it('is read, and is not written to', async () => {
    const store = join(stage.directory, 'mounted');
    await mkdir(store);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', store]);
    try {
      const config = ['--config', await stage.configure((base) => ({ ...base, store }))];
      const run = (...words: string[]) => stage.run(...words, ...config);
      expect((await run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
      execFileSync('mount', ['-o', 'remount,ro', store]);
      for (const words of [
        ['list', 'ledger_rg'],
        ['show', 'ledger_rg'],
        ['verify', 'ledger_rg'],
        ['restore', 'ledger_rg', join(stage.directory, 'from-read-only')],
        ['status'],
        ['recover', 'ledger_rg'],
        ['plan', 'ledger_rg'],
      ]) {
        const { code: got, stderr } = await run(...words);

        expect(`${words}: ${got} ${stderr}`).toMatch(/: 0 $/);
      }
      const plan = await run('plan', 'ledger_rg', '--json');
      expect(resultOf(plan).plan.estimates.basis).toMatch(/^run \w{6} of /);
      expect(plan.stdout).toMatch(/"type":"warning".*read-only file system.*a backup would be refused/);
      for (const words of [['backup', 'ledger_rg'], ['check']]) {
        expect((await run(...words)).code, `${words}`).toBe(code('STORE_UNUSABLE'));
      }
      expect((await stage.leftovers()).filter((line) => !line.includes('.incomplete'))).toEqual([]);
    } finally {
      execFileSync('umount', [store]);
    }
  });
});
