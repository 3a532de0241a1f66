import * as fs from 'node:fs';
import { SplitmirrorError } from '@splitmirror/host';
import {
  type ArchiveFormat,
  type ArchiveSummary,
  type CatalogueEntry,
  type CatalogueItem,
  readCatalogue,
} from '../catalogue/catalogue.ts';
import type { Entry } from '../entry.ts';
import { ArchiveError } from '../errors.ts';
import { displayName, nameBytes } from '../names.ts';
import { detectFormat } from '../readers/detect.ts';
import { watchArchive } from '../watch.ts';
import { fileTime } from './file-time.ts';

/** Why an extraction stopped. What was written, and compared if there is a catalogue, stays; the rest does not. */
export type ExtractFault =
  /** A name leads out of the directory, through `..`, as an absolute name or through a link. */
  | 'EXTRACT_ESCAPES'
  /** A hard link to something that was not extracted. */
  | 'EXTRACT_LINK_MISSING'
  /** Something of that name is there already. */
  | 'EXTRACT_EXISTS'
  /** The archive does not hold what its catalogue says. */
  | 'EXTRACT_DIFFERS'
  /** An archive without entries, a device, FIFO, socket, sparse file, or a form that is not known for sure. */
  | 'EXTRACT_UNSUPPORTED';

const remedies: Record<ExtractFault, string> = {
  EXTRACT_ESCAPES:
    'Do not trust this archive: no tool writes such a name for a backup of a directory. Leave it out with skip.',
  EXTRACT_LINK_MISSING: 'Extract the file that it names as well, or leave the link out with skip.',
  EXTRACT_EXISTS: 'Extract into an empty directory.',
  EXTRACT_DIFFERS:
    'The stored archive or its catalogue is damaged: use another backup, or take single files with extractEntry().',
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
  /** Path of a tar, cpio or `backup -i` archive, or its bytes. */
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
 * Extracts a stored archive (tar, cpio, `backup -i`) on the controller. Every component of every name is looked at before it is used: a link
 * that the archive brought along is never followed. Set-id bits are restored only together with owners.
 *
 * @throws ExtractError; ArchiveError when the archive is not whole; CatalogueError when the catalogue is not.
 */
export async function extract(options: ExtractOptions): Promise<Extraction> {
  const chunks = bytesOf(options.archive)[Symbol.asyncIterator]();
  const expected = options.catalogue === undefined ? undefined : readCatalogue(bytesOf(options.catalogue));
  try {
    return await extractFrom(chunks, expected, options);
  } finally {
    await chunks.return?.();
    await expected?.return(undefined);
  }
}

async function extractFrom(
  chunks: AsyncIterator<Uint8Array>,
  expected: AsyncGenerator<CatalogueItem> | undefined,
  { into, select, skip, owners = 'mine' }: ExtractOptions,
): Promise<Extraction> {
  const opening = await nextItem(expected);
  const stated = opening?.kind === 'opening' ? opening : undefined;
  const start = await firstBytes(chunks);
  // What is no archive at all is told by the reader of tar, where and why.
  const detected = detectFormat(start);
  const format = stated?.format ?? (detected === 'raw' ? 'tar' : detected);
  if (!isExtractable(format)) {
    throw new ExtractError('EXTRACT_UNSUPPORTED', into, `an archive in the format ${format}`);
  }
  fs.mkdirSync(into, { recursive: true });
  const writer = createWriter(into, owners, namesOf(format, start));
  const counted = { files: 0, bytes: 0, skipped: 0 };
  let wanted = false;
  /** What was written last, while something of it may still come. */
  let last: Entry | undefined;
  /** Entries that were not compared yet, and whether they were written. */
  const done: { entry: CatalogueEntry; written: boolean }[] = [];

  const watch = watchArchive(format, {
    digest: stated?.digest ?? 'stream',
    onStart(entry) {
      wanted = (select?.(entry) ?? true) && !(skip?.(entry) ?? false);
      if (wanted) {
        writer.open(entry);
        last = entry;
      } else {
        counted.skipped += 1;
        writer.pass(entry);
      }
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
      const written = last?.offset === entry.offset;
      if (written) last = undefined;
      if (expected !== undefined) done.push({ entry, written });
      if (format === 'backup' && entry.partial && written) {
        writer.discard(entry);
        throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'has attributes that cannot be read');
      }
    },
  });

  async function compare(): Promise<void> {
    let right = 0;
    try {
      for (const { entry } of done) {
        const value = await nextItem(expected);
        if (value?.kind !== 'entry' || !isSame(value.entry, entry)) {
          throw new ExtractError('EXTRACT_DIFFERS', entry.path, 'not what the catalogue says');
        }
        right += 1;
      }
    } finally {
      done.splice(0, right);
    }
  }

  try {
    watch.push(start);
    await compare();
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
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
  } catch (error) {
    // Some content is told to be damaged only behind its end. And what was not compared is not kept.
    const isDamaged = error instanceof ArchiveError && error.code === 'ARCHIVE_DATA_DAMAGED';
    if (last !== undefined && (isDamaged || expected !== undefined)) writer.discard(last);
    for (const { entry, written } of done) if (written) writer.discard(entry);
    throw error;
  } finally {
    writer.abandon();
  }
}

function isSame(stated: CatalogueEntry, seen: CatalogueEntry): boolean {
  return (['path', 'type', 'link', 'sha256'] as const).every((key) => stated[key] === seen[key]);
}

