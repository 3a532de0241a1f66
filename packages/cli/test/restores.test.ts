import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let group: string;
let run: string;
// One backup for all of these.
beforeAll(async () => {
  stage = await openStage({ contentBytes: 400_000, phaseMs: 5 });
  group = join(stage.store, 'ledger_rg');
  expect((await stage.run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
  run = (await readdir(group))[0]?.slice(-6) ?? '';
}, 120_000);
afterAll(() => stage.close());

const account = '/ledger/accounts/acct03.acct';
const restore = (...words: string[]) => stage.run('restore', 'ledger_rg', ...words);

/** A backup of another day, made of the one that is there. */
async function another(time: string, id: string, change: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const [from = ''] = (await readdir(group)).filter((name) => name.endsWith(`-${run}`));
  const to = join(group, `${time}-${id}`);
  await cp(join(group, from), to, { recursive: true, filter: (name) => !name.endsWith('records.ndjson') });
  const createdAt = time.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
  const manifest = JSON.parse(await readFile(join(to, 'manifest.json'), 'utf8'));
  const dated = { ...manifest, run: id, createdAt, committedAt: createdAt, ...change };
  await writeFile(join(to, 'manifest.json'), JSON.stringify(dated));
}

describe('restore', () => {
  it('shows first, then brings one file back, byte for byte', { timeout: 180_000 }, async () => {
    const dry = await restore('--path', account, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/accountslv .*: 1 files/) });
    expect((await restore('--path', '/ledger/none', '--dry-run')).code).toBe(45);
    const here = join(stage.directory, 'here');
    const json = await restore(here, '--path', account, '--run', run, '--json');
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ type: 'result', run });
    const catalogue = await readFile(
      join(group, (await readdir(group))[0] ?? '', 'accountslv.tar.catalogue.ndjson'),
      'utf8',
    );
    const bytes = await readFile(join(here, 'accountslv', basename(account)));
    expect(catalogue).toContain(createHash('sha256').update(bytes).digest('hex'));
    expect((await restore(here, '--path', account)).code).toBe(42);
  });

  it('says when it cannot tell whether the disk has it', { timeout: 180_000 }, async () => {
    const nothing = join(stage.directory, 'no-programs');
    await mkdir(nothing);
    const words = ['restore', 'ledger_rg', join(stage.directory, 'unsynced'), '--path', account];
    const { code, stdout } = await stage.startIn({ PATH: nothing }, ...words).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning: .*may still be in memory alone/m);
    const synced = await stage.run('restore', 'ledger_rg', join(stage.directory, 'synced'), '--path', account);
    expect(synced.stdout).not.toMatch(/warning/);
  });

  it('puts it into the group over what was lost there, and to another node', { timeout: 180_000 }, async () => {
    const there = '/scratch/restored';
    const root = stage.lab.nodes[1]?.root ?? '';
    const node = ['--node', 'db_node2', '--mount-point', '/'];
    expect(await restore(there, '--path', account, ...node)).toMatchObject({ code: 0, stderr: '' });
    const all = await restore('/scratch/all', ...node);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toMatch(/accountslv \(\S+\): .*, to db_node2:\/scratch\/all\/accountslv$/m);
    const command = 'dd of=/dev/rauditlv ibs=64k obs=1024k < /scratch/all/auditlv';
    expect(all.stdout).toContain(
      `a file; into the volume, where the group is and the application at rest: ${command}\n`,
    );
    expect(await readdir(join(root, '/scratch/all'))).toEqual(['accountslv', 'auditlv', 'journallv']);
    // What stands in the way of a raw volume is told before anything is written, with what to type instead.
    await mkdir(join(root, '/scratch/more/auditlv'), { recursive: true });
    expect(await restore('/scratch/more', ...node)).toMatchObject({
      code: 42,
      stderr: expect.stringMatching(/--path accountslv --path journallv/),
    });
    expect(await readdir(join(root, '/scratch/more'))).toEqual(['auditlv']);
    const saved = await readFile(join(root, there, basename(account)));
    const own = join(stage.lab.nodes[0]?.root ?? '', account);
    // At rest, as the application should be over a restore.
    await stage.lab.run('db_node1', ['ledgerctl', 'suspend']);
    await writeFile(own, 'overwritten by mistake');
    const back = await restore('--into-group', '--path', account);
    expect(back).toMatchObject({ code: 0, stdout: expect.stringMatching(/on db_node1, which held ledger_rg/) });
    expect(await readFile(own)).toEqual(saved);
    await stage.lab.run('db_node1', ['ledgerctl', 'resume']);
    expect(await stage.leftovers()).toEqual([]);
    expect((await restore('--into-group', '--path', '/ledger/accounts/lost.acct')).code).toBe(45);
  });

  it('says before it writes over a group that the application must be at rest', { timeout: 60_000 }, async () => {
    const { code, stdout } = await restore('--into-group', '--dry-run', '--quiet');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'this writes over ledger_rg where it is online: its application must be at rest until the restore has ended',
        '  Stop it on the node that holds the group, as the stop script of its application server does, and let nothing start it meanwhile.',
        '  files of the same name give way in /ledger/accounts, /ledger/journal, which are mounted',
        '  overwritten as a whole: /dev/rauditlv; refused only while a program has it open',
        '',
      ].join('\n'),
    );
    expect((await restore('--into-group', '--dry-run', '--path', account)).stdout).not.toContain('as a whole');
    expect((await restore('/tmp/x', '--dry-run', '--quiet')).stdout).toBe('');
  });

  it('takes no words that could mean two places', { timeout: 180_000 }, async () => {
    const wrong = [
      ['/tmp/x', '--into-group'],
      ['--into-group', '--node', 'db_node2'],
      ['/tmp/x', '--node', 'db_node2'],
      ['/tmp/x', '--node', 'elsewhere', '--mount-point', '/'],
      ['/tmp/x', '--mount-point', '/'],
      [],
    ];
    const codes = await Promise.all(wrong.map(async (words) => (await restore(...words)).code));
    expect(codes).toEqual(wrong.map(() => 2));
    // Before anything else: nothing is shown for a node that nobody has configured.
    expect(await restore('/tmp/x', '--node', 'db_node9', '--mount-point', '/')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'USAGE: the configuration has no node db_node9\n  Name one of these with --node: db_node1, db_node2.\n',
    });
    expect((await restore('/tmp/x', '--run', 'nosuch')).code).toBe(40);
  });
});

