/** Physical partitions of a disk that follow each other. */
export interface Extent {
  readonly disk: string;
  readonly first: number;
  readonly last: number;
}

/** Joins partitions, in their order, to extents. */
export function extentsOf(partitions: readonly { readonly disk: string; readonly number: number }[]): Extent[] {
  const extents: { disk: string; first: number; last: number }[] = [];
  for (const { disk, number } of partitions) {
    const open = extents.at(-1);
    if (open?.disk === disk && open.last === number - 1) open.last = number;
    else extents.push({ disk, first: number, last: number });
  }
  return extents;
}

/** One range a line, in the order of the logical partitions: what mklv and mklvcopy read with `-m`. */
export function printMapFile(extents: readonly Extent[]): string {
  return extents.map(({ disk, first, last }) => `${disk}:${first}${last > first ? `-${last}` : ''}\n`).join('');
}
