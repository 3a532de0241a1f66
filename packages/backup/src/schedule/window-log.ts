import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '@splitmirror/host';
import { z } from 'zod';
import { BackupError } from '../errors.ts';
import { holderSchema } from '../run/lock.ts';
import { storeError, syncDirectory } from '../store/durable.ts';
import { begunAndNotEnded, type WindowRecord } from './schedule.ts';

const recordSchema = z.strictObject({
  group: z.string(),
  window: z.iso.datetime(),
  at: z.iso.datetime(),
  by: z.string(),
  controller: holderSchema.shape.controller.optional(),
  what: z.enum(['begun', 'yielded', 'unheld', 'undecided', 'elsewhere', 'done', 'failed', 'died', 'telling', 'told']),
  node: z.string().nullable(),
  run: z.string().nullable(),
  detail: z.string(),
});

/** Where it is written down what became of each window. */
export interface WindowLog {
  /** Records of a group in the order in which they were written, and what stands there and is none. */
  read(group: string): Promise<{ readonly records: readonly WindowRecord[]; readonly unreadable: readonly string[] }>;
  /** On the disk when it resolves. */
  add(record: WindowRecord): Promise<void>;
  /**
   * Writes that a window is begun, unless somebody else has: of several initiators exactly one gets `true`.
   */
  claim(record: WindowRecord): Promise<boolean>;
}

/**
 * Opens a file of JSON lines to which is only ever added, by any number of processes of machines that share a file system
 * with atomic appends (a local one; not NFS). Initiators without a common file each keep their own: hand the records of all
 * of them to `judgeWindows`. The file and its directory are made when something is added. What the log is asked for fails with
 * BackupError `STORE_UNUSABLE` or `STORE_FULL`.
 */
export function openWindowLog(file: string): WindowLog {
  const unusable = (cause: NodeJS.ErrnoException): never => {
    const { code, message, remedy } = storeError(file, cause);
    const isFull = code === 'STORE_FULL';
    throw new BackupError(code, `the record of windows: ${message}`, {
      remedy: isFull ? remedy : `Make ${file} a file that this user can read and write.`,
      cause,
    });
  };
  const read: WindowLog['read'] = async (group) => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? '' : unusable(error),
    );
    const records: WindowRecord[] = [];
    const unreadable: string[] = [];
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const record = parse(line);
      if (record === undefined) unreadable.push(line);
      else if (record.group === group) records.push(record);
    }
    return { records, unreadable };
  };
  const add: WindowLog['add'] = async (record) => {
    const line = JSON.stringify(recordSchema.parse(record));
    try {
      await makeDirectory(dirname(file));
      await append(file, line);
    } catch (error) {
      unusable(error as NodeJS.ErrnoException);
    }
  };
  return {
    read,
    add,
    async claim(record) {
      const isFirst = async () => {
        const own = (await read(record.group)).records.filter(({ window }) => window === record.window);
        const first = begunAndNotEnded(own)[0];
        const isOver = own.some(({ what }) => what === 'done' || what === 'failed' || what === 'died');
        return !isOver && (first?.by ?? record.by) === record.by;
      };
      if (!(await isFirst())) return false;
      await add(record);
      // Somebody may have been faster in between: the order in the file decides for all.
      if (await isFirst()) return true;
      await add({ ...record, what: 'yielded', detail: 'another initiator was first' });
      return false;
    },
  };
}

async function append(file: string, line: string): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    // The line feed in front ends a line that a power cut has torn.
    await handle.appendFile(`\n${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(file));
}

function parse(line: string): WindowRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
