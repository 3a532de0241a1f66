import { type FileHandle, open } from 'node:fs/promises';

/** One line of a journal: what was about to be done, or what became of it. */
export interface JournalEntry {
  readonly at: string;
  readonly kind: 'plan' | 'intent' | 'outcome' | 'end';
  readonly [detail: string]: unknown;
}

/** A file of JSON lines, on the disk before anything else happens. It helps a recovery; no recovery needs it. */
export interface Journal {
  write(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}

/** Opens a journal that did not exist before. */
export async function openJournal(file: string): Promise<Journal> {
  const handle: FileHandle = await open(file, 'ax', 0o600);
  return {
    async write(entry) {
      await handle.appendFile(`${JSON.stringify(entry)}\n`);
      await handle.datasync();
    },
    close: () => handle.close(),
  };
}

/** For a recovery without a store. */
export const noJournal: Journal = { async write() {}, async close() {} };
