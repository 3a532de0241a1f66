import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readerOf as clusterReader } from '@splitmirror/hacmp';
import { readerOf as levelReader } from '@splitmirror/levels';
import { type ReaderOptions, readerOf as storageReader } from '@splitmirror/lvm';
import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';
import { terminalText } from '../terminal-text.ts';

/** Reads the saved output of a command of HACMP, of LVM, or of the software levels, and prints it as JSON. */
export async function parse(command: string, file: string | undefined): Promise<number> {
  const read = readerFor(command);
  if (read === undefined) {
    throw new ConfigError(`no reader for ${JSON.stringify(command)}`, {
      remedy:
        'Name the command as it was typed, with its options; the packages hacmp, lvm and levels list what they read.',
    });
  }
  const output = file === undefined ? await text(process.stdin) : await readFile(file, 'utf8').catch(unreadable(file));
  process.stdout.write(`${JSON.stringify(read(output, { onMessage: warn }), null, 2)}\n`);
  return exitCodes.OK.code;
}

/**
 * Several packages read the same command, each for what it needs: the cluster takes a few rows of `lsvg` where the storage
 * wants all. So the strictest reader is asked alone, because what it refuses another would take by half. Of software lists,
 * the levels know all generations.
 */
function readerFor(command: string): ((output: string, options: ReaderOptions) => unknown) | undefined {
  return /\blslpp\b/.test(command)
    ? (levelReader(command) ?? clusterReader(command))
    : (storageReader(command) ?? clusterReader(command) ?? levelReader(command));
}

/** What LVM says among rows is no part of them, and nothing to be silent about. */
const warn: ReaderOptions['onMessage'] = ({ number, command, text: words }) => {
  process.stderr.write(`${terminalText(`${number} ${command ?? ''}: ${words}`)}\n`);
};

function unreadable(file: string) {
  return (cause: Error): never => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, { remedy: 'Name a file, or pipe it in.', cause });
  };
}
