import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debtScript as nodeDebtScript } from '@splitmirror/hacmp';
import { type Command, changes, localHost, type Script } from '@splitmirror/host';
import { beforeEach, describe, expect, it } from 'vitest';
import { asUser, db2, oracle, postgresql, stopStart } from './applications.ts';
import { debtScript, type QuiesceHooks, quiesceInOrder, quiesceSteps, secretProblems } from './quiesce.ts';

// Doubles of the vendors' clients: they write down how they were called, and fail where a file says so.
const doubles = {
  su: 'echo "su $1 $2" >>"$S/log"; shift 3; exec sh -c "$1"',
  db2: `echo "db2 $*" >>"$S/log"
case "$*" in
'connect to LEDGER') [ ! -f "$S/unreachable" ];;
'set write suspend for database') : >"$S/suspended";;
*'write resume'*) rm -f "$S/suspended";;
db2start) :;;
esac`,
  db2start: 'echo db2start >>"$S/log"',
  sqlplus: `echo "sqlplus $* sid=$ORACLE_SID" >>"$S/log"
strict=
while read -r line; do
echo "  $line" >>"$S/log"
case "$line" in
'whenever sqlerror exit failure') strict=1;;
'alter database begin backup;') : >"$S/suspended";;
'alter database end backup;') [ ! -f "$S/stuck" ] || continue; [ -f "$S/suspended" ] && rm "$S/suspended" || [ -z "$strict" ] || exit 1;;
select*) [ ! -f "$S/suspended" ] || exit 1;;
'alter system archive log current;') [ ! -f "$S/archiver-stuck" ] || exit 1;;
esac
done`,
  psql: 'echo "psql $*" >>"$S/log"; sed "s/^/  /" >>"$S/log"',
};

const shells = ['/bin/dash', '/usr/bin/ksh93', '/usr/bin/mksh'];
let state: string;
let notes: string;
let path: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'splitmirror-applications-'));
  notes = join(state, 'notes');
  path = join(state, 'bin');
  for (const directory of [notes, path]) await mkdir(directory);
  for (const [name, text] of Object.entries(doubles)) {
    await writeFile(join(path, name), `#!/bin/sh\nS=${state}\n${text}\n`);
    await chmod(join(path, name), 0o755);
  }
});

const run = (shell: string, script: Script) => localHost('a', { path: `${path}:/usr/bin:/bin`, shell }).run(script);
const around = (hooks: QuiesceHooks, between = 'true'): Script => {
  const { suspend, resume } = quiesceSteps(hooks, notes, 'abc123', 'db1');
  return { steps: [...suspend, { id: 'split', run: changes('sh', '-c', between), timeoutSeconds: 5 }, ...resume] };
};
const log = async () => (await readFile(join(state, 'log'), 'utf8')).trimEnd().split('\n');
const left = async () => (await readdir(state)).filter((name) => !['bin', 'notes', 'log'].includes(name));

