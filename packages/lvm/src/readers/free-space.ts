import { linesOf, nowhere, ParseError } from '@splitmirror/host';

/** A row of `df`. Numbers are in the table's unit; `null` where `-` stands, or the form of the command has no such column. */
export interface FreeSpace {
  readonly fileSystem: string;
  readonly blocks: number | null;
  readonly used: number | null;
  readonly free: number | null;
  readonly usedPercent: number | null;
  readonly inodesUsed: number | null;
  readonly inodesFree: number | null;
  readonly inodesUsedPercent: number | null;
  readonly mountPoint: string;
}

/** What `df` prints, with the unit of its numbers: `512-blocks`, `1024-blocks`, `MB blocks` or `GB blocks`. */
export interface FreeSpaceTable {
  readonly unit: string;
  readonly rows: readonly FreeSpace[];
}

/** Column by its heading. The unit and the mount point have headings of two words. */
const columns: Readonly<Record<string, keyof FreeSpace | undefined>> = {
  Used: 'used',
  Free: 'free',
  Available: 'free',
  '%Used': 'usedPercent',
  Capacity: 'usedPercent',
  Iused: 'inodesUsed',
  Ifree: 'inodesFree',
  '%Iused': 'inodesUsedPercent',
};

/**
 * Reads what `df` prints in each of its forms (`-k`, `-m`, `-g`, `-I`, `-P`, `-i`): the heading tells the columns. A name
 * that fills its line has its numbers on the next.
 *
 * @throws ParseError at the first line of another shape.
 */
export function parseFreeSpace(text: string): FreeSpaceTable {
  const [heading = nowhere, ...lines] = linesOf(text);
  const words = heading.text.split(/\s+/);
  const [first, ...names] = words.slice(0, -2);
  const unit = names.splice(0, names[1] === 'blocks' ? 2 : 1).join(' ');
  const shown = names.map((name) => columns[name]);
  if (
    first !== 'Filesystem' ||
    words.slice(-2).join(' ') !== 'Mounted on' ||
    !/^(\d+-blocks|[MG]B blocks)$/.test(unit) ||
    shown.includes(undefined)
  ) {
    throw new ParseError('df', 'no column heading', heading);
  }
  const rows: FreeSpace[] = [];
  let name: string | undefined;
  for (const line of lines) {
    const words = line.text.trim().split(/\s+/);
    if (name === undefined && words.length === 1) {
      name = words[0];
      continue;
    }
    const [fileSystem = '', ...cells] = name === undefined ? words : [name, ...words];
    const mountPoint = cells.pop();
    if (mountPoint === undefined || cells.length !== shown.length + 1)
      throw new ParseError('df', 'not a file system', line);
    const numbers = cells.map((word) => {
      if (word === '-') return null;
      if (!/^-?\d+(\.\d+)?%?$/.test(word)) throw new ParseError('df', 'not a number', line);
      return Number.parseFloat(word);
    });
    const of = (column: keyof FreeSpace): number | null => numbers[['blocks', ...shown].indexOf(column)] ?? null;
    rows.push({
      fileSystem,
      blocks: of('blocks'),
      used: of('used'),
      free: of('free'),
      usedPercent: of('usedPercent'),
      inodesUsed: of('inodesUsed'),
      inodesFree: of('inodesFree'),
      inodesUsedPercent: of('inodesUsedPercent'),
      mountPoint,
    });
    name = undefined;
  }
  if (name !== undefined) throw new ParseError('df', 'a name without its numbers', lines.at(-1) ?? heading);
  return { unit, rows };
}
