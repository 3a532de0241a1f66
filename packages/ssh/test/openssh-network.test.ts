import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reads } from '@splitmirror/host';
import { describe, expect, it, vi } from 'vitest';
import type { SshOptions } from '../src/options.ts';
import { afterwards, hostOver } from './greet.ts';
import { type Sshd, startSshd } from './sshd.ts';

// What lies in it is this file's own, whatever runs beside it; short, since it holds a socket.
process.env.TMPDIR = mkdtempSync('/tmp/st-');

const programs = ['/usr/bin/ssh', '/usr/sbin/sshd', '/bin/ps'] as const;
const ps = programs[2];

async function sshd(settings?: readonly string[]): Promise<Sshd> {
  const started = await startSshd(settings);
  afterwards(started.stop);
  return started;
}

function host(options: SshOptions) {
  return hostOver({ ...options, adapter: 'openssh' });
}

const greet = { steps: [{ id: 'one', run: reads('echo', 'hi'), timeoutSeconds: 10 }] };

describe.skipIf(!programs.every(existsSync))(
  "the system's ssh on a network that misbehaves",
  { timeout: 60_000 },
  () => {
    it('gives up a link on which nothing passes any more, and says unknown', async () => {
      const { options, pause, directory } = await sshd();
      const nodea = host({ ...options, keepaliveSeconds: 1, keepaliveCount: 2 });
      await nodea.run(greet);
      const asleep = join(directory, 'asleep');
      const run = reads('sh', '-c', ': >"$1"; exec sleep 60', 'sh', asleep);
      const running = nodea.run({ steps: [{ id: 'one', run, timeoutSeconds: 90 }] });
      await vi.waitUntil(() => existsSync(asleep), { timeout: 25_000 });
      pause();
      expect(await running).toMatchObject({
        kind: 'unknown',
        reason: expect.stringMatching(/^connection lost: Timeout, server 127\.0\.0\.1 not responding/),
      });
    });

    it('connects anew at the next call after a loss', async () => {
      const { options, cut } = await sshd();
      const nodea = host(options);
      expect((await nodea.run(greet)).kind).toBe('completed');
      cut();
      expect((await nodea.run(greet)).kind).toBe('completed');
    });

    it('does not wait for ever for a login', async () => {
      const { options } = await sshd();
      const silent = createServer(() => {}).listen(0, '127.0.0.1');
      afterwards(() => silent.close());
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      await expect(host({ ...options, port, connectSeconds: 1 }).run(greet)).rejects.toMatchObject({
        code: 'HOST_UNREACHABLE',
        message: expect.stringContaining('no login within 1 seconds'),
      });
    });

    it('says where it can make no directory for its sockets', async () => {
      const { options } = await sshd();
      vi.stubEnv('TMPDIR', '/nope');
      afterwards(() => vi.unstubAllEnvs());
      await expect(host(options).run(greet)).rejects.toMatchObject({
        code: 'HOST_UNREACHABLE',
        message: expect.stringContaining("mkdtemp '/nope/sm-"),
        remedy: expect.stringContaining('TMPDIR'),
      });
    });

    it('brings a long stream whole while keys are changed every megabyte', async () => {
      const { direct } = await sshd(['RekeyLimit 1M']);
      const nodea = host(direct);
      const stream = await nodea.stream(reads('sh', '-c', 'yes 0123456789abcde | head -c 16777216'), {
        timeoutSeconds: 60,
      });
      const hash = createHash('sha256');
      for await (const chunk of stream.stdout) hash.update(chunk as Buffer);
      expect(await stream.outcome).toMatchObject({ kind: 'ended', memberCodes: [0] });
      expect(hash.digest('hex')).toBe(
        createHash('sha256')
          .update('0123456789abcde\n'.repeat(1 << 20))
          .digest('hex'),
      );
    });

    it('is not reached by the signals of the terminal, so that a person who gives up still gets a clean end', async () => {
      const { options } = await sshd();
      const nodea = host(options);
      const controller = new AbortController();
      const script = { steps: [{ id: 'one', run: reads('sleep', '60'), timeoutSeconds: 100 }] };
      const running = nodea.run(script, { signal: controller.signal });
      const session = () => {
        const lines = execFileSync(ps, ['-o', 'pid=,pgid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
        return /^\s*(\d+)\s+(\d+) ssh -F .* session echo /m.exec(lines);
      };
      const [, pid, group] = await vi.waitUntil(session, { timeout: 25_000, interval: 200 });
      expect(group).toBe(pid);
      controller.abort();
      expect((await running).kind).toBe('cancelled');
    });

    it('leaves no process and no file behind when it is closed', async () => {
      const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('sm-'));
      const before = left();
      const { options } = await sshd();
      const nodea = host(options);
      await nodea.run(greet);
      const [own = ''] = left().filter((name) => !before.includes(name));
      expect(own).not.toBe('');
      await nodea.close();
      expect(left()).not.toContain(own);
      expect(execFileSync(ps, ['-eo', 'args='], { encoding: 'utf8' })).not.toContain(own);
    });
  },
);
