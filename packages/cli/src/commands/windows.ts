import { join } from 'node:path';
import { openWindowLog, type Store, type WindowLog } from '@splitmirror/backup';

/** Where it is written down what became of the windows of all groups: in the store, and only while that can be used. */
export function windowLogOf(store: Store): WindowLog {
  const log = openWindowLog(join(store.root, 'windows.ndjson'));
  const within = async <T>(work: () => Promise<T>): Promise<T> => {
    await store.require('read');
    return work();
  };
  return {
    read: (group) => within(() => log.read(group)),
    add: (record) => within(() => log.add(record)),
    claim: (record) => within(() => log.claim(record)),
  };
}
