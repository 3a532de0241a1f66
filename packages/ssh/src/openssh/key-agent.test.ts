import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveKeys } from './key-agent.ts';

describe('serveKeys', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sk-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('ends no process when connections to it cannot be taken, as without file descriptors', async () => {
    const server = await serveKeys(join(directory, 'agent'), [], false);
    for (let times = 0; times < 3; times++)
      expect(() => server.emit('error', new Error('accept EMFILE'))).not.toThrow();
    server.close();
  });

  it('rejects where it cannot listen', async () => {
    const path = join(directory, 'agent');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await expect(serveKeys(path, [], false)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  });
});
