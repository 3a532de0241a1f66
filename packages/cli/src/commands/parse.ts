import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { readerOf } from '@splitmirror/hacmp';
import { ConfigError } from '../config.ts';

/** Reads the saved output of a HACMP command, as the verdict would, and prints it as JSON. */
export async function parse(command: string, file: string | undefined): Promise<number> {
  const reader = readerOf(command);
  if (reader === undefined) {
    throw new ConfigError(`no reader for ${JSON.stringify(command)}`, {
      remedy: 'Name the command as it was typed, with its options; @splitmirror/hacmp lists what it reads.',
    });
  }
  const output = file === undefined ? await text(process.stdin) : await readFile(file, 'utf8');
  process.stdout.write(`${JSON.stringify(reader(output), null, 2)}\n`);
  return 0;
}
