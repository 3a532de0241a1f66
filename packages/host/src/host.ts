import { randomBytes } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { type Command, members, type Pipeline } from './command.ts';
import { SplitmirrorError, TransportError } from './errors.ts';
import { MarkReader } from './marks.ts';
import { AIX_PATH, type Script, type Step } from './script.ts';
import { renderCancel, renderScript, renderStream } from './shell.ts';
import type { RemoteProcess, Transport } from './transport.ts';

/** What one step left behind. */
export type StepResult =
  | ({ readonly kind: 'ended' } & StepEnd)
  /** Ended by its deadline. What it had done by then is not known. */
  | ({ readonly kind: 'timed-out' } & StepEnd)
  /** Started, and nothing more was heard of it. */
  | { readonly kind: 'unfinished'; readonly id: string; readonly stdout: string; readonly stderr: string }
  /** Not started. */
  | { readonly kind: 'skipped'; readonly id: string };

interface StepEnd {
  readonly id: string;
  /** Status of the command; of the first failed member in a pipeline; above 128 when a signal ended it. */
  readonly exitCode: number;
  /** Statuses of all members of a pipeline in order; one element for a single command. */
  readonly memberCodes: readonly number[];
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from the start mark to the end mark, as they arrived here. */
  readonly durationMs: number;
  /**
   * When the step started and ended, in seconds of the node's own clock: comparable between the steps of one script.
   * Whole seconds on ksh88, so an interval may be longer by almost one second than the difference says.
   */
  readonly clock: { readonly start: number; readonly end: number };
}

/** How a script ended. `unknown` is an outcome of its own: the script may have run to its end, or may still run. */
export type ScriptOutcome =
  | { readonly kind: 'completed'; readonly steps: readonly StepResult[] }
  /** Ended on request: the node confirmed that the shell is gone and that what was owed is paid. */
  | { readonly kind: 'cancelled'; readonly steps: readonly StepResult[] }
  | { readonly kind: 'unknown'; readonly reason: string; readonly steps: readonly StepResult[] };

/** How a streamed command ended. Only `ended` with all codes 0 means that stdout was everything. */
export type StreamOutcome =
  | {
      readonly kind: 'ended';
      /** Statuses of all members in order. */
      readonly memberCodes: readonly number[];
      readonly stderr: string;
      readonly durationMs: number;
    }
  | { readonly kind: 'timed-out'; readonly stderr: string }
  | { readonly kind: 'cancelled'; readonly stderr: string }
  | { readonly kind: 'unknown'; readonly reason: string; readonly stderr: string };

/** A command under way on the node. */
export interface CommandStream {
  /** What it writes, with backpressure. Its end proves nothing: wait for `outcome`. */
  readonly stdout: Readable;
  /** Settles when stdout was read to its end or given up. Never rejects. */
  readonly outcome: Promise<StreamOutcome>;
}

/** A cluster node that can be asked. */
export interface Host {
  /** The name by which the caller knows it: for the cluster packages, the cluster's node name. */
  readonly name: string;
  /**
   * Runs a script in one round trip. An abort ends the remote process group; the outcome then is `cancelled` when the
   * node confirmed it and `unknown` when it did not.
   *
   * @throws TransportError when nothing was started.
   */
  run(script: Script, options?: { readonly signal?: AbortSignal | undefined }): Promise<ScriptOutcome>;
  /**
   * Starts a command and hands out its stdout as it comes.
   *
   * @throws TransportError when nothing was started.
   */
  stream(
    source: Command | Pipeline,
    options: { readonly timeoutSeconds: number; readonly signal?: AbortSignal | undefined },
  ): Promise<CommandStream>;
  /** Ends the connection; commands under way are not waited for. */
  close(): Promise<void>;
}

/** How scripts are run on a host. */
export interface HostOptions {
  /** Value of PATH on the node; default {@link AIX_PATH}. */
  readonly path?: string | undefined;
  /** Absolute path of the shell that reads the scripts; default `/bin/sh`, which is ksh88 on AIX. */
  readonly shell?: string | undefined;
  /** Most bytes of output kept of one script, both streams together; default 64 MiB. More ends the script. */
  readonly maxOutputBytes?: number | undefined;
}

