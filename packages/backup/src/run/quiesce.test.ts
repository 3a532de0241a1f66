import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debtScript as nodeDebtScript } from '@splitmirror/hacmp';
import { changes, localHost, type Script } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { debtScript, type QuiesceHooks, quiesceSeconds, quiesceSteps, secretProblems, wasCutOff } from './quiesce.ts';

const host = localHost('a', { path: '/usr/bin:/bin' });
let notes: string;
beforeEach(async () => {
  notes = await mkdtemp(join(tmpdir(), 'splitmirror-quiesce-'));
});

const hooks = (suspend: string, resume: string): QuiesceHooks => ({
  suspend: [['sh', '-c', suspend]],
  resume: [['sh', '-c', resume]],
  timeoutSeconds: 5,
});

/** Suspend, something between, resume: as the split phase puts them together. */
function around(given: QuiesceHooks, between: string): Script {
  const { suspend, resume } = quiesceSteps(given, notes, 'abc123', 'db1');
  return { steps: [...suspend, { id: 'split', run: changes('sh', '-c', between), timeoutSeconds: 5 }, ...resume] };
}

/** As a run that was cut off leaves it. */
async function leaveNote(given: QuiesceHooks): Promise<void> {
  const [note] = quiesceSteps(given, notes, 'abc123', 'db1').suspend;
  await host.run({ steps: note === undefined ? [] : [note] });
}

const pay = { path: '/usr/local/bin/splitmirror-debt-pay', settleSeconds: 0, commands: '/usr/bin:/bin' };

describe('quiesceSteps, in a real shell', () => {
  it('resumes and takes the note away when the split succeeds', async () => {
    await host.run(
      around(hooks(`echo down > ${notes}/state`, `echo up > ${notes}/state`), `cat ${notes}/quiesce > ${notes}/seen`),
    );
    expect(await readdir(notes)).toEqual(['seen', 'state']);
    expect(await readFile(join(notes, 'state'), 'utf8')).toBe('up\n');
    expect(JSON.parse(await readFile(join(notes, 'seen'), 'utf8'))).toMatchObject({ splitmirror: 1, run: 'abc123' });
  });

  it('resumes when the split fails, and when the suspension itself fails half way', async () => {
    for (const [suspend, split] of [
      ['true', 'false'],
      [`echo down > ${notes}/state; false`, 'true'],
    ] as const) {
      const outcome = await host.run(around(hooks(suspend, `echo up > ${notes}/state`), split));
      expect(outcome.kind).toBe('completed');
      expect(await readFile(join(notes, 'state'), 'utf8')).toBe('up\n');
      expect(await readdir(notes), 'what may still come into effect stays noted').toEqual(
        split === 'true' ? ['quiesce', 'state'] : ['state'],
      );
    }
  });

  it('tells a suspension that was cut off from one that failed by itself', async () => {
    const ended = async (suspend: string) => {
      const { steps } = await host.run(around({ ...hooks(suspend, 'true'), timeoutSeconds: 1 }, 'true'));
      return wasCutOff(steps);
    };
    expect(await ended('true')).toBe(false);
    expect(await ended('exit 3')).toBe(false);
    expect(await ended('kill -9 $$')).toBe(true);
    expect(await ended('sleep 60')).toBe(true);
  });

  it('keeps the note when the application could not be resumed', async () => {
    await host.run(around(hooks('true', 'false'), 'true'));
    expect(await readdir(notes)).toEqual(['quiesce']);
  });

  it('adds no step without hooks', () => {
    expect(quiesceSteps(null, notes, 'abc123', 'db1')).toEqual({ suspend: [], resume: [], explains: {} });
  });
});

it('says of each step what it is for, and of the note that it only writes one', () => {
  const given: QuiesceHooks = {
    before: [['db', 'checkpoint']],
    suspend: [['db', 'suspend']],
    resume: [['db', 'resume']],
    after: [['db', 'switch']],
    timeoutSeconds: 5,
  };
  expect(quiesceSteps(given, notes, 'abc123', 'db1').explains).toEqual({
    'before:0': 'While the application still works: db checkpoint',
    note: 'Note in a file system of the group that this run is about to suspend the application, and what resumes it.',
    'suspend:0': 'Bring the application to rest: db suspend',
    'resume:0': 'Let the application go on: db resume',
    settle: 'Take the note away: the application goes on for certain.',
    'after:0': 'Once the application works again: db switch',
  });
});

