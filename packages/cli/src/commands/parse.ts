import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readerOf as clusterReader } from '@splitmirror/hacmp';
import { ParseError } from '@splitmirror/host';
import { readerOf as levelReader } from '@splitmirror/levels';
import { readerOf as storageReader } from '@splitmirror/lvm';
import { ConfigError } from '../config/read.ts';
import { exitCodes } from '../exit-codes.ts';

/** Reads the saved output of a command of HACMP, of LVM, or of the software levels, and prints it as JSON. */
export async function parse(command: string, file: string | undefined): Promise<number> {
  const readers = packagesFor(command).flatMap((readerOf) => readerOf(command) ?? []);
  if (readers.length === 0) {
    throw new ConfigError(`no reader for ${JSON.stringify(command)}`, {
      remedy:
        'Name the command as it was typed, with its options; the packages hacmp, lvm and levels list what they read.',
    });
  }
  const output = file === undefined ? await text(process.stdin) : await readFile(file, 'utf8').catch(unreadable(file));
  process.stdout.write(`${JSON.stringify(understood(readers, output), null, 2)}\n`);
  return exitCodes.OK.code;
}

/** Several packages read the same command, each for what it needs. Of software lists, one knows all generations. */
function packagesFor(command: string) {
  if (/\blslpp\b/.test(command)) return [levelReader, clusterReader];
  return [storageReader, clusterReader, levelReader];
}

/** What the first reader makes of it that understands it; when none does, why the first did not. */
function understood(readers: readonly ((output: string) => unknown)[], output: string): unknown {
  let refusal: ParseError | undefined;
  for (const read of readers) {
    try {
      return read(output);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function unreadable(file: string) {
  return (cause: Error): never => {
    throw new ConfigError(`${file} cannot be read: ${cause.message}`, { remedy: 'Name a file, or pipe it in.', cause });
  };
}
