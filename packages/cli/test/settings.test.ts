import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

/** Of the system, where it is installed. */
const repositories = 'restic';
const has = (program: string, word: string) => spawnSync(program, [word]).status === 0;

let stage: Stage;
let restored = 0;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 200_000, phaseMs: 5 });
}, 60_000);
afterAll(() => stage.close());

/** Backs up, verifies and restores with a configuration; returns the restored directory. */
async function roundTrip(config: string): Promise<string> {
  const backup = await stage.run('backup', 'ledger_rg', '--quiet', '--config', config);
  expect(backup).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await stage.run('verify', 'ledger_rg', '--config', config)).toMatchObject({ code: 0, stderr: '' });
  const directory = join(stage.directory, `restored-${restored++}`);
  expect((await stage.run('restore', 'ledger_rg', directory, '--config', config)).code).toBe(0);
  expect((await readdir(directory)).sort()).toEqual(['accountslv', 'auditlv', 'journallv']);
  return directory;
}

describe('archives', () => {
  it('are encrypted to recipients, and opened with the identity alone', { timeout: 300_000 }, async () => {
    const secret = await generateIdentity();
    const recipient = await identityToRecipient(secret);
    await writeFile(join(stage.directory, 'identity'), `# created: today\n${secret}\n`);
    const archives = { recipients: [recipient], compression: 'gzip' };
    const store = 'encrypted';
    const config = await stage.configure((base) => ({
      ...base,
      store,
      archives: { ...archives, identity: 'identity' },
    }));
    await roundTrip(config);
    const group = join(stage.directory, store, 'ledger_rg');
    const [run = ''] = await readdir(group);
    const stored = await readFile(join(group, run, 'accountslv.tar.gz.age'));
    expect(stored.subarray(0, 22).toString()).toBe('age-encryption.org/v1\n');
    const without = await stage.configure((base) => ({ ...base, store, archives }));
    expect((await stage.run('restore', 'ledger_rg', join(stage.directory, 'shut'), '--config', without)).code).toBe(44);
  });

  it.skipIf(!has(repositories, 'version'))(
    'lie in a restic repository, whose password no output tells',
    { timeout: 300_000 },
    async () => {
      const repository = join(stage.directory, 'repository');
      const password = 'correct horse battery';
      await writeFile(join(stage.directory, 'password'), `${password}\n`);
      await writeFile(join(stage.directory, 'where'), `${repository}\n`);
      const init = ['init', '--quiet', '--repo', repository, '--password-file', join(stage.directory, 'password')];
      expect(spawnSync(repositories, init).status).toBe(0);
      const restic = { repository: { file: 'where' }, password: { file: 'password' } };
      const store = 'manifests';
      const config = await stage.configure((base) => ({ ...base, store, archives: { restic } }));
      const { stdout } = await stage.run('check', '--config', config);
      expect(stdout).toMatch(/^ok {6} store .*: not there yet: .*, and the restic repository has \S+ \S+ free$/m);
      await roundTrip(config);
      const [run = ''] = await readdir(join(stage.directory, store, 'ledger_rg'));
      const kept = await readdir(join(stage.directory, store, 'ledger_rg', run));
      expect(kept.filter((name) => /\.(?:tar|dd)$/.test(name))).toEqual([]);

      // The controller is lost, and its store with it.
      await rm(join(stage.directory, store), { recursive: true });
      const lost = await stage.run('restore', 'ledger_rg', join(stage.directory, 'back'), '--config', config);
      expect(lost).toMatchObject({
        code: 40,
        stderr: expect.stringMatching(/When it is lost, run: splitmirror adopt/),
      });
      const adopting = await stage.run('adopt', '--config', config, '--json');
      expect(adopting).toMatchObject({ code: 0, stderr: '' });
      const id = run.split('-').at(-1);
      const result = adopting.stdout.trimEnd().split('\n').at(-1);
      const directory = join(stage.directory, store, 'ledger_rg', run);
      expect(JSON.parse(result ?? '')).toMatchObject({
        type: 'result',
        adopted: [{ group: 'ledger_rg', run: id, directory }],
        refused: [],
      });
      expect((await stage.run('list', 'ledger_rg', '--config', config)).stdout).toContain(`${id} `);
      expect((await stage.run('verify', 'ledger_rg', '--config', config)).code).toBe(0);
      const back = await stage.run('restore', 'ledger_rg', join(stage.directory, 'back'), '--config', config);
      expect(back.code).toBe(0);
      const again = await stage.run('adopt', '--config', config);
      expect(again).toMatchObject({ code: 0, stdout: 'the store knows all that the repository holds\n' });
      const plain = await stage.run('adopt');
      expect(plain).toMatchObject({ code: 2, stderr: expect.stringMatching(/no archives\.restic/) });

      await writeFile(join(stage.directory, 'password'), 'another\n');
      const shut = await stage.run('verify', 'ledger_rg', '--config', config);
      expect(shut.code).toBe(51);
      expect(shut.stdout + shut.stderr).not.toMatch(/another|correct horse/);
      const missing = { ...restic, password: { environment: 'NOT_SET' } };
      const wrong = await stage.configure((base) => ({ ...base, store, archives: { restic: missing } }));
      expect((await stage.run('list', 'ledger_rg', '--config', wrong)).code).toBe(0);
      const named = await stage.run('backup', 'ledger_rg', '--config', wrong);
      expect(named).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/archives\.restic\.password: .*NOT_SET is not set/),
      });
    },
  );
});

