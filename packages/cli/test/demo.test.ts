import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectLab, type LabControl } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config/read.ts';

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const hasSsh = spawnSync('ssh', ['-V']).status === 0;

let base: string;
let lab: LabControl;
let printed: string;
// One run of the demo for all of these, as it is shipped: a process of its own, and a lab that it leaves behind.
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-demo-test-'));
  const words = ['--conditions=@splitmirror/source', bin, 'demo', '--json', '--keep', '--directory', base];
  ({ stdout: printed } = await run(process.execPath, words, { maxBuffer: 64 << 20 }));
  lab = await connectLab(join(base, 'lab'));
}, 180_000);
afterAll(() => rm(base, { recursive: true, force: true }));

describe('splitmirror demo', () => {
  it('does the main job and tells it in JSON lines', async () => {
    const events = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; demo?: string });
    expect(events.at(-1)).toMatchObject({ type: 'result', demo: 'passed' });
    expect(events.filter(({ type }) => type === 'archive-end')).toHaveLength(6);
    expect(await readdir(join(base, 'store', 'ledger_rg'))).toHaveLength(2);
  });

  it.skipIf(!hasSsh)('leaves nodes that a stock OpenSSH client can ask, when told to keep them', async () => {
    const { nodes, ssh } = await readConfig(join(base, 'lab', 'splitmirror.yaml'));
    const port = String(nodes.db_node2?.port);
    const known = `UserKnownHostsFile=${ssh.knownHosts?.[0]}`;
    const options = ['-F', 'none', '-p', port, '-i', ssh.identities[0] ?? '', '-o', known, '-o', 'BatchMode=yes'];
    const { stdout } = await run('ssh', [...options, 'root@127.0.0.1', 'lsvg -l ledgervg']);
    expect(stdout).toMatch(/^ledgervg:\nLV NAME +TYPE +LPs +PPs +PVs +LV STATE +MOUNT POINT\n/);
    expect(stdout).toMatch(/^journallv +jfs2 +16 +32 +2 +open\/syncd +\/ledger\/journal$/m);
  });

  it('has a lab that ends when it is told to', async () => {
    const { pid } = JSON.parse(await readFile(join(base, 'lab', 'process.json'), 'utf8')) as { pid: number };
    expect(isRunning(pid)).toBe(true);
    await lab.close();
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
