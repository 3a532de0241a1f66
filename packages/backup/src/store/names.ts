import { join } from 'node:path';
import { BackupError } from '../errors.ts';

/**
 * Directory of a group, which is always one in the store itself.
 *
 * @throws BackupError `STORE_UNUSABLE` for a name that would lead elsewhere.
 */
export function directoryOf(root: string, group: string): string {
  if (/[/\0]|^\.{0,2}$/.test(group)) {
    throw new BackupError('STORE_UNUSABLE', `${JSON.stringify(group)} cannot be the name of a directory in the store`, {
      remedy: 'Name the resource group as the cluster does.',
    });
  }
  return join(root, group);
}

/** A directory of a run. */
export interface Named {
  readonly directory: string;
  readonly run: string;
  /** UTC, ISO 8601, to the second. */
  readonly createdAt: string;
  readonly suffix: '' | '.incomplete' | '.expired';
}

/** What the directory of a run is called once it is complete. */
export function directoryNameOf(createdAt: string, run: string): string {
  return `${createdAt.replace(/[-:]|\.\d+/g, '')}-${run}`;
}

const directoryName = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z][a-z0-9]{5})(|\.incomplete|\.expired)$/;

/** What the name of a directory says; `undefined` where it is no directory of a run. */
export function named(parent: string, name: string): Named | undefined {
  const [matched, year, month, day, hour, minute, second, run, suffix] = directoryName.exec(name) ?? [];
  if (matched === undefined || run === undefined) return undefined;
  return {
    directory: join(parent, name),
    run,
    createdAt: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
    suffix: suffix as Named['suffix'],
  };
}
