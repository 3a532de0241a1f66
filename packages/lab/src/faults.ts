import type { Answer, Invocation } from './command.ts';
import { unasked } from './posix/programs.ts';

/** How a command misbehaves. */
export type Misbehaviour =
  /** Refuses and has done nothing. */
  | { readonly kind: 'fails-before'; readonly code?: number; readonly stderr?: string }
  /** Does its work and then ends with this status. */
  | { readonly kind: 'fails-after'; readonly code?: number; readonly stderr?: string }
  /** Never answers. */
  | { readonly kind: 'hangs' }
  /** Prints only this many bytes, and ends as if that were all. */
  | { readonly kind: 'truncates'; readonly bytes: number }
  /** Does nothing and prints this. */
  | { readonly kind: 'lies'; readonly stdout: string; readonly stderr?: string; readonly code?: number }
  /** Answers once, and from then on says the same again, whatever has happened meanwhile. */
  | { readonly kind: 'repeats' }
  /** Waits before it does its work. */
  | { readonly kind: 'delays'; readonly milliseconds: number }
  /** The node's connections are cut, and the command does its work nevertheless. */
  | { readonly kind: 'drops-link' }
  /** The node loses its power when the command is called, before or after its effect. */
  | { readonly kind: 'crashes'; readonly when: 'before' | 'after' };

/** Which calls misbehave, and how. */
export interface Fault {
  /** Cluster node name; every node when left out. */
  readonly node?: string;
  readonly program: string;
  /** Text that the arguments, joined by blanks, must contain. */
  readonly arguments?: string;
  /** Calls that still behave before the first one that does not. */
  readonly skip?: number;
  /** Calls that misbehave; 1 when left out, `Infinity` (in JSON: 0) for all. */
  readonly times?: number;
  readonly does: Misbehaviour;
}

/** The faults that are set, in the order in which they were. */
export interface Faults {
  /**
   * @returns a function that takes the fault back.
   * @throws RangeError when nodes run the program without asking the lab.
   */
  add(fault: Fault): () => void;
  clear(): void;
  /** Performs a call, or misbehaves. */
  perform(call: Invocation, handler: () => Promise<Answer>): Promise<Answer>;
}

interface SetFault {
  readonly fault: Fault;
  skip: number;
  left: number;
  /** What a call that repeats itself has once said. */
  said?: Answer;
}

/** @param node What can be done to a whole node. */
export function createFaults(node: { drop(name: string): void; crash(name: string): void }): Faults {
  let sets: SetFault[] = [];
  return {
    add(fault) {
      if (unasked.has(fault.program))
        throw new RangeError(`no fault can be set on ${fault.program}: nodes run it without asking the lab`);
      const entry: SetFault = {
        fault,
        skip: fault.skip ?? 0,
        left: fault.times === 0 ? Number.POSITIVE_INFINITY : (fault.times ?? 1),
      };
      sets.push(entry);
      return () => {
        sets = sets.filter((other) => other !== entry);
      };
    },
    clear() {
      sets = [];
    },
    async perform(call, handler) {
      const entry = sets.find(({ fault, left }) => left > 0 && meant(fault, call));
      if (entry === undefined) return handler();
      if (entry.skip > 0) {
        entry.skip--;
        return handler();
      }
      entry.left--;
      return misbehave(entry, call, handler);
    },
  };

  async function misbehave(entry: SetFault, call: Invocation, handler: () => Promise<Answer>): Promise<Answer> {
    const { does } = entry.fault;
    switch (does.kind) {
      case 'fails-before':
        return { kind: 'exit', code: does.code ?? 1, stderr: does.stderr ?? '' };
      case 'fails-after':
        return ended(await handler(), does.code ?? 1, does.stderr ?? '');
      case 'hangs':
        return { kind: 'hang' };
      case 'truncates':
        return truncated(await handler(), does.bytes);
      case 'lies':
        return { kind: 'exit', code: does.code ?? 0, stdout: does.stdout, stderr: does.stderr ?? '' };
      case 'repeats':
        entry.said ??= await handler();
        return entry.said;
      case 'delays':
        await new Promise((resolve) => setTimeout(resolve, does.milliseconds));
        return handler();
      case 'drops-link':
        node.drop(call.node);
        return handler();
      case 'crashes': {
        if (does.when === 'after') await handler();
        node.crash(call.node);
        return { kind: 'hang' };
      }
    }
  }
}

function meant({ node, program, arguments: words }: Fault, call: Invocation): boolean {
  return (
    program === call.program &&
    (node === undefined || node === call.node) &&
    (words === undefined || call.args.join(' ').includes(words))
  );
}

/** The program of this machine does its work inside a shell, which then ends as the fault wants. */
function ended(answer: Answer, code: number, stderr: string): Answer {
  if (answer.kind === 'hang') return answer;
  if (answer.kind === 'exit') return { ...answer, code, stderr: (answer.stderr ?? '') + stderr };
  return {
    kind: 'run',
    argv: ['/bin/sh', '-c', 'e=$1; shift; "$@"; printf %s "$e" >&2; exit "$0"', String(code), stderr, ...answer.argv],
  };
}

function truncated(answer: Answer, bytes: number): Answer {
  if (answer.kind === 'hang') return answer;
  if (answer.kind === 'exit') {
    return {
      ...answer,
      stdout: Buffer.from(answer.stdout ?? '')
        .subarray(0, bytes)
        .toString(),
    };
  }
  return { kind: 'run', argv: ['/bin/sh', '-c', '"$@" | head -c "$0"', String(bytes), ...answer.argv] };
}
