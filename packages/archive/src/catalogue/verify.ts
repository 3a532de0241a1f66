import { createReadStream } from 'node:fs';
import { SplitmirrorError, unlessAborted } from '@splitmirror/host';
import { displayName } from '../names.ts';
import { notWhole, type Verdict, type VerdictReason } from '../tools/verdict.ts';
import { untilAborted } from '../until-aborted.ts';
import { watchArchive } from '../watch.ts';
import {
  type ArchiveSummary,
  type CatalogueEntry,
  type CatalogueItem,
  createEntryPrinter,
  readCatalogue,
} from './catalogue.ts';

/** Entries that differ and are named one by one; more are counted. */
const mostNamed = 20;

/**
 * Reads a stored archive again and compares it with its catalogue: each entry with all that its line tells, then the
 * digest of the whole. Nothing is written; memory does not grow with the archive.
 *
 * @param options.archive Path of the archive, or its bytes, for instance from `decompress`.
 * @param options.catalogue Path of its catalogue, which is read twice: nothing is compared with a damaged one.
 * @param options.signal Ends it, even while nothing comes.
 * @returns `good`, or every reason why not. Errors of the file system are thrown, and the reason of the signal.
 */
export async function verifyArchive(options: {
  readonly archive: string | AsyncIterable<Uint8Array>;
  readonly catalogue: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<Verdict> {
  const { archive, catalogue, signal } = options;
  async function* read(path: string): AsyncGenerator<Uint8Array> {
    yield* untilAborted(createReadStream(path, { highWaterMark: 1 << 20 }), signal);
  }
  return unlessAborted(signal, () =>
    verify(typeof archive === 'string' ? read(archive) : untilAborted(archive, signal), () => read(catalogue)),
  );
}

async function verify(
  archive: AsyncIterable<Uint8Array>,
  catalogue: () => AsyncIterable<Uint8Array>,
): Promise<Verdict> {
  let stated: ArchiveSummary;
  try {
    stated = await summaryOf(catalogue());
  } catch (error) {
    if (!SplitmirrorError.is(error)) throw error;
    const { message, remedy } = error;
    return failed([{ code: 'CATALOGUE_INVALID', message: 'the catalogue is damaged', seen: message, remedy }]);
  }

  const comparison = compareEntries(readCatalogue(catalogue()));
  const { digest, bytes: expectedBytes } = stated;
  const onEntry = comparison.see;
  const watch =
    stated.format === 'raw'
      ? watchArchive('raw', { digest, expectedBytes })
      : watchArchive(stated.format, { digest, onEntry });
  try {
    for await (const chunk of archive) {
      watch.push(chunk);
      await comparison.settle();
    }
    const summary = watch.end();
    await comparison.settle();
    const differences = await comparison.end();
    if (summary.sha256 === stated.sha256 && summary.catalogueSha256 === stated.catalogueSha256) {
      return { kind: 'good', accepted: [] };
    }
    const seen = `${summary.bytes} bytes with the digest ${summary.sha256}, not ${stated.bytes} with ${stated.sha256}`;
    return failed([
      ...differences,
      { code: 'STREAM_DIFFERS', message: 'the archive is not the one that was catalogued', seen, remedy },
    ]);
  } catch (error) {
    if (!SplitmirrorError.is(error)) throw error;
    return failed([...(await comparison.end()), notWhole(error)]);
  }
}

const remedy =
  'Use another copy of this backup; take the files that do not differ out of this one with extractEntry().';

function failed(reasons: VerdictReason[]): Verdict {
  return { kind: 'failed', reasons, accepted: [] };
}

async function summaryOf(catalogue: AsyncIterable<Uint8Array>): Promise<ArchiveSummary> {
  let summary: ArchiveSummary | undefined;
  for await (const item of readCatalogue(catalogue)) if (item.kind === 'summary') summary = item.summary;
  // A catalogue without one is refused by its reader.
  if (summary === undefined) throw new RangeError('no summary');
  return summary;
}

/** Compares entries with those of a catalogue in their common order. */
function compareEntries(items: AsyncGenerator<CatalogueItem>) {
  const waiting: CatalogueEntry[] = [];
  const [printStated, printFound] = [createEntryPrinter(), createEntryPrinter()];
  const print = (entry: CatalogueEntry, printer = printFound) =>
    printer(entry, entry.sha256, entry.attributes, entry.partial);
  const reasons: VerdictReason[] = [];
  let count = 0;

  return {
    see(entry: CatalogueEntry): void {
      waiting.push(entry);
    },
    /** Compares what was seen so far. */
    async settle(): Promise<void> {
      for (const entry of waiting.splice(0)) {
        let item = (await items.next()).value as CatalogueItem | undefined;
        if (item?.kind === 'opening') item = (await items.next()).value as CatalogueItem | undefined;
        const stated = item?.kind === 'entry' ? print(item.entry, printStated) : 'nothing';
        const found = print(entry);
        if (stated === found) continue;
        count += 1;
        if (count > mostNamed) continue;
        const message = `${displayName(entry.path)} is not what the catalogue says`;
        reasons.push({ code: 'ENTRY_DIFFERS', message, seen: `${found.trim()}, not ${stated.trim()}`, remedy });
      }
    },
    async end(): Promise<VerdictReason[]> {
      await items.return(undefined);
      if (count <= mostNamed) return reasons;
      const message = `${count - mostNamed} more entries are not what the catalogue says`;
      return [...reasons, { code: 'ENTRY_DIFFERS', message, seen: `${count} entries`, remedy }];
    },
  };
}