/** Most bytes of stderr kept of a stream: the last ones, since a failure is told at the end. */
const maxStreamErrorBytes = 1 << 20;
/** How long the node has to confirm that a cancelled script is gone. Pays for thaws and resumes on the way out. */
const cancelWaitSeconds = 60;

/** Builds a {@link Host} on an adapter. */
export function createHost(name: string, transport: Transport, options: HostOptions = {}): Host {
  const shell = { path: options.path ?? AIX_PATH };
  const commandLine = `exec ${options.shell ?? '/bin/sh'} -s`;
  const limit = options.maxOutputBytes ?? 64 << 20;

  return {
    name,
    async run(script, { signal } = {}) {
      const nonce = newNonce();
      const text = renderScript(script, nonce, shell);
      if (signal?.aborted) return { kind: 'cancelled', steps: script.steps.map(({ id }) => ({ kind: 'skipped', id })) };
      const transcript = new Transcript(script);
      const child = await transport.open(commandLine);
      const cancel = new Cancellation(transport, commandLine, child, signal);
      const overflow = () => {
        if (transcript.bytes > limit) cancel.start(`more than ${limit} bytes of output`);
      };
      const streams = Promise.all([
        drain(child.stdout, nonce, (words) => cancel.sees(words) || transcript.mark('stdout', words), (bytes) => {
          transcript.text('stdout', bytes);
          overflow();
        }),
        drain(child.stderr, nonce, (words) => transcript.mark('stderr', words), (bytes) => {
          transcript.text('stderr', bytes);
          overflow();
        }),
      ]);
      child.stdin.write(text);
      const exit = await cancel.settle(streams.then(() => child.exit));
      child.stdin.end();
      const steps = transcript.results();
      if (cancel.overflow !== undefined) return { kind: 'unknown', reason: cancel.overflow, steps };
      if (transcript.ending === 'done') return { kind: 'completed', steps };
      if (transcript.ending === 'cancelled' || (cancel.started && cancel.confirmed)) return { kind: 'cancelled', steps };
      if (!cancel.begun && exit?.kind === 'exited') {
        throw new TransportError('HOST_PROTOCOL', name, `the shell ended with ${exit.code} and sent no framed answer`, {
          remedy: `Run "${commandLine}" on the node by hand: it must be a POSIX shell that reads commands from its input. It wrote: ${transcript.stray()}`,
        });
      }
      return { kind: 'unknown', reason: reasonOf(exit, cancel), steps };
    },

    async stream(source, { timeoutSeconds, signal }) {
      const nonce = newNonce();
      const text = renderStream(source, nonce, timeoutSeconds, shell);
      const count = members(source).length;
      const stdout = new PassThrough({ highWaterMark: 1 << 20 });
      if (signal?.aborted) {
        stdout.destroy();
        return { stdout, outcome: Promise.resolve({ kind: 'cancelled', stderr: '' }) };
      }
      const child = await transport.open(commandLine);
      const started = performance.now();
      const cancel = new Cancellation(transport, commandLine, child, signal);
      const codes: number[] = [];
      let end: { code: number; timedOut: boolean } | undefined;
      let ending: string | undefined;
      let stderr = Buffer.alloc(0);
      const marks = drain(
        child.stderr,
        nonce,
        (words) => {
          if (cancel.sees(words)) return;
          if (words[0] === 'member') codes[Number(words[2])] = Number(words[3]);
          else if (words[0] === 'end') end = { code: Number(words[2]), timedOut: words[4] === 'timeout' };
          else if (words[0] === 'done' || words[0] === 'cancelled') ending = words[0];
        },
        (bytes) => {
          stderr = Buffer.concat([stderr, bytes]).subarray(-maxStreamErrorBytes);
        },
      );
      const flowed = new Promise<void>((resolve) => {
        child.stdout.on('close', resolve).on('end', resolve).on('error', () => resolve());
        // A reader that gives up ends the command: nothing would take the rest of its output.
        stdout.on('close', () => {
          if (!stdout.readableEnded && end === undefined) cancel.start();
          child.stdout.resume();
          resolve();
        });
      });
      child.stdout.on('error', (error) => stdout.destroy(error));
      child.stdout.pipe(stdout);
      child.stdin.write(text);

      const outcome = (async (): Promise<StreamOutcome> => {
        const exit = await cancel.settle(Promise.all([marks, flowed]).then(() => child.exit));
        child.stdin.end();
        const said = stderr.toString('utf8').trim();
        if (ending === 'done' && end !== undefined) {
          if (end.timedOut) return { kind: 'timed-out', stderr: said };
          const memberCodes = count === 1 ? [end.code] : Array.from({ length: count }, (_, i) => codes[i] ?? -1);
          return { kind: 'ended', memberCodes, stderr: said, durationMs: performance.now() - started };
        }
        if (!stdout.readableEnded) stdout.destroy();
        if (ending === 'cancelled' || (cancel.started && cancel.confirmed)) return { kind: 'cancelled', stderr: said };
        return { kind: 'unknown', reason: reasonOf(exit, cancel), stderr: said };
      })();
      return { stdout, outcome };
    },

    close: () => transport.close(),
  };
}

