import { createHash, hash as hashAtOnce } from 'node:crypto';
import { requireWhole } from '@splitmirror/host';
import {
  type ArchiveFormat,
  type ArchiveSummary,
  type CatalogueEntry,
  closingEnd,
  closingStart,
  createEntryPrinter,
  type DigestKind,
  openingLine,
} from './catalogue/catalogue.ts';
import type { ArchiveReader, ArchiveSink, Entry } from './entry.ts';
import { createOutline } from './outline.ts';
import { createBackupReader } from './readers/backup.ts';
import { createCpioReader } from './readers/cpio.ts';
import { createInodeReader } from './readers/inode.ts';
import { createRawReader } from './readers/raw.ts';
import { createTarReader } from './readers/tar.ts';

/** How an archive is watched. */
export interface WatchOptions {
  /**
   * What the digest of the stream covers. `stream`, the default, is the SHA-256 of its bytes. `outline` hashes each byte
   * once: the content of each file that is not empty is replaced by the 64 digits of its own digest. Only tar and cpio
   * have an outline; for other formats it is `stream`, and the summary tells which it was.
   */
  readonly digest?: DigestKind | undefined;
  /** Called for each entry once its content is complete, in stream order. */
  readonly onEntry?: ((entry: CatalogueEntry) => void) | undefined;
  /** Takes the catalogue, in pieces of about 64 KiB, from within `push` and `end`. Write them one after another to a file. */
  readonly onCatalogue?: ((lines: Buffer) => void) | undefined;
  /** Takes the content of regular files as it flows, for an extraction. */
  readonly onContent?: ((chunk: Buffer, start: number, end: number) => void) | undefined;
  /** Called before the content of an entry comes. */
  readonly onStart?: ((entry: Entry) => void) | undefined;
  /** Called when the content of an entry has come, before anything of the next one. */
  readonly onComplete?: ((entry: Entry) => void) | undefined;
}

/** An archive under observation. */
export interface ArchiveWatch {
  /**
   * The next bytes of the stream. They are read before this returns, and not kept.
   *
   * @throws ArchiveError at the first thing that is wrong with the archive, again at each later call; RangeError behind
   * `end`.
   */
  push(chunk: Uint8Array): void;
  /**
   * The stream ended: the archive was seen whole, and its catalogue is closed.
   *
   * @throws ArchiveError when it was not. The catalogue then stays without its closing line, and no reader accepts it.
   * RangeError when it has ended before.
   */
  end(): ArchiveSummary;
}

/**
 * Watches an archive while it flows by: is it whole, what is in it, and what are the digests of the stream and of each
 * file. Keeps nothing of an entry once it has passed: memory does not grow with the archive.
 *
 * @param format One of the formats with a reader; or `raw` for a volume, whose only form is its size.
 * @throws RangeError for a size that no volume has.
 */
