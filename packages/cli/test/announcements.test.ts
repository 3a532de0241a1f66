import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let monitor: Server;
let address: string;
/** What the monitor and the webhook were told: path, and body. */
let told: { path: string; body: string }[] = [];
let answer = 200;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 200_000, phaseMs: 5 });
  monitor = createServer(async (request, response) => {
    told.push({ path: request.url ?? '', body: await text(request) });
    response.writeHead(answer).end();
  });
  await new Promise<void>((resolve) => monitor.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(monitor.address() as AddressInfo).port}`;
  await mkdir(join(stage.directory, 'metrics'));
}, 60_000);
afterAll(async () => {
  monitor.close();
  await stage.close();
});
beforeEach(() => {
  told = [];
  answer = 200;
});

const secret = 'c0ffee-c0ffee';
const minutesAgo = (minutes: number) => `${new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 16)}:00Z`;
/** One window that is open all day, so that no other one begins while a test runs. */
const allDay = { cron: '0 0 * * *', windowMinutes: 1440, since: `${new Date().toISOString().slice(0, 10)}T00:00:00Z` };

/** The known hosts of the lab, each with the key of the other. */
async function exchangedKeys(): Promise<string> {
  const lines = (await readFile(stage.lab.knownHostsFile, 'utf8')).trimEnd().split('\n');
  const split = lines.map((line) => /^(\S+) (.*)$/.exec(line) ?? []);
  return split.map(([, host], index) => `${host} ${split.at(index - 1)?.[2]}\n`).join('');
}

type Base = Parameters<Parameters<Stage['configure']>[0]>[0];

/** A configuration that tells everybody, with a schedule; and its environment. */
async function telling(schedule: Record<string, unknown>, store = 'store', more: (base: Base) => object = () => ({})) {
  const config = await stage.configure((base) => {
    const { ledger_rg } = base.groups;
    return {
      ...base,
      store,
      metrics: 'metrics',
      notify: {
        on: ['good', 'suspicious', 'failed'],
        command: ['tee', join(stage.directory, 'told.json')],
        webhook: { environment: 'HOOK' },
      },
      groups: { ledger_rg: { ...ledger_rg, schedule, ping: { environment: 'PING' } } },
      ...more(base),
    };
  });
  const environment = { HOOK: `${address}/hook/${secret}`, PING: `${address}/ping/${secret}` };
  return (...words: string[]) => stage.startIn(environment, ...words, '--config', config).finished;
}

describe('who is told', () => {
  it('hears of a window that was done, once; and the metrics keep what they know', { timeout: 300_000 }, async () => {
    const run = await telling(allDay);
    const done = await run('schedule', '--run', '--quiet');
    expect(done).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(told.map(({ path }) => path)).toEqual([`/ping/${secret}/start`, `/ping/${secret}`, `/hook/${secret}`]);
    const outcome = JSON.parse(await readFile(join(stage.directory, 'told.json'), 'utf8'));
    expect(outcome).toMatchObject({ splitmirror: 1, group: 'ledger_rg', outcome: 'good', exitCode: 0 });
    expect(outcome.run).toMatch(/^[a-z][a-z0-9]{5}$/);
    expect(JSON.parse(told.at(-1)?.body ?? '')).toEqual(outcome);
    const metrics = join(stage.directory, 'metrics', 'splitmirror-ledger_rg.prom');
    const seen = /^splitmirror_windows_30d\{group="ledger_rg",verdict="done"\} 1$/m;
    expect(await readFile(metrics, 'utf8')).toMatch(seen);
    expect((await run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
    expect(await readFile(metrics, 'utf8')).toMatch(seen);
    expect(await readFile(metrics, 'utf8')).toMatch(
      /^splitmirror_last_backup_timestamp_seconds\{group="ledger_rg"\} \d+/m,
    );
  });

  it('never makes a good backup a bad one, and no secret is told', { timeout: 300_000 }, async () => {
    answer = 500;
    const run = await telling({ ...allDay, since: '2099-01-01T00:00:00Z' });
    const { code, stdout, stderr } = await run('backup', 'ledger_rg', '--quiet');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning: ledger_rg: the monitor was not told: status 500$/m);
    expect(stdout).toMatch(/^warning: the webhook was not told: status 500$/m);
    expect(stdout + stderr).not.toContain(secret);
    // The only window lies ahead.
    expect(await run('schedule', '--run')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/no window is open that nobody has seen to; the next one begins 2099-01-01T/),
    });
    expect((await run('schedule', '--run', '--only-node', 'nobody')).code).toBe(2);
    expect((await stage.run('schedule')).code).toBe(2);
  });

  it('hears of a failure, also where neither secret nor command is there', { timeout: 300_000 }, async () => {
    const config = await stage.configure((base) => {
      const { ledger_rg } = base.groups;
      const ping = { file: 'no-such-file' };
      return {
        ...base,
        notify: { command: ['no-such-program'], webhook: { environment: 'NOT_SET' } },
        metrics: 'nowhere',
        groups: { ledger_rg: { ...ledger_rg, allowLastCopy: false, ping } },
      };
    });
    const { code, stdout } = await stage.run('backup', 'ledger_rg', '--quiet', '--config', config);
    expect(code).not.toBe(0);
    expect(stdout).toMatch(
      /the monitor cannot be told: groups\.ledger_rg\.ping: \/.*no-such-file cannot be read: ENOENT/,
    );
    expect(stdout).toMatch(/the notification command no-such-program/);
    expect(stdout).toMatch(/notify\.webhook: .*the variable NOT_SET/);
    expect(stdout).toMatch(/the metrics could not be written/);
    const checked = await stage.run('check', '--config', config);
    expect(checked.stdout).toMatch(/^problem {2}settings: cannot all be followed$/m);
  });
});

describe('schedule', () => {
  it('is kept from the windows of a group by no other group', { timeout: 180_000 }, async () => {
    const config = await stage.configure((base) => {
      const { ledger_rg } = base.groups;
      const since = minutesAgo(0);
      const groups = {
        absurd_rg: { schedule: { cron: 'when it rains', since } },
        ledger_rg: { ...ledger_rg, schedule: { cron: '* * * * *', since } },
      };
      return { ...base, store: 'beside', groups };
    });
    const { code, stdout } = await stage.run('schedule', '--run', '--config', config);
    expect(stdout).toMatch(/^absurd_rg: USAGE: \S+\.yaml:\d+:\d+: groups\.absurd_rg\.schedule\.cron: /m);
    const [, directory = ''] = /^ledger_rg: good: (.*)$/m.exec(stdout) ?? [];
    expect(code).toBe(2);
    expect(await stage.run('schedule', '--config', config)).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^absurd_rg: USAGE: [\s\S]*^ledger_rg {2}next window /m),
    });
    // Also a scheduled run can be looked at again.
    const replayed = await stage.bare('replay', join(directory, 'incident.ndjson'));
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringMatching(/end: good/) });
  });

  it('says of a window that passed without a backup, also when quiet', { timeout: 180_000 }, async () => {
    const run = await telling({ cron: '* * * * *', windowMinutes: 1, since: minutesAgo(3) }, 'unwatched');
    // The newest window may still be open; the one before it is over.
    const { code, stdout } = await run('schedule', '--quiet');
    expect(code).toBe(56);
    expect(stdout).toMatch(/^ledger_rg: the last window, .*Z, has no backup: missed/m);
    const told = await run('schedule');
    expect(told.stdout).toMatch(/^ledger_rg {2}next window .*Z$/m);
  });

  it.each<[string, number, (base: Base) => object]>([
    ['a closed port', 16, ({ nodes }) => ({ nodes: { ...nodes, db_node2: { ...nodes.db_node2, port: 1 } } })],
    ['another host key', 17, ({ ssh }) => ({ ssh: { ...ssh, knownHosts: ['other-keys'] } })],
    ['a login that is refused', 18, ({ ssh }) => ({ ssh: { ...ssh, user: 'stranger' } })],
  ])('is not silent about %s, and tells of it once in a window', { timeout: 180_000 }, async (why, code, more) => {
    await writeFile(join(stage.directory, 'other-keys'), await exchangedKeys());
    const run = await telling(allDay, `undecided by ${why}`, more);
    const first = await run('schedule', '--run', '--quiet');
    expect(first).toMatchObject({ code, stdout: expect.stringMatching(/^ledger_rg: undecided: GROUP_UNDECIDABLE: /) });
    expect(told.map(({ path }) => path)).toEqual([`/ping/${secret}/fail`, `/hook/${secret}`]);
    const [, hook] = told;
    expect(JSON.parse(hook?.body ?? '')).toMatchObject({ outcome: 'failed', exitCode: code });
    told = [];
    // It is still so, and said; nobody is called a second time.
    const second = await run('schedule', '--run', '--quiet');
    expect(second).toMatchObject({ code, stdout: expect.stringContaining('undecided') });
    expect(told).toEqual([]);
  });

  it('is silent with exit code 3 about what another node has to see to', { timeout: 180_000 }, async () => {
    const run = await telling(allDay, 'elsewhere');
    const looked = await run('schedule', '--run', '--quiet', '--only-node', 'db_node2');
    expect(looked).toEqual({ code: 3, stdout: '', stderr: '' });
    expect(told).toEqual([]);
  });

  it('tells once of a run that was killed', { timeout: 180_000 }, async () => {
    const run = await telling(allDay, 'killed');
    await mkdir(join(stage.directory, 'killed'));
    const begun = {
      group: 'ledger_rg',
      window: new Date(allDay.since).toISOString(),
      at: new Date().toISOString(),
      by: `${hostname()}:999999999:0a1b2c3d`,
      what: 'begun',
      node: null,
      run: null,
      detail: 'begun',
    };
    await writeFile(join(stage.directory, 'killed', 'windows.ndjson'), `${JSON.stringify(begun)}\n`);
    const looked = await run('schedule');
    expect(looked.code).toBe(56);
    expect(looked.stdout).toMatch(/^ledger_rg {2}\S+Z {2}failed {2}process 999999999 on .* told nothing$/m);
    const { code, stdout } = await run('schedule', '--run', '--quiet');
    expect(code).toBe(31);
    expect(stdout).toMatch(/^ledger_rg: the window .*Z has no backup: failed, process 999999999 on .* told nothing$/m);
    expect(stdout).toMatch(/splitmirror recover --config \S+ ledger_rg$/m);
    expect(stdout).toMatch(/splitmirror backup --config \S+ ledger_rg$/m);
    expect(told.map(({ path }) => path).sort()).toEqual([`/hook/${secret}`, `/ping/${secret}/fail`]);
    told = [];
    expect(await run('schedule', '--run', '--quiet')).toEqual({ code: 3, stdout: '', stderr: '' });
    expect(told).toEqual([]);
  });

  it('tells once of windows that were missed', { timeout: 180_000 }, async () => {
    const minute = new Date(Date.now() - 30 * 60_000).getUTCMinutes();
    const schedule = { cron: `${minute} * * * *`, windowMinutes: 10, since: minutesAgo(95) };
    const run = await telling(schedule, 'missed');
    const { code, stdout } = await run('schedule', '--run', '--quiet');
    expect(code).toBe(56);
    expect(stdout.match(/^ledger_rg: the window .*Z has no backup: missed, no initiator did anything$/gm)).toHaveLength(
      2,
    );
    expect(told.map(({ path }) => path).sort()).toEqual([`/hook/${secret}`, `/ping/${secret}/fail`]);
    told = [];
    expect(await run('schedule', '--run', '--quiet')).toEqual({ code: 3, stdout: '', stderr: '' });
    expect(told).toEqual([]);
  });

  it('tells again of missed windows when it was killed while it told them', { timeout: 180_000 }, async () => {
    const minute = new Date(Date.now() - 30 * 60_000).getUTCMinutes();
    const schedule = { cron: `${minute} * * * *`, windowMinutes: 10, since: minutesAgo(95) };
    const killed = join(stage.directory, 'killed-once');
    const kill = ['sh', '-c', `test -e ${killed} || { : > ${killed}; kill -9 "$PPID"; }`];
    const run = await telling(schedule, 'killed while telling', () => ({
      notify: { on: ['failed'], command: kill, webhook: { environment: 'HOOK' } },
    }));
    expect((await run('schedule', '--run', '--quiet')).code).not.toBe(56);
    told = [];
    const again = await run('schedule', '--run', '--quiet');
    expect(again.code).toBe(56);
    expect(again.stdout.match(/^ledger_rg: the window .*Z has no backup: missed/gm)).toHaveLength(2);
    expect(told.map(({ path }) => path).sort()).toEqual([`/hook/${secret}`, `/ping/${secret}/fail`]);
    expect(await run('schedule', '--run', '--quiet')).toEqual({ code: 3, stdout: '', stderr: '' });
  });

  it('says of monitor and metrics that could not be told', { timeout: 180_000 }, async () => {
    answer = 404;
    const run = await telling(allDay, 'untold', ({ nodes }) => ({
      nodes: { ...nodes, db_node2: { ...nodes.db_node2, port: 1 } },
    }));
    const { stdout } = await run('schedule', '--run', '--quiet');
    expect(stdout).toMatch(/^warning: ledger_rg: the monitor was not told: status 404$/m);
  });
});
