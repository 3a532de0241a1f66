import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

// The others need something prepared for their example, and test it themselves.
const packages = ['backup', 'host', 'lab', 'levels', 'lvm'];

describe('the example of each README', () => {
  it.each(packages)('%s prints what it says', { timeout: 120_000 }, async (name) => {
    const folder = fileURLToPath(new URL(`../packages/${name}/`, import.meta.url));
    const readme = await readFile(`${folder}README.md`, 'utf8');
    const [, example = '', output = ''] = /```ts\n(.*?)```\n.*?```text\n(.*?)```/s.exec(readme) ?? [];
    expect(example).not.toBe('');
    const words = ['--conditions=@splitmirror/source', '--input-type=module-typescript', '--eval', example];
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: folder });
    expect(stdout).toBe(output);
  });
});
