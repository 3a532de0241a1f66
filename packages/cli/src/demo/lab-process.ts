import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDirectory } from '@splitmirror/host';
import { connectLab, type LabControl } from '@splitmirror/lab';
import { labConfigName } from '../commands/lab.ts';
import { DemoFailure } from './check.ts';

/** A lab that nobody ends any more, because the demo was killed, ends by itself; until then `recover` can be tried. */
export const labMinutes = 60;

/** The lab is a process of its own: killing the controller must leave the cluster standing. */
export async function startLabProcess(directory: string): Promise<LabControl> {
  await makeDirectory(directory);
  const log = openSync(join(directory, 'lab.log'), 'a', 0o600);
  const script = process.argv[1] ?? '';
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, 'lab', '--directory', directory, '--minutes', String(labMinutes)],
    {
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  child.unref();
  const ended = new Promise<number>((resolveExit) => child.once('exit', (code) => resolveExit(code ?? 1)));
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (existsSync(join(directory, labConfigName))) return connectLab(directory);
    const code = await Promise.race([ended, delay(50, undefined)]);
    if (code !== undefined) throw new DemoFailure(`the lab ended with ${code}: see ${join(directory, 'lab.log')}`);
  }
  throw new DemoFailure(`the lab does not start: see ${join(directory, 'lab.log')}`);
}
