import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemSurroundings } from './surroundings.ts';

const { controller, isAlive, newRunId, newToken, sleep } = systemSurroundings();

describe('isAlive', () => {
  it('knows a process that runs, one that has ended, and one of another machine', async () => {
    expect(isAlive(controller)).toBe('alive');
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const other = { ...controller, pid: child.pid ?? 0, birth: null };
    expect(isAlive(other)).toBe('alive');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(other)).toBe('gone');
    expect(isAlive({ ...controller, host: 'elsewhere' })).toBe('unknown');
    // A container or a clone of the same name, where nothing has this process id here.
    expect(isAlive({ ...other, machine: 'another' })).toBe('unknown');
  });

  it.skipIf(process.platform !== 'linux')(
    'is not fooled by a process id that was used again, nor by one that nobody has collected',
    async () => {
      expect(isAlive({ ...controller, birth: '1' })).toBe('gone');
      const child = spawn('sleep', ['60']);
      await once(child, 'spawn');
      child.kill('SIGKILL');
      // Blocks this process, so that the dead child stays uncollected.
      spawnSync('sleep', ['0.2']);
      expect(isAlive({ ...controller, pid: child.pid ?? 0, birth: '1' })).toBe('gone');
    },
  );
});

it('makes ids that fit into names', () => {
  for (let n = 0; n < 200; n++) expect(newRunId()).toMatch(/^[a-z][a-z0-9]{5}$/);
  expect(newToken()).toMatch(/^[0-9a-f]{32}$/);
});

it('sleeps no longer than it may', async () => {
  const started = performance.now();
  await sleep(60_000, AbortSignal.timeout(20));
  expect(performance.now() - started).toBeLessThan(10_000);
});
