import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { orAborted } from './abort.ts';
import { SplitmirrorError } from './errors.ts';
import { MarkReader } from './marks.ts';
import { renderCancel, type ShellSettings } from './shell.ts';
import { startTimer } from './timer.ts';
import type { ChannelUse, ProcessExit, RemoteProcess, Transport } from './transport.ts';

/** Where a shell is started, and with which settings. */
interface Site {
  readonly transport: Transport;
  readonly commandLine: string;
  readonly settings: ShellSettings;
  readonly use?: ChannelUse | undefined;
}

/** What an exchange tells as it hears it. */
interface Listener {
  mark(from: 'stdout' | 'stderr', words: readonly string[]): void;
  /** `false` asks for no more of this stream until {@link Exchange.resume}; past the deadlines it comes all the same. */
  text(from: 'stdout' | 'stderr', bytes: Buffer): boolean;
}

/** How the exchange with a shell ended. */
export type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'cancelled' }
  /** The shell ended and has never begun: nothing of the text ran. */
  | { readonly kind: 'not-begun'; readonly exit: ProcessExit }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A text sent to a shell on the node, whose marks are being read. */
export interface Exchange {
  /** Settles when the shell has begun, or when the exchange has ended without that. Never rejects. */
  readonly begun: Promise<void>;
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** Takes stdout up again after a listener's `false`. */
  resume(): void;
  /** Asks the node to end the script. The first reason given counts; `null` is the caller's wish. */
  stop(reason: string | null): void;
  /** The node was asked to end it, and has not yet answered. */
  isStopping(): boolean;
}

/** Limits of an exchange, in seconds. */
export interface Patience {
  /** How long the script may take by its own deadlines; with some time for the way there and back. */
  readonly runSeconds: number;
  /** How long it may take to end and pay once it is asked to. */
  readonly cancelSeconds: number;
}

/** Time for a round trip on a bad day. */
const slackSeconds = 30;
/** How long the last output may be on its way, in silence, when the shell is already gone. */
const silenceSeconds = 5;

/** What tells our marks from everything else on the wire; no command can know it. */
export function newNonce(): string {
  return `sm${randomBytes(16).toString('hex')}`;
}

/**
 * Starts a shell and sends it the text.
 *
 * @returns `null` as soon as the signal is aborted before anything was sent.
 * @throws TransportError when the shell could not be started.
 */
export async function converse(
  site: Site,
  text: string,
  nonce: string,
  patience: Patience,
  signal: AbortSignal | undefined,
  listener: Listener,
): Promise<Exchange | null> {
  if (signal?.aborted) return null;
  const child = await openOrAbort(site, signal);
  return child === null ? null : new Conversation(site, child, text, nonce, patience, signal, listener);
}

/** A shell, or `null` once the signal is aborted: a connection may take long, and what comes of it is let go unused. */
async function openOrAbort(site: Site, signal: AbortSignal | undefined): Promise<RemoteProcess | null> {
  const opening = site.transport.open(site.commandLine, site.use, signal).then((child) => {
    // Without this, a shell that is gone before it has read everything would be an uncaught error.
    child.stdin.on('error', () => {});
    if (!signal?.aborted) return child;
    child.stdin.end();
    child.destroy();
    return null;
  });
  return orAborted(signal, opening).catch((error: unknown) => {
    // Whoever has aborted waits for no failure either.
    if (signal?.aborted) return null;
    throw error;
  });
}

class Conversation implements Exchange {
  readonly begun: Promise<void>;
  readonly ended: Promise<Ending>;
  readonly #site: Site;
  readonly #child: RemoteProcess;
  readonly #patience: Patience;
  readonly #listener: Listener;
  readonly #last: { stdout: string | undefined; stderr: string | undefined } = { stdout: undefined, stderr: undefined };
  #pid: number | undefined;
  #exit: ProcessExit | undefined;
  #stopped: { reason: string | null } | undefined;
  #refusal = 'no answer';
  #heardAt = performance.now();
  #paused = false;
  /** The script, or the link to it, has ended by now; its last marks may stand behind output that nobody takes. */
  #isDue = false;
  #settled = false;
  readonly #timers: (() => void)[] = [];
  #begin: () => void = () => {};
  #end: () => void = () => {};

