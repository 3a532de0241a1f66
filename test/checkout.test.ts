import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { pathOfTheMachine } from './walkthrough.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'splitmirror checkout ')));
});

/** Types `splitmirror` in a directory of the reader, whose path finds it in `bin`. */
function type(bin: string, ...words: string[]) {
  return run('splitmirror', words, { cwd: directory, env: { PATH: [bin, pathOfTheMachine()].join(delimiter) } });
}

describe('bin/splitmirror', () => {
  it('runs in the directory of whoever types it', async () => {
    await writeFile(join(directory, 'saved.txt'), 'payrg:ONLINE:db1:non-concurrent:OHN:FNPN:NFB:ignore::: : :::\n');
    const { stdout } = await type(join(root, 'bin'), 'parse', '--command', 'clRGinfo -s', 'saved.txt');
    expect(JSON.parse(stdout)).toMatchObject([{ group: 'payrg' }]);
  });

  it('is found through symbolic links', async () => {
    await mkdir(join(directory, 'one'));
    await mkdir(join(directory, 'two'));
    await symlink(join(root, 'bin/splitmirror'), join(directory, 'one/linked'));
    await symlink('../one/linked', join(directory, 'two/splitmirror'));
    expect((await type(join(directory, 'two'), '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says what to type where nothing is installed yet', async () => {
    await cp(join(root, 'bin'), join(directory, 'fresh/bin'), { recursive: true });
    await expect(type(join(directory, 'fresh/bin'), '--version')).rejects.toMatchObject({
      code: 1,
      stderr: `splitmirror: its dependencies are not installed\n  npm --prefix '${directory}/fresh' ci\n`,
    });
  });
});
