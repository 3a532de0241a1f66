import type { CatalogueEntry, CatalogueItem } from './catalogue.ts';

/** What changed between two catalogues; paths in the order of the catalogue in which they stand. */
export interface CatalogueDifference {
  /** In the later one only. */
  readonly added: readonly string[];
  /** In the earlier one only. */
  readonly removed: readonly string[];
  /** In both, and not the same. */
  readonly changed: readonly {
    readonly path: string;
    readonly fields: readonly ('type' | 'content' | 'mode' | 'owner' | 'mtime' | 'link' | 'device')[];
  }[];
}

/**
 * Compares what two archives hold. Of the earlier one all entries are kept in memory, in a short form; the later one is
 * read as it flows.
 *
 * @throws CatalogueError when one of them is damaged or cut short.
 */
export async function diffCatalogues(
  earlier: AsyncIterable<CatalogueItem>,
  later: AsyncIterable<CatalogueItem>,
): Promise<CatalogueDifference> {
  const before = new Map<string, string>();
  for await (const item of earlier)
    if (item.kind === 'entry') before.set(item.entry.path, traits(item.entry).join('\0'));
  const added: string[] = [];
  const changed: CatalogueDifference['changed'][number][] = [];
  for await (const item of later) {
    if (item.kind !== 'entry') continue;
    const { path } = item.entry;
    const old = before.get(path)?.split('\0');
    before.delete(path);
    if (old === undefined) {
      added.push(path);
      continue;
    }
    const now = traits(item.entry);
    const fields = traitNames.filter((_, index) => old[index] !== now[index]);
    if (fields.length > 0) changed.push({ path, fields });
  }
  return { added, removed: [...before.keys()], changed };
}

const traitNames = ['type', 'content', 'mode', 'owner', 'mtime', 'link', 'device'] as const;

function traits(entry: CatalogueEntry): string[] {
  return [
    entry.type,
    entry.sha256 ?? '',
    String(entry.mode),
    `${entry.uid}:${entry.gid}`,
    String(entry.mtime),
    entry.link ?? '',
    entry.device?.join(',') ?? '',
  ];
}
