import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { storeError, syncDirectory } from '../store/durable.ts';

/** One line of a journal: what was about to be done, or what became of it. */
export interface JournalEntry {
  readonly at: string;
  readonly kind: 'plan' | 'recovery' | 'intent' | 'outcome' | 'end';
  readonly [detail: string]: unknown;
}

/** A file of JSON lines, on the disk before anything else happens. It helps a recovery; no recovery needs it. */
export interface Journal {
  /** @throws BackupError `STORE_FULL`, `STORE_UNUSABLE`: the entry is not there, and those before it are. */
  write(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens a journal that did not exist before. Its name is on the disk when this resolves. */
export async function openJournal(file: string): Promise<Journal> {
  const handle: FileHandle = await open(file, 'ax', 0o600);
  await syncDirectory(dirname(file));
  let length = 0;
  return {
    async write(entry) {
      const line = `${JSON.stringify(entry)}\n`;
      try {
        await handle.appendFile(line);
        await handle.datasync();
        length += Buffer.byteLength(line);
      } catch (error) {
        // Half a line would spoil what is written once there is room again.
        await handle.truncate(length);
        throw storeError(file, error);
      }
    },
    close: () => handle.close(),
  };
}

/** For a replay, which writes nothing down. */
export const noJournal: Journal = { async write() {}, async close() {} };
