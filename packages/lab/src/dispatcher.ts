import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Answer } from './command.ts';
import { becomeProgram, complain, printAndExit, storeInput } from './shims.ts';

/** Answers one call of a shim. */
export type Answering = (
  program: string,
  args: readonly string[],
  stdin: () => Promise<Buffer>,
  /** Working directory of the caller. */
  directory?: string,
) => Promise<Answer>;

/** Most bytes that reach a FIFO in one piece, whatever else is going on (PIPE_BUF). */
const atomicBytes = 4096;
/** How often it is looked whether a waiting caller is still there, in milliseconds. */
const pulseMs = 200;

function requestsOf(exchange: string): string {
  return join(exchange, 'requests');
}

/** Makes the FIFOs into which shims write that they have something to ask; Node.js cannot. */
export function makeRequestFifos(exchanges: readonly string[]): void {
  execFileSync('/usr/bin/env', ['mkfifo', ...exchanges.map(requestsOf)]);
}

interface Waiting {
  readonly gone: (error: Error) => void;
  input?: (bytes: Buffer) => void;
}

/**
 * Receives the calls of a node's shims and answers them. Callers may be killed at any moment: one that is gone is
 * noticed, its files are removed, and whatever waits for its input is told.
 *
 * @returns a function that stops receiving.
 */
export function receiveCalls(exchange: string, answering: Answering): () => void {
  const requests = requestsOf(exchange);
  // Opened for both directions: it neither waits for a writer nor ends when there is none.
  const fd = openSync(requests, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const waiting = new Map<string, Waiting>();
  let rest = '';

  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const pid of lines) receive(pid);
  });
  socket.on('error', () => {});

  const pulse = setInterval(() => {
    for (const [pid, caller] of waiting) {
      if (isAlive(pid)) continue;
      waiting.delete(pid);
      caller.gone(new Error(`process ${pid} is gone`));
    }
    // A caller that was killed half-way leaves its files.
    for (const name of readdirSync(exchange)) {
      const [, pid] = /^(\d+)\.[aqir]$/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(pid)) rmSync(join(exchange, name), { force: true });
    }
  }, pulseMs);
  pulse.unref();

  function file(pid: string, kind: string): string {
    return join(exchange, `${pid}.${kind}`);
  }

  function receive(pid: string): void {
    const caller = waiting.get(pid);
    if (caller?.input !== undefined) {
      const bytes = readFileSync(file(pid, 'i'));
      rmSync(file(pid, 'i'), { force: true });
      caller.input(bytes);
      return;
    }
    let words: string[];
    let answers: number;
    try {
      words = readFileSync(file(pid, 'q'), 'utf8').split('\0').slice(0, -1);
      answers = openSync(file(pid, 'a'), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      // Killed between its request and now: nobody reads the answer.
      words = [];
      answers = -1;
    }
    rmSync(file(pid, 'q'), { force: true });
    rmSync(file(pid, 'a'), { force: true });
    const [program, ...args] = words;
    if (program === undefined) return;
    void answer(pid, answers, program, args);
  }

  async function answer(pid: string, answers: number, program: string, args: readonly string[]): Promise<void> {
    const gone = new Promise<never>((_, reject) => {
      waiting.set(pid, { gone: reject });
    });
    gone.catch(() => {});
    const stdin = () => {
      send(answers, pid, storeInput);
      const input = new Promise<Buffer>((resolve) => {
        const caller = waiting.get(pid);
        if (caller !== undefined) caller.input = resolve;
      });
      return Promise.race([input, gone]);
    };
    try {
      const result = await Promise.race([
        answering(program, args, once(stdin), workingDirectory(pid)).catch((error: unknown) => crashed(program, error)),
        gone,
      ]);
      // A hanging command keeps its caller waiting; the pulse tidies up when the caller is ended.
      if (result.kind === 'hang') {
        if (result.stderr !== undefined) send(answers, pid, complain(result.stderr));
        return;
      }
      waiting.delete(pid);
      send(
        answers,
        pid,
        result.kind === 'run'
          ? becomeProgram(result.argv)
          : printAndExit(result.code, result.stdout ?? '', result.stderr ?? ''),
      );
    } catch {
      // The caller is gone.
    } finally {
      closeSync(answers);
    }
  }

  function send(answers: number, pid: string, text: string): void {
    const inline = frame(text);
    try {
      if (inline.length <= atomicBytes) {
        writeSync(answers, inline);
        return;
      }
      // Too long for one piece: the shim reads it from a file, which removes itself once it is open.
      const long = file(pid, 'r');
      writeFileSync(long, `rm -f "$d/$$.r"\n${text}`);
      writeSync(answers, frame(`. "$d/$$.r"\n`));
    } catch {
      rmSync(file(pid, 'r'), { force: true });
    }
  }

  return () => {
    clearInterval(pulse);
    socket.destroy();
    rmSync(requests, { force: true });
    for (const caller of waiting.values()) caller.gone(new Error('the lab is closed'));
    waiting.clear();
  };
}

function frame(text: string): Buffer {
  return Buffer.from(`${text.split('\n').length - 1}\n${text}`);
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= read();
    return result;
  };
}

/** A handler of the lab that throws is a bug of the lab: it must not look like an answer of AIX. */
function crashed(program: string, error: unknown): Answer {
  return {
    kind: 'exit',
    code: 254,
    stderr: `lab: ${program}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  };
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function isAlive(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}
