import { Readable } from 'node:stream';
import { type Command, type Pipeline, quote } from './command.ts';
import { TransportError } from './errors.ts';
import { converse, type Ending, type Exchange, newNonce, type Patience } from './exchange.ts';
import { requireWhole } from './numbers.ts';
import { AIX_PATH, type Script } from './script.ts';
import { graceSeconds, renderScript, renderStream, type Sudo } from './shell.ts';
import { Transcript } from './transcript.ts';
import type { Transport } from './transport.ts';

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
  /**
   * What it writes, with backpressure: unread output blocks the command. It ends when the command has ended and all of its
   * output has arrived; otherwise it closes without an end. Destroying it ends the command. It hands out `Chunk`s one by
   * one as they came: no encoding can be set, and `read` takes no size.
   */
  readonly stdout: Readable;
  /** Settles when the command has ended and its output was taken, and soon after the deadline in any case. Never rejects. */
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
    options: {
      readonly timeoutSeconds: number;
      readonly signal?: AbortSignal | undefined;
      /** About how much will come, if that is known: a short stream shares a connection, others get their own. */
      readonly expectedBytes?: number | undefined;
    },
  ): Promise<CommandStream>;
  /** Ends the connection. Commands under way are not waited for, apart from those that were asked to end. */
  close(): Promise<void>;
}

/** How scripts are run on a host. */
export interface HostOptions {
  /** Value of PATH on the node; default {@link AIX_PATH}. */
  readonly path?: string | undefined;
  /** Absolute path of the shell that reads the scripts; default `/bin/sh`, which is ksh88 on AIX. */
  readonly shell?: string | undefined;
  /** Runs commands as root through `sudo`, for a login that is not root; default not. */
  readonly sudo?: Sudo | undefined;
  /**
   * Most bytes of output kept of one script, both streams together, and of a stream that is behind at its deadline; default
   * 64 MiB. More ends the script.
   */
  readonly maxOutputBytes?: number | undefined;
}

/** Most bytes of stderr kept of a stream: the last ones, since a failure is told at the end. */
const maxStreamErrorBytes = 1 << 20;
/** Chunks of a stream that wait for their reader: about a megabyte. */
const maxStreamChunks = 32;
/** From here on a stream is worth a connection of its own: longer than a login takes on a slow link. */
const bulkBytes = 64 << 20;

/**
 * Builds a {@link Host} on an adapter.
 *
 * @throws RangeError for an option that cannot be meant.
 */
