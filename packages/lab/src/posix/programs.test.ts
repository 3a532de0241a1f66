import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { posixCommands } from './programs.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lab-root-'));
  mkdirSync(join(root, 'data/sub'), { recursive: true });
  writeFileSync(join(root, 'data/file'), 'content\n');
  writeFileSync(join(root, 'data/sub/name with blank'), 'more\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

let mount: { readOnly: boolean; frozen: boolean } | undefined;
afterEach(() => {
  mount = undefined;
});

async function run(
  program: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const commands = posixCommands({
    root: () => root,
    device: (_node, path) => (path === '/dev/rdatalv' ? join(root, 'device') : undefined),
    storeDevice: () => false,
    mount: (_node, path) => (path.startsWith('/mounted') ? mount : undefined),
    path: () => join(root, 'bin'),
    shell: '/bin/sh',
    profile: () => '/dev/null',
  });
  const answer = await commands[program]?.({ node: 'n1', program, args, stdin: async () => Buffer.from(input) });
  if (answer?.kind === 'exit')
    return { code: answer.code, stdout: Buffer.from(answer.stdout ?? ''), stderr: answer.stderr ?? '' };
  if (answer?.kind !== 'run') throw new Error(`${program} did not answer`);
  const { status, stdout, stderr } = spawnSync(answer.argv[0], answer.argv.slice(1), { input, cwd: root });
  return { code: status, stdout, stderr: stderr.toString() };
}

const text = async (program: string, ...args: string[]) => (await run(program, args)).stdout.toString();

describe('posixCommands', () => {
  it('sees the node root as /', async () => {
    expect(await text('cat', '/data/file')).toBe('content\n');
    expect(await text('cat', '/../../data/file')).toBe('content\n');
    expect(await text('ls', '-d', '/data', '/data/file')).toBe('/data\n/data/file\n');
    expect((await text('find', '/data', '-type', 'f')).split('\n').sort()).toEqual([
      '',
      '/data/file',
      '/data/sub/name with blank',
    ]);
    expect(await text('find', '/data', '-name', 'file', '-exec', 'cat', '{}', ';')).toBe('content\n');
    expect((await run('ls', ['/none'])).stderr).toMatch(/ '?\/none'?: No such file/);
    expect((await run('test', ['-d', '/data/sub'])).code).toBe(0);
    expect((await run('grep', ['-l', 'more', '/data/file'])).code).toBe(1);
  });

  it('keeps the status and both streams of what it filters', async () => {
    const { code, stdout, stderr } = await run('ls', ['-d', '/data', '/none']);
    expect([code, stdout.toString()]).toEqual([2, '/data\n']);
    expect(stderr).not.toContain(root);
  });

  it('takes names that tar is given as they stand, in operands and in a list', async () => {
    const odd = 'back\\slash\\n';
    writeFileSync(join(root, 'data', odd), 'odd');
    writeFileSync(join(root, 'data', '-rf'), 'flags');
    writeFileSync(join(root, 'list'), `${odd}\n-rf\n`);
    const names = (archive: Buffer) =>
      execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], { input: archive, encoding: 'utf8' });
    const asked = await run('tar', ['-cf', '-', '-C', '/data', odd]);
    expect([asked.stderr, names(asked.stdout)]).toEqual(['', `${odd}\n`]);
    const listed = await run('tar', ['-cf', '-', '-C', '/data', '-L', '/list']);
    expect([listed.stderr, names(listed.stdout)]).toEqual(['', `${odd}\n-rf\n`]);
  });

  it('writes plain ustar from a directory, and keeps absolute names as AIX does', async () => {
    const archive = await run('tar', ['-cf', '-', '-C', '/data', '.']);
    expect(archive.stdout.toString('latin1', 257, 263)).toBe('ustar\0');
    const listing = await run('tar', ['-tf', '-'], archive.stdout);
    expect(listing.stdout.toString().split('\n').sort()).toEqual([
      '',
      './',
      './file',
      './sub/',
      './sub/name with blank',
    ]);
    const absolute = await run('tar', ['-cf', '-', '/data/file']);
    expect(absolute.stdout.toString('latin1', 0, 11)).toBe('/data/file\0');
    mkdirSync(join(root, 'out'));
    expect((await run('tar', ['-xBpf', '-', '-C', '/out'], archive.stdout)).code).toBe(0);
    expect(readFileSync(join(root, 'out/sub/name with blank'), 'utf8')).toBe('more\n');
  });

  it.each([['--version'], ['-czf', '-', '.'], ['-c', '--exclude=x', '.'], ['-cjf', '-', '.'], ['.'], ['-ctf', '-']])(
    'refuses what AIX tar does not know: %s',
    async (...args) => {
      const { code, stdout, stderr } = await run('tar', args);
      expect([code, stdout.length]).toEqual([1, 0]);
      expect(stderr).toMatch(/^tar: .*\nUsage: tar /);
    },
  );

  it('writes the portable header with cpio -c', async () => {
    const { stdout, code } = await run('cpio', ['-oc'], 'data/file\n');
    expect(code).toBe(0);
    expect(stdout.toString('latin1', 0, 6)).toBe('070707');
    expect((await run('cpio', ['-it'], stdout)).stdout.toString()).toBe('data/file\n');
    expect((await run('cpio', ['--create'])).code).toBe(2);
  });

  it('refuses to write to a read-only file system', async () => {
    mount = { readOnly: true, frozen: false };
    for (const [program, ...args] of [
      ['touch', '/mounted/x'],
      ['cp', '/data/file', '/mounted/x'],
      ['dd', 'if=/data/file', 'of=/mounted/x'],
      ['tar', '-xf', '-', '-C', '/mounted'],
    ] as const) {
      expect((await run(program, args)).stderr).toMatch(/: \/mounted(\/x)?: Read-only file system\n$/);
    }
    expect((await run('cp', ['/mounted/x', '/data/y'])).stderr).not.toMatch(/Read-only/);
  });

  it('holds writers while a file system is frozen', async () => {
    mkdirSync(join(root, 'mounted'));
    const frozen = { readOnly: false, frozen: true };
    mount = frozen;
    let done = false;
    const touched = run('touch', ['/mounted/x']).then((ran) => {
      done = true;
      return ran;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(done).toBe(false);
    frozen.frozen = false;
    expect((await touched).code).toBe(0);
  });

  it('saves and restores by name', async () => {
    symlinkSync('file', join(root, 'data/link'));
    const names = 'data\n./data/file\ndata/sub/name with blank\ndata/link\nnone\n';
    const saved = await run('backup', ['-iqf', '-'], names);
    expect(saved.stdout.length).toBe(51_200);
    expect(saved.stderr).toMatch(/^backup: 0511-089 Cannot open none: /);
    const listed = await run('restore', ['-Tqf', '-'], saved.stdout);
    expect(listed.stderr).toBe('');
    expect(listed.stdout.toString()).toBe('data\n./data/file\ndata/sub/name with blank\ndata/link\n');
    rmSync(join(root, 'data'), { recursive: true });
    expect((await run('restore', ['-xdqf', '-', 'data/sub'], saved.stdout)).code).toBe(0);
    expect(readdirSync(join(root, 'data'))).toEqual(['sub']);
    expect((await run('restore', ['-xdqf', '-'], saved.stdout)).code).toBe(0);
    expect(readFileSync(join(root, 'data/link'), 'utf8')).toBe('content\n');
    expect((await run('restore', ['-xqf', '-'], saved.stdout.subarray(0, 200))).code).toBe(1);
    expect((await run('backup', ['-0', '-f', '-', '/data'])).code).toBe(1);
  });

  it('reads a device with dd and prints what AIX prints', async () => {
    writeFileSync(join(root, 'device'), Buffer.alloc(4096, 7));
    const { stdout, stderr, code } = await run('dd', ['if=/dev/rdatalv', 'bs=1024', 'count=2']);
    expect([code, stdout.length, stderr]).toEqual([0, 2048, '2+0 records in\n2+0 records out\n']);
    expect((await run('dd', ['if=/data/file', 'status=none'])).code).toBe(2);
    expect((await run('dd', ['if=/data/file', 'conv=fsync'])).code).toBe(2);
  });
});

describe('crontab', () => {
  it('keeps any bytes, from a file or from its input, and tells when there are none', async () => {
    const odd = Buffer.from([0x23, 0xff, 0x0d, 0x0a, 0x00, 0xc3]);
    expect(await run('crontab', ['-l'])).toMatchObject({ code: 1, stderr: expect.stringContaining('0481-103') });
    writeFileSync(join(root, 'data/table'), odd);
    expect((await run('crontab', ['/data/table'])).code).toBe(0);
    expect((await run('crontab', ['-l'])).stdout).toEqual(odd);
    await run('crontab', [], '0 1 * * * x');
    expect(await text('crontab', '-l')).toBe('0 1 * * * x');
    expect((await run('crontab', ['/data/nothing'])).code).toBe(1);
    expect((await run('crontab', ['-r'])).code).toBe(0);
    expect((await run('crontab', ['-l'])).code).toBe(1);
    expect((await run('crontab', ['-q'])).stderr).toMatch(/^Usage/);
  });
});
