import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reads } from '@splitmirror/host';
import { type Lab, startLab } from '@splitmirror/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sshHost } from '../src/index.ts';

describe.each(['ssh2', 'openssh', 'auto'] as const)('a node of the lab, reached with %s', (adapter) => {
  let directory = '';
  let lab: Lab;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'splitmirror-adapter-'));
    lab = await startLab({ directory });
  });
  afterAll(async () => {
    await lab.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.skipIf(!existsSync('/usr/bin/ssh'))('is asked, and what runs on it is ended on request', async () => {
    for (const { name, port, path, host } of lab.nodes) {
      const node = sshHost(
        name,
        {
          adapter,
          address: '127.0.0.1',
          port,
          user: 'root',
          identities: [{ file: lab.identityFile }],
          knownHosts: [lab.knownHostsFile],
          agent: false,
        },
        { path, shell: lab.shell },
      );
      const asked = await node.run({ steps: [{ id: 'name', run: reads('hostname'), timeoutSeconds: 10 }] });
      expect(asked).toMatchObject({ kind: 'completed', steps: [{ kind: 'ended', stdout: `${host}\n` }] });
      const controller = new AbortController();
      const running = node.run(
        { steps: [{ id: 'wait', run: reads('sleep', '100'), timeoutSeconds: 200 }] },
        { signal: controller.signal },
      );
      setTimeout(() => controller.abort(), 200);
      expect((await running).kind).toBe('cancelled');
      await node.close();
    }
  });
});