it('adds up the deadlines of all commands that a run may wait for', () => {
  const slow = { argv: ['db', 'suspend'], timeoutSeconds: 90 } as const;
  const given: QuiesceHooks = {
    before: [['sync']],
    suspend: [slow, ['true']],
    resume: [['true']],
    restart: [['never']],
    timeoutSeconds: 5,
  };
  expect(quiesceSeconds(given)).toBe(105);
});

it('ends what a command reads with a line feed, in the steps and in the debt script of the nodes', async () => {
  const file = join(notes, 'said');
  const given: QuiesceHooks = {
    suspend: [['true']],
    resume: [{ argv: ['tee', file], stdin: 'write resume' }],
    timeoutSeconds: 5,
  };
  expect((await host.run(around(given, 'true'))).kind).toBe('completed');
  expect(await readFile(file, 'utf8')).toBe('write resume\n');
  await leaveNote(given);
  await writeFile(file, '');
  execFileSync('sh', ['-c', nodeDebtScript({ ...pay, notes, resume: given.resume })]);
  expect(await readFile(file, 'utf8')).toBe('write resume\n');
  expect(await readdir(notes)).toEqual(['said']);
});

it('leaves a note that the debt script of the nodes understands, wherever the group is by then', async () => {
  const said = join(notes, 'said');
  const given = hooks('true', `echo resumed >>${said}`);
  await leaveNote(given);
  // Its run was on another node than the one on which the file system is now: it need not be waited for.
  const path = join(notes, 'bin');
  await mkdir(path);
  await writeFile(join(path, 'get_local_nodename'), '#!/bin/sh\necho db2\n', { mode: 0o755 });
  await writeFile(join(notes, `holder.${'0'.repeat(32)}`), '{}\n');
  const commands = `${path}:/usr/bin:/bin`;
  const script = nodeDebtScript({ ...pay, notes, resume: given.resume, settleSeconds: 600, commands });
  execFileSync('sh', ['-c', script]);
  expect(await readFile(said, 'utf8')).toBe('resumed\n');
  expect(await readdir(notes)).not.toContain('quiesce');
});

describe('secretProblems', () => {
  const codes = (...argv: [string, ...string[]]) =>
    secretProblems({ suspend: [argv], resume: [], timeoutSeconds: 5 }, 'a').map(({ code }) => code);

  it.each([
    ['db2', 'connect', 'to', 'books', 'user', 'ops', 'using', 'hunter2'],
    ['su', '-', 'db2inst1', '-c', 'db2 connect to books user ops using hunter2'],
    ['curl', 'https://ops:hunter2@monitor.example/suspend'],
    ['psql', 'postgresql://ops:hunter2@localhost/books'],
    ['curl', '-H', 'Authorization: Bearer hunter2', 'https://monitor.example'],
    ['mysql', '--password', 'hunter2'],
    ['env', 'PGPASSWORD=hunter2', 'psql'],
    ['sqlplus', 'ops/hunter2@books'],
  ] as [string, ...string[]][])('finds the password in %s %s', (...argv) => {
    expect(codes(...argv)).toEqual(['SECRET_IN_COMMAND']);
  });

  it.each([
    ['su', '-', 'db2inst1', '-c', 'db2 connect to books && db2 set write suspend for database'],
    ['curl', 'https://monitor.example:8443/suspend'],
    ['/usr/local/bin/quiesce', '--config', '/etc/books/user.conf'],
  ] as [string, ...string[]][])('lets %s %s pass', (...argv) => {
    expect(codes(...argv)).toEqual([]);
  });
});

describe('debtScript', () => {
  it('resumes and then takes the note away', async () => {
    await writeFile(join(notes, 'quiesce'), '{}');
    await host.run(debtScript(hooks('true', `test -f ${notes}/quiesce && echo up > ${notes}/state`), notes));
    expect(await readdir(notes)).toEqual(['state']);
  });

  it('keeps the note when the resume fails', async () => {
    await writeFile(join(notes, 'quiesce'), '{}');
    await host.run(debtScript(hooks('true', 'false'), notes));
    expect(await readdir(notes)).toEqual(['quiesce']);
  });
});
