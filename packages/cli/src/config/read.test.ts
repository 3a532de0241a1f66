import { mkdtemp, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyOf, scheduleOf } from './policy.ts';
import { readConfig, settingError } from './read.ts';

async function read(text: string) {
  const directory = await mkdtemp(join(tmpdir(), 'splitmirror-config-'));
  const file = join(directory, 'splitmirror.yaml');
  await writeFile(file, text);
  return { directory, file, config: readConfig(file) };
}

const least = `
nodes: { db1: { address: dbhost1 } }
store: backups
groups: { payroll_rg: {} }
`;

describe('readConfig', () => {
  it('fills in what is not said, and makes paths absolute', async () => {
    const { config, directory } = await read(`${least}ssh: { identities: [~/.ssh/key, keys/other] }\n`);
    expect(await config).toEqual({
      nodes: { db1: { address: 'dbhost1' } },
      ssh: { config: 'use', adapter: 'auto', identities: [join(homedir(), '.ssh/key'), join(directory, 'keys/other')] },
      store: join(directory, 'backups'),
      archives: { compression: 'none', recipients: [] },
      atOnce: 2,
      mirror: {},
      stabilitySeconds: 20,
      pollSeconds: 15,
      minority: 'refuse',
      groups: {
        payroll_rg: {
          freezeSeconds: 60,
          allowLastCopy: false,
          approval: 'none',
          rawVolumes: {},
          leaveOut: [],
          jobs: [],
          parallel: 2,
          archiveHours: 24,
          idleMinutes: 30,
          levels: 'stop',
        },
      },
    });
  });

  it('tells every fault with line and column', async () => {
    const { config, file } = await read('nodes: {}\nstore: 7\nspeed: high\ngroups:\n  g:\n    freezeSeconds: 1\n');
    const error = await config.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'USAGE' });
    expect(error?.message).toContain(`${file}:2:8: store: `);
    expect(error?.message).toContain(`${file}:6:20: groups.g.freezeSeconds: `);
    expect(error?.message).toContain('speed');
  });

  it('names for a wrong setting the right one, at its own place', async () => {
    const { config, file } = await read(`${least}ssh:
  identites: [key]
groups2: {}
notify:
  webhook: https://hooks.example.com/secret
`);
    const error = await config.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message.split('\n')).toEqual([
      `${file}:6:3: ssh.identites: no such setting (did you mean identities?)`,
      `${file}:7:1: groups2: no such setting (did you mean groups?)`,
      expect.stringMatching(/:9:12: notify\.webhook: this is wanted: /),
    ]);
  });

  it.each([
    ['', ['1:1: file: missing: a block of settings is wanted']],
    ['nodes:\n\tdb1: {}\n', ['2:1: Tabs are not allowed as indentation']],
    [least.replace('store: backups\n', ''), ['2:1: store: missing: a text is wanted']],
    [
      least.replace('{} }', '{ allowLastCopy: yes, freezeSeconds: "30", rawVolumes: [a] } }'),
      [
        '4:40: groups.payroll_rg.allowLastCopy: true or false is wanted',
        '4:60: groups.payroll_rg.freezeSeconds: a number is wanted',
        '4:78: groups.payroll_rg.rawVolumes: a block of names is wanted',
      ],
    ],
  ])('says of %j in plain words what is wanted, in the order of the file', async (text, told) => {
    const { config, file } = await read(text);
    const message = await config.catch((error: Error) => error.message);
    expect(message).toBe(told.map((line) => `${file}:${line}`).join('\n'));
  });

  it.each([
    [
      least.replace('store: backups', 'store: ""'),
      ['3:8: store: it is empty; this is wanted: directory of the backups'],
    ],
    [
      least.replace('dbhost1', '""'),
      [expect.stringMatching(/^2:26: nodes\.db1\.address: it is empty; this is wanted: /)],
    ],
    ...['{}', '{ daily: 0 }', '{ last: 0, failedDays: 9 }'].map((keep) => [
      least.replace('{} }', `{ keep: ${keep} } }`),
      [
        '4:31: groups.payroll_rg.keep: it keeps no backup: give last, daily, weekly, monthly or yearly a number above 0, for instance daily: 7',
      ],
    ]),
    [
      `${least}metrics: a\ngroups:\n  other_rg: {}\n`,
      ['6:1: groups: it is here for a second time, the first time in line 4: keep one'],
    ],
    [
      least.replace('{}', '{ parallel: 2, levels: warn, parallel: 3 }'),
      ['4:52: groups.payroll_rg.parallel: it is here for a second time, the first time in line 4: keep one'],
    ],
    [
      `${least}---\nstore: elsewhere\n`,
      ['5:1: a second document begins here, and a configuration is one: keep it in a file of its own'],
    ],
    [
      least.replace('backups', '*backups'),
      ['3:8: nothing is called &backups before *backups stands here; a text that begins with * needs quotes'],
    ],
  ] as [string, string[]][])('says of %j what to do about it, in its line', async (text, told) => {
    const { config, file } = await read(text);
    const error = await config.catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'USAGE' });
    expect((error as Error).message.split('\n').map((line) => line.replace(`${file}:`, ''))).toEqual(told);
  });

  it('takes a program with a slash as a path, and others as they are', async () => {
    const { config, directory } = await read(`${least.replace('{}', '{ drills: { probe: [./probe.sh, now] } }')}
notify: { command: [~/bin/page, ops], webhook: { command: [pass, hook] } }
`);
    expect(await config).toMatchObject({
      notify: { command: [join(homedir(), 'bin/page'), 'ops'], webhook: { command: ['pass', 'hook'] } },
      groups: { payroll_rg: { drills: { probe: [join(directory, 'probe.sh'), 'now'] } } },
    });
  });

  it.each(['.', 'backups', '/', './backups/'])('takes %s for where the store is mounted', async (mountPoint) => {
    const { config, directory } = await read(`${least}storeMountPoint: ${mountPoint}\n`);
    expect((await config).storeMountPoint).toBe(resolve(directory, mountPoint));
  });

  it.each(['/mnt', 'backups/shop', 'back'])('refuses %s, which does not hold the store', async (mountPoint) => {
    const { config, file, directory } = await read(`${least}storeMountPoint: ${mountPoint}\n`);
    await expect(config).rejects.toMatchObject({
      code: 'USAGE',
      message: `${file}:5:18: storeMountPoint: the store, ${directory}/backups, lies neither there nor below it`,
    });
  });

  it('knows where each setting stands', async () => {
    const { config, file } = await read(`${least}metrics: /metrics\n`);
    const fault = settingError(await config, ['metrics'], 'full', { remedy: '' });
    expect(fault.message).toBe(`${file}:5:10: metrics: full`);
    const unsaid = settingError(await config, ['groups', 'payroll_rg', 'approval'], 'no', { remedy: '' });
    expect(unsaid.message).toBe(`${file}:4:23: groups.payroll_rg.approval: no`);
  });

  it('looks for the files of secrets beside the configuration', async () => {
    const { config, directory } = await read(`${least.replace('{}', '{ ping: { file: ping } }')}
archives: { restic: { repository: { file: ~/where }, password: { command: [pass, restic] } } }
notify: { webhook: { file: secrets/hook } }
`);
    expect(await config).toMatchObject({
      archives: {
        restic: { repository: { file: join(homedir(), 'where') }, password: { command: ['pass', 'restic'] } },
      },
      notify: { webhook: { file: join(directory, 'secrets/hook') } },
      groups: { payroll_rg: { ping: { file: join(directory, 'ping') } } },
    });
  });

  it('tells where the text is no YAML, and which file is not there', async () => {
    await expect((await read('nodes: [\n')).config).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/:\d+:\d+: /),
    });
    await expect(readConfig('/nowhere/splitmirror.yaml')).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('policyOf', () => {
  it('is what the operator decided about the group', async () => {
    const config = await (await read(least)).config;
    expect(policyOf(config, 'payroll_rg')).toMatchObject({
      quiesce: null,
      freezeSeconds: 60,
      allowLastCopy: false,
      levels: 'stop',
    });
    expect(() => policyOf(config, 'ledger_rg')).toThrow(/payroll_rg|ledger_rg/);
  });

  it('tells what contradicts itself, and what is no schedule, in its line', async () => {
    const hooks = '{ suspend: [[a]], resume: [[b]] }';
    const { config, file } = await read(`${least.replace('{ payroll_rg: {} }', '')}
  both_rg:
    quiesce: ${hooks}
    application: { postgresql: { user: pg } }
  odd_rg:
    application: { db2: { instance: "a b", database: "x;y" } }
    schedule: { since: "2026-01-01T00:00:00Z", cron: when it rains }
  far_rg:
    schedule: { since: "2026-01-01T00:00:00Z", cron: "0 1 * * *", timeZone: Nowhere/Town }
`);
    const settings = await config;
    const beside = `${file}:8:18: groups.both_rg.application: it stands beside quiesce`;
    expect(() => policyOf(settings, 'both_rg')).toThrow(beside);
    expect(() => policyOf(settings, 'odd_rg')).toThrow(`${file}:10:18: groups.odd_rg.application: `);
    expect(() => scheduleOf(settings, 'odd_rg')).toThrow(`${file}:11:54: groups.odd_rg.schedule.cron: `);
    expect(() => scheduleOf(settings, 'far_rg')).toThrow(`${file}:13:77: groups.far_rg.schedule.timeZone: `);
  });
});
