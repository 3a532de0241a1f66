import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examplesOf } from '../src/tree/branch.ts';
import { buildProgram } from '../src/tree.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let saved: string;
beforeAll(async () => {
  stage = await openStage({ contentBytes: 400_000, phaseMs: 5, groups: [{ name: 'web_rg' }] });
  saved = join(stage.directory, 'tonight.json');
}, 60_000);
afterAll(() => stage.close());

const file = (name: string) => join(stage.directory, name);
const jsonLines = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Types of lines that docs/events.md describes. */
async function documentedTypes(): Promise<Set<string>> {
  const page = await readFile(new URL('../../../docs/events.md', import.meta.url), 'utf8');
  const tables = page.slice(page.indexOf('## Lines of the command line'));
  return new Set(Array.from(tables.matchAll(/^\| `([a-z-]+)` \|/gm), ([, type = '']) => type));
}

describe('docs/events.md', () => {
  it.each(['BackupEvent', 'ScheduleEvent'])('describes every type of %s', async (name) => {
    const folder = fileURLToPath(new URL('../../backup/src', import.meta.url));
    const files = (await readdir(folder, { recursive: true })).filter((file) => /(?<!test)\.ts$/.test(file));
    const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    const source = sources.find((text) => text.includes(`export type ${name} =`)) ?? '';
    const types = Array.from(source.matchAll(/readonly type: '([a-z-]+)'/g), ([, type = '']) => type);
    expect(types.length).toBeGreaterThan(2);
    const known = await documentedTypes();
    expect(types.filter((type) => !known.has(type))).toEqual([]);
  });
});

describe('a saved plan', () => {
  it('is saved, and written as a script that dash and ksh take', { timeout: 180_000 }, async () => {
    const book = file('tonight.sh');
    const made = await stage.run('plan', 'ledger_rg', '--save', saved, '--run-book', book);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/saved: .*, digest [0-9a-f]{64}/) });
    for (const shell of ['dash', 'ksh93']) execFileSync(shell, ['-n', book]);
    // What is there is not written over.
    const again = await stage.run('plan', 'ledger_rg', '--run-book', book);
    const there = { code: 2, stderr: expect.stringMatching(/^USAGE: .* is there already/) };
    expect(again).toMatchObject(there);
    const text = await readFile(saved, 'utf8');
    expect(await stage.run('plan', 'ledger_rg', '--save', saved)).toMatchObject(there);
    expect(await stage.bare('approve', saved, saved, '--by', 'J. Doe')).toMatchObject(there);
    expect(await readFile(saved, 'utf8')).toBe(text);
  });

  it('is run with the leave for it, and with no other', { timeout: 300_000 }, async () => {
    const [leave, brief] = [file('leave.json'), file('brief.json')];
    expect((await stage.bare('approve', saved, leave, '--by', 'J. Doe')).stdout).toMatch(/approved by J\. Doe until /);
    expect((await stage.bare('approve', saved, brief, '--by', 'J. Doe', '--hours', '0.00001')).code).toBe(0);
    expect((await stage.bare('approve', saved, leave, '--by', ' ')).code).toBe(2);
    expect((await stage.bare('approve', saved, leave, '--by', 'x', '--hours', 'many')).code).toBe(2);
    const expired = await stage.run('backup', 'ledger_rg', '--plan', saved, '--approval', brief);
    expect(expired).toMatchObject({ code: 36, stderr: expect.stringMatching(/expired/) });

    const other = JSON.parse(await readFile(saved, 'utf8'));
    const changed = file('changed.json');
    await writeFile(changed, JSON.stringify({ ...other, run: 'zzzzzz' }));
    expect((await stage.run('backup', 'ledger_rg', '--plan', changed, '--approval', leave)).code).toBe(36);
    await writeFile(changed, JSON.stringify({ ...other, surprise: 1 }));
    expect((await stage.run('backup', 'ledger_rg', '--plan', changed)).code).toBe(37);
    expect((await stage.run('backup', 'web_rg', '--plan', saved)).code).toBe(2);
    expect((await stage.run('backup', 'ledger_rg', '--approval', leave)).code).toBe(2);

    const done = await stage.run('backup', 'ledger_rg', '--plan', saved, '--approval', leave);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    // Its own run has changed what the plan had seen: it cannot be run once more.
    expect((await stage.run('backup', 'ledger_rg', '--plan', saved)).code).toBe(28);
  });
});

