import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type CatalogueEntry, displayName, type Entry, readCatalogue } from '@splitmirror/archive';
import { requireWhole } from '@splitmirror/host';
import { asErrorOf, asErrorOfFile } from '../store/damage.ts';
import type { ArchiveRecord } from '../store/manifest.ts';
import type { StoredBackup } from '../store/store.ts';
import { RestoreError } from './restore-error.ts';

/** What a request takes of one volume. */
export interface SelectedVolume {
  readonly volume: string;
  /** `null` for a raw volume, of which there is only the whole. */
  readonly mountPoint: string | null;
  readonly entries: number;
  readonly files: number;
  /** Bytes of content. */
  readonly bytes: number;
  /** The first of the entries, as they were called on the live system. */
  readonly paths: readonly string[];
}

/** What a restore would bring, shown before it does. */
export interface RestorePreview {
  readonly volumes: readonly SelectedVolume[];
  /** Patterns that nothing in the backup answers to. */
  readonly unmatched: readonly string[];
}

/** A volume of a request, and which of its entries are meant. */
export interface Selection extends SelectedVolume {
  readonly record: ArchiveRecord;
  /** Also true for the directories above a wanted entry, so that they come back with their owners and modes. */
  wants(entry: Entry): boolean;
}

/**
 * Tells from the catalogues what a restore of these paths would bring.
 *
 * @param options.select Absolute paths as they were on the live system, with `*` and `?` within a name, `**` across
 * directories, `[abc]`; a directory means all below it. A name without a slash is a volume. All of the backup without it.
 * @param options.mostPaths How many paths of each volume are listed; default 100.
 */
export async function previewRestore(
  backup: StoredBackup,
  options: { readonly select?: readonly string[] | undefined; readonly mostPaths?: number | undefined } = {},
): Promise<RestorePreview> {
  const { select, mostPaths = 100 } = options;
  requireWhole('mostPaths', mostPaths, 0);
  const { selections, unmatched } = await selectFrom(backup, select, mostPaths);
  const volumes = selections.map(({ volume, mountPoint, entries, files, bytes, paths }) => ({
    volume,
    mountPoint,
    entries,
    files,
    bytes,
    paths,
  }));
  return { volumes, unmatched };
}

/** @throws RestoreError `RESTORE_UNKNOWN_PATH` when something that was asked for is not there. */
export async function requireSelection(
  backup: StoredBackup,
  select: readonly string[] | undefined,
): Promise<readonly Selection[]> {
  const { selections, unmatched } = await selectFrom(backup, select, 0);
  if (unmatched.length === 0) return selections;
  throw new RestoreError('RESTORE_UNKNOWN_PATH', `not in backup ${backup.manifest.run}: ${unmatched.join(', ')}`, {
    remedy: 'Look into the catalogues for what was meant; paths are those of the live system.',
  });
}

async function selectFrom(
  backup: StoredBackup,
  select: readonly string[] | undefined,
  mostPaths: number,
): Promise<{ readonly selections: readonly Selection[]; readonly unmatched: readonly string[] }> {
  const patterns = select?.map((text) => ({
    text,
    isVolume: !text.includes('/'),
    matches: patternOf(text),
    hit: false,
  }));
  const selections: Selection[] = [];
  for (const record of backup.manifest.archives) {
    const { volume, mountPoint } = record;
    const named = patterns?.filter(({ isVolume, matches }) => isVolume && matches.test(volume));
    for (const pattern of named ?? []) pattern.hit = true;
    const isWhole = named === undefined || named.length > 0;
    const byPath = patterns?.filter(({ isVolume }) => !isVolume) ?? [];
    if (!isWhole && (mountPoint === null || byPath.length === 0)) continue;
    const isMeant = (path: string) => {
      let meant = isWhole;
      for (const pattern of byPath) {
        if (!pattern.matches.test(path)) continue;
        pattern.hit = true;
        meant = true;
      }
      return meant;
    };
    const seen = { entries: 0, files: 0, bytes: 0 };
    const paths: string[] = [];
    const above = new Set<string>();
    if (record.catalogue === null) Object.assign(seen, { entries: 1, files: 1, bytes: record.bytes });
    for await (const entry of entriesOf(backup, record)) {
      const path = livePath(mountPoint ?? '', entry.path);
      if (isNote(entry) || !isMeant(path)) continue;
      seen.entries += 1;
      if (entry.type === 'file') seen.files += 1;
      seen.bytes += entry.size;
      if (paths.length < mostPaths) paths.push(displayName(path));
      if (!isWhole) for (const parent of parentsOf(path)) above.add(parent);
    }
    if (seen.entries === 0 && !isWhole) continue;
    selections.push({
      record,
      volume,
      mountPoint,
      ...seen,
      paths,
      wants(entry) {
        const path = livePath(mountPoint ?? '', entry.path);
        return !isNote(entry) && (isMeant(path) || (entry.type === 'directory' && above.has(path)));
      },
    });
  }
  return { selections, unmatched: (patterns ?? []).filter(({ hit }) => !hit).map(({ text }) => text) };
}

/**
 * The entries of an archive's catalogue; none for a raw volume.
 *
 * @throws BackupError `BACKUP_DAMAGED` when the catalogue is gone, or another by now; `STORE_UNUSABLE` when it cannot be read.
 */
export async function* entriesOf(backup: StoredBackup, record: ArchiveRecord): AsyncGenerator<CatalogueEntry> {
  if (record.catalogue === null) return;
  try {
    for await (const item of readCatalogue(catalogueOf(backup, record.catalogue))) {
      if (item.kind === 'entry') yield item.entry;
    }
  } catch (error) {
    throw asErrorOf(backup, record, error);
  }
}

/** The bytes of a catalogue, by the name of its file. */
export async function* catalogueOf(backup: StoredBackup, file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(join(backup.directory, file));
  } catch (error) {
    throw asErrorOfFile(backup, file, error);
  }
}

/** Notes of splitmirror itself are no part of a restore: a lock must not come back from a backup. */
export function isNote(entry: Pick<Entry, 'path'>): boolean {
  return /^(?:\.\/)?\.splitmirror(?:\/|$)/.test(entry.path);
}

/** `./a/b/` in the archive of `/data` is `/data/a/b`. */
function livePath(mountPoint: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return [mountPoint.replace(/\/$/, ''), ...parts].join('/') || '/';
}

function* parentsOf(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) yield path.slice(0, end);
}

/**
 * A glob as a regular expression that also takes everything below what it names. No group is repeated in another.
 *
 * @throws RestoreError `RESTORE_UNKNOWN_PATH` for what is no pattern.
 */
function patternOf(glob: string): RegExp {
  const body = glob.replace(/(.)\/+$/, '$1').replace(/\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[\\^$.|+(){}[\]]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    // No set holds a slash, as `[!a]` would.
    if (token.length > 1) return `(?!/)${token.replace('[!', '[^').replaceAll('\\', '\\\\')}`;
    return `\\${token}`;
  });
  try {
    return new RegExp(`^${body === '/' ? '' : body}(?:/.*)?$`, 's');
  } catch (cause) {
    throw new RestoreError('RESTORE_UNKNOWN_PATH', `${glob} is no pattern`, {
      remedy: 'Correct its set of characters: [a-z], not [z-a].',
      cause,
    });
  }
}
