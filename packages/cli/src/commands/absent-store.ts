import type { Problem, Store } from '@splitmirror/backup';

/**
 * That the directory of a store does not exist. No error, since the first backup makes it.
 *
 * @returns `null` where it is there.
 * @throws BackupError `STORE_UNUSABLE`
 */
export async function storeAbsence(store: Store): Promise<Problem | null> {
  if (await store.exists()) return null;
  const lost = store.archivesIn === store.root ? '' : ' When it is lost, run: splitmirror adopt';
  return {
    code: 'STORE_ABSENT',
    node: null,
    message: `the directory ${store.root} does not exist`,
    seen: '',
    remedy: `Mount its file system, or correct "store" in the configuration; before the first backup nothing is wrong.${lost}`,
  };
}
