import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import type { Answer } from '../command.ts';
import type { Command } from './commands.ts';
import { realPath } from './machine.ts';
import { isBelow } from './mounts.ts';

/** Processes of this machine that work in a directory or have a file of it open. The lab itself does not count. */
export function usersOf(directory: string): number[] {
  const top = realpathSync(directory);
  const inside = (link: string) => {
    try {
      return isBelow(readlinkSync(link), top);
    } catch {
      return false;
    }
  };
  const processes = list('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const users = processes.filter(
    (id) => inside(`/proc/${id}/cwd`) || list(`/proc/${id}/fd`).some((open) => inside(`/proc/${id}/fd/${open}`)),
  );
  return users.map(Number);
}

/** Names in a directory; none where there is no such directory, as on systems without /proc. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** `fuser`: who uses a file system (`-c`) or directory; `-k` ends them. Numbers go to stdout, the rest to stderr. */
export const fuser: Command = {
  options: 'cdfkuxV',
  run({ node, options, operands }): Answer {
    let stdout = '';
    let stderr = '';
    for (const path of operands) {
      const mount = node.mounts.find(({ volume }) => `/dev/${volume.name}` === path);
      const users = usersOf(realPath(node, mount?.mountPoint ?? path));
      stderr += `${path}: `;
      for (const user of users) {
        stdout += ` ${String(user).padStart(7)}`;
        stderr += options.has('u') ? 'c(root)' : 'c';
        if (options.has('k')) end(user);
      }
      stderr += '\n';
    }
    return { kind: 'exit', code: 0, stdout, stderr };
  },
};

/** Ends a process that the lab has started. Others are only listed: a person may be looking around. */
function end(user: number): void {
  try {
    for (let id = user; id !== process.pid; id = parentOf(id)) if (id <= 1) return;
    process.kill(user, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function parentOf(id: number): number {
  // The name in parentheses may hold anything.
  const words = readFileSync(`/proc/${id}/stat`, 'latin1').replace(/^.*\)/s, '').trim().split(' ');
  return Number(words[1]);
}