export function createHost(name: string, transport: Transport, options: HostOptions = {}): Host {
  requireWhole('maxOutputBytes', options.maxOutputBytes, 0);
  const settings = { path: options.path ?? AIX_PATH, sudo: options.sudo };
  const commandLine = `exec ${quote(options.shell ?? '/bin/sh')} -s`;
  const site = { transport, commandLine, settings };
  const limit = options.maxOutputBytes ?? 64 << 20;
  const tooMuch = `more than ${limit} bytes of output`;
  const running = new Set<Exchange>();

  async function begin(...exchanged: Parameters<typeof converse>): Promise<Exchange | null> {
    const exchange = await converse(...exchanged);
    if (exchange !== null) {
      running.add(exchange);
      void exchange.ended.then(() => running.delete(exchange));
    }
    return exchange;
  }

  function noAnswer(ending: Extract<Ending, { kind: 'not-begun' }>, said: string): TransportError {
    const end = ending.exit.kind === 'exited' ? ` with ${ending.exit.code}` : '';
    return new TransportError('HOST_PROTOCOL', name, `the shell ended${end} and sent no framed answer`, {
      remedy: `Run "${commandLine}" on the node by hand: it must be a POSIX shell that reads commands from its input. It wrote: ${said}`,
    });
  }

  return {
    name,
    async run(script, { signal } = {}) {
      const nonce = newNonce();
      const text = renderScript(script, nonce, settings);
      const transcript = new Transcript(script, limit);
      let exchange: Exchange | null = null;
      exchange = await begin(site, text, nonce, patienceFor(script), signal, {
        mark: (from, words) => transcript.mark(from, words),
        text(from, bytes) {
          if (!transcript.text(from, bytes)) exchange?.stop(tooMuch);
          return true;
        },
      });
      const ending: Ending = (await exchange?.ended) ?? { kind: 'cancelled' };
      const steps = transcript.results();
      switch (ending.kind) {
        case 'done':
          return { kind: 'completed', steps };
        case 'cancelled':
          return { kind: 'cancelled', steps };
        case 'unknown':
          return { kind: 'unknown', reason: ending.reason, steps };
        case 'not-begun':
          throw noAnswer(ending, transcript.stray());
      }
    },

    async stream(source, { timeoutSeconds, signal, expectedBytes = Number.POSITIVE_INFINITY }) {
      requireWhole('expectedBytes', expectedBytes, 0, Number.POSITIVE_INFINITY);
      const nonce = newNonce();
      const text = renderStream(source, nonce, timeoutSeconds, settings);
      const script: Script = { steps: [{ id: 'stream', run: source, timeoutSeconds }] };
      const transcript = new Transcript(script, maxStreamErrorBytes);
      // Chunk by chunk: a stream of bytes would copy what waits into one piece for each turn of a `for await`.
      let resume: (() => void) | undefined;
      let stop: ((reason: string | null) => void) | undefined;
      let isBehind = false;
      /** What came although the reader is behind. */
      let aheadBytes = 0;
      const stdout = new Readable({
        objectMode: true,
        highWaterMark: maxStreamChunks,
        read() {
          if (isBehind) resume?.();
          isBehind = false;
        },
        // A reader that gives up ends the command: nothing would take the rest of its output.
        destroy(error, done) {
          stop?.(null);
          done(error);
        },
      });
      const use = expectedBytes < bulkBytes ? 'talk' : 'bulk';
      const exchange = await begin({ ...site, use }, text, nonce, patienceFor(script), signal, {
        mark: (from, words) => transcript.mark(from, words),
        text(from, bytes) {
          if (from === 'stdout' && transcript.inStep(from)) {
            aheadBytes = isBehind ? aheadBytes + bytes.length : 0;
            if (aheadBytes > limit) {
              stop?.(tooMuch);
              stdout.destroy();
            }
            isBehind = !stdout.destroyed && !stdout.push(bytes);
            return !isBehind;
          }
          transcript.tail(from, bytes);
          return true;
        },
      });
      const giveUp = () => stdout.destroy();
      if (exchange === null) {
        giveUp();
        return { stdout, outcome: Promise.resolve({ kind: 'cancelled', stderr: '' }) };
      }
      signal?.addEventListener('abort', giveUp, { once: true });
      resume = () => exchange.resume();
      stop = (reason) => exchange.stop(reason);
      const outcome = exchange.ended.then((ending): StreamOutcome => {
        signal?.removeEventListener('abort', giveUp);
        const [step] = transcript.results();
        const stderr = (step && 'stderr' in step ? step.stderr : '').trim();
        if (ending.kind === 'done' && step?.kind === 'ended') {
          stdout.push(null);
          return { kind: 'ended', memberCodes: step.memberCodes, stderr, durationMs: step.durationMs };
        }
        giveUp();
        switch (ending.kind) {
          case 'done':
            return { kind: 'timed-out', stderr };
          case 'unknown':
            return { kind: 'unknown', reason: ending.reason, stderr };
          case 'cancelled':
            return { kind: 'cancelled', stderr };
          case 'not-begun':
            return { kind: 'unknown', reason: 'the shell has never begun', stderr };
        }
      });
      await exchange.begun;
      const refused = await Promise.race([exchange.ended, Promise.resolve(null)]);
      if (refused?.kind === 'not-begun') throw noAnswer(refused, transcript.stray());
      return { stdout, outcome };
    },

    async close() {
      await Promise.all([...running].map((exchange) => (exchange.isStopping() ? exchange.ended : null)));
      await transport.close();
    },
  };
}

/** How long a script may take by its own deadlines, and how long it may take to pay when it is cancelled. */
function patienceFor(script: Script): Patience {
  // A deadline costs the grace, and a second to see that the process is gone.
  const most = (seconds: number, step: Script['steps'][number]) => seconds + step.timeoutSeconds + graceSeconds + 1;
  return {
    runSeconds: script.steps.reduce(most, 0),
    cancelSeconds: script.steps.filter((step) => step.pays?.length).reduce(most, 2 * graceSeconds),
  };
}
