import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectory } from './make-directory.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'splitmirror-make-directory-'));
});
afterEach(() => rmSync(base, { recursive: true }));

describe('makeDirectory', () => {
  it('makes what is missing, for nobody else, and leaves what is there', async () => {
    const directory = join(base, 'a', 'b');
    await makeDirectory(directory);
    for (const made of [join(base, 'a'), directory]) expect(statSync(made).mode & 0o777).toBe(0o700);
    chmodSync(directory, 0o755);
    await Promise.all([makeDirectory(directory), makeDirectory(`${directory}/`), makeDirectory('/')]);
    expect(statSync(directory).mode & 0o777).toBe(0o755);
    await makeDirectory(join(directory, 'c'), 0o750);
    expect(statSync(join(directory, 'c')).mode & 0o777).toBe(0o750);
  });

  it('takes it that others make the same meanwhile, and goes where a link leads', async () => {
    await Promise.all(Array.from({ length: 8 }, () => makeDirectory(join(base, 'x', 'y', 'z'))));
    symlinkSync('x', join(base, 'link'));
    await makeDirectory(join(base, 'link', 'w'));
    expect(statSync(join(base, 'x', 'w')).isDirectory()).toBe(true);
  });

  it('says what is in the way', async () => {
    writeFileSync(join(base, 'file'), '');
    symlinkSync('nowhere/at/all', join(base, 'lost'));
    await expect(makeDirectory(join(base, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeDirectory(join(base, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(makeDirectory(join(base, 'lost'))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'stat' });
  });

  it.skipIf(process.platform !== 'linux')('ends where a file system makes no directories, and says so', async () => {
    await expect(makeDirectory('/proc/splitmirror/x')).rejects.toMatchObject({
      code: 'ENOENT',
      message: 'ENOENT: the file system of /proc makes no directories, mkdir /proc/splitmirror',
    });
  });

  const canMount = process.getuid?.() === 0 && process.platform === 'linux';
  it.skipIf(!canMount)('names a file system that is read-only (needs root)', async () => {
    const directory = join(base, 'tmpfs');
    mkdirSync(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory]);
    try {
      await expect(makeDirectory(join(directory, 'a', 'b'))).rejects.toMatchObject({ code: 'EROFS' });
      await makeDirectory(directory);
    } finally {
      execFileSync('umount', [directory]);
    }
  });
});