describe('ssh', () => {
  it.skipIf(!has('ssh', '-V'))('goes through the system’s own client when told to', { timeout: 300_000 }, async () => {
    const config = await stage.configure((base) => ({ ...base, ssh: { ...base.ssh, adapter: 'openssh' } }));
    expect((await stage.run('check', '--config', config)).code).toBe(0);
    await roundTrip(config);
  });

  it.skipIf(!has('ssh', '-V'))('says in check which client it has chosen, and why', async () => {
    const file = join(stage.directory, 'known_hosts.authority');
    const config = await stage.configure((base) => {
      const [known = ''] = base.ssh.knownHosts ?? [];
      const lines = readFileSync(resolve(stage.directory, known), 'utf8');
      const [, ...key] = lines.split('\n')[0]?.split(' ') ?? [];
      writeFileSync(file, `${lines}@cert-authority * ${key.join(' ')}\n`);
      return { ...base, ssh: { ...base.ssh, adapter: 'auto', knownHosts: [file] } };
    });
    const { code, stdout } = await stage.run('check', '--config', config);
    expect(stdout).toMatch(
      /node db_node1: reached with OpenSSH \(.*known_hosts\.authority:\d+ trusts .*\), may act as root/,
    );
    expect(code).toBe(0);
  });

  it('refuses settings that its client would have to pass over', async () => {
    const config = await stage.configure((base) => {
      const [[name = '', node] = []] = Object.entries(base.nodes);
      const old = { ...node, algorithms: { ciphers: 'no-such-cipher' } };
      return { ...base, nodes: { ...base.nodes, [name]: old }, ssh: { ...base.ssh, adapter: 'ssh2' } };
    });
    const { code, stdout } = await stage.run('who', 'ledger_rg', '--quiet', '--config', config);
    expect(stdout).toMatch(/no-such-cipher/);
    expect(code).toBe(2);
  });

  it('asks for a passphrase where the configuration says, and names the place when it is not there', async () => {
    const config = await stage.configure((base) => ({
      ...base,
      ssh: { ...base.ssh, passphrase: { environment: 'NOT_SET' } },
    }));
    // Nobody asks for it as long as no key needs it.
    expect((await stage.run('who', 'ledger_rg', '--config', config)).code).toBe(0);
    expect((await stage.run('check', '--config', config)).stdout).toMatch(
      /^problem {2}settings: [\s\S]*ssh\.passphrase/m,
    );
  });
});

