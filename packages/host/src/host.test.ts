import { execFile } from 'node:child_process';
import { mkdtempDisposableSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { changes, reads } from './command.ts';
import { TransportError } from './errors.ts';
import { createHost, type ScriptOutcome } from './host.ts';
import { localHost, localTransport } from './local.ts';
import type { Script } from './script.ts';
import type { ProcessExit, RemoteProcess, Transport } from './transport.ts';

const path = '/usr/bin:/bin';
const steps = (outcome: ScriptOutcome) => outcome.steps.map(({ id, kind }) => `${id} ${kind}`).join(', ');
const echo: Script = { steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] };

/** A local transport whose login shell first runs a profile. */
function withProfile(profile: string): Transport {
  const local = localTransport('nodea');
  return { open: (commandLine) => local.open(`${profile}\n${commandLine}`), close: () => local.close() };
}

describe('createHost', () => {
  it('says unknown when the shell is killed, and does not wait for what it has left behind', async () => {
    const host = localHost('nodea', { path });
    const running = host.run({
      steps: [
        { id: 'freeze', run: reads('sh', '-c', 'echo frozen'), timeoutSeconds: 10 },
        { id: 'split', run: changes('sh', '-c', 'kill -9 $PPID; sleep 20'), timeoutSeconds: 60 },
        { id: 'thaw', run: reads('sh', '-c', ':'), timeoutSeconds: 10, pays: ['freeze'] },
      ],
    });
    const outcome = await running;
    expect(outcome).toMatchObject({ kind: 'unknown', reason: 'the shell was ended by SIGKILL' });
    expect(steps(outcome)).toBe('freeze ended, split unfinished, thaw skipped');
  });

  it('says unknown when the shell is killed under a stream', async () => {
    const host = localHost('nodea', { path });
    const stream = await host.stream(reads('sh', '-c', 'echo first; kill -9 $PPID; sleep 20'), { timeoutSeconds: 60 });
    await expect(stream.stdout.toArray()).rejects.toThrow('Premature close');
    expect(await stream.outcome).toMatchObject({ kind: 'unknown', reason: 'the shell was ended by SIGKILL' });
  });

  it.each([
    ['is no shell', 'true', 'with 0'],
    ['refuses', 'echo "This account is currently not available."; exit 1', 'with 1'],
  ])('throws HOST_PROTOCOL when the login %s', async (_, profile, end) => {
    const host = createHost('nodea', withProfile(`${profile}\nexit`), { path });
    const failure = { code: 'HOST_PROTOCOL', message: `nodea: the shell ended ${end} and sent no framed answer` };
    await expect(host.run(echo)).rejects.toMatchObject(failure);
    await expect(host.stream(reads('ls'), { timeoutSeconds: 5 })).rejects.toMatchObject(failure);
  });

  it('quotes what was said instead of a framed answer', async () => {
    const host = createHost('nodea', withProfile('echo "Account expired."; exit 1'), { path });
    await expect(host.run(echo)).rejects.toMatchObject({ remedy: expect.stringContaining('"Account expired."') });
  });

  it('throws HOST_PROTOCOL when the shell does not exist', async () => {
    const host = localHost('nodea', { path, shell: '/no/such shell' });
    await expect(host.run(echo)).rejects.toMatchObject({
      code: 'HOST_PROTOCOL',
      message: expect.stringContaining('127'),
      remedy: expect.stringContaining("exec '/no/such shell' -s"),
    });
  });

  it('reads past a login script that prints rubbish, also under a stream', async () => {
    const host = createHost('nodea', withProfile('echo "Welcome to nodea"; echo "You have mail" >&2'), { path });
    expect(await host.run(echo)).toMatchObject({ kind: 'completed', steps: [{ stdout: 'hi\n', stderr: '' }] });
    const stream = await host.stream(reads('printf', 'archive'), { timeoutSeconds: 10 });
    expect(Buffer.concat(await stream.stdout.toArray()).toString()).toBe('archive');
    expect(await stream.outcome).toMatchObject({ kind: 'ended', memberCodes: [0], stderr: '' });
  });

  it('gives programs the PATH of the options and nothing of the login', async () => {
    const host = createHost('nodea', withProfile('PATH=/nowhere CDPATH=/; export PATH CDPATH'), {
      path: '/bin:/usr/bin',
    });
    const outcome = await host.run({
      steps: [{ id: 'one', run: reads('sh', '-c', 'echo "$PATH,$CDPATH"'), timeoutSeconds: 5 }],
    });
    expect(outcome).toMatchObject({ steps: [{ stdout: '/bin:/usr/bin,\n' }] });
  });

  it('keeps no more output than it may', async () => {
    const host = localHost('nodea', { path, maxOutputBytes: 1000 });
    const outcome = await host.run({
      steps: [
        { id: 'small', run: reads('echo', 'hi'), timeoutSeconds: 10 },
        { id: 'big', run: reads('dd', 'if=/dev/zero', 'bs=65536', 'count=99'), timeoutSeconds: 10 },
      ],
    });
    expect(outcome).toMatchObject({ kind: 'unknown', reason: 'more than 1000 bytes of output' });
    expect(steps(outcome)).toBe('small ended, big unfinished');
  });

  it('hands a failure to start on as it is', async () => {
    const refused = new TransportError('HOST_UNREACHABLE', 'nodea', 'refused', { remedy: 'Wait.' });
    const host = createHost('nodea', { open: () => Promise.reject(refused), close: async () => {} });
    await expect(host.run(echo)).rejects.toBe(refused);
    await expect(host.stream(reads('ls'), { timeoutSeconds: 5 })).rejects.toBe(refused);
  });

  it('is cancelled at once when it is aborted while the connection is made, and lets go of what comes of that', async () => {
    const node = silentNode();
    let connect = () => {};
    const made = new Promise<RemoteProcess>((resolve) => {
      connect = () => resolve(node.open());
    });
    const host = createHost('nodea', { open: () => made, close: async () => {} });
    const controller = new AbortController();
    const { signal } = controller;
    const [running, opening] = [host.run(echo, { signal }), host.stream(reads('ls'), { timeoutSeconds: 5, signal })];
    controller.abort();
    expect(await running).toMatchObject({ kind: 'cancelled' });
    const { stdout, outcome } = await opening;
    expect([stdout.destroyed, await outcome]).toEqual([true, { kind: 'cancelled', stderr: '' }]);
    connect();
    await delay(0);
    expect([node.destroyed(), node.received()]).toEqual([true, '']);
  });

  it('sends nothing when it is aborted while the connection is made', async () => {
    const node = silentNode();
    const controller = new AbortController();
    const slow: Transport = {
      async open() {
        await delay(50);
        return node.open();
      },
      close: async () => {},
    };
    const host = createHost('nodea', slow);
    const running = host.run(echo, { signal: controller.signal });
    controller.abort();
    expect(await running).toEqual({ kind: 'cancelled', steps: [{ kind: 'skipped', id: 'one' }] });
    expect(node.received()).toBe('');
  });

  it('refuses a script that cannot be run as it is meant, before anything is opened', async () => {
    const host = createHost('nodea', { open: () => Promise.reject(new Error('opened')), close: async () => {} });
    await expect(host.run({ steps: [{ ...echo.steps[0], id: '' } as never] })).rejects.toThrow(RangeError);
    await expect(host.stream(reads('ls'), { timeoutSeconds: 0 })).rejects.toThrow(RangeError);
  });

  it.each([Number.NaN, -1, 1.5])('refuses %d where bytes are counted', async (bytes) => {
    const transport: Transport = { open: () => Promise.reject(new Error('opened')), close: async () => {} };
    expect(() => createHost('nodea', transport, { maxOutputBytes: bytes })).toThrow(RangeError);
    expect(() => localHost('nodea', { maxOutputBytes: bytes })).toThrow(
      `maxOutputBytes must be a whole number from 0: it is ${bytes}`,
    );
    const streamed = createHost('nodea', transport).stream(reads('ls'), { timeoutSeconds: 5, expectedBytes: bytes });
    await expect(streamed).rejects.toThrow(`expectedBytes must be a whole number from 0: it is ${bytes}`);
  });

  it('has a bound of output, and takes a stream of which nothing is known', async () => {
    expect(() => localHost('nodea', { maxOutputBytes: Number.POSITIVE_INFINITY })).toThrow(RangeError);
    const options = { timeoutSeconds: 5, expectedBytes: Number.POSITIVE_INFINITY };
    const { stdout } = await localHost('nodea', { path }).stream(reads('echo', 'hi'), options);
    expect(Buffer.concat(await stdout.toArray()).toString()).toBe('hi\n');
  });
});

