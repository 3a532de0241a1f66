import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Host, reads, type ScriptOutcome } from '@splitmirror/host';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type NodeSettings, startNode, type TestNode } from '../test/node.ts';
import { startSshd } from '../test/sshd.ts';
import { sshHost, sshTransport } from './host.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function connected(settings?: NodeSettings, options = {}): Promise<{ node: TestNode; host: Host }> {
  const node = await startNode(settings);
  const host = sshHost('nodea', { ...node.options, ...options }, { path: '/usr/bin:/bin' });
  cleanups.push(node.stop, () => host.close());
  return { node, host };
}

function hello(host: Host): Promise<ScriptOutcome> {
  return host.run({ steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] });
}

function sleeping(host: Host, seconds = 60): Promise<ScriptOutcome> {
  return host.run({ steps: [{ id: 'one', run: reads('sleep', String(seconds)), timeoutSeconds: 100 }] });
}

/** A command that has begun to sleep. */
async function asleep(host: Host, { directory }: TestNode): Promise<{ readonly ending: Promise<ScriptOutcome> }> {
  const file = join(directory, `asleep-${randomUUID()}`);
  const run = reads('sh', '-c', ': >"$1"; exec sleep 60', 'sh', file);
  const ending = host.run({ steps: [{ id: 'one', run, timeoutSeconds: 100 }] });
  await vi.waitUntil(() => existsSync(file), { timeout: 25_000 });
  return { ending };
}