describe('drill', () => {
  it('tries bytes, contents, and a probe of the application; and says what is overdue', {
    timeout: 300_000,
  }, async () => {
    const wanted = { bytesDays: 7, applicationDays: 30 };
    const probing = (probe: string) =>
      stage.configure((base) => {
        const { ledger_rg } = base.groups;
        const drills = { ...wanted, probe: ['sh', '-c', probe, 'probe'] };
        return { ...base, groups: { ledger_rg: { ...ledger_rg, drills } } };
      });
    const good = await probing(`test -s "$1/accountslv/${basename(account)}"`);
    const drill = (config: string, ...words: string[]) => stage.run('drill', 'ledger_rg', ...words, '--config', config);
    const due = await drill(good, '--due', '--quiet');
    expect(due).toMatchObject({ code: 53, stdout: expect.stringMatching(/ledger_rg: no drill of level application/) });
    expect((await stage.run('drill', 'ledger_rg', '--due')).code).toBe(2);
    expect((await stage.run('drill', 'ledger_rg', '--level', 'application')).code).toBe(2);
    expect((await drill(good, '--level', 'bytes')).stdout).toMatch(/: bytes passed in /);
    expect((await drill(good, '--level', 'application')).stdout).toMatch(/: application passed in /);
    expect(await drill(good, '--due')).toMatchObject({ code: 0, stdout: 'no drill is overdue\n' });
    const bad = await probing('echo no account >&2; exit 3');
    const failed = await drill(bad, '--level', 'application', '--quiet');
    expect(failed).toMatchObject({ code: 52, stdout: expect.stringMatching(/ended with 3: no account/) });
    expect((await stage.run('show', 'ledger_rg', run)).stdout).toMatch(/drill +application failed at/);
    const warned = await restore('--dry-run', '--quiet');
    expect(warned).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^run \w+ is damaged\n.*ended with 3: no account\n$/),
    });
    // Whoever speaks of it says so.
    expect((await stage.run('show', 'ledger_rg', run)).stdout).toMatch(/^Damaged: .*ended with 3: no account/m);
    expect((await stage.run('list', 'ledger_rg')).stdout).toMatch(/ {2}damaged {2}/);
    expect((await stage.run('status', '--quiet')).stdout).toMatch(/^ {2}last backup: 2\S+, damaged; .*no account$/m);
    // The last word: it is good again.
    expect((await drill(good, '--level', 'application')).code).toBe(0);
    expect((await restore('--dry-run', '--quiet')).stdout).toBe('');
  });
});