describe('approval: required', () => {
  it('runs nothing but a plan that somebody has approved, and show tells who', { timeout: 300_000 }, async () => {
    const config = await stage.configure((base) => {
      const [group] = Object.values(base.groups);
      const schedule = { cron: '* * * * *', since: '2026-01-01T00:00:00.000Z', windowMinutes: 1 };
      return { ...base, groups: { ledger_rg: { ...group, approval: 'required', schedule } } };
    });
    const lax = file('before.json');
    expect((await stage.run('plan', 'ledger_rg', '--save', lax)).code).toBe(0);
    const refused = { code: 36, stderr: expect.stringMatching(/^PLAN_NOT_APPROVED: .* demands an approval/) };
    expect(await stage.run('backup', 'ledger_rg', '--config', config)).toMatchObject(refused);
    expect(await stage.run('backup', 'ledger_rg', '--plan', lax, '--config', config)).toMatchObject(refused);
    expect((await stage.run('schedule', '--run', '--config', config)).code).toBe(36);

    const [strict, leave] = [file('strict.json'), file('strict.leave.json')];
    expect((await stage.run('plan', 'ledger_rg', '--save', strict, '--config', config)).code).toBe(0);
    expect((await stage.bare('approve', strict, leave, '--by', 'M. Weber, change 4711')).code).toBe(0);
    const approved = ['--plan', strict, '--approval', leave, '--config', config];
    expect((await stage.run('backup', 'ledger_rg', ...approved)).code).toBe(0);
    expect((await stage.run('show', 'ledger_rg')).stdout).toMatch(/^ {2}approved +by M\. Weber, change 4711 at /m);
  });
});

describe('several groups', () => {
  it('are backed up side by side, and one that fails stops no other', { timeout: 180_000 }, async () => {
    const config = await stage.configure((base) => ({ ...base, groups: { ...base.groups, web_rg: {} } }));
    const { code, stdout } = await stage.run('backup', '--all', '--json', '--config', config);
    expect(code).toBe(35);
    const lines = jsonLines(stdout);
    expect(lines.at(-1)).toMatchObject({
      splitmirror: 1,
      type: 'result',
      groups: [
        { group: 'ledger_rg', kind: 'ran', exitCode: 0 },
        { group: 'web_rg', kind: 'refused', exitCode: 14 },
      ],
    });
    const known = await documentedTypes();
    expect([...new Set(lines.map(({ type }) => type))].filter((type) => !known.has(type))).toEqual([]);
    expect(lines.every(({ splitmirror, at }) => splitmirror === 1 && !Number.isNaN(Date.parse(at)))).toBe(true);
    expect(lines.find(({ type }) => type === 'archive-end')).toMatchObject({ group: 'ledger_rg' });
    const [{ text }] = lines.at(-1).groups;
    const directory = /^good: (.*)$/.exec(text[0])?.[1] ?? '';
    const replayed = await stage.bare('replay', join(directory, 'incident.ndjson'));
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringMatching(/end: good/) });
    const quiet = await stage.run('backup', 'web_rg', 'web_rg', '--quiet', '--config', config);
    expect(quiet).toMatchObject({ code: 14, stdout: '', stderr: expect.stringMatching(/^GROUP_UNDECIDABLE/) });
  });
});