export function watchArchive(format: Exclude<ArchiveFormat, 'raw'>, options?: WatchOptions): ArchiveWatch;
export function watchArchive(format: 'raw', options: WatchOptions & { readonly expectedBytes: number }): ArchiveWatch;
export function watchArchive(
  format: ArchiveFormat,
  options: WatchOptions & { readonly expectedBytes?: number } = {},
): ArchiveWatch {
  const { onEntry, onCatalogue, onContent, onStart, onComplete } = options;
  requireWhole('expectedBytes', options.expectedBytes, 0);
  const hasOutline = options.digest === 'outline' && (format === 'tar' || format === 'cpio');
  const opening = { format, digest: hasOutline ? ('outline' as const) : ('stream' as const) };
  const stream = createHash('sha256');
  const outline = hasOutline ? createOutline(stream) : undefined;
  const counted = { entries: 0, files: 0, partial: 0, fileBytes: 0, bytes: 0 };

  /** The entry whose content, or whose attributes behind it, may still come. */
  let current: Entry | undefined;
  let late: string[] | undefined;
  let partial = false;
  let left = 0;
  let content: ReturnType<typeof createHash> | undefined;
  let digest: string | null = null;

  const catalogue = createHash('sha256');
  const entryLine = createEntryPrinter();
  // Lines become bytes one by one: put together as strings, all their parts would live until the piece is complete.
  let piece = Buffer.allocUnsafeSlow(pieceBytes);
  let filled = 0;
  function print(line: string): void {
    // A unit of UTF-16 is three bytes at most.
    if (3 * line.length > pieceBytes - filled) flush();
    if (3 * line.length > pieceBytes) hand(Buffer.from(line, 'utf8'));
    else filled += piece.write(line, filled, 'utf8');
  }
  function flush(): void {
    if (filled === 0) return;
    hand(piece.subarray(0, filled));
    // Who takes the catalogue may keep its pieces.
    piece = Buffer.allocUnsafeSlow(pieceBytes);
    filled = 0;
  }
  function hand(bytes: Buffer): void {
    catalogue.update(bytes);
    onCatalogue?.(bytes);
  }
  print(openingLine(opening));

  function finish(): void {
    if (current === undefined) return;
    // Content that was not shown has no digest.
    if (left > 0) digest = null;
    const attributes = late === undefined ? current.attributes : [...current.attributes, ...late];
    print(entryLine(current, digest, attributes, partial));
    if (partial) counted.partial += 1;
    onEntry?.({ ...current, attributes, sha256: digest, partial });
    current = undefined;
    late = undefined;
    partial = false;
  }

  const sink: ArchiveSink = {
    entry(entry) {
      finish();
      current = entry;
      left = entry.size;
      counted.entries += 1;
      if (entry.type === 'file') {
        digest = emptyDigest;
        counted.files += 1;
        counted.fileBytes += left;
      } else digest = null;
      onStart?.(entry);
      if (left === 0) onComplete?.(entry);
    },
    data(chunk, start, end) {
      const bytes = chunk.subarray(start, end);
      left -= end - start;
      if (left > 0 || content !== undefined) {
        content ??= createHash('sha256');
        content.update(bytes);
      }
      outline?.replace(start, end);
      if (left === 0) {
        digest = content === undefined ? hashAtOnce('sha256', bytes, 'hex') : content.digest('hex');
        content = undefined;
        outline?.insert(digest);
      }
      onContent?.(chunk, start, end);
      if (left === 0 && current !== undefined) onComplete?.(current);
    },
    attribute(name, reading) {
      if (reading === 'partial') partial = true;
      late ??= [];
      const isKnown = current?.attributes.includes(name) === true;
      if (!isKnown && late.length < mostAttributes) late.push(name);
    },
  };
  const reader = openReader(format, sink, options.expectedBytes);
  let hasEnded = false;
  const requireOpen = () => {
    if (hasEnded) throw new RangeError('the watch has ended');
  };

  return {
    push(chunk) {
      requireOpen();
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      counted.bytes += bytes.length;
      if (outline === undefined) stream.update(bytes);
      else outline.open(bytes);
      reader.push(bytes);
      outline?.close();
    },
    end() {
      requireOpen();
      reader.end();
      hasEnded = true;
      finish();
      outline?.end();
      const seen = { ...counted, sha256: stream.digest('hex') };
      print(closingStart(seen));
      flush();
      const catalogueSha256 = catalogue.digest('hex');
      onCatalogue?.(Buffer.from(closingEnd(catalogueSha256), 'utf8'));
      return { ...opening, ...seen, catalogueSha256 };
    },
  };
}

function openReader(format: ArchiveFormat, sink: ArchiveSink, expectedBytes = 0): ArchiveReader {
  switch (format) {
    case 'tar':
      return createTarReader(sink);
    case 'cpio':
      return createCpioReader(sink);
    case 'backup':
      return createBackupReader(sink);
    case 'backup-inode':
      return createInodeReader();
    case 'raw':
      return createRawReader(expectedBytes);
  }
}

/** Size of the pieces of a catalogue. */
const pieceBytes = 1 << 16;
const emptyDigest = hashAtOnce('sha256', '', 'hex');
/** Attributes behind one entry that are named; AIX writes one. */
const mostAttributes = 16;
