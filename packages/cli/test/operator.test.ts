import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

const completions = '/usr/share/bash-completion/bash_completion';
const siteNames = /db_node|ledger|accountslv|journallv|auditlv|dbhost|10\.64\./;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 60_000);
afterAll(() => stage.close());

const jsonLine = (stdout: string, type: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find((line) => line.type === type);

describe('check', () => {
  it('says of everything that it is well', async () => {
    const { code, stdout } = await stage.run('check');
    expect(stdout.match(/^ok {7}/gm)).toHaveLength(5);
    expect(stdout).toMatch(/group ledger_rg: held by db_node1, could be backed up now: accountslv by splitlvcopy/);
    expect(code).toBe(0);
  });

  it('tells every problem at once, not only the first', async () => {
    const config = await stage.configure((base) => {
      const [group] = Object.values(base.groups);
      return {
        ...base,
        nodes: { ...base.nodes, db_node2: { ...base.nodes.db_node2, port: 1 } },
        groups: {
          ledger_rg: { ...group, allowLastCopy: false },
          other_rg: { quiesce: { suspend: [['no-such-command']], resume: [['ledgerctl', 'resume']] } },
          twice_rg: { quiesce: group?.quiesce, application: { postgresql: { user: 'postgres' } } },
        },
      };
    });
    const { code, stdout } = await stage.run('check', '--json', '--config', config);
    const checks = jsonLine(stdout, 'result').checks as { subject: string; problems: { code: string }[] }[];
    const codes = Object.fromEntries(
      checks.map(({ subject, problems }) => [subject, problems.map((each) => each.code)]),
    );
    expect(codes['node db_node1']).toEqual(['QUIESCE_COMMAND_MISSING']);
    expect(codes['node db_node2']).toEqual(['HOST_UNREACHABLE']);
    expect(codes['group ledger_rg']).not.toEqual([]);
    expect(codes['group other_rg']).not.toEqual([]);
    expect(codes['group twice_rg']).toEqual(['USAGE']);
    expect(code).toBe(16);
  });

  it('holds for a backup too: a command that would be missed refuses it before anything is touched', async () => {
    const config = await stage.configure((base) => {
      const [group] = Object.values(base.groups);
      const quiesce = { suspend: [['ledgerctl', 'suspend']], resume: [['no-such-command']] };
      return { ...base, groups: { ledger_rg: { ...group, quiesce } } };
    });
    const { code, stderr } = await stage.run('backup', 'ledger_rg', '--config', config);
    expect(stderr).toMatch(/a command of the quiesce is not there: no-such-command/);
    expect(code).toBe(21);
    expect((await stage.run('status')).code).toBe(0);
  });

  it('tells where each setting stands that names what is not here, before anything runs', async () => {
    const file = join(stage.directory, 'no-directory.txt');
    await writeFile(file, '');
    const config = await stage.configure((base) => ({
      ...base,
      metrics: file,
      notify: { command: ['no-such-pager'], webhook: { environment: 'HOOK' } },
      groups: {
        ledger_rg: {
          ...base.groups.ledger_rg,
          approval: 'required',
          schedule: { cron: '0 1 * * *', since: '2026-01-01T00:00:00Z' },
          drills: { probe: ['./no-such-probe'] },
        },
      },
    }));
    const { finished } = stage.startIn({ HOOK: 'hooks.example.com/secret' }, 'check', '--config', config);
    const { code, stdout } = await finished;
    expect(code).toBe(2);
    expect(stdout).not.toContain('secret');
    for (const message of [
      'notify.command: there is no program no-such-pager in PATH',
      'notify.webhook: not an http or https address',
      `metrics: ${file} is no directory`,
      `groups.ledger_rg.drills.probe: ${stage.directory}/no-such-probe is not there`,
      'groups.ledger_rg.approval: a schedule makes a plan for each window, which nobody can have approved',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  USAGE: ${config}:\\d+:\\d+: ${message}`, 'm'));
    }
    const drilled = await stage.run('drill', 'ledger_rg', '--level', 'application', '--config', config);
    expect(drilled).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/drills\.probe: .*no-such-probe is not there/),
    });
  });

  it('goes on when the store cannot be used', async () => {
    const file = join(stage.directory, 'no-directory');
    await writeFile(file, '');
    const config = await stage.configure((base) => ({ ...base, store: file }));
    const { code, stdout } = await stage.run('check', '--config', config);
    expect(stdout).toMatch(/^problem {2}store/m);
    expect(stdout).toMatch(/^ok {7}node db_node2/m);
    expect(code).toBe(25);
  });
});

describe('status and show', () => {
  it('status finds what a killed run left, and says so by its exit code; show draws a run', {
    timeout: 300_000,
  }, async () => {
    expect(await stage.run('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/the directory .*store does not exist/),
    });
    const killed = stage.start('backup', 'ledger_rg');
    await killed.saw(/ok {2}Check and mount/);
    killed.child.kill('SIGSTOP');
    const atWork = await stage.run('status');
    const process = `process ${killed.child.pid} on ${hostname()}`;
    expect(atWork.stdout).toMatch(new RegExp(`^ {2}backup \\w{6} is under way: ${process}, since 2\\S+; \\w`, 'm'));
    expect(atWork.code).toBe(0);
    expect(await stage.run('recover', 'ledger_rg', '--dry-run')).toMatchObject({
      code: 26,
      stdout: expect.stringMatching(new RegExp(`GROUP_LOCKED.*${process}`)),
    });
    expect((await stage.run('show', 'ledger_rg')).stdout).toMatch(new RegExp(`^Under way: ${process}; `, 'm'));
    killed.child.kill('SIGKILL');
    await killed.finished;
    const [, dead = ''] = /backup (\w{6}) is under way/.exec(atWork.stdout) ?? [];
    expect((await stage.run('show', 'ledger_rg')).stdout).toMatch(
      /^The journal breaks off: .* run: splitmirror recover --config \S+ ledger_rg$/m,
    );
    const left = await stage.run('status');
    expect(left.stdout).toMatch(/db_node1: copy sm\w+ of run/);
    expect(left.stdout).toMatch(/lock of run \w{6} since/);
    expect(left.code).toBe(27);
    const rehearsed = await stage.run('recover', 'ledger_rg', '--dry-run');
    expect(rehearsed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ {4}\$ rm -f \S+\/holder\.\w+$/m) });
    const recovered = await stage.run('recover', 'ledger_rg');
    expect(recovered.stdout).toContain(rehearsed.stdout.split('\n').slice(0, -2).join('\n'));
    expect(recovered).toMatchObject({ code: 0, stdout: expect.stringMatching(/^record: (?<record>\S+\.recovery)$/m) });

    // Whoever asks later sees what was taken back, by whom, and why there; and can replay it.
    const [, record = '', recovery = ''] = /^record: (\S+-(\w{6})\.recovery)$/m.exec(recovered.stdout) ?? [];
    expect((await stage.run('list', 'ledger_rg')).stdout).toMatch(
      new RegExp(`^${recovery} .* recovery whole  by \\S+@\\S+, \\d+ steps  ${record}$`, 'm'),
    );
    const told = await stage.run('show', 'ledger_rg', recovery, '--html', join(stage.directory, 'recovery.html'));
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/^Whole: [\s\S]*^Found\n.*\n[\s\S]*copy sm\w+ of run[\s\S]*^ {2}db_node1 +mklvcopy /m);
    expect(await readFile(join(stage.directory, 'recovery.html'), 'utf8')).toContain(`Recovery ${recovery}: ledger_rg`);
    expect((await stage.run('show', 'ledger_rg', dead)).stdout).toMatch(
      new RegExp(`^No backup: the journal breaks off.*; recovery ${recovery} of 2\\S+ took back what it left\\.$`, 'm'),
    );
    expect((await stage.run('status')).stdout).toMatch(/last recovery: \S+ by \S+@\S+, whole/);
    expect((await stage.bare('replay', join(record, 'incident.ndjson'))).code).toBe(0);

    expect((await stage.run('backup', 'ledger_rg', '--quiet')).stdout).toBe('');
    const page = join(stage.directory, 'report.html');
    const shown = await stage.run('show', 'ledger_rg', '--html', page);
    expect(shown.stdout).toMatch(/application at rest for +[\d.]+ m?s/);
    expect(shown.stdout).toMatch(/^ +split +[\d.]+ m?s/m);
    expect(await readFile(page, 'utf8')).toContain('The whole run, to scale');
  });
});

describe('levels', () => {
  it('writes its page, too', async () => {
    const page = join(stage.directory, 'levels.html');
    const { code, stdout } = await stage.run('levels', '--html', page);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`page: ${page}`) });
    expect(await readFile(page, 'utf8')).toMatch(/<th scope="col">db_node1<\/th><th scope="col">db_node2<\/th>/);
  });

  it('does not call levels the same that could not be compared', async () => {
    const config = await stage.configure((base) => ({
      ...base,
      nodes: { ...base.nodes, db_node2: { ...base.nodes.db_node2, port: 1 } },
    }));
    const { code, stdout } = await stage.run('levels', '--config', config);
    expect(stdout).toMatch(/NODE-UNREAD on db_node2/);
    expect(stdout).toMatch(/not all of them could be compared/);
    expect(code).toBe(16);
    expect((await stage.run('levels')).stdout).toBe('levels: the same on all nodes\n');
  });
});

describe('an interrupt', () => {
  it('ends at once what only looks, also while a node does not answer', { timeout: 90_000 }, async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const config = await stage.configure((base) => ({
      ...base,
      nodes: { ...base.nodes, db_node2: { ...base.nodes.db_node2, port } },
    }));
    const asked = once(silent, 'connection');
    const { child, finished } = stage.start('who', 'ledger_rg', '--config', config);
    const [socket] = (await asked) as [Socket];
    child.kill('SIGINT');
    const { code, stdout } = await finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    socket.destroy();
    silent.close();
  });
});

describe('list', () => {
  it('takes a group without backups for what it is, and a mistyped one for a mistake', async () => {
    const store = join(stage.directory, 'empty');
    await mkdir(store);
    const config = await stage.configure((base) => ({ ...base, store }));
    expect(await stage.run('list', 'ledger_rg', '--config', config)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^no backups of ledger_rg in /),
    });
    expect(await stage.run('list', 'ledgre_rg', '--config', config)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no group ledgre_rg[\s\S]*ledger_rg/),
    });
  });
});

describe('capture', () => {
  it('keeps what the nodes print without a name of the site, in files that the readers take', {
    timeout: 180_000,
  }, async () => {
    const bundle = join(stage.directory, 'bundle');
    const { code } = await stage.run('capture', bundle);
    expect(code).toBe(0);
    const files = (await readdir(bundle, { recursive: true })).filter((name) => /\.(?:txt|json)$/.test(name));
    expect(files.length).toBeGreaterThan(50);
    for (const name of files) {
      const text = await readFile(join(bundle, name), 'utf8');
      expect(`${name}\n${text}`).not.toMatch(siteNames);
    }
    const [first = ''] = files.filter((name) => /hacmp.*clrginfo/.test(name));
    const saved = join(stage.directory, 'saved.txt');
    const lines = (await readFile(join(bundle, first), 'utf8')).split('\n');
    expect(lines.slice(0, 2)).toEqual([expect.stringMatching(/^# source: /), '# command: clRGinfo -s']);
    await writeFile(saved, lines.slice(2).join('\n'));
    const parsed = await stage.bare('parse', '--command', 'clRGinfo -s', saved);
    expect(JSON.parse(parsed.stdout)[0]).toMatchObject({ group: 'group1', node: 'node1', state: 'ONLINE' });
    const names = JSON.parse(await readFile(`${bundle}.names.json`, 'utf8'));
    expect(names).toMatchObject({ node1: 'db_node1', vg1: 'ledgervg' });
    expect((await stage.run('capture', bundle)).code).not.toBe(0);
  });
});

describe('init', () => {
  const flags = () => {
    const { nodes, identityFile, knownHostsFile } = stage.lab;
    return {
      addresses: nodes.map(({ port }) => `127.0.0.1:${port}`),
      words: ['--identity', identityFile, '--known-hosts', knownHostsFile, '--path', ...nodes.map(({ path }) => path)],
    };
  };

  it('asks the cluster, and writes a configuration that works', { timeout: 180_000 }, async () => {
    const file = join(stage.directory, 'made.yaml');
    const { addresses, words } = flags();
    const made = await stage.run('init', ...addresses, ...words, '--store', stage.store, '--config', file);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/two copies, and would have one while a backup runs: .*accountslv/);
    // What it cannot decide, it leaves to a person, and so does every check until then.
    const accepted = `stabilitySeconds: 0.1\n${text.replace('allowLastCopy: false', 'allowLastCopy: true')}`;
    await writeFile(file, accepted);
    const undecided = await stage.run('check', '--config', file);
    expect(undecided).toMatchObject({ code: 33, stdout: expect.stringMatching(/VOLUME_UNDECIDED.*: auditlv\n/) });
    await writeFile(file, accepted.replace(/# (rawVolumes:\n *)# ( {2}auditlv: keep)/, '$1$2'));
    const decided = await stage.run('check', '--config', file);
    expect(decided).toMatchObject({ code: 0, stdout: expect.stringMatching(/auditlv by \w+/) });
    await writeFile(file, accepted.replace('# leaveOut', 'leaveOut'));
    const without = await stage.run('check', '--config', file);
    expect(without).toMatchObject({ code: 0, stdout: expect.stringMatching(/left out on purpose: auditlv\n/) });
    expect((await stage.run('init', ...addresses, ...words, '--config', file)).code).toBe(2);
  });

  it('says of each machine why it cannot be asked, with the exit code of that', async () => {
    const { addresses, words } = flags();
    const file = join(stage.directory, 'never.yaml');
    const [unknownKey, noCluster] = await Promise.all([
      stage.run('init', ...addresses, '--known-hosts', join(stage.directory, 'nobody'), '--config', file),
      stage.run('init', ...addresses, ...words.slice(0, 4), '--config', file),
    ]);
    expect(unknownKey.stdout.match(/HOST_KEY_UNKNOWN/g)).toHaveLength(2);
    expect(unknownKey.code).toBe(17);
    expect(noCluster.stdout.match(/NO_CLUSTER.*get_local_nodename/g)).toHaveLength(2);
    expect(noCluster.code).toBe(15);
    expect(existsSync(file)).toBe(false);
  });

  it('refuses to leave a node out', async () => {
    const { addresses, words } = flags();
    const file = join(stage.directory, 'half.yaml');
    const made = await stage.run('init', addresses[0] ?? '', ...words, '--config', file);
    expect(made).toMatchObject({ code: 2, stderr: expect.stringMatching(/no address was given for db_node2/) });
    expect(existsSync(file)).toBe(false);
  });
});

describe('what the shell and the editor get', () => {
  it.skipIf(!existsSync(completions))('completes commands in a real bash (needs bash-completion)', async () => {
    const script = join(stage.directory, 'completion.bash');
    await writeFile(script, (await stage.bare('completion', 'bash')).stdout);
    const bin = fileURLToPath(new URL('../../../bin', import.meta.url));
    const ask = `. ${completions}; . ${script}; COMP_WORDS=(splitmirror re); COMP_CWORD=1; COMP_LINE="splitmirror re"; COMP_POINT=14
      "$(complete -p splitmirror | sed 's/.*-F \\([^ ]*\\).*/\\1/')" splitmirror re splitmirror; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', ask], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
    expect(stdout).toMatch(/recover/);
    expect(stdout).toMatch(/restore/);
    expect(stdout).not.toMatch(/backup/);
  });

  it('prints a manual page with every command and exit code, and a schema that names every setting', async () => {
    const { stdout } = await stage.bare('man');
    expect(stdout).toMatch(/^\.TH SPLITMIRROR 1/);
    expect(stdout).toContain('\\fBsplitmirror recover\\fR');
    expect(stdout).toContain('\\fB130\\fR');
    const schema = JSON.parse((await stage.bare('schema')).stdout);
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['nodes', 'ssh', 'store', 'groups']));
  });
});
