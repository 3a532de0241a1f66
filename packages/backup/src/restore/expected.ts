import { type CatalogueEntry, displayName } from '@splitmirror/archive';
import { BackupError } from '../errors.ts';
import type { StoredBackup } from '../store/store.ts';
import { entriesOf, type Selection } from './selection.ts';

/** What an entry has to look like when the node gives it back. */
export interface Expected extends Pick<CatalogueEntry, 'type' | 'link' | 'size'> {
  /** Of its content; for a further name of a file, that of the file. */
  readonly sha256: string | null;
}

/**
 * What a restore of this selection brings to a node, by name below the directory; the directory itself has the empty name.
 *
 * @throws BackupError `RESTORE_TARGET` for a name that leads out of the directory, and for a further name of a file that is not
 * selected: the node would link it to whatever has that name now.
 */
export async function expectedOf(
  backup: StoredBackup,
  { record, wants }: Pick<Selection, 'record' | 'wants'>,
): Promise<Map<string, Expected>> {
  const expected = new Map<string, Expected>();
  for await (const entry of entriesOf(backup, record)) {
    if (!wants(entry)) continue;
    const { path, type, link, size, sha256 } = entry;
    if (!isBelow(path) || (type === 'hardlink' && !isBelow(link ?? '/'))) {
      throw refused(
        `${record.volume}: ${displayName(path)} leads out of the directory that it is restored to`,
        'Do not trust this backup: no archive of a directory holds such a name.',
      );
    }
    const file = type === 'hardlink' ? expected.get(nameBelow(link ?? '')) : undefined;
    if (type === 'hardlink' && file === undefined) {
      throw refused(
        `${record.volume}: ${displayName(path)} is a further name of ${displayName(link ?? '')}, which is not selected`,
        'Select that file as well.',
      );
    }
    expected.set(nameBelow(path), { type, link, size, sha256: file?.sha256 ?? sha256 });
  }
  return expected;
}

/** A name in an archive of a directory without what tools add to it: `./` before, `/` behind. */
export function nameBelow(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function isBelow(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}

function refused(message: string, remedy: string): BackupError {
  return new BackupError('RESTORE_TARGET', message, { remedy });
}
