import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { syncDirectory } from './durable.ts';

/** Levels of drills, the lowest first; each includes those before it. */
export const drillLevels = ['bytes', 'contents', 'application'] as const;

const drill = z.strictObject({
  kind: z.literal('drill'),
  /** When it ended; UTC, ISO 8601. */
  at: z.string(),
  /** `bytes`: every stored byte is the one that was stored; `contents`: all of it was extracted and compared;
   * `application`: a command of the operator's opened what was restored. A higher level includes the lower ones. */
  level: z.enum(drillLevels),
  outcome: z.enum(['passed', 'failed']),
  seconds: z.number().nonnegative(),
  /** Machine or cluster node on which it ran. */
  where: z.string(),
  /** Program of the probe; its arguments are not kept. */
  program: z.string().nullable(),
  problems: z.array(z.string()),
});

const judgement = z.strictObject({
  kind: z.literal('judgement'),
  at: z.string(),
  /** What a person decided about a suspicious backup: it counts as good from then on, or retention may remove it. */
  verdict: z.enum(['accepted', 'rejected']),
  by: z.string(),
  reason: z.string(),
});

const record = z.discriminatedUnion('kind', [drill, judgement]);

/** A restore drill and what came of it. */
export type DrillRecord = z.infer<typeof drill>;
/** What became of a backup after it was committed. */
export type BackupRecord = z.infer<typeof record>;

/** JSON lines beside the manifest, which itself never changes. */
export const recordsName = 'records.ndjson';

/**
 * What was recorded of a backup, oldest first. A last line without its end was cut by a crash and counts for nothing.
 *
 * @throws SyntaxError or ZodError for a damaged line.
 */
export async function readRecords(directory: string): Promise<BackupRecord[]> {
  const text = await readFile(join(directory, recordsName), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => record.parse(JSON.parse(line)));
}

/** Adds a line, on the disk when this resolves. */
export async function addRecord(directory: string, added: BackupRecord): Promise<void> {
  const handle = await open(join(directory, recordsName), 'a+', 0o600);
  try {
    const text = await handle.readFile();
    await handle.truncate(text.lastIndexOf(10) + 1);
    await handle.appendFile(`${JSON.stringify(record.parse(added))}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(directory);
}
