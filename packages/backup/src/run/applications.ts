import { type Command, quote } from '@splitmirror/host';
import type { QuiesceCommand, QuiesceHooks } from './quiesce.ts';

/*
 * Ready hooks. All of them rely on the operating system to say who is asking, so that no secret is in a plan. They are
 * written from the vendors' documentation. A PostgreSQL server was at hand to prove them; of Db2 and Oracle only doubles of
 * their clients.
 */

/** Seconds that each single command may take. */
export interface Patience {
  readonly timeoutSeconds?: number | undefined;
}

/**
 * A command as another user of the node, with that user's own profile and login shell, which has to be a POSIX one.
 *
 * @throws RangeError when this cannot be a user's name.
 */
export function asUser(user: string, ...argv: Command['argv']): Command['argv'] {
  return inShellOf(user, argv.map(quote).join(' '));
}

/**
 * Db2: `set write suspend` and `set write resume`. Between them the database answers readers and holds writers.
 *
 * The resume connects anew, since the shell that suspended is gone. Where no connection can be had any more, it is
 * `restart database ... write resume`, IBM's way out for a database that went down while its writes were suspended, and
 * one that changes nothing where nothing is wrong.
 *
 * @param options.instance Owner of the instance.
 * @throws RangeError when a name cannot be one.
 * @see https://www.ibm.com/docs/en/db2/11.5.x?topic=server-suspended-io-online-split-mirror
 */
export function db2(options: { readonly instance: string; readonly database: string } & Patience): QuiesceHooks {
  const { instance, timeoutSeconds = 120 } = options;
  const database = named(options.database, /^[A-Za-z@#$][\w@#$]{0,7}$/, 'a Db2 database');
  const connect = `db2 connect to ${quote(database)}`;
  const restart = `db2 restart database ${quote(database)} write resume`;
  return {
    suspend: [inShellOf(instance, `${connect} && db2 set write suspend for database`)],
    resume: [inShellOf(instance, `{ ${connect} && db2 set write resume for database; } || ${restart}`)],
    restart: [inShellOf(instance, `db2start; ${restart}`)],
    timeoutSeconds,
  };
}

/**
 * Oracle: `alter database begin backup` and `end backup`, for a database in archive log mode, as its operating system user.
 * After the split a log switch: to open the copy, the archived logs up to that one are needed, which the split copies do
 * not hold. Save the archive log destination after this backup.
 *
 * The end is proved: it fails as long as one data file is in backup mode. After the node died it mounts the database,
 * ends the backup and opens, since Oracle does not open data files that are in backup mode.
 *
 * @param options.home `ORACLE_HOME`; without it the user's profile has to find `sqlplus`.
 * @throws RangeError when a name cannot be one.
 */
export function oracle(
  options: {
    readonly user: string;
    readonly sid: string;
    readonly home?: string | undefined;
    /** Switch and archive the log after the split; default `archive`. */
    readonly log?: 'archive' | 'leave' | undefined;
  } & Patience,
): QuiesceHooks {
  const { user, home, log = 'archive', timeoutSeconds = 300 } = options;
  const sid = named(options.sid, /^[A-Za-z][\w$#]{0,29}$/, 'an Oracle instance');
  const places = home === undefined ? '' : ` ORACLE_HOME=${quote(named(home, /^\/[^\n]*$/, 'an ORACLE_HOME'))}`;
  const client = `${home === undefined ? '' : `${home}/bin/`}sqlplus`;
  const sql = (...lines: readonly string[]): QuiesceCommand => ({
    argv: inShellOf(
      user,
      `ORACLE_SID=${quote(sid)}${places}; export ORACLE_SID ORACLE_HOME; ${quote(client)} -S -L / as sysdba`,
    ),
    stdin: `${lines.join('\n')}\nexit success\n`,
  });
  const strict = ['whenever oserror exit failure', 'whenever sqlerror exit failure'];
  // Ending what was not begun is an error of Oracle's; a division by zero tells whether a file is still in backup mode.
  const ended = "select 1 / decode(count(*), 0, 1, 0) from v$backup where status = 'ACTIVE';";
  return {
    suspend: [sql(...strict, 'alter database begin backup;')],
    resume: [sql('whenever oserror exit failure', 'alter database end backup;', strict[1] ?? '', ended)],
    after: log === 'archive' ? [sql(...strict, 'alter system archive log current;')] : [],
    restart: [sql('startup mount', 'alter database end backup;', ...strict, ended, 'alter database open;')],
    timeoutSeconds,
  };
}

/**
 * PostgreSQL: a checkpoint, and nothing more. A copy of all of its file systems, taken at one instant in the freeze, is what
 * it finds after a power cut, and it replays its log from there; so the copies are told as `file-system`, not as
 * `application`. Data directory, `pg_wal` and all tablespaces have to be in the group.
 *
 * Its own backup mode is not offered: `pg_backup_start` and `pg_backup_stop` have to come from one session that stays open
 * in between, which commands one after another are not, and the older exclusive mode (before 15) leaves a label that can
 * keep the database from starting after a takeover. For what it calls a backup use {@link stopStart}.
 *
 * @param options.database To connect to; default `postgres`.
 * @throws RangeError when a name cannot be one.
 */
export function postgresql(
  options: {
    readonly user: string;
    readonly database?: string | undefined;
    readonly port?: number | undefined;
  } & Patience,
): QuiesceHooks {
  const { user, database = 'postgres', port, timeoutSeconds = 300 } = options;
  const argv: [string, ...string[]] = ['psql', '-X', '-w', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database];
  if (port !== undefined) argv.push('-p', String(port));
  return {
    before: [{ argv: asUser(user, ...argv), stdin: 'checkpoint;\n' }],
    suspend: [],
    resume: [],
    timeoutSeconds,
    consistency: 'file-system',
  };
}

/**
 * An application that knows no better is stopped for the split and started again after it. Tell a monitor of the cluster
 * to look away meanwhile, or it takes the stop for a failure.
 *
 * @param options.running Ends with 0 where the application runs: then it is not started once more.
 */
export function stopStart(
  options: {
    readonly stop: Command['argv'];
    readonly start: Command['argv'];
    readonly running?: Command['argv'] | undefined;
  } & Patience,
): QuiesceHooks {
  const { stop, start, running, timeoutSeconds = 600 } = options;
  const words = (argv: Command['argv']) => argv.map(quote).join(' ');
  return {
    suspend: [stop],
    resume: [running === undefined ? start : ['sh', '-c', `${words(running)} || ${words(start)}`]],
    // What is started next is the application itself.
    restart: [],
    timeoutSeconds,
  };
}

function inShellOf(user: string, text: string): Command['argv'] {
  return ['su', '-', named(user, /^[A-Za-z_][\w.-]*$/, 'a user'), '-c', text];
}

function named(name: string, pattern: RegExp, what: string): string {
  if (pattern.test(name)) return name;
  throw new RangeError(`${JSON.stringify(name)} cannot be the name of ${what}`);
}
