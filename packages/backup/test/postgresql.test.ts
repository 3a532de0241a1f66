import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changes, localHost, quote } from '@splitmirror/host';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { drillBackup } from '../src/restore/drill.ts';
import { asUser, postgresql, stopStart } from '../src/run/applications.ts';
import { type QuiesceHooks, quiesceSteps } from '../src/run/quiesce.ts';
import { openStore } from '../src/store/store.ts';
import { archiveOfTree, makeBackupOf } from './real-backup.ts';

/*
 * A PostgreSQL server that books all the time, our hooks around the split, our archive of the copy, and another server that
 * opens what a drill restored. In place of the mirror is what a frozen file system and its split copy are to the database:
 * nothing writes, and at this instant every file is copied.
 */

const user = 'postgres';
const programs = globSync('/usr/lib/postgresql/*/bin').sort().at(-1) ?? '/nowhere';
const canServe = process.getuid?.() === 0 && existsSync(join(programs, 'initdb'));

const program = (name: string, ...args: string[]) =>
  asUser(user, join(programs, name), ...args) as [string, ...string[]];

/** @returns what it printed. */
function call([file, ...args]: readonly [string, ...string[]]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Ends with 0 where a server opens what was restored, its books balance, and it knows all that was booked before. */
const openBooks = `
bookings=$1
restored=$2/datalv
place=$(mktemp -d)
trap 'su - ${user} -c "${programs}/pg_ctl -D $place/data -m immediate stop"; rm -rf "$place"' EXIT
# What is restored to a directory belongs to whoever restores.
cp -a "$restored" "$place/data" && chown -R ${user} "$place" || exit 1
rm -f "$place/data/postmaster.pid"
# A server that starts again after a crash says so in its log.
su - ${user} -c "${programs}/pg_ctl -D $place/data -l $place/log -o '-k $place' -w start" || { grep -e FATAL -e PANIC "$place/log" >&2; exit 2; }
cat "$place/log" >"$LOG"
said=$(su - ${user} -c "psql -XAtq -h $place -p $PORT -d postgres" <<EOF
select count(*) >= $bookings
  and sum(delta) = (select sum(abalance) from pgbench_accounts)
  and sum(delta) = (select sum(tbalance) from pgbench_tellers)
  and sum(delta) = (select sum(bbalance) from pgbench_branches)
  from pgbench_history
EOF
)
[ "$said" = t ]
`;

describe.skipIf(!canServe)('a PostgreSQL server (needs root and postgresql)', () => {
  let base: string;
  let template: string;
  let data: string;
  let port: number;
  let books: ChildProcess | undefined;
  let script: string;

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'splitmirror-postgresql-'));
    template = join(base, 'template');
    script = join(base, 'open-books');
    await writeFile(script, openBooks);
    await chmod(base, 0o755);
    await mkdir(template);
    execFileSync('chown', [user, template]);
    call(program('initdb', '-D', template, '-A', 'trust', '--no-sync', '--no-locale'));
  });
  afterAll(() => rm(base, { recursive: true }));

  const pgCtl = (...args: string[]) => program('pg_ctl', '-D', data, '-w', '-m', 'fast', '-l', `${data}.log`, ...args);
  const sql = (text: string) =>
    call(asUser(user, 'psql', '-XAtq', '-p', String(port), '-d', 'postgres', '-c', text) as [string, ...string[]]);

  beforeEach(async () => {
    port = await freePort();
    const place = await mkdtemp(join(base, 'server-'));
    data = join(place, 'data');
    execFileSync('cp', ['-a', template, data]);
    execFileSync('chown', [user, place]);
    // Debian's clients look for the socket where its servers put it.
    await writeFile(
      join(data, 'postgresql.auto.conf'),
      `port = ${port}\nlisten_addresses = ''\nunix_socket_directories = '/var/run/postgresql'\n`,
    );
    call(pgCtl('start'));
    call(program('pgbench', '-p', String(port), '-i', '-q', 'postgres'));
    const [file, ...args] = program('pgbench', '-p', String(port), '-n', '-c', '4', '-T', '120', 'postgres');
    books = spawn(file, args, { stdio: 'ignore' });
    while (Number(sql('select count(*) from pgbench_history')) < 50);
  });
  afterEach(async () => {
    books?.kill();
    stop();
  });

  /** Ends the server, where it runs. */
  const stop = () => {
    if (existsSync(join(data, 'postmaster.pid'))) call(pgCtl('-m', 'immediate', 'stop'));
  };

  /** Copies the data directory at an instant at which no process of the server writes. */
  const split = (copy: string) => `
server=$(head -n 1 ${quote(`${data}/postmaster.pid`)}) || server=
if [ -n "$server" ]; then
  kill -STOP "$server"
  all="$server $(pgrep -P "$server")"
  kill -STOP $all
  for one in $all; do until grep -q '^State:.*T' "/proc/$one/status"; do sleep 0.01; done; done
fi
cp -a ${quote(data)} ${quote(copy)}
status=$?
[ -z "$server" ] || kill -CONT $all
exit "$status"`;

  /** Hooks, split, archive: what a run does. */
  async function backUp(hooks: QuiesceHooks) {
    const copy = `${data}.copy`;
    const booked = Number(sql('select count(*) from pgbench_history'));
    const { suspend, resume } = quiesceSteps(hooks, base, 'aaaaaa', 'a');
    const steps = [
      ...suspend,
      { id: 'split', run: changes('sh', '-c', split(copy)), timeoutSeconds: 30 },
      ...resume.map((step) => ({ ...step, timeoutSeconds: 30 })),
    ];
    const outcome = await localHost('a', { path: '/usr/sbin:/usr/bin:/sbin:/bin' }).run({ steps });
    const ends = outcome.steps.map((step) => `${step.id} ${step.kind === 'ended' ? step.exitCode : step.kind}`);
    const store = openStore(`${data}.store`);
    const backup = await makeBackupOf(store, [archiveOfTree('datalv', copy)]);
    /** Opened by a server of its own, on what was restored. */
    const drill = () => {
      const environment = ['env', `PORT=${port}`, `LOG=${data}.opened`] as const;
      const probe = { argv: [...environment, 'sh', script, String(booked)] as const, timeoutSeconds: 60 };
      return drillBackup(store, backup, { level: 'application', probe }, () => new Date());
    };
    return { ends, drill, copy };
  }
  const opened = () => readFile(`${data}.opened`, 'utf8');

  it('makes its checkpoint, and finds after the freeze what it finds after a power cut', async () => {
    const { ends, drill } = await backUp(postgresql({ user, port }));
    expect(ends).toEqual(['before:0 0', 'split 0']);
    expect(await drill()).toMatchObject({ outcome: 'passed', problems: [] });
    expect(await opened()).toMatch(/was interrupted[\s\S]*redo done/);
  });

  it('is stopped and started around the split, and opens the copy without recovery', async () => {
    const hooks = stopStart({ stop: pgCtl('stop'), start: pgCtl('start'), running: pgCtl('status') });
    const { ends, drill } = await backUp(hooks);
    expect(ends).toEqual(['note 0', 'suspend:0 0', 'split 0', 'resume:0 0', 'settle 0']);
    expect(sql('select 1')).toBe('1\n');
    expect(await drill()).toMatchObject({ outcome: 'passed', problems: [] });
    expect(await opened()).toContain('was shut down at');
    expect(await opened()).not.toMatch(/redo|interrupted/);
  });

  it('does not open a backup without its log, and the drill says so', async () => {
    // As where pg_wal is a file system that is not in the group.
    const elsewhere = `${data}.wal`;
    call(pgCtl('stop'));
    execFileSync('mv', [join(data, 'pg_wal'), elsewhere]);
    execFileSync('ln', ['-s', elsewhere, join(data, 'pg_wal')]);
    call(pgCtl('start'));
    const { drill } = await backUp(postgresql({ user, port }));
    // Another machine does not have it.
    stop();
    await rm(elsewhere, { recursive: true });
    const { outcome, problems } = await drill();
    expect(outcome).toBe('failed');
    expect(problems.join()).toContain('pg_wal');
  });
});