  constructor(
    site: Site,
    child: RemoteProcess,
    text: string,
    nonce: string,
    patience: Patience,
    signal: AbortSignal | undefined,
    listener: Listener,
  ) {
    this.#site = site;
    this.#child = child;
    this.#patience = patience;
    this.#listener = listener;
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    const over = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    const abort = () => this.stop(null);
    signal?.addEventListener('abort', abort, { once: true });
    this.ended = over.then(() => {
      this.#settled = true;
      for (const stop of this.#timers) stop();
      signal?.removeEventListener('abort', abort);
      child.stdin.end();
      this.#begin();
      this.#letGo();
      return this.#ending();
    });
    this.#after(patience.runSeconds + slackSeconds, () =>
      this.stop('the node did not keep the deadlines of the script'),
    );
    const streams = Promise.all([this.#read('stdout', nonce), this.#read('stderr', nonce)]);
    void child.exit.then((exit) => {
      this.#exit = exit;
      this.#heardAt = performance.now();
      if (this.#stopped !== undefined) this.resume();
      if (exit.kind === 'lost') this.#due();
      this.#awaitSilence();
    });
    // With both streams at their end there is nothing more to hear; the exit follows at once, if ever.
    void streams.then(() => {
      this.#after(silenceSeconds, this.#end);
      return child.exit.then(this.#end);
    });
    child.stdin.write(text);
  }

  resume(): void {
    this.#paused = false;
    this.#heardAt = performance.now();
    this.#child.stdout.resume();
    this.#child.stderr.resume();
  }

  stop(reason: string | null): void {
    if (this.#stopped !== undefined || this.#settled) return;
    this.#stopped = { reason };
    if (this.#pid !== undefined) this.#cancel(this.#pid);
    // The shell has not said who it is; when it does, it is asked to go.
    else {
      this.#after(this.#patience.cancelSeconds + slackSeconds, this.#end);
      this.resume();
    }
  }

  isStopping(): boolean {
    return this.#stopped !== undefined && !this.#settled;
  }

  /** Takes in what is left, whether anybody reads or not. */
  #due(): void {
    this.#isDue = true;
    if (this.#stopped === undefined) this.resume();
  }

  #ending(): Ending {
    const { stdout, stderr } = this.#last;
    if (this.#stopped?.reason) return { kind: 'unknown', reason: this.#stopped.reason };
    if (stdout === 'done' && stderr === 'done') return { kind: 'done' };
    if (stdout === 'cancelled' && stderr === 'cancelled') return { kind: 'cancelled' };
    if (this.#pid === undefined && this.#exit?.kind === 'exited') {
      return this.#stopped ? { kind: 'cancelled' } : { kind: 'not-begun', exit: this.#exit };
    }
    if (this.#exit?.kind === 'lost') return { kind: 'unknown', reason: `connection lost: ${this.#exit.reason}` };
    if (this.#stopped) return { kind: 'unknown', reason: `cancelled, but not confirmed: ${this.#refusal}` };
    if (this.#exit?.kind === 'signalled') {
      return { kind: 'unknown', reason: `the shell was ended by ${this.#exit.signal}` };
    }
    return { kind: 'unknown', reason: 'the shell ended before the script did' };
  }

  /** Settles at the end of the stream; an error ends it too, since the exit tells what happened to the connection. */
  #read(from: 'stdout' | 'stderr', nonce: string): Promise<void> {
    const stream: Readable = this.#child[from];
    const reader = new MarkReader(nonce);
    const take = (found: ReturnType<MarkReader['push']>) => {
      if (this.#settled) return;
      for (const item of found) {
        if (item.kind === 'mark') this.#mark(from, item.words);
        else if (!this.#listener.text(from, item.bytes) && this.#mayPause()) {
          this.#paused = true;
          stream.pause();
        }
      }
    };
    return new Promise((resolve) => {
      const finish = () => {
        take(reader.end());
        resolve();
      };
      stream.on('data', (chunk: Buffer) => {
        this.#heardAt = performance.now();
        take(reader.push(chunk));
      });
      stream.once('end', finish).once('close', finish).on('error', finish);
    });
  }

  #mayPause(): boolean {
    return !this.#isDue && this.#stopped === undefined && !this.#settled;
  }

  #mark(from: 'stdout' | 'stderr', words: readonly string[]): void {
    const [word, argument] = words;
    if (word === 'begin' && this.#pid === undefined) {
      this.#pid = Number(argument);
      this.#begin();
      this.#after(this.#patience.runSeconds, () => this.#due());
      if (this.#stopped) this.#cancel(this.#pid);
    }
    this.#last[from] = word;
    this.#listener.mark(from, words);
    // A daemon that a step has started may keep the streams open for ever: the marks tell the end, not the streams.
    if (isLast(this.#last.stdout) && isLast(this.#last.stderr)) this.#end();
  }

  #cancel(pid: number): void {
    this.#after(this.#patience.cancelSeconds + slackSeconds, this.#end);
    // The number of a shell that is gone may be another process by now; what it has left to say is on its way.
    if (this.#exit !== undefined) {
      this.resume();
      return;
    }
    // Nobody wants what a step writes until it is told; then the marks to come stand behind what was not taken yet.
    this.#paused = true;
    this.#child.stdout.pause();
    this.#child.stderr.pause();
    void this.#ask(pid).finally(() => this.resume());
  }

  /** Asks over a channel of its own, because the first one may be blocked. */
  async #ask(pid: number): Promise<void> {
    const { transport, commandLine, settings } = this.#site;
    const { cancelSeconds } = this.#patience;
    try {
      const killer = await transport.open(commandLine);
      killer.stdin.on('error', () => {});
      const said: Buffer[] = [];
      killer.stdout.on('data', (chunk: Buffer) => said.push(chunk)).on('error', () => {});
      killer.stderr.on('error', () => {}).resume();
      const read = new Promise((resolve) => killer.stdout.once('end', resolve).once('close', resolve));
      killer.stdin.write(renderCancel(pid, cancelSeconds, settings));
      this.resume();
      await Promise.race([read, this.ended]);
      killer.stdin.end();
      killer.destroy();
      const last = Buffer.concat(said).toString('latin1').trim().split('\n').at(-1);
      if (last === 'gone') this.#refusal = 'the shell is gone, but did not say that it had paid what it owed';
      else if (last === 'alive') this.#refusal = 'the shell does not end';
      else this.#refusal = 'the node could not be asked';
    } catch (error) {
      this.#refusal = SplitmirrorError.is(error) ? error.message : String(error);
    }
    this.#after(silenceSeconds, this.#end);
  }

  /** Ends the exchange when the shell is gone and nothing of it has arrived for a while. */
  #awaitSilence(): void {
    if (this.#settled) return;
    const silent = (performance.now() - this.#heardAt) / 1000;
    if (!this.#paused && silent >= silenceSeconds) this.#end();
    else this.#after(silenceSeconds - (this.#paused ? 0 : silent), () => this.#awaitSilence());
  }

  /** Our own shell ends by itself within a moment; whatever else holds the channel is not waited for. */
  #letGo(): void {
    const timer = setTimeout(() => this.#child.destroy(), 1000).unref();
    void this.#child.exit.then(() => {
      clearTimeout(timer);
      this.#child.destroy();
    });
  }

  #after(seconds: number, act: () => void): void {
    if (!this.#settled) this.#timers.push(startTimer(seconds, act));
  }
}

function isLast(word: string | undefined): boolean {
  return word === 'done' || word === 'cancelled';
}
