import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { SplitmirrorError } from '@splitmirror/host';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Config, configSchema } from './schema.ts';

/** The configuration cannot be used. The message names file, line and column of the first fault, and lists all. */
export class ConfigError extends SplitmirrorError {
  readonly code = 'USAGE';
}

/**
 * Reads a configuration file. Relative paths in it are relative to the file; `~/` is the home directory.
 *
 * @throws ConfigError with every fault that was found.
 */
export async function readConfig(file: string): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new ConfigError(`${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Name the configuration with --config FILE; "splitmirror init" makes one.',
      cause,
    });
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const faults = document.errors.map(
    ({ message, pos }) => `${file}:${place(lines, pos[0])}: ${message.split('\n')[0]}`,
  );
  if (faults.length === 0) {
    const read = configSchema.safeParse(document.toJS());
    if (read.success) return absolute(read.data, dirname(resolve(file)));
    for (const issue of read.error.issues) {
      const node = document.getIn(issue.path as string[], true) as { range?: [number, number, number] } | undefined;
      const where = node?.range === undefined ? '1:1' : place(lines, node.range[0]);
      faults.push(`${file}:${where}: ${issue.path.join('.') || 'file'}: ${issue.message}${suggestion(issue)}`);
    }
  }
  throw new ConfigError(faults.join('\n'), {
    remedy:
      'Correct the file; the README of the command line describes every setting, "splitmirror schema" tells an editor.',
  });
}

/** For a setting that nobody knows: the known one that it resembles most. */
function suggestion(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return '';
  const known = keysAt(issue.path);
  const near = issue.keys.flatMap(
    (key) => known.find((other) => distance(key.toLowerCase(), other.toLowerCase()) <= 2) ?? [],
  );
  return near.length === 0 ? '' : ` (did you mean ${near.join(', ')}?)`;
}

/** Names that may stand at a place of the schema. */
function keysAt(path: readonly PropertyKey[]): string[] {
  type Node = { def: { type: string; shape?: Record<string, Node>; innerType?: Node; valueType?: Node } };
  let node = configSchema as unknown as Node;
  const bare = (each: Node): Node => (each.def.innerType === undefined ? each : bare(each.def.innerType));
  for (const key of path) {
    const { shape, valueType } = bare(node).def;
    const next = shape?.[String(key)] ?? valueType;
    if (next === undefined) return [];
    node = next;
  }
  return Object.keys(bare(node).def.shape ?? {});
}

/** Changes of single letters between two words, neighbours that changed places counting as two. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

function absolute(config: Config, base: string): Config {
  const path = (text: string) => resolve(base, text.replace(/^~(?=\/)/, homedir()));
  const { ssh, archives, metrics } = config;
  return {
    ...config,
    store: path(config.store),
    ...(metrics === undefined ? {} : { metrics: path(metrics) }),
    archives: { ...archives, ...(archives.identity === undefined ? {} : { identity: path(archives.identity) }) },
    ssh: {
      ...ssh,
      identities: ssh.identities.map(path),
      ...(ssh.knownHosts === undefined ? {} : { knownHosts: ssh.knownHosts.map(path) }),
    },
  };
}
