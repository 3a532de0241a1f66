import { makeDirectory } from '@splitmirror/host';
import {
  type ArchiveFormat,
  type ArchiveSummary,
  type CatalogueEntry,
  type CatalogueItem,
  readCatalogue,
} from '../catalogue/catalogue.ts';
import type { Entry } from '../entry.ts';
import { ArchiveError } from '../errors.ts';
import { detectFormat } from '../readers/detect.ts';
import { untilAborted } from '../until-aborted.ts';
import { watchArchive } from '../watch.ts';
import { asExtractError, ExtractError } from './errors.ts';
import { fileBytes } from './file-bytes.ts';
import { createWriter, type Names } from './writer.ts';

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
  /** Ends it, even while nothing comes; what it leaves is what any error leaves. */
  readonly signal?: AbortSignal | undefined;
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
 * @throws ExtractError; ArchiveError when the archive is not whole; CatalogueError when the catalogue is not; the reason of
 * the signal.
 */
export async function extract(options: ExtractOptions): Promise<Extraction> {
  const { archive, catalogue, signal } = options;
  const chunks: AsyncIterator<Uint8Array> = untilAborted(bytesOf(archive), signal);
  const expected = catalogue === undefined ? undefined : readCatalogue(untilAborted(bytesOf(catalogue), signal));
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
  await makeDirectory(into, 0o777).catch((error: unknown) => {
    throw asExtractError(into, error);
  });
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

function namesOf(format: Extractable, start: Buffer): Names {
  if (format !== 'cpio') return format === 'tar' ? 'linked' : 'apart';
  return /^07070[12]/.test(start.toString('latin1', 0, 6)) ? 'numbered' : 'apart';
}

async function nextItem(items: AsyncGenerator<CatalogueItem> | undefined): Promise<CatalogueItem | undefined> {
  const next = await items?.next();
  return next === undefined || next.done ? undefined : next.value;
}

function bytesOf(source: string | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return typeof source === 'string' ? fileBytes(source, { highWaterMark: 1 << 20 }) : source;
}
