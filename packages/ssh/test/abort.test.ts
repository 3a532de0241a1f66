import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { reads } from '@splitmirror/host';
import { describe, expect, it, vi } from 'vitest';
import type { SshOptions } from '../src/options.ts';
import { afterwards, hostOver } from './greet.ts';
import { makeKey, type NodeSettings, startNode, typeOf } from './node.ts';
import { startSshd } from './sshd.ts';

// What lies in it is this file's own, whatever runs beside it; short, since it holds a socket.
process.env.TMPDIR = mkdtempSync('/tmp/sa-');

const script = { steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] };
const neverSent = { kind: 'cancelled', steps: [{ kind: 'skipped', id: 'one' }] };
const openssh = ['/usr/bin/ssh', '/usr/sbin/sshd'].every(existsSync);

/** Takes connections and says nothing. */
async function tarpit(): Promise<{ readonly options: SshOptions; readonly sockets: readonly Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    sockets.push(socket.resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterwards(() => server.close());
  const { port } = server.address() as AddressInfo;
  const identities = [{ key: makeKey('ed25519').private, label: 'test key' }];
  return {
    options: {
      address: '127.0.0.1',
      port,
      user: 'root',
      agent: false,
      identities,
      knownHosts: [],
      connectSeconds: 600,
    },
    sockets,
  };
}

/** Aborts when the call has come so far. */
async function abortedWhen<T>(hasCome: () => boolean, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const answer = call(controller.signal);
  answer.catch(() => {});
  await vi.waitUntil(hasCome, { timeout: 25_000 });
  controller.abort();
  return answer;
}

const adapters = (['ssh2', 'openssh', 'auto'] as const).filter((adapter) => adapter !== 'openssh' || openssh);

describe.each(adapters)('with %s, a call that nobody wants any more', { timeout: 60_000 }, (adapter) => {
  it('ends while the node takes a connection and says nothing, as one that was never sent', async () => {
    const { options, sockets } = await tarpit();
    const host = hostOver({ ...options, adapter });
    const outcome = await abortedWhen(
      () => sockets.length === 1,
      (signal) => host.run(script, { signal }),
    );
    expect(outcome).toEqual(neverSent);
    // Nobody else waits for the connection.
    await vi.waitUntil(() => sockets[0]?.destroyed, { timeout: 25_000 });
    const left = await abortedWhen(
      () => sockets.length === 2,
      (signal) => host.stream(reads('true'), { timeoutSeconds: 10, signal }),
    );
    expect(await left.outcome).toEqual({ kind: 'cancelled', stderr: '' });
    expect(left.stdout.destroyed).toBe(true);
    await host.close();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('sm-'))).toEqual([]);
  });

  it.skipIf(!openssh)('leaves the connection to those who wait for it, too', async () => {
    const { options, directory, stop } = await startSshd();
    afterwards(stop);
    const locked = makeKey('ecdsa', 'open sesame');
    writeFileSync(join(directory, 'authorized_keys'), `${typeOf(locked)} ${locked.public.toString('base64')}\n`);
    const answer = Promise.withResolvers<string>();
    const passphrase = vi.fn(() => answer.promise);
    const identities = [{ key: locked.private, label: 'locked' }];
    const host = hostOver({ ...options, adapter, identities, passphrase });
    const other = host.run(script);
    const outcome = await abortedWhen(
      () => passphrase.mock.calls.length === 1,
      (signal) => host.run(script, { signal }),
    );
    expect(outcome).toEqual(neverSent);
    answer.resolve('open sesame');
    expect(await other).toMatchObject({ kind: 'completed' });
    expect(passphrase).toHaveBeenCalledTimes(1);
  });

  it.skipIf(!openssh)('is cancelled on the node once it has begun there', async () => {
    const { options, directory, stop } = await startSshd();
    afterwards(stop);
    const host = hostOver({ ...options, adapter });
    const asleep = join(directory, 'asleep');
    const run = reads('sh', '-c', ': >"$1"; exec sleep 60', 'sh', asleep);
    const outcome = await abortedWhen(
      () => existsSync(asleep),
      (signal) => host.run({ steps: [{ id: 'one', run, timeoutSeconds: 90 }] }, { signal }),
    );
    expect(outcome.kind).toBe('cancelled');
  });
});

describe('a call that nobody wants any more', () => {
  async function node(settings: NodeSettings) {
    const started = await startNode(settings);
    afterwards(started.stop);
    return started;
  }

  it('ends while the start of its shell is not answered, and the connection goes on', async () => {
    const { options, connections } = await node({ silentStarts: 1 });
    const host = hostOver({ ...options, connectSeconds: 600 });
    expect(await host.run(script, { signal: AbortSignal.timeout(500) })).toEqual(neverSent);
    expect(await host.run(script)).toMatchObject({ kind: 'completed' });
    expect(connections()).toBe(1);
  });

  it('ends while the node has no channel to give', async () => {
    const { options } = await node({ refusals: 1000 });
    const controller = new AbortController();
    const outcome = hostOver(options).run(script, { signal: controller.signal });
    await delay(500);
    const since = performance.now();
    controller.abort();
    expect(await outcome).toEqual(neverSent);
    // The pauses before it would be asked again are longer.
    expect(performance.now() - since).toBeLessThan(2000);
  });

  it('ends while the jump host finds no way to the node', async () => {
    const [jump, far] = [await node({ silentForwards: true }), await node({})];
    const host = hostOver({ ...far.options, connectSeconds: 600, jumps: [jump.options] });
    const outcome = await abortedWhen(
      () => jump.connections() === 1,
      (signal) => host.run(script, { signal }),
    );
    expect(outcome).toEqual(neverSent);
  });
});

describe.each(adapters)('with %s, a host that is closed', { timeout: 60_000 }, (adapter) => {
  it('waits for no connection that is being made, and the call that does is told', async () => {
    const { options, sockets } = await tarpit();
    const host = hostOver({ ...options, adapter });
    const call = host.run(script).catch((error: unknown) => error);
    await vi.waitUntil(() => sockets.length === 1, { timeout: 25_000 });
    await host.close();
    expect(await call).toMatchObject({ code: 'HOST_START', message: expect.stringContaining('closed meanwhile') });
    await vi.waitUntil(() => sockets[0]?.destroyed, { timeout: 25_000 });
  });
});
