import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from './command.ts';
import { type Answering, makeRequestFifos, receiveCalls } from './dispatcher.ts';
import { writeShims } from './shims.ts';

let directory: string;
let stop: () => void = () => {};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-shims-'));
});
afterEach(() => {
  stop();
  rmSync(directory, { recursive: true, force: true });
});

function serve(shell: string, answering: Answering): string {
  const [bin, exchange] = [join(directory, 'bin'), join(directory, 'exchange')];
  mkdirSync(exchange);
  writeShims(bin, ['probe', '['], shell);
  makeRequestFifos([exchange]);
  stop = receiveCalls(exchange, answering);
  return bin;
}

const exchanged = () => readdirSync(join(directory, 'exchange')).sort();

async function call(
  bin: string,
  args: readonly string[],
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(join(bin, 'probe'), args, { env: { PATH: bin } });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

const busybox = '/usr/bin/busybox';
const applets = mkdtempSync(join(tmpdir(), 'lab-busybox-'));
if (existsSync(busybox)) symlinkSync(busybox, join(applets, 'sh'));
afterAll(() => rmSync(applets, { recursive: true }));

const shells = ['/bin/sh', '/usr/bin/dash', '/usr/bin/bash', '/usr/bin/ksh93', '/usr/bin/mksh', join(applets, 'sh')];
const echo: Answering = async (_program, args, stdin): Promise<Answer> => ({
  kind: 'exit',
  code: 3,
  stdout: JSON.stringify(args),
  stderr: args[0] === 'read' ? (await stdin()).toString('latin1') : "it's\n\nhere",
});

describe.each(shells)('a shim under %s', (shell) => {
  const missing = spawnSync(shell, ['-c', 'true']).status !== 0;

  it.skipIf(missing)(
    'hands over any argument and prints any answer (skipped where the shell is not installed)',
    async () => {
      const bin = serve(shell, echo);
      const word = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '').toWellFormed());
      await fc.assert(
        fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
          const { code, stdout, stderr } = await call(bin, ['x', ...words]);
          expect([code, JSON.parse(stdout), stderr]).toEqual([3, ['x', ...words], "it's\n\nhere"]);
        }),
        { numRuns: 15, examples: [[['', 'a\nb\n', '-n', '\\0101', "'", '"$x`', ' ']]] },
      );
      expect(exchanged()).toEqual(['requests']);
    },
  );

  it.skipIf(missing)('reads standard input only when it is wanted', async () => {
    const bin = serve(shell, echo);
    expect((await call(bin, ['read'], 'y\n\xe9 no newline')).stderr).toBe(
      Buffer.from('y\n\xe9 no newline').toString('latin1'),
    );
    expect(exchanged()).toEqual(['requests']);
  });

  it.skipIf(missing)('prints more than fits into a pipe', async () => {
    const text = "a line with a quote ' and some length to it\n".repeat(20_000);
    const bin = serve(shell, async () => ({ kind: 'exit', code: 0, stdout: text }));
    expect(await call(bin, [])).toEqual({ code: 0, stdout: text, stderr: '' });
    expect(exchanged()).toEqual(['requests']);
  });

  it.skipIf(missing)('becomes a program with the streams of its caller', async () => {
    const bin = serve(shell, async () => ({
      kind: 'run',
      argv: ['/bin/sh', '-c', '/bin/cat; echo "$1 $PATH"', 'x', "a 'word'"],
    }));
    expect((await call(bin, [], 'through\n')).stdout).toBe(`through\na 'word' ${bin}\n`);
  });
});

describe('receiveCalls', () => {
  it('notices callers that are killed, and leaves nothing of them', async () => {
    const bin = serve('/bin/sh', async (_program, [kind], stdin) => {
      if (kind === 'read') await stdin();
      return { kind: 'hang', stderr: 'waiting\n' };
    });
    const children = ['hang', 'read', 'hang'].map((kind) => spawn(join(bin, 'probe'), [kind], { env: { PATH: bin } }));
    const [first] = children;
    if (first !== undefined) expect(String((await once(first.stderr, 'data'))[0])).toBe('waiting\n');
    for (const child of children) child.kill('SIGKILL');
    await expect.poll(exchanged).toEqual(['requests']);
  });

  it('serves many callers at once', async () => {
    const bin = serve('/bin/sh', async (_program, args) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { kind: 'exit', code: Number(args[0]), stdout: `${args[0]}\n` };
    });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => call(bin, [String(index)])));
    expect(answers.map(({ code }) => code)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  it('lets a shim fail when the lab is gone', () => {
    const bin = serve('/bin/sh', echo);
    stop();
    expect(() => execFileSync(join(bin, 'probe'), { stdio: 'pipe' })).toThrow(/node is down/);
  });
});
