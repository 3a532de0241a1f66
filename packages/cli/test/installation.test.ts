import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 100_000, phaseMs: 5 });
}, 60_000);
afterAll(() => stage.close());

const path = '/usr/local/bin/splitmirror-guard';

describe('guard', () => {
  it('is installed with the PATH of each node, verified, and removed again', { timeout: 300_000 }, async () => {
    const missing = await stage.run('guard', 'verify', '--quiet');
    expect(missing).toMatchObject({ code: 57, stdout: expect.stringMatching(/FILE_MISSING \(db_node2\)/) });
    const printed = await stage.run('guard', 'install', '--print');
    // Each node is asked with its own PATH: a guard that found another node's commands would speak for that one.
    const places = printed.stdout.match(/^places=.*$/gm) ?? [];
    expect(places).toEqual(stage.lab.nodes.map((node) => `places=${node.path}`));
    expect((await stage.run('guard', 'install')).code).toBe(0);
    expect((await stage.run('guard', 'verify')).stdout).toBe(
      `db_node1: ${path}: installed\ndb_node2: ${path}: installed\n`,
    );
    expect((await stage.run('guard', 'remove')).code).toBe(0);
    expect((await stage.run('guard', 'verify')).code).toBe(57);
  });

  it('is never written over a file of somebody else', { timeout: 180_000 }, async () => {
    const root = stage.lab.nodes[0]?.root ?? '';
    await mkdir(join(root, '/usr/local/bin'), { recursive: true });
    await writeFile(join(root, '/usr/local/bin/other'), 'mine\n');
    const refused = await stage.run('guard', 'install', '--guard-path', '/usr/local/bin/other', '--json');
    expect(refused.code).toBe(57);
    expect(JSON.parse(refused.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      problems: [{ code: 'FILE_FOREIGN', node: 'db_node1' }],
    });
    expect((await stage.run('guard', 'verb')).code).toBe(2);
  });

  it('is told of a node that cannot be asked as that, with the exit code that a check has for it', {
    timeout: 180_000,
  }, async () => {
    const db_node2 = { address: '127.0.0.1', port: 1 };
    const off = await stage.configure((base) => ({ ...base, nodes: { ...base.nodes, db_node2 } }));
    const stranger = await stage.configure((base) => ({ ...base, ssh: { ...base.ssh, user: 'nobody' } }));
    for (const [config, problem, code] of [
      [off, 'HOST_UNREACHABLE', 16],
      [stranger, 'HOST_AUTHENTICATION', 18],
    ] as const) {
      const run = (...words: string[]) => stage.run(...words, '--config', config);
      const [checked, verified] = await Promise.all([run('check'), run('guard', 'verify')]);
      const changed = [await run('guard', 'install'), await run('guard', 'remove')];
      const told = new RegExp(`^  ${problem} \\(db_node2\\): .*\\n {4}.*$`, 'm').exec(checked.stdout)?.[0];
      expect(told).toBeDefined();
      for (const finished of [verified, ...changed]) {
        expect(finished.stdout).toContain(`db_node2: could not be asked\n`);
        expect(finished.stdout).toContain(`${told}\n`);
        expect(finished.stdout.match(/\(db_node2\)/g)).toHaveLength(1);
        expect([checked.code, finished.code]).toEqual([code, code]);
      }
    }
  });
});

/** Nothing of ours is on a node. */
async function bare(name: string): Promise<void> {
  const root = stage.lab.nodes.find((node) => node.name === name)?.root ?? '';
  const paths = await readdir(root, { recursive: true });
  expect(paths.filter((path) => path.includes('splitmirror'))).toEqual([]);
}

describe('events', () => {
  const job = '0 1 * * * /usr/local/bin/splitmirror-guard ledger_rg /usr/local/bin/backup-ledger';
  let config: string;
  beforeAll(async () => {
    config = await stage.configure(({ groups, ...base }) => ({
      ...base,
      groups: { ...groups, ledger_rg: { ...groups.ledger_rg, jobs: [job] } },
    }));
  });

  it('are printed with what is to be entered, and verified', { timeout: 180_000 }, async () => {
    const { code, stdout } = await stage.run('events', 'install', '--print', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toMatch(/post-event script of rg_move_complete: \/usr\/local\/bin\/splitmirror-event/);
    expect(stdout).toMatch(/--- \/usr\/local\/bin\/splitmirror-debt-ledger_rg\n#!\/bin\/sh/);
    expect(stdout).toMatch(/\/ledger\/accounts\/\.splitmirror/);
    expect(stdout).toMatch(/0 1 \* \* \* \/usr\/local\/bin\/splitmirror-guard/);
    const verified = await stage.run('events', 'verify', '--quiet');
    expect(verified.code).toBe(57);
    expect(verified.stdout).toMatch(/EVENT_NOT_REGISTERED \(db_node1\)/);
  });

  it('are installed, verified, and removed again without a trace', { timeout: 180_000 }, async () => {
    const problemsOf = async (action: string) => {
      const { code, stdout } = await stage.run('events', action, '--config', config, '--json');
      const { problems, nodes } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      return { code, problems: problems.map((problem: { code: string }) => problem.code), nodes };
    };
    for (const { name } of stage.lab.nodes) await stage.lab.run(name, ['crontab'], '30 6 * * 1 /usr/bin/true\n');
    const crontabs = () => Promise.all(stage.lab.nodes.map(({ name }) => stage.lab.run(name, ['crontab', '-l'])));
    const before = await crontabs();
    for (const { name } of stage.lab.nodes) await bare(name);

    const installed = await problemsOf('install');
    // What is left is what only a person can enter.
    expect(new Set(installed.problems)).toEqual(new Set(['EVENT_NOT_REGISTERED']));
    expect(installed.code).toBe(57);
    expect(await problemsOf('verify')).toEqual(installed);
    for (const { stdout } of await crontabs())
      expect(stdout).toMatch(/splitmirror-crontab pick-up\n# splitmirror section/);
    // Nothing has to be said twice: the jobs are settings.
    expect((await problemsOf('install')).problems).toEqual(installed.problems);
    const switches = stage.lab.nodes.map(({ root }) =>
      readFile(join(root, '/usr/local/bin/splitmirror-crontab'), 'utf8'),
    );
    for (const text of await Promise.all(switches)) expect(text).toContain(job);

    expect(await problemsOf('remove')).toMatchObject({ code: 0, problems: [] });
    expect(await crontabs()).toEqual(before);
    for (const { name } of stage.lab.nodes) await bare(name);
  });

  it('are missed by a check, as long as the script is not on a node that lets copies go', {
    timeout: 180_000,
  }, async () => {
    const before = await stage.run('check');
    expect(before).toMatchObject({ code: 0, stderr: '' });
    expect(before.stdout).toMatch(
      /^hint {5}release script: not on db_node1, db_node2; .*\n {2}"splitmirror events --config \S+ install"/m,
    );
    await stage.run('events', 'install');
    const after = await stage.run('check', '--json');
    const { checks } = JSON.parse(after.stdout.trim().split('\n').at(-1) ?? '');
    expect(checks).toContainEqual(expect.objectContaining({ node: 'db_node2', releaseScript: true }));
    expect((await stage.run('check')).stdout).not.toContain('hint');
    await stage.run('events', 'remove');
  });

  it('are refused while nobody provably holds a group: its debt would be forgotten', { timeout: 180_000 }, async () => {
    const lost = await stage.configure((base) => ({ ...base, groups: { ...base.groups, lost_rg: {} } }));
    expect((await stage.run('events', 'install', '--config', lost)).code).toBe(10);
  });
});
