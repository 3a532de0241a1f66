import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Whether a program is on this machine, by what its `--version` says. */
export function isInstalled(program: string, says: RegExp): boolean {
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error === undefined && says.test(stdout);
}

/** Output of a program that must succeed. */
export function output(
  program: string,
  args: readonly string[],
  options: { cwd?: string; input?: string | Buffer } = {},
): Buffer {
  const run = spawnSync(program, args, {
    ...options,
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${run.status} ${run.stderr}`);
  return run.stdout;
}

/** A directory of its own, removed by `using`. */
export function scratch(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'splitmirror-archive-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A file system in small: what a backup meets, long and strange names included. */
export function populate(root: string): void {
  const file = (path: string | Buffer, content: string | Buffer, mode = 0o640) => {
    const full = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]);
    mkdirSync(dirname(full.toString('latin1')), { recursive: true });
    writeFileSync(full, content, { mode });
    utimesSync(full, 1_700_000_000, 1_700_000_000);
  };
  file('redo01.log', Buffer.alloc(70_000, 'redo '));
  file('empty', '');
  file('bin/start.sh', '#!/bin/sh\n', 0o755);
  file(`${'a-long-directory-name/'.repeat(6)}${'f'.repeat(99)}`, 'deep');
  file(`${'n'.repeat(180)}`, 'long name');
  file('name with blanks and ümlaut', 'ä');
  file(Buffer.from([0x6c, 0x61, 0x74, 0x69, 0x6e, 0x31, 0xe4]), 'not UTF-8');
  file('block', Buffer.alloc(512, 'b'));
  symlinkSync('redo01.log', join(root, 'current'));
  symlinkSync(`${'t'.repeat(150)}`, join(root, 'long-link'));
  mkdirSync(join(root, 'empty-directory'), { mode: 0o750 });
}