describe.each(shells)('in %s', (shell) => {
  const shown = async (hooks: QuiesceHooks, between?: string) => {
    const outcome = await run(shell, around(hooks, between));
    return outcome.steps.map((step) => `${step.id} ${step.kind === 'ended' ? step.exitCode : step.kind}`);
  };

  it('db2 holds writers over the split, as the owner of the instance', async () => {
    const hooks = db2({ instance: 'db2led', database: 'LEDGER' });
    expect(await shown(hooks, `test -f ${state}/suspended`)).toEqual([
      'note 0',
      'suspend:0 0',
      'split 0',
      'resume:0 0',
      'settle 0',
    ]);
    expect(await log()).toEqual([
      'su - db2led',
      'db2 connect to LEDGER',
      'db2 set write suspend for database',
      'su - db2led',
      'db2 connect to LEDGER',
      'db2 set write resume for database',
    ]);
    expect(await left()).toEqual([]);
  });

  it('db2 resumes by a restart where no connection is to be had', async () => {
    await writeFile(join(state, 'suspended'), '');
    await writeFile(join(state, 'unreachable'), '');
    await run(shell, debtScript(db2({ instance: 'db2led', database: 'LEDGER' }), notes));
    expect(await log()).toContain('db2 restart database LEDGER write resume');
    expect(await left()).toEqual(['unreachable']);
  });

  it('oracle is in backup mode over the split, and its log is archived after it', async () => {
    const hooks = oracle({ user: 'oracle', sid: 'LEDG' });
    expect(await shown(hooks, `test -f ${state}/suspended`)).toEqual([
      'note 0',
      'suspend:0 0',
      'split 0',
      'resume:0 0',
      'settle 0',
      'after:0 0',
    ]);
    const said = await log();
    expect(said.filter((line) => line.startsWith('sqlplus'))).toEqual(
      Array(3).fill('sqlplus -S -L / as sysdba sid=LEDG'),
    );
    expect(said.at(-2)).toBe('  alter system archive log current;');
    expect(await left()).toEqual([]);
  });

  it('oracle may be resumed when nothing is suspended, and keeps the note while a file is in backup mode', async () => {
    const hooks = oracle({ user: 'oracle', sid: 'LEDG', log: 'leave' });
    await writeFile(join(notes, 'quiesce'), '{}');
    await run(shell, debtScript(hooks, notes));
    expect(await readdir(notes)).toEqual([]);
    await writeFile(join(state, 'stuck'), '');
    expect(await shown(hooks)).toEqual(['note 0', 'suspend:0 0', 'split 0', 'resume:0 1', 'settle skipped']);
    expect(await readdir(notes)).toEqual(['quiesce']);
  });

  it('oracle fails the backup when the log cannot be archived', async () => {
    await writeFile(join(state, 'archiver-stuck'), '');
    expect((await shown(oracle({ user: 'oracle', sid: 'LEDG' }))).slice(-2)).toEqual(['settle 0', 'after:0 1']);
  });

  it('postgresql only makes a checkpoint, which nobody owes it back', async () => {
    const hooks = postgresql({ user: 'postgres', port: 5433 });
    expect(await shown(hooks)).toEqual(['before:0 0', 'split 0']);
    expect(await log()).toEqual([
      'su - postgres',
      'psql -X -w -q -v ON_ERROR_STOP=1 -d postgres -p 5433',
      '  checkpoint;',
    ]);
    expect(hooks.consistency).toBe('file-system');
  });

  it('stopStart starts again what does not run, and only that', async () => {
    const touch = (name: string): [string, ...string[]] => ['touch', `${state}/${name}`];
    const hooks = (running?: [string, ...string[]]) =>
      stopStart({ stop: touch('stopped'), start: touch('started'), running });
    await run(shell, around(hooks(['true'])));
    expect(await left()).toEqual(['stopped']);
    await run(shell, around(hooks(['false'])));
    expect(await left()).toEqual(['started', 'stopped']);
  });

  it('several applications rest in order and go on in the opposite one, also when the split fails', async () => {
    const both = quiesceInOrder(
      db2({ instance: 'db2led', database: 'LEDGER', timeoutSeconds: 9 }),
      oracle({ user: 'oracle', sid: 'LEDG' }),
    );
    const { suspend, resume } = quiesceSteps(both, notes, 'abc123', 'db1');
    expect(suspend.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([30, 9, 300]);
    expect(resume.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([300, 9, 30, 300]);
    expect(await shown(both, 'false')).toEqual([
      'note 0',
      'suspend:0 0',
      'suspend:1 0',
      'split 1',
      'resume:0 0',
      'resume:1 0',
      'settle 0',
      'after:0 skipped',
    ]);
    expect(await left()).toEqual([]);
  });

  it('the debt script of the nodes pays before the application starts, once, and keeps the note when it cannot', async () => {
    const hooks = oracle({ user: 'oracle', sid: 'LEDG' });
    const text = nodeDebtScript({
      path: '/usr/local/bin/splitmirror-debt-ledger',
      notes,
      resume: hooks.resume,
      restart: hooks.restart,
      timeoutSeconds: hooks.timeoutSeconds,
      settleSeconds: 0,
      commands: `${path}:/usr/bin:/bin`,
    });
    const pay = () => execFileSync(shell, ['-c', text], { stdio: 'pipe' });
    pay();
    expect(await left()).toEqual([]);
    const [note] = quiesceSteps(hooks, notes, 'abc123', 'db1').suspend.filter(({ id }) => id === 'note');
    await run(shell, { steps: note === undefined ? [] : [note] });
    for (const name of ['suspended', 'stuck']) await writeFile(join(state, name), '');
    expect(pay).toThrow();
    expect(await readdir(notes)).toEqual(['quiesce']);
    execFileSync('rm', [`${state}/stuck`]);
    pay();
    expect(await readdir(notes)).toEqual([]);
    expect((await log()).at(-2)).toBe('  alter database open;');
  });
});

describe('names', () => {
  it('cannot be anything that a shell or a client would read as something else', () => {
    for (const user of ['-x', '', 'a b', 'a;b']) expect(() => asUser(user, 'id')).toThrow(RangeError);
    expect(asUser('app', 'say', "it's")).toEqual(['su', '-', 'app', '-c', "say 'it'\\''s'"]);
    expect(() => db2({ instance: 'db2led', database: 'LEDGER; drop' })).toThrow(RangeError);
    expect(() => oracle({ user: 'oracle', sid: '../x' })).toThrow(RangeError);
  });
});

describe('secretProblems', () => {
  it('refuses what looks like a password and lets ready hooks pass', () => {
    const hooks = (argv: Command['argv']): QuiesceHooks => ({
      suspend: [argv],
      resume: [['true']],
      timeoutSeconds: 5,
    });
    for (const words of [
      ['appctl', 'password=x'],
      ['sqlplus', 'system/x@LEDG'],
      ['appctl', '--token', 'x'],
    ] as const) {
      expect(secretProblems(hooks(words), 'a')).toMatchObject([{ code: 'SECRET_IN_COMMAND', seen: words[0] }]);
    }
    expect(secretProblems(oracle({ user: 'oracle', sid: 'LEDG', home: '/u01/app/oracle' }), 'a')).toEqual([]);
    expect(secretProblems(db2({ instance: 'db2led', database: 'LEDGER' }), 'a')).toEqual([]);
    expect(secretProblems(null, 'a')).toEqual([]);
  });
});
