import * as fs from 'node:fs';
import { SplitmirrorError } from '@splitmirror/host';
import { type ArchiveSummary, type CatalogueEntry, type CatalogueItem, readCatalogue } from './catalogue.ts';
import type { Entry } from './entry.ts';
import { displayName, nameBytes } from './names.ts';
import { watchArchive } from './watch.ts';

/** Why an extraction stopped. What was written before stays; the file under way does not. */
export type ExtractFault =
  /** A name leads out of the directory, through `..`, as an absolute name or through a link. */
  | 'EXTRACT_ESCAPES'
  /** A hard link to something that was not extracted. */
  | 'EXTRACT_LINK_MISSING'
  /** Something of that name is there already. */
  | 'EXTRACT_EXISTS'
  /** The archive does not hold what its catalogue says. */
  | 'EXTRACT_DIFFERS'
  /** A device, FIFO or socket: nothing that can be made safely on the controller. */
  | 'EXTRACT_UNSUPPORTED';

const remedies: Record<ExtractFault, string> = {
  EXTRACT_ESCAPES:
    'Do not trust this archive: tar never writes such a name for a backup of a directory. Leave it out with skip.',
  EXTRACT_LINK_MISSING: 'Extract the file that it names as well, or leave the link out with skip.',
  EXTRACT_EXISTS: 'Extract into an empty directory.',
  EXTRACT_DIFFERS:
    'The stored archive or its catalogue is damaged: use another backup, or leave the file out with skip.',
  EXTRACT_UNSUPPORTED: 'Leave it out with skip, or restore on the node.',
};

/** An extraction that was stopped. */
export class ExtractError extends SplitmirrorError {
  readonly code: ExtractFault;
  /** Name in the archive. */
  readonly path: string;

  constructor(code: ExtractFault, path: string, message: string) {
    super(`${displayName(path)}: ${message}`, { remedy: remedies[code] });
    this.code = code;
    this.path = path;
  }
}

/** What is extracted, and how. */
export interface ExtractOptions {
  /** Path of a tar archive, or its bytes. */
  readonly archive: string | AsyncIterable<Uint8Array>;
  /** Path or bytes of its catalogue: each entry is compared with it. Without it nothing but the archive's form is checked. */
  readonly catalogue?: string | AsyncIterable<Uint8Array> | undefined;
  /** Directory that receives the files; made when it is missing. Nothing in it is overwritten. */
  readonly into: string;
  /** Which entries are wanted; default all. Directories above a wanted entry are made when needed. */
  readonly select?: ((entry: Entry) => boolean) | undefined;
  /** Which entries are left out although wanted, for instance devices. */
  readonly skip?: ((entry: Entry) => boolean) | undefined;
  /** `numeric` gives each file its owner and group by number; needs root. Default `mine`. */
  readonly owners?: 'mine' | 'numeric' | undefined;
}

/** What an extraction left behind. */
export interface Extraction {
  readonly files: number;
  readonly bytes: number;
  /** Entries that were left out by `select` or `skip`. */
  readonly skipped: number;
  /** The archive as it was seen, whole. */
  readonly summary: ArchiveSummary;
}

/**
 * Extracts a stored tar archive on the controller. Every component of every name is looked at before it is used: a link
 * that the archive brought along is never followed. Set-id bits are restored only together with owners.
 *
 * @throws ExtractError; ArchiveError when the archive is not whole; CatalogueError when the catalogue is not.
 */
export async function extract(options: ExtractOptions): Promise<Extraction> {
  const { archive, catalogue, into, select, skip, owners = 'mine' } = options;
  const expected = catalogue === undefined ? undefined : readCatalogue(bytesOf(catalogue));
  const opening = await nextItem(expected);
  if (opening?.kind === 'opening' && opening.format !== 'tar') {
    throw new ExtractError('EXTRACT_UNSUPPORTED', into, `an archive in the format ${opening.format}`);
  }
  fs.mkdirSync(into, { recursive: true });
  const writer = createWriter(into, owners);
  const counted = { files: 0, bytes: 0, skipped: 0 };
  let wanted = false;
  const done: CatalogueEntry[] = [];

  const watch = watchArchive('tar', {
    digest: opening?.kind === 'opening' ? opening.digest : 'stream',
    onStart(entry) {
      wanted = (select?.(entry) ?? true) && !(skip?.(entry) ?? false);
      if (wanted) writer.open(entry);
      else counted.skipped += 1;
    },
    onContent(chunk, start, end) {
      if (wanted) writer.write(chunk, start, end);
    },
    onComplete(entry) {
      if (wanted) writer.close();
      if (wanted && entry.type === 'file') {
        counted.files += 1;
        counted.bytes += entry.size;
      }
    },
    onEntry(entry) {
      if (expected !== undefined) done.push(entry);
    },
  });

  async function compare(): Promise<void> {
    if (expected === undefined) return;
    for (const entry of done.splice(0)) {
      const value = await nextItem(expected);
      if (value?.kind !== 'entry' || value.entry.path !== entry.path || value.entry.sha256 !== entry.sha256) {
        writer.discard(entry);
        throw new ExtractError('EXTRACT_DIFFERS', entry.path, 'not what the catalogue says');
      }
    }
  }

  try {
    for await (const chunk of bytesOf(archive)) {
      watch.push(chunk);
      await compare();
    }
    const summary = watch.end();
    await compare();
    if (expected !== undefined) {
      const value = await nextItem(expected);
      if (value?.kind !== 'summary' || value.summary.sha256 !== summary.sha256) {
        throw new ExtractError('EXTRACT_DIFFERS', into, 'the archive as a whole is not what the catalogue says');
      }
    }
    writer.finish();
    return { ...counted, summary };
  } finally {
    writer.abandon();
    await expected?.return(undefined);
  }
}

