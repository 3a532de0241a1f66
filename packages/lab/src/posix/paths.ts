import { accessSync, constants } from 'node:fs';
import { delimiter, join, posix } from 'node:path';

/** Devices of this machine that a node sees as its own. */
const sharedDevices = /^\/dev\/(null|zero|tty|stdin|stdout|stderr|urandom|random|fd\/\d+)$/;

/** Where an absolute path of the node lies on this machine; any other word is handed back as it is. */
export function mapPath(root: string, word: string): string {
  if (!word.startsWith('/') || sharedDevices.test(word)) return word;
  // A program that runs on this machine, as find does with -exec, hands on paths of this machine.
  if (word === root || word.startsWith(`${root}/`)) return word;
  return join(root, posix.normalize(word));
}

/** Absolute path of a program of this machine, or nothing when it has none of that name. */
export function realProgram(name: string): string | undefined {
  const places = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', ...(process.env.PATH ?? '').split(delimiter)];
  return places
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
