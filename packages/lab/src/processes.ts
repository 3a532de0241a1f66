import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** A process of a node, leader of a session of its own as under sshd. */
export type NodeProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** What runs on one node, so that a crash can end all of it. */
export interface Processes {
  /** Starts a program in a session of its own. */
  start(argv: readonly [string, ...string[]], environment?: Readonly<Record<string, string>>): NodeProcess;
  /** Ends whatever was started on this node and whatever that has started, at once, as a power failure does. */
  killAll(): Promise<void>;
  /** The same at once and once: what is being started meanwhile escapes. True when there was something. */
  killFound(): boolean;
}

/** Name of the environment variable by which a node's processes are known. */
const mark = 'LAB_NODE';

/** @param path The node's PATH. @param root The node's root directory, where processes start. */
export function nodeProcesses(name: string, root: string, path: string): Processes {
  // A process id may be used again by somebody else; this value belongs to this node of this lab only.
  const token = `${name}.${randomBytes(8).toString('hex')}`;
  const living = new Set<NodeProcess>();
  return {
    start(argv, environment = {}) {
      const [program, ...args] = argv;
      const child = spawn(program, args, {
        cwd: root,
        detached: true,
        stdio: 'pipe',
        env: {
          PATH: path,
          HOME: '/',
          LOGNAME: 'root',
          USER: 'root',
          TMPDIR: join(root, 'tmp'),
          ...environment,
          [mark]: token,
        },
      });
      living.add(child);
      child.on('close', () => living.delete(child));
      child.on('error', () => living.delete(child));
      // A program that ends without reading its input is no error of the lab.
      child.stdin.on('error', () => {});
      return child;
    },
    killFound,
    async killAll() {
      for (let round = 0; round < 20 && killFound(); round++) await delay(10);
    },
  };

  function killFound(): boolean {
    const found = marked(`${mark}=${token}`);
    for (const { pid, exitCode, signalCode } of living) {
      if (pid !== undefined && exitCode === null && signalCode === null) found.add(pid);
    }
    for (const pid of found) kill(pid);
    return found.size > 0;
  }
}

/**
 * What the end of a channel means for a session: its leader gets a hang-up, and the pipes are closed, so that whoever writes
 * to them gets SIGPIPE. Commands that it has started are left alone.
 */
export function hangUp(child: NodeProcess): void {
  child.kill('SIGHUP');
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

/** Process ids whose environment holds this entry. */
function marked(entry: string): Set<number> {
  const found = new Set<number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(entry)) found.add(Number(name));
    } catch {
      // Ended meanwhile, or somebody else's.
    }
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