describe('localHost', () => {
  it('lets go at close of what is under way, and keeps the process no longer', async () => {
    const program = `
      import { localHost, reads } from '@splitmirror/host';
      const host = localHost('nodea', { path: '/usr/bin:/bin' });
      const [unread, silent] = await Promise.all([
        host.stream(reads('cat', '/dev/zero'), { timeoutSeconds: 600 }),
        host.stream(reads('sleep', '600'), { timeoutSeconds: 600 }),
      ]);
      const script = host.run({ steps: [{ id: 'one', run: reads('sleep', '15'), timeoutSeconds: 600 }] });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await host.close();
      for (const { kind, reason } of await Promise.all([unread.outcome, silent.outcome, script])) console.log(kind, reason);
    `;
    const words = ['--conditions=@splitmirror/source', '--input-type=module-typescript', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      cwd: import.meta.dirname,
      timeout: 10_000,
    });
    expect(stdout).toBe('unknown connection lost: the host was closed\n'.repeat(3));
  });

  it('ends at close what a stream runs, and leaves a script to its end', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'splitmirror-close-'));
    const [cancelled, paid] = [join(directory.path, 'cancelled'), join(directory.path, 'paid')];
    const host = localHost('nodea', { path });
    const work = `exec 2>/dev/null; trap ': >"$1"; exit' 15; while :; do sleep 1; done`;
    await host.stream(reads('sh', '-c', work, 'sh', cancelled), { timeoutSeconds: 60 });
    const script = host.run({
      steps: [
        { id: 'freeze', run: changes('sleep', '2'), timeoutSeconds: 10 },
        { id: 'thaw', run: changes('touch', paid), timeoutSeconds: 10, pays: ['freeze'] },
      ],
    });
    await delay(500);
    await host.close();
    expect(await script).toMatchObject({ kind: 'unknown' });
    await vi.waitFor(() => [cancelled, paid].map((file) => statSync(file)), { timeout: 20_000, interval: 100 });
  });
});

