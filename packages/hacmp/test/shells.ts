import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Shells of this machine that stand for the one of AIX. */
export const shells = ['dash', 'ksh93', 'mksh'].filter((shell) => pathOf(shell) !== '');

/** Absolute path of a program of this machine; empty when it is not here. */
export function pathOf(program: string): string {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
}

export async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

/** A directory with some of this machine's programs and some of the test's, and nothing else. */
export async function toolbox(
  directory: string,
  own: Readonly<Record<string, string>>,
  tools: readonly string[],
): Promise<string> {
  await mkdir(directory, { recursive: true });
  for (const tool of tools) if (!(tool in own)) await symlink(pathOf(tool), join(directory, tool));
  for (const [name, text] of Object.entries(own)) await writeProgram(join(directory, name), text);
  return directory;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script under a shell. */
export function runScript(
  shell: string,
  file: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    execFile(pathOf(shell), [file, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