function newNonce(): string {
  return `sm${randomBytes(16).toString('hex')}`;
}

/** Reads a stream to its end; errors end it too, since the exit tells what happened to the connection. */
function drain(
  stream: Readable,
  nonce: string,
  onMark: (words: readonly string[]) => unknown,
  onText: (bytes: Buffer) => void,
): Promise<void> {
  const reader = new MarkReader(nonce);
  const take = (found: ReturnType<MarkReader['push']>) => {
    for (const item of found) {
      if (item.kind === 'mark') onMark(item.words);
      else onText(item.bytes);
    }
  };
  return new Promise((resolve) => {
    const finish = () => {
      take(reader.end());
      resolve();
    };
    stream.on('data', (chunk: Buffer) => take(reader.push(chunk)));
    stream.once('end', finish).once('close', finish).on('error', finish);
  });
}

function reasonOf(exit: Awaited<RemoteProcess['exit']> | undefined, cancel: Cancellation): string {
  if (cancel.started) return `cancelled, but the node did not confirm it: ${cancel.refusal}`;
  if (exit?.kind === 'lost') return `connection lost: ${exit.reason}`;
  if (exit?.kind === 'signalled') return `the shell was ended by ${exit.signal}`;
  return 'the shell ended before the script did';
}

/** Ends a remote script over a second channel, because the first one may be blocked, and asks whether it is gone. */
class Cancellation {
  /** The shell has answered: its process is known. */
  begun = false;
  started = false;
  confirmed = false;
  refusal = 'no answer';
  overflow: string | undefined;
  #pid: number | undefined;
  #settled = false;
  readonly #transport: Transport;
  readonly #commandLine: string;
  readonly #child: RemoteProcess;
  readonly #given: Promise<void>;
  #giveUp: () => void = () => {};

  constructor(transport: Transport, commandLine: string, child: RemoteProcess, signal: AbortSignal | undefined) {
    this.#transport = transport;
    this.#commandLine = commandLine;
    this.#child = child;
    this.#given = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    const abort = () => this.start();
    signal?.addEventListener('abort', abort, { once: true });
    void this.#child.exit.then(() => signal?.removeEventListener('abort', abort));
  }

  /** Takes the mark that tells the process id; true when it was that one. */
  sees(words: readonly string[]): boolean {
    if (words[0] !== 'begin') return false;
    this.begun = true;
    this.#pid = Number(words[1]);
    if (this.started) void this.#end();
    return true;
  }