describe('createHost on a node that misbehaves', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives up on a node that does not keep the deadlines, asks it to end, and says unknown', async () => {
    vi.useFakeTimers();
    const node = silentNode();
    const running = createHost('nodea', node.transport).run(echo);
    await vi.advanceTimersByTimeAsync(10);
    node.says(`\n${node.nonce()} begin 4711\n`);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await running).toMatchObject({
      kind: 'unknown',
      reason: 'the node did not keep the deadlines of the script',
    });
    expect(node.received()).toContain('kill -15 4711');
    expect(node.destroyed()).toBe(true);
  });

  it('says unknown when the node never begins and cannot be cancelled', async () => {
    vi.useFakeTimers();
    const node = silentNode();
    const controller = new AbortController();
    const running = createHost('nodea', node.transport).run(echo, { signal: controller.signal });
    await vi.advanceTimersByTimeAsync(10);
    controller.abort();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await running).toMatchObject({ kind: 'unknown', reason: 'cancelled, but not confirmed: no answer' });
  });

  it('does not believe that a script was cancelled because its shell is gone', async () => {
    vi.useFakeTimers();
    const node = silentNode();
    const controller = new AbortController();
    const running = createHost('nodea', node.transport).run(echo, { signal: controller.signal });
    await vi.advanceTimersByTimeAsync(10);
    node.says(`\n${node.nonce()} begin 4711\n`);
    controller.abort();
    await vi.advanceTimersByTimeAsync(10);
    node.says('gone\n');
    node.ends({ kind: 'exited', code: 0 });
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await running).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('did not say that it had paid'),
    });
  });

  it('sends no signal to the number of a shell that is gone, which may be another process by now', async () => {
    const node = silentNode();
    const opening = createHost('nodea', node.transport).stream(reads('tar'), { timeoutSeconds: 10 });
    await delay(10);
    const mark = (words: string) => `\n${node.nonce()} ${words}\n`;
    node.says(`${mark('begin 4711')}${mark('start 0 5')}`);
    const stream = await opening;
    for (let chunk = 0; chunk < 100; chunk++) node.says('x'.repeat(1000));
    // The end stands behind what nobody reads.
    node.exits({ kind: 'exited', code: 0 });
    await delay(10);
    stream.stdout.destroy();
    await delay(10);
    expect(node.received()).not.toContain('kill -15 4711');
    node.ends({ kind: 'exited', code: 0 });
    expect(await stream.outcome).toMatchObject({ kind: 'unknown' });
  });

  /** A stream whose node has written more than waits for a reader; nobody reads it. */
  async function unread(node: ReturnType<typeof silentNode>, { chunks }: { chunks: number }) {
    const opening = createHost('nodea', node.transport, { maxOutputBytes: 1 << 20 }).stream(reads('tar'), {
      timeoutSeconds: 10,
    });
    await vi.advanceTimersByTimeAsync(10);
    const both = (words: string) => {
      node.says(`\n${node.nonce()} ${words}\n`);
      node.complains(`\n${node.nonce()} ${words}\n`);
    };
    for (const words of ['begin 4711', 'start 0 5']) both(words);
    const stream = await opening;
    for (let chunk = 0; chunk < chunks; chunk++) node.says('x'.repeat(16 << 10));
    return { stream, both };
  }

  it('takes in at the deadline what nobody has read, and keeps it for a reader to come', async () => {
    vi.useFakeTimers();
    const node = silentNode();
    const { stream, both } = await unread(node, { chunks: 60 });
    for (const words of ['end 0 0 6', 'done']) both(words);
    node.ends({ kind: 'exited', code: 0 });
    const settled = vi.fn();
    void stream.outcome.then(settled);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ kind: 'ended', memberCodes: [0] }));
    expect(Buffer.concat(await stream.stdout.toArray())).toHaveLength(60 * (16 << 10));
  });

  it('keeps no more of it than it may when the node goes on behind the deadline', async () => {
    vi.useFakeTimers();
    const node = silentNode();
    const { stream } = await unread(node, { chunks: 200 });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(stream.stdout.destroyed).toBe(true);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await stream.outcome).toMatchObject({ kind: 'unknown', reason: 'more than 1048576 bytes of output' });
  });

  it('waits at close for a cancellation that is under way, and makes no connection behind it', async () => {
    const order: string[] = [];
    const local = localTransport('nodea');
    const host = createHost(
      'nodea',
      {
        async open(commandLine) {
          order.push('open');
          return local.open(commandLine);
        },
        async close() {
          order.push('close');
        },
      },
      { path },
    );
    const stream = await host.stream(reads('sleep', '60'), { timeoutSeconds: 100 });
    stream.stdout.destroy();
    await host.close();
    expect(await stream.outcome).toMatchObject({ kind: 'cancelled' });
    const controller = new AbortController();
    const running = host.run(
      { steps: [{ id: 'one', run: reads('sleep', '60'), timeoutSeconds: 100 }] },
      { signal: controller.signal },
    );
    await delay(300);
    controller.abort();
    await host.close();
    expect(await running).toMatchObject({ kind: 'cancelled' });
    expect(order).toEqual(['open', 'open', 'close', 'open', 'open', 'close']);
  });

  it('keeps no more output than it may, however long the node goes on, and still hears what is paid', async () => {
    const node = silentNode();
    const running = createHost('nodea', node.transport, { maxOutputBytes: 1000 }).run({
      steps: [
        { id: 'flood', run: changes('flood'), timeoutSeconds: 10 },
        { id: 'thaw', run: changes('thaw'), timeoutSeconds: 10, pays: ['flood'] },
      ],
    });
    await delay(10);
    const both = (words: string) => {
      node.says(`\n${node.nonce()} ${words}\n`);
      node.complains(`\n${node.nonce()} ${words}\n`);
    };
    for (const words of ['begin 4711', 'start 0 5']) both(words);
    for (let chunk = 0; chunk < 100; chunk++) node.says('x'.repeat(64 << 10));
    for (const words of ['end 0 143 6', 'start 1 6']) both(words);
    node.says('thawed\n');
    for (const words of ['end 1 0 7', 'cancelled']) both(words);
    node.ends({ kind: 'exited', code: 0 });
    const {
      kind,
      steps: [flood, thaw],
    } = await running;
    expect([kind, flood?.kind]).toEqual(['unknown', 'unfinished']);
    expect(flood && 'stdout' in flood && flood.stdout.length).toBeLessThanOrEqual(1000);
    expect(thaw).toMatchObject({ kind: 'ended', stdout: 'thawed\n' });
  });

  it('takes a stream for whole only when both streams say that it ended', async () => {
    const node = silentNode();
    const opening = createHost('nodea', node.transport).stream(reads('tar'), { timeoutSeconds: 10 });
    await delay(10);
    const mark = (words: string) => `\n${node.nonce()} ${words}\n`;
    node.says(`${mark('begin 4711')}${mark('start 0 5')}half an archive`);
    const stream = await opening;
    node.complains(`${mark('begin 4711')}${mark('start 0 5')}${mark('end 0 0 5')}${mark('done')}`);
    node.ends({ kind: 'lost', reason: 'reset' });
    await expect(stream.stdout.toArray()).rejects.toThrow('Premature close');
    expect(await stream.outcome).toMatchObject({ kind: 'unknown', reason: 'connection lost: reset' });
  });
});

