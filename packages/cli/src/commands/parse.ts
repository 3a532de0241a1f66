import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readerOf as clusterReader } from '@splitmirror/hacmp';
import { readerOf as levelReader } from '@splitmirror/levels';
import { readerOf as storageReader } from '@splitmirror/lvm';
import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';

/** Reads the saved output of a command of HACMP, of LVM, or of the software levels, and prints it as JSON. */
export async function parse(command: string, file: string | undefined): Promise<number> {
  // Software lists are read by the package that knows all their generations, although the cluster reads one of them too.
  const listReader = /\blslpp\b/.test(command) ? levelReader(command) : undefined;
  const reader = listReader ?? storageReader(command) ?? clusterReader(command) ?? levelReader(command);
  if (reader === undefined) {
    throw new ConfigError(`no reader for ${JSON.stringify(command)}`, {
      remedy:
        'Name the command as it was typed, with its options; the packages hacmp, lvm and levels list what they read.',
    });
  }
  const output = file === undefined ? await text(process.stdin) : await readFile(file, 'utf8').catch(unreadable(file));
  process.stdout.write(`${JSON.stringify(reader(output), null, 2)}\n`);
  return exitCodes.OK.code;
}

function unreadable(file: string) {
  return (cause: Error): never => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, { remedy: 'Name a file, or pipe it in.', cause });
  };
}