describe('verify', () => {
  it('records what it found: a damaged backup is one for everybody, until it is whole again', {
    timeout: 180_000,
  }, async () => {
    const [name = ''] = (await readdir(group)).filter((each) => each.endsWith(`-${run}`));
    const catalogue = join(group, name, 'journallv.tar.catalogue.ndjson');
    const text = await readFile(catalogue);
    await writeFile(catalogue, text.subarray(0, -100));
    const damaged = {
      code: 41,
      stderr: expect.stringMatching(/journallv\.tar\.catalogue[\s\S]*splitmirror list --config \S+ ledger_rg"/),
    };
    expect(await stage.run('verify', 'ledger_rg')).toMatchObject(damaged);
    expect(await restore('--dry-run')).toMatchObject(damaged);
    expect((await stage.run('show', 'ledger_rg', run)).stdout).toMatch(/^Damaged: /m);
    await writeFile(catalogue, text);
    expect((await stage.run('verify', 'ledger_rg')).code).toBe(0);
    expect((await stage.run('show', 'ledger_rg', run)).stdout).toMatch(/^Good: [\s\S]*proven +bytes, 2/m);
  });
});

describe('a drill that is interrupted', () => {
  it('ends its probe, removes what it restored, and records nothing', { timeout: 300_000 }, async () => {
    const temporary = join(stage.directory, 'temporary');
    await mkdir(temporary);
    const probe = `sleep 600 & echo $! >${temporary}/pid.new; mv ${temporary}/pid.new ${temporary}/pid; wait`;
    const config = await stage.configure((base) => {
      const { ledger_rg } = base.groups;
      return { ...base, groups: { ledger_rg: { ...ledger_rg, drills: { probe: ['sh', '-c', probe, 'probe'] } } } };
    });
    const before = JSON.parse((await stage.run('list', 'ledger_rg', '--json')).stdout.trim().split('\n').at(-1) ?? '');
    const words = ['drill', 'ledger_rg', '--level', 'application', '--config', config];
    const drilling = stage.startIn({ TMPDIR: temporary }, ...words);
    await expect.poll(() => existsSync(join(temporary, 'pid')), { timeout: 180_000 }).toBe(true);
    drilling.child.kill('SIGINT');
    expect((await drilling.finished).code).toBe(130);
    const pid = Number(await readFile(join(temporary, 'pid'), 'utf8'));
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
    expect((await readdir(temporary)).filter((name) => name.startsWith('splitmirror'))).toEqual([]);
    const after = JSON.parse((await stage.run('list', 'ledger_rg', '--json')).stdout.trim().split('\n').at(-1) ?? '');
    expect(after.backups[0].records).toEqual(before.backups[0].records);
  });
});

describe('retain and judge', () => {
  it('removes what is not kept, and nothing while something is suspicious', { timeout: 300_000 }, async () => {
    const suspicions = [
      { code: 'BYTES', volume: 'journallv', message: 'journallv is half its size', seen: 1, usual: 2 },
    ];
    await another('20250101T010000Z', 'aaaaa1');
    await another('20250102T010000Z', 'aaaaa2');
    await another('20990101T010000Z', 'zzzzz9', { createdAt: new Date().toISOString(), suspicions });
    const config = await stage.configure((base) => {
      const { ledger_rg } = base.groups;
      return { ...base, groups: { ledger_rg: { ...ledger_rg, keep: { last: 1 } } } };
    });
    const retain = (...words: string[]) => stage.run('retain', 'ledger_rg', ...words, '--config', config);
    expect((await stage.run('retain', 'ledger_rg')).code).toBe(2);
    const suspended = await retain('--quiet');
    expect(suspended).toMatchObject({ code: 55, stdout: expect.stringMatching(/ledger_rg: nothing is removed: /) });
    expect((await stage.run('show', 'ledger_rg', 'zzzzz9')).stdout).toMatch(/^Suspicious: [\s\S]*half its size/m);

    expect((await stage.run('judge', 'ledger_rg', 'zzzzz9', '--because', 'x')).code).toBe(2);
    expect((await stage.run('judge', 'ledger_rg', 'zzzzz9', '--accept', '--because', 'a purge')).code).toBe(0);
    const dry = await retain('--dry-run');
    expect(dry.stdout).toMatch(/^remove {2}aaaaa1[\s\S]*\nnothing was removed: this is what retain would do\n/m);
    expect(await readdir(group)).toHaveLength(4);
    expect(await retain()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^removed: 2$/m) });
    expect((await readdir(group)).filter((name) => !name.includes('.')).map((name) => name.slice(-6))).toEqual([
      run,
      'zzzzz9',
    ]);
  });
});

describe('a restore into the group that is killed', () => {
  it('leaves a lock that only a person may break: the node may still write', async () => {
    stage.lab.fault({ program: 'tar', does: { kind: 'hangs' } });
    const running = stage.start('restore', 'ledger_rg', '--into-group');
    const lock = expect.stringMatching(/:\/ledger\/\w+\/\.splitmirror$/);
    await expect.poll(() => stage.leftovers(), { timeout: 60_000 }).toContainEqual(lock);
    running.child.kill('SIGKILL');
    await running.finished;
    stage.lab.clearFaults();
    const refused = await stage.run('recover', 'ledger_rg');
    expect(refused.code).toBe(26);
    expect(refused.stdout + refused.stderr).toMatch(
      /make sure on db_node1 that nothing of it writes any more, then run: splitmirror recover --config \S+ ledger_rg --break-lock$/m,
    );
    expect((await stage.run('recover', 'ledger_rg', '--break-lock')).code).toBe(0);
    expect(await stage.leftovers()).toEqual([]);
  }, 180_000);
});