describe('a key that cannot be used', () => {
  const withIdentity = (name: string) =>
    stage.configure((base) => ({ ...base, ssh: { ...base.ssh, identities: [name] } }));

  it('is told by check with its line, and by every other command with its file', { timeout: 120_000 }, async () => {
    const file = join(stage.directory, 'no-key');
    const config = await withIdentity(file);
    const checked = await stage.run('check', '--config', config);
    expect(checked.stdout).toMatch(
      new RegExp(`^  USAGE: ${config}:\\d+:\\d+: ssh\\.identities\\.0: ${file} is not there`, 'm'),
    );
    for (const adapter of has('ssh', '-V') ? (['ssh2', 'openssh'] as const) : (['ssh2'] as const)) {
      const by = await stage.configure((base) => ({ ...base, ssh: { ...base.ssh, adapter, identities: [file] } }));
      const { code, stdout, stderr } = await stage.run('backup', 'ledger_rg', '--config', by);
      expect(stdout + stderr).toMatch(
        /not let in.*; tried key \S*no-key \(.*[Nn]o such file.*\)[\s\S]*The node was shown no key/,
      );
      expect(code).toBe(18);
    }
  });

  it('is told by check where it is no key, or open to others', async () => {
    const file = join(stage.directory, 'no-key.txt');
    await writeFile(file, 'nothing\n', { mode: 0o600 });
    const check = async () => (await stage.run('check', '--config', await withIdentity(file))).stdout;
    expect(await check()).toMatch(/ssh\.identities\.0: .*no-key\.txt holds no private key/);
    await writeFile(file, '-----BEGIN OPENSSH PRIVATE KEY-----\n');
    await chmod(file, 0o644);
    expect(await check()).toMatch(/ssh\.identities\.0: .*no-key\.txt can be read by others[\s\S]*chmod 600 /);
  });
});

describe('a recipient that is none', () => {
  it('is told by check as a fault of its line, and of no group', async () => {
    const recipient = await identityToRecipient(await generateIdentity());
    const config = await stage.configure((base) => ({
      ...base,
      archives: { recipients: [recipient, 'age1mistyped'] },
    }));
    const { code, stdout } = await stage.run('check', '--config', config);
    expect(stdout).toMatch(
      new RegExp(`^  USAGE: ${config}:\\d+:\\d+: archives\\.recipients: number 2 is no recipient`, 'm'),
    );
    expect(stdout).not.toMatch(/age1mistyped|STORED_FORM/);
    expect(stdout).toMatch(/^ok .*group ledger_rg: /m);
    expect(code).toBe(2);
  });
});

describe('sudoers', () => {
  it('prints the rules for a login, with the site’s own commands', async () => {
    const config = await stage.configure((base) => {
      const quiesce = { suspend: [['/opt/app/ctl', 'hold']], resume: [['appctl', 'go']] };
      const ssh = { ...base.ssh, user: 'backup', sudo: 'changes' };
      return { ...base, ssh, groups: { ledger_rg: { quiesce } } };
    });
    const { code, stdout } = await stage.run('sudoers', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^backup ALL=\(root\) NOPASSWD: \/opt\/app\/ctl \^hold\$$/m);
    expect(stdout).toMatch(/^# Not listed: appctl\./m);
    expect(stdout).not.toMatch(/\/tar /);
    const more = await stage.run('sudoers', '--also', 'installation', '--config', config);
    expect(more.stdout).toMatch(/splitmirror-crontab refresh/);
    const there = ['/x', '--node', 'db_node2', '--mount-point', '/'];
    expect((await stage.run('restore', 'ledger_rg', ...there, '--config', config)).code).not.toBe(0);
    expect((await stage.run('sudoers')).code).toBe(2);
  });
});

describe('leaveOut', () => {
  it('is told by the plan, the report and a restore', { timeout: 180_000 }, async () => {
    const config = await stage.configure((base) => ({
      ...base,
      store: 'without',
      groups: { ledger_rg: { ...base.groups.ledger_rg, rawVolumes: {}, leaveOut: ['auditlv'] } },
    }));
    const told = async (...words: string[]) => {
      const { code, stdout } = await stage.run(...words, '--config', config);
      return { code, lines: stdout.split('\n').filter((line) => line.includes('auditlv')) };
    };
    expect(await told('plan', 'ledger_rg')).toEqual({ code: 0, lines: ['  left out on purpose: auditlv'] });
    expect((await told('backup', 'ledger_rg', '--quiet')).code).toBe(0);
    expect((await told('show', 'ledger_rg')).lines).toContainEqual(
      expect.stringMatching(/^ {2}left out on purpose +auditlv$/),
    );
    expect((await told('restore', 'ledger_rg', '--dry-run')).lines).toEqual(['  not in it, on purpose: auditlv']);
  });
});
