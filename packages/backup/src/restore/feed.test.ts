import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changes, localTransport } from '@splitmirror/host';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Feedable, feed } from './feed.ts';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-feed-'));
});

const shells = ['sh', 'dash', 'bash', 'ksh93', 'mksh'].flatMap((name) => {
  try {
    return [execFileSync('which', [name], { encoding: 'utf8' }).trim()];
  } catch {
    return [];
  }
});
const node = (shell?: string): Feedable => ({ transport: localTransport('here'), path: '/usr/bin:/bin', shell });

async function* chunks(count: number, each = 65_536): AsyncGenerator<Buffer> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(each, index);
}

describe('feed', () => {
  it.each(shells)('gives every byte to the command, and none to %s', async (shell) => {
    const to = join(base, `out-${shell.replaceAll('/', '-')}`);
    const outcome = await feed(node(shell), changes('dd', `of=${to}`, 'ibs=64k', 'obs=1024k'), chunks(100), {
      timeoutSeconds: 30,
    });
    expect(outcome).toMatchObject({ kind: 'ended', status: 0 });
    const written = await readFile(to);
    expect(written.length).toBe(6_553_600);
    expect(written.subarray(0, 65_536).equals(Buffer.alloc(65_536, 0))).toBe(true);
    expect(written[6_553_599]).toBe(99);
  });

  it('tells the status and the words of a command that fails, and sends it no more', async () => {
    const outcome = await feed(node(), changes('sh', '-c', 'echo no room >&2; exit 3'), chunks(1000), {
      timeoutSeconds: 30,
    });
    expect(outcome).toEqual({ kind: 'ended', status: 3, stderr: 'no room' });
  });

  it('hears the words that come after the status', async () => {
    const late = changes('sh', '-c', '(sleep 0.3; echo no room >&2) & exit 3');
    const outcome = await feed(node(), late, chunks(1), { timeoutSeconds: 30 });
    expect(outcome).toEqual({ kind: 'ended', status: 3, stderr: 'no room' });
  });

  it('ends the input at the deadline, and when it is asked to', async () => {
    async function* slow(): AsyncGenerator<Buffer> {
      for (;;) {
        yield Buffer.from('x');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    expect(await feed(node(), changes('cat'), slow(), { timeoutSeconds: 1 })).toMatchObject({ kind: 'cut', status: 0 });
    const signal = AbortSignal.timeout(200);
    expect(await feed(node(), changes('cat'), slow(), { timeoutSeconds: 60, signal })).toMatchObject({ kind: 'cut' });
    const stuck = await feed(node(), changes('sh', '-c', 'sleep 2'), chunks(100), { timeoutSeconds: 1 });
    expect(stuck.kind).toBe('cut');
  });

  it('throws what went wrong with the input, once the command has ended', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      throw new Error('damaged');
    }
    await expect(feed(node(), changes('cat'), failing(), { timeoutSeconds: 30 })).rejects.toThrow('damaged');
  });

  it('does not know how a command ended whose shell was killed', async () => {
    const outcome = await feed(node(), changes('sh', '-c', 'kill -9 $PPID'), chunks(10), { timeoutSeconds: 5 });
    expect(outcome).toMatchObject({ kind: 'unknown' });
  });
});
