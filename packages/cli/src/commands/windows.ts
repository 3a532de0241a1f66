import { join } from 'node:path';
import { openWindowLog, type WindowLog } from '@splitmirror/backup';
import type { Config } from '../config/schema.ts';

/** Where it is written down what became of the windows of all groups. */
export function windowLogOf({ store }: Config): WindowLog {
  return openWindowLog(join(store, 'windows.ndjson'));
}
