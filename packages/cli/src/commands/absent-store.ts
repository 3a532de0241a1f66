import { stat } from 'node:fs/promises';
import type { Problem, Store } from '@splitmirror/backup';

/**
 * That the directory of a store does not exist: a mistyped path, or a file system that is not mounted, reads like a store
 * without backups. No error, since the first backup makes it.
 *
 * @returns `null` where it is there.
 * @throws BackupError `STORE_UNUSABLE`
 */
export async function storeAbsence(store: Store): Promise<Problem | null> {
  // First, since this one gives up on a mount that does not answer.
  await store.require('read');
  const isThere = await stat(store.root).then(
    () => true,
    () => false,
  );
  if (isThere) return null;
  return {
    code: 'STORE_ABSENT',
    node: null,
    message: `the directory ${store.root} does not exist`,
    seen: '',
    remedy: 'Mount its file system, or correct "store" in the configuration; before the first backup nothing is wrong.',
  };
}
