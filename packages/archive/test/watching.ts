import { type ArchiveFormat, type ArchiveSummary, type CatalogueEntry, watchArchive } from '../src/index.ts';

/** An archive that was read: what came of it, entry by entry. */
export interface Read {
  entries: CatalogueEntry[];
  catalogue: string;
  summary: ArchiveSummary;
}

type Readable = Exclude<ArchiveFormat, 'raw'>;

/** Watches an archive that comes in pieces of `size` bytes. */
export function readArchive(format: Readable, bytes: Buffer, size = bytes.length || 1): Read {
  const entries: CatalogueEntry[] = [];
  let catalogue = '';
  const watch = watchArchive(format, {
    onEntry: (entry) => entries.push(entry),
    onCatalogue: (lines) => {
      catalogue += lines.toString('utf8');
    },
  });
  // Each piece has memory of its own, which is overwritten when the reader has had it.
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    watch.push(piece);
    piece.fill(0xee);
  }
  return { summary: watch.end(), entries, catalogue };
}

export function readTar(bytes: Buffer, size?: number): Read {
  return readArchive('tar', bytes, size);
}

/** The code with which an archive is refused, or `whole`. */
export function refusal(bytes: Buffer, size?: number, format: Readable = 'tar'): string {
  try {
    readArchive(format, bytes, size);
    return 'whole';
  } catch (error) {
    return (error as { code?: string }).code ?? `untyped: ${error}`;
  }
}
