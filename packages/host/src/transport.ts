import type { Readable, Writable } from 'node:stream';

/** How a process on the node ended, as far as this side can know. */
export type ProcessExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  /** The connection ended first: whether the process still runs is not known. */
  | { readonly kind: 'lost'; readonly reason: string };

/**
 * Bytes that a command has written. With a `[Symbol.dispose]`, whoever has read them and neither keeps them nor has handed
 * them on may give their memory back at once; they are empty from then on. Left alone they go as all memory goes: but the
 * garbage collector then looks through the whole heap after every 64 MiB, which a fast stream brings ten times a second.
 */
export type Chunk = Buffer & Partial<Disposable>;

/** A process on the node with its three streams. */
export interface RemoteProcess {
  readonly stdin: Writable;
  /** Hands out {@link Chunk}s: one that can be disposed of has its memory for itself. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the end is known; the last output may still be on its way then. Never rejects. */
  readonly exit: Promise<ProcessExit>;
  /** Lets go of the channel at once; says nothing about the process. */
  destroy(): void;
}

/** `talk`: a script and its answers, the default. `bulk`: so much that it should have a connection of its own. */
export type ChannelUse = 'talk' | 'bulk';

/**
 * The least that an adapter has to do: start a command line in the node's login shell. Everything else (framing,
 * deadlines, cancellation, outcomes) is built on it by `createHost`, the same for every adapter.
 */
export interface Transport {
  /**
   * Starts `commandLine`. May be called again while earlier processes run.
   *
   * @param use What its streams will carry; an adapter may pass over it.
   * @param signal When it aborts, nobody waits for this call any longer: it may give up what it has begun, and reject. An
   * adapter may pass over it, since what it starts all the same is sent nothing and let go of.
   * @throws TransportError when the process was not started.
   */
  open(commandLine: string, use?: ChannelUse, signal?: AbortSignal): Promise<RemoteProcess>;
  /** Ends the connection. */
  close(): Promise<void>;
}
