import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { longestTimerSeconds, requireWhole, SplitmirrorError } from '@splitmirror/host';
import { readSecret, type SecretReference } from '../secret.ts';

/** What a caller may meet of a repository. */
export type ResticErrorCode =
  /** There is no such program. */
  | 'RESTIC_MISSING'
  /** The password opens no key of the repository. */
  | 'RESTIC_PASSWORD'
  /** Somebody else has locked the repository; locks whose holder is gone were removed before. */
  | 'RESTIC_LOCKED'
  /** There is no repository where one should be, or it cannot be reached. */
  | 'RESTIC_REPOSITORY'
  /** The repository has no room. */
  | 'STORE_FULL'
  /** It was ended from outside. */
  | 'RESTIC_KILLED'
  /** Anything else that it said. */
  | 'RESTIC_FAILED';

const remedies: Record<ResticErrorCode, string> = {
  RESTIC_MISSING: 'Install restic, or say where it is.',
  RESTIC_PASSWORD: 'Correct the reference to the password; it must be the one of this repository.',
  RESTIC_LOCKED: 'Wait for the other restic to end, then try again.',
  RESTIC_REPOSITORY: 'Correct the reference to the repository, or make it with: restic init',
  STORE_FULL: 'Make room for the repository.',
  RESTIC_KILLED: 'Find out who or what ended it (memory, a signal), then try again.',
  RESTIC_FAILED: 'Run: restic check. Then try again.',
};

/** restic did not do what it was asked for. Its message never holds the repository's address or password. */
export class ResticError extends SplitmirrorError {
  readonly code: ResticErrorCode;

  constructor(code: ResticErrorCode, message: string) {
    super(message, { remedy: remedies[code] });
    this.code = code;
  }
}

/** A repository, by reference. */
export interface ResticOptions {
  /** As `RESTIC_REPOSITORY` has it: `/srv/repository`, `sftp:...`, `s3:...`. An address may hold a password: hence a reference. */
  readonly repository: SecretReference;
  readonly password: SecretReference;
  /** Default `restic`. */
  readonly program?: string | undefined;
  /**
   * Seconds after which it is ended, where it has nothing to wait for any more; default a day. It is known to hang when a
   * repository is full.
   */
  readonly timeoutSeconds?: number | undefined;
  /** Names of further variables that it gets of this process's environment: `AWS_ACCESS_KEY_ID`, `SSH_AUTH_SOCK`. */
  readonly environment?: readonly string[] | undefined;
}

/** How it ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Last part of what it said. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A restic under way. */
interface ResticProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** restic on one repository. */
export interface Restic {
  /** Address of the repository; may hold a secret. */
  readonly repository: string;
  /**
   * Runs it to its end, or kills it when the signal aborts.
   *
   * @throws ResticError
   */
  run(
    args: readonly string[],
    options?: { readonly cwd?: string; readonly signal?: AbortSignal | undefined },
  ): Promise<string>;
  /** Starts it. `reads` says that the caller takes stdout itself. */
  start(args: readonly string[], options: { readonly reads: boolean; readonly cwd?: string }): ResticProcess;
  /** Its end, which is brought about when it takes too long. */
  endOf(child: ResticProcess): Promise<Ended>;
  /** What went wrong, or nothing when it ended well. */
  failure(ended: Ended): ResticError | undefined;
}

/** Says of two references which one leads to nothing. */
function named(what: string, reading: Promise<string>): Promise<string> {
  return reading.catch((cause: Error) => {
    throw new RangeError(`${what}: ${cause.message}`, { cause });
  });
}

/** Most of its output that is kept. */
const keptBytes = 1 << 26;

