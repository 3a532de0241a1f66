import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { GroupPolicy } from '@splitmirror/backup';
import { SplitmirrorError } from '@splitmirror/host';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

const argv = z.tuple([z.string().min(1)], z.string());

const groupSchema = z.strictObject({
  /** Commands that bring the application to rest and let it go on, each a list of words. */
  quiesce: z
    .strictObject({
      suspend: z.array(argv).min(1),
      resume: z.array(argv).min(1),
      timeoutSeconds: z.int().min(1).max(3600).default(60),
    })
    .optional(),
  /** Seconds after which the kernel ends the freeze by itself. */
  freezeSeconds: z.int().min(5).max(3600).default(60),
  /** Permission to leave a two-copy mirror without redundancy while the backup runs. */
  allowLastCopy: z.boolean().default(false),
  /** Raw volumes to be saved, and what becomes of their first block: it is a control block, or the application's own. */
  rawVolumes: z.record(z.string(), z.enum(['keep', 'skip'])).default({}),
  /** Volumes streamed side by side. */
  parallel: z.int().min(1).max(16).default(2),
  /** Hours that the archive of one volume may take. */
  archiveHours: z.number().positive().max(240).default(24),
  /** Minutes without a byte after which an archive counts as stalled. */
  idleMinutes: z.number().positive().max(1440).default(30),
  /** What differing software levels mean for a run. */
  levels: z.enum(['stop', 'warn']).default('stop'),
});

const configSchema = z.strictObject({
  /** Cluster nodes by their cluster node name, which need not be the host name. */
  nodes: z.record(
    z.string().regex(/^[A-Za-z0-9._-]+$/),
    z.strictObject({
      address: z.string(),
      port: z.int().min(1).max(65535).optional(),
      /** Value of PATH on the node, where the commands do not lie in AIX's own places. */
      path: z.string().optional(),
      /** Shell that reads the scripts. */
      shell: z.string().startsWith('/').optional(),
    }),
  ),
  ssh: z
    .strictObject({
      user: z.string().default('root'),
      /** Private keys, tried in this order. */
      identities: z.array(z.string()).default([]),
      /** Files with the trusted host keys. */
      knownHosts: z.array(z.string()).optional(),
    })
    .prefault({}),
  /** Directory of the backups. */
  store: z.string(),
  /** Seconds between the two looks at the cluster that have to agree. */
  stabilitySeconds: z.number().min(0).max(300).default(20),
  /** Seconds between two looks at a resynchronisation. */
  pollSeconds: z.number().positive().max(3600).default(15),
  /** Believe the survivors when they are no majority, as when one of two nodes is gone. A partition looks the same. */
  minority: z.enum(['refuse', 'trust-the-survivors']).default('refuse'),
  groups: z.record(z.string(), groupSchema.prefault({})),
});

/** A configuration file as it is read; paths are absolute. */
export type Config = z.infer<typeof configSchema>;

/** JSON Schema (draft 2020-12) of a configuration file, for editors. */
export function configSchemaJson(): object {
  return { title: 'splitmirror configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}

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
      remedy: 'Name the configuration with --config FILE.',
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
      faults.push(`${file}:${where}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
    }
  }
  throw new ConfigError(faults.join('\n'), {
    remedy: 'Correct the file; the README of the command line describes every setting.',
  });
}

/** What the operator decided about a group. */
export function policyOf(config: Config, group: string): GroupPolicy {
  const settings = config.groups[group];
  if (settings === undefined) {
    throw new ConfigError(`the configuration has no group ${group}`, {
      remedy: `Add it under groups, or name one of: ${Object.keys(config.groups).sort().join(', ') || 'none is configured'}.`,
    });
  }
  return {
    quiesce: settings.quiesce ?? null,
    freezeSeconds: settings.freezeSeconds,
    allowLastCopy: settings.allowLastCopy,
    rawVolumes: Object.entries(settings.rawVolumes).map(([volume, lvcb]) => ({ volume, lvcb })),
    parallel: settings.parallel,
    archiveSeconds: Math.ceil(settings.archiveHours * 3600),
    idleSeconds: Math.ceil(settings.idleMinutes * 60),
    proofMs: 60_000,
    pollMs: Math.ceil(config.pollSeconds * 1000),
    levels: settings.levels,
  };
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

function absolute(config: Config, base: string): Config {
  const path = (text: string) => resolve(base, text.replace(/^~(?=\/)/, homedir()));
  const { ssh } = config;
  return {
    ...config,
    store: path(config.store),
    ssh: {
      ...ssh,
      identities: ssh.identities.map(path),
      ...(ssh.knownHosts === undefined ? {} : { knownHosts: ssh.knownHosts.map(path) }),
    },
  };
}