/** As much as tells the format; less when there is no more. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < 512) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  return start;
}

type Extractable = 'tar' | 'cpio' | 'backup';

function isExtractable(format: ArchiveFormat): format is Extractable {
  return format === 'tar' || format === 'cpio' || format === 'backup';
}

/**
 * How several names of one file stand in an archive: the later ones name the first (tar); one has the content, first or
 * last, and all have one number (newc, crc); or each has its own content, and the numbers are too short to rely on.
 */
type Names = 'linked' | 'numbered' | 'apart';

function namesOf(format: Extractable, start: Buffer): Names {
  if (format !== 'cpio') return format === 'tar' ? 'linked' : 'apart';
  return /^07070[12]/.test(start.toString('latin1', 0, 6)) ? 'numbered' : 'apart';
}

async function nextItem(items: AsyncGenerator<CatalogueItem> | undefined): Promise<CatalogueItem | undefined> {
  const next = await items?.next();
  return next === undefined || next.done ? undefined : next.value;
}

function bytesOf(source: string | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return typeof source === 'string' ? fs.createReadStream(source, { highWaterMark: 1 << 20 }) : source;
}

/** Makes entries below `root`, and nothing anywhere else. */
function createWriter(root: string, owners: 'mine' | 'numeric', names: Names) {
  const base = Buffer.from(root);
  const directories: { path: Buffer; entry: Entry }[] = [];
  /** The directory that was looked at last: most entries stand in the one of their predecessor. */
  let proved = '';
  let open: { descriptor: number; path: Buffer; entry: Entry } | undefined;
  /** Where the content of several names is, by what they have in common; `undefined` where it was left out. */
  const contents = new Map<string, Buffer | undefined>();
  /** Names without content, which wait until all content was seen and compared. */
  const waiting: { id: string; entry: Entry }[] = [];

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

  /** Gives a name without content that of its file; where nobody has any, the file is empty. */
  function join({ id, entry }: { id: string; entry: Entry }): void {
    const path = place(entry.path);
    const content = contents.get(id);
    if (content !== undefined) exclusive(entry, () => fs.linkSync(content, path));
    else if (contents.has(id)) {
      throw new ExtractError('EXTRACT_LINK_MISSING', entry.path, 'its content is with a name that was left out');
    } else {
      settle(
        exclusive(entry, () => fs.openSync(path, 'wx', 0o600)),
        entry,
      );
      contents.set(id, path);
    }
  }

  /** Gives a file its owner, mode and time. */
  function settle(descriptor: number, entry: Entry): void {
    if (owners === 'numeric') fs.fchownSync(descriptor, entry.uid, entry.gid);
    fs.fchmodSync(descriptor, modeOf(entry, owners));
    fs.futimesSync(descriptor, fileTime(entry.mtime), fileTime(entry.mtime));
    fs.closeSync(descriptor);
  }

  return {
    /** An entry that was left out. */
    pass({ type, size, links }: Entry): void {
      const hasContent = names === 'numbered' && type === 'file' && size > 0 && links !== null;
      if (hasContent && !contents.has(links.id)) contents.set(links.id, undefined);
    },
    open(entry: Entry): void {
      switch (entry.type) {
        case 'directory': {
          const parts = componentsOf(entry.path);
          enter(parts, entry.path);
          directories.push({ path: at(parts), entry });
          return;
        }
        case 'file': {
          if (entry.attributes.includes('GNU.sparse'))
            throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'has holes');
          if (names === 'numbered' && entry.links !== null && entry.size === 0) {
            waiting.push({ id: entry.links.id, entry });
            return;
          }
          const path = place(entry.path);
          if (names === 'numbered' && entry.links !== null) contents.set(entry.links.id, path);
          open = { descriptor: exclusive(entry, () => fs.openSync(path, 'wx', 0o600)), path, entry };
          return;
        }
        case 'symlink': {
          const path = place(entry.path);
          exclusive(entry, () => fs.symlinkSync(nameBytes(entry.link ?? ''), path));
          if (owners === 'numeric') fs.lchownSync(path, entry.uid, entry.gid);
          setLinkTime(path, entry.mtime);
          return;
        }
        case 'hardlink': {
          if (entry.link === null) {
            throw new ExtractError('EXTRACT_UNSUPPORTED', entry.path, 'a further name of a file, without its content');
          }
          const target = place(entry.link);
          const path = place(entry.path);
          const found = fs.lstatSync(target, { throwIfNoEntry: false });
          // Whether link(2) follows a symbolic link differs between systems: such a link is made anew instead.
          if (found?.isSymbolicLink()) exclusive(entry, () => fs.symlinkSync(fs.readlinkSync(target, 'buffer'), path));
          else if (found?.isFile()) exclusive(entry, () => fs.linkSync(target, path));
          else {
            throw new ExtractError('EXTRACT_LINK_MISSING', entry.path, `${displayName(entry.link)} is no file here`);
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
      settle(open.descriptor, open.entry);
      open = undefined;
    },
    /** Takes away what is not as it should be. */
    discard(entry: Entry): void {
      if (entry.type !== 'directory') fs.rmSync(place(entry.path), { force: true });
    },
    /** Names that waited; then modes and times of directories, deepest first: writing into them would have changed both. */
    finish(): void {
      for (const name of waiting) join(name);
      for (const { path, entry } of directories.reverse()) {
        if (owners === 'numeric') fs.lchownSync(path, entry.uid, entry.gid);
        fs.chmodSync(path, modeOf(entry, owners));
        fs.utimesSync(path, fileTime(entry.mtime), fileTime(entry.mtime));
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

/** The time of a symbolic link itself, which not every system can set. */
function setLinkTime(path: Buffer, mtime: number): void {
  try {
    fs.lutimesSync(path, fileTime(mtime), fileTime(mtime));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSYS') throw error;
  }
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