/** A node whose answers the test gives by hand: the same ones on every channel. */
function silentNode() {
  const channels: { stdin: PassThrough; stdout: PassThrough; stderr: PassThrough; end(exit: ProcessExit): void }[] = [];
  let received = '';
  let destroyed = false;
  const open = (): RemoteProcess => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    stdin.on('data', (bytes: Buffer) => {
      received += bytes;
    });
    let settle: (exit: ProcessExit) => void = () => {};
    const exit = new Promise<ProcessExit>((resolve) => {
      settle = resolve;
    });
    channels.push({ stdin, stdout, stderr, end: settle });
    return {
      stdin,
      stdout,
      stderr,
      exit,
      destroy() {
        destroyed = true;
      },
    };
  };
  return {
    open,
    transport: { open: async () => open(), close: async () => {} } satisfies Transport,
    received: () => received,
    destroyed: () => destroyed,
    nonce: () => /^N=(\w+)$/m.exec(received)?.[1] ?? '',
    says: (text: string) => channels.forEach(({ stdout }) => void stdout.write(text)),
    complains: (text: string) => channels.forEach(({ stderr }) => void stderr.write(text)),
    exits(exit: ProcessExit) {
      for (const { end } of channels) end(exit);
    },
    ends(exit: ProcessExit) {
      for (const { stdout, stderr, end } of channels) {
        stdout.end();
        stderr.end();
        end(exit);
      }
    },
  };
}
