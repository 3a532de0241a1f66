import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { AIX_PATH, type Command, type Pipeline, quote, renderCommand, type Transport } from '@splitmirror/host';
import { problemOf } from '../problems.ts';

/** A node whose commands can be given bytes to read. */
export interface Feedable {
  readonly transport: Transport;
  /** Value of PATH on the node; default that of AIX. */
  readonly path?: string | undefined;
  /** Absolute path of the shell that reads the script; default `/bin/sh`. */
  readonly shell?: string | undefined;
}

/** How a command that was fed has ended. */
export type FeedOutcome =
  /** All bytes were sent, or the command did not want more of them. */
  | { readonly kind: 'ended'; readonly status: number; readonly stderr: string }
  /** It was told to end by the end of its input, before all bytes were sent, and did. */
  | { readonly kind: 'cut'; readonly status: number; readonly stderr: string }
  | { readonly kind: 'unknown'; readonly reason: string; readonly stderr: string };

/** How long a node may take to say that it has begun, and that it has ended. */
const patienceSeconds = 60;
/** Most of what it says that is kept. */
const keptBytes = 1 << 20;

/**
 * Runs a command on a node and gives it bytes to read, with backpressure. It gets nothing before its shell has read the whole
 * script: a shell that reads ahead cannot swallow what is meant for the command.
 *
 * @param input When it fails, the command's input ends there, and its error is thrown once the command has ended; where its
 * end is not known, that is what is told.
 * @param options.timeoutSeconds After these, and when the signal aborts, the command's input ends.
 */
export async function feed(
  { transport, path = AIX_PATH, shell = '/bin/sh' }: Feedable,
  command: Command | Pipeline,
  input: AsyncIterable<Buffer>,
  options: { readonly timeoutSeconds: number; readonly signal?: AbortSignal | undefined },
): Promise<FeedOutcome> {
  if ('pipe' in command) throw new RangeError('one command reads what is fed, no pipeline');
  const nonce = `sm${randomBytes(16).toString('hex')}`;
  const child = await transport.open(`exec ${quote(shell)} -s`);
  child.stdin.on('error', () => {});
  const said = { stdout: '', stderr: '' };
  const heard = new EventTarget();
  for (const from of ['stdout', 'stderr'] as const) {
    child[from].on('data', (chunk: Buffer) => {
      said[from] = (said[from] + chunk.toString('latin1')).slice(-keptBytes);
      heard.dispatchEvent(new Event('said'));
    });
    child[from].on('error', () => {});
  }
  let gone = false;
  const exited = child.exit.then(async () => {
    // The last output may still be on its way.
    await Promise.race([Promise.all([closed(child.stdout), closed(child.stderr)]), delay(5000)]);
    gone = true;
    heard.dispatchEvent(new Event('said'));
  });
  const begun = new RegExp(`(?:^|\\n)${nonce} begin (\\d+)\\n`);
  const end = new RegExp(`\\n${nonce} end (\\d+)\\n`);
  const hear = async (mark: RegExp, seconds: number) => {
    const deadline = AbortSignal.timeout(seconds * 1000);
    while (!mark.test(said.stdout) && !gone && !deadline.aborted) {
      const waiting = new AbortController();
      await Promise.race([
        once(heard, 'said', { signal: waiting.signal }).catch(() => {}),
        delay(1000, undefined, { signal: waiting.signal }).catch(() => {}),
      ]);
      waiting.abort();
    }
    return mark.exec(said.stdout);
  };
  const stderr = () => Buffer.from(said.stderr, 'latin1').toString('utf8').trim();

  try {
    child.stdin.write(scriptOf(command, nonce, path));
    const shellId = (await hear(begun, patienceSeconds))?.[1];
    if (shellId === undefined) {
      return { kind: 'unknown', reason: 'the shell did not begin', stderr: stderr() };
    }
    const limit = AbortSignal.any([
      AbortSignal.timeout(options.timeoutSeconds * 1000),
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    const isOver = () => gone || end.test(said.stdout);
    const sending = await send(child.stdin, input, limit, isOver).catch((error: unknown) =>
      // An input that was told to end by the same signal has no fault of its own.
      limit.aborted ? ('cut' as const) : { error },
    );
    child.stdin.end();
    // A target that was written for an hour may take its time to settle.
    const left = sending === 'all' && !limit.aborted ? options.timeoutSeconds : patienceSeconds;
    const status = (await hear(end, left))?.[1];
    // Status and words come in two streams: the shell ends now, and with it what it had to say.
    await Promise.race([exited, delay(5000, undefined, { ref: false })]);
    if (status === undefined) {
      const cause =
        typeof sending === 'object' ? `, after its input failed: ${problemOf(sending.error, null).message}` : '';
      return { kind: 'unknown', reason: `the end of process ${shellId} was not confirmed${cause}`, stderr: stderr() };
    }
    if (typeof sending === 'object') throw sending.error;
    return { kind: sending === 'cut' ? 'cut' : 'ended', status: Number(status), stderr: stderr() };
  } finally {
    child.destroy();
    void exited;
  }
}

/** One brace group: a shell runs nothing of it before its last byte has come, and reads nothing behind it. */
function scriptOf(command: Command, nonce: string, path: string): string {
  return `{ PATH=${quote(path)} LC_ALL=C LANG=C
export PATH LC_ALL LANG
unset ENV BASH_ENV CDPATH
printf '\\n%s begin %s\\n' ${nonce} "$$"
${renderCommand(command)} >/dev/null
printf '\\n%s end %s\\n' ${nonce} "$?"
exit 0
}
`;
}

async function send(
  to: NodeJS.WritableStream & { readonly destroyed?: boolean },
  input: AsyncIterable<Buffer>,
  limit: AbortSignal,
  isOver: () => boolean,
): Promise<'all' | 'cut' | 'unwanted'> {
  for await (const chunk of input) {
    if (limit.aborted) return 'cut';
    let flows = to.write(chunk);
    while (!flows) {
      if (isOver()) return 'unwanted';
      if (limit.aborted) return 'cut';
      flows = await once(to, 'drain', { signal: AbortSignal.any([limit, AbortSignal.timeout(1000)]) }).then(
        () => true,
        () => false,
      );
    }
    if (isOver()) return 'unwanted';
  }
  return 'all';
}

function closed(
  stream: NodeJS.ReadableStream & { readonly closed?: boolean; readonly readableEnded?: boolean },
): Promise<unknown> {
  if (stream.closed || stream.readableEnded) return Promise.resolve();
  return Promise.race([once(stream, 'end'), once(stream, 'close')]).catch(() => {});
}
