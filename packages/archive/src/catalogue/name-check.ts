import { requireWhole } from '@splitmirror/host';
import type { CatalogueEntry } from './catalogue.ts';

/** What an archive lacks of what was asked for. */
export interface NameFindings {
  /** Requested, and not in the archive. */
  readonly missing: readonly string[];
  /** In the archive with another size than on disk. */
  readonly changed: readonly { readonly path: string; readonly archived: number; readonly onDisk: number }[];
}

/** Compares an archive with a list of names while it flows. */
export interface NameCheck {
  /** To be called for each entry. */
  see(entry: CatalogueEntry): void;
  findings(): NameFindings;
}

/**
 * Checks that every requested name is in an archive; keeps the names that are not seen yet.
 *
 * @param requested Names as `find . -print` gave them before or after the archive, with the size in bytes of regular files
 * where the source was live and the sizes have to agree.
 * @throws RangeError for a size that no file has.
 */
export function createNameCheck(
  requested: Iterable<{ readonly path: string; readonly size?: number | undefined }>,
): NameCheck {
  const wanted = new Map<string, number | undefined>();
  for (const { path, size } of requested) {
    requireWhole('size', size, 0);
    wanted.set(plainName(path), size);
  }
  const changed: NameFindings['changed'][number][] = [];
  return {
    see(entry) {
      const path = plainName(entry.path);
      const onDisk = wanted.get(path);
      wanted.delete(path);
      // Of a file with several names cpio keeps the content with one of them.
      const isElsewhere = entry.links !== null && entry.size === 0;
      if (onDisk !== undefined && entry.type === 'file' && entry.size !== onDisk && !isElsewhere) {
        changed.push({ path: entry.path, archived: entry.size, onDisk });
      }
    },
    findings: () => ({ missing: [...wanted.keys()], changed }),
  };
}

/** A name without what tools add to it: `./` before, `/` behind. */
export function plainName(path: string): string {
  const bare = path.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
  return bare === '' ? '.' : bare;
}
