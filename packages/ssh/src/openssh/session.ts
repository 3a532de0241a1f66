import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Readable } from 'node:stream';
import type { ProcessExit, RemoteProcess } from '@splitmirror/host';
import { messages } from './failure.ts';

/** Output of a talkative login shell that is kept until the command's own begins. */
const maxPreambleBytes = 1 << 20;

/** What a session rests on. */
interface Surroundings {
  /** The line that the command prints first. */
  readonly mark: string;
  /** How long that may take. */
  readonly seconds: number;
  /** What the session's client has written for us. */
  readonly log: () => Promise<string>;
  /** Why the connection under it is gone, or `null`. */
  readonly lost: () => string | null;
}

/** How a session began. `refused`: the node has no channel left. `failed`: the connection does not carry any. */
type Start =
  | { readonly kind: 'started'; readonly process: RemoteProcess }
  | { readonly kind: 'refused' | 'failed'; readonly error: Error };

/** What the pool takes for a node without a free channel (RFC 4254, section 5.1: resource shortage). */
class RefusedChannel extends Error {
  readonly reason = 4;
}

/** Waits until the node itself says that a shell has started: until its end, a refused session looks the same from here. */
export async function startSession(child: ChildProcessWithoutNullStreams, around: Surroundings): Promise<Start> {
  const { mark, seconds, log, lost } = around;
  child.stdin.on('error', () => {});
  const told = new Promise<string[]>((resolve) => {
    child.once('exit', async () => resolve(messages(await log())));
    child.once('error', (error) => resolve([error.message]));
  });
  const exit = new Promise<ProcessExit>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'lost', reason: error.message }));
    child.once('exit', async (code) => {
      // ssh's own word for "I could not", and what it says when a signal has ended the command.
      if (code !== null && code !== 255) return resolve({ kind: 'exited', code });
      const said = (await told).at(-1);
      resolve({ kind: 'lost', reason: lost() ?? said ?? 'ssh ended without an exit status of the command' });
    });
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // Nothing was sent yet, so whatever starts now finds the end of its input and goes.
    child.kill();
  }, seconds * 1000);
  const preamble = await begun(child, mark).finally(() => clearTimeout(timer));
  if (late) return { kind: 'refused', error: new Error(`no answer within ${seconds} seconds`) };
  if (preamble === undefined) {
    return { kind: 'started', process: remote({ child, stdout: child.stdout, stderr: child.stderr, exit }) };
  }
  const [said, ...more] = await told;
  if (said === undefined) {
    // A shell that refuses to be one (nologin, ForceCommand): what it said is all that there is to know.
    return {
      kind: 'started',
      process: remote({ child, stdout: whole(preamble), stderr: whole(rest(child.stderr)), exit }),
    };
  }
  const isFull = [said, ...more].some((line) => /session request failed/.test(line));
  return isFull ? { kind: 'refused', error: new RefusedChannel(said) } : { kind: 'failed', error: new Error(said) };
}

function remote(parts: {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exit: Promise<ProcessExit>;
}): RemoteProcess {
  const { child, stdout, stderr, exit } = parts;
  return {
    stdin: child.stdin,
    stdout,
    stderr,
    exit,
    destroy() {
      child.stdin.destroy();
      stdout.destroy();
      stderr.destroy();
      child.kill();
    },
  };
}

function whole(bytes: Buffer): Readable {
  return Readable.from(bytes.length > 0 ? [bytes] : []);
}

function rest(stream: Readable): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Waits for the line with which the command begins, and takes it out of the output.
 *
 * @returns What was written instead, when the command never began.
 */
function begun(child: ChildProcessWithoutNullStreams, mark: string): Promise<Buffer | undefined> {
  const line = Buffer.from(`${mark}\n`);
  let held: Buffer = Buffer.alloc(0);
  return new Promise((resolve) => {
    const settle = (value: Buffer | undefined) => {
      child.stdout.off('readable', read).off('end', over);
      child.stderr.off('readable', wait);
      child.off('exit', over).off('error', over);
      resolve(value);
    };
    const wait = () => {};
    const read = () => {
      for (let chunk = child.stdout.read(); chunk !== null; chunk = child.stdout.read()) {
        held = Buffer.concat([held, chunk as Buffer]);
        const at = held.indexOf(line);
        if (at === -1 && held.length <= maxPreambleBytes) continue;
        const rest = at === -1 ? held : Buffer.concat([held.subarray(0, at), held.subarray(at + line.length)]);
        if (rest.length > 0) child.stdout.unshift(rest);
        settle(undefined);
        return;
      }
    };
    const over = () => {
      // The last output may be on its way still when the exit is known already.
      setTimeout(() => {
        read();
        settle(held);
      }, 50);
    };
    child.stdout.on('readable', read).once('end', over);
    // Node throws away what nobody waits for when a process ends.
    child.stderr.on('readable', wait);
    child.once('exit', over).once('error', over);
  });
}