async function nextItem(items: AsyncGenerator<CatalogueItem> | undefined): Promise<CatalogueItem | undefined> {
  const next = await items?.next();
  return next === undefined || next.done ? undefined : next.value;
}

function bytesOf(source: string | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return typeof source === 'string' ? fs.createReadStream(source, { highWaterMark: 1 << 20 }) : source;
}

/** Makes entries below `root`, and nothing anywhere else. */
function createWriter(root: string, owners: 'mine' | 'numeric') {
  const base = Buffer.from(root);
  const directories: { path: Buffer; entry: Entry }[] = [];
  /** The directory that was looked at last: most entries stand in the one of their predecessor. */
  let proved = '';
  let open: { descriptor: number; path: Buffer; entry: Entry } | undefined;

  const at = (parts: readonly string[]) =>
    Buffer.concat([base, ...parts.flatMap((part) => [Buffer.from('/'), nameBytes(part)])]);

  /** Proves that the directories above are real ones, and makes those that are missing. */
  function enter(parts: readonly string[], path: string): void {
    const key = parts.join('/');
    if (key === proved) return;
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const directory = at(parts.slice(0, depth));
      const found = fs.lstatSync(directory, { throwIfNoEntry: false });
      if (found === undefined) fs.mkdirSync(directory, 0o700);
      else if (!found.isDirectory()) {
        throw new ExtractError('EXTRACT_ESCAPES', path, 'something that is no directory stands in its way');
      }
    }
    proved = key;
  }

  function place(path: string): Buffer {
    const parts = componentsOf(path);
    if (parts.length === 0) throw new ExtractError('EXTRACT_EXISTS', path, 'names the directory itself');
    enter(parts.slice(0, -1), path);
    return at(parts);
  }

  function exclusive<T>(entry: Entry, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new ExtractError('EXTRACT_EXISTS', entry.path, 'is there already');
    }
  }

  return {
    open(entry: Entry): void {
      switch (entry.type) {
        case 'directory': {
          const parts = componentsOf(entry.path);
          enter(parts, entry.path);
          directories.push({ path: at(parts), entry });
          return;
        }
        case 'file': {
          const path = place(entry.path);
          open = { descriptor: exclusive(entry, () => fs.openSync(path, 'wx', 0o600)), path, entry };
          return;
        }
        case 'symlink': {
          const path = place(entry.path);
          exclusive(entry, () => fs.symlinkSync(nameBytes(entry.link ?? ''), path));
          if (owners === 'numeric') fs.lchownSync(path, entry.uid, entry.gid);
          fs.lutimesSync(path, entry.mtime, entry.mtime);
          return;
        }
        case 'hardlink': {
          const target = place(entry.link ?? '');
          const path = place(entry.path);
          const found = fs.lstatSync(target, { throwIfNoEntry: false });
          // Whether link(2) follows a symbolic link differs between systems: such a link is made anew instead.
          if (found?.isSymbolicLink()) exclusive(entry, () => fs.symlinkSync(fs.readlinkSync(target, 'buffer'), path));
          else if (found?.isFile()) exclusive(entry, () => fs.linkSync(target, path));
          else {
            throw new ExtractError(
              'EXTRACT_LINK_MISSING',
              entry.path,
              `${displayName(entry.link ?? '')} is no file here`,
            );
          }
          return;
        }
        default:
          throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, `is a ${entry.type}`);
      }
    },
    write(chunk: Buffer, start: number, end: number): void {
      if (open === undefined) return;
      for (let from = start; from < end; ) from += fs.writeSync(open.descriptor, chunk, from, end - from);
    },
    close(): void {
      if (open === undefined) return;
      const { descriptor, entry } = open;
      if (owners === 'numeric') fs.fchownSync(descriptor, entry.uid, entry.gid);
      fs.fchmodSync(descriptor, modeOf(entry, owners));
      fs.futimesSync(descriptor, entry.mtime, entry.mtime);
      fs.closeSync(descriptor);
      open = undefined;
    },
    /** Takes away a file that is not what it should be. */
    discard(entry: Entry): void {
      if (entry.type === 'file') fs.rmSync(place(entry.path), { force: true });
    },
    /** Modes and times of directories, deepest first: writing into them would have changed both. */
    finish(): void {
      for (const { path, entry } of directories.reverse()) {
        if (owners === 'numeric') fs.lchownSync(path, entry.uid, entry.gid);
        fs.chmodSync(path, modeOf(entry, owners));
        fs.utimesSync(path, entry.mtime, entry.mtime);
      }
    },
    /** Takes away the file under way, if there is one. */
    abandon(): void {
      if (open === undefined) return;
      fs.closeSync(open.descriptor);
      fs.rmSync(open.path, { force: true });
      open = undefined;
    },
  };
}

function modeOf(entry: Entry, owners: 'mine' | 'numeric'): number {
  return owners === 'numeric' ? entry.mode : entry.mode & 0o1777;
}

/** The parts of a name below the root; `.` and doubled slashes say nothing. */
function componentsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) {
    throw new ExtractError('EXTRACT_ESCAPES', path, 'leads out of the directory');
  }
  return parts;
}
