import { ParseError } from '@splitmirror/host';

/** A row of `df`. Numbers are in the table's unit; `null` where `-` stands. */
export interface FreeSpace {
  readonly fileSystem: string;
  readonly blocks: number | null;
  readonly free: number | null;
  readonly usedPercent: number | null;
  readonly inodesUsed: number | null;
  readonly inodesUsedPercent: number | null;
  readonly mountPoint: string;
}

/** What `df` prints, with the unit of its numbers: `512-blocks`, `1024-blocks`, `MB blocks` or `GB blocks`. */
export interface FreeSpaceTable {
  readonly unit: string;
  readonly rows: readonly FreeSpace[];
}

/**
 * Reads what `df`, `df -k`, `df -m` and `df -g` print.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseFreeSpace(text: string): FreeSpaceTable {
  const [heading = '', ...lines] = text.trimEnd().split('\n');
  const [, unit] =
    /^Filesystem\s+(\d+-blocks|[MG]B blocks)\s+Free\s+%Used\s+Iused\s+%Iused\s+Mounted on\s*$/.exec(heading) ?? [];
  if (unit === undefined) throw new ParseError('df', 'no column heading', { line: 1, text: heading });
  const rows = lines.map((line, index): FreeSpace => {
    const words = line.trim().split(/\s+/);
    const [fileSystem = '', blocks, free, used, inodes, inodesUsed, mountPoint = ''] = words;
    const at = { line: index + 2, text: line };
    if (words.length !== 7) throw new ParseError('df', 'not a file system', at);
    const number = (word: string | undefined): number | null => {
      if (word === '-') return null;
      if (!/^-?\d+(\.\d+)?%?$/.test(word ?? '')) throw new ParseError('df', 'not a number', at);
      return Number.parseFloat(word ?? '');
    };
    return {
      fileSystem,
      blocks: number(blocks),
      free: number(free),
      usedPercent: number(used),
      inodesUsed: number(inodes),
      inodesUsedPercent: number(inodesUsed),
      mountPoint,
    };
  });
  return { unit, rows };
}
