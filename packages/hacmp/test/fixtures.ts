import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Reader, readerOf } from '../src/index.ts';

/** An output with the command that prints it. */
export interface Fixture {
  readonly name: string;
  readonly command: string;
  readonly text: string;
  readonly read: Reader;
}

/** All fixtures: origin on the first line of the file, command on the second, output from the third. */
export function fixtures(): Fixture[] {
  const folder = join(import.meta.dirname, 'fixtures');
  return readdirSync(folder).map((file) => {
    const [, second = '', ...lines] = readFileSync(join(folder, file), 'utf8').split('\n');
    const command = second.replace(/^# command: /, '');
    const read = readerOf(command);
    if (!read) throw new Error(`no reader for ${command}`);
    return { name: file.replace(/\.txt$/, ''), command, text: lines.join('\n'), read };
  });
}

/** The output of one fixture. */
export function textOf(name: string): string {
  const fixture = fixtures().find((found) => found.name === name);
  if (!fixture) throw new Error(`no fixture ${name}`);
  return fixture.text;
}
