import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectLab, startLab } from './index.ts';

describe('connectLab', () => {
  it('steers and stops a lab from elsewhere', async () => {
    const lab = await startLab({ contentBytes: 10_000, phaseMs: 1 });
    await expect(startLab({ directory: lab.directory })).rejects.toThrow('a lab already runs in');
    const control = await connectLab(lab.directory);
    expect((await control.status()).groups).toEqual({ ledger_rg: { db_node1: 'ONLINE', db_node2: 'OFFLINE' } });
    await control.move('ledger_rg', 'db_node2');
    expect((await control.status()).groups).toEqual({ ledger_rg: { db_node1: 'OFFLINE', db_node2: 'ONLINE' } });
    await control.crash('db_node2');
    expect((await control.status()).nodes).toMatchObject([
      { name: 'db_node1', up: true, manager: 'ST_STABLE' },
      { name: 'db_node2', up: false },
    ]);
    await control.recover('db_node2');
    await control.fault({ program: 'hostname', does: { kind: 'lies', stdout: 'elsewhere\n' } });
    expect((await lab.run('db_node1', ['hostname'])).stdout).toBe('elsewhere\n');
    await expect(control.move('no_rg', 'db_node1')).rejects.toThrow('no resource group no_rg in this lab');
    await expect(control.crash('nobody')).rejects.toThrow('no node nobody in this lab');
    await control.close();
    expect(existsSync(lab.directory)).toBe(false);
    await expect(connectLab(lab.directory)).rejects.toThrow();
  });

  it('leaves nothing when its process ends without closing it', async () => {
    const script = `import { startLab } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
const lab = await startLab({ contentBytes: 0 });
const { stdout } = await lab.transport('db_node1').open('echo $$; exec sleep 300');
stdout.once('data', (pid) => {
  console.log(lab.directory, String(pid).trim());
  process.exit(0);
});`;
    const child = spawn(process.execPath, ['--conditions=@splitmirror/source', '--input-type=module', '-e', script]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    await once(child, 'close');
    const [directory = '', pid = ''] = line.toString().trim().split(' ');
    expect(pid).toMatch(/^\d+$/);
    expect(existsSync(directory)).toBe(false);
    // Gone, or dead and not yet collected.
    const command = `/proc/${pid}/cmdline`;
    await expect.poll(() => existsSync(command) && readFileSync(command, 'utf8') !== '').toBe(false);
  });

  it('finds a lab again in the directory of one that was killed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lab-again-'));
    const module = join(import.meta.dirname, 'index.ts');
    const script = `import { startLab } from ${JSON.stringify(module)};
await startLab({ directory: ${JSON.stringify(directory)}, contentBytes: 0 });
console.log('started');`;
    const child = spawn(process.execPath, ['--conditions=@splitmirror/source', '--input-type=module', '-e', script]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    await expect(connectLab(directory)).rejects.toThrow();
    const lab = await startLab({ directory, contentBytes: 0 });
    expect((await lab.run('db_node1', ['hostname'])).stdout).toBe('dbhost1\n');
    await lab.close();
    rmSync(directory, { recursive: true });
  });
});