describe('sshTransport', () => {
  it('keeps one connection, also for calls that come at once', async () => {
    const { node, host } = await connected();
    const outcomes = await Promise.all([hello(host), hello(host), hello(host)]);
    await hello(host);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'completed', 'completed']);
    expect(node.connections()).toBe(1);
  });

  it('connects anew at the next call after a loss', async () => {
    const { node, host } = await connected();
    await hello(host);
    node.cut();
    await delay(50);
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
    expect(node.connections()).toBe(2);
  });

  it('connects anew when the loss shows only at the start of a call', async () => {
    const { node, host } = await connected();
    await hello(host);
    node.cut();
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
  });

  it('tells all calls under way that the connection is lost, and repeats none', async () => {
    const { node, host } = await connected();
    await hello(host);
    const running = [await asleep(host, node), await asleep(host, node)];
    node.cut();
    for (const { ending } of running) {
      expect(await ending).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/^connection lost: /) });
    }
    expect(node.connections()).toBe(1);
  });

  it('notices by keepalives that nothing passes any more', async () => {
    const { node, host } = await connected({}, { keepaliveSeconds: 1, keepaliveCount: 2 });
    await hello(host);
    const { ending } = await asleep(host, node);
    node.pause();
    expect(await ending).toMatchObject({ kind: 'unknown', reason: 'connection lost: Keepalive timeout' });
  });

  it('notices by keepalives that a start is not answered, and starts over a new connection', async () => {
    const { node, host } = await connected({}, { keepaliveSeconds: 1, keepaliveCount: 1 });
    await hello(host);
    node.pause();
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
    expect(node.connections()).toBe(2);
  });

  it('waits when the node has no channel to give', async () => {
    const { host } = await connected({ refusals: 3 });
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
  });

  it('says HOST_START when the node never gives a channel', async () => {
    const { host } = await connected({ refusals: 1000 });
    await expect(hello(host)).rejects.toMatchObject({
      code: 'HOST_START',
      remedy: expect.stringContaining('MaxSessions'),
    });
  });

  it('says lost, not ended, when a link dies under a command', async () => {
    const node = await startNode();
    const transport = sshTransport(node.options);
    cleanups.push(node.stop, () => transport.close());
    const child = await transport.open('echo some output; sleep 60');
    child.stdout.once('data', node.cut);
    expect(await child.exit).toMatchObject({ kind: 'lost' });
  });

  it.each([
    ['exit 0', { kind: 'exited', code: 0 }],
    ['exit 255', { kind: 'exited', code: 255 }],
    ['kill -9 $$', { kind: 'signalled', signal: 'SIGKILL' }],
  ])('reports the end of `%s`', async (commandLine, exit) => {
    const node = await startNode();
    const transport = sshTransport(node.options);
    cleanups.push(node.stop, () => transport.close());
    expect(await (await transport.open(commandLine)).exit).toEqual(exit);
  });

  it.each([
    ['user', ''],
    ['user', 'ro\0ot'],
    ['address', ''],
    ['address', '127.0.0.1\0'],
    ['hostKeyAlias', ''],
  ])('refuses the %s %j, which would mean something else', async (setting, value) => {
    for (const adapter of ['ssh2', 'openssh', 'auto'] as const) {
      const { node, host } = await connected({}, { adapter, [setting]: value });
      await expect(hello(host)).rejects.toMatchObject({
        code: 'SSH_SETTINGS',
        message: `nodea: ${setting}: ${JSON.stringify(value)} is no name`,
      });
      const behind = sshHost('nodea', { ...node.options, adapter, jumps: [{ ...node.options, [setting]: value }] });
      await expect(hello(behind)).rejects.toMatchObject({ code: 'SSH_SETTINGS' });
      expect(node.connections()).toBe(0);
    }
  });

  it('can be used again after close', async () => {
    const { node, host } = await connected();
    await hello(host);
    await host.close();
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
    expect(node.connections()).toBe(2);
  });

  it('starts nothing behind close for a call that was under way', async () => {
    const { node, host } = await connected({ silentStarts: 1 });
    const running = hello(host);
    const refused = expect(running).rejects.toMatchObject({
      code: 'HOST_START',
      message: expect.stringContaining('closed'),
    });
    await vi.waitUntil(() => node.connections() === 1);
    await host.close();
    await refused;
    expect(node.connections()).toBe(1);
  });

  it('ends a connection on which nothing passes any more', async () => {
    const { node, host } = await connected({}, { keepaliveSeconds: 100 });
    await hello(host);
    node.pause();
    await host.close();
  });

  it.skipIf(!existsSync('/usr/sbin/sshd'))(
    'ends a connection through a jump host, too, on which nothing passes any more',
    async () => {
      const [jump, node] = [await startSshd(), await startNode()];
      cleanups.push(jump.stop, node.stop);
      const host = sshHost(
        'nodea',
        { ...node.options, keepaliveSeconds: 100, jumps: [{ ...jump.options, keepaliveSeconds: 100 }] },
        { path: '/usr/bin:/bin' },
      );
      await hello(host);
      jump.pause();
      await host.close();
    },
  );

  it('tries to connect anew after a failure to connect', async () => {
    const node = await startNode();
    cleanups.push(node.stop);
    const missing = join(node.directory, 'later');
    const host = sshHost('nodea', { ...node.options, knownHosts: [missing] }, { path: '/usr/bin:/bin' });
    cleanups.push(() => host.close());
    await expect(hello(host)).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
    copyFileSync(node.options.knownHosts?.[0] ?? '', missing);
    expect(await hello(host)).toMatchObject({ kind: 'completed' });
  });

  it.skipIf(!existsSync('/usr/sbin/sshd'))(
    'lives with the MaxSessions of a real sshd, also when all is cancelled',
    async () => {
      const sshd = await startSshd(['MaxSessions 2']);
      const host = sshHost('nodea', sshd.options, { path: '/usr/bin:/bin' });
      cleanups.push(sshd.stop, () => host.close());
      const outcomes = await Promise.all(Array.from({ length: 12 }, () => sleeping(host, 0)));
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 12 }, () => 'completed'));
      const controller = new AbortController();
      const script = { steps: [{ id: 'one', run: reads('sleep', '60'), timeoutSeconds: 100 }] };
      const running = Array.from({ length: 4 }, () => host.run(script, { signal: controller.signal }));
      await delay(1500);
      controller.abort();
      for (const outcome of await Promise.all(running)) expect(outcome.kind).toBe('cancelled');
    },
  );
});