/** Reads the references; starts nothing. */
export async function openRestic(options: ResticOptions): Promise<Restic> {
  requireWhole('timeoutSeconds', options.timeoutSeconds, 1, longestTimerSeconds);
  const [repository, password] = await Promise.all([
    named('repository', readSecret(options.repository)),
    named('password', readSecret(options.password)),
  ]);
  const names = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', ...(options.environment ?? [])];
  const env = Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const program = options.program ?? 'restic';
  // A password of an address is part of it; alone it could still be quoted.
  const inAddress = /:\/\/[^/:@]*:([^/]+)@/.exec(repository)?.[1];
  const redact = (text: string) =>
    [repository, password, ...(inAddress === undefined ? [] : [inAddress])].reduce(
      (redacted, secret) => redacted.replaceAll(secret, '<redacted>'),
      text,
    );

  const restic: Restic = {
    repository,
    start(args, { reads, cwd }) {
      const child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable } = spawn(program, args, {
        // `--time` is read in the zone of the process.
        env: { ...env, TZ: 'UTC', RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password },
        cwd,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      // That it ended is told by its status.
      child.stdin.on('error', () => {});
      const said = { stdout: '', stderr: '' };
      const keep = (name: keyof typeof said) => (chunk: Buffer) => {
        said[name] = (said[name] + chunk.toString('utf8')).slice(-keptBytes);
      };
      if (!reads) child.stdout.on('data', keep('stdout'));
      child.stderr.on('data', keep('stderr'));
      const ended = new Promise<Ended>((resolve) => {
        child.on('error', (error: NodeJS.ErrnoException) =>
          resolve({ ...said, code: null, signal: null, stderr: error.code === 'ENOENT' ? missing : error.message }),
        );
        child.on('close', (code, signal) => resolve({ ...said, code, signal }));
      });
      return { stdin: child.stdin, stdout: child.stdout, ended, kill: (signal) => void child.kill(signal) };
    },
    async endOf(child) {
      const killer = setTimeout(() => child.kill('SIGKILL'), (options.timeoutSeconds ?? 86_400) * 1000);
      const ended = await child.ended;
      clearTimeout(killer);
      return ended;
    },
    async run(args, { cwd, signal } = {}) {
      for (let healed = false; ; healed = true) {
        const child = restic.start(args, { reads: false, ...(cwd === undefined ? {} : { cwd }) });
        child.stdin.end();
        const kill = () => child.kill('SIGKILL');
        signal?.addEventListener('abort', kill);
        const ended = await restic.endOf(child);
        signal?.removeEventListener('abort', kill);
        const failed = restic.failure(ended);
        if (failed === undefined) return ended.stdout;
        if (failed.code !== 'RESTIC_LOCKED' || healed || args[0] === 'unlock') throw failed;
        // Removes no lock but those whose holder is gone, as far as restic can tell.
        await restic.run(['unlock']);
      }
    },
    failure({ code, signal, stderr }) {
      if (code === 0) return undefined;
      const kind = stderr === missing ? 'RESTIC_MISSING' : signal !== null ? 'RESTIC_KILLED' : classify(code, stderr);
      const last = withoutStack(redact(stderr)).slice(-4).join('; ').slice(-500);
      const why = stderr === missing ? `${program} was not found` : signal === null ? `it ended with ${code}` : signal;
      return new ResticError(kind, `restic: ${why}${stderr === missing || last === '' ? '' : `: ${last}`}`);
    },
  };
  return restic;
}

const missing = 'no such program';

/** Lines of what it said. Of a fault that it did not expect it prints the stack of the program, in which the cause is lost. */
function withoutStack(stderr: string): string[] {
  const frame = /^(?:\s+\S+\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?|[\w./-]+\.[\w.()*[\]]+(?:\(.*\))?)$/;
  return stderr
    .trim()
    .split('\n')
    .filter((line) => !frame.test(line));
}

/** Since 0.17 some statuses tell; before, only the words do. */
function classify(code: number | null, stderr: string): ResticErrorCode {
  if (code === 12 || /wrong password|no key found/i.test(stderr)) return 'RESTIC_PASSWORD';
  // A lock, too, needs room.
  if (/no space left|disk quota exceeded|file too large/i.test(stderr)) return 'STORE_FULL';
  if (code === 11 || /already locked|unable to create lock/i.test(stderr)) return 'RESTIC_LOCKED';
  if (code === 10 || /unable to open (?:config file|repository)|Is there a repository/i.test(stderr)) {
    return 'RESTIC_REPOSITORY';
  }
  return 'RESTIC_FAILED';
}