  start(overflow?: string): void {
    if (this.started || this.#settled) return;
    this.started = true;
    this.overflow = overflow;
    if (this.#pid !== undefined) void this.#end();
    // The shell has not said who it is; when it does, it is ended. A minute later it is given up.
    else setTimeout(() => this.#giveUp(), cancelWaitSeconds * 1000).unref();
  }

  /** Waits for the end of the process, or for the cancellation to give up on it. */
  async settle(ended: Promise<Awaited<RemoteProcess['exit']>>): Promise<Awaited<RemoteProcess['exit']> | undefined> {
    const exit = await Promise.race([ended, this.#given.then(() => undefined)]);
    if (this.started && exit === undefined) this.#child.destroy();
    this.#settled = true;
    return exit;
  }

  async #end(): Promise<void> {
    try {
      const killer = await this.#transport.open(this.#commandLine);
      const said: Buffer[] = [];
      killer.stdout.on('data', (chunk: Buffer) => said.push(chunk));
      killer.stderr.resume();
      killer.stdin.write(renderCancel(Number(this.#pid), cancelWaitSeconds));
      const exit = await killer.exit;
      killer.stdin.end();
      const last = Buffer.concat(said).toString('latin1').trim().split('\n').at(-1);
      this.confirmed = exit.kind === 'exited' && last === 'gone';
      this.refusal = last === 'alive' ? 'the process does not end' : 'the node could not be asked';
    } catch (error) {
      this.refusal = SplitmirrorError.is(error) ? error.message : String(error);
    }
    // The last output may still be on its way when the process is gone.
    setTimeout(() => this.#giveUp(), 1000).unref();
  }
}

/** Collects what a script's marks and output say about its steps. */
class Transcript {
  /** `done`, `cancelled`, or nothing when the end was not seen. */
  ending: string | undefined;
  bytes = 0;
  readonly #steps: readonly Step[];
  readonly #records: StepRecord[];
  readonly #current: { stdout: StepRecord | undefined; stderr: StepRecord | undefined } = { stdout: undefined, stderr: undefined };
  readonly #stray: Buffer[] = [];

  constructor(script: Script) {
    this.#steps = script.steps;
    this.#records = script.steps.map(() => ({ stdout: [], stderr: [], codes: [] }));
  }

  mark(stream: 'stdout' | 'stderr', words: readonly string[]): void {
    const [word, index, ...rest] = words;
    if (word === 'done' || word === 'cancelled') {
      if (stream === 'stdout') this.ending = word;
      return;
    }
    const record = this.#records[Number(index)];
    if (record === undefined) return;
    if (word === 'start') {
      this.#current[stream] = record;
      record.start ??= { at: performance.now(), clock: Number(rest[0]) };
    } else if (word === 'member') {
      record.codes[Number(rest[0])] = Number(rest[1]);
    } else if (word === 'end') {
      this.#current[stream] = undefined;
      if (stream === 'stdout') {
        const code = Number(rest[0]);
        record.end = {
          at: performance.now(),
          code: code > 256 ? code - 128 : code, // ksh93 counts signals from 256
          clock: Number(rest[1]),
          timedOut: rest[2] === 'timeout',
        };
      }
    }
  }

  text(stream: 'stdout' | 'stderr', bytes: Buffer): void {
    this.bytes += bytes.length;
    (this.#current[stream]?.[stream] ?? this.#stray).push(Buffer.from(bytes));
  }

  /** The start of what came outside every step: a login banner, or the complaint of a wrong shell. */
  stray(): string {
    return JSON.stringify(Buffer.concat(this.#stray).toString('utf8').trim().slice(0, 200));
  }

  results(): StepResult[] {
    return this.#steps.map((step, index): StepResult => {
      const record = this.#records[index];
      if (record?.start === undefined) return { kind: 'skipped', id: step.id };
      const stdout = Buffer.concat(record.stdout).toString('utf8');
      const stderr = Buffer.concat(record.stderr).toString('utf8');
      if (record.end === undefined) return { kind: 'unfinished', id: step.id, stdout, stderr };
      const count = members(step.run).length;
      return {
        kind: record.end.timedOut ? 'timed-out' : 'ended',
        id: step.id,
        exitCode: record.end.code,
        memberCodes: count === 1 ? [record.end.code] : Array.from({ length: count }, (_, i) => record.codes[i] ?? -1),
        stdout,
        stderr,
        durationMs: Math.max(0, record.end.at - record.start.at),
        clock: { start: record.start.clock, end: record.end.clock },
      };
    });
  }
}

interface StepRecord {
  start?: { at: number; clock: number };
  end?: { at: number; clock: number; code: number; timedOut: boolean };
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
  readonly codes: number[];
}
