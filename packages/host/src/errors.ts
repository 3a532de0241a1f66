const brand = Symbol.for('splitmirror.error');

/** Base of every error thrown on purpose. The message states the fact, `remedy` what to do next. */
export abstract class SplitmirrorError extends Error {
  /** Stable and listed in the package's README; exit codes and callers rely on it, never on the message. */
  abstract readonly code: string;
  /** What to do next, in one sentence. */
  readonly remedy: string;

  constructor(message: string, options: { remedy: string; cause?: unknown }) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.remedy = options.remedy;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Unlike `instanceof`, also true across two installed copies of this package. */
  static is(value: unknown): value is SplitmirrorError {
    return value instanceof Error && brand in value;
  }
}

/** Output of a command did not have the expected shape. `line` and `column` count from 1. */
export class ParseError extends SplitmirrorError {
  readonly code = 'PARSE_OUTPUT';
  /** The command whose output was read, for instance `lsvg -l`. */
  readonly source: string;
  readonly line: number;
  readonly column: number;

  constructor(source: string, reason: string, at: { line: number; column?: number | undefined; text: string }) {
    const column = at.column ?? 1;
    super(`${source}:${at.line}:${column}: ${reason}: ${JSON.stringify(at.text.slice(0, 80))}`, {
      remedy: 'Keep the whole output and report it: nothing is guessed from a line that is not understood.',
    });
    this.source = source;
    this.line = at.line;
    this.column = column;
  }
}

/** Why a node could not be asked. */
export type TransportFailure =
  /** No connection: refused, no route, name unknown, or no answer within the deadline. */
  | 'HOST_UNREACHABLE'
  /** The node is up and did not let us in. */
  | 'HOST_AUTHENTICATION'
  /** No trusted key is known for this host. */
  | 'HOST_KEY_UNKNOWN'
  /** Another key than the trusted one was presented. */
  | 'HOST_KEY_CHANGED'
  /** The connection works, but the command could not be started on it. */
  | 'HOST_START'
  /** What came back is not a framed answer: a login banner on stdout, another shell, a cut stream. */
  | 'HOST_PROTOCOL';

/** The command did not start. What may have run is never reported with this error, but as the outcome `unknown`. */
export class TransportError extends SplitmirrorError {
  readonly code: TransportFailure;
  /** Name of the host as it was given to the adapter. */
  readonly host: string;

  constructor(code: TransportFailure, host: string, message: string, options: { remedy: string; cause?: unknown }) {
    super(`${host}: ${message}`, options);
    this.code = code;
    this.host = host;
  }
}
