/** A command of AIX as a node of the lab was asked to run it. */
export interface Invocation {
  /** Cluster node name of the node that runs it. */
  readonly node: string;
  /** Name without directory, for instance `lsvg`. */
  readonly program: string;
  readonly args: readonly string[];
  /** Working directory of the caller, on this machine; the node's root directory when left out. */
  readonly directory?: string;
  /** Reads the caller's standard input to its end; only prompts and filters do. */
  stdin(): Promise<Buffer>;
}

/** What the node does with it. */
export type Answer =
  | { readonly kind: 'exit'; readonly code: number; readonly stdout?: string; readonly stderr?: string }
  /** A real program takes over in the caller's place, with its streams; paths are those of this machine. */
  | { readonly kind: 'run'; readonly argv: readonly [string, ...string[]] }
  /** Never ends, as a locked volume group makes AIX's queries do, after it has printed this on stderr. */
  | { readonly kind: 'hang'; readonly stderr?: string };

/** Commands by name. */
export type Commands = Readonly<Record<string, (call: Invocation) => Answer | Promise<Answer>>>;

/** Ends with 0 and prints this. */
export function prints(stdout: string): Answer {
  return { kind: 'exit', code: 0, stdout };
}

/** Ends with a status other than 0 and prints this on stderr. */
export function fails(stderr: string, code = 1): Answer {
  return { kind: 'exit', code, stderr };
}
