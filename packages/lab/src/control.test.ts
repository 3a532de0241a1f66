import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { connectLab, startLab } from './index.ts';

describe('connectLab', () => {
  it('steers and stops a lab from elsewhere', async () => {
    const lab = await startLab({ contentBytes: 10_000, phaseMs: 1 });
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
});