describe('replay', () => {
  it('takes the change of its help', { timeout: 180_000 }, async () => {
    expect((await stage.run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
    const run = (await readdir(join(stage.store, 'ledger_rg'))).sort().at(-1) ?? '';
    const log = join(stage.store, 'ledger_rg', run, 'incident.ndjson');
    const command = buildProgram(() => {}).commands.find((each) => each.name() === 'replay');
    const example = command && examplesOf(command).find((line) => line.includes('--change'));
    const [, pattern = '', replacement = ''] = /--change '(.*)' '(.*)'/.exec(example ?? '') ?? [];
    const words = [pattern, replacement].map((word) => word.replace('db1', 'db_node1'));
    expect((await stage.bare('replay', log, '--change', ...words)).code).toBe(58);
  });

  it('comes to the same decisions, and to others when a fact was another', { timeout: 180_000 }, async () => {
    // A plan of the same process: a saved one was made from answers that no log holds.
    expect((await stage.run('backup', 'ledger_rg', '--quiet')).code).toBe(0);
    const runs = await readdir(join(stage.store, 'ledger_rg'));
    const logs = runs.sort().map((run) => join(stage.store, 'ledger_rg', run, 'incident.ndjson'));
    const log = logs.at(-1) ?? '';
    const same = await stage.bare('replay', log);
    expect(same).toMatchObject({ code: 0, stdout: expect.stringMatching(/the same decisions as were recorded\n$/) });
    const other = await stage.bare('replay', log, '--json', '--change', 'ledger_rg:ONLINE', 'ledger_rg:ERROR');
    expect(other.code).toBe(58);
    expect(jsonLines(other.stdout).at(-1)).toMatchObject({ type: 'result', difference: { at: 0 } });
    expect((await stage.bare('replay', logs[0] ?? '')).code).toBe(0);
    expect((await stage.bare('replay', saved)).code).toBe(38);
    const torn = join(stage.directory, 'torn.ndjson');
    const text = await readFile(log, 'utf8');
    await writeFile(torn, text.slice(0, text.indexOf('"kind":"end"')));
    expect(await stage.bare('replay', torn)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^the same decisions as were recorded, up to where the log breaks off$/m),
    });
    await writeFile(torn, text.slice(0, text.indexOf('"kind":"plan"')));
    expect(await stage.bare('replay', torn)).toMatchObject({
      code: 38,
      stderr: expect.stringMatching(/breaks off before its first decision/),
    });
    expect((await stage.bare('replay', log, '--change', '(', 'x')).code).toBe(2);
    expect(await stage.bare('replay', log, '--change', 'db_node1:ONLINE', 'db_node1:ERROR')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'USAGE: nothing that the nodes answered matches db_node1:ONLINE\n' +
        `  Take the words from ${log}, as a node has printed them: clRGinfo -s prints GROUP:STATE:NODE.\n`,
    });
    expect((await stage.bare('replay', log, '--change', 'x')).code).toBe(2);
  });
});

describe('show', () => {
  it('tells of a run that failed what broke', { timeout: 180_000 }, async () => {
    const fault = stage.lab.fault({ program: 'mount', arguments: '/dev/sm', does: { kind: 'fails-before', code: 1 } });
    const failed = await stage.run('backup', 'ledger_rg', '--quiet');
    fault();
    expect(failed).toMatchObject({ code: 30, stdout: expect.stringMatching(/way back \(failed\)[\s\S]*journal: /) });
    const page = file('failed.html');
    const { code, stdout } = await stage.run('show', 'ledger_rg', '--html', page);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^No backup: the run failed\.$/m);
    expect(stdout).toMatch(/^Odd\n {2}what +seen[\s\S]*MOUNT_FAILED/m);
    expect(await readFile(page, 'utf8')).toMatch(/class="bad"/);
    const runs = (await readdir(join(stage.store, 'ledger_rg'))).sort();
    const good = runs.findLast((run) => !run.endsWith('.incomplete'))?.slice(-6) ?? '';
    expect((await stage.run('show', 'ledger_rg', good)).stdout).toMatch(/^Good: /m);
    expect((await stage.run('show', 'ledger_rg', good, '--html', '/nowhere/x.html')).code).toBe(2);
    expect((await stage.run('show', 'ledger_rg', 'nosuch')).code).toBe(40);
  });
});
