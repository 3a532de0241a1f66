import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectLab } from '@splitmirror/lab';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const hasSsh = spawnSync('ssh', ['-V']).status === 0;

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'splitmirror-demo-test-'));
});
afterEach(() => rm(base, { recursive: true, force: true }));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('splitmirror demo', () => {
  it('does the main job with --json, and with --keep leaves nodes that a stock OpenSSH client can ask', {
    timeout: 180_000,
  }, async () => {
    const words = ['--conditions=@splitmirror/source', bin, 'demo', '--json', '--keep', '--directory', base];
    const { stdout } = await run(process.execPath, words, { maxBuffer: 64 << 20 });
    const lab = await connectLab(join(base, 'lab'));
    try {
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; demo?: string });
      expect(events.at(-1)).toMatchObject({ type: 'result', demo: 'passed' });
      expect(events.filter(({ type }) => type === 'archive-end')).toHaveLength(6);
      expect(await readdir(join(base, 'store', 'ledger_rg'))).toHaveLength(2);

      const { nodes, ssh } = await readConfig(join(base, 'lab', 'splitmirror.yaml'));
      expect(hasSsh, 'the OpenSSH client is needed for this').toBe(true);
      const ask = [
        '-p',
        String(nodes.db_node2?.port),
        '-i',
        ssh.identities[0] ?? '',
        '-o',
        `UserKnownHostsFile=${ssh.knownHosts?.[0]}`,
      ];
      const asked = await run('ssh', [
        ...ask,
        '-o',
        'BatchMode=yes',
        '-F',
        'none',
        'root@127.0.0.1',
        'lsvg -l ledgervg',
      ]);
      expect(asked.stdout).toMatch(/^ledgervg:\nLV NAME +TYPE +LPs +PPs +PVs +LV STATE +MOUNT POINT\n/);
      expect(asked.stdout).toMatch(/^journallv +jfs2 +16 +32 +2 +open\/syncd +\/ledger\/journal$/m);
    } finally {
      await lab.close();
    }
    // Told to end, it ends: nothing of a demo may stay behind.
    const { pid } = JSON.parse(await readFile(join(base, 'lab', 'process.json'), 'utf8')) as { pid: number };
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
  });
});
