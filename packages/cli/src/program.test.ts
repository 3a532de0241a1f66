import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '@splitmirror/lab';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from './program.ts';

afterEach(() => vi.restoreAllMocks());

/** Runs the command line in this process and keeps what it prints. */
async function run(...words: string[]) {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    });
  }
  return { code: await main(words), ...printed };
}

describe('main', () => {
  it('takes wrong arguments for wrong usage', async () => {
    expect((await run('backup')).code).toBe(2);
    expect((await run('no-such-command')).code).toBe(2);
    expect((await run('who', 'g', '--json', '--quiet')).code).toBe(2);
    expect((await run('who', 'g', '--config', '/nowhere')).code).toBe(2);
  });

  it.each([
    ['backup --all payroll_rg', "argument 'groups' cannot be used with option '--all'"],
    ['schedule --only-node db1', "option '--only-node <node>' needs option '--run'"],
    ['drill payroll_rg k3f9q2 --due', "argument 'run' cannot be used with option '--due'"],
    ['drill payroll_rg --due --level bytes', "option '--due' cannot be used with option '--level <level>'"],
    [
      'judge payroll_rg k3f9q2 --accept --reject --because x',
      "option '--accept' cannot be used with option '--reject'",
    ],
    ['guard verify --print', "option '--print' is for install"],
    ['events remove --print', "option '--print' is for install"],
    ['list payroll_rg k3f9q2', "too many arguments for 'list'. Expected 1 argument but got 2: payroll_rg, k3f9q2."],
  ])('refuses words that contradict each other: %s', async (line, message) => {
    const { code, stderr } = await run(...line.split(' '));
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error: ${message.replace(/[.]/g, '\\.')}\nusage: splitmirror `));
  });

  it.each([
    [['restore', 'payroll_rg', '--run', ''], '--run <run>'],
    [['show', 'payroll_rg', ''], 'run'],
    [['backup', ''], 'groups'],
  ])('refuses a word that is empty: %j', async (words, name) => {
    const { code, stderr } = await run(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(`error: ${name}: the word is empty\nusage: splitmirror `);
  });

  it('names for a mistyped command the right one, and the error is not lost in the help', async () => {
    const { stderr } = await run('bakcup');
    expect(stderr).toMatch(/unknown command 'bakcup'\n\(Did you mean backup\?\)/);
    expect(stderr.split('\n').length).toBeLessThan(5);
    expect((await run('guard', 'uninstall')).stderr).toMatch(/install, verify, remove/);
  });

  it('prints an error as JSON too when JSON is asked for', async () => {
    const usage = JSON.parse((await run('who', '--json')).stdout);
    expect(usage).toMatchObject({
      splitmirror: 1,
      type: 'error',
      code: 'USAGE',
      message: expect.stringMatching(/group/),
    });
    const { stdout, stderr } = await run('who', 'g', '--json', '--config', '/nowhere');
    expect(stderr).toMatch(/^USAGE: \/nowhere cannot be read/);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'error', code: 'USAGE', remedy: expect.any(String) });
  });

  it('explains itself', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const name of ['who', 'plan', 'backup', 'recover', 'restore', 'parse'])
      expect(stdout).toContain(`\n  ${name} `);
  });
});

describe('parse', () => {
  it('reads the saved output of a cluster command', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'splitmirror-parse-')), 'saved.txt');
    await writeFile(file, 'payrg:ONLINE:db1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n');
    const { code, stdout } = await run('parse', '--command', 'clRGinfo -s', file);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ group: 'payrg', state: 'ONLINE', node: 'db1' }]);
  });

  it('says where an output is not what it should be', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'splitmirror-parse-')), 'saved.txt');
    await writeFile(file, 'There is no cluster definition\n');
    const { code, stderr } = await run('parse', '--command', 'clRGinfo -s', file);
    expect(code).toBe(43);
    expect(stderr).toMatch(/^PARSE_OUTPUT: clRGinfo -s:1:1: /);
    expect((await run('parse', '--command', 'uptime', file)).code).toBe(2);
  });
});

describe('lab', () => {
  it('takes its configuration away when it ends: it would lead to nodes that are gone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'splitmirror-ended-lab-'));
    const { code, stdout } = await run('lab', '--directory', directory, '--minutes', '0.001');
    expect(code).toBe(0);
    expect(stdout).toContain(`splitmirror check --config ${directory}/splitmirror.yaml`);
    expect(await readdir(directory)).not.toContain('splitmirror.yaml');
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('does so at %s, too: a terminal that is closed', async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'splitmirror-signalled-lab-'));
    const ended = run('lab', '--directory', directory, '--minutes', '0.5');
    await expect.poll(() => readdir(directory), { timeout: 20_000 }).toContain('splitmirror.yaml');
    process.emit(signal);
    await expect.poll(() => readdir(directory), { timeout: 5_000 }).not.toContain('splitmirror.yaml');
    expect((await ended).code).toBe(0);
  });

  it('refuses a directory in which one runs, and says how to use that one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'splitmirror-running-lab-'));
    const running = await startLab({ directory, contentBytes: 100_000 });
    onTestFinished(() => running.close());
    const { code, stderr } = await run('lab', '--directory', directory);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `USAGE: a lab already runs in ${directory}\n` +
        `  Use it with splitmirror check --config ${directory}/splitmirror.yaml, or name another directory.\n`,
    );
  });
});
