import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changes, reads } from './command.ts';
import { localHost } from './local.ts';
import type { Script } from './script.ts';
import type { Sudo } from './shell.ts';

/** Writes down what it is called with, and runs what stands behind `--`. */
const stand = `#!/bin/sh
echo "$*" >>"\${0%/*}/log"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
`;

describe('sudo on a host', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'splitmirror-sudo-'));
    writeFileSync(join(directory, 'sudo'), stand);
    chmodSync(join(directory, 'sudo'), 0o755);
    writeFileSync(join(directory, 'log'), '');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const script: Script = {
    steps: [
      { id: 'look', run: reads('echo', 'seen'), timeoutSeconds: 7 },
      { id: 'change', run: changes('echo', "it's done"), timeoutSeconds: 8 },
      { id: 'note', run: { pipe: [reads('echo', 'a'), changes('cat')] }, timeoutSeconds: 9 },
      { id: 'input', run: changes('cat'), stdin: 'text\n', timeoutSeconds: 10 },
    ],
  };

  async function called(sudo: Sudo, path = `${directory}:/usr/bin:/bin`): Promise<string[]> {
    const host = localHost('nodea', { path, sudo });
    const outcome = await host.run(script);
    expect(outcome.steps.map((step) => step.kind === 'ended' && step.stdout)).toEqual([
      'seen\n',
      "it's done\n",
      'a\n',
      'text\n',
    ]);
    return readFileSync(join(directory, 'log'), 'utf8').trim().split('\n').sort();
  }

  it('is put before what changes the node, with the deadline of the step', async () => {
    expect(await called({ commands: 'changes' })).toEqual([
      '-n -T 10 -- cat',
      "-n -T 8 -- echo it's done",
      '-n -T 9 -- cat',
    ]);
  });

  it('is put before every command when that is asked for', async () => {
    expect(await called({ commands: 'all' })).toEqual([
      '-n -T 10 -- cat',
      '-n -T 7 -- echo seen',
      "-n -T 8 -- echo it's done",
      '-n -T 9 -- cat',
      '-n -T 9 -- echo a',
    ]);
  });

  it('is found where the host says', async () => {
    expect(await called({ commands: 'changes', program: join(directory, 'sudo') }, '/usr/bin:/bin')).toHaveLength(3);
  });

  it('is put before a streamed command', async () => {
    const host = localHost('nodea', { path: `${directory}:/usr/bin:/bin`, sudo: { commands: 'all' } });
    const stream = await host.stream(reads('echo', 'streamed'), { timeoutSeconds: 11 });
    let text = '';
    for await (const chunk of stream.stdout) text += String(chunk);
    expect(text).toBe('streamed\n');
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('-n -T 11 -- echo streamed\n');
  });
});
